/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile record batches: every batch is opened and read. What could be read is
 * written anew with its own codec, and must give the same uncompressed bytes
 * and a batch that is valid and reads as before. The scan of headers must agree
 * with that.
 */
#include <stdlib.h>

#include "proto/kafka/records/batch_writer.h"
#include "proto/kafka/records/scan.h"

#define MAX_LEN ((size_t)1 << 20)

struct state {
	struct kp_compression compression;
	struct kp_buf opened, plain, out;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool is_right)
{
	if (!is_right)
		abort();
}

static void
read_headers(const struct kp_record *record)
{
	struct kp_record_header header;
	struct kp_reader headers;
	int32_t count = 0;

	kp_record_headers_init(&headers, record);
	while (kp_record_header_next(&header, &headers))
		count++;
	must(count == record->num_headers);
}

/* Reads all records of batch into writer; false if one is malformed. */
static bool
copy_records(struct kp_batch_writer *writer, const struct kp_batch *batch,
    struct kp_bytes plain)
{
	struct kp_record_reader reader;
	enum kp_record_status status;
	struct kp_record record;
	struct kp_error err;

	if (!kp_record_reader_init(&reader, batch, plain, &err))
		return false;
	for (;;) {
		status = kp_record_next(&record, &reader, &err);
		if (status != KP_RECORD_OK)
			break;
		read_headers(&record);
		must(kp_batch_writer_add(writer, &record, &err));
	}
	return status == KP_RECORD_END;
}

static void
check_written(struct state *state, struct kp_bytes plain)
{
	struct kp_bytes rest = kp_buf_bytes(&state->out), again;
	struct kp_batch batch;
	struct kp_error err;

	must(kp_batch_next(&batch, &rest, &err) == KP_BATCH_OK);
	must(rest.len == 0);
	must(kp_batch_check_crc(&batch, &err));
	must(kp_batch_open(
	    &again, &batch, &state->compression, &state->plain, &err));
	must(kp_bytes_equal(plain, again));
}

static void
rewrite(struct state *state, const struct kp_batch *batch)
{
	struct kp_batch_writer writer;
	struct kp_bytes plain;
	struct kp_error err;

	if (!kp_batch_open(
		&plain, batch, &state->compression, &state->opened, &err))
		return;
	if (!kp_batch_writer_init(
		&writer, &state->plain, batch, kp_batch_codec(batch), &err))
		return;
	if (!copy_records(&writer, batch, plain))
		return;
	must(kp_bytes_equal(plain, kp_buf_bytes(&state->plain)));
	kp_buf_clear(&state->out);
	must(kp_batch_writer_finish(
	    &writer, &state->out, &state->compression, &err));
	check_written(state, plain);
}

struct sums {
	uint32_t num;
	size_t len;
	bool is_bad;
};

static void
add(void *context, const struct kp_batch_head *head)
{
	struct sums *sums = context;

	sums->num++;
	sums->len += head->len;
}

static struct sums
scan(struct kp_bytes all, size_t piece_len)
{
	struct kp_batch_scan scan;
	struct sums sums = { 0 };
	size_t at = 0;

	kp_batch_scan_begin(&scan, all.len);
	while (at < all.len) {
		size_t len =
		    all.len - at < piece_len ? all.len - at : piece_len;
		bool is_bad;

		at += len + kp_batch_scan_feed(
				&scan, all.data + at, len, add, &sums, &is_bad);
		must(at <= all.len);
		sums.is_bad = sums.is_bad || is_bad;
	}
	return sums;
}

/* Looking at headers sees at least what reading whole batches does. */
static void
check_scan(struct kp_bytes all, uint32_t num_read, size_t len_read)
{
	struct sums whole = scan(all, all.len), bytes = scan(all, 1);

	must(whole.num == bytes.num && whole.len == bytes.len);
	must(whole.is_bad == bytes.is_bad);
	must(whole.num >= num_read && whole.len >= len_read);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct kp_bytes all = { data, len }, rest = all;
	struct state state = { 0 };
	struct kp_batch batch;
	struct kp_error err;
	uint32_t count = 0;

	kp_buf_init(&state.opened, MAX_LEN);
	kp_buf_init(&state.plain, MAX_LEN);
	kp_buf_init(&state.out, 2 * MAX_LEN);
	for (; kp_batch_next(&batch, &rest, &err) == KP_BATCH_OK; count++) {
		(void)kp_batch_check_crc(&batch, &err);
		rewrite(&state, &batch);
	}
	(void)kp_batch_single(&batch, all, &err);
	check_scan(all, count, all.len - rest.len);
	kp_buf_fini(&state.opened);
	kp_buf_fini(&state.plain);
	kp_buf_fini(&state.out);
	kp_compression_fini(&state.compression);
	return 0;
}
