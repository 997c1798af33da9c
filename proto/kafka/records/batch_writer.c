/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/kafka/records/batch_writer.h"

#include "proto/kafka/records/batch_priv.h"
#include "proto/kafka/records/codec_priv.h"
#include "proto/kafka/records/crc32c.h"
#include "proto/kafka/writer.h"

#define LENGTH_AT 8
#define BATCH_CRC_AT 17
#define LEGACY_CRC_AT 12
#define LEGACY_MAX_OVERHEAD 34 /* prefix, magic 1, two lengths */

/*
 * Room for len bytes: what is written within it cannot fail, and a failure here
 * says whether limit or memory was the reason.
 */
static bool
reserve(struct kp_buf *buf, size_t len, struct kp_error *err)
{
	if (kp_codec_extend(buf, len, err) == NULL)
		return false;
	buf->len -= len;
	return true;
}

static void
put_uint32(uint8_t *to, uint32_t value)
{
	for (unsigned i = 0; i < sizeof(value); i++)
		to[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Length and checksum of the batch or message from start to the end of out. */
static bool
seal(struct kp_buf *out, size_t start, int8_t magic, struct kp_error *err)
{
	struct kp_bytes whole = kp_bytes_from(kp_buf_bytes(out), start);
	size_t len = whole.len - KP_BATCH_PREFIX_LEN;
	uint8_t *batch = out->data + start;

	if (len > INT32_MAX)
		return kp_error_set(err, KP_ERR_LIMIT,
		    "record batch: %zu bytes are more than it can have", len);
	put_uint32(batch + LENGTH_AT, (uint32_t)len);
	if (magic == KP_BATCH_MAX_MAGIC)
		put_uint32(batch + BATCH_CRC_AT,
		    kp_crc32c(kp_bytes_from(whole, KP_BATCH_CRC_START)));
	else
		put_uint32(batch + LEGACY_CRC_AT,
		    kp_crc32(kp_bytes_from(whole, KP_LEGACY_CRC_START)));
	return true;
}

bool
kp_batch_writer_init(struct kp_batch_writer *writer, struct kp_buf *plain,
    const struct kp_batch *like, enum kp_codec codec, struct kp_error *err)
{
	bool was_plain = kp_batch_codec(like) == KP_CODEC_NONE;

	if (kp_batch_is_control(like))
		return kp_error_set(err, KP_ERR_UNSUPPORTED,
		    "record batch: control batches cannot be rewritten");
	if (like->magic < KP_BATCH_MAX_MAGIC &&
	    (codec == KP_CODEC_ZSTD || was_plain != (codec == KP_CODEC_NONE)))
		return kp_error_set(err, KP_ERR_UNSUPPORTED,
		    "record batch: %s is not possible for magic %d",
		    kp_codec_name(codec), like->magic);
	kp_buf_clear(plain);
	*writer = (struct kp_batch_writer){
		.like = *like,
		.codec = codec,
		.plain = plain,
	};
	return true;
}

static size_t
varlong_len(int64_t value)
{
	uint64_t zigzag = (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
	size_t len = 1;

	for (; zigzag > 0x7f; zigzag >>= 7)
		len++;
	return len;
}

static size_t
nullable_len(struct kp_bytes bytes)
{
	if (bytes.data == NULL)
		return varlong_len(-1);
	return varlong_len((int64_t)bytes.len) + bytes.len;
}

static void
write_nullable(struct kp_buf *buf, struct kp_bytes bytes)
{
	kp_write_varint(buf, bytes.data == NULL ? -1 : (int32_t)bytes.len);
	kp_buf_add(buf, bytes.data, bytes.len);
}

static bool
check_len(size_t len, struct kp_error *err)
{
	if (len <= INT32_MAX)
		return true;
	return kp_error_set(err, KP_ERR_LIMIT,
	    "record: %zu bytes are more than it can have", len);
}

static bool
add_v2(struct kp_buf *buf, const struct kp_record *record, struct kp_error *err)
{
	size_t len = sizeof(record->attributes) +
		     varlong_len(record->wire_timestamp) +
		     varlong_len(record->wire_offset) +
		     nullable_len(record->key) + nullable_len(record->value) +
		     varlong_len(record->num_headers) + record->headers.len;

	/* deltas of records that were read always fit */
	kp_assert(record->wire_offset == (int32_t)record->wire_offset);
	if (!check_len(len, err) ||
	    !reserve(buf, varlong_len((int64_t)len) + len, err))
		return false;
	kp_write_varint(buf, (int32_t)len);
	kp_write_int8(buf, record->attributes);
	kp_write_varlong(buf, record->wire_timestamp);
	kp_write_varint(buf, (int32_t)record->wire_offset);
	write_nullable(buf, record->key);
	write_nullable(buf, record->value);
	kp_write_varint(buf, record->num_headers);
	kp_buf_add(buf, record->headers.data, record->headers.len);
	return true;
}

/* All of a message up to its key; its length and checksum come from seal. */
static void
begin_legacy(struct kp_buf *buf, int8_t magic, const struct kp_record *record)
{
	kp_write_int64(buf, record->wire_offset);
	kp_write_int32(buf, 0);
	kp_write_int32(buf, 0);
	kp_write_int8(buf, magic);
	kp_write_int8(buf, record->attributes);
	if (magic == 1)
		kp_write_int64(buf, record->wire_timestamp);
	kp_write_bytes(buf, record->key);
}

static bool
add_legacy(struct kp_buf *buf, int8_t magic, const struct kp_record *record,
    struct kp_error *err)
{
	size_t len = LEGACY_MAX_OVERHEAD + record->key.len + record->value.len;
	size_t start = buf->len;

	if (!check_len(len, err) || !reserve(buf, len, err))
		return false;
	begin_legacy(buf, magic, record);
	kp_write_bytes(buf, record->value);
	return seal(buf, start, magic, err);
}

bool
kp_batch_writer_add(struct kp_batch_writer *writer,
    const struct kp_record *record, struct kp_error *err)
{
	int8_t magic = writer->like.magic;

	if (writer->num_records == INT32_MAX)
		return kp_error_set(
		    err, KP_ERR_LIMIT, "record batch: too many records");
	if (magic < KP_BATCH_MAX_MAGIC && writer->codec == KP_CODEC_NONE)
		kp_assert(writer->num_records == 0);
	writer->num_records++;
	if (magic < KP_BATCH_MAX_MAGIC)
		return add_legacy(writer->plain, magic, record, err);
	return add_v2(writer->plain, record, err);
}

static void
write_header(struct kp_buf *out, const struct kp_batch *like,
    enum kp_codec codec, int32_t num_records)
{
	int attributes = like->attributes & ~KP_BATCH_CODEC_MASK;

	kp_write_int64(out, like->base_offset);
	kp_write_int32(out, 0); /* length, see seal */
	kp_write_int32(out, like->leader_epoch);
	kp_write_int8(out, like->magic);
	kp_write_int32(out, 0); /* checksum, see seal */
	kp_write_int16(out, (int16_t)(attributes | (int)codec));
	kp_write_int32(out, like->last_offset_delta);
	kp_write_int64(out, like->base_timestamp);
	kp_write_int64(out, like->max_timestamp);
	kp_write_int64(out, like->producer_id);
	kp_write_int16(out, like->producer_epoch);
	kp_write_int32(out, like->base_sequence);
	kp_write_int32(out, num_records);
}

static bool
finish_v2(struct kp_batch_writer *writer, struct kp_buf *out,
    struct kp_compression *compression, struct kp_error *err)
{
	size_t start = out->len;

	if (!reserve(out, KP_BATCH_HEADER_LEN, err))
		return false;
	write_header(out, &writer->like, writer->codec, writer->num_records);
	if (!kp_compress(compression, out, writer->codec, KP_BATCH_MAX_MAGIC,
		kp_buf_bytes(writer->plain), err))
		return false;
	return seal(out, start, KP_BATCH_MAX_MAGIC, err);
}

/* A message without key whose value is the compressed set. */
static bool
finish_wrapper(struct kp_batch_writer *writer, struct kp_buf *out,
    struct kp_compression *compression, struct kp_error *err)
{
	const struct kp_batch *like = &writer->like;
	int attributes = like->attributes & ~KP_BATCH_CODEC_MASK;
	struct kp_record wrapper = {
		.wire_offset = like->base_offset,
		.wire_timestamp = like->max_timestamp,
		.attributes = (int8_t)(attributes | (int)writer->codec),
	};
	size_t start = out->len, value;

	if (!reserve(out, LEGACY_MAX_OVERHEAD, err))
		return false;
	begin_legacy(out, like->magic, &wrapper);
	value = kp_write_begin_int32(out);
	if (!kp_compress(compression, out, writer->codec, like->magic,
		kp_buf_bytes(writer->plain), err))
		return false;
	kp_write_end_int32(out, value);
	return seal(out, start, like->magic, err);
}

bool
kp_batch_writer_finish(struct kp_batch_writer *writer, struct kp_buf *out,
    struct kp_compression *compression, struct kp_error *err)
{
	struct kp_bytes plain = kp_buf_bytes(writer->plain);

	if (writer->num_records == 0)
		return kp_batch_write_empty(out, &writer->like, err);
	if (writer->like.magic == KP_BATCH_MAX_MAGIC)
		return finish_v2(writer, out, compression, err);
	if (writer->codec != KP_CODEC_NONE)
		return finish_wrapper(writer, out, compression, err);
	return kp_compress(
	    compression, out, KP_CODEC_NONE, writer->like.magic, plain, err);
}

bool
kp_batch_write_empty(
    struct kp_buf *out, const struct kp_batch *like, struct kp_error *err)
{
	size_t start = out->len;

	if (like->magic < KP_BATCH_MAX_MAGIC || kp_batch_is_control(like))
		return kp_error_set(err, KP_ERR_UNSUPPORTED,
		    "record batch: magic %d%s cannot be empty", like->magic,
		    kp_batch_is_control(like) ? " with control records" : "");
	if (!reserve(out, KP_BATCH_HEADER_LEN, err))
		return false;
	write_header(out, like, KP_CODEC_NONE, 0);
	return seal(out, start, KP_BATCH_MAX_MAGIC, err);
}
