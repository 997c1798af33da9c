/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of answers, as the sink gives them: each function adds one to out,
 * without frame and header. @thread any */
#ifndef KP_BENCH_ANSWER_H
#define KP_BENCH_ANSWER_H

#include "base/bytes.h"
#include "base/error.h"

#define KP_BENCH_MAX_NODES 16

/* The cluster that the sink plays: every node listens on the same host. */
struct kp_bench_cluster {
	const char *host;
	uint16_t ports[KP_BENCH_MAX_NODES]; /* by node id */
	uint32_t num_nodes;
	uint32_t num_topics, num_partitions;
	size_t batch_len; /* of batches in Fetch answers */
};

void kp_answer_api_versions(struct kp_buf *out, int16_t version);

/* first and count: which topics, by their numbers. */
void kp_answer_metadata(struct kp_buf *out,
    const struct kp_bench_cluster *cluster, uint32_t first, uint32_t count);

void kp_answer_produce(
    struct kp_buf *out, struct kp_bytes topic, int32_t partition);

/* Records of max_bytes or a few less. */
bool kp_answer_fetch(struct kp_buf *out, const struct kp_bench_cluster *cluster,
    uint32_t topic, uint32_t max_bytes, struct kp_error *err) KP_MUST_CHECK;

void kp_answer_heartbeat(struct kp_buf *out);

/* The id of a topic. */
void kp_bench_topic_id(uint8_t out[16], uint32_t topic);

#endif
