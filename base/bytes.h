/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Borrowed bytes, growable buffers, and the only memcpy of the project. The
 * comment of whoever hands out a kp_bytes says until when it is valid.
 * @thread any
 */
#ifndef KP_BASE_BYTES_H
#define KP_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

/* Borrowed, never freed through it. data is NULL only if it was null. */
struct kp_bytes {
	const uint8_t *data;
	size_t len;
};

/* kp_bytes_of borrows a C string without its NUL. */
struct kp_bytes kp_bytes_of(const char *text);

bool kp_bytes_equal(struct kp_bytes a, struct kp_bytes b);

/* kp_copy copies len bytes that do not overlap; len 0 with NULLs is fine. */
void kp_copy(void *to, const void *from, size_t len);

/* kp_move is kp_copy for bytes that may overlap. */
void kp_move(void *to, const void *from, size_t len);

/*
 * kp_buf is an owned byte sequence that grows up to a hard maximum. Like a
 * reader's, its failure is sticky: once something did not fit or memory was
 * refused, failed stays true and nothing is added any more; is_refused tells
 * the two apart. The zero state is an empty buffer without room (max_len 0).
 */
struct kp_buf {
	uint8_t *data;
	size_t len;
	size_t capacity;
	size_t max_len;
	bool failed;
	bool is_refused; /* failed for want of memory, not of room */
};

void kp_buf_init(struct kp_buf *buf, size_t max_len);
/* kp_buf_init_small takes all its memory at once, with kp_alloc: for what is of
 * our own making, and must be said when memory is what failed. */
void kp_buf_init_small(struct kp_buf *buf, size_t max_len);
void kp_buf_fini(struct kp_buf *buf);

/* kp_buf_clear empties it and forgets a failure; memory is kept. */
void kp_buf_clear(struct kp_buf *buf);

/* kp_buf_extend adds len bytes to be filled by the caller; NULL on failure. */
uint8_t *kp_buf_extend(struct kp_buf *buf, size_t len);

void kp_buf_add(struct kp_buf *buf, const void *data, size_t len);
void kp_buf_add_text(struct kp_buf *buf, const char *text);
void kp_buf_add_spaces(struct kp_buf *buf, size_t num);
void kp_buf_printf(struct kp_buf *buf, const char *fmt, ...) KP_PRINTF(2, 3);

/*
 * kp_buf_error says why buf failed, with KP_ERR_LIMIT: "no memory", or what fmt
 * says of something that is too long for it. Returns false.
 */
bool kp_buf_error(const struct kp_buf *buf, struct kp_error *err,
    const char *fmt, ...) KP_PRINTF(3, 4);

/* kp_buf_bytes borrows the content until the buffer changes. */
struct kp_bytes kp_buf_bytes(const struct kp_buf *buf);

/*
 * kp_buf_text borrows the content as a text until the buffer changes, as much
 * of it as there is if it failed. Where there is no room for a NUL, the last
 * byte gives way to it.
 */
const char *kp_buf_text(struct kp_buf *buf);

#endif
