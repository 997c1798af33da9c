/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "rules/cel/source.h"
#include "rules/cel/utf8.h"

static void
expect_render(struct kp_bytes source, uint32_t pos, const char *wanted)
{
	struct kp_cel_fault fault;
	struct kp_buf out;

	(void)kp_cel_fault_set(&fault, KP_CEL_FAULT_SYNTAX, pos, "wrong");
	kp_buf_init(&out, 4096);
	kp_cel_render(&out, source, &fault);
	cr_assert_str_eq(kp_buf_text(&out), wanted, "%s", kp_buf_text(&out));
	kp_buf_fini(&out);
}

Test(cel_source, a_fault_is_shown_in_its_line)
{
	struct kp_bytes source = kp_bytes_of("one\n\ttwo + three\nfour");

	expect_render(source, 0, "1:1: wrong\n | one\n | ^");
	expect_render(source, 9, "2:6: wrong\n |  two + three\n | .....^");
	expect_render(source, 17, "3:1: wrong\n | four\n | ^");
	expect_render(source, 99, "3:5: wrong\n | four\n | ....^");
}

Test(cel_source, a_long_line_is_cut_around_the_fault)
{
	char text[1001];
	struct kp_cel_fault fault;
	struct kp_buf out;

	memset(text, 'a', 1000);
	text[1000] = '\0';
	text[600] = 'b';
	(void)kp_cel_fault_set(&fault, KP_CEL_FAULT_SYNTAX, 600, "wrong");
	kp_buf_init(&out, 4096);
	kp_cel_render(&out, kp_bytes_of(text), &fault);
	cr_assert_lt(out.len, 200);
	/* The caret stands below the b. */
	cr_assert_eq(
	    strchr(kp_buf_text(&out), 'b') - strchr(kp_buf_text(&out), '|'),
	    strchr(kp_buf_text(&out), '^') - strrchr(kp_buf_text(&out), '|'));
	kp_buf_fini(&out);
}

Test(cel_source, what_cannot_be_printed_is_not)
{
	static const uint8_t bytes[] = { 'a', 0x1b, 0xff, 0, 'b' };

	expect_render((struct kp_bytes){ bytes, sizeof(bytes) }, 4,
	    "1:5: wrong\n | a\?\?\?b\n | ....^");
}

Test(cel_source, characters_survive_the_way_there_and_back)
{
	for (uint32_t point = 0; point <= 0x110000; point++) {
		uint8_t bytes[4];
		size_t len = kp_cel_utf8_encode(point, bytes);
		uint32_t back = 0;
		bool is_none =
		    point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff);

		cr_assert_eq(len == 0, is_none);
		if (is_none)
			continue;
		cr_assert_eq(
		    kp_cel_utf8_decode((struct kp_bytes){ bytes, len }, &back),
		    len);
		cr_assert_eq(back, point);
		cr_assert_eq(kp_cel_utf8_decode(
				 (struct kp_bytes){ bytes, len - 1 }, NULL),
		    0);
	}
}

Test(cel_source, broken_characters_are_none)
{
	static const char *const bad[] = { "\x80", "\xc0\x80", "\xc1\xbf",
		"\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3(",
		"\xe2\x82(" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		cr_assert_eq(
		    kp_cel_utf8_decode(kp_bytes_of(bad[i]), NULL), 0, "%zu", i);
		cr_assert(!kp_cel_utf8_is_valid(kp_bytes_of(bad[i])));
		cr_assert_geq(kp_cel_utf8_count(kp_bytes_of(bad[i])), 1);
	}
}
