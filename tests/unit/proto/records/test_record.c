/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/kafka/records/record.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "proto/kafka/records/crc32c.h"
#include "proto/kafka/writer.h"
#include "tests/unit/proto/records/sample.h"

#define MAX_LEN 65536
#define BYTES(text) \
	{ \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}

/* A batch header that says num_records; the records come beside it. */
static struct kp_batch
batch_of(int32_t num_records)
{
	return (struct kp_batch){ .magic = 2,
		.base_offset = 500,
		.base_timestamp = 1000,
		.max_timestamp = 9999,
		.num_records = num_records };
}

static enum kp_record_status
read_one(struct kp_record *out, struct kp_bytes plain, struct kp_error *err)
{
	struct kp_batch batch = batch_of(1);
	struct kp_record_reader reader;
	enum kp_record_status status;
	struct kp_record next;

	if (!kp_record_reader_init(&reader, &batch, plain, err))
		return KP_RECORD_FAILED;
	status = kp_record_next(out, &reader, err);
	if (status != KP_RECORD_OK)
		return status;
	status = kp_record_next(&next, &reader, err);
	return status == KP_RECORD_END ? KP_RECORD_OK : status;
}

Test(record, all_fields_are_read)
{
	const struct kp_bytes plain =
	    BYTES("\x22\x05\x0a\x08\x06key\x0avalue\x02\x02h\x01");
	struct kp_record record;
	struct kp_record_header header;
	struct kp_reader headers;
	struct kp_error err;

	cr_assert_eq(read_one(&record, plain, &err), KP_RECORD_OK);
	cr_assert_eq(record.attributes, 5);
	cr_assert_eq(record.wire_timestamp, 5);
	cr_assert_eq(record.timestamp, 1005);
	cr_assert_eq(record.wire_offset, 4);
	cr_assert_eq(record.offset, 504);
	cr_assert(kp_bytes_equal(record.key, kp_bytes_of("key")));
	cr_assert(kp_bytes_equal(record.value, kp_bytes_of("value")));
	cr_assert_eq(record.num_headers, 1);
	kp_record_headers_init(&headers, &record);
	cr_assert(kp_record_header_next(&header, &headers));
	cr_assert(kp_bytes_equal(header.key, kp_bytes_of("h")));
	cr_assert_null(header.value.data);
	cr_assert(!kp_record_header_next(&header, &headers));
}

Test(record, null_and_empty_are_told_apart)
{
	const struct kp_bytes nulls = BYTES("\x0c\x00\x00\x00\x01\x01\x00");
	const struct kp_bytes empties = BYTES("\x0c\x00\x00\x00\x00\x00\x00");
	struct kp_record record;
	struct kp_error err;

	cr_assert_eq(read_one(&record, nulls, &err), KP_RECORD_OK);
	cr_assert_null(record.key.data);
	cr_assert_null(record.value.data);
	cr_assert_eq(read_one(&record, empties, &err), KP_RECORD_OK);
	cr_assert_not_null(record.key.data);
	cr_assert_not_null(record.value.data);
	cr_assert_eq(record.key.len + record.value.len, 0u);
}

Test(record, malformed_ones_are_refused)
{
	/* clang-format off */
	static const struct kp_bytes rows[] = {
		BYTES(""),
		BYTES("\x0a\x00\x00\x00\x01\x01\x00"), /* length one short */
		BYTES("\x0e\x00\x00\x00\x01\x01\x00"), /* one long */
		BYTES("\x0e\x00\x00\x00\x01\x01\x00\x00"), /* byte left inside */
		BYTES("\x0c\x00\x00\x00\x01\x01\x00\x00"), /* left behind */
		BYTES("\x01\x00\x00\x00\x01\x01\x00"), /* length -1 */
		BYTES("\xff\xff\xff\xff\x0f\x00\x00\x00\x01\x01\x00"),
		BYTES("\xfe\xff\xff\xff\x0f\x00\x00\x00\x01\x01\x00"),
		BYTES("\x0c\x00\x00\x00\x03\x01\x00"), /* key of length -2 */
		BYTES("\x0c\x00\x00\x00\x01\x03\x00"), /* value of length -2 */
		BYTES("\x0c\x00\x00\x00\x01\x01\x01"), /* -1 headers */
		BYTES("\x0c\x00\x00\x00\x01\x01\x02"), /* header missing */
		BYTES("\x0c\x00\x00\x00\x02\x01\x00"), /* key too long by one */
		BYTES("\x14\x00\x00\x00\xfe\xff\xff\xff\x0f\x01\x00"),
		BYTES("\x14\x00\x00\x00\x01\xfe\xff\xff\xff\x0f\x00"),
		BYTES("\x14\x00\x00\x00\x01\x01\xfe\xff\xff\xff\x0f"),
		BYTES("\x10\x00\x00\x00\x01\x01\x02\x01\x01"), /* null name */
		BYTES("\x10\x00\x00\x00\x01\x01\x02\x00\x03"), /* value -2 */
		BYTES("\x10\x00\x00\x00\x01\x01\x02\x02\x00"), /* name too long */
		BYTES("\x10\x00\x00\x00\x01\x01\x04\x00\x01"), /* one missing */
		/* numbers longer than needed, or than their type */
		BYTES("\x8c\x00\x00\x00\x00\x01\x01\x00"),
		BYTES("\x0e\x00\x80\x00\x00\x01\x01\x00"),
		BYTES("\x0e\x00\x00\x80\x00\x01\x01\x00"),
		BYTES("\x0e\x00\x00\x00\x81\x00\x01\x00"),
		BYTES("\x1e\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\x00"
		      "\x01\x01\x00"),
		BYTES("\x14\x00\x00\xff\xff\xff\xff\x1f\x01\x01\x00"),
	};
	/* clang-format on */
	struct kp_record record;
	struct kp_error err = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_eq(read_one(&record, rows[i], &err), KP_RECORD_FAILED,
		    "row %zu", i);
		cr_assert_eq(err.kind, KP_ERR_PROTOCOL, "row %zu", i);
	}
}

Test(record, extremes_of_deltas_wrap_and_come_back)
{
	struct kp_batch batch = batch_of(1);
	struct kp_record_reader reader;
	struct kp_record record;
	struct kp_error err;
	const struct kp_bytes plain =
	    BYTES("\x26\x00"
		  "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"
		  "\xff\xff\xff\xff\x0f\x01\x01\x00");

	batch.base_offset = INT64_MIN;
	batch.base_timestamp = INT64_MAX;
	cr_assert(kp_record_reader_init(&reader, &batch, plain, &err));
	cr_assert_eq(kp_record_next(&record, &reader, &err), KP_RECORD_OK, "%s",
	    err.text);
	cr_assert_eq(record.wire_timestamp, INT64_MAX);
	cr_assert_eq(record.wire_offset, INT32_MIN);
	cr_assert_eq(record.timestamp, -2);
}

Test(record, append_time_is_that_of_the_batch)
{
	struct kp_batch batch = batch_of(1);
	struct kp_record_reader reader;
	struct kp_record record;
	struct kp_error err;
	const struct kp_bytes plain = BYTES("\x0c\x00\x02\x00\x01\x01\x00");

	batch.attributes = KP_BATCH_LOG_APPEND_TIME;
	cr_assert(kp_record_reader_init(&reader, &batch, plain, &err));
	cr_assert_eq(kp_record_next(&record, &reader, &err), KP_RECORD_OK);
	cr_assert_eq(record.timestamp, 9999);
	cr_assert_eq(record.wire_timestamp, 1);
}

Test(record, counts_that_lie_are_refused)
{
	static const int32_t counts[] = { 2, 3, 100, INT32_MAX };
	const struct kp_bytes plain = BYTES("\x0c\x00\x02\x00\x01\x01\x00");
	struct kp_record_reader reader;
	struct kp_batch batch;
	struct kp_record record;
	struct kp_error err;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		batch = batch_of(counts[i]);
		cr_assert(!kp_record_reader_init(&reader, &batch, plain, &err));
		cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
	}
	batch = batch_of(0);
	cr_assert(kp_record_reader_init(&reader, &batch, plain, &err));
	cr_assert_eq(kp_record_next(&record, &reader, &err), KP_RECORD_FAILED);
}

Test(record, headers_keep_order_and_repeated_names)
{
	/* clang-format off */
	static const char *const list[][2] = { { "b", "1" }, { "a", "2" },
		{ "b", "3" }, { "", "" }, { "b", NULL }, { "b", "1" } };
	/* clang-format on */
	const int num_headers = sizeof(list) / sizeof(list[0]);
	struct kp_record record = { .num_headers = num_headers };
	struct kp_record_header header;
	struct kp_reader headers;
	struct kp_buf encoded;

	kp_buf_init(&encoded, MAX_LEN);
	for (int i = 0; i < num_headers; i++) {
		header.key = kp_bytes_of(list[i][0]);
		header.value = (struct kp_bytes){ 0 };
		if (list[i][1] != NULL)
			header.value = kp_bytes_of(list[i][1]);
		kp_record_header_add(&encoded, &header);
	}
	cr_assert(!encoded.failed);
	record.headers = kp_buf_bytes(&encoded);
	kp_record_headers_init(&headers, &record);
	for (int i = 0; i < num_headers; i++) {
		cr_assert(kp_record_header_next(&header, &headers));
		cr_assert(kp_bytes_equal(header.key, kp_bytes_of(list[i][0])));
		cr_assert_eq(header.value.data == NULL, list[i][1] == NULL);
		cr_assert(list[i][1] == NULL || kp_bytes_equal(header.value,
						    kp_bytes_of(list[i][1])));
	}
	cr_assert(!kp_record_header_next(&header, &headers));
	kp_buf_fini(&encoded);
}

static enum kp_record_status
read_all(const struct kp_batch *batch, struct kp_bytes plain, int *out_count,
    struct kp_error *err)
{
	struct kp_record_reader reader;
	enum kp_record_status status;
	struct kp_record record;

	*out_count = 0;
	if (!kp_record_reader_init(&reader, batch, plain, err))
		return KP_RECORD_FAILED;
	for (;;) {
		status = kp_record_next(&record, &reader, err);
		if (status != KP_RECORD_OK)
			return status;
		(*out_count)++;
	}
}

Test(record, every_strict_prefix_of_the_records_is_refused)
{
	static const int8_t magics[] = { 1, 2 };
	struct kp_compression compression = { 0 };
	struct kp_batch batch, like = kp_sample_like();
	struct kp_bytes rest, plain, prefix;
	struct kp_buf all, opened;
	struct kp_error err;
	int count;

	kp_buf_init(&opened, MAX_LEN);
	for (size_t i = 0; i < 2; i++) {
		kp_buf_init(&all, MAX_LEN);
		like.magic = magics[i];
		like.attributes = KP_CODEC_GZIP;
		kp_sample_batch(&all, &like, KP_CODEC_GZIP);
		rest = kp_buf_bytes(&all);
		cr_assert_eq(kp_batch_next(&batch, &rest, &err), KP_BATCH_OK);
		cr_assert(
		    kp_batch_open(&plain, &batch, &compression, &opened, &err));
		cr_assert_eq(
		    read_all(&batch, plain, &count, &err), KP_RECORD_END);
		cr_assert_eq(count, KP_SAMPLE_RECORDS);
		for (size_t len = 0; len < plain.len; len++) {
			prefix.data = malloc(len + 1);
			prefix.len = len;
			kp_copy(
			    (uint8_t *)(uintptr_t)prefix.data, plain.data, len);
			/* a set of magic 1 may end behind any message */
			if (read_all(&batch, prefix, &count, &err) !=
			    KP_RECORD_FAILED)
				cr_assert(batch.magic == 1 &&
					  count < KP_SAMPLE_RECORDS);
			free((uint8_t *)(uintptr_t)prefix.data);
		}
		kp_buf_fini(&all);
	}
	kp_buf_fini(&opened);
	kp_compression_fini(&compression);
}

/* Adds a message of the old formats with a right checksum. */
static void
add_message(struct kp_buf *out, int8_t magic, int8_t attributes, int64_t offset)
{
	size_t len, start;
	struct kp_bytes covered;

	kp_write_int64(out, offset);
	len = kp_write_begin_int32(out);
	start = out->len;
	kp_write_int32(out, 0);
	kp_write_int8(out, magic);
	kp_write_int8(out, attributes);
	if (magic == 1)
		kp_write_int64(out, offset + 5000);
	kp_write_bytes(out, (struct kp_bytes){ 0 });
	kp_write_bytes(out, kp_bytes_of("v"));
	kp_write_end_int32(out, len);
	covered.data = out->data + start + 4;
	covered.len = out->len - start - 4;
	for (unsigned i = 0; i < 4; i++)
		out->data[start + i] =
		    (uint8_t)(kp_crc32(covered) >> (24 - 8 * i));
}

static struct kp_batch
wrapper_of(int8_t magic, int64_t offset)
{
	return (struct kp_batch){ .magic = magic,
		.base_offset = offset,
		.max_timestamp = 77,
		.num_records = -1 };
}

Test(record, offsets_in_sets_of_magic_1_are_relative_to_the_wrapper)
{
	struct kp_batch batch = wrapper_of(1, 1010);
	struct kp_record_reader reader;
	struct kp_record record;
	struct kp_error err;
	struct kp_buf set;

	kp_buf_init(&set, MAX_LEN);
	add_message(&set, 1, 0, 0);
	add_message(&set, 1, 0, 3);
	add_message(&set, 1, 0, 4);
	cr_assert(
	    kp_record_reader_init(&reader, &batch, kp_buf_bytes(&set), &err));
	cr_assert_eq(kp_record_next(&record, &reader, &err), KP_RECORD_OK);
	cr_assert_eq(record.offset, 1006);
	cr_assert_eq(record.wire_offset, 0);
	cr_assert_eq(record.timestamp, 5000);
	cr_assert_eq(kp_record_next(&record, &reader, &err), KP_RECORD_OK);
	cr_assert_eq(record.offset, 1009);
	batch.attributes = KP_BATCH_LOG_APPEND_TIME;
	cr_assert(
	    kp_record_reader_init(&reader, &batch, kp_buf_bytes(&set), &err));
	cr_assert_eq(kp_record_next(&record, &reader, &err), KP_RECORD_OK);
	cr_assert_eq(record.timestamp, 77);
	kp_buf_fini(&set);
}

Test(record, offsets_in_sets_of_magic_0_are_absolute)
{
	struct kp_batch batch = wrapper_of(0, 1010);
	struct kp_record_reader reader;
	struct kp_record record;
	struct kp_error err;
	struct kp_buf set;

	kp_buf_init(&set, MAX_LEN);
	add_message(&set, 0, 0, 1006);
	add_message(&set, 0, 0, 1010);
	cr_assert(
	    kp_record_reader_init(&reader, &batch, kp_buf_bytes(&set), &err));
	cr_assert_eq(kp_record_next(&record, &reader, &err), KP_RECORD_OK);
	cr_assert_eq(record.offset, 1006);
	cr_assert_eq(record.timestamp, -1);
	cr_assert_eq(kp_record_next(&record, &reader, &err), KP_RECORD_OK);
	cr_assert_eq(record.offset, 1010);
	cr_assert_eq(kp_record_next(&record, &reader, &err), KP_RECORD_END);
	kp_buf_fini(&set);
}

Test(record, sets_inside_of_sets_and_other_lies_are_refused)
{
	struct kp_batch batch = wrapper_of(1, 1010);
	struct kp_error err;
	struct kp_buf set;
	int count;

	kp_buf_init(&set, MAX_LEN);
	cr_assert_eq(read_all(&batch, kp_buf_bytes(&set), &count, &err),
	    KP_RECORD_FAILED);
	add_message(&set, 1, KP_CODEC_GZIP, 0);
	cr_assert_eq(read_all(&batch, kp_buf_bytes(&set), &count, &err),
	    KP_RECORD_FAILED);
	kp_buf_clear(&set);
	add_message(&set, 0, 0, 0);
	cr_assert_eq(read_all(&batch, kp_buf_bytes(&set), &count, &err),
	    KP_RECORD_FAILED);
	kp_buf_clear(&set);
	add_message(&set, 1, 0, 0);
	cr_assert_eq(
	    read_all(&batch, kp_buf_bytes(&set), &count, &err), KP_RECORD_END);
	set.data[set.len - 1] ^= 1; /* the value, not its checksum */
	cr_assert_eq(read_all(&batch, kp_buf_bytes(&set), &count, &err),
	    KP_RECORD_FAILED);
	kp_buf_fini(&set);
}

Test(record, a_failed_reader_stays_failed)
{
	static const int8_t magics[] = { 1, 2 };
	const struct kp_bytes plain = BYTES("\x7f\x00\x00\x00\x01\x01\x00\x00");
	struct kp_record_reader reader;
	struct kp_batch batch;
	struct kp_record record;
	struct kp_error err;

	for (size_t i = 0; i < 2; i++) {
		batch = batch_of(1);
		batch.magic = magics[i];
		cr_assert(kp_record_reader_init(&reader, &batch, plain, &err));
		for (int again = 0; again < 3; again++)
			cr_assert_eq(kp_record_next(&record, &reader, &err),
			    KP_RECORD_FAILED);
	}
}

Test(record, control_types_are_read_from_the_key)
{
	struct kp_record record = { 0 };
	struct kp_error err;
	int16_t type;

	record.key = (struct kp_bytes)BYTES("\0\0\0\1");
	cr_assert(kp_control_type(&type, &record, &err));
	cr_assert_eq(type, KP_CONTROL_COMMIT);
	record.key = (struct kp_bytes)BYTES("\0\1\0\0\7");
	cr_assert(kp_control_type(&type, &record, &err));
	cr_assert_eq(type, KP_CONTROL_ABORT);
	record.key.len = 3;
	cr_assert(!kp_control_type(&type, &record, &err));
	record.key = (struct kp_bytes){ 0 };
	cr_assert(!kp_control_type(&type, &record, &err));
}
