/* SPDX-License-Identifier: Apache-2.0 */
#include "base/glob.h"

#include <criterion/criterion.h>

struct match {
	const char *pattern, *name;
	bool wanted;
};

static const struct match matches[] = {
	{ "", "", true },
	{ "", "a", false },
	{ "a", "", false },
	{ "a", "a", true },
	{ "a", "A", false },
	{ "a", "ab", false },
	{ "*", "", true },
	{ "*", "orders", true },
	{ "**", "x", true },
	{ "orders*", "orders", true },
	{ "orders*", "order", false },
	{ "*orders", "old-orders", true },
	{ "*orders", "orders-old", false },
	{ "a*b*c", "abc", true },
	{ "a*b*c", "a-b-b-c", true },
	{ "a*b*c", "a-c-b", false },
	{ "*ab", "aab", true },
	{ "*aab*", "aaaab", true },
	{ ".*", "x", false },
	{ "[a]", "a", false },
};

Test(glob, a_star_is_any_text_and_nothing_else_is_special)
{
	for (size_t i = 0; i < sizeof(matches) / sizeof(*matches); i++) {
		const struct match *m = &matches[i];

		cr_expect(kp_glob_matches(m->pattern, kp_bytes_of(m->name)) ==
			      m->wanted,
		    "\"%s\" and \"%s\"", m->pattern, m->name);
	}
}

Test(glob, a_name_may_hold_anything)
{
	const struct kp_bytes name = { (const uint8_t *)"a\0b", 3 };

	cr_expect(kp_glob_matches("a*b", name));
	cr_expect(!kp_glob_matches("a", name));
	cr_expect(!kp_glob_matches("a*", (struct kp_bytes){ NULL, 0 }));
	cr_expect(kp_glob_matches("*", (struct kp_bytes){ NULL, 0 }));
}
