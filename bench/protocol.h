/* SPDX-License-Identifier: Apache-2.0 */
/* What sink and load agree about: APIs, the versions of each that have one
 * layout here, and where things are in a frame. @thread any */
#ifndef KP_BENCH_PROTOCOL_H
#define KP_BENCH_PROTOCOL_H

#include <stdint.h>

enum kp_bench_api {
	KP_BENCH_PRODUCE,
	KP_BENCH_FETCH,
	KP_BENCH_METADATA,
	KP_BENCH_HEARTBEAT,
	KP_BENCH_API_VERSIONS,
	KP_NUM_BENCH_APIS
};

struct kp_bench_range {
	const char *name;
	int16_t key;
	int16_t min_version, max_version;
};

/* By enum kp_bench_api. */
extern const struct kp_bench_range kp_bench_apis[KP_NUM_BENCH_APIS];

/* Topics are "bench-0", "bench-1", ... with ids that end in their number. */
#define KP_BENCH_TOPIC "bench-"
#define KP_BENCH_MAX_TOPIC_LEN 32

/* Of every frame: length, then in requests key and version. */
#define KP_REQUEST_CORRELATION_AT 8
#define KP_ANSWER_CORRELATION_AT 4

#endif
