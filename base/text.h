/* SPDX-License-Identifier: Apache-2.0 */
/* Small things about text: quantities as people write them, and what they may
 * have meant. @thread any */
#ifndef KP_BASE_TEXT_H
#define KP_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* kp_parse_size reads "512", "64KiB", "100MiB", "4GiB", "10kB", "1MB" as bytes.
 */
bool kp_parse_size(const char *text, uint64_t *out) KP_MUST_CHECK;

/* kp_parse_duration reads "250ms", "10s", "5m", "2h" as milliseconds. */
bool kp_parse_duration(const char *text, int64_t *out_ms) KP_MUST_CHECK;

/*
 * The way back, in the largest unit that divides it: "64KiB", "90s". out holds
 * KP_QUANTITY_SIZE bytes.
 */
#define KP_QUANTITY_SIZE 32
void kp_format_size(char *out, uint64_t size);
void kp_format_duration(char *out, int64_t ms);

/* kp_parse_int reads a whole decimal number and nothing else. */
bool kp_parse_int(const char *text, int64_t *out) KP_MUST_CHECK;

/*
 * kp_suggest returns the word nearest to text (edit distance, case folded), or
 * NULL if none is near enough to have been meant. words ends with NULL.
 */
const char *kp_suggest(const char *text, const char *const *words);

/*
 * kp_wrap adds text in lines of at most width bytes, broken at blanks, each
 * with indent blanks in front. A word that is longer is cut.
 */
struct kp_buf;
void kp_wrap(struct kp_buf *out, const char *text, size_t indent, size_t width);

/*
 * kp_utf8_len is the length of the UTF-8 sequence that text begins with, 0 if
 * it begins with none (RFC 3629).
 */
size_t kp_utf8_len(const char *text);
bool kp_is_utf8(const char *text);

/* kp_utf8_clean puts a question mark in place of each byte that is no UTF-8:
 * what was cut at any byte may end in one. */
void kp_utf8_clean(char *text);

/* kp_is_address: is text an IPv4 or IPv6 literal (without brackets or zone)? */
bool kp_is_address(const char *text);

/*
 * kp_parse_address is the same and writes its canonical form, so that one
 * address is one text.
 */
#define KP_ADDRESS_SIZE 46
bool kp_parse_address(
    const char *text, char out[KP_ADDRESS_SIZE]) KP_MUST_CHECK;

/*
 * kp_is_host: is text an address literal or a host name (RFC 1123; underscores
 * are let through, container platforms make such names)?
 */
bool kp_is_host(const char *text);

/*
 * kp_parse_host_port splits "host:port" or "[v6]:port" into out_host (of size
 * host_size, NUL-terminated) and the port 1..65535.
 */
bool kp_parse_host_port(const char *text, char *out_host, size_t host_size,
    uint16_t *out_port) KP_MUST_CHECK;

#endif
