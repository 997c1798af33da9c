/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durations in buckets whose width grows with the value: 128 for each power of
 * two, so that every percentile is within 1 % of the truth, from 1 ns to hours,
 * at a fixed cost. Nothing is left out. @thread one at a time
 */
#ifndef KP_BENCH_HISTOGRAM_H
#define KP_BENCH_HISTOGRAM_H

#include <stdint.h>

#define KP_HISTOGRAM_SUB_BITS 7
#define KP_HISTOGRAM_MAX_BITS 44 /* larger ones count as the largest */
#define KP_HISTOGRAM_BUCKETS \
	((KP_HISTOGRAM_MAX_BITS - KP_HISTOGRAM_SUB_BITS + 1) \
	    << KP_HISTOGRAM_SUB_BITS)

/* The zero state is empty. */
struct kp_histogram {
	uint64_t counts[KP_HISTOGRAM_BUCKETS];
	uint64_t count;
	uint64_t sum_ns;
	uint64_t max_ns;
};

void kp_histogram_add(struct kp_histogram *histogram, int64_t duration_ns);

/*
 * kp_histogram_percentile is the duration that at least that share of them
 * (per 100 000: 99 900 is p99.9) did not exceed; 0 if there are none.
 */
uint64_t kp_histogram_percentile(
    const struct kp_histogram *histogram, unsigned per_100000);

uint64_t kp_histogram_mean(const struct kp_histogram *histogram);

#endif
