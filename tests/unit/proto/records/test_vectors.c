/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that Kafka's own client wrote: see vectors/README.md. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/kafka/records/batch_writer.h"
#include "tests/unit/proto/records/sample.h"

#define MAX_LEN 262144
#define NUM_RECORDS 10
#define LARGE_LEN 100000
#define FIRST_OFFSET 100
#define FIRST_TIMESTAMP INT64_C(1700000000000)
#define APPEND_TIME INT64_C(1700000777777)

struct vector {
	struct kp_buf bytes;
	struct kp_buf opened, plain, out;
	struct kp_compression compression;
	struct kp_error err;
};

static void
load(struct vector *vector, const char *name)
{
	char path[512];
	FILE *file;
	uint8_t *to;

	*vector = (struct vector){ 0 };
	kp_buf_init(&vector->bytes, MAX_LEN);
	kp_buf_init(&vector->opened, MAX_LEN);
	kp_buf_init(&vector->plain, MAX_LEN);
	kp_buf_init(&vector->out, MAX_LEN);
	(void)snprintf(path, sizeof(path), "%s/%s.bin", KP_VECTORS, name);
	file = fopen(path, "rb");
	cr_assert_not_null(file, "%s", path);
	to = kp_buf_extend(&vector->bytes, MAX_LEN);
	vector->bytes.len = fread(to, 1, MAX_LEN, file);
	cr_assert(vector->bytes.len > 0);
	(void)fclose(file);
}

static void
unload(struct vector *vector)
{
	kp_buf_fini(&vector->bytes);
	kp_buf_fini(&vector->opened);
	kp_buf_fini(&vector->plain);
	kp_buf_fini(&vector->out);
	kp_compression_fini(&vector->compression);
}

static void
expect_key(struct kp_bytes key, int i)
{
	char text[32];

	cr_assert_eq(key.data == NULL, i % 3 == 0);
	if (key.data == NULL)
		return;
	(void)snprintf(text, sizeof(text), "key-%d", i);
	cr_assert(kp_bytes_equal(key, kp_bytes_of(i == 1 ? "" : text)));
}

static void
expect_value(struct kp_bytes value, int i)
{
	struct kp_buf text;

	cr_assert_eq(value.data == NULL, i % 4 == 3);
	if (value.data == NULL)
		return;
	kp_buf_init(&text, MAX_LEN);
	for (int n = 0; i != 2 && n < 5 * i + 1; n++)
		kp_buf_printf(&text, "value %d; ", i);
	cr_assert(kp_bytes_equal(value, kp_buf_bytes(&text)));
	kp_buf_fini(&text);
}

static void
expect_headers(const struct kp_record *record)
{
	static const char *const expected[][2] = { { "h", "1" }, { "n", NULL },
		{ "h", "2" }, { "", "" } };
	struct kp_record_header header;
	struct kp_reader headers;
	size_t i = 0;

	kp_record_headers_init(&headers, record);
	for (; kp_record_header_next(&header, &headers); i++) {
		cr_assert(
		    kp_bytes_equal(header.key, kp_bytes_of(expected[i][0])));
		cr_assert_eq(header.value.data == NULL, expected[i][1] == NULL);
		cr_assert(
		    expected[i][1] == NULL ||
		    kp_bytes_equal(header.value, kp_bytes_of(expected[i][1])));
	}
	cr_assert_eq(i, 4u);
}

static void
expect_record(const struct kp_record *record, int i, const struct kp_batch *b)
{
	int64_t timestamp = FIRST_TIMESTAMP + 1000 * i;

	if (kp_batch_has(b, KP_BATCH_LOG_APPEND_TIME))
		timestamp = APPEND_TIME;
	if (b->magic == 0)
		timestamp = -1;
	cr_assert_eq(record->offset, FIRST_OFFSET + 2 * i);
	cr_assert_eq(record->timestamp, timestamp);
	expect_key(record->key, i);
	expect_value(record->value, i);
	cr_assert_eq(record->num_headers, b->magic == 2 && i % 2 == 1 ? 4 : 0);
	if (record->num_headers > 0)
		expect_headers(record);
}

static void
expect_batch(const struct kp_batch *batch)
{
	if (batch->magic < 2)
		return;
	cr_assert_eq(batch->base_offset, FIRST_OFFSET);
	cr_assert_eq(batch->producer_id, 4242);
	cr_assert_eq(batch->producer_epoch, 5);
	cr_assert_eq(batch->base_sequence, 17);
	cr_assert_eq(batch->leader_epoch, 9);
	cr_assert_eq(kp_batch_last_offset(batch), FIRST_OFFSET + 18);
}

/*
 * Reads the records of batch, which go on with number i, and writes them anew
 * to vector->out. Uncompressed the bytes must be the same before and after.
 */
static int
check_batch(struct vector *vector, const struct kp_batch *batch, int i)
{
	struct kp_batch_writer writer;
	struct kp_record_reader reader;
	struct kp_record record;
	struct kp_bytes plain;

	cr_assert(kp_batch_check_crc(batch, &vector->err));
	expect_batch(batch);
	cr_assert(kp_batch_open(&plain, batch, &vector->compression,
		      &vector->opened, &vector->err),
	    "%s", vector->err.text);
	cr_assert(kp_record_reader_init(&reader, batch, plain, &vector->err));
	cr_assert(kp_batch_writer_init(&writer, &vector->plain, batch,
	    kp_batch_codec(batch), &vector->err));
	while (kp_record_next(&record, &reader, &vector->err) == KP_RECORD_OK) {
		expect_record(&record, i++, batch);
		cr_assert(kp_batch_writer_add(&writer, &record, &vector->err));
	}
	cr_assert_eq(
	    kp_record_next(&record, &reader, &vector->err), KP_RECORD_END);
	cr_assert(kp_bytes_equal(plain, kp_buf_bytes(&vector->plain)));
	cr_assert(kp_batch_writer_finish(
	    &writer, &vector->out, &vector->compression, &vector->err));
	return i;
}

static int
check_all(struct vector *vector, struct kp_bytes rest)
{
	enum kp_batch_status status;
	struct kp_batch batch;
	int i = 0;

	for (;;) {
		status = kp_batch_next(&batch, &rest, &vector->err);
		if (status != KP_BATCH_OK)
			break;
		i = check_batch(vector, &batch, i);
	}
	cr_assert_eq(status, KP_BATCH_END);
	return i;
}

Test(vectors, every_magic_and_codec_is_read_and_written_back)
{
	/* clang-format off */
	static const char *const names[] = {
		"v0-none", "v0-gzip", "v0-snappy", "v0-lz4",
		"v1-none", "v1-gzip", "v1-snappy", "v1-lz4",
		"v1-none-append-time", "v1-gzip-append-time",
		"v1-snappy-append-time", "v1-lz4-append-time",
		"v2-none", "v2-gzip", "v2-snappy", "v2-lz4", "v2-zstd",
		"v2-none-append-time", "v2-gzip-append-time",
		"v2-snappy-append-time", "v2-lz4-append-time",
		"v2-zstd-append-time", "v2-transactional", "v2-delete-horizon",
	};
	/* clang-format on */
	struct vector vector;
	struct kp_buf written;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		load(&vector, names[i]);
		cr_assert_eq(check_all(&vector, kp_buf_bytes(&vector.bytes)),
		    NUM_RECORDS, "%s", names[i]);
		if (strstr(names[i], "none") != NULL ||
		    strstr(names[i], "horizon") != NULL)
			cr_assert(kp_bytes_equal(kp_buf_bytes(&vector.bytes),
				      kp_buf_bytes(&vector.out)),
			    "%s", names[i]);
		/* what we wrote reads the same */
		written = vector.out;
		kp_buf_init(&vector.out, MAX_LEN);
		cr_assert_eq(check_all(&vector, kp_buf_bytes(&written)),
		    NUM_RECORDS, "%s", names[i]);
		cr_assert(kp_bytes_equal(
		    kp_buf_bytes(&written), kp_buf_bytes(&vector.out)));
		kp_buf_fini(&written);
		unload(&vector);
	}
}

static void
expect_large(struct kp_bytes value)
{
	struct kp_buf text;

	kp_buf_init(&text, 2 * LARGE_LEN);
	for (int n = 0; text.len < LARGE_LEN; n++)
		kp_buf_printf(&text, "line %d of the large record\n", n);
	cr_assert_eq(value.len, (size_t)LARGE_LEN);
	cr_assert(memcmp(value.data, text.data, LARGE_LEN) == 0);
	kp_buf_fini(&text);
}

Test(vectors, large_records_of_several_blocks_are_read)
{
	static const char *const names[] = { "v2-gzip-large", "v2-snappy-large",
		"v2-lz4-large", "v2-zstd-large", "v2-zstd22-large" };
	struct kp_record_reader reader;
	struct kp_record record;
	struct kp_bytes plain;
	struct kp_batch batch;
	struct vector vector;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		load(&vector, names[i]);
		cr_assert(kp_batch_single(
		    &batch, kp_buf_bytes(&vector.bytes), &vector.err));
		cr_assert(kp_batch_check_crc(&batch, &vector.err));
		cr_assert(kp_batch_open(&plain, &batch, &vector.compression,
			      &vector.opened, &vector.err),
		    "%s: %s", names[i], vector.err.text);
		cr_assert(
		    kp_record_reader_init(&reader, &batch, plain, &vector.err));
		cr_assert_eq(kp_record_next(&record, &reader, &vector.err),
		    KP_RECORD_OK);
		cr_assert(kp_bytes_equal(record.key, kp_bytes_of("large")));
		expect_large(record.value);
		unload(&vector);
	}
}

Test(vectors, markers_of_transactions_are_known)
{
	static const struct {
		const char *name;
		int64_t offset;
		int16_t type;
	} rows[] = {
		{ "v2-commit", 120, KP_CONTROL_COMMIT },
		{ "v2-abort", 121, KP_CONTROL_ABORT },
	};
	struct kp_bytes rest;
	struct kp_batch batch;
	struct kp_record_reader reader;
	struct kp_record record;
	struct vector vector;
	int16_t type;

	for (size_t i = 0; i < 2; i++) {
		load(&vector, rows[i].name);
		rest = kp_buf_bytes(&vector.bytes);
		cr_assert_eq(
		    kp_batch_next(&batch, &rest, &vector.err), KP_BATCH_OK);
		cr_assert(kp_batch_check_crc(&batch, &vector.err));
		cr_assert(kp_batch_is_control(&batch));
		cr_assert(kp_batch_has(&batch, KP_BATCH_TRANSACTIONAL));
		cr_assert(!kp_batch_single(
		    &batch, kp_buf_bytes(&vector.bytes), &vector.err));
		cr_assert(kp_record_reader_init(
		    &reader, &batch, batch.body, &vector.err));
		cr_assert_eq(kp_record_next(&record, &reader, &vector.err),
		    KP_RECORD_OK);
		cr_assert_eq(record.offset, rows[i].offset);
		cr_assert(kp_control_type(&type, &record, &vector.err));
		cr_assert_eq(type, rows[i].type);
		unload(&vector);
	}
}

Test(vectors, the_empty_batch_is_written_as_kafka_does)
{
	struct kp_bytes rest;
	struct kp_batch batch;
	struct vector vector;

	load(&vector, "v2-empty");
	rest = kp_buf_bytes(&vector.bytes);
	cr_assert_eq(kp_batch_next(&batch, &rest, &vector.err), KP_BATCH_OK);
	cr_assert(kp_batch_check_crc(&batch, &vector.err));
	cr_assert_eq(batch.num_records, 0);
	cr_assert_eq(kp_batch_last_offset(&batch), 118);
	cr_assert(kp_batch_write_empty(&vector.out, &batch, &vector.err));
	cr_assert(kp_bytes_equal(
	    kp_buf_bytes(&vector.bytes), kp_buf_bytes(&vector.out)));
	unload(&vector);
}

Test(vectors, the_delete_horizon_is_told_from_a_timestamp)
{
	struct kp_bytes rest;
	struct kp_batch batch;
	struct vector vector;

	load(&vector, "v2-delete-horizon");
	rest = kp_buf_bytes(&vector.bytes);
	cr_assert_eq(kp_batch_next(&batch, &rest, &vector.err), KP_BATCH_OK);
	cr_assert(kp_batch_has(&batch, KP_BATCH_DELETE_HORIZON));
	cr_assert_eq(batch.base_timestamp, FIRST_TIMESTAMP - 5000);
	unload(&vector);
}
