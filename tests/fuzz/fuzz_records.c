/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile record batches: every batch is opened and read. What could be read is
 * written anew with its own codec, and must give the same uncompressed bytes
 * and a batch that is valid and reads as before.
 */
#include <stdlib.h>

#include "proto/kafka/records/batch_writer.h"

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct kp_bytes all = { data, len }, rest = all;
	struct kp_records_summary summary = { 0 };
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
	(void)kp_records_summarize(&summary, all, &err);
	must(summary.num_batches == count);
	kp_buf_fini(&state.opened);
	kp_buf_fini(&state.plain);
	kp_buf_fini(&state.out);
	kp_compression_fini(&state.compression);
	return 0;
}
