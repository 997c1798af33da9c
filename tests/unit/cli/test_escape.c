/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/escape.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(escape, what_a_terminal_obeys_is_shown_as_bytes)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "", "" },
		{ "plain, ä, €, 🧀", "plain, ä, €, 🧀" },
		{ "\033[2J", "\\x1b[2J" },
		{ "a\nb\tc\r", "a\\x0ab\\x09c\\x0d" },
		{ "\x7f", "\\x7f" },
		/* C1, as UTF-8 and as a byte of its own */
		{ "\xc2\x9b"
		  "31m",
		    "\\xc2\\x9b31m" },
		{ "\x9b"
		  "31m",
		    "\\x9b31m" },
		{ "\xc2\xa0", "\xc2\xa0" },
		/* cut off, overlong, beyond the last character */
		{ "\xe2\x82", "\\xe2\\x82" },
		{ "\xc0\x80", "\\xc0\\x80" },
		{ "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80" },
		{ "\xe2\x82"
		  "a",
		    "\\xe2\\x82"
		    "a" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *shown = kp_escape_dup(cases[i].text);

		cr_assert_str_eq(shown, cases[i].shown);
		free(shown);
	}
}
