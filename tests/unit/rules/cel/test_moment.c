/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "rules/cel/moment.h"

static struct kp_cel_value
timestamp(const char *text)
{
	struct kp_cel_value out = kp_cel_null();

	cr_assert(kp_cel_timestamp_parse(kp_bytes_of(text), &out), "%s", text);
	return out;
}

Test(cel_moment, timestamps_are_read_and_printed)
{
	static const struct {
		const char *text;
		int64_t seconds;
		uint32_t nanoseconds;
		const char *printed;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0, 0, NULL },
		{ "0001-01-01T00:00:00Z", -62135596800, 0, NULL },
		{ "9999-12-31T23:59:59.999999999Z", 253402300799, 999999999,
		    NULL },
		{ "2009-02-13T23:31:30.5Z", 1234567890, 500000000, NULL },
		{ "2000-02-29T12:00:00+01:30", 951820200, 0,
		    "2000-02-29T10:30:00Z" },
		{ "1969-12-31t23:59:59.000000001z", -1, 1,
		    "1969-12-31T23:59:59.000000001Z" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kp_cel_value value = timestamp(cases[i].text);
		const char *wanted =
		    cases[i].printed == NULL ? cases[i].text : cases[i].printed;
		char out[KP_CEL_MOMENT_SIZE];
		size_t len = kp_cel_timestamp_print(out, value);

		cr_assert_eq(value.as.number, cases[i].seconds, "%s: %lld",
		    cases[i].text, (long long)value.as.number);
		cr_assert_eq(value.extra, cases[i].nanoseconds);
		cr_expect(
		    len == strlen(wanted) && memcmp(out, wanted, len) == 0,
		    "%.*s", (int)len, out);
	}
}

Test(cel_moment, what_is_no_timestamp_is_refused)
{
	static const char *const bad[] = { "", "2009", "2009-02-13",
		"2009-02-13T23:31:30", "2009-02-29T00:00:00Z",
		"2009-13-01T00:00:00Z", "2009-00-01T00:00:00Z",
		"2009-01-00T00:00:00Z", "2009-01-01T24:00:00Z",
		"2009-01-01T00:60:00Z", "2009-01-01T00:00:60Z",
		"2009-01-01T00:00:00.Z", "2009-01-01T00:00:00.1234567891Z",
		"2009-01-01T00:00:00+24:00", "2009-01-01T00:00:00+1:00",
		"2009-01-01T00:00:00Z ", "2009-1-01T00:00:00Z",
		"0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z",
		"0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
		"1900-02-29T00:00:00Z" };
	struct kp_cel_value out;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert(!kp_cel_timestamp_parse(kp_bytes_of(bad[i]), &out),
		    "%s", bad[i]);
}

/* Every day of 9999 years follows the one before. */
Test(cel_moment, the_calendar_goes_on_day_by_day)
{
	struct kp_cel_value at = timestamp("0001-01-01T12:00:00Z");
	int64_t weekday = 1, last = 366;

	for (int64_t day = 0; day < 3652059; day++) {
		int64_t of_year =
		    kp_cel_timestamp_part(at, KP_CEL_DAY_OF_YEAR, 0);

		cr_assert(of_year == last + 1 || of_year == 0);
		last = of_year;
		cr_assert_eq(
		    kp_cel_timestamp_part(at, KP_CEL_DAY_OF_WEEK, 0), weekday);
		weekday = (weekday + 1) % 7;
		at.as.number += 86400;
	}
	at.as.number -= 86400;
	cr_assert_eq(kp_cel_timestamp_part(at, KP_CEL_YEAR, 0), 9999);
	cr_assert_eq(last, 364);
}

Test(cel_moment, zones_move_the_parts)
{
	struct kp_cel_value at = timestamp("2009-02-13T23:31:30.987Z");
	struct kp_cel_value first = timestamp("0001-01-01T00:30:00Z");
	int32_t zone;

	cr_assert(kp_cel_zone_parse(kp_bytes_of("+11:00"), &zone));
	cr_assert_eq(kp_cel_timestamp_part(at, KP_CEL_DATE, zone), 14);
	cr_assert_eq(kp_cel_timestamp_part(at, KP_CEL_DAY_OF_MONTH, zone), 13);
	cr_assert_eq(kp_cel_timestamp_part(at, KP_CEL_HOURS, zone), 10);
	cr_assert(kp_cel_zone_parse(kp_bytes_of("-09:30"), &zone));
	cr_assert_eq(kp_cel_timestamp_part(at, KP_CEL_MINUTES, zone), 1);
	cr_assert_eq(kp_cel_timestamp_part(at, KP_CEL_MILLISECONDS, 0), 987);
	cr_assert_eq(kp_cel_timestamp_part(first, KP_CEL_YEAR, -3600), 0);
	cr_assert_eq(kp_cel_timestamp_part(first, KP_CEL_MONTH, -3600), 11);
	cr_assert_eq(
	    kp_cel_timestamp_part(first, KP_CEL_DAY_OF_WEEK, -3600), 0);
	cr_expect(kp_cel_zone_parse(kp_bytes_of("UTC"), &zone));
	cr_assert_eq(zone, 0);
	cr_assert(!kp_cel_zone_parse(kp_bytes_of("Europe/Paris"), &zone));
	cr_assert(!kp_cel_zone_parse(kp_bytes_of("+1:00"), &zone));
	cr_assert(!kp_cel_zone_parse(kp_bytes_of("+24:00"), &zone));
	cr_assert(!kp_cel_zone_parse(kp_bytes_of("+01:00x"), &zone));
}

Test(cel_moment, durations_are_read_and_printed)
{
	static const struct {
		const char *text;
		int64_t nanoseconds;
		const char *printed;
	} cases[] = {
		{ "0", 0, "0s" },
		{ "1h30m", 5400000000000, "5400s" },
		{ "-1.5s", -1500000000, "-1.5s" },
		{ "-0.5s", -500000000, "-0.5s" },
		{ "+1ms1us1ns", 1001001, "0.001001001s" },
		{ "1\xc2\xb5s", 1000, "0.000001s" },
		{ ".5h", 1800000000000, "1800s" },
		{ "1.s", 1000000000, "1s" },
		{ "1.0000000019s", 1000000001, "1.000000001s" },
		{ "2.1234567ms", 2123456, "0.002123456s" },
		{ "9223372036854775807ns", INT64_MAX, "9223372036.854775807s" },
		{ "-9223372036854775808ns", INT64_MIN,
		    "-9223372036.854775808s" },
		{ "-2562047h47m16.854775808s", INT64_MIN,
		    "-9223372036.854775808s" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kp_cel_value value;
		char out[KP_CEL_MOMENT_SIZE];
		size_t len;

		cr_assert(
		    kp_cel_duration_parse(kp_bytes_of(cases[i].text), &value),
		    "%s", cases[i].text);
		cr_assert_eq(value.as.number, cases[i].nanoseconds, "%s: %lld",
		    cases[i].text, (long long)value.as.number);
		len = kp_cel_duration_print(out, value);
		cr_expect(len == strlen(cases[i].printed) &&
			      memcmp(out, cases[i].printed, len) == 0,
		    "%.*s", (int)len, out);
	}
}

Test(cel_moment, what_is_no_duration_is_refused)
{
	static const char *const bad[] = { "", "-", "1", "s", "1x", "1s1", ".s",
		"1 s", "--1s", "1s ", "1d", "9223372036854775808ns",
		"-9223372036854775809ns", "-9223372036s854775809ns",
		"9223372037s", "99999999999999999999s", "2562048h",
		"9223372036s1s" };
	struct kp_cel_value out;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert(!kp_cel_duration_parse(kp_bytes_of(bad[i]), &out),
		    "%s", bad[i]);
}
