/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/regex/regex.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/alloc.h"

/* Steps that a match took. */
static uint64_t
match(const char *pattern, unsigned flags, struct kp_bytes text, bool wanted)
{
	struct kp_regex_meter meter = { .max = UINT64_MAX };
	struct kp_regex_fault fault;
	struct kp_regex *regex =
	    kp_regex_new(kp_bytes_of(pattern), flags, NULL, &fault);
	void *scratch;

	cr_assert_not_null(regex, "%s: %s", pattern, fault.text);
	scratch = kp_alloc(1, kp_regex_scratch_len(regex) + 1);
	cr_assert_eq(kp_regex_match(regex, text, scratch, &meter),
	    wanted ? KP_REGEX_MATCH : KP_REGEX_NO_MATCH, "%s", pattern);
	free(scratch);
	kp_regex_free(regex);
	return meter.used;
}

Test(regex, names_of_topics_are_matched)
{
	static const char pattern[] = "^[a-z0-9-]+[.][a-z0-9-]+[.][a-z0-9-]+$";

	for (unsigned flags = 0; flags < 4; flags++) {
		match(pattern, flags, kp_bytes_of("pay.orders.v1"), true);
		match(pattern, flags, kp_bytes_of("pay.orders.V1"), false);
		match(pattern, flags, kp_bytes_of("pay.orders"), false);
	}
}

/* Twice the text, twice the steps; thrice is beyond all doubt. */
Test(regex, hostile_patterns_take_time_like_the_text)
{
	static const char *const patterns[] = { "(a+)+$", "(a|aa)+$", "(a*)*b",
		"(a?){30}a{30}$", "(.*)(.*)(.*)(.*)x$" };
	static uint8_t text[4001];

	for (size_t i = 0; i < 4000; i++)
		text[i] = 'a';
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		uint64_t half, all;

		text[2000] = '!';
		half = match(patterns[i], KP_REGEX_ONCE,
		    (struct kp_bytes){ text, 2001 }, false);
		text[2000] = 'a';
		text[4000] = '!';
		all = match(patterns[i], KP_REGEX_ONCE,
		    (struct kp_bytes){ text, 4001 }, false);
		cr_assert_lt(all, 3 * half, "%s", patterns[i]);
	}
}

Test(regex, what_is_none_is_refused_with_its_place)
{
	static const struct {
		const char *pattern;
		uint32_t pos;
		const char *part;
	} cases[] = {
		{ "a(b", 1, "has no \")\"" },
		{ "ab)", 2, "has no \"(\"" },
		{ "a**", 2, "repeated" },
		{ "(a)\\1", 3, "refer back" },
		{ "x(?=a)", 1, "look around" },
		{ "x\\pL", 1, "Unicode" },
		{ "(?i)\xc3\xa9", 4, "ASCII" },
		{ "[b-a]", 1, "before it begins" },
		{ "(?:a{100}){100}", 10, "1000" },
	};
	struct kp_regex_fault fault;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cr_assert_null(kp_regex_new(
		    kp_bytes_of(cases[i].pattern), 0, NULL, &fault));
		cr_assert_eq(fault.kind, KP_REGEX_FAULT_SYNTAX);
		cr_assert_eq(fault.pos, cases[i].pos, "%s: %u",
		    cases[i].pattern, fault.pos);
		cr_assert_not_null(
		    strstr(fault.text, cases[i].part), "%s", fault.text);
	}
}

Test(regex, size_and_depth_are_limited)
{
	struct kp_regex_meter meter = { .max = 100 };
	struct kp_regex_fault fault;
	struct kp_buf deep;

	kp_buf_init(&deep, 1 << 16);
	for (int i = 0; i <= KP_REGEX_MAX_DEPTH; i++)
		kp_buf_add_text(&deep, "(");
	cr_assert_null(kp_regex_new(kp_buf_bytes(&deep), 0, NULL, &fault));
	cr_assert_eq(fault.kind, KP_REGEX_FAULT_LIMIT);
	kp_buf_clear(&deep);
	for (int i = 0; i <= KP_REGEX_MAX_PATTERN_LEN; i++)
		kp_buf_add_text(&deep, "a");
	cr_assert_null(kp_regex_new(kp_buf_bytes(&deep), 0, NULL, &fault));
	cr_assert_eq(fault.kind, KP_REGEX_FAULT_LIMIT);
	kp_buf_fini(&deep);
	cr_assert_null(
	    kp_regex_new(kp_bytes_of(".{1000}.{1000}"), 0, NULL, &fault));
	cr_assert_eq(fault.kind, KP_REGEX_FAULT_LIMIT);
	cr_assert_null(kp_regex_new(kp_bytes_of("a{1000}"), 0, &meter, &fault));
	cr_assert_eq(fault.kind, KP_REGEX_FAULT_COST);
}

/* Without memory there is a fault, or code where an automaton would be. */
Test(regex, every_refused_allocation_is_survived)
{
	struct kp_regex_fault fault;

	for (unsigned n = 1; n < 20; n++) {
		struct kp_regex *regex;

		kp_alloc_fail_after(n);
		regex = kp_regex_new(
		    kp_bytes_of("x[a-c]{2,40}\\b"), 0, NULL, &fault);
		kp_alloc_fail_after(0);
		cr_assert(regex != NULL || fault.kind == KP_REGEX_FAULT_MEMORY);
		cr_assert(n > 1 || regex == NULL);
		kp_regex_free(regex);
		match("x[a-c]{2,40}\\b", 0, kp_bytes_of("xabc d"), true);
	}
}
