/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

Test(text, sizes_are_read_with_their_units)
{
	static const struct {
		const char *text;
		uint64_t size;
	} good[] = {
		{ "0", 0 },
		{ "512", 512 },
		{ "64KiB", 65536 },
		{ "100MiB", 100ull << 20 },
		{ "4GiB", 4ull << 30 },
		{ "2TiB", 2ull << 40 },
		{ "10kB", 10000 },
		{ "1MB", 1000000 },
		{ "3GB", 3000000000 },
		{ "18446744073709551615", UINT64_MAX },
	};
	static const char *const bad[] = { "", "KiB", "-1", "+1", "1.5MiB",
		"1 KiB", "1kib", "1K", "1MiBs", "18446744073709551616",
		"16777216TiB", "0x10", "1e3" };
	uint64_t size;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cr_assert(
		    kp_parse_size(good[i].text, &size), "%s", good[i].text);
		cr_assert_eq(size, good[i].size, "%s", good[i].text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert(!kp_parse_size(bad[i], &size), "%s", bad[i]);
}

Test(text, durations_are_read_as_milliseconds)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{ "250ms", 250 },
		{ "10s", 10000 },
		{ "5m", 300000 },
		{ "2h", 7200000 },
		{ "1d", 86400000 },
		{ "0s", 0 },
	};
	static const char *const bad[] = { "", "10", "s", "1.5s", "-1s", "1 s",
		"1S", "1h30m", "9223372036854775808ms",
		"18446744073709551615h" };
	int64_t ms;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cr_assert(
		    kp_parse_duration(good[i].text, &ms), "%s", good[i].text);
		cr_assert_eq(ms, good[i].ms, "%s", good[i].text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert(!kp_parse_duration(bad[i], &ms), "%s", bad[i]);
}

Test(text, quantities_are_written_as_people_would)
{
	static const struct {
		uint64_t size;
		const char *text;
	} sizes[] = {
		{ 0, "0" },
		{ 1, "1" },
		{ 1000, "1kB" },
		{ 1024, "1KiB" },
		{ 1025, "1025" },
		{ 100ull << 20, "100MiB" },
		{ 4ull << 30, "4GiB" },
		{ 64ull << 40, "64TiB" },
	};
	static const struct {
		int64_t ms;
		const char *text;
	} durations[] = {
		{ 0, "0ms" },
		{ 100, "100ms" },
		{ 1500, "1500ms" },
		{ 90000, "90s" },
		{ 660000, "11m" },
		{ 86400000, "1d" },
	};
	char text[KP_QUANTITY_SIZE];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		kp_format_size(text, sizes[i].size);
		cr_assert_str_eq(text, sizes[i].text);
	}
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		kp_format_duration(text, durations[i].ms);
		cr_assert_str_eq(text, durations[i].text);
	}
}

Test(text, integers_are_decimal_and_nothing_else)
{
	static const struct {
		const char *text;
		int64_t number;
	} good[] = {
		{ "0", 0 },
		{ "42", 42 },
		{ "-7", -7 },
		{ "9223372036854775807", INT64_MAX },
	};
	static const char *const bad[] = { "", "-", "+1", "1.0", "010", "0x1",
		" 1", "1 ", "9223372036854775808", "99999999999999999999",
		"1_0", "one" };
	int64_t number;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cr_assert(
		    kp_parse_int(good[i].text, &number), "%s", good[i].text);
		cr_assert_eq(number, good[i].number, "%s", good[i].text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert(!kp_parse_int(bad[i], &number), "%s", bad[i]);
}

Test(text, a_suggestion_is_near_or_there_is_none)
{
	static const char *const words[] = { "bootstrap", "tls", "auth",
		"connectTimeout", NULL };
	static const struct {
		const char *text;
		const char *near;
	} cases[] = {
		{ "bootstrp", "bootstrap" },
		{ "bootsrtap", "bootstrap" },
		{ "BOOTSTRAP", "bootstrap" },
		{ "connecttimeout", "connectTimeout" },
		{ "tsl", "tls" },
		{ "ca", NULL },
		{ "tlss", "tls" },
		{ "", NULL },
		{ "listener", NULL },
		{ "x", NULL },
	};
	char long_word[200];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *near = kp_suggest(cases[i].text, words);

		if (cases[i].near == NULL) {
			cr_assert_null(near, "%s", cases[i].text);
			continue;
		}
		cr_assert_not_null(near, "%s", cases[i].text);
		cr_assert_str_eq(near, cases[i].near);
	}
	(void)memset(long_word, 'a', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	cr_assert_null(kp_suggest(long_word, words));
}

Test(text, addresses_have_one_form)
{
	static const struct {
		const char *text;
		const char *canonical;
	} good[] = {
		{ "127.0.0.1", "127.0.0.1" },
		{ "0:0:0:0:0:0:0:0", "::" },
		{ "2001:DB8::0:1", "2001:db8::1" },
	};
	static const char *const bad[] = { "", "localhost", "127.1",
		"127.0.0.256", "[::1]", "fe80::1%eth0", "::1 ", "01.2.3.4" };
	char canonical[KP_ADDRESS_SIZE];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cr_assert(kp_parse_address(good[i].text, canonical));
		cr_assert_str_eq(canonical, good[i].canonical);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert(!kp_is_address(bad[i]), "%s", bad[i]);
}

Test(text, hosts_follow_rfc_1123)
{
	static const char *const good[] = { "a", "kafka-1.example.com",
		"my_kafka", "1.2.3.4", "::1", "4u.example", "b0" };
	static const char *const bad[] = { "", ".", "a.", ".a", "a..b", "-a",
		"a-", "a b", "a/b", "1.2.3.256", "1.2.3", "42", "h\xc3\xb6st",
		"a:1", "{node}" };
	char label[70] = "", name[300] = "";

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_assert(kp_is_host(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert(!kp_is_host(bad[i]), "%s", bad[i]);
	(void)memset(label, 'a', 63);
	cr_assert(kp_is_host(label));
	label[63] = 'a';
	cr_assert(!kp_is_host(label));
	for (size_t i = 0; i < 253; i += 2)
		(void)snprintf(name + i, sizeof(name) - i, "a.");
	name[253] = '\0';
	cr_assert(kp_is_host(name));
	(void)snprintf(name + 253, sizeof(name) - 253, "a");
	cr_assert(!kp_is_host(name));
}

Test(text, host_and_port_are_split)
{
	static const struct {
		const char *text;
		const char *host;
		uint16_t port;
	} good[] = {
		{ "kafka:9092", "kafka", 9092 },
		{ "127.0.0.1:1", "127.0.0.1", 1 },
		{ "[::1]:65535", "::1", 65535 },
	};
	static const char *const bad[] = { "", ":", "a", "a:", ":1", "a:0",
		"a:65536", "a:-1", "a:1x", "::1:9092", "[::1]", "[::1:9092",
		"[]:1", "[a]:1", "a:1:2", "[::1]9092" };
	char host[16], tiny[4];
	uint16_t port;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cr_assert(kp_parse_host_port(
		    good[i].text, host, sizeof(host), &port));
		cr_assert_str_eq(host, good[i].host);
		cr_assert_eq(port, good[i].port);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert(
		    !kp_parse_host_port(bad[i], host, sizeof(host), &port),
		    "%s", bad[i]);
	cr_assert(kp_parse_host_port("abc:1", tiny, sizeof(tiny), &port));
	cr_assert(!kp_parse_host_port("abcd:1", tiny, sizeof(tiny), &port));
}

Test(text, lines_break_at_blanks)
{
	static const struct {
		const char *text;
		const char *wrapped;
	} cases[] = {
		{ "", "" },
		{ "a", "  a\n" },
		{ "one two", "  one two\n" },
		{ "one two three", "  one two\n  three\n" },
		{ "onetwo  x", "  onetwo\n  x\n" },
		{ "muchtoolong x", "  muchtool\n  ong x\n" },
		{ "12345678 x", "  12345678\n  x\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_buf out;

		kp_buf_init(&out, 1024);
		kp_wrap(&out, cases[i].text, 2, 10);
		kp_buf_add(&out, "", 1);
		cr_assert_str_eq((const char *)out.data, cases[i].wrapped);
		kp_buf_fini(&out);
	}
}

Test(text, utf8_is_what_rfc_3629_says)
{
	static const struct {
		const char *text;
		size_t len;
	} cases[] = {
		{ "a", 1 },
		{ "\xc3\xa4", 2 },
		{ "\xe2\x82\xac", 3 },
		{ "\xf0\x9f\x98\x80", 4 },
		{ "\xf4\x8f\xbf\xbf", 4 },
		{ "\x80", 0 },             /* a continuation */
		{ "\xc3", 0 },             /* without its continuation */
		{ "\xe2\x82", 0 },         /* cut */
		{ "\xc0\x80", 0 },         /* longer than need be */
		{ "\xe0\x9f\xbf", 0 },     /* the same */
		{ "\xed\xa0\x80", 0 },     /* a surrogate */
		{ "\xf4\x90\x80\x80", 0 }, /* beyond the last */
		{ "\xff", 0 },
	};
	char cut[] = "a\xe2\x82";

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect(kp_utf8_len(cases[i].text) == cases[i].len, "%zu", i);
		cr_expect(
		    kp_is_utf8(cases[i].text) == (cases[i].len > 0), "%zu", i);
	}
	kp_utf8_clean(cut);
	cr_assert_str_eq(cut, "a??");
	cr_assert(kp_is_utf8(cut));
}
