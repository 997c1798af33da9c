/* SPDX-License-Identifier: Apache-2.0 */
/* kpctl test: cases of policies, judged with the code of a node. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/yaml_tree.h"
#include "cli/color.h"
#include "cli/escape.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/problems.h"
#include "cli/run.h"
#include "control/api/problems.h"
#include "rules/govern/cases.h"

#define MARGIN "      "

struct test {
	struct kp_input input;
	struct kp_cases **files;
	size_t num_files;
	size_t num_cases, num_failed;
	struct kp_policies *policies;
	struct kp_buf text;   /* what people read */
	struct kp_yaml *tree; /* what programs read: a list of cases */
	bool is_colored;
};

static bool
take_cases(void *ctx, const char *name, struct kp_bytes text)
{
	struct test *test = ctx;
	struct kp_cases *cases;

	if (!kp_cases_are_in(text))
		return false;
	cases = kp_cases_new(name, text, &test->input.diagnostics);
	if (cases == NULL)
		return true;
	test->files =
	    kp_realloc(test->files, test->num_files + 1, sizeof(*test->files));
	test->files[test->num_files++] = cases;
	test->num_cases += cases->num;
	return true;
}

/* Who names files expects something to be tested. */
static void
complain(struct test *test, const char *text)
{
	struct kp_origin at = { .file = "-f" };

	kp_diagnostics_add(&test->input.diagnostics, &at, "%s", text);
}

static void
make_policies(struct test *test)
{
	struct kp_tables *tables = kp_input_compile(&test->input);
	struct kp_error err;

	/* what is wrong may be why there are none */
	if (tables == NULL ||
	    kp_diagnostics_count(&test->input.diagnostics) > 0) {
		kp_tables_free(tables);
		return;
	}
	if (test->num_cases == 0)
		complain(test, "no file that is named has cases");
	if (tables->num_policies == 0)
		complain(test, "no file that is named has a Policy");
	test->policies =
	    kp_policies_new(tables->policies, tables->num_policies, &err);
	if (test->policies == NULL)
		complain(test, err.text);
	kp_tables_free(tables);
}

static void
add_colored(struct test *test, const char *color, const char *word)
{
	if (test->is_colored)
		kp_buf_add_text(&test->text, color);
	kp_buf_add_text(&test->text, word);
	if (test->is_colored)
		kp_buf_add_text(&test->text, KP_COLOR_OFF);
}

/* The line on which a result begins: "ok    cases.yaml:3: name". */
static void
add_title(struct test *test, const struct kp_case *one, bool is_right)
{
	add_colored(test, is_right ? KP_COLOR_GREEN : KP_COLOR_RED,
	    is_right ? "ok" : "FAIL");
	kp_buf_add_text(&test->text, is_right ? "    " : "  ");
	kp_escape_add(&test->text, one->said->at.file);
	kp_buf_printf(&test->text, ":%u: ", one->said->at.line);
	kp_escape_add(&test->text, kp_value_text(one->said, "name"));
	kp_buf_add_text(&test->text, "\n");
}

static void
add_finding(struct test *test, const struct kp_case_finding *finding)
{
	kp_buf_printf(&test->text,
	    MARGIN "%s policy \"%s\"%s: ", finding->is_denial ? "deny" : "warn",
	    finding->policy,
	    finding->is_failure ? " (could not be evaluated)" : "");
	kp_escape_add(&test->text, finding->text);
	kp_buf_add_text(&test->text, "\n");
}

static void
add_expected_policies(struct kp_buf *out, const struct kp_value *expected)
{
	kp_buf_add_text(out, MARGIN "expected to say something: ");
	for (size_t i = 0; i < expected->num_items; i++) {
		kp_buf_add_text(out, i > 0 ? ", " : "");
		kp_escape_add(out, expected->items[i]->text);
	}
	kp_buf_add_text(
	    out, expected->num_items > 0 ? ", and nobody else\n" : "nobody\n");
}

static void
add_expected_overrides(struct kp_buf *out, const struct kp_value *expected)
{
	kp_buf_add_text(out, MARGIN "expected to be set: ");
	for (size_t i = 0; i < expected->num_items; i++) {
		kp_buf_add_text(out, i > 0 ? ", " : "");
		kp_escape_add(out, expected->keys[i]);
		kp_buf_add_text(out, ": ");
		kp_escape_add(out, expected->items[i]->text);
	}
	kp_buf_add_text(out,
	    expected->num_items > 0 ? ", and nothing else\n" : "nothing\n");
}

static void
add_change(struct kp_buf *out, const struct kp_case_change *change)
{
	kp_buf_printf(out, MARGIN "set  policy \"%s\": ", change->policy);
	kp_escape_add(out, change->field);
	kp_buf_add_text(out, ": ");
	kp_escape_add(out, change->after);
	if (change->before != NULL) {
		kp_buf_add_text(out, ", was ");
		kp_escape_add(out, change->before);
	}
	kp_buf_add_text(out, "\n");
}

/* What was expected and is not so, and all that was said. */
static void
add_reasons(struct test *test, const struct kp_case *one,
    const struct kp_case_result *result)
{
	struct kp_buf *out = &test->text;

	if (!result->is_decision_right)
		kp_buf_printf(out, MARGIN "expected %s, found %s\n",
		    kp_value_text(one->said, "expect"),
		    kp_decision_word(result->found));
	if (!result->are_policies_right)
		add_expected_policies(out, kp_value_get(one->said, "policies"));
	if (!result->is_message_right) {
		kp_buf_add_text(out, MARGIN "expected to be said: ");
		kp_escape_add(out, kp_value_text(one->said, "message"));
		kp_buf_add_text(out, "\n");
	}
	if (!result->are_overrides_right)
		add_expected_overrides(
		    out, kp_value_get(one->said, "overrides"));
	for (size_t i = 0; i < result->num_changes; i++)
		add_change(out, &result->changes[i]);
	for (size_t i = 0; i < result->num_findings; i++)
		add_finding(test, &result->findings[i]);
	if (result->num_findings == 0 && result->num_changes == 0)
		kp_buf_add_text(out, MARGIN "no policy said anything\n");
}

static struct kp_yaml *
tree_of_findings(const struct kp_case_result *result)
{
	struct kp_yaml *list = kp_yaml_new_list();

	for (size_t i = 0; i < result->num_findings; i++) {
		const struct kp_case_finding *from = &result->findings[i];
		struct kp_yaml *map = kp_yaml_append(list, kp_yaml_new_map());

		kp_yaml_put(map, "policy", kp_yaml_new_text(from->policy));
		kp_yaml_put(map, "action",
		    kp_yaml_new_text(from->is_denial ? "deny" : "warn"));
		kp_yaml_put(
		    map, "evaluated", kp_yaml_new_bool(!from->is_failure));
		kp_yaml_put(map, "message", kp_yaml_new_text(from->text));
	}
	return list;
}

static struct kp_yaml *
tree_of_changes(const struct kp_case_result *result)
{
	struct kp_yaml *list = kp_yaml_new_list();

	for (size_t i = 0; i < result->num_changes; i++) {
		const struct kp_case_change *from = &result->changes[i];
		struct kp_yaml *map = kp_yaml_append(list, kp_yaml_new_map());

		kp_yaml_put(map, "policy", kp_yaml_new_text(from->policy));
		kp_yaml_put(map, "field", kp_yaml_new_text(from->field));
		kp_yaml_put(map, "before",
		    kp_yaml_new_text(from->before == NULL ? "" : from->before));
		kp_yaml_put(map, "value", kp_yaml_new_text(from->after));
	}
	return list;
}

static struct kp_yaml *
tree_of_wrong(const struct kp_case_result *result)
{
	struct kp_yaml *list = kp_yaml_new_list();

	if (!result->is_decision_right)
		kp_yaml_append(list, kp_yaml_new_text("expect"));
	if (!result->are_policies_right)
		kp_yaml_append(list, kp_yaml_new_text("policies"));
	if (!result->is_message_right)
		kp_yaml_append(list, kp_yaml_new_text("message"));
	if (!result->are_overrides_right)
		kp_yaml_append(list, kp_yaml_new_text("overrides"));
	return list;
}

static void
add_tree(struct test *test, const struct kp_case *one,
    const struct kp_case_result *result)
{
	const struct kp_value *said = one->said;
	struct kp_yaml *map = kp_yaml_append(test->tree, kp_yaml_new_map());

	kp_yaml_put(map, "file", kp_yaml_new_text(said->at.file));
	kp_yaml_put(map, "line", kp_yaml_new_int(said->at.line));
	kp_yaml_put(map, "name", kp_yaml_new_text(kp_value_text(said, "name")));
	kp_yaml_put(map, "ok", kp_yaml_new_bool(kp_case_is_right(result)));
	kp_yaml_put(
	    map, "expected", kp_yaml_new_text(kp_value_text(said, "expect")));
	kp_yaml_put(
	    map, "found", kp_yaml_new_text(kp_decision_word(result->found)));
	kp_yaml_put(map, "notAsExpected", tree_of_wrong(result));
	kp_yaml_put(map, "findings", tree_of_findings(result));
	kp_yaml_put(map, "overrides", tree_of_changes(result));
}

static void
run_case(struct test *test, const struct kp_case *one)
{
	struct kp_case_result result;
	bool is_right;

	kp_case_run(one, test->policies, &result);
	is_right = kp_case_is_right(&result);
	test->num_failed += !is_right;
	if (test->tree != NULL) {
		add_tree(test, one, &result);
	} else {
		add_title(test, one, is_right);
		if (!is_right)
			add_reasons(test, one, &result);
	}
	kp_case_result_fini(&result);
}

static void
run_all(struct test *test)
{
	for (size_t i = 0; i < test->num_files; i++)
		for (size_t k = 0; k < test->files[i]->num; k++)
			run_case(test, &test->files[i]->list[k]);
}

static const char *
plural(size_t num)
{
	return num == 1 ? "" : "s";
}

static void
write_text(struct test *test, enum kp_exit result)
{
	size_t problems = kp_diagnostics_count(&test->input.diagnostics);

	if (result == KP_EXIT_REFUSED) {
		(void)kp_input_refuse(&test->input);
		kp_output_problem("nothing was tested: %zu problem%s", problems,
		    plural(problems));
		return;
	}
	kp_buf_printf(&test->text, "%zu case%s, ", test->num_cases,
	    plural(test->num_cases));
	if (test->num_failed == 0)
		add_colored(test, KP_COLOR_GREEN, "all as expected");
	else
		kp_buf_printf(
		    &test->text, "%zu not as expected", test->num_failed);
	kp_buf_add_text(&test->text, "\n");
	kp_output_write(&test->text);
}

/* The form is a promise: fields are added, none is changed. */
static void
write_tree(struct test *test, const struct kp_args *args, enum kp_exit result)
{
	struct kp_yaml *root = kp_yaml_new_map();
	struct kp_api_problems problems;

	kp_yaml_put(root, "ok", kp_yaml_new_bool(result == KP_EXIT_OK));
	kp_yaml_put(
	    root, "numCases", kp_yaml_new_int((int64_t)test->num_cases));
	kp_yaml_put(
	    root, "numFailed", kp_yaml_new_int((int64_t)test->num_failed));
	kp_yaml_put(root, "cases", test->tree);
	kp_api_problems_init(
	    &problems, &test->input.diagnostics, KP_OUTPUT_MAX_LEN);
	kp_yaml_put(root, "problems", kp_problems_tree(&problems.message));
	kp_yaml_put(root, "problemsLeftOut",
	    kp_yaml_new_int(problems.message.left_out));
	kp_api_problems_fini(&problems);
	kp_output_add_tree(&test->text, args, root);
	kp_output_write(&test->text);
	kp_yaml_free(root);
}

static enum kp_exit
run(struct test *test)
{
	if (test->input.has_read_all)
		make_policies(test);
	if (kp_diagnostics_count(&test->input.diagnostics) > 0)
		return KP_EXIT_REFUSED;
	run_all(test);
	return test->num_failed > 0 ? KP_EXIT_FAILED : KP_EXIT_OK;
}

static void
test_fini(struct test *test)
{
	for (size_t i = 0; i < test->num_files; i++)
		kp_cases_free(test->files[i]);
	free(test->files);
	kp_policies_unref(test->policies);
	kp_input_fini(&test->input);
	kp_buf_fini(&test->text);
}

enum kp_exit
kp_run_test(const struct kp_args *args)
{
	struct test test = { .is_colored = kp_color_is_wanted(STDOUT_FILENO) };
	enum kp_exit result;

	kp_buf_init(&test.text, KP_OUTPUT_MAX_LEN);
	if (!kp_output_is(args, "text"))
		test.tree = kp_yaml_new_list();
	kp_input_load_but(&test.input, args, take_cases, &test);
	result = run(&test);
	if (test.tree == NULL)
		write_text(&test, result);
	else
		write_tree(&test, args, result);
	test_fini(&test);
	return result;
}
