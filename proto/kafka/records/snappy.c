/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snappy of our own: Google's library would bring the C++ library into the
 * process. The raw format is a varint with the length of the content, then
 * literals and copies from what was decoded before. Kafka's Java clients wrap
 * raw blocks in the framing of the xerial library: a 16-byte header, then
 * blocks with an int32 length each. Other clients write one raw block.
 */
#include "proto/kafka/records/codec_priv.h"

#include <string.h>

#include "proto/kafka/reader.h"
#include "proto/kafka/writer.h"

#define XERIAL_MAGIC "\x82SNAPPY"
#define XERIAL_MAGIC_LEN 8 /* with its NUL */
#define XERIAL_HEADER_LEN 16
#define XERIAL_VERSION 1
#define XERIAL_BLOCK_LEN 32768

#define TAG_LITERAL 0
#define TAG_COPY1 1
#define TAG_COPY2 2
#define TAG_COPY4 3
#define MAX_TAG_LITERAL 60 /* longer ones have 1 to 4 bytes of length */
#define MAX_COPY 64
/* A copy makes 64 bytes of 3: no block can grow more than that. */
#define MAX_RATIO 22

#define HASH_BITS 12
#define TABLE_LEN ((size_t)1 << HASH_BITS)
#define MIN_MATCH 4

static bool
bad(struct kp_error *err, const char *what)
{
	return kp_codec_bad(err, "snappy", what);
}

/* What is decoded: pos moves from start to end. */
struct target {
	uint8_t *start, *pos, *end;
};

static uint32_t
read_little_endian(struct kp_reader *in, unsigned len)
{
	struct kp_bytes bytes = kp_read_raw(in, len);
	uint32_t value = 0;

	for (size_t i = bytes.len; i > 0; i--)
		value = value << 8 | bytes.data[i - 1];
	return value;
}

static bool
decode_literal(struct target *out, struct kp_reader *in, uint8_t tag)
{
	size_t len = (size_t)(tag >> 2) + 1;
	struct kp_bytes bytes;

	if (len > MAX_TAG_LITERAL)
		len = (size_t)read_little_endian(
			  in, (unsigned)(len - MAX_TAG_LITERAL)) +
		      1;
	bytes = kp_read_raw(in, len);
	if (in->failed || len > (size_t)(out->end - out->pos))
		return false;
	kp_copy(out->pos, bytes.data, len);
	out->pos += len;
	return true;
}

/* A copy may overlap what it writes: it then repeats the last offset bytes. */
static bool
decode_copy(struct target *out, size_t offset, size_t len)
{
	size_t piece;

	if (offset == 0 || offset > (size_t)(out->pos - out->start) ||
	    len > (size_t)(out->end - out->pos))
		return false;
	for (; len > 0; len -= piece) {
		piece = len < offset ? len : offset;
		kp_copy(out->pos, out->pos - offset, piece);
		out->pos += piece;
	}
	return true;
}

static bool
decode_element(struct target *out, struct kp_reader *in)
{
	uint8_t tag = (uint8_t)kp_read_int8(in);
	size_t offset, len = (size_t)(tag >> 2) + 1;

	switch (tag & 3) {
	case TAG_LITERAL:
		return decode_literal(out, in, tag);
	case TAG_COPY1:
		len = (size_t)(tag >> 2 & 7) + 4;
		offset = (size_t)(tag >> 5) << 8 | read_little_endian(in, 1);
		break;
	case TAG_COPY2:
		offset = read_little_endian(in, 2);
		break;
	default:
		offset = read_little_endian(in, 4);
		break;
	}
	return !in->failed && decode_copy(out, offset, len);
}

bool
kp_snappy_block_decompress(
    struct kp_buf *out, struct kp_bytes in, struct kp_error *err)
{
	struct kp_reader reader;
	struct target target;
	uint32_t len;

	kp_reader_init(&reader, in);
	len = kp_read_uvarint(&reader);
	if (reader.failed || len / MAX_RATIO > in.len)
		return bad(err, "length is malformed");
	target.start = kp_codec_extend(out, len, err);
	if (target.start == NULL)
		return false;
	target.pos = target.start;
	target.end = target.start + len;
	while (kp_reader_left(&reader) > 0) {
		if (!decode_element(&target, &reader))
			return bad(err, "data is malformed");
	}
	if (target.pos != target.end)
		return bad(err, "data is truncated");
	return true;
}

static bool
is_xerial(struct kp_bytes in)
{
	return in.len >= XERIAL_MAGIC_LEN &&
	       memcmp(in.data, XERIAL_MAGIC, XERIAL_MAGIC_LEN) == 0;
}

static bool
xerial_decompress(struct kp_buf *out, struct kp_bytes in, struct kp_error *err)
{
	struct kp_reader reader;
	struct kp_bytes block;
	int32_t compatible;

	kp_reader_init(&reader, in);
	(void)kp_read_raw(&reader, XERIAL_MAGIC_LEN);
	(void)kp_read_int32(&reader); /* version of the writer */
	compatible = kp_read_int32(&reader);
	if (reader.failed)
		return bad(err, "header is truncated");
	if (compatible != XERIAL_VERSION)
		return bad(err, "version of the framing is unknown");
	while (kp_reader_left(&reader) > 0) {
		block = kp_read_bytes(&reader);
		if (block.data == NULL)
			return bad(err, "block is truncated");
		if (!kp_snappy_block_decompress(out, block, err))
			return false;
	}
	return true;
}

bool
kp_snappy_decompress(
    struct kp_buf *out, struct kp_bytes in, struct kp_error *err)
{
	if (is_xerial(in))
		return xerial_decompress(out, in, err);
	return kp_snappy_block_decompress(out, in, err);
}

static uint8_t *
put_literal(uint8_t *to, const uint8_t *from, size_t len)
{
	size_t last = len - 1;

	if (last < MAX_TAG_LITERAL) {
		*to++ = (uint8_t)(last << 2 | TAG_LITERAL);
	} else if (last < 256) {
		*to++ = MAX_TAG_LITERAL << 2 | TAG_LITERAL;
		*to++ = (uint8_t)last;
	} else {
		*to++ = (MAX_TAG_LITERAL + 1) << 2 | TAG_LITERAL;
		*to++ = (uint8_t)last;
		*to++ = (uint8_t)(last >> 8);
	}
	kp_copy(to, from, len);
	return to + len;
}

static uint8_t *
put_copy(uint8_t *to, size_t offset, size_t len)
{
	size_t piece;

	for (; len > 0; len -= piece) {
		piece = len < MAX_COPY ? len : MAX_COPY;
		*to++ = (uint8_t)((piece - 1) << 2 | TAG_COPY2);
		*to++ = (uint8_t)offset;
		*to++ = (uint8_t)(offset >> 8);
	}
	return to;
}

static uint32_t
load32(const uint8_t *from)
{
	uint32_t value;

	kp_copy(&value, from, sizeof(value));
	return value;
}

static size_t
match_len(const uint8_t *a, const uint8_t *b, const uint8_t *end)
{
	const uint8_t *start = b;

	while (b < end && *a == *b) {
		a++;
		b++;
	}
	return (size_t)(b - start);
}

/*
 * One pass, one candidate per hash of four bytes; the longer nothing is found
 * the larger the steps, so that random bytes cost little.
 */
static uint8_t *
encode(uint8_t *to, struct kp_bytes in, uint16_t *table)
{
	const uint8_t *pos = in.data, *end = in.data + in.len;
	const uint8_t *literal = pos, *candidate;
	size_t misses = 32, len;
	uint32_t hash;

	memset(table, 0, TABLE_LEN * sizeof(*table));
	while ((size_t)(end - pos) > MIN_MATCH) {
		hash = load32(pos) * 0x1e35a7bdu >> (32 - HASH_BITS);
		candidate = in.data + table[hash];
		table[hash] = (uint16_t)(pos - in.data);
		if (candidate >= pos || load32(candidate) != load32(pos)) {
			len = misses++ >> 5;
			pos += len < (size_t)(end - pos) ? len
							 : (size_t)(end - pos);
			continue;
		}
		if (pos > literal)
			to = put_literal(to, literal, (size_t)(pos - literal));
		len = match_len(candidate, pos, end);
		to = put_copy(to, (size_t)(pos - candidate), len);
		pos += len;
		literal = pos;
		misses = 32;
	}
	if (end > literal)
		to = put_literal(to, literal, (size_t)(end - literal));
	return to;
}

/*
 * A copy saves at least one byte, what the literal before it costs in excess of
 * that is at most one byte of 64; the last literal has no copy behind it.
 */
static size_t
max_encoded_len(size_t len)
{
	return KP_UVARINT_MAX_LEN + 3 + len + len / 64;
}

bool
kp_snappy_block_compress(struct kp_compression *compression, struct kp_buf *out,
    struct kp_bytes in, struct kp_error *err)
{
	uint16_t *table = kp_codec_table(
	    &compression->snappy, TABLE_LEN * sizeof(*table), err);
	size_t max_len = max_encoded_len(in.len);
	uint8_t *start, *to;

	kp_assert(in.len <= KP_SNAPPY_MAX_BLOCK);
	if (table == NULL)
		return false;
	start = kp_codec_extend(out, max_len, err);
	if (start == NULL)
		return false;
	to = start + kp_uvarint_put(start, (uint32_t)in.len);
	if (in.len > 0)
		to = encode(to, in, table);
	out->len -= max_len - (size_t)(to - start);
	return true;
}

static bool
add_block(struct kp_compression *compression, struct kp_buf *out,
    struct kp_bytes in, struct kp_error *err)
{
	size_t begin = out->len;

	if (kp_codec_extend(out, sizeof(int32_t), err) == NULL)
		return false;
	if (!kp_snappy_block_compress(compression, out, in, err))
		return false;
	kp_write_end_int32(out, begin);
	return true;
}

bool
kp_snappy_compress(struct kp_compression *compression, struct kp_buf *out,
    struct kp_bytes in, struct kp_error *err)
{
	static const uint8_t header[] =
	    XERIAL_MAGIC "\0"
			 "\0\0\0\1" /* version of the writer */
			 "\0\0\0\1" /* lowest version that can read it */;
	struct kp_bytes block;
	uint8_t *to = kp_codec_extend(out, XERIAL_HEADER_LEN, err);

	if (to == NULL)
		return false;
	kp_copy(to, header, XERIAL_HEADER_LEN);
	for (size_t done = 0; done < in.len; done += block.len) {
		block.data = in.data + done;
		block.len = in.len - done;
		if (block.len > XERIAL_BLOCK_LEN)
			block.len = XERIAL_BLOCK_LEN;
		if (!add_block(compression, out, block, err))
			return false;
	}
	return true;
}
