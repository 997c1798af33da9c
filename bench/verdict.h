/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client makes of answers: bodies without frame and header, as hostile
 * as any other bytes. Each function fails with KP_ERR_PROTOCOL if the answer is
 * malformed or says that something went wrong. @thread any
 */
#ifndef KP_BENCH_VERDICT_H
#define KP_BENCH_VERDICT_H

#include "base/bytes.h"
#include "base/error.h"
#include "bench/protocol.h"

struct kp_bench_versions {
	int16_t version[KP_NUM_BENCH_APIS]; /* the highest of both sides */
};

/* Version 3 of ApiVersions. */
bool kp_verdict_api_versions(struct kp_bench_versions *out,
    struct kp_bytes body, struct kp_error *err) KP_MUST_CHECK;

/* Where partition 0 of a topic is to be reached. */
struct kp_bench_leader {
	char host[256];
	uint16_t port;
	uint8_t topic_id[16];
};

/*
 * topic NULL: any. *out is of the first topic that fits; *out_topics counts
 * all.
 */
bool kp_verdict_metadata(struct kp_bench_leader *out, uint32_t *out_topics,
    struct kp_bytes body, const char *topic,
    struct kp_error *err) KP_MUST_CHECK;

bool kp_verdict_produce(
    struct kp_bytes body, struct kp_error *err) KP_MUST_CHECK;

/* *out_records borrows from body. */
bool kp_verdict_fetch(struct kp_bytes *out_records, struct kp_bytes body,
    struct kp_error *err) KP_MUST_CHECK;

bool kp_verdict_heartbeat(
    struct kp_bytes body, struct kp_error *err) KP_MUST_CHECK;

#endif
