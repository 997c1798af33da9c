/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lz4 frames: the frame format is read and written here, the library sees
 * single blocks only. So blocks go straight into the output without buffers of
 * up to 8 MiB per frame, and a frame is held to what Kafka allows: version 1,
 * no dictionary, independent blocks, nothing behind the end mark.
 *
 * Format: magic, flags, block descriptor, [content size], header checksum; then
 * blocks of a length and that many bytes, [checksum]; a length of zero;
 * [content checksum]. All numbers are little-endian.
 */
#include "proto/kafka/records/codec_priv.h"

#include <lz4.h>

#include "proto/kafka/reader.h"
#include "proto/kafka/records/xxh32.h"

#define FRAME_MAGIC 0x184d2204u
#define FLAG_VERSION 0x40u
#define FLAG_VERSION_MASK 0xc0u
#define FLAG_INDEPENDENT 0x20u
#define FLAG_BLOCK_CHECKSUM 0x10u
#define FLAG_CONTENT_SIZE 0x08u
#define FLAG_CONTENT_CHECKSUM 0x04u
#define FLAG_RESERVED 0x03u /* with the bit for a dictionary */

#define BLOCK_ID_SHIFT 4
#define BLOCK_ID_MIN \
	4 /* 64 KiB; each of 5, 6 and 7 four times the one before */
#define BLOCK_ID_MAX 7
#define BLOCK_RESERVED 0x8fu
#define BLOCK_STORED 0x80000000u /* bit of a block's length: not compressed */
#define BLOCK_LEN 65536
#define MIN_BLOCK_SHIFT 16

#define MAGIC_LEN 4
#define HEADER_LEN 7 /* as we write it */
#define ACCELERATION 1

struct frame {
	uint8_t flags;
	size_t max_block_len;
	uint64_t content_size;
	size_t start; /* where the content begins in the output */
};

static bool
bad(struct kp_error *err, const char *what)
{
	return kp_codec_bad(err, "lz4", what);
}

static uint64_t
read_number(struct kp_reader *reader, size_t len)
{
	struct kp_bytes bytes = kp_read_raw(reader, len);
	uint64_t number = 0;

	for (size_t i = bytes.len; i > 0; i--)
		number = number << 8 | bytes.data[i - 1];
	return number;
}

static uint32_t
read_number32(struct kp_reader *reader)
{
	return (uint32_t)read_number(reader, sizeof(uint32_t));
}

static void
put_number32(uint8_t *to, uint32_t number)
{
	for (unsigned i = 0; i < sizeof(number); i++)
		to[i] = (uint8_t)(number >> 8 * i);
}

static uint8_t
header_checksum(const uint8_t *from, size_t len)
{
	struct kp_bytes bytes = { from, len };

	return (uint8_t)(kp_xxh32(bytes) >> 8);
}

/*
 * Clients of magic 0 hashed the frame's magic too (KAFKA-3160); some of them
 * did it right, so both are good there.
 */
static bool
is_checksum_right(struct kp_bytes header, uint8_t checksum, int8_t magic)
{
	size_t descriptor_len = header.len - MAGIC_LEN;

	if (header_checksum(header.data + MAGIC_LEN, descriptor_len) ==
	    checksum)
		return true;
	return magic == 0 &&
	       header_checksum(header.data, header.len) == checksum;
}

static bool
read_header(struct frame *frame, struct kp_reader *reader, int8_t magic,
    struct kp_error *err)
{
	struct kp_bytes header = { reader->pos, 0 };
	uint32_t frame_magic = read_number32(reader);
	uint8_t block, checksum;

	frame->flags = (uint8_t)kp_read_int8(reader);
	block = (uint8_t)kp_read_int8(reader);
	if ((frame->flags & FLAG_CONTENT_SIZE) != 0)
		frame->content_size = read_number(reader, sizeof(uint64_t));
	header.len = (size_t)(reader->pos - header.data);
	checksum = (uint8_t)kp_read_int8(reader);
	if (reader->failed)
		return bad(err, "header is truncated");
	if (frame_magic != FRAME_MAGIC)
		return bad(err, "this is no frame");
	if ((frame->flags & FLAG_VERSION_MASK) != FLAG_VERSION ||
	    (frame->flags & FLAG_RESERVED) != 0 ||
	    (block & BLOCK_RESERVED) != 0 ||
	    block >> BLOCK_ID_SHIFT < BLOCK_ID_MIN)
		return bad(err, "header has unknown flags");
	if ((frame->flags & FLAG_INDEPENDENT) == 0)
		return bad(err, "blocks depend on each other");
	if (!is_checksum_right(header, checksum, magic))
		return bad(err, "checksum of the header does not match");
	frame->max_block_len =
	    (size_t)1 << (MIN_BLOCK_SHIFT +
			  2 * ((block >> BLOCK_ID_SHIFT) - BLOCK_ID_MIN));
	return true;
}

static bool
decode_stored(struct kp_buf *out, struct kp_bytes block, struct kp_error *err)
{
	uint8_t *to = kp_codec_extend(out, block.len, err);

	if (to == NULL)
		return false;
	kp_copy(to, block.data, block.len);
	return true;
}

/* A full block of the largest size, within the limit. */
static bool
decode_block(struct kp_buf *out, size_t max_len, struct kp_bytes block,
    struct kp_error *err)
{
	size_t left = out->max_len - out->len;
	size_t room = max_len < left ? max_len : left;
	uint8_t *to = kp_codec_extend(out, room, err);
	int len;

	if (to == NULL)
		return false;
	len = LZ4_decompress_safe(
	    (const char *)block.data, (char *)to, (int)block.len, (int)room);
	/* the library does not tell "too long" from "malformed" */
	if (len < 0 && room < max_len)
		return kp_codec_full(out, err);
	if (len < 0)
		return bad(err, "block is malformed");
	out->len -= room - (size_t)len;
	return true;
}

static bool
read_block(struct kp_buf *out, const struct frame *frame,
    struct kp_reader *reader, uint32_t length, struct kp_error *err)
{
	struct kp_bytes block = kp_read_raw(reader, length & ~BLOCK_STORED);
	uint32_t checksum = 0;

	if ((frame->flags & FLAG_BLOCK_CHECKSUM) != 0)
		checksum = read_number32(reader);
	if (reader->failed)
		return bad(err, "block is truncated");
	if (block.len > frame->max_block_len)
		return bad(err, "block is longer than announced");
	if ((frame->flags & FLAG_BLOCK_CHECKSUM) != 0 &&
	    kp_xxh32(block) != checksum)
		return bad(err, "checksum of a block does not match");
	if ((length & BLOCK_STORED) != 0)
		return decode_stored(out, block, err);
	return decode_block(out, frame->max_block_len, block, err);
}

static bool
read_end(const struct kp_buf *out, const struct frame *frame,
    struct kp_reader *reader, struct kp_error *err)
{
	struct kp_bytes content = { NULL, out->len - frame->start };
	uint32_t checksum = 0;

	if (content.len > 0)
		content.data = out->data + frame->start;
	if ((frame->flags & FLAG_CONTENT_CHECKSUM) != 0)
		checksum = read_number32(reader);
	if (reader->failed)
		return bad(err, "end is truncated");
	if (kp_reader_left(reader) > 0)
		return bad(err, "bytes are left over");
	if ((frame->flags & FLAG_CONTENT_SIZE) != 0 &&
	    content.len != frame->content_size)
		return bad(err, "content has another size than announced");
	if ((frame->flags & FLAG_CONTENT_CHECKSUM) != 0 &&
	    kp_xxh32(content) != checksum)
		return bad(err, "checksum of the content does not match");
	return true;
}

bool
kp_lz4_decompress(
    struct kp_buf *out, int8_t magic, struct kp_bytes in, struct kp_error *err)
{
	struct kp_reader reader;
	struct frame frame = { .start = out->len };
	uint32_t length;

	kp_reader_init(&reader, in);
	if (!read_header(&frame, &reader, magic, err))
		return false;
	for (;;) {
		length = read_number32(&reader);
		if (reader.failed)
			return bad(err, "data is truncated");
		if (length == 0)
			return read_end(out, &frame, &reader, err);
		if (!read_block(out, &frame, &reader, length, err))
			return false;
	}
}

/* A block that does not shrink is stored as it is. */
static bool
write_block(
    void *table, struct kp_buf *out, struct kp_bytes in, struct kp_error *err)
{
	uint8_t *to = kp_codec_extend(out, sizeof(uint32_t) + in.len, err);
	uint32_t stored = BLOCK_STORED | (uint32_t)in.len;
	int len;

	if (to == NULL)
		return false;
	len = LZ4_compress_fast_extState(table, (const char *)in.data,
	    (char *)to + sizeof(uint32_t), (int)in.len, (int)in.len - 1,
	    ACCELERATION);
	if (len <= 0) {
		put_number32(to, stored);
		kp_copy(to + sizeof(uint32_t), in.data, in.len);
		return true;
	}
	put_number32(to, (uint32_t)len);
	out->len -= in.len - (size_t)len;
	return true;
}

static bool
write_header(struct kp_buf *out, int8_t magic, struct kp_error *err)
{
	uint8_t *to = kp_codec_extend(out, HEADER_LEN, err);
	size_t skipped = magic == 0 ? 0 : MAGIC_LEN;

	if (to == NULL)
		return false;
	put_number32(to, FRAME_MAGIC);
	to[4] = FLAG_VERSION | FLAG_INDEPENDENT;
	to[5] = BLOCK_ID_MIN << BLOCK_ID_SHIFT;
	to[6] = header_checksum(to + skipped, HEADER_LEN - 1 - skipped);
	return true;
}

bool
kp_lz4_compress(struct kp_compression *compression, struct kp_buf *out,
    int8_t magic, struct kp_bytes in, struct kp_error *err)
{
	void *table =
	    kp_codec_table(&compression->lz4, (size_t)LZ4_sizeofState(), err);
	struct kp_bytes block;
	uint8_t *end_mark;

	if (table == NULL || !write_header(out, magic, err))
		return false;
	for (size_t done = 0; done < in.len; done += block.len) {
		block.data = in.data + done;
		block.len = in.len - done;
		if (block.len > BLOCK_LEN)
			block.len = BLOCK_LEN;
		if (!write_block(table, out, block, err))
			return false;
	}
	end_mark = kp_codec_extend(out, sizeof(uint32_t), err);
	if (end_mark == NULL)
		return false;
	put_number32(end_mark, 0);
	return true;
}
