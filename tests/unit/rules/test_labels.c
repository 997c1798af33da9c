/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/labels.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define A9 "123456789"
#define A63 "abcd" A9 "-" A9 "-" A9 "_" A9 "_" A9 "." A9

Test(labels, names_are_those_of_kubernetes)
{
	static const char *const good[] = { "a", "A", "0", "a.b_c-D", A63,
		"example.com/team", "x-1.y/Z", "a/b" };
	static const char *const bad[] = { "", "-a", "a-", "_a", "a.", "a b",
		"a=b", "a,b", "a!", "\xc3\xa9", A63 "x", "/a", "a/", "A.com/a",
		"a..b/c", "-a/b", "a-/b", "a./b", "a/b/c", "a b/c" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect(
		    kp_label_name_complaint(good[i]) == NULL, "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect(
		    kp_label_name_complaint(bad[i]) != NULL, "%s", bad[i]);
}

Test(labels, values_are_those_of_kubernetes)
{
	static const char *const good[] = { "", "a", "9", "a.b_c-D", A63 };
	static const char *const bad[] = { "-", "a-", ".a", "a b", "a/b", "a\n",
		A63 "x" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect(
		    kp_label_value_complaint(good[i]) == NULL, "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect(
		    kp_label_value_complaint(bad[i]) != NULL, "%s", bad[i]);
}

Test(labels, a_domain_has_its_own_limit)
{
	char name[300];

	memset(name, 'd', sizeof(name));
	kp_copy(name + 253, "/n", 3);
	cr_assert_null(kp_label_name_complaint(name));
	kp_copy(name + 253, "d/n", 4);
	cr_assert_not_null(kp_label_name_complaint(name));
}

static const struct kp_label pairs[] = {
	{ "tier", "prod" },
	{ "site", "fra" },
	{ "draft", "" },
};

Test(labels, they_are_found_whatever_their_order_was)
{
	struct kp_labels labels;

	kp_labels_init(&labels, pairs, 3);
	cr_assert_str_eq(labels.list[0].name, "draft");
	cr_assert_str_eq(kp_labels_find(&labels, "site"), "fra");
	cr_assert_str_eq(kp_labels_find(&labels, "tier"), "prod");
	cr_assert_str_eq(kp_labels_find(&labels, "draft"), "");
	cr_assert_null(kp_labels_find(&labels, "sit"));
	kp_labels_fini(&labels);
	cr_assert_null(kp_labels_find(&labels, "site"));
}

Test(labels, what_is_missing_and_what_contradicts)
{
	static const struct {
		struct kp_label pairs[2];
		size_t num;
		const char *missing;
		bool is_contradiction;
	} cases[] = {
		{ { { "a", "" } }, 0, NULL, false },
		{ { { "site", "fra" } }, 1, NULL, false },
		{ { { "site", "fra" }, { "tier", "prod" } }, 2, NULL, false },
		{ { { "site", "fra" }, { "tier", "test" } }, 2, "tier", true },
		{ { { "site", "ber" } }, 1, "site", true },
		{ { { "zone", "a" } }, 1, "zone", false },
		{ { { "draft", "" } }, 1, NULL, false },
		{ { { "draft", "x" } }, 1, "draft", true },
	};
	struct kp_labels labels;

	kp_labels_init(&labels, pairs, 3);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_labels other;
		const struct kp_label *missing;

		kp_labels_init(&other, cases[i].pairs, cases[i].num);
		missing = kp_labels_first_missing(&other, &labels);
		cr_expect((missing == NULL) == (cases[i].missing == NULL),
		    "case %zu", i);
		if (missing != NULL)
			cr_assert_str_eq(missing->name, cases[i].missing);
		cr_assert_eq(kp_labels_contradict(&other, &labels),
		    cases[i].is_contradiction);
		cr_assert_eq(kp_labels_contradict(&labels, &other),
		    cases[i].is_contradiction);
		kp_labels_fini(&other);
	}
	kp_labels_fini(&labels);
}

Test(labels, selectors_mean_what_they_mean_in_kubernetes)
{
	static const struct {
		const char *text;
		bool matches;
	} cases[] = {
		{ "", true },
		{ "  ", true },
		{ "site=fra", true },
		{ "site==fra", true },
		{ " site = fra , tier != test ", true },
		{ "site=ber", false },
		{ "site=", false },
		{ "draft=", true },
		{ "draft!=", false },
		{ "site!=ber", true },
		{ "site!=fra", false },
		{ "zone!=a", true },
		{ "zone=", false },
		{ "site", true },
		{ "draft", true },
		{ "zone", false },
		{ "!zone", true },
		{ "! zone", true },
		{ "!site", false },
		{ "!draft", false },
		{ "site=fra,tier=prod,!zone,draft", true },
		{ "site=fra,tier=prod,zone", false },
		{ "site=fra,site=ber", false },
		{ "example.com/site!=x", true },
	};
	struct kp_labels labels;

	kp_labels_init(&labels, pairs, 3);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_error err = { .text = "" };
		struct kp_selector *selector =
		    kp_selector_parse(cases[i].text, &err);

		cr_assert_not_null(selector, "%s: %s", cases[i].text, err.text);
		cr_assert_eq(kp_selector_matches(selector, &labels),
		    cases[i].matches, "%s", cases[i].text);
		kp_selector_free(selector);
	}
	kp_labels_fini(&labels);
}

Test(labels, a_selector_that_is_none_says_where)
{
#define NAME_RULE \
	"is not a label's name: letters, digits, \"-\", \"_\" and \".\" are " \
	"allowed, at most 63, with a letter or digit at both ends"
#define SIGN "must be \"=\", \"==\", \"!=\" or \",\""
#define NO_NAME "the name of a label is missing"
	static const struct {
		const char *text, *problem;
	} cases[] = {
		{ ",", "character 1: " NO_NAME },
		{ "a,", "character 3: " NO_NAME },
		{ "a,,b", "character 3: " NO_NAME },
		{ "a, =b", "character 4: " NO_NAME },
		{ "!", "character 2: " NO_NAME },
		{ "!!a", "character 2: " NO_NAME },
		{ "=b", "character 1: " NO_NAME },
		{ "-a=b", "character 1: " NAME_RULE },
		{ "a!b", "character 2: " SIGN },
		{ "a in (b)", "character 3: " SIGN },
		{ "a b", "character 3: " SIGN },
		{ "a=b c", "character 5: \",\" is missing" },
		{ "a=b=c", "character 4: \",\" is missing" },
		{ "a===b", "character 4: \",\" is missing" },
		{ "!a=b", "character 3: \",\" is missing" },
		{ "a=b\x01", "character 3: is not a label's value: letters, "
			     "digits, \"-\", \"_\" and \".\" are allowed, at "
			     "most 63, with a letter or digit at both ends" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_error err = { .text = "" };

		cr_expect(kp_selector_parse(cases[i].text, &err) == NULL, "%s",
		    cases[i].text);
		cr_assert_str_eq(err.text, cases[i].problem);
	}
#undef NAME_RULE
#undef SIGN
#undef NO_NAME
}

Test(labels, selectors_have_limits)
{
	char text[KP_SELECTOR_MAX_LEN + 2];
	struct kp_selector *selector;
	struct kp_error err;
	size_t len = 0;

	for (size_t i = 0; i < KP_MAX_LABELS; i++) {
		kp_copy(text + len, "a,", 2);
		len += 2;
	}
	text[len - 1] = '\0';
	selector = kp_selector_parse(text, &err);
	cr_assert_not_null(selector);
	kp_selector_free(selector);
	kp_copy(text + len - 1, ",a", 3);
	cr_assert_null(kp_selector_parse(text, &err));
	cr_assert_str_eq(err.text, "character 129: too many requirements");
	memset(text, ' ', sizeof(text));
	text[KP_SELECTOR_MAX_LEN] = '\0';
	selector = kp_selector_parse(text, &err);
	cr_assert_not_null(selector);
	kp_selector_free(selector);
	text[KP_SELECTOR_MAX_LEN] = ' ';
	text[KP_SELECTOR_MAX_LEN + 1] = '\0';
	cr_assert_null(kp_selector_parse(text, &err));
	cr_assert_eq(err.kind, KP_ERR_LIMIT);
}
