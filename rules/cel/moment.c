/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/cel/moment.h"

#include <stdio.h>

#define NANOS INT64_C(1000000000)
#define A_DAY INT64_C(86400)
/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z */
#define MIN_SECONDS INT64_C(-62135596800)
#define MAX_SECONDS INT64_C(253402300799)

struct date {
	int64_t year;
	int32_t month, day; /* from 1 */
};

/* A text while it is read. */
struct cursor {
	struct kp_bytes rest;
	bool failed;
};

static int
next_of(const struct cursor *c)
{
	return c->rest.len > 0 ? c->rest.data[0] : -1;
}

static int
take(struct cursor *c)
{
	int byte = next_of(c);

	if (byte < 0) {
		c->failed = true;
		return -1;
	}
	c->rest.data++;
	c->rest.len--;
	return byte;
}

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static int32_t
take_digits(struct cursor *c, int num)
{
	int32_t value = 0;

	while (num-- > 0) {
		int digit = take(c);

		if (!is_digit(digit))
			c->failed = true;
		value = value * 10 + (digit - '0');
	}
	return c->failed ? 0 : value;
}

static void
take_one_of(struct cursor *c, char a, char b)
{
	int byte = take(c);

	if (byte != a && byte != b)
		c->failed = true;
}

static bool
is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from the beginning of a year to that of a month, 1..13. */
static int32_t
days_before(int64_t year, int32_t month)
{
	static const int16_t days[] = { 0, 0, 31, 59, 90, 120, 151, 181, 212,
		243, 273, 304, 334, 365 };

	return days[month] + (month > 2 && is_leap(year));
}

/* Days from 1 January of the year 1 to that of year. */
static int64_t
days_of_years(int64_t year)
{
	int64_t past = year - 1;

	return past * 365 + past / 4 - past / 100 + past / 400;
}

static struct date
date_of(int64_t days)
{
	/* 146097 days are 400 years; the guess is at most one too early. */
	struct date date = { .year = days * 400 / 146097 + 1, .month = 1 };

	while (days_of_years(date.year + 1) <= days)
		date.year++;
	while (days_of_years(date.year) > days)
		date.year--;
	days -= days_of_years(date.year);
	while (days_before(date.year, date.month + 1) <= days)
		date.month++;
	date.day = (int32_t)days - days_before(date.year, date.month) + 1;
	return date;
}

static bool
is_date(const struct date *date)
{
	return date->year >= 1 && date->month >= 1 && date->month <= 12 &&
	       date->day >= 1 &&
	       date->day <= days_before(date->year, date->month + 1) -
				days_before(date->year, date->month);
}

/* ".5" and so on as nanoseconds; more than nine digits are refused. */
static int64_t
take_fraction(struct cursor *c)
{
	int64_t value = 0, unit = NANOS;

	if (next_of(c) != '.')
		return 0;
	(void)take(c);
	if (!is_digit(next_of(c)))
		c->failed = true;
	while (is_digit(next_of(c)) && unit > 1) {
		unit /= 10;
		value += unit * (take(c) - '0');
	}
	return value;
}

static int32_t
take_offset(struct cursor *c)
{
	int sign = take(c);
	int32_t hours, minutes;

	if (sign == 'Z' || sign == 'z')
		return 0;
	if (sign != '+' && sign != '-')
		c->failed = true;
	hours = take_digits(c, 2);
	take_one_of(c, ':', ':');
	minutes = take_digits(c, 2);
	if (hours > 23 || minutes > 59)
		c->failed = true;
	return (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
}

static int64_t
take_date(struct cursor *c)
{
	struct date date = { .year = take_digits(c, 4) };

	take_one_of(c, '-', '-');
	date.month = take_digits(c, 2);
	take_one_of(c, '-', '-');
	date.day = take_digits(c, 2);
	if (c->failed || !is_date(&date)) {
		c->failed = true;
		return 0;
	}
	return days_of_years(date.year) + days_before(date.year, date.month) +
	       date.day - 1;
}

static int32_t
take_clock(struct cursor *c)
{
	int32_t hours = take_digits(c, 2), minutes, seconds;

	take_one_of(c, ':', ':');
	minutes = take_digits(c, 2);
	take_one_of(c, ':', ':');
	seconds = take_digits(c, 2);
	if (hours > 23 || minutes > 59 || seconds > 59)
		c->failed = true;
	return hours * 3600 + minutes * 60 + seconds;
}

bool
kp_cel_timestamp_make(
    int64_t seconds, int64_t nanoseconds, struct kp_cel_value *out)
{
	int64_t carry = nanoseconds / NANOS;

	nanoseconds -= carry * NANOS;
	if (nanoseconds < 0) {
		nanoseconds += NANOS;
		carry--;
	}
	if (__builtin_add_overflow(seconds, carry, &seconds) ||
	    seconds < MIN_SECONDS || seconds > MAX_SECONDS)
		return false;
	*out = kp_cel_timestamp(seconds, (uint32_t)nanoseconds);
	return true;
}

bool
kp_cel_timestamp_parse(struct kp_bytes text, struct kp_cel_value *out)
{
	struct cursor c = { .rest = text };
	int64_t seconds = MIN_SECONDS + take_date(&c) * A_DAY, nanoseconds;

	take_one_of(&c, 'T', 't');
	seconds += take_clock(&c);
	nanoseconds = take_fraction(&c);
	seconds -= take_offset(&c);
	return !c.failed && c.rest.len == 0 &&
	       kp_cel_timestamp_make(seconds, nanoseconds, out);
}

/* Writes ".5" without trailing zeros, nothing for 0. */
static size_t
print_fraction(char *out, size_t size, uint32_t nanoseconds)
{
	int len;

	if (nanoseconds == 0)
		return 0;
	len = snprintf(out, size, ".%09u", nanoseconds);
	while (out[len - 1] == '0')
		len--;
	return (size_t)len;
}

size_t
kp_cel_timestamp_print(
    char out[KP_CEL_MOMENT_SIZE], struct kp_cel_value timestamp)
{
	int64_t since = timestamp.as.number - MIN_SECONDS;
	int32_t clock = (int32_t)(since % A_DAY);
	struct date date = date_of(since / A_DAY);
	size_t len;

	len = (size_t)snprintf(out, KP_CEL_MOMENT_SIZE,
	    "%04d-%02d-%02dT%02d:%02d:%02d", (int)date.year, date.month,
	    date.day, clock / 3600, clock / 60 % 60, clock % 60);
	len += print_fraction(
	    out + len, KP_CEL_MOMENT_SIZE - len, timestamp.extra);
	out[len++] = 'Z';
	return len;
}

size_t
kp_cel_duration_print(
    char out[KP_CEL_MOMENT_SIZE], struct kp_cel_value duration)
{
	int64_t seconds = duration.as.number / NANOS;
	int64_t rest = duration.as.number % NANOS;
	size_t len;

	len = (size_t)snprintf(out, KP_CEL_MOMENT_SIZE, "%s%lld",
	    duration.as.number < 0 && seconds == 0 ? "-" : "",
	    (long long)seconds);
	len += print_fraction(out + len, KP_CEL_MOMENT_SIZE - len,
	    (uint32_t)(rest < 0 ? -rest : rest));
	out[len++] = 's';
	return len;
}

/* The unit that stands here, in nanoseconds; 0 if there is none. */
static uint64_t
take_unit(struct cursor *c)
{
	static const struct {
		const char *name;
		uint64_t nanoseconds;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "\xc2\xb5s", 1000 },
		{ "\xce\xbcs", 1000 },
		{ "ms", 1000000 },
		{ "s", NANOS },
		{ "m", 60 * NANOS },
		{ "h", 3600 * NANOS },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		struct kp_bytes name = kp_bytes_of(units[i].name);
		struct kp_bytes here = { c->rest.data, name.len };

		if (c->rest.len < name.len || !kp_bytes_equal(here, name))
			continue;
		c->rest.data += name.len;
		c->rest.len -= name.len;
		return units[i].nanoseconds;
	}
	return 0;
}

/* "1.5h": whole parts exactly, the fraction as far as a nanosecond. */
static bool
take_quantity(struct cursor *c, uint64_t *out)
{
	uint64_t whole = 0, fraction = 0, scale = 1, unit;
	bool has_digits = is_digit(next_of(c));

	while (is_digit(next_of(c)))
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(
			whole, (uint64_t)(take(c) - '0'), &whole))
			return false;
	if (next_of(c) == '.') {
		(void)take(c);
		has_digits = has_digits || is_digit(next_of(c));
		while (is_digit(next_of(c))) {
			uint64_t digit = (uint64_t)(take(c) - '0');

			if (scale >= NANOS)
				continue;
			fraction = fraction * 10 + digit;
			scale *= 10;
		}
	}
	unit = take_unit(c);
	if (!has_digits || unit == 0 ||
	    __builtin_mul_overflow(whole, unit, &whole))
		return false;
	fraction = unit >= scale ? fraction * (unit / scale)
				 : fraction / (scale / unit);
	return !__builtin_add_overflow(whole, fraction, out);
}

bool
kp_cel_duration_parse(struct kp_bytes text, struct kp_cel_value *out)
{
	struct cursor c = { .rest = text };
	bool is_negative = next_of(&c) == '-';
	uint64_t sum = 0, part;

	if (is_negative || next_of(&c) == '+')
		(void)take(&c);
	if (c.rest.len == 1 && next_of(&c) == '0') {
		*out = kp_cel_duration(0);
		return true;
	}
	if (c.rest.len == 0)
		return false;
	while (c.rest.len > 0)
		if (!take_quantity(&c, &part) ||
		    __builtin_add_overflow(sum, part, &sum))
			return false;
	/* There is one more nanosecond below zero than above. */
	if (sum > (uint64_t)INT64_MAX + is_negative)
		return false;
	*out = kp_cel_duration((int64_t)(is_negative ? 0 - sum : sum));
	return true;
}

bool
kp_cel_zone_parse(struct kp_bytes text, int32_t *out_seconds)
{
	struct cursor c = { .rest = text };
	bool is_negative = next_of(&c) == '-';
	int32_t hours, minutes;

	*out_seconds = 0;
	if (text.len == 0 || kp_bytes_equal(text, kp_bytes_of("UTC")))
		return true;
	if (is_negative || next_of(&c) == '+')
		(void)take(&c);
	hours = take_digits(&c, 2);
	take_one_of(&c, ':', ':');
	minutes = take_digits(&c, 2);
	if (c.failed || c.rest.len > 0 || hours > 23 || minutes > 59)
		return false;
	*out_seconds = (hours * 3600 + minutes * 60) * (is_negative ? -1 : 1);
	return true;
}

static int64_t
date_part(int64_t days, enum kp_cel_part part)
{
	struct date date = date_of(days);

	if (part == KP_CEL_YEAR)
		return date.year;
	if (part == KP_CEL_MONTH)
		return date.month - 1;
	if (part == KP_CEL_DATE)
		return date.day;
	if (part == KP_CEL_DAY_OF_MONTH)
		return date.day - 1;
	if (part == KP_CEL_DAY_OF_YEAR)
		return days_before(date.year, date.month) + date.day - 1;
	return (days + 1) % 7; /* 1 January of the year 1 was a Monday */
}

int64_t
kp_cel_timestamp_part(
    struct kp_cel_value timestamp, enum kp_cel_part part, int32_t zone_seconds)
{
	/* A zone can lead out of the years 1 to 9999: 400 years ahead, every
	 * day and weekday is the same. */
	int64_t era = 146097 * A_DAY, year = 0;
	int64_t since = timestamp.as.number - MIN_SECONDS + zone_seconds;

	if (since < 0) {
		since += era;
		year = part == KP_CEL_YEAR ? 400 : 0;
	}
	if (part == KP_CEL_HOURS)
		return since % A_DAY / 3600;
	if (part == KP_CEL_MINUTES)
		return since % 3600 / 60;
	if (part == KP_CEL_SECONDS)
		return since % 60;
	if (part == KP_CEL_MILLISECONDS)
		return timestamp.extra / 1000000;
	return date_part(since / A_DAY, part) - year;
}

int64_t
kp_cel_duration_part(struct kp_cel_value duration, enum kp_cel_part part)
{
	int64_t seconds = duration.as.number / NANOS;

	if (part == KP_CEL_HOURS)
		return seconds / 3600;
	if (part == KP_CEL_MINUTES)
		return seconds / 60;
	if (part == KP_CEL_SECONDS)
		return seconds;
	if (part == KP_CEL_MILLISECONDS)
		return duration.as.number % NANOS / 1000000;
	return 0;
}
