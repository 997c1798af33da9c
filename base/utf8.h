/* SPDX-License-Identifier: Apache-2.0 */
/* Characters in bytes that may hold anything. @thread any */
#ifndef KP_BASE_UTF8_H
#define KP_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * kp_utf8_decode returns the length of the character that bytes begin with,
 * 0 if they begin with none (RFC 3629). out_point may be NULL.
 */
size_t kp_utf8_decode(struct kp_bytes bytes, uint32_t *out_point);

/* kp_utf8_encode writes up to four bytes and returns how many, 0 if point
 * is none of Unicode's characters. */
size_t kp_utf8_encode(uint32_t point, uint8_t out[4]);

/* kp_utf8_count counts characters; a byte that belongs to none is one. */
size_t kp_utf8_count(struct kp_bytes bytes);
bool kp_utf8_is_valid(struct kp_bytes bytes);

#endif
