/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/kafka/records/record.h"

#include "proto/kafka/records/batch_priv.h"
#include "proto/kafka/records/crc32c.h"
#include "proto/kafka/writer.h"

#define HEADER_MIN_LEN 2 /* two lengths */

static bool
bad(struct kp_error *err, const char *what)
{
	return kp_error_set(err, KP_ERR_PROTOCOL, "record: %s", what);
}

/* Peers may make sums of theirs wrap: so be it, but defined. */
static int64_t
add(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

/*
 * Offsets inside a compressed set of magic 1 count from its first message, and
 * the wrapper has the offset of the last: the last must be found first.
 */
static bool
find_base_offset(
    struct kp_record_reader *reader, int64_t last_offset, struct kp_error *err)
{
	struct kp_reader scan = reader->bytes;
	struct kp_legacy message = { 0 };

	while (kp_reader_left(&scan) > 0) {
		if (!kp_legacy_read(&message, &scan, err))
			return false;
	}
	reader->base_offset =
	    (int64_t)((uint64_t)last_offset - (uint64_t)message.offset);
	return true;
}

static bool
init_legacy(struct kp_record_reader *reader, const struct kp_batch *batch,
    struct kp_error *err)
{
	bool is_set = batch->num_records < 0;

	reader->num_left = -1;
	if (is_set && kp_reader_left(&reader->bytes) == 0)
		return bad(err, "compressed set has no messages");
	if (is_set && batch->magic == 1)
		return find_base_offset(reader, batch->base_offset, err);
	return true;
}

bool
kp_record_reader_init(struct kp_record_reader *reader,
    const struct kp_batch *batch, struct kp_bytes plain, struct kp_error *err)
{
	*reader = (struct kp_record_reader){
		.magic = batch->magic,
		.has_one_timestamp =
		    kp_batch_has(batch, KP_BATCH_LOG_APPEND_TIME) &&
		    batch->magic > 0,
		.one_timestamp = batch->max_timestamp,
	};
	kp_reader_init(&reader->bytes, plain);
	if (batch->magic < KP_BATCH_MAX_MAGIC)
		return init_legacy(reader, batch, err);
	if ((size_t)batch->num_records > plain.len / KP_RECORD_MIN_LEN)
		return bad(err, "count of the batch exceeds its bytes");
	reader->num_left = batch->num_records;
	reader->base_offset = batch->base_offset;
	reader->base_timestamp = batch->base_timestamp;
	return true;
}

/* Length -1 is null, less is malformed. */
static struct kp_bytes
read_nullable(struct kp_reader *reader)
{
	int32_t len = kp_read_varint(reader);

	if (len < -1)
		kp_reader_fail(reader);
	if (len < 0)
		return (struct kp_bytes){ 0 };
	return kp_read_raw(reader, (size_t)len);
}

static void
read_header(struct kp_record_header *out, struct kp_reader *reader)
{
	out->key = read_nullable(reader);
	if (out->key.data == NULL)
		kp_reader_fail(reader);
	out->value = read_nullable(reader);
}

static void
read_headers(struct kp_record *out, struct kp_reader *reader)
{
	int32_t count = kp_read_varint(reader);
	struct kp_record_header header;

	if (count < 0 ||
	    (size_t)count > kp_reader_left(reader) / HEADER_MIN_LEN) {
		kp_reader_fail(reader);
		return;
	}
	out->num_headers = count;
	out->headers.data = reader->pos;
	out->headers.len = kp_reader_left(reader);
	for (int32_t i = 0; i < count && !reader->failed; i++)
		read_header(&header, reader);
}

static bool
read_v2(struct kp_record *out, struct kp_record_reader *reader,
    struct kp_error *err)
{
	int32_t len = kp_read_varint(&reader->bytes);
	struct kp_reader body;

	if (len < 0)
		return bad(err, "length is negative");
	kp_reader_sub(&reader->bytes, &body, (size_t)len);
	out->attributes = kp_read_int8(&body);
	out->wire_timestamp = kp_read_varlong(&body);
	out->wire_offset = kp_read_varint(&body);
	out->key = read_nullable(&body);
	out->value = read_nullable(&body);
	read_headers(out, &body);
	out->offset = add(reader->base_offset, out->wire_offset);
	out->timestamp = add(reader->base_timestamp, out->wire_timestamp);
	if (!kp_reader_finish(&body, err))
		return kp_error_prefix(err, "record");
	return true;
}

static bool
read_legacy(struct kp_record *out, struct kp_record_reader *reader,
    struct kp_error *err)
{
	struct kp_legacy message;

	if (!kp_legacy_read(&message, &reader->bytes, err))
		return false;
	if (message.magic != reader->magic)
		return bad(err, "magic is not that of its wrapper");
	if ((message.attributes & KP_BATCH_CODEC_MASK) != 0)
		return bad(err, "compressed inside of a compressed set");
	if (!kp_check_crc(message.crc,
		kp_crc32(kp_bytes_from(message.whole, KP_LEGACY_CRC_START)),
		err))
		return false;
	out->attributes = message.attributes;
	out->wire_offset = message.offset;
	out->wire_timestamp = message.timestamp;
	out->offset = add(reader->base_offset, message.offset);
	out->timestamp = message.timestamp;
	out->key = message.key;
	out->value = message.value;
	return true;
}

static enum kp_record_status
end(const struct kp_record_reader *reader, struct kp_error *err)
{
	if (!reader->bytes.failed && kp_reader_left(&reader->bytes) == 0)
		return KP_RECORD_END;
	(void)bad(err, "there are more bytes than records");
	return KP_RECORD_FAILED;
}

enum kp_record_status
kp_record_next(struct kp_record *out, struct kp_record_reader *reader,
    struct kp_error *err)
{
	bool is_read;

	*out = (struct kp_record){ 0 };
	if (reader->num_left == 0 ||
	    (reader->num_left < 0 && kp_reader_left(&reader->bytes) == 0))
		return end(reader, err);
	if (reader->magic < KP_BATCH_MAX_MAGIC) {
		is_read = read_legacy(out, reader, err);
	} else {
		is_read = read_v2(out, reader, err);
		reader->num_left--;
	}
	if (!is_read)
		return KP_RECORD_FAILED;
	if (reader->has_one_timestamp)
		out->timestamp = reader->one_timestamp;
	return KP_RECORD_OK;
}

void
kp_record_headers_init(
    struct kp_reader *headers, const struct kp_record *record)
{
	kp_reader_init(headers, record->headers);
}

bool
kp_record_header_next(struct kp_record_header *out, struct kp_reader *headers)
{
	if (kp_reader_left(headers) == 0)
		return false;
	read_header(out, headers);
	return !headers->failed;
}

static void
write_bytes(struct kp_buf *buf, struct kp_bytes bytes)
{
	if (bytes.len > INT32_MAX) {
		buf->failed = true;
		return;
	}
	kp_write_varint(buf, bytes.data == NULL ? -1 : (int32_t)bytes.len);
	kp_buf_add(buf, bytes.data, bytes.len);
}

void
kp_record_header_add(
    struct kp_buf *headers, const struct kp_record_header *header)
{
	struct kp_bytes key = header->key;

	if (key.data == NULL)
		key = kp_bytes_of("");
	write_bytes(headers, key);
	write_bytes(headers, header->value);
}

bool
kp_control_type(
    int16_t *out_type, const struct kp_record *record, struct kp_error *err)
{
	struct kp_reader key;

	kp_reader_init(&key, record->key);
	(void)kp_read_int16(&key); /* version */
	*out_type = kp_read_int16(&key);
	if (key.failed) /* later versions may add to it */
		return bad(err, "key of a control record is truncated");
	return true;
}
