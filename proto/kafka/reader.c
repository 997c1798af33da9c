/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/kafka/reader.h"

#define UVARINT_MAX_BITS 32
#define VARLONG_MAX_BITS 64

void
kp_reader_init(struct kp_reader *reader, struct kp_bytes bytes)
{
	/* NULL + 0 is undefined in C: empty input gets an address. */
	static const uint8_t nothing[1];
	const uint8_t *data = bytes.len > 0 ? bytes.data : nothing;

	*reader = (struct kp_reader){ .pos = data, .end = data + bytes.len };
}

size_t
kp_reader_left(const struct kp_reader *reader)
{
	return reader->failed ? 0 : (size_t)(reader->end - reader->pos);
}

void
kp_reader_fail(struct kp_reader *reader)
{
	reader->failed = true;
}

bool
kp_reader_finish(const struct kp_reader *reader, struct kp_error *err)
{
	if (reader->failed && reader->is_short)
		return kp_error_set(
		    err, KP_ERR_PROTOCOL, "the bytes end inside a field");
	if (reader->failed)
		return kp_error_set(
		    err, KP_ERR_PROTOCOL, "a length or number is malformed");
	if (reader->pos != reader->end)
		return kp_error_set(err, KP_ERR_PROTOCOL,
		    "%zu bytes are left over", kp_reader_left(reader));
	return true;
}

/* The one bounds check. */
static const uint8_t *
take(struct kp_reader *reader, size_t len)
{
	if (reader->failed)
		return NULL;
	if (len > (size_t)(reader->end - reader->pos)) {
		reader->failed = true;
		reader->is_short = true;
		return NULL;
	}
	reader->pos += len;
	return reader->pos - len;
}

static uint64_t
number16(const uint8_t *bytes)
{
	return (uint64_t)bytes[0] << 8 | bytes[1];
}

static uint64_t
number32(const uint8_t *bytes)
{
	return (uint64_t)bytes[0] << 24 | (uint64_t)bytes[1] << 16 |
	       (uint64_t)bytes[2] << 8 | bytes[3];
}

/* Written out, as compilers know how to load such numbers at once. */
uint64_t
kp_number_get(const uint8_t *bytes, size_t len)
{
	uint64_t number = 0;

	if (len == 2)
		return number16(bytes);
	if (len == 4)
		return number32(bytes);
	if (len == 8)
		return number32(bytes) << 32 | number32(bytes + 4);
	for (size_t i = 0; i < len; i++)
		number = number << 8 | bytes[i];
	return number;
}

static uint64_t
read_number(struct kp_reader *reader, size_t len)
{
	const uint8_t *bytes = take(reader, len);

	return bytes == NULL ? 0 : kp_number_get(bytes, len);
}

bool
kp_read_bool(struct kp_reader *reader)
{
	return read_number(reader, 1) != 0;
}

int8_t
kp_read_int8(struct kp_reader *reader)
{
	return (int8_t)read_number(reader, sizeof(int8_t));
}

int16_t
kp_read_int16(struct kp_reader *reader)
{
	return (int16_t)read_number(reader, sizeof(int16_t));
}

uint16_t
kp_read_uint16(struct kp_reader *reader)
{
	return (uint16_t)read_number(reader, sizeof(uint16_t));
}

int32_t
kp_read_int32(struct kp_reader *reader)
{
	return (int32_t)read_number(reader, sizeof(int32_t));
}

uint32_t
kp_read_uint32(struct kp_reader *reader)
{
	return (uint32_t)read_number(reader, sizeof(uint32_t));
}

int64_t
kp_read_int64(struct kp_reader *reader)
{
	return (int64_t)read_number(reader, sizeof(int64_t));
}

double
kp_read_float64(struct kp_reader *reader)
{
	uint64_t bits = read_number(reader, sizeof(bits));
	double number;

	_Static_assert(sizeof(number) == sizeof(bits), "IEEE 754");
	kp_copy(&number, &bits, sizeof(number));
	return number;
}

static uint64_t
read_varying(struct kp_reader *reader, unsigned max_bits)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < max_bits; shift += 7) {
		const uint8_t *byte = take(reader, 1);
		unsigned room = max_bits - shift;
		uint64_t bits;

		if (byte == NULL)
			return 0;
		bits = *byte & 0x7fu;
		if (room < 7 && bits >> room != 0)
			break;
		number |= bits << shift;
		if ((*byte & 0x80u) != 0)
			continue;
		if (*byte == 0 && shift > 0)
			break; /* longer than needed */
		return number;
	}
	reader->failed = true;
	return 0;
}

uint32_t
kp_read_uvarint(struct kp_reader *reader)
{
	/* nearly all have one byte */
	if (!reader->failed && reader->pos != reader->end &&
	    *reader->pos < 0x80)
		return *reader->pos++;
	return (uint32_t)read_varying(reader, UVARINT_MAX_BITS);
}

int32_t
kp_read_varint(struct kp_reader *reader)
{
	uint32_t zigzag = kp_read_uvarint(reader);

	return (int32_t)(zigzag >> 1 ^ (0u - (zigzag & 1u)));
}

int64_t
kp_read_varlong(struct kp_reader *reader)
{
	uint64_t zigzag = read_varying(reader, VARLONG_MAX_BITS);

	return (int64_t)(zigzag >> 1 ^ (UINT64_C(0) - (zigzag & 1u)));
}

struct kp_bytes
kp_read_raw(struct kp_reader *reader, size_t len)
{
	struct kp_bytes bytes = { take(reader, len), len };

	if (bytes.data == NULL)
		bytes.len = 0;
	return bytes;
}

struct kp_bytes
kp_read_uuid(struct kp_reader *reader)
{
	return kp_read_raw(reader, KP_UUID_LEN);
}

static int32_t
checked_length(struct kp_reader *reader, int64_t len)
{
	if (len >= -1 && len <= INT32_MAX)
		return (int32_t)len;
	reader->failed = true;
	return 0;
}

int32_t
kp_read_length16(struct kp_reader *reader)
{
	return checked_length(reader, kp_read_int16(reader));
}

int32_t
kp_read_length32(struct kp_reader *reader)
{
	return checked_length(reader, kp_read_int32(reader));
}

int32_t
kp_read_compact_length(struct kp_reader *reader)
{
	uint32_t len_plus_one = kp_read_uvarint(reader);

	if (reader->failed)
		return 0;
	return checked_length(reader, (int64_t)len_plus_one - 1);
}

static struct kp_bytes
read_content(struct kp_reader *reader, int32_t len)
{
	if (len < 0)
		return (struct kp_bytes){ 0 };
	return kp_read_raw(reader, (size_t)len);
}

struct kp_bytes
kp_read_string(struct kp_reader *reader)
{
	return read_content(reader, kp_read_length16(reader));
}

struct kp_bytes
kp_read_bytes(struct kp_reader *reader)
{
	return read_content(reader, kp_read_length32(reader));
}

struct kp_bytes
kp_read_compact(struct kp_reader *reader)
{
	return read_content(reader, kp_read_compact_length(reader));
}

void
kp_reader_sub(struct kp_reader *reader, struct kp_reader *sub, size_t len)
{
	struct kp_bytes bytes = kp_read_raw(reader, len);

	kp_reader_init(sub, bytes);
	sub->failed = reader->failed;
	sub->is_short = reader->is_short;
}
