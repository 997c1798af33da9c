/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/kafka/writer.h"

#define VARLONG_MAX_LEN 10

void
kp_number_put(uint8_t *out, uint64_t value, size_t len)
{
	for (size_t i = len; i > 0; i--) {
		out[i - 1] = (uint8_t)value;
		value >>= 8;
	}
}

static void
write_number(struct kp_buf *buf, uint64_t value, size_t len)
{
	uint8_t *out = kp_buf_extend(buf, len);

	if (out != NULL)
		kp_number_put(out, value, len);
}

void
kp_write_bool(struct kp_buf *buf, bool value)
{
	write_number(buf, value ? 1 : 0, 1);
}

void
kp_write_int8(struct kp_buf *buf, int8_t value)
{
	write_number(buf, (uint64_t)value, sizeof(value));
}

void
kp_write_int16(struct kp_buf *buf, int16_t value)
{
	write_number(buf, (uint64_t)value, sizeof(value));
}

void
kp_write_uint16(struct kp_buf *buf, uint16_t value)
{
	write_number(buf, value, sizeof(value));
}

void
kp_write_int32(struct kp_buf *buf, int32_t value)
{
	write_number(buf, (uint64_t)value, sizeof(value));
}

void
kp_write_uint32(struct kp_buf *buf, uint32_t value)
{
	write_number(buf, value, sizeof(value));
}

void
kp_write_int64(struct kp_buf *buf, int64_t value)
{
	write_number(buf, (uint64_t)value, sizeof(value));
}

void
kp_write_float64(struct kp_buf *buf, double value)
{
	uint64_t bits;

	_Static_assert(sizeof(value) == sizeof(bits), "IEEE 754");
	kp_copy(&bits, &value, sizeof(bits));
	write_number(buf, bits, sizeof(bits));
}

static size_t
put_varying(uint8_t *out, uint64_t value)
{
	size_t len = 0;

	for (; value > 0x7f; value >>= 7)
		out[len++] = (uint8_t)(value | 0x80u);
	out[len++] = (uint8_t)value;
	return len;
}

size_t
kp_uvarint_put(uint8_t out[KP_UVARINT_MAX_LEN], uint32_t value)
{
	return put_varying(out, value);
}

size_t
kp_uvarint_len(uint32_t value)
{
	size_t len = 1;

	for (; value > 0x7f; value >>= 7)
		len++;
	return len;
}

static void
write_varying(struct kp_buf *buf, uint64_t value)
{
	uint8_t out[VARLONG_MAX_LEN];

	kp_buf_add(buf, out, put_varying(out, value));
}

void
kp_write_uvarint(struct kp_buf *buf, uint32_t value)
{
	write_varying(buf, value);
}

void
kp_write_varint(struct kp_buf *buf, int32_t value)
{
	uint32_t sign = value < 0 ? UINT32_MAX : 0;

	write_varying(buf, (uint32_t)value << 1 ^ sign);
}

void
kp_write_varlong(struct kp_buf *buf, int64_t value)
{
	uint64_t sign = value < 0 ? UINT64_MAX : 0;

	write_varying(buf, (uint64_t)value << 1 ^ sign);
}

static bool
fits(struct kp_buf *buf, int64_t len, int64_t max)
{
	if (len < -1 || len > max)
		buf->failed = true;
	return !buf->failed;
}

void
kp_write_length16(struct kp_buf *buf, int64_t len)
{
	if (fits(buf, len, INT16_MAX))
		kp_write_int16(buf, (int16_t)len);
}

void
kp_write_length32(struct kp_buf *buf, int64_t len)
{
	if (fits(buf, len, INT32_MAX))
		kp_write_int32(buf, (int32_t)len);
}

void
kp_write_compact_length(struct kp_buf *buf, int64_t len)
{
	if (fits(buf, len, INT32_MAX))
		kp_write_uvarint(buf, (uint32_t)(len + 1));
}

static int64_t
length_of(struct kp_bytes value)
{
	if (value.data == NULL)
		return -1;
	return value.len > INT32_MAX ? INT64_MAX : (int64_t)value.len;
}

void
kp_write_string(struct kp_buf *buf, struct kp_bytes value)
{
	kp_write_length16(buf, length_of(value));
	kp_buf_add(buf, value.data, value.len);
}

void
kp_write_bytes(struct kp_buf *buf, struct kp_bytes value)
{
	kp_write_length32(buf, length_of(value));
	kp_buf_add(buf, value.data, value.len);
}

void
kp_write_compact(struct kp_buf *buf, struct kp_bytes value)
{
	kp_write_compact_length(buf, length_of(value));
	kp_buf_add(buf, value.data, value.len);
}

size_t
kp_write_begin_int32(struct kp_buf *buf)
{
	size_t begin = buf->len;

	write_number(buf, 0, sizeof(int32_t));
	return begin;
}

void
kp_write_end_int32(struct kp_buf *buf, size_t begin)
{
	size_t len;

	if (buf->failed)
		return;
	len = buf->len - begin - sizeof(int32_t);
	if (len > INT32_MAX) {
		buf->failed = true;
		return;
	}
	kp_number_put(buf->data + begin, len, sizeof(int32_t));
}
