/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/verdict.h"

#include <stdio.h>

#include "proto/kafka/reader.h"

/* A compact count; more than the bytes that are left can hold is malformed. */
static uint32_t
read_count(struct kp_reader *r)
{
	int32_t count = kp_read_compact_length(r);

	if (count > 0 && (size_t)count > kp_reader_left(r))
		kp_reader_fail(r);
	return r->failed || count < 0 ? 0 : (uint32_t)count;
}

static void
skip_tags(struct kp_reader *r)
{
	uint32_t count = kp_read_uvarint(r);

	for (uint32_t i = 0; i < count && !r->failed; i++) {
		(void)kp_read_uvarint(r);
		(void)kp_read_raw(r, kp_read_uvarint(r));
	}
}

static bool
finish(const struct kp_reader *r, const char *api, int16_t error_code,
    struct kp_error *err)
{
	if (!kp_reader_finish(r, err))
		return kp_error_prefix(err, "%s answer", api);
	return error_code == 0 ||
	       kp_error_set(err, KP_ERR_PROTOCOL, "%s answer has error %d", api,
		   error_code);
}

static void
note_range(struct kp_bench_versions *out, int16_t key, int16_t min, int16_t max)
{
	for (unsigned i = 0; i < KP_NUM_BENCH_APIS; i++) {
		const struct kp_bench_range *ours = &kp_bench_apis[i];
		int16_t version =
		    max < ours->max_version ? max : ours->max_version;

		if (ours->key == key && version >= ours->min_version &&
		    version >= min)
			out->version[i] = version;
	}
}

bool
kp_verdict_api_versions(
    struct kp_bench_versions *out, struct kp_bytes body, struct kp_error *err)
{
	struct kp_reader r;
	int16_t error_code;
	uint32_t count;

	for (unsigned i = 0; i < KP_NUM_BENCH_APIS; i++)
		out->version[i] = -1;
	kp_reader_init(&r, body);
	error_code = kp_read_int16(&r);
	count = read_count(&r);
	for (uint32_t i = 0; i < count && !r.failed; i++) {
		int16_t key = kp_read_int16(&r);
		int16_t min = kp_read_int16(&r);

		note_range(out, key, min, kp_read_int16(&r));
		skip_tags(&r);
	}
	(void)kp_read_int32(&r); /* throttle */
	skip_tags(&r);
	if (!finish(&r, "ApiVersions", error_code, err))
		return false;
	for (unsigned i = 0; i < KP_NUM_BENCH_APIS; i++) {
		if (out->version[i] < 0)
			return kp_error_set(err, KP_ERR_PROTOCOL,
			    "no common version of %s", kp_bench_apis[i].name);
	}
	return true;
}

static void
skip_nodes(struct kp_reader *r)
{
	uint32_t count = read_count(r);

	for (uint32_t i = 0; i < count; i++)
		(void)kp_read_int32(r);
}

/* Returns the leader of partition 0, -1 if it is not there. */
static int32_t
read_partitions(struct kp_reader *r)
{
	uint32_t count = read_count(r);
	int32_t leader_of_0 = -1;

	for (uint32_t i = 0; i < count && !r->failed; i++) {
		int16_t error_code = kp_read_int16(r);
		int32_t partition = kp_read_int32(r);
		int32_t leader = kp_read_int32(r);

		(void)kp_read_int32(r); /* epoch */
		skip_nodes(r);
		skip_nodes(r);
		skip_nodes(r);
		skip_tags(r);
		if (partition == 0 && error_code == 0)
			leader_of_0 = leader;
	}
	return leader_of_0;
}

/* Where the node with that id is, from the list of brokers. */
static bool
find_node(struct kp_bench_leader *out, struct kp_reader brokers, int32_t node)
{
	uint32_t count = read_count(&brokers);

	for (uint32_t i = 0; i < count && !brokers.failed; i++) {
		int32_t id = kp_read_int32(&brokers);
		struct kp_bytes host = kp_read_compact(&brokers);
		int32_t port = kp_read_int32(&brokers);

		(void)kp_read_compact(&brokers); /* rack */
		skip_tags(&brokers);
		if (id != node || brokers.failed)
			continue;
		if (host.len == 0 || host.len >= sizeof(out->host) ||
		    port <= 0 || port > UINT16_MAX)
			return false;
		kp_copy(out->host, host.data, host.len);
		out->host[host.len] = '\0';
		out->port = (uint16_t)port;
		return true;
	}
	return false;
}

static void
skip_brokers(struct kp_reader *r)
{
	uint32_t count = read_count(r);

	for (uint32_t i = 0; i < count && !r->failed; i++) {
		(void)kp_read_int32(r);
		(void)kp_read_compact(r);
		(void)kp_read_int32(r);
		(void)kp_read_compact(r);
		skip_tags(r);
	}
}

/* Returns the leader of the topic's partition 0 if it is the one wanted. */
static int32_t
read_topic(struct kp_reader *r, const char *wanted, uint8_t out_id[KP_UUID_LEN])
{
	int16_t error_code = kp_read_int16(r);
	struct kp_bytes name = kp_read_compact(r);
	struct kp_bytes id = kp_read_uuid(r);
	int32_t leader;

	(void)kp_read_bool(r);
	leader = read_partitions(r);
	(void)kp_read_int32(r); /* authorized operations */
	skip_tags(r);
	if (r->failed || error_code != 0 ||
	    (wanted != NULL && !kp_bytes_equal(name, kp_bytes_of(wanted))))
		return -1;
	if (leader >= 0)
		kp_copy(out_id, id.data, KP_UUID_LEN);
	return leader;
}

bool
kp_verdict_metadata(struct kp_bench_leader *out, uint32_t *out_topics,
    struct kp_bytes body, const char *topic, struct kp_error *err)
{
	struct kp_reader r, brokers;
	int32_t leader = -1;

	kp_reader_init(&r, body);
	(void)kp_read_int32(&r); /* throttle */
	brokers = r;
	skip_brokers(&r);
	(void)kp_read_compact(&r); /* cluster id */
	(void)kp_read_int32(&r);   /* controller */
	*out_topics = read_count(&r);
	for (uint32_t i = 0; i < *out_topics && !r.failed; i++) {
		uint8_t id[KP_UUID_LEN];
		int32_t found = read_topic(&r, topic, id);

		if (found < 0 || leader >= 0)
			continue;
		leader = found;
		kp_copy(out->topic_id, id, sizeof(id));
	}
	skip_tags(&r);
	if (!finish(&r, "Metadata", 0, err))
		return false;
	return find_node(out, brokers, leader) ||
	       kp_error_set(err, KP_ERR_PROTOCOL,
		   "Metadata answer names no leader of topic \"%s\"",
		   topic != NULL ? topic : "any");
}

bool
kp_verdict_produce(struct kp_bytes body, struct kp_error *err)
{
	struct kp_reader r;
	int16_t error_code;

	kp_reader_init(&r, body);
	if (read_count(&r) != 1)
		kp_reader_fail(&r);
	(void)kp_read_compact(&r);
	if (read_count(&r) != 1)
		kp_reader_fail(&r);
	(void)kp_read_int32(&r); /* partition */
	error_code = kp_read_int16(&r);
	(void)kp_read_int64(&r); /* base offset */
	(void)kp_read_int64(&r); /* append time */
	(void)kp_read_int64(&r); /* log start */
	if (read_count(&r) != 0) /* record errors */
		kp_reader_fail(&r);
	(void)kp_read_compact(&r); /* message */
	skip_tags(&r);
	skip_tags(&r);
	(void)kp_read_int32(&r); /* throttle */
	skip_tags(&r);
	return finish(&r, "Produce", error_code, err);
}

bool
kp_verdict_fetch(
    struct kp_bytes *out_records, struct kp_bytes body, struct kp_error *err)
{
	struct kp_reader r;
	int16_t error_code, partition_error;

	kp_reader_init(&r, body);
	(void)kp_read_int32(&r); /* throttle */
	error_code = kp_read_int16(&r);
	(void)kp_read_int32(&r); /* session */
	if (read_count(&r) != 1)
		kp_reader_fail(&r);
	(void)kp_read_uuid(&r);
	if (read_count(&r) != 1)
		kp_reader_fail(&r);
	(void)kp_read_int32(&r); /* partition */
	partition_error = kp_read_int16(&r);
	(void)kp_read_int64(&r); /* high watermark */
	(void)kp_read_int64(&r); /* last stable offset */
	(void)kp_read_int64(&r); /* log start */
	if (read_count(&r) != 0) /* aborted transactions */
		kp_reader_fail(&r);
	(void)kp_read_int32(&r); /* preferred replica */
	*out_records = kp_read_compact(&r);
	skip_tags(&r);
	skip_tags(&r);
	skip_tags(&r);
	return finish(
	    &r, "Fetch", error_code != 0 ? error_code : partition_error, err);
}

bool
kp_verdict_heartbeat(struct kp_bytes body, struct kp_error *err)
{
	struct kp_reader r;
	int16_t error_code;

	kp_reader_init(&r, body);
	(void)kp_read_int32(&r);
	error_code = kp_read_int16(&r);
	skip_tags(&r);
	return finish(&r, "Heartbeat", error_code, err);
}
