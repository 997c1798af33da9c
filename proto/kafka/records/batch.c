/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/kafka/records/batch.h"

#include "proto/kafka/reader.h"
#include "proto/kafka/records/batch_priv.h"
#include "proto/kafka/records/crc32c.h"

#define MAGIC_AT 16

struct kp_bytes
kp_bytes_from(struct kp_bytes bytes, size_t skipped)
{
	struct kp_bytes rest = { bytes.data, 0 };

	kp_assert(skipped <= bytes.len);
	if (skipped < bytes.len) {
		rest.data = bytes.data + skipped;
		rest.len = bytes.len - skipped;
	}
	return rest;
}

static bool
bad(struct kp_error *err, const char *what)
{
	return kp_error_set(err, KP_ERR_PROTOCOL, "record batch: %s", what);
}

bool
kp_check_crc(uint32_t found, uint32_t expected, struct kp_error *err)
{
	if (found == expected)
		return true;
	return kp_error_set(err, KP_ERR_PROTOCOL,
	    "record batch: checksum is %08x, %08x expected", found, expected);
}

bool
kp_legacy_read(
    struct kp_legacy *out, struct kp_reader *reader, struct kp_error *err)
{
	struct kp_bytes whole = { reader->pos, 0 };
	struct kp_reader message;
	int32_t len;

	*out = (struct kp_legacy){ .timestamp = -1 };
	out->offset = kp_read_int64(reader);
	len = kp_read_int32(reader);
	if (reader->failed || len < KP_LEGACY_MIN_LEN ||
	    (size_t)len > kp_reader_left(reader))
		return bad(err, "length of a message is impossible");
	kp_reader_sub(reader, &message, (size_t)len);
	whole.len = (size_t)len + KP_BATCH_PREFIX_LEN;
	out->whole = whole;
	out->crc = kp_read_uint32(&message);
	out->magic = kp_read_int8(&message);
	out->attributes = kp_read_int8(&message);
	if (out->magic < 0 || out->magic > 1)
		return bad(err, "magic of a message is neither 0 nor 1");
	if (out->magic == 1)
		out->timestamp = kp_read_int64(&message);
	out->key = kp_read_bytes(&message);
	out->value = kp_read_bytes(&message);
	return kp_reader_finish(&message, err);
}

static bool
read_legacy(struct kp_batch *out, struct kp_bytes whole, struct kp_error *err)
{
	struct kp_reader reader;
	struct kp_legacy message;
	bool is_plain;

	kp_reader_init(&reader, whole);
	if (!kp_legacy_read(&message, &reader, err))
		return kp_error_prefix(err, "message");
	is_plain = (message.attributes & KP_BATCH_CODEC_MASK) == 0;
	*out = (struct kp_batch){
		.base_offset = message.offset,
		.leader_epoch = -1,
		.magic = message.magic,
		.crc = message.crc,
		.attributes = message.attributes & KP_BATCH_LEGACY_ATTRIBUTES,
		.base_timestamp = message.timestamp,
		.max_timestamp = message.timestamp,
		.producer_id = -1,
		.producer_epoch = -1,
		.base_sequence = -1,
		.num_records = is_plain ? 1 : -1,
		.whole = whole,
		.body = is_plain ? whole : message.value,
	};
	return true;
}

static bool
read_v2(struct kp_batch *out, struct kp_bytes whole, struct kp_error *err)
{
	struct kp_reader reader;

	kp_reader_init(&reader, whole);
	out->base_offset = kp_read_int64(&reader);
	(void)kp_read_int32(&reader);
	out->leader_epoch = kp_read_int32(&reader);
	out->magic = kp_read_int8(&reader);
	out->crc = kp_read_uint32(&reader);
	out->attributes = kp_read_int16(&reader);
	out->last_offset_delta = kp_read_int32(&reader);
	out->base_timestamp = kp_read_int64(&reader);
	out->max_timestamp = kp_read_int64(&reader);
	out->producer_id = kp_read_int64(&reader);
	out->producer_epoch = kp_read_int16(&reader);
	out->base_sequence = kp_read_int32(&reader);
	out->num_records = kp_read_int32(&reader);
	if (reader.failed)
		return bad(err, "length is too small for its header");
	out->whole = whole;
	out->body = kp_bytes_from(whole, KP_BATCH_HEADER_LEN);
	if (out->num_records < 0)
		return bad(err, "count of records is negative");
	if (kp_batch_codec(out) == KP_CODEC_NONE &&
	    (size_t)out->num_records > out->body.len / KP_RECORD_MIN_LEN)
		return bad(err, "count of records exceeds its bytes");
	return true;
}

static bool
read_batch(struct kp_batch *out, struct kp_bytes whole, struct kp_error *err)
{
	uint8_t magic = whole.data[MAGIC_AT];

	*out = (struct kp_batch){ 0 };
	if (magic > KP_BATCH_MAX_MAGIC)
		return kp_error_set(err, KP_ERR_UNSUPPORTED,
		    "record batch: magic %u is unknown", magic);
	if (magic == KP_BATCH_MAX_MAGIC)
		return read_v2(out, whole, err);
	return read_legacy(out, whole, err);
}

enum kp_batch_status
kp_batch_next(struct kp_batch *out, struct kp_bytes *rest, struct kp_error *err)
{
	struct kp_reader reader;
	struct kp_bytes whole;
	int32_t len;

	if (rest->len == 0)
		return KP_BATCH_END;
	if (rest->len < KP_BATCH_PREFIX_LEN)
		return KP_BATCH_PARTIAL;
	kp_reader_init(&reader, *rest);
	(void)kp_read_int64(&reader);
	len = kp_read_int32(&reader);
	if (len < KP_LEGACY_MIN_LEN) {
		(void)bad(err, "length is too small");
		return KP_BATCH_FAILED;
	}
	if ((size_t)len > kp_reader_left(&reader))
		return KP_BATCH_PARTIAL;
	whole.data = rest->data;
	whole.len = (size_t)len + KP_BATCH_PREFIX_LEN;
	if (!read_batch(out, whole, err))
		return KP_BATCH_FAILED;
	*rest = kp_bytes_from(*rest, whole.len);
	return KP_BATCH_OK;
}

bool
kp_batch_single(
    struct kp_batch *out, struct kp_bytes records, struct kp_error *err)
{
	switch (kp_batch_next(out, &records, err)) {
	case KP_BATCH_OK:
		break;
	case KP_BATCH_END:
		return bad(err, "there is none");
	case KP_BATCH_PARTIAL:
		return bad(err, "it is not complete");
	case KP_BATCH_FAILED:
		return false;
	}
	if (records.len > 0)
		return bad(err, "there is more than one");
	if (out->magic != KP_BATCH_MAX_MAGIC)
		return bad(err, "magic is not 2");
	if (kp_batch_is_control(out))
		return bad(err, "clients may not write control batches");
	if (out->num_records == 0)
		return bad(err, "it has no records");
	return true;
}

bool
kp_batch_check_crc(const struct kp_batch *batch, struct kp_error *err)
{
	if (batch->magic == KP_BATCH_MAX_MAGIC)
		return kp_check_crc(batch->crc,
		    kp_crc32c(kp_bytes_from(batch->whole, KP_BATCH_CRC_START)),
		    err);
	return kp_check_crc(batch->crc,
	    kp_crc32(kp_bytes_from(batch->whole, KP_LEGACY_CRC_START)), err);
}

bool
kp_batch_open(struct kp_bytes *out_plain, const struct kp_batch *batch,
    struct kp_compression *compression, struct kp_buf *plain,
    struct kp_error *err)
{
	enum kp_codec codec = kp_batch_codec(batch);
	bool is_empty = batch->num_records == 0 && batch->body.len == 0;

	*out_plain = batch->body;
	if (codec == KP_CODEC_NONE || is_empty)
		return true;
	/* Kafka took zstd up with magic 2 only (KIP-110) */
	if (codec == KP_CODEC_ZSTD && batch->magic < KP_BATCH_MAX_MAGIC)
		return kp_error_set(err, KP_ERR_UNSUPPORTED,
		    "record batch: magic %d cannot be zstd", batch->magic);
	kp_buf_clear(plain);
	if (!kp_decompress(
		compression, plain, codec, batch->magic, batch->body, err))
		return kp_error_prefix(err, "record batch");
	*out_plain = kp_buf_bytes(plain);
	return true;
}
