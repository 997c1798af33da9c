/* SPDX-License-Identifier: Apache-2.0 */
/* What is written down of a judgement, and that it is the one of a node. */
#include "rules/govern/trace.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proxy/govern/govern.h"
#include "rules/govern/sentence.h"
#include "rules/govern/show.h"
#include "tests/support/declared.h"

#define MAX_TEXT 8192
#define CREATE_TOPICS 19
#define DELETE_TOPICS 20
#define END_TXN 26

#define POLICY(name, spec) \
	"---\n{apiVersion: kproxy/v1, kind: Policy, metadata: {name: " name \
	"},\nspec: " spec "}\n"

/* One request, the policies that are asked about it, and what they say. */
struct world {
	struct kp_cases *cases;
	struct kp_policies *policies;
	struct kp_trace trace;
};

static struct kp_policies *
policies_of(const char *text)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_tables *tables = kp_test_compile(text, &diagnostics);
	struct kp_policies *policies;
	struct kp_error err;

	cr_assert(tables != NULL, "%s",
	    diagnostics.num_lines > 0 ? diagnostics.lines[0] : "");
	policies =
	    kp_policies_new(tables->policies, tables->num_policies, &err);
	cr_assert_not_null(policies);
	kp_tables_free(tables);
	return policies;
}

static void
open_world(struct world *world, const char *request, const char *item,
    const char *policies)
{
	struct kp_diagnostics diagnostics = { 0 };
	char text[MAX_TEXT];

	(void)snprintf(text, sizeof(text),
	    "cases:\n- {name: n, request: {%s}, item: {%s}, expect: deny}\n",
	    request, item);
	world->cases = kp_cases_new("t.yaml", kp_bytes_of(text), &diagnostics);
	cr_assert(world->cases != NULL, "%s",
	    diagnostics.num_lines > 0 ? diagnostics.lines[0] : "");
	world->policies = policies_of(policies);
	kp_trace_run(world->cases->list, world->policies, &world->trace);
}

static void
close_world(struct world *world)
{
	kp_trace_fini(&world->trace);
	kp_policies_unref(world->policies);
	kp_cases_free(world->cases);
}

static void
expect_match(const struct world *world, size_t index, const char *name,
    enum kp_match match)
{
	const struct kp_trace_policy *policy = &world->trace.policies[index];

	cr_assert_str_eq(policy->policy->name, name);
	cr_assert_eq(policy->match, match, "%s: %d", name, policy->match);
}

/* By name, wherever they were declared. */
Test(trace, policies_are_in_order_with_what_does_not_match)
{
	struct world world;

	open_world(&world, "api: CreateTopics, virtualCluster: shop",
	    "name: eu.orders",
	    POLICY("z", "{match: {apis: [DeleteTopics]},"
			" validations: [{expression: 'false'}]}") POLICY("y",
		"{match: {apis: [CreateTopics], topics: ['us.*']},"
		" validations: [{expression: 'false'}]}")
		POLICY("x", "{match: {apis: [CreateTopics], topics: ['eu.*'],"
			    " virtualClusters: ['s*']},"
			    " validations: [{expression: 'true'}]}")
		    POLICY("w", "{match: {apis: [CreateTopics],"
				" virtualClusters: [bank]},"
				" validations: [{expression: 'false'}]}"));
	cr_assert_eq(world.trace.num_policies, 4);
	expect_match(&world, 3, "z", KP_MATCH_NOT_API);
	expect_match(&world, 2, "y", KP_MATCH_NOT_TOPIC);
	expect_match(&world, 1, "x", KP_MATCH_ALL);
	expect_match(&world, 0, "w", KP_MATCH_NOT_VIRTUAL_CLUSTER);
	cr_assert_null(world.trace.policies[3].variables);
	cr_assert_eq(world.trace.decision, KP_DECISION_ALLOW);
	cr_assert_null(world.trace.sentence);
	close_world(&world);
}

Test(trace, variables_are_shown_as_far_as_they_are_needed)
{
	struct world world;
	const struct kp_trace_variable *variables;

	open_world(&world, "api: CreateTopics", "name: t, replicationFactor: 2",
	    POLICY("p", "{match: {apis: [CreateTopics]}, variables: ["
			"{name: rf, expression: topic.replicationFactor},"
			"{name: twice, expression: variables.rf * 2},"
			"{name: none, expression: 'topic.configs[\"x\"]'},"
			"{name: unused, expression: '7'},"
			"{name: skipped, expression: '8'}],"
			"validations: [{expression: variables.twice == 4},"
			"{expression: variables.none == 'y'},"
			"{expression: variables.rf == 2 ||"
			" variables.skipped == 8}]}"));
	variables = world.trace.policies[0].variables;
	cr_assert_str_eq(variables[0].text, "2");
	cr_assert_str_eq(variables[1].text, "4");
	cr_assert(!variables[1].is_error);
	cr_assert(variables[2].is_needed && variables[2].is_error);
	cr_assert_not_null(strstr(variables[2].text, "no such key"));
	cr_assert(!variables[3].is_needed);
	cr_assert(!variables[4].is_needed);
	cr_assert_null(variables[4].text);
	close_world(&world);
}

static void
expect_outcome(const struct kp_trace_policy *policy, size_t index,
    enum kp_trace_outcome outcome, const char *text)
{
	const struct kp_trace_validation *one = &policy->validations[index];

	cr_assert_eq(one->outcome, outcome, "%zu", index);
	if (text == NULL)
		cr_assert_null(one->text);
	else
		cr_assert_str_eq(one->text, text);
	cr_assert_eq(one->place != NULL, outcome == KP_TRACE_ERROR);
}

Test(trace, all_validations_are_shown_with_what_they_say)
{
	struct world world;
	const struct kp_trace_policy *policy;

	open_world(&world, "api: CreateTopics", "name: t, replicationFactor: 2",
	    POLICY("p", "{match: {apis: [CreateTopics]}, validations: ["
			"{expression: topic.name == 't'},"
			"{expression: topic.name == 'u', message: no},"
			"{expression: topic.replicationFactor > 2,"
			" messageExpression: \"'not ' +"
			" string(topic.replicationFactor)\"},"
			"{expression: 1 / (topic.replicationFactor - 2) > 0},"
			"{expression: topic.name == 'v'}]}"));
	policy = &world.trace.policies[0];
	expect_outcome(policy, 0, KP_TRACE_TRUE, NULL);
	expect_outcome(policy, 1, KP_TRACE_FALSE, "no");
	expect_outcome(policy, 2, KP_TRACE_FALSE, "not 2");
	expect_outcome(policy, 3, KP_TRACE_ERROR, "division by zero");
	expect_outcome(
	    policy, 4, KP_TRACE_FALSE, "failed expression: topic.name == 'v'");
	cr_assert_str_eq(policy->validations[3].place,
	    "1:3: division by zero\n"
	    " | 1 / (topic.replicationFactor - 2) > 0\n"
	    " | ..^");
	cr_assert_eq(policy->decision, KP_DECISION_DENY);
	cr_assert_str_eq(world.trace.sentence,
	    "policy \"p\": no; policy \"p\": not 2; "
	    "policy \"p\": division by zero; "
	    "policy \"p\": failed expression: topic.name == 'v'");
	close_world(&world);
}

Test(trace, decisions_are_those_of_action_and_failure_policy)
{
	static const struct {
		const char *settings, *expression;
		enum kp_decision decision;
	} cases[] = {
		{ "action: deny", "'true'", KP_DECISION_ALLOW },
		{ "action: deny", "'false'", KP_DECISION_DENY },
		{ "action: warn", "'false'", KP_DECISION_WARN },
		{ "failurePolicy: fail", "1/0 == 1", KP_DECISION_DENY },
		{ "failurePolicy: ignore", "1/0 == 1", KP_DECISION_WARN },
		{ "action: warn", "1/0 == 1", KP_DECISION_WARN },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct world world;
		char text[MAX_TEXT];

		(void)snprintf(text, sizeof(text),
		    POLICY("p", "{match: {apis: [EndTxn]}, %s,"
				" validations: [{expression: %s}]}"),
		    cases[i].settings, cases[i].expression);
		open_world(&world, "api: EndTxn",
		    "transactionalId: t, isCommitted: true", text);
		cr_assert_eq(world.trace.decision, cases[i].decision, "%s %s",
		    cases[i].settings, cases[i].expression);
		cr_assert_eq(
		    world.trace.policies[0].decision, cases[i].decision);
		close_world(&world);
	}
}

static void
ignore(void *ctx, const struct kp_item *item, const struct kp_finding *finding)
{
	(void)ctx;
	(void)item;
	(void)finding;
}

/* Is sentence what a node answers to the same request? */
static void
expect_answered(const struct world *world, const char *sentence)
{
	const struct kp_case *one = world->cases->list;
	const struct kp_govern govern = { .policies = world->policies,
		.facts = &one->facts,
		.found = ignore };
	struct kp_ruling ruling;
	struct kp_buf body;
	struct kp_error err;

	kp_buf_init(&body, 1u << 20);
	kp_tree_write(&one->request, &body);
	cr_assert(!body.failed);
	cr_assert(
	    kp_govern_request(&govern, kp_buf_bytes(&body), &ruling, &err),
	    "%s", err.text);
	cr_assert_eq(ruling.kind, KP_RULING_REFUSED);
	cr_assert_not_null(memmem(
	    ruling.answer.data, ruling.answer.len, sentence, strlen(sentence)));
	kp_ruling_fini(&ruling);
	kp_buf_fini(&body);
}

#define LONG(digit) \
	"{expression: 'false', messageExpression: \"'" digit \
	"' + topic.name\"},"

Test(trace, the_sentence_is_the_one_that_a_node_answers)
{
	struct world world;
	char item[1000];

	/* more is said than a sentence has room for */
	(void)snprintf(item, sizeof(item), "name: %0900d", 0);
	open_world(&world, "api: CreateTopics", item,
	    POLICY("a", "{match: {apis: [CreateTopics]}, validations: [" LONG(
			    "1") LONG("2") LONG("3") "]}") POLICY("b",
		"{match: {apis: [CreateTopics]}, validations: [" LONG("4")
		    LONG("5") "{expression: 'false', message: short}]}"));
	cr_assert_eq(world.trace.decision, KP_DECISION_DENY);
	cr_assert(strlen(world.trace.sentence) <= KP_SENTENCE_MAX_LEN);
	cr_assert_not_null(strchr(world.trace.sentence, '4'));
	cr_assert_null(strchr(world.trace.sentence, '5'));
	cr_assert_not_null(
	    strstr(world.trace.sentence, "; policy \"b\": short"));
	expect_answered(&world, world.trace.sentence);
	close_world(&world);
}

Test(trace, answers_without_a_place_for_a_sentence_are_known)
{
	static const struct {
		int16_t key, version;
		bool has_place;
	} cases[] = {
		{ CREATE_TOPICS, 0, false }, { CREATE_TOPICS, 1, true },
		{ DELETE_TOPICS, 4, false }, { DELETE_TOPICS, 5, true },
		{ END_TXN, 3, false }, { 21, 2, false }, { 45, 0, true },
		{ 57, 1, true }, { 57, 2, true }, /* of all at once */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		cr_assert_eq(
		    kp_sentence_has_place(
			kp_object_api_find(cases[i].key), cases[i].version),
		    cases[i].has_place, "%d v%d", cases[i].key,
		    cases[i].version);
}

/* Whatever may be asked about: of some versions there are no rows. */
Test(trace, every_version_has_a_place_or_none)
{
	for (size_t i = 0; i < kp_num_object_apis; i++) {
		const struct kp_object_api *api = &kp_object_apis[i];
		int16_t version = kp_api_find(api->key)->request->min_version;
		unsigned num = 0;

		for (; version <= kp_object_max_version(api); version++)
			num += kp_sentence_has_place(api, version);
		cr_assert(api->key != 57 || num == (unsigned)version);
	}
}

Test(trace, every_code_has_a_name)
{
	for (size_t i = 0; i < kp_num_object_apis; i++)
		cr_assert(kp_sentence_error(kp_object_apis[i].code) != NULL,
		    "%d", kp_object_apis[i].code);
	cr_assert_null(kp_sentence_error(0));
}

/* What a variable of that expression is shown as. */
static void
expect_shown(const char *expression, const char *wanted)
{
	struct world world;
	char text[MAX_TEXT];

	(void)snprintf(text, sizeof(text),
	    POLICY("p", "{match: {apis: [CreateTopics]}, variables: ["
			"{name: v, expression: \"%s\"}],"
			"validations: [{expression:"
			" dyn(variables.v) == 1 || true}]}"),
	    expression);
	open_world(&world, "api: CreateTopics",
	    "name: \"t\\e\\n\", partitions: -1, configs: {b: '', a: x}", text);
	cr_assert(world.trace.policies[0].variables[0].is_needed);
	cr_assert_str_eq(world.trace.policies[0].variables[0].text, wanted);
	close_world(&world);
}

Test(show, values_are_shown_as_they_are_written)
{
	static const struct {
		const char *expression, *text;
	} cases[] = {
		{ "null", "null" },
		{ "true", "true" },
		{ "-5", "-5" },
		{ "5u", "5u" },
		{ "1.0", "1.0" },
		{ "0.1", "0.1" },
		{ "1e300", "1e+300" },
		{ "0.1 + 0.2", "0.30000000000000004" },
		{ "-1.0 / 0.0", "double(\"-Infinity\")" },
		{ "0.0 / 0.0", "double(\"NaN\")" },
		{ "b'a\\\\x00'", "b\"\\x61\\x00\"" },
		{ "'\\\\u0085\\\\\\\"\\\\\\\\\\\\t\u00e9'",
		    "\"\\u0085\\\"\\\\\\t\u00e9\"" },
		{ "[1, 'a', [2.5]]", "[1, \"a\", [2.5]]" },
		{ "{'a': 1, 2: {}}", "{\"a\": 1, 2: {}}" },
		{ "int", "int" },
		{ "duration('90m')", "duration(\"5400s\")" },
		{ "timestamp(0)", "timestamp(\"1970-01-01T00:00:00Z\")" },
		{ "optional.none()", "optional.none()" },
		{ "optional.of([1])", "optional.of([1])" },
		{ "topic.name", "\"t\\u001b\\n\"" },
		{ "topic.configs", "{\"b\": \"\", \"a\": \"x\"}" },
		{ "topic",
		    "NewTopic{name: \"t\\u001b\\n\", partitions: -1, "
		    "replicationFactor: -1, assignments: [], configs: "
		    "{\"b\": \"\", \"a\": \"x\"}, validateOnly: false}" },
		{ "[[[[[1]]]]]", "[[[[…]]]]" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_shown(cases[i].expression, cases[i].text);
}

/* A text of num times c, between quotes. */
static char *
repeat(char c, size_t num, const char *rest)
{
	char *text = kp_alloc(num + strlen(rest) + 3, 1);

	text[0] = '\'';
	memset(text + 1, c, num);
	kp_copy(text + 1 + num, rest, strlen(rest) + 1);
	return text;
}

Test(show, no_value_is_shown_at_any_length)
{
	static struct kp_cel_value values[2 * KP_SHOW_MAX_ITEMS];
	const struct kp_cel_list list = { .num = 2 * KP_SHOW_MAX_ITEMS,
		.items = values };
	const struct kp_cel_list lists = { .num = 2 * KP_SHOW_MAX_ITEMS,
		.items = values };
	/* what is cut is no half of a character */
	char *text = repeat('a', KP_SHOW_MAX_TEXT_LEN - 1, "\u00e9'");
	struct kp_cel_value one = kp_cel_string(
	    (struct kp_bytes){ (uint8_t *)text + 1, strlen(text) - 2 });
	struct kp_buf out;

	kp_buf_init(&out, MAX_TEXT);
	kp_show_value(&out, one);
	kp_buf_add_text(&out, "\n");
	for (size_t i = 0; i < list.num; i++)
		values[i] = kp_cel_int((int64_t)i);
	kp_show_value(&out, kp_cel_list(&list));
	text[KP_SHOW_MAX_TEXT_LEN] = '\0';
	text[0] = '"';
	cr_assert_eq(strncmp(kp_buf_text(&out), text, strlen(text)), 0);
	cr_assert_not_null(strstr(kp_buf_text(&out), "a… 201 bytes\"\n[0, 1,"));
	cr_assert_not_null(strstr(kp_buf_text(&out), "18, 19, … 20 more]"));
	kp_buf_clear(&out);
	for (size_t i = 0; i < list.num; i++)
		values[i] = one;
	kp_show_value(&out, kp_cel_list(&lists));
	cr_assert(out.len <= KP_SHOW_MAX_LEN + strlen("…"));
	cr_assert(out.len > KP_SHOW_MAX_LEN - KP_SHOW_MAX_TEXT_LEN);
	cr_assert_str_eq(kp_buf_text(&out) + out.len - strlen("…"), "…");
	kp_buf_fini(&out);
	free(text);
}

static void
expect_override(const struct world *world, size_t index,
    enum kp_override_outcome outcome, const char *before, const char *after)
{
	const struct kp_trace_override *one =
	    &world->trace.policies[0].overrides[index];

	cr_assert_eq(one->outcome, outcome, "%zu", index);
	cr_assert_eq(one->before == NULL, before == NULL, "%zu", index);
	cr_assert_eq(one->after == NULL, after == NULL, "%zu", index);
	if (before != NULL)
		cr_assert_str_eq(one->before, before);
	if (after != NULL)
		cr_assert_str_eq(one->after, after);
}

#define OVERRIDES(more) \
	"{match: {apis: [CreateTopics]}, overrides: [" \
	"{field: topic.partitions, expression: '6'}, " \
	"{field: topic.replicationFactor, expression: '1'}, " \
	"{field: \"topic.configs['a']\", expression: topic.name}, " \
	"{field: \"topic.configs['b']\", expression: topic.name, when: " \
	"'false'}" more "}"
#define FAILING \
	", {field: \"topic.configs['c']\", expression: " \
	"\"topic.configs['none']\"}"

Test(trace, says_what_policies_set)
{
	struct world world;

	open_world(&world, "api: CreateTopics",
	    "name: t, partitions: 3, replicationFactor: 1",
	    POLICY("p", OVERRIDES("]")));
	expect_override(&world, 0, KP_OVERRIDE_SET, "3", "6");
	expect_override(&world, 1, KP_OVERRIDE_SAME, NULL, NULL);
	expect_override(&world, 2, KP_OVERRIDE_SET, NULL, "t");
	expect_override(&world, 3, KP_OVERRIDE_UNMET, NULL, NULL);
	cr_assert(world.trace.is_changed);
	cr_assert_eq(world.trace.decision, KP_DECISION_ALLOW);
	close_world(&world);
}

Test(trace, says_what_policies_would_set)
{
	struct world world;

	open_world(&world, "api: CreateTopics",
	    "name: t, partitions: 3, replicationFactor: 1",
	    POLICY("p", OVERRIDES("], action: warn")));
	expect_override(&world, 0, KP_OVERRIDE_WOULD_SET, "3", "6");
	cr_assert_str_eq(world.trace.policies[0].overrides[0].text,
	    "would set topic.partitions to 6");
	cr_assert(!world.trace.is_changed);
	cr_assert_eq(world.trace.decision, KP_DECISION_WARN);
	cr_assert_eq(world.trace.policies[0].decision, KP_DECISION_WARN);
	close_world(&world);
}

Test(trace, says_what_policies_could_not_set_and_why)
{
	struct world world;

	open_world(&world, "api: CreateTopics",
	    "name: t, partitions: 3, replicationFactor: 1",
	    POLICY("p", OVERRIDES(FAILING "]")));
	expect_override(&world, 0, KP_OVERRIDE_SET, "3", "6");
	expect_override(&world, 4, KP_OVERRIDE_FAILED, NULL, NULL);
	cr_assert_str_eq(world.trace.policies[0].overrides[4].place,
	    "1:14: there is no such key\n | topic.configs['none']\n | "
	    ".............^");
	cr_assert(!world.trace.is_changed);
	cr_assert_eq(world.trace.decision, KP_DECISION_DENY);
	cr_assert_str_eq(world.trace.sentence,
	    "policy \"p\": topic.configs['c'] cannot be set: there is no such "
	    "key");
	close_world(&world);
}
