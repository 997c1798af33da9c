/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <criterion/criterion.h>

Test(utf8, characters_survive_the_way_there_and_back)
{
	for (uint32_t point = 0; point <= 0x110000; point++) {
		uint8_t bytes[4];
		size_t len = kp_utf8_encode(point, bytes);
		uint32_t back = 0;
		bool is_none =
		    point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff);

		cr_assert_eq(len == 0, is_none);
		if (is_none)
			continue;
		cr_assert_eq(
		    kp_utf8_decode((struct kp_bytes){ bytes, len }, &back),
		    len);
		cr_assert_eq(back, point);
		cr_assert_eq(
		    kp_utf8_decode((struct kp_bytes){ bytes, len - 1 }, NULL),
		    0);
	}
}

Test(utf8, broken_characters_are_none)
{
	static const char *const bad[] = { "\x80", "\xc0\x80", "\xc1\xbf",
		"\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3(",
		"\xe2\x82(" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		cr_assert_eq(
		    kp_utf8_decode(kp_bytes_of(bad[i]), NULL), 0, "%zu", i);
		cr_assert(!kp_utf8_is_valid(kp_bytes_of(bad[i])));
		cr_assert_geq(kp_utf8_count(kp_bytes_of(bad[i])), 1);
	}
}
