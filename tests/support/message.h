/* SPDX-License-Identifier: Apache-2.0 */
/* Writing messages by hand in tests: big-endian numbers and Kafka's strings. */
#ifndef KP_TESTS_SUPPORT_MESSAGE_H
#define KP_TESTS_SUPPORT_MESSAGE_H

#include "base/bytes.h"

static inline void
put_int8(struct kp_buf *out, int8_t value)
{
	kp_buf_add(out, &value, 1);
}

static inline void
put_int16(struct kp_buf *out, int16_t value)
{
	put_int8(out, (int8_t)(value >> 8));
	put_int8(out, (int8_t)value);
}

static inline void
put_int32(struct kp_buf *out, int32_t value)
{
	put_int16(out, (int16_t)(value >> 16));
	put_int16(out, (int16_t)value);
}

/* A string with an int16 length. */
static inline void
put_string(struct kp_buf *out, const char *text)
{
	put_int16(out, (int16_t)strlen(text));
	kp_buf_add_text(out, text);
}

/* Bytes with an int32 length. */
static inline void
put_bytes(struct kp_buf *out, const void *data, size_t len)
{
	put_int32(out, (int32_t)len);
	kp_buf_add(out, data, len);
}

/* A compact string of less than 127 bytes. */
static inline void
put_compact(struct kp_buf *out, const char *text)
{
	put_int8(out, (int8_t)(strlen(text) + 1));
	kp_buf_add_text(out, text);
}

#endif
