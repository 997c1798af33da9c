/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <criterion/criterion.h>
#include <limits.h>

Test(clock, monotonic_time_never_goes_back)
{
	int64_t before = kp_now_ns();

	for (unsigned i = 0; i < 10000; i++) {
		int64_t now = kp_now_ns();

		cr_assert(now >= before);
		before = now;
	}
}

Test(clock, milliseconds_and_nanoseconds_are_the_same_clock)
{
	int64_t before_ms = kp_now_ms();
	int64_t ns = kp_now_ns();
	int64_t after_ms = kp_now_ms();

	cr_assert(ns / 1000000 >= before_ms);
	cr_assert(ns / 1000000 <= after_ms);
}

Test(clock, wall_clock_is_after_this_was_written)
{
	const int64_t year_2026_ms = INT64_C(1767225600000);
	const int64_t year_2200_ms = INT64_C(7258118400000);

	cr_assert(kp_wall_ms() > year_2026_ms);
	cr_assert(kp_wall_ms() < year_2200_ms);
}

Test(clock, time_left_is_what_poll_wants)
{
	int64_t now = kp_now_ms();
	int left = kp_ms_left(now + 60000);

	cr_assert_eq(kp_ms_left(KP_NEVER), -1);
	cr_assert_eq(kp_ms_left(now - 1), 0);
	cr_assert_eq(kp_ms_left(now), 0);
	cr_assert_eq(kp_ms_left(INT64_MIN / 2), 0);
	cr_assert(left > 0 && left <= 60000);
	cr_assert_eq(kp_ms_left(KP_NEVER - 1), INT_MAX);
}
