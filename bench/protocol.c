/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/protocol.h"

/*
 * Within a range requests and answers look the same as long as no tagged field
 * is set, which we never do. Metadata goes to what all known peers decode.
 */
const struct kp_bench_range kp_bench_apis[KP_NUM_BENCH_APIS] = {
	[KP_BENCH_PRODUCE] = { "Produce", 0, 9, 12 },
	[KP_BENCH_FETCH] = { "Fetch", 1, 15, 17 },
	[KP_BENCH_METADATA] = { "Metadata", 3, 12, 12 },
	[KP_BENCH_HEARTBEAT] = { "Heartbeat", 12, 4, 4 },
	[KP_BENCH_API_VERSIONS] = { "ApiVersions", 18, 0, 4 },
};
