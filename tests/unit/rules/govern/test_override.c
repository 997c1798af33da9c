/* SPDX-License-Identifier: Apache-2.0 */
/* What policies set: which values, in which order, and what cannot be set. */
#include "rules/govern/override.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "rules/govern/cases.h"
#include "tests/support/declared.h"

#define MAX_TEXT 16384
#define POLICY(name, spec) \
	"---\n{apiVersion: kproxy/v1, kind: Policy, metadata: {name: " name \
	"},\nspec: {" spec "}}\n"
#define TOPICS "match: {apis: [CreateTopics]}, "

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
add(char out[MAX_TEXT], const char *one, const char *two, const char *three)
{
	size_t len = strlen(out);

	(void)snprintf(out + len, MAX_TEXT - len, "%s%s%s%s",
	    len > 0 ? "; " : "", one, two, three);
}

/* "p: topic.partitions 1 > 6; deny! p: why": all of it in order. */
static void
describe(const struct kp_case_result *result, char out[MAX_TEXT])
{
	char line[1024];

	out[0] = '\0';
	for (size_t i = 0; i < result->num_changes; i++) {
		const struct kp_case_change *change = &result->changes[i];

		(void)snprintf(line, sizeof(line), "%s %s > %s", change->field,
		    change->before == NULL ? "-" : change->before,
		    change->after);
		add(out, change->policy, ": ", line);
	}
	for (size_t i = 0; i < result->num_findings; i++) {
		const struct kp_case_finding *finding = &result->findings[i];

		(void)snprintf(line, sizeof(line), "%s%s %s",
		    finding->is_denial ? "deny" : "warn",
		    finding->is_failure ? "!" : "", finding->policy);
		add(out, line, ": ", finding->text);
	}
}

struct example {
	const char *policies, *request, *item;
	const char *comes_to; /* as describe says it */
};

static void
check(const struct example *example)
{
	struct kp_policies *policies = policies_of(example->policies);
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_case_result result;
	struct kp_cases *cases;
	char text[MAX_TEXT];

	(void)snprintf(text, sizeof(text),
	    "cases:\n- {name: n, request: {%s}, item: {%s}, expect: allow}\n",
	    example->request, example->item);
	cases = kp_cases_new("t.yaml", kp_bytes_of(text), &diagnostics);
	cr_assert(cases != NULL, "%s",
	    diagnostics.num_lines > 0 ? diagnostics.lines[0] : "");
	/* twice: judging changes nothing of a case */
	for (int i = 0; i < 2; i++) {
		kp_case_run(cases->list, policies, &result);
		describe(&result, text);
		cr_assert_str_eq(text, example->comes_to);
		kp_case_result_fini(&result);
	}
	kp_cases_free(cases);
	kp_policies_unref(policies);
}

#define CREATE "api: CreateTopics"
#define ITEM "name: t, partitions: 3, replicationFactor: 1"
#define DENIES "deny p: failed expression: false"

static const struct example fields[] = {
	{ POLICY("p", TOPICS "overrides: [{field: topic.partitions, "
			     "expression: '6'}]"),
	    CREATE, ITEM, "p: topic.partitions 3 > 6" },
	{ POLICY("p", TOPICS "overrides: [{field: topic.replicationFactor, "
			     "expression: '3'}]"),
	    "api: CreateTopics, version: 0", "name: t",
	    "p: topic.replicationFactor -1 > 3" },
	/* what is so is not set */
	{ POLICY("p", TOPICS "overrides: [{field: topic.partitions, "
			     "expression: '3'}]"),
	    CREATE, ITEM, "" },
	{ POLICY("p", TOPICS "overrides: [{field: \"topic.configs['a.b']\", "
			     "expression: \"'2'\"}]"),
	    CREATE, ITEM, "p: topic.configs['a.b'] - > 2" },
	{ POLICY("p", TOPICS "overrides: [{field: \"topic.configs['a.b']\", "
			     "expression: \"'2'\"}]"),
	    CREATE, ITEM ", configs: {x: 1, a.b: 1}",
	    "p: topic.configs['a.b'] 1 > 2" },
	{ POLICY("p", TOPICS "overrides: [{field: \"topic.configs['a.b']\", "
			     "expression: \"'2'\"}]"),
	    CREATE, ITEM ", configs: {a.b: 2}", "" },
	{ POLICY("p", TOPICS "overrides: [{field: \"topic.configs['a']\", "
			     "expression: \"''\"}], validations: "
			     "[{expression: \"topic.configs['a'] == ''\"}]"),
	    CREATE, ITEM ", configs: {a: x}", "p: topic.configs['a'] x > " },
	{ POLICY("p", TOPICS "overrides: [{field: \"topic.configs['a']\", "
			     "expression: \"topic.name.substring(1)\"}]"),
	    CREATE, ITEM ", configs: {a: ''}", "" },
	{ POLICY("p", "match: {apis: [CreatePartitions]}, overrides: [{field: "
		      "topic.partitions, expression: '12'}]"),
	    "api: CreatePartitions", "name: t, partitions: 40",
	    "p: topic.partitions 40 > 12" },
	{ POLICY("p", "match: {apis: [AlterConfigs]}, overrides: [{field: "
		      "\"config.configs['a']\", expression: \"'2'\"}]"),
	    "api: AlterConfigs",
	    "resourceType: topic, name: t, configs: {b: 1}",
	    "p: config.configs['a'] - > 2" },
};

#define CHANGES(rest) \
	POLICY("p", "match: {apis: [IncrementalAlterConfigs]}, overrides: " \
		    "[{field: \"config.changes['a']\", expression: " \
		    "\"'2'\"" rest "}]"), \
	    "api: IncrementalAlterConfigs"
#define CHANGED(change) "resourceType: topic, name: t, changes: [" change "]"

/* Whatever a client does to it, it is set. */
static const struct example changes[] = {
	{ CHANGES(""), CHANGED("{name: a, operation: set, value: 1}"),
	    "p: config.changes['a'] 1 > 2" },
	{ CHANGES(""), CHANGED("{name: a, operation: set, value: 2}"), "" },
	{ CHANGES(""), CHANGED("{name: a, operation: append, value: 2}"),
	    "p: config.changes['a'] another operation > 2" },
	{ CHANGES(""), CHANGED("{name: a, operation: delete}"),
	    "p: config.changes['a'] another operation > 2" },
	{ CHANGES(""), CHANGED("{name: b, operation: set, value: 1}"), "" },
	{ CHANGES(", when: \"config.changes[0].operation == 'set'\""),
	    CHANGED("{name: a, operation: delete}"), "" },
	{ CHANGES(""),
	    CHANGED("{name: a, operation: set, value: 1}, {name: a, "
		    "operation: delete}"),
	    "deny! p: config.changes['a'] cannot be set: the setting is there "
	    "twice" },
	/* whichever of them counts */
	{ CHANGES(""),
	    CHANGED("{name: a, operation: set, value: 1}, {name: a, "
		    "operation: set, value: 2}"),
	    "deny! p: config.changes['a'] cannot be set: the setting is there "
	    "twice" },
};

#define SET(more) \
	TOPICS "overrides: [{field: topic.partitions, expression: " more "}]"

static const struct example failures[] = {
	{ POLICY("p", SET("\"int(topic.configs['n'])\"")), CREATE, ITEM,
	    "deny! p: topic.partitions cannot be set: there is no such key" },
	{ POLICY("p",
	      SET("\"int(topic.configs['n'])\"") ", failurePolicy: ignore"),
	    CREATE, ITEM,
	    "warn! p: topic.partitions cannot be set: there is no such key" },
	{ POLICY("p", SET("'6', when: \"topic.configs['n'] == ''\"")), CREATE,
	    ITEM,
	    "deny! p: topic.partitions cannot be set: there is no such key" },
	/* types that only evaluation knows */
	{ POLICY("p", SET("dyn(topic.name)")), CREATE, ITEM,
	    "deny! p: topic.partitions cannot be set: the value has another "
	    "type" },
	{ POLICY("p", SET("'6', when: dyn(topic.name)")), CREATE, ITEM,
	    "deny! p: topic.partitions cannot be set: the value has another "
	    "type" },
	{ POLICY("p", SET("'2147483648'")), CREATE, ITEM,
	    "deny! p: topic.partitions cannot be set: Kafka has no such "
	    "numbers there" },
	{ POLICY("p", TOPICS "overrides: [{field: topic.replicationFactor, "
			     "expression: '32768'}]"),
	    CREATE, ITEM,
	    "deny! p: topic.replicationFactor cannot be set: Kafka has no "
	    "such numbers there" },
	/* a number says nothing about which broker a replica is to leave */
	{ POLICY("p", SET("'6'")), CREATE,
	    "name: t, assignments: [{partition: 0, replicas: [1]}]",
	    "deny! p: topic.partitions cannot be set: the client assigns "
	    "replicas itself" },
	{ POLICY("p", SET("'1'")), CREATE,
	    "name: t, assignments: [{partition: 0, replicas: [1]}]", "" },
	{ POLICY("p", "match: {apis: [CreatePartitions]}, overrides: [{field: "
		      "topic.partitions, expression: '12'}]"),
	    "api: CreatePartitions",
	    "name: t, partitions: 4, assignments: [{replicas: [1]}]",
	    "deny! p: topic.partitions cannot be set: the client assigns "
	    "replicas itself" },
	/* another one does not make up for it */
	{ POLICY("p",
	      TOPICS "overrides: [{field: topic.partitions, expression: "
		     "'2147483648'}, {field: topic.replicationFactor, "
		     "expression: '3'}]"),
	    CREATE, ITEM,
	    "deny! p: topic.partitions cannot be set: Kafka has no such "
	    "numbers there" },
};

static const struct example order[] = {
	/* before all validations, also those of policies before it */
	{ POLICY("z", SET("'6'")) POLICY(
	      "a", TOPICS "validations: [{expression: topic.partitions == 6}]"),
	    CREATE, ITEM, "z: topic.partitions 3 > 6" },
	{ POLICY("a", SET("'6'")) POLICY(
	      "z", TOPICS "validations: [{expression: topic.partitions == 3}]"),
	    CREATE, ITEM, "deny z: failed expression: topic.partitions == 3" },
	/* by name, wherever they were declared; each sees what was set */
	{ POLICY("z", SET("topic.partitions * 2"))
		POLICY("a", SET("topic.partitions + 1")),
	    CREATE, ITEM,
	    "a: topic.partitions 3 > 4; z: topic.partitions 4 > 8" },
	/* also through variables, which are no longer what they were */
	{ POLICY("p",
	      TOPICS "variables: [{name: n, expression: topic.partitions}], "
		     "overrides: [{field: topic.partitions, expression: "
		     "variables.n + 1}, {field: topic.replicationFactor, "
		     "expression: variables.n}], validations: [{expression: "
		     "variables.n == 4 && topic.replicationFactor == 4}]"),
	    CREATE, ITEM,
	    "p: topic.partitions 3 > 4; p: topic.replicationFactor 1 > 4" },
	/* of what is refused nothing is told */
	{ POLICY("p", SET("'6'") ", validations: [{expression: 'false'}]"),
	    CREATE, ITEM, DENIES },
	{ POLICY("p", SET("'6', when: topic.partitions > 3")), CREATE, ITEM,
	    "" },
	{ POLICY("p", "match: {apis: [CreateTopics], topics: [u*]}, "
		      "overrides: [{field: topic.partitions, expression: "
		      "'6'}]"),
	    CREATE, ITEM, "" },
	/* it is watched, and nothing is set */
	{ POLICY("p", SET("'6'") ", action: warn, validations: [{expression: "
				 "topic.partitions == 3}]"),
	    CREATE, ITEM, "warn p: would set topic.partitions to 6" },
	{ POLICY("p", TOPICS "overrides: [{field: \"topic.configs['a']\", "
			     "expression: \"'x'\"}], action: warn"),
	    CREATE, ITEM, "warn p: would set topic.configs['a'] to \"x\"" },
	{ POLICY("p", SET("'3'") ", action: warn"), CREATE, ITEM, "" },
	/* nobody but the broker says how such a topic is made */
	{ POLICY("p", SET("'6'")), "api: Metadata", "name: t",
	    "deny! p: topic.partitions cannot be set: a topic that a broker "
	    "creates by itself has nothing but its name" },
	{ POLICY("p", SET("'6'") ", failurePolicy: ignore"), "api: Metadata",
	    "name: t",
	    "warn! p: topic.partitions cannot be set: a topic that a broker "
	    "creates by itself has nothing but its name" },
	{ POLICY("p", SET("'6', when: request.api != 'Metadata'")),
	    "api: Metadata", "name: t", "" },
};

Test(override, sets_fields_of_each_api)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		check(&fields[i]);
}

Test(override, a_changed_setting_is_set_whatever_the_change)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		check(&changes[i]);
}

Test(override, what_cannot_be_set_is_a_failure)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++)
		check(&failures[i]);
}

Test(override, comes_before_all_judging)
{
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		check(&order[i]);
}

/* A request to create one topic, which is changed itself. */
struct world {
	struct kp_arena arena, scratch, room;
	struct kp_tree request;
	struct kp_items items;
	struct kp_item item;
	struct kp_override_target target;
	struct kp_judge_changes changes;
};

static void
open_world(struct world *world)
{
	const struct kp_object_api *api = kp_object_api_find(KP_CREATE_TOPICS);
	const struct kp_message *message =
	    kp_api_find(KP_CREATE_TOPICS)->request;
	const struct kp_field *array =
	    &message->fields[kp_tree_find(message->fields, "Topics")];
	struct kp_tree_value *topics;
	struct kp_cel_fault fault;

	kp_arena_init(&world->arena, 1u << 20);
	kp_arena_init(&world->scratch, 1u << 20);
	kp_arena_init(&world->room, 1u << 20);
	kp_tree_make(&world->request, message, 7, &world->arena);
	topics = &world->request.root.items[array - message->fields];
	cr_assert_not_null(kp_tree_reserve(&world->request, topics, 1));
	cr_assert(kp_tree_fill(&world->request, array->fields, topics->items));
	cr_assert(kp_items_of(&world->items, api, &world->request));
	world->item = kp_items_at(
	    &world->items, api, &world->request, 0, &world->scratch);
	cr_assert(kp_override_target_init(
	    &world->target, api, kp_bytes_of("topic.configs['ab']"), &fault));
}

static void
close_world(struct world *world)
{
	kp_override_target_fini(&world->target);
	kp_arena_fini(&world->room);
	kp_arena_fini(&world->scratch);
	kp_arena_fini(&world->arena);
}

static const struct kp_tree_value *
configs(const struct world *world)
{
	return kp_tree_get(world->item.value, world->item.fields, "Configs");
}

static bool
set_to(struct world *world, const char *value, struct kp_override_room *room,
    size_t num_more)
{
	struct kp_override_plan plan;

	kp_override_plan_init(&plan, &world->item, kp_item_object(&world->item),
	    &world->target, kp_cel_string(kp_bytes_of(value)));
	cr_assert(!plan.is_same && plan.why_not == NULL);
	return kp_override_set(&plan, &world->item, room, num_more);
}

/* Whatever the memory that is left, all of it is set or nothing. */
Test(override, without_room_nothing_is_changed)
{
	size_t max_len = 0;
	bool is_set = false;

	for (; !is_set; max_len += 16) {
		struct world world;
		struct kp_override_room room = { .growth_left = 100 };
		struct kp_buf before, after;

		open_world(&world);
		room.arena = &world.room;
		kp_arena_fini(&world.room);
		kp_arena_init(&world.room, max_len);
		kp_buf_init(&before, 1024);
		kp_buf_init(&after, 1024);
		kp_tree_write(&world.request, &before);
		is_set = set_to(&world, "xyz", &room, 3);
		kp_tree_write(&world.request, &after);
		cr_assert(!before.failed && !after.failed);
		cr_assert_eq(
		    kp_bytes_equal(kp_buf_bytes(&before), kp_buf_bytes(&after)),
		    !is_set);
		cr_assert_eq(configs(&world)->num, is_set ? 1 : 0);
		kp_buf_fini(&before);
		kp_buf_fini(&after);
		close_world(&world);
	}
	cr_assert_gt(max_len, 64);
}

/* The request never grows by more than it was charged for. */
Test(override, grows_by_no_more_than_is_left)
{
	for (size_t left = 0; left < 40; left++) {
		struct world world;
		struct kp_override_room room = { .growth_left = left };
		struct kp_buf before, after;
		bool is_set;

		open_world(&world);
		room.arena = &world.room;
		kp_buf_init(&before, 1024);
		kp_buf_init(&after, 1024);
		kp_tree_write(&world.request, &before);
		is_set = set_to(&world, "xyz", &room, 0);
		if (is_set)
			is_set = set_to(&world, "longer", &room, 0);
		kp_tree_write(&world.request, &after);
		cr_assert_leq(after.len, before.len + left);
		cr_assert_eq(is_set, left >= 16 + 5 + 16 + 6);
		kp_buf_fini(&before);
		kp_buf_fini(&after);
		close_world(&world);
	}
}

/* Rows that are added move once, not each time. */
Test(override, rows_have_room_for_those_that_follow)
{
	struct world world;
	struct kp_override_room room = { .growth_left = 1000 };
	const struct kp_object_api *api = kp_object_api_find(KP_CREATE_TOPICS);
	const struct kp_tree_value *rows;

	open_world(&world);
	room.arena = &world.room;
	cr_assert(set_to(&world, "1", &room, 3));
	rows = configs(&world)->items;
	for (uint32_t i = 0; i < 3; i++) {
		char name[32];
		struct kp_cel_fault fault;

		kp_override_target_fini(&world.target);
		(void)snprintf(name, sizeof(name), "topic.configs['%u']", i);
		cr_assert(kp_override_target_init(
		    &world.target, api, kp_bytes_of(name), &fault));
		cr_assert(set_to(&world, "2", &room, 2 - i));
		cr_assert_eq(configs(&world)->items, rows);
		cr_assert_eq(configs(&world)->num, 2 + i);
	}
	close_world(&world);
}
