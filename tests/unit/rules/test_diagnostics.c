/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/diagnostics.h"

#include <criterion/criterion.h>
#include <string.h>

Test(diagnostics, a_line_names_its_place)
{
	struct kp_origin at = { "a.yaml", 3, 7 }, whole = { .file = "b.yaml" };
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_buf out;

	kp_diagnostics_add(&diagnostics, &at, "is %d", 1);
	kp_diagnostics_add(&diagnostics, &whole, "is empty");
	kp_buf_init(&out, 1024);
	kp_diagnostics_print(&diagnostics, &out);
	kp_buf_add(&out, "", 1);
	cr_assert_str_eq(
	    (const char *)out.data, "a.yaml:3:7: is 1\nb.yaml: is empty\n");
	kp_buf_fini(&out);
	kp_diagnostics_fini(&diagnostics);
}

Test(diagnostics, control_characters_do_not_reach_a_terminal)
{
	struct kp_origin at = { "a\033.yaml", 1, 1 };
	struct kp_diagnostics diagnostics = { 0 };

	kp_diagnostics_add(&diagnostics, &at, "%s",
	    "\033[31m red\n\x7f \xc2\x9b \xc3\xa4 \xc2");
	cr_assert_str_eq(diagnostics.lines[0],
	    "a\\x1b.yaml:1:1: \\x1b[31m red\n\t\\x7f \\xc2\\x9b \xc3\xa4 "
	    "\xc2");
	kp_diagnostics_fini(&diagnostics);
}

Test(diagnostics, the_list_is_bounded_and_says_so)
{
	struct kp_origin at = { "a", 1, 1 };
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_buf out;

	for (size_t i = 0; i < KP_MAX_DIAGNOSTICS + 3; i++)
		kp_diagnostics_add(&diagnostics, &at, "no");
	cr_assert_eq(diagnostics.num_lines, KP_MAX_DIAGNOSTICS);
	cr_assert_eq(
	    kp_diagnostics_count(&diagnostics), KP_MAX_DIAGNOSTICS + 3);
	kp_buf_init(&out, 1u << 20);
	kp_diagnostics_print(&diagnostics, &out);
	kp_buf_add(&out, "", 1);
	cr_assert_not_null(
	    strstr((const char *)out.data, "\nand 3 more problems\n"));
	kp_buf_fini(&out);
	kp_diagnostics_fini(&diagnostics);
}

Test(diagnostics, a_long_line_is_cut)
{
	char text[8192];
	struct kp_origin at = { "a", 1, 1 };
	struct kp_diagnostics diagnostics = { 0 };

	(void)memset(text, 1, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	kp_diagnostics_add(&diagnostics, &at, "%s", text);
	cr_assert_eq(strlen(diagnostics.lines[0]), 7 + 4 * 1023);
	kp_diagnostics_fini(&diagnostics);
}

Test(diagnostics, a_problem_is_there_in_its_parts)
{
	struct kp_origin at = { "a.yaml", 3, 7 }, whole = { .file = "b.yaml" };
	struct kp_diagnostics diagnostics = { 0 };
	const struct kp_problem *problem;

	kp_diagnostics_add_about(&diagnostics, &at, "Listener \"l\"",
	    "spec.bind", "spec.bind: must be\x01this");
	kp_diagnostics_add_about(
	    &diagnostics, &whole, "Cluster", "spec", "no spec");
	cr_assert_str_eq(diagnostics.lines[0],
	    "a.yaml:3:7: Listener \"l\": spec.bind: must be\\x01this");
	problem = &diagnostics.problems[0];
	cr_assert_str_eq(problem->file, "a.yaml");
	cr_assert(problem->line == 3 && problem->column == 7);
	cr_assert_str_eq(problem->kind, "Listener");
	cr_assert_str_eq(problem->name, "l");
	cr_assert_str_eq(problem->path, "spec.bind");
	cr_assert_str_eq(problem->message, "must be\x01this");
	problem = &diagnostics.problems[1];
	cr_assert_eq(problem->line, 0);
	cr_assert_str_eq(problem->kind, "Cluster");
	cr_assert_str_eq(problem->name, "");
	cr_assert_str_eq(problem->message, "no spec");
	kp_diagnostics_fini(&diagnostics);
}
