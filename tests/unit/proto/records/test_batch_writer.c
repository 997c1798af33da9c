/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/kafka/records/batch_writer.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "tests/unit/proto/records/sample.h"

#define MAX_LEN ((size_t)4 << 20)
#define MAX_RECORDS 16

/* What a rewrite needs; zero state and then start. */
struct bench {
	struct kp_compression compression;
	struct kp_buf in, out, opened, plain;
	struct kp_batch batch;
	struct kp_error err;
};

static void
start(struct bench *bench)
{
	*bench = (struct bench){ 0 };
	kp_buf_init(&bench->in, MAX_LEN);
	kp_buf_init(&bench->out, MAX_LEN);
	kp_buf_init(&bench->opened, MAX_LEN);
	kp_buf_init(&bench->plain, MAX_LEN);
}

static void
stop(struct bench *bench)
{
	kp_buf_fini(&bench->in);
	kp_buf_fini(&bench->out);
	kp_buf_fini(&bench->opened);
	kp_buf_fini(&bench->plain);
	kp_compression_fini(&bench->compression);
}

/* Reads the first batch of bytes and its records, which borrow from opened. */
static int
read_records(struct bench *bench, struct kp_buf *bytes, struct kp_buf *opened,
    struct kp_record *records)
{
	struct kp_bytes rest = kp_buf_bytes(bytes), plain;
	struct kp_record_reader reader;
	enum kp_record_status status;
	int count = 0;

	cr_assert_eq(
	    kp_batch_next(&bench->batch, &rest, &bench->err), KP_BATCH_OK);
	cr_assert(kp_batch_check_crc(&bench->batch, &bench->err));
	cr_assert(kp_batch_open(
	    &plain, &bench->batch, &bench->compression, opened, &bench->err));
	cr_assert(
	    kp_record_reader_init(&reader, &bench->batch, plain, &bench->err));
	for (;;) {
		status = kp_record_next(&records[count], &reader, &bench->err);
		if (status != KP_RECORD_OK)
			break;
		count++;
		cr_assert(count < MAX_RECORDS);
	}
	cr_assert_eq(status, KP_RECORD_END, "%s", bench->err.text);
	return count;
}

/* Writes the records of the batch in bench->in to bench->out. */
static bool
rewrite(struct bench *bench, enum kp_codec codec)
{
	struct kp_record records[MAX_RECORDS];
	int count = read_records(bench, &bench->in, &bench->opened, records);
	struct kp_batch_writer writer;

	kp_buf_clear(&bench->out);
	if (!kp_batch_writer_init(
		&writer, &bench->plain, &bench->batch, codec, &bench->err))
		return false;
	for (int i = 0; i < count; i++) {
		if (!kp_batch_writer_add(&writer, &records[i], &bench->err))
			return false;
	}
	return kp_batch_writer_finish(
	    &writer, &bench->out, &bench->compression, &bench->err);
}

static void
check_same_records(struct bench *bench)
{
	struct kp_record before[MAX_RECORDS], after[MAX_RECORDS];
	struct kp_buf opened;
	int count;

	kp_buf_init(&opened, MAX_LEN);
	count = read_records(bench, &bench->in, &bench->opened, before);
	cr_assert_eq(read_records(bench, &bench->out, &opened, after), count);
	for (int i = 0; i < count; i++)
		cr_assert(kp_sample_records_equal(&before[i], &after[i]));
	kp_buf_fini(&opened);
}

Test(batch_writer, without_compression_the_bytes_come_out_as_they_were)
{
	struct kp_batch like = kp_sample_like();
	struct bench bench;

	start(&bench);
	like.attributes = KP_BATCH_TRANSACTIONAL | KP_BATCH_DELETE_HORIZON |
			  KP_BATCH_LOG_APPEND_TIME | 0x4000;
	kp_sample_batch(&bench.in, &like, KP_CODEC_NONE);
	cr_assert(rewrite(&bench, KP_CODEC_NONE), "%s", bench.err.text);
	cr_assert(
	    kp_bytes_equal(kp_buf_bytes(&bench.in), kp_buf_bytes(&bench.out)));
	stop(&bench);
}

Test(batch_writer, every_codec_can_become_every_other)
{
	struct kp_batch like = kp_sample_like();
	struct bench bench;

	start(&bench);
	for (int from = 0; from < KP_NUM_CODECS; from++) {
		for (int to = 0; to < KP_NUM_CODECS; to++) {
			kp_buf_clear(&bench.in);
			kp_sample_batch(&bench.in, &like, (enum kp_codec)from);
			cr_assert(rewrite(&bench, (enum kp_codec)to));
			check_same_records(&bench);
			cr_assert_eq((int)kp_batch_codec(&bench.batch), to);
		}
	}
	stop(&bench);
}

Test(batch_writer, fields_of_the_batch_are_kept)
{
	struct kp_batch like = kp_sample_like();
	struct bench bench;

	start(&bench);
	like.attributes = KP_BATCH_TRANSACTIONAL | KP_BATCH_LOG_APPEND_TIME;
	like.base_offset = INT64_MAX;
	like.last_offset_delta = INT32_MAX;
	like.base_sequence = INT32_MAX;
	kp_sample_batch(&bench.in, &like, KP_CODEC_ZSTD);
	cr_assert(rewrite(&bench, KP_CODEC_LZ4));
	check_same_records(&bench);
	cr_assert_eq(bench.batch.base_offset, INT64_MAX);
	cr_assert_eq(bench.batch.leader_epoch, like.leader_epoch);
	cr_assert_eq(bench.batch.attributes, like.attributes | KP_CODEC_LZ4);
	cr_assert_eq(bench.batch.last_offset_delta, INT32_MAX);
	cr_assert_eq(bench.batch.base_timestamp, like.base_timestamp);
	cr_assert_eq(bench.batch.max_timestamp, like.max_timestamp);
	cr_assert_eq(bench.batch.producer_id, like.producer_id);
	cr_assert_eq(bench.batch.producer_epoch, like.producer_epoch);
	cr_assert_eq(bench.batch.base_sequence, INT32_MAX);
	cr_assert_eq(bench.batch.num_records, KP_SAMPLE_RECORDS);
	stop(&bench);
}

Test(batch_writer, message_sets_come_back_with_every_codec)
{
	struct kp_batch like = kp_sample_like();
	struct bench bench;

	start(&bench);
	for (int magic = 0; magic < 2; magic++) {
		for (int c = KP_CODEC_GZIP; c <= KP_CODEC_LZ4; c++) {
			kp_buf_clear(&bench.in);
			like.magic = (int8_t)magic;
			like.attributes = KP_CODEC_GZIP;
			kp_sample_batch(&bench.in, &like, (enum kp_codec)c);
			cr_assert(rewrite(&bench, (enum kp_codec)c), "%s",
			    bench.err.text);
			cr_assert(kp_bytes_equal(
			    kp_buf_bytes(&bench.in), kp_buf_bytes(&bench.out)));
			check_same_records(&bench);
		}
	}
	stop(&bench);
}

Test(batch_writer, message_sets_cannot_change_their_kind)
{
	struct kp_batch like = kp_sample_like();
	struct kp_batch_writer writer;
	struct kp_error err;
	struct kp_buf plain;

	kp_buf_init(&plain, MAX_LEN);
	like.magic = 1;
	cr_assert(
	    !kp_batch_writer_init(&writer, &plain, &like, KP_CODEC_GZIP, &err));
	cr_assert_eq(err.kind, KP_ERR_UNSUPPORTED);
	like.attributes = KP_CODEC_GZIP;
	cr_assert(
	    !kp_batch_writer_init(&writer, &plain, &like, KP_CODEC_NONE, &err));
	cr_assert(
	    !kp_batch_writer_init(&writer, &plain, &like, KP_CODEC_ZSTD, &err));
	cr_assert_eq(err.kind, KP_ERR_UNSUPPORTED);
	kp_buf_fini(&plain);
}

Test(batch_writer, control_batches_are_refused)
{
	struct kp_batch like = kp_sample_like();
	struct kp_batch_writer writer;
	struct kp_error err;
	struct kp_buf plain;

	kp_buf_init(&plain, MAX_LEN);
	like.attributes = KP_BATCH_CONTROL | KP_BATCH_TRANSACTIONAL;
	cr_assert(
	    !kp_batch_writer_init(&writer, &plain, &like, KP_CODEC_NONE, &err));
	cr_assert_eq(err.kind, KP_ERR_UNSUPPORTED);
	cr_assert(!kp_batch_write_empty(&plain, &like, &err));
	cr_assert_eq(err.kind, KP_ERR_UNSUPPORTED);
	cr_assert_eq(plain.len, 0u);
	kp_buf_fini(&plain);
}

Test(batch_writer, an_empty_batch_keeps_its_place_in_the_log)
{
	struct kp_batch like = kp_sample_like();
	struct kp_record records[MAX_RECORDS];
	struct kp_batch_writer writer;
	struct bench bench;

	start(&bench);
	like.attributes = KP_BATCH_TRANSACTIONAL | KP_CODEC_SNAPPY;
	cr_assert(kp_batch_write_empty(&bench.out, &like, &bench.err));
	cr_assert_eq(bench.out.len, (size_t)KP_BATCH_HEADER_LEN);
	cr_assert_eq(
	    read_records(&bench, &bench.out, &bench.opened, records), 0);
	cr_assert_eq(bench.batch.attributes, KP_BATCH_TRANSACTIONAL);
	cr_assert_eq(
	    kp_batch_last_offset(&bench.batch), kp_batch_last_offset(&like));
	cr_assert_eq(bench.batch.base_sequence, like.base_sequence);
	/* leaving out all records comes to the same */
	cr_assert(kp_batch_writer_init(
	    &writer, &bench.plain, &like, KP_CODEC_SNAPPY, &bench.err));
	cr_assert(kp_batch_writer_finish(
	    &writer, &bench.in, &bench.compression, &bench.err));
	cr_assert(
	    kp_bytes_equal(kp_buf_bytes(&bench.in), kp_buf_bytes(&bench.out)));
	like.magic = 1;
	cr_assert(!kp_batch_write_empty(&bench.out, &like, &bench.err));
	cr_assert_eq(bench.err.kind, KP_ERR_UNSUPPORTED);
	stop(&bench);
}

Test(batch_writer, left_out_records_leave_a_gap)
{
	struct kp_batch like = kp_sample_like();
	struct kp_record records[MAX_RECORDS], after[MAX_RECORDS];
	struct kp_batch_writer writer;
	struct bench bench;

	start(&bench);
	kp_sample_batch(&bench.in, &like, KP_CODEC_NONE);
	cr_assert_eq(
	    read_records(&bench, &bench.in, &bench.opened, records), 3);
	cr_assert(kp_batch_writer_init(
	    &writer, &bench.plain, &bench.batch, KP_CODEC_NONE, &bench.err));
	cr_assert(kp_batch_writer_add(&writer, &records[0], &bench.err));
	cr_assert(kp_batch_writer_add(&writer, &records[2], &bench.err));
	cr_assert(kp_batch_writer_finish(
	    &writer, &bench.out, &bench.compression, &bench.err));
	cr_assert_eq(read_records(&bench, &bench.out, &bench.opened, after), 2);
	cr_assert_eq(after[1].offset, like.base_offset + 2);
	cr_assert_eq(bench.batch.last_offset_delta, 2);
	stop(&bench);
}

Test(batch_writer, changed_values_and_headers_come_back)
{
	struct kp_batch like = kp_sample_like();
	struct kp_record records[MAX_RECORDS], after[MAX_RECORDS];
	struct kp_batch_writer writer;
	struct kp_buf headers, value;
	struct bench bench;

	start(&bench);
	kp_buf_init(&headers, 100);
	kp_buf_init(&value, 1000000);
	kp_sample_fill(
	    kp_buf_extend(&value, 1000000), 1000000, KP_SAMPLE_MIXED);
	kp_record_header_add(
	    &headers, &(struct kp_record_header){ kp_bytes_of("x"), { 0 } });
	kp_record_header_add(&headers,
	    &(struct kp_record_header){ kp_bytes_of("x"), kp_bytes_of("y") });
	for (int c = 0; c < KP_NUM_CODECS; c++) {
		kp_buf_clear(&bench.in);
		kp_buf_clear(&bench.out);
		kp_sample_batch(&bench.in, &like, KP_CODEC_NONE);
		cr_assert_eq(
		    read_records(&bench, &bench.in, &bench.opened, records), 3);
		records[1].value = kp_buf_bytes(&value);
		records[1].headers = kp_buf_bytes(&headers);
		records[1].num_headers = 2;
		cr_assert(kp_batch_writer_init(&writer, &bench.plain,
		    &bench.batch, (enum kp_codec)c, &bench.err));
		for (int i = 0; i < 3; i++)
			cr_assert(kp_batch_writer_add(
			    &writer, &records[i], &bench.err));
		cr_assert(kp_batch_writer_finish(
		    &writer, &bench.out, &bench.compression, &bench.err));
		cr_assert_eq(
		    read_records(&bench, &bench.out, &bench.opened, after), 3);
		cr_assert(kp_sample_records_equal(&records[1], &after[1]));
	}
	kp_buf_fini(&headers);
	kp_buf_fini(&value);
	stop(&bench);
}

Test(batch_writer, limits_of_both_buffers_hold)
{
	struct kp_batch like = kp_sample_like();
	struct bench bench;
	size_t whole_len;

	start(&bench);
	kp_sample_batch(&bench.in, &like, KP_CODEC_NONE);
	whole_len = bench.in.len;
	for (size_t max_len = 0; max_len <= whole_len; max_len++) {
		kp_buf_fini(&bench.out);
		kp_buf_init(&bench.out, max_len);
		cr_assert_eq(
		    rewrite(&bench, KP_CODEC_NONE), max_len == whole_len);
		cr_assert(
		    max_len == whole_len || bench.err.kind == KP_ERR_LIMIT);
	}
	for (size_t max_len = 0; max_len < whole_len - 61; max_len++) {
		kp_buf_fini(&bench.plain);
		kp_buf_init(&bench.plain, max_len);
		cr_assert(!rewrite(&bench, KP_CODEC_NONE));
		cr_assert_eq(bench.err.kind, KP_ERR_LIMIT);
	}
	stop(&bench);
}

Test(batch_writer, memory_refused_at_any_point_is_an_error_and_no_leak)
{
	struct kp_batch like = kp_sample_like();
	struct bench bench;
	unsigned n;
	bool is_done;

	for (int c = 0; c < KP_NUM_CODECS; c++) {
		is_done = false;
		for (n = 1; !is_done; n++) {
			start(&bench);
			kp_sample_batch(&bench.in, &like, KP_CODEC_NONE);
			kp_alloc_fail_after(n);
			is_done = rewrite(&bench, (enum kp_codec)c);
			kp_alloc_fail_after(0);
			cr_assert(is_done || bench.err.kind == KP_ERR_SYSTEM);
			stop(&bench);
		}
		cr_assert(n > 2);
	}
}
