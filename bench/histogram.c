/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/histogram.h"

#define SUB_COUNT (1u << KP_HISTOGRAM_SUB_BITS)
#define MAX_VALUE ((UINT64_C(1) << KP_HISTOGRAM_MAX_BITS) - 1)

/* Values below SUB_COUNT have a bucket each, the others share. */
static unsigned
bucket_of(uint64_t value)
{
	unsigned shift = 0;

	while ((value >> shift) >= 2 * SUB_COUNT)
		shift++;
	return value < SUB_COUNT ? (unsigned)value
				 : (shift << KP_HISTOGRAM_SUB_BITS) +
				       (unsigned)(value >> shift);
}

/* The middle of a bucket. */
static uint64_t
value_of(unsigned bucket)
{
	unsigned shift;
	uint64_t first;

	if (bucket < 2 * SUB_COUNT)
		return bucket;
	shift = (bucket >> KP_HISTOGRAM_SUB_BITS) - 1;
	first = (uint64_t)(bucket - (shift << KP_HISTOGRAM_SUB_BITS)) << shift;
	return first + (UINT64_C(1) << shift) / 2;
}

void
kp_histogram_add(struct kp_histogram *histogram, int64_t duration_ns)
{
	uint64_t value = duration_ns > 0 ? (uint64_t)duration_ns : 0;

	histogram->counts[bucket_of(value < MAX_VALUE ? value : MAX_VALUE)]++;
	histogram->count++;
	histogram->sum_ns += value;
	if (value > histogram->max_ns)
		histogram->max_ns = value;
}

uint64_t
kp_histogram_percentile(
    const struct kp_histogram *histogram, unsigned per_100000)
{
	uint64_t wanted = (histogram->count * per_100000 + 99999) / 100000;
	uint64_t seen = 0;

	for (unsigned i = 0; i < KP_HISTOGRAM_BUCKETS; i++) {
		seen += histogram->counts[i];
		if (seen >= wanted && seen > 0)
			return value_of(i);
	}
	return 0;
}

uint64_t
kp_histogram_mean(const struct kp_histogram *histogram)
{
	return histogram->count == 0 ? 0 : histogram->sum_ns / histogram->count;
}
