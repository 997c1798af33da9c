/* SPDX-License-Identifier: Apache-2.0 */
/* What load and sink say to each other is Kafka's protocol, and either notices
 * when it is not. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "bench/answer.h"
#include "bench/payload.h"
#include "bench/protocol.h"
#include "bench/request.h"
#include "bench/verdict.h"
#include "proto/kafka/header.h"
#include "proto/kafka/records/batch.h"
#include "proto/kafka/walker.h"
#include "tests/support/walks.h"

#define MAX_LEN ((size_t)4 << 20)
#define RECORDS_LEN ((size_t)100000)
#define BATCH_LEN ((size_t)16384)

static const struct kp_bench_cluster cluster = {
	.host = "127.0.0.1",
	.ports = { 9092, 9093, 9094 },
	.num_nodes = 3,
	.num_topics = 20,
	.num_partitions = 10,
	.batch_len = BATCH_LEN,
};

static void
make_records(struct kp_buf *out, size_t len, size_t batch_len)
{
	struct kp_error err;

	kp_buf_init(out, MAX_LEN);
	cr_assert(kp_payload_add(out, len, batch_len, &err), "%s", err.text);
	cr_assert(!out->failed);
}

Test(bench_frames, payload_has_the_length_that_was_asked_for)
{
	static const size_t lens[] = { 128, 1000, 1054, 16384, 1 << 20 };
	struct kp_buf records;
	struct kp_batch batch;
	struct kp_error err;
	uint64_t num_records;

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		make_records(&records, lens[i], lens[i]);
		cr_assert(records.len <= lens[i]);
		cr_assert(records.len + 8 > lens[i], "%zu for %zu", records.len,
		    lens[i]);
		cr_assert(kp_batch_single(&batch, kp_buf_bytes(&records), &err),
		    "%s", err.text);
		cr_assert(kp_payload_check(
		    kp_buf_bytes(&records), &num_records, &err));
		cr_assert(num_records == (uint64_t)batch.num_records);
		kp_buf_fini(&records);
	}
}

Test(bench_frames, batches_of_a_payload_follow_each_other)
{
	struct kp_buf records;
	struct kp_bytes rest;
	struct kp_batch batch;
	struct kp_error err;
	int64_t next_offset = 0;

	make_records(&records, RECORDS_LEN, BATCH_LEN);
	cr_assert(records.len + KP_PAYLOAD_MIN_BATCH > RECORDS_LEN);
	rest = kp_buf_bytes(&records);
	while (kp_batch_next(&batch, &rest, &err) == KP_BATCH_OK) {
		cr_assert(batch.base_offset == next_offset);
		cr_assert(batch.whole.len <= BATCH_LEN);
		next_offset = kp_batch_last_offset(&batch) + 1;
	}
	cr_assert(rest.len == 0 && next_offset > 90);
	kp_buf_fini(&records);
}

Test(bench_frames, a_flipped_bit_in_a_payload_is_seen)
{
	struct kp_buf records;
	struct kp_error err;
	uint64_t num_records;

	make_records(&records, RECORDS_LEN, BATCH_LEN);
	records.data[RECORDS_LEN / 2] ^= 1;
	cr_assert(
	    !kp_payload_check(kp_buf_bytes(&records), &num_records, &err));
	kp_buf_fini(&records);
}

static void
make_request(struct kp_buf *out, enum kp_bench_api api, int16_t version)
{
	static const uint8_t id[16] = { 1 };
	struct kp_buf records;

	kp_buf_init(out, MAX_LEN);
	make_records(&records, 1000, 1000);
	switch (api) {
	case KP_BENCH_PRODUCE:
		kp_request_produce(
		    out, version, "bench-0", kp_buf_bytes(&records));
		break;
	case KP_BENCH_FETCH:
		kp_request_fetch(out, version, id, 1000);
		break;
	case KP_BENCH_METADATA:
		kp_request_metadata(out, version, "bench-0");
		kp_request_metadata(out, version, NULL);
		break;
	case KP_BENCH_HEARTBEAT:
		kp_request_heartbeat(out, version);
		break;
	case KP_BENCH_API_VERSIONS:
		kp_request_api_versions(out, version < 3 ? 3 : version);
		break;
	case KP_NUM_BENCH_APIS:
		break;
	}
	kp_buf_fini(&records);
}

/* Every frame in bytes is one that Kafka's own definition fits. */
static void
expect_requests(struct kp_bytes bytes, int16_t key)
{
	struct kp_request_header header;
	struct kp_error err;

	while (bytes.len > 0) {
		size_t len = (size_t)bytes.data[2] << 8 | bytes.data[3];
		const uint8_t *frame = bytes.data + KP_FRAME_PREFIX_LEN;

		cr_assert(len + KP_FRAME_PREFIX_LEN <= bytes.len);
		cr_assert(kp_request_header_read(
			      &header, frame, len, len, &err) == KP_HEADER_OK);
		cr_assert(header.api_key == key && header.correlation_id == 0);
		cr_assert(
		    kp_walk_whole(kp_api_find(key)->request, header.api_version,
			(struct kp_bytes){
			    frame + header.len, len - header.len },
			&kp_see_nothing, NULL, &err),
		    "%s v%d: %s", kp_api_find(key)->name, header.api_version,
		    err.text);
		bytes.data += KP_FRAME_PREFIX_LEN + len;
		bytes.len -= KP_FRAME_PREFIX_LEN + len;
	}
}

Test(bench_frames, requests_are_what_the_definitions_say)
{
	struct kp_buf buf;

	for (unsigned api = 0; api < KP_NUM_BENCH_APIS; api++) {
		const struct kp_bench_range *range = &kp_bench_apis[api];

		for (int16_t v = range->min_version; v <= range->max_version;
		     v++) {
			make_request(&buf, (enum kp_bench_api)api, v);
			cr_assert(!buf.failed && buf.len > 0);
			expect_requests(kp_buf_bytes(&buf), range->key);
			kp_buf_fini(&buf);
		}
	}
}

static void
make_answer(struct kp_buf *out, enum kp_bench_api api, int16_t version)
{
	struct kp_error err;

	kp_buf_init(out, MAX_LEN);
	switch (api) {
	case KP_BENCH_PRODUCE:
		kp_answer_produce(out, kp_bytes_of("bench-0"), 0);
		break;
	case KP_BENCH_FETCH:
		cr_assert(kp_answer_fetch(out, &cluster, 0, 1000, &err));
		break;
	case KP_BENCH_METADATA:
		kp_answer_metadata(out, &cluster, 0, 2);
		break;
	case KP_BENCH_HEARTBEAT:
		kp_answer_heartbeat(out);
		break;
	case KP_BENCH_API_VERSIONS:
		kp_answer_api_versions(out, version);
		break;
	case KP_NUM_BENCH_APIS:
		break;
	}
	cr_assert(!out->failed && out->len > 0);
}

Test(bench_frames, answers_are_what_the_definitions_say)
{
	struct kp_buf buf;
	struct kp_error err;

	for (unsigned api = 0; api < KP_NUM_BENCH_APIS; api++) {
		const struct kp_bench_range *range = &kp_bench_apis[api];

		for (int16_t v = range->min_version; v <= range->max_version;
		     v++) {
			make_answer(&buf, (enum kp_bench_api)api, v);
			cr_assert(
			    kp_walk_whole(kp_api_find(range->key)->response, v,
				kp_buf_bytes(&buf), &kp_see_nothing, NULL,
				&err),
			    "%s v%d: %s", range->name, v, err.text);
			kp_buf_fini(&buf);
		}
	}
}

static bool
judge(enum kp_bench_api api, struct kp_bytes body, struct kp_error *err)
{
	struct kp_bench_versions versions;
	struct kp_bench_leader leader;
	struct kp_bytes records;
	uint32_t num_topics;

	switch (api) {
	case KP_BENCH_PRODUCE:
		return kp_verdict_produce(body, err);
	case KP_BENCH_FETCH:
		return kp_verdict_fetch(&records, body, err);
	case KP_BENCH_METADATA:
		return kp_verdict_metadata(
		    &leader, &num_topics, body, "bench-1", err);
	case KP_BENCH_HEARTBEAT:
		return kp_verdict_heartbeat(body, err);
	case KP_BENCH_API_VERSIONS:
		return kp_verdict_api_versions(&versions, body, err);
	case KP_NUM_BENCH_APIS:
		break;
	}
	return false;
}

/* A copy that ends where the bytes end, so that a read behind is noticed. */
static bool
judge_prefix(enum kp_bench_api api, struct kp_bytes body, size_t len)
{
	struct kp_error err;
	uint8_t *copy = malloc(len > 0 ? len : 1);
	bool is_ok;

	cr_assert(copy != NULL);
	kp_copy(copy, body.data, len);
	is_ok = judge(api, (struct kp_bytes){ copy, len }, &err);
	free(copy);
	return is_ok;
}

Test(bench_frames, whole_answers_are_accepted_and_no_part_of_one)
{
	struct kp_buf buf;

	for (unsigned i = 0; i < KP_NUM_BENCH_APIS; i++) {
		enum kp_bench_api api = (enum kp_bench_api)i;

		make_answer(&buf, api, 3);
		for (size_t len = 0; len < buf.len; len++)
			cr_assert(!judge_prefix(api, kp_buf_bytes(&buf), len),
			    "%s cut to %zu", kp_bench_apis[i].name, len);
		cr_assert(judge_prefix(api, kp_buf_bytes(&buf), buf.len), "%s",
		    kp_bench_apis[i].name);
		kp_buf_fini(&buf);
	}
}

Test(bench_frames, an_error_in_an_answer_is_no_success)
{
	/* where each answer has its error code */
	static const struct {
		enum kp_bench_api api;
		size_t at;
	} codes[] = {
		{ KP_BENCH_PRODUCE, 1 + 8 + 1 + 4 },
		{ KP_BENCH_FETCH, 4 },
		{ KP_BENCH_FETCH, 4 + 2 + 4 + 1 + 16 + 1 + 4 },
		{ KP_BENCH_HEARTBEAT, 4 },
		{ KP_BENCH_API_VERSIONS, 0 },
	};
	struct kp_buf buf;
	struct kp_error err;

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		make_answer(&buf, codes[i].api, 3);
		buf.data[codes[i].at + 1] = 35;
		cr_assert(!judge(codes[i].api, kp_buf_bytes(&buf), &err));
		cr_assert(strstr(err.text, "error 35") != NULL, "%s", err.text);
		kp_buf_fini(&buf);
	}
}

Test(bench_frames, metadata_leads_to_the_leader_of_the_topic)
{
	struct kp_bench_leader leader;
	struct kp_buf buf;
	struct kp_error err;
	uint32_t num_topics;
	uint8_t id[16];

	make_answer(&buf, KP_BENCH_METADATA, 12);
	cr_assert(kp_verdict_metadata(
	    &leader, &num_topics, kp_buf_bytes(&buf), "bench-1", &err));
	kp_bench_topic_id(id, 1);
	cr_assert(num_topics == 2 && leader.port == 9093);
	cr_assert(strcmp(leader.host, "127.0.0.1") == 0);
	cr_assert(memcmp(leader.topic_id, id, sizeof(id)) == 0);
	cr_assert(!kp_verdict_metadata(
	    &leader, &num_topics, kp_buf_bytes(&buf), "bench-2", &err));
	kp_buf_fini(&buf);
}
