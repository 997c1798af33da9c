/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/histogram.h"

#include <criterion/criterion.h>

static void
expect_near(uint64_t found, uint64_t expected)
{
	uint64_t apart = found > expected ? found - expected : expected - found;

	cr_assert(apart * 100 <= expected, "%lu is not within 1 %% of %lu",
	    (unsigned long)found, (unsigned long)expected);
}

Test(histogram, percentiles_are_within_one_percent_at_any_size)
{
	static struct kp_histogram histogram;

	for (uint64_t unit = 1; unit < UINT64_C(1) << 30; unit *= 1000) {
		histogram = (struct kp_histogram){ .count = 0 };
		for (uint64_t i = 1; i <= 1000; i++)
			kp_histogram_add(&histogram, (int64_t)(i * unit));
		expect_near(
		    kp_histogram_percentile(&histogram, 50000), 500 * unit);
		expect_near(
		    kp_histogram_percentile(&histogram, 99000), 990 * unit);
		expect_near(
		    kp_histogram_percentile(&histogram, 99900), 999 * unit);
		cr_assert(kp_histogram_mean(&histogram) == 1001 * unit / 2);
		cr_assert(histogram.max_ns == 1000 * unit);
	}
}

Test(histogram, one_outlier_among_thousand_is_beyond_p999_only)
{
	static struct kp_histogram histogram;

	for (unsigned i = 0; i < 999; i++)
		kp_histogram_add(&histogram, 1000);
	kp_histogram_add(&histogram, 5000000);
	expect_near(kp_histogram_percentile(&histogram, 99900), 1000);
	expect_near(kp_histogram_percentile(&histogram, 100000), 5000000);
}

Test(histogram, nothing_is_left_out_however_odd)
{
	static struct kp_histogram histogram;

	cr_assert(kp_histogram_percentile(&histogram, 50000) == 0);
	cr_assert(kp_histogram_mean(&histogram) == 0);
	kp_histogram_add(&histogram, -5);
	kp_histogram_add(&histogram, 0);
	kp_histogram_add(&histogram, INT64_MAX);
	cr_assert(histogram.count == 3);
	cr_assert(kp_histogram_percentile(&histogram, 50000) == 0);
	cr_assert(kp_histogram_percentile(&histogram, 100000) >
		  (UINT64_C(1) << (KP_HISTOGRAM_MAX_BITS - 1)));
}
