/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/answer.h"

#include <stdio.h>

#include "bench/payload.h"
#include "bench/protocol.h"
#include "proto/kafka/reader.h"
#include "proto/kafka/writer.h"

#define CLUSTER_ID "kproxy-bench"
#define NOT_KNOWN INT32_MIN
#define MAX_REPLICAS 3

void
kp_bench_topic_id(uint8_t out[16], uint32_t topic)
{
	static const uint8_t prefix[12] = { 'k', 'p', 'b', 'e', 'n', 'c', 'h' };

	kp_copy(out, prefix, sizeof(prefix));
	kp_number_put(out + sizeof(prefix), topic, sizeof(topic));
}

void
kp_answer_api_versions(struct kp_buf *out, int16_t version)
{
	bool is_flexible = version >= 3;

	kp_write_int16(out, 0);
	if (is_flexible)
		kp_write_compact_length(out, KP_NUM_BENCH_APIS);
	else
		kp_write_length32(out, KP_NUM_BENCH_APIS);
	for (unsigned i = 0; i < KP_NUM_BENCH_APIS; i++) {
		kp_write_int16(out, kp_bench_apis[i].key);
		kp_write_int16(out, kp_bench_apis[i].min_version);
		kp_write_int16(out, kp_bench_apis[i].max_version);
		if (is_flexible)
			kp_write_uvarint(out, 0);
	}
	if (version >= 1)
		kp_write_int32(out, 0); /* throttle */
	if (is_flexible)
		kp_write_uvarint(out, 0);
}

static void
write_brokers(struct kp_buf *out, const struct kp_bench_cluster *cluster)
{
	kp_write_compact_length(out, cluster->num_nodes);
	for (uint32_t i = 0; i < cluster->num_nodes; i++) {
		kp_write_int32(out, (int32_t)i);
		kp_write_compact(out, kp_bytes_of(cluster->host));
		kp_write_int32(out, cluster->ports[i]);
		kp_write_compact_length(out, -1); /* rack */
		kp_write_uvarint(out, 0);
	}
}

/* Partition 0 of topic 0 is led by node 0; replicas follow their leader. */
static void
write_partition(struct kp_buf *out, const struct kp_bench_cluster *cluster,
    uint32_t topic, uint32_t partition)
{
	uint32_t leader = (topic + partition) % cluster->num_nodes;
	uint32_t replicas = cluster->num_nodes < MAX_REPLICAS
				? cluster->num_nodes
				: MAX_REPLICAS;

	kp_write_int16(out, 0);
	kp_write_int32(out, (int32_t)partition);
	kp_write_int32(out, (int32_t)leader);
	kp_write_int32(out, 1); /* leader epoch */
	for (unsigned list = 0; list < 2; list++) {
		kp_write_compact_length(out, replicas);
		for (uint32_t i = 0; i < replicas; i++)
			kp_write_int32(
			    out, (int32_t)((leader + i) % cluster->num_nodes));
	}
	kp_write_compact_length(out, 0); /* offline replicas */
	kp_write_uvarint(out, 0);
}

static void
write_topic(
    struct kp_buf *out, const struct kp_bench_cluster *cluster, uint32_t topic)
{
	char name[KP_BENCH_MAX_TOPIC_LEN];
	uint8_t id[KP_UUID_LEN];

	(void)snprintf(name, sizeof(name), KP_BENCH_TOPIC "%u", topic);
	kp_bench_topic_id(id, topic);
	kp_write_int16(out, 0);
	kp_write_compact(out, kp_bytes_of(name));
	kp_buf_add(out, id, sizeof(id));
	kp_write_bool(out, false); /* internal */
	kp_write_compact_length(out, cluster->num_partitions);
	for (uint32_t i = 0; i < cluster->num_partitions; i++)
		write_partition(out, cluster, topic, i);
	kp_write_int32(out, NOT_KNOWN); /* authorized operations */
	kp_write_uvarint(out, 0);
}

void
kp_answer_metadata(struct kp_buf *out, const struct kp_bench_cluster *cluster,
    uint32_t first, uint32_t count)
{
	kp_write_int32(out, 0); /* throttle */
	write_brokers(out, cluster);
	kp_write_compact(out, kp_bytes_of(CLUSTER_ID));
	kp_write_int32(out, 0); /* controller */
	kp_write_compact_length(out, count);
	for (uint32_t i = 0; i < count; i++)
		write_topic(out, cluster, first + i);
	kp_write_uvarint(out, 0);
}

void
kp_answer_produce(struct kp_buf *out, struct kp_bytes topic, int32_t partition)
{
	kp_write_compact_length(out, 1);
	kp_write_compact(out, topic);
	kp_write_compact_length(out, 1);
	kp_write_int32(out, partition);
	kp_write_int16(out, 0);
	kp_write_int64(out, 0);           /* base offset */
	kp_write_int64(out, -1);          /* append time */
	kp_write_int64(out, 0);           /* log start */
	kp_write_compact_length(out, 0);  /* record errors */
	kp_write_compact_length(out, -1); /* message */
	kp_write_uvarint(out, 0);
	kp_write_uvarint(out, 0);
	kp_write_int32(out, 0); /* throttle */
	kp_write_uvarint(out, 0);
}

bool
kp_answer_fetch(struct kp_buf *out, const struct kp_bench_cluster *cluster,
    uint32_t topic, uint32_t max_bytes, struct kp_error *err)
{
	uint8_t id[KP_UUID_LEN];
	struct kp_buf records;
	bool is_ok;

	kp_bench_topic_id(id, topic);
	kp_buf_init(&records, max_bytes);
	is_ok = kp_payload_add(&records, max_bytes, cluster->batch_len, err);
	kp_write_int32(out, 0); /* throttle */
	kp_write_int16(out, 0);
	kp_write_int32(out, 0); /* session */
	kp_write_compact_length(out, 1);
	kp_buf_add(out, id, sizeof(id));
	kp_write_compact_length(out, 1);
	kp_write_int32(out, 0); /* partition */
	kp_write_int16(out, 0);
	kp_write_int64(out, INT64_MAX);   /* high watermark: more to come */
	kp_write_int64(out, INT64_MAX);   /* last stable offset */
	kp_write_int64(out, 0);           /* log start */
	kp_write_compact_length(out, -1); /* aborted transactions */
	kp_write_int32(out, -1);          /* preferred replica */
	kp_write_compact(out, kp_buf_bytes(&records));
	kp_write_uvarint(out, 0);
	kp_write_uvarint(out, 0);
	kp_write_uvarint(out, 0);
	kp_buf_fini(&records);
	return is_ok;
}

void
kp_answer_heartbeat(struct kp_buf *out)
{
	kp_write_int32(out, 0); /* throttle */
	kp_write_int16(out, 0);
	kp_write_uvarint(out, 0);
}
