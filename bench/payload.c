/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/payload.h"

#include "proto/kafka/records/batch.h"
#include "proto/kafka/records/batch_writer.h"
#include "proto/kafka/records/record.h"

#define VALUE_LEN ((size_t)1024)
/* Of a record around its value: no key, no headers, lengths of at most three
 * bytes. */
#define RECORD_OVERHEAD ((size_t)12)

/* Content that no codec makes smaller. */
static void
fill(uint8_t *out, size_t len)
{
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

	for (size_t i = 0; i < len; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		out[i] = (uint8_t)(state >> 32);
	}
}

/*
 * Records of VALUE_LEN, the last one as long as what is left. A rest too short
 * for a record of its own goes to the last.
 */
static bool
add_records(struct kp_batch_writer *writer, struct kp_batch *batch, size_t len,
    struct kp_error *err)
{
	static uint8_t value[2 * VALUE_LEN];

	if (value[0] == 0)
		fill(value, sizeof(value));
	while (len > writer->plain->len + RECORD_OVERHEAD) {
		size_t left = len - writer->plain->len - RECORD_OVERHEAD;
		size_t value_len = left < 2 * VALUE_LEN ? left : VALUE_LEN;
		struct kp_record record = {
			.value = { value, value_len },
			.headers = { value, 0 },
			.wire_offset = batch->num_records,
		};

		if (!kp_batch_writer_add(writer, &record, err))
			return false;
		batch->num_records++;
	}
	return true;
}

static bool
add_batch(struct kp_buf *out, struct kp_buf *plain, int64_t *offset, size_t len,
    struct kp_error *err)
{
	struct kp_compression none = { .lz4 = NULL };
	struct kp_batch_writer writer;
	struct kp_batch like = {
		.base_offset = *offset,
		.magic = KP_BATCH_MAX_MAGIC,
		.base_timestamp = 1,
		.max_timestamp = 1,
		.producer_id = -1,
		.producer_epoch = -1,
		.base_sequence = -1,
	};

	if (!kp_batch_writer_init(&writer, plain, &like, KP_CODEC_NONE, err) ||
	    !add_records(&writer, &like, len - KP_BATCH_HEADER_LEN, err))
		return false;
	writer.like.last_offset_delta = like.num_records - 1;
	*offset += like.num_records;
	return kp_batch_writer_finish(&writer, out, &none, err);
}

bool
kp_payload_add(struct kp_buf *out, size_t total_len, size_t batch_len,
    struct kp_error *err)
{
	size_t end = out->len + total_len;
	struct kp_buf plain;
	int64_t offset = 0;
	bool is_ok = true;

	kp_buf_init(&plain, batch_len);
	while (is_ok && end - out->len >= KP_PAYLOAD_MIN_BATCH) {
		size_t left = end - out->len;

		is_ok = add_batch(out, &plain, &offset,
		    left < batch_len ? left : batch_len, err);
	}
	kp_buf_fini(&plain);
	return is_ok;
}

static bool
count_records(
    const struct kp_batch *batch, uint64_t *num_records, struct kp_error *err)
{
	struct kp_record_reader reader;
	struct kp_record record;
	enum kp_record_status status;

	if (!kp_batch_check_crc(batch, err) ||
	    !kp_record_reader_init(&reader, batch, batch->body, err))
		return false;
	while ((status = kp_record_next(&record, &reader, err)) == KP_RECORD_OK)
		(*num_records)++;
	return status == KP_RECORD_END;
}

bool
kp_payload_check(
    struct kp_bytes records, uint64_t *out_records, struct kp_error *err)
{
	struct kp_batch batch;
	enum kp_batch_status status;

	*out_records = 0;
	while ((status = kp_batch_next(&batch, &records, err)) == KP_BATCH_OK) {
		if (!count_records(&batch, out_records, err))
			return false;
	}
	if (status == KP_BATCH_PARTIAL)
		return kp_error_set(
		    err, KP_ERR_PROTOCOL, "records end inside a batch");
	return status == KP_BATCH_END;
}
