/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/times.h"

#include <criterion/criterion.h>

Test(times, points_in_time_are_utc)
{
	char text[KP_TIME_SIZE];

	kp_time_format(text, 1700000000123);
	cr_assert_str_eq(text, "2023-11-14T22:13:20Z");
	kp_time_format(text, 253402300799999);
	cr_assert_str_eq(text, "9999-12-31T23:59:59Z");
}

Test(times, what_no_calendar_knows_is_empty)
{
	static const int64_t points[] = { 0, -1, INT64_MIN, INT64_MAX,
		253402300800000 };
	char text[KP_TIME_SIZE];

	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		kp_time_format(text, points[i]);
		cr_assert_str_empty(text);
	}
}

Test(times, how_long_ago_is_in_one_unit)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = { { 0, "0s" }, { -5, "0s" }, { 119, "119s" }, { 120, "2m" },
		{ 7199, "119m" }, { 7200, "2h" }, { 172799, "47h" },
		{ 172800, "2d" } };
	char text[KP_TIME_SIZE];
	int64_t now_ms = 1700000000000;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		kp_time_ago(text, now_ms - cases[i].seconds * 1000, now_ms);
		cr_assert_str_eq(text, cases[i].text);
	}
	kp_time_ago(text, 0, now_ms);
	cr_assert_str_empty(text);
	kp_time_ago(text, 1, INT64_MAX);
	cr_assert_str_eq(text, "106751991167d");
}
