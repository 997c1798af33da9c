/* SPDX-License-Identifier: Apache-2.0 */
/* What policies say of items: values, messages, selection, bounds. */
#include "rules/govern/judge.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/governed.h"

#define CREATE_TOPICS 19
#define DELETE_TOPICS 20
#define CREATE_ACLS 30
#define ALTER_CONFIGS 33
#define INCREMENTAL_ALTER_CONFIGS 44

/* One item of one request, and what was found. */
struct world {
	struct kp_arena arena;
	struct kp_tree request;
	struct kp_items items;
	struct kp_facts facts;
	const struct kp_object_api *api;
	char found[8192]; /* lines "deny|warn[!] text" */
};

static void
open_world(struct world *world, int16_t key, int16_t version)
{
	*world = (struct world){ .api = kp_object_api_find(key) };
	world->facts = (struct kp_facts){ .api_key = key,
		.api_version = version,
		.client_id = kp_bytes_of("app-7"),
		.principal = "alice",
		.virtual_cluster = "shop",
		.listener = "public",
		.address = "10.0.0.1" };
	kp_arena_init(&world->arena, 1u << 20);
	kp_test_request(&world->request, world->api, version, 1, &world->arena);
	cr_assert(kp_items_of(&world->items, world->api, &world->request));
}

static void
close_world(struct world *world)
{
	kp_arena_fini(&world->arena);
}

/* The one item, and its fields. */
static struct kp_tree_value *
item_of(struct world *world, const struct kp_field **fields)
{
	*fields = world->request.message->fields;
	if (world->items.num_parts == 0)
		return &world->request.root;
	*fields = world->items.parts[0].fields;
	return &world->items.parts[0].array->items[0];
}

static struct kp_tree_value *
field(struct world *world, const char *name)
{
	const struct kp_field *fields;
	struct kp_tree_value *item = item_of(world, &fields);

	return kp_tree_get(item, fields, name);
}

/* One more row of an array of the item; values are by the row's fields. */
static struct kp_tree_value *
add_row(struct world *world, const char *name, const struct kp_field **fields)
{
	struct kp_tree_value *array = field(world, name);

	(void)item_of(world, fields);
	*fields = (*fields)[kp_tree_find(*fields, name)].fields;
	cr_assert_not_null(
	    kp_tree_reserve(&world->request, array, array->num + 1));
	cr_assert(kp_tree_fill(
	    &world->request, *fields, &array->items[array->num - 1]));
	return &array->items[array->num - 1];
}

static void
add_setting(struct world *world, const char *name, const char *value)
{
	const struct kp_field *fields;
	struct kp_tree_value *row = add_row(world, "Configs", &fields);

	kp_tree_get(row, fields, "Name")->text = kp_bytes_of(name);
	kp_tree_get(row, fields, "Value")->text =
	    value == NULL ? (struct kp_bytes){ 0 } : kp_bytes_of(value);
}

static void
note(void *ctx, const struct kp_finding *finding)
{
	struct world *world = ctx;
	size_t len = strlen(world->found);

	(void)snprintf(world->found + len, sizeof(world->found) - len,
	    "%s%s%s %s", len > 0 ? "\n" : "",
	    finding->action == KP_POLICY_DENY ? "deny" : "warn",
	    finding->is_failure ? "!" : "", finding->text);
}

static bool
judge_spec(struct world *world, const char *spec)
{
	struct kp_policies *policies = kp_test_policies(spec);
	struct kp_judge *judge = kp_judge_new(policies, &world->facts);
	struct kp_item item = kp_items_at(
	    &world->items, world->api, &world->request, 0, &world->arena);
	bool may_pass;

	world->found[0] = '\0';
	may_pass = kp_judge_item(judge, &item, note, world);
	kp_judge_free(judge);
	kp_policies_unref(policies);
	return may_pass;
}

/* Is the expression, over the one item, true? */
static void
expect_true(struct world *world, const char *expression)
{
	char spec[2048];

	(void)snprintf(spec, sizeof(spec),
	    "{match: {apis: [%s]}, validations: [{expression: \"%s\"}]}",
	    kp_api_name(world->api->key), expression);
	cr_expect(judge_spec(world, spec), "%s: %s", expression, world->found);
}

static void
expect_error(struct world *world, const char *expression, const char *text)
{
	char spec[2048];

	(void)snprintf(spec, sizeof(spec),
	    "{match: {apis: [%s]}, validations: [{expression: \"%s\"}]}",
	    kp_api_name(world->api->key), expression);
	cr_expect(!judge_spec(world, spec), "%s", expression);
	cr_assert_str_eq(world->found, text);
}

Test(judge, a_new_topic_is_what_the_request_says)
{
	struct world world;

	open_world(&world, CREATE_TOPICS, 7);
	field(&world, "Name")->text = kp_bytes_of("team.orders");
	field(&world, "NumPartitions")->number = 12;
	field(&world, "ReplicationFactor")->number = 3;
	add_setting(&world, "cleanup.policy", "compact");
	add_setting(&world, "retention.ms", "-1");
	kp_tree_get(
	    &world.request.root, world.request.message->fields, "validateOnly")
	    ->number = 1;
	expect_true(&world, "topic.name == 'team.orders'");
	expect_true(
	    &world, "topic.partitions == 12 && topic.replicationFactor == 3");
	expect_true(&world, "topic.configs['retention.ms'] == '-1'");
	expect_true(&world, "topic.configs.all(k, k.contains('.'))");
	expect_true(&world, "!('max.message.bytes' in topic.configs)");
	expect_true(&world, "topic.validateOnly && size(topic.configs) == 2");
	expect_true(&world, "topic.assignments == []");
	close_world(&world);
}

Test(judge, facts_are_named)
{
	struct world world;

	open_world(&world, CREATE_TOPICS, 7);
	expect_true(&world, "request.api == 'CreateTopics'");
	expect_true(
	    &world, "request.version == 7 && request.clientId == 'app-7'");
	expect_true(&world, "principal.name == 'alice'");
	expect_true(&world, "virtualCluster.name == 'shop'");
	expect_true(&world,
	    "connection.listener == 'public' && connection.address == "
	    "'10.0.0.1'");
	world.facts.principal = "";
	expect_true(&world, "principal.name == 'ANONYMOUS'");
	world.facts.client_id = (struct kp_bytes){ 0 };
	expect_true(&world, "request.clientId == ''");
	world.facts.client_id = kp_bytes_of("\xff");
	expect_error(&world, "request.clientId == ''",
	    "deny! the client id is not UTF-8");
	close_world(&world);
}

/* Whoever assigns replicas himself says no numbers: they are -1. */
Test(judge, assigned_replicas_are_counted)
{
	struct world world;

	open_world(&world, CREATE_TOPICS, 7);
	field(&world, "NumPartitions")->number = -1;
	field(&world, "ReplicationFactor")->number = -1;
	for (uint32_t i = 0; i < 3; i++) {
		const struct kp_field *fields;
		struct kp_tree_value *row =
		    add_row(&world, "Assignments", &fields);

		kp_tree_get(row, fields, "PartitionIndex")->number = i;
		cr_assert_not_null(kp_tree_reserve(&world.request,
		    kp_tree_get(row, fields, "BrokerIds"), i == 1 ? 2 : 3));
	}
	expect_true(
	    &world, "topic.partitions == 3 && topic.replicationFactor == 2");
	expect_true(&world,
	    "topic.assignments.map(a, a.partition) == [0, 1, 2] && "
	    "size(topic.assignments[1].replicas) == 2");
	close_world(&world);
}

Test(judge, what_is_ambiguous_or_not_text_is_an_error)
{
	struct world world;

	open_world(&world, CREATE_TOPICS, 7);
	field(&world, "Name")->text = kp_bytes_of("\xc3(");
	add_setting(&world, "a", "1");
	add_setting(&world, "a", "2");
	expect_error(&world, "topic.name != 'x'",
	    "deny! a text of the request is not UTF-8");
	expect_error(&world, "topic.configs['a'] == '2'",
	    "deny! a setting is there twice");
	expect_error(&world,
	    "!('a' in topic.configs) || topic.configs.a == '2'",
	    "deny! a setting is there twice");
	close_world(&world);
}

Test(judge, a_topic_that_is_named_by_its_id_is_not_known)
{
	struct world world;

	open_world(&world, DELETE_TOPICS, 6);
	field(&world, "Name")->text = (struct kp_bytes){ 0 };
	expect_error(&world, "topic.name == 'x'",
	    "deny! the request does not say the name");
	/* it may be one of those that are protected */
	cr_expect(!judge_spec(&world,
	    "{match: {apis: [DeleteTopics], topics: ['prod.*']}, validations: "
	    "[{expression: 'false', message: no}]}"));
	cr_assert_str_eq(world.found, "deny no");
	close_world(&world);
}

Test(judge, codes_are_words)
{
	struct world world;

	open_world(&world, CREATE_ACLS, 3);
	field(&world, "ResourceType")->number = 2;
	field(&world, "Operation")->number = 4;
	field(&world, "PermissionType")->number = 3;
	expect_true(&world,
	    "acl.resourceType == 'topic' && acl.operation == 'write' && "
	    "acl.permission == 'allow' && acl.patternType == 'literal'");
	field(&world, "Operation")->number = 77;
	expect_error(&world, "acl.operation == 'write'",
	    "deny! a code of the request has no word");
	close_world(&world);
}

Test(judge, settings_are_of_topics_only_if_they_say_so)
{
	static const char spec[] =
	    "{match: {apis: [IncrementalAlterConfigs], topics: ['a']}, "
	    "validations: [{expression: 'false', message: no}]}";
	struct world world;

	open_world(&world, INCREMENTAL_ALTER_CONFIGS, 1);
	field(&world, "ResourceName")->text = kp_bytes_of("a");
	field(&world, "ResourceType")->number = 4;
	expect_true(&world, "config.resourceType == 'broker'");
	cr_expect(judge_spec(&world, spec));
	field(&world, "ResourceType")->number = 2;
	cr_expect(!judge_spec(&world, spec));
	field(&world, "ResourceName")->text = kp_bytes_of("ab");
	cr_expect(judge_spec(&world, spec));
	close_world(&world);
}

Test(judge, a_value_that_is_not_set_is_not_there)
{
	const struct kp_field *fields;
	struct kp_tree_value *row;
	struct world world;

	open_world(&world, INCREMENTAL_ALTER_CONFIGS, 1);
	row = add_row(&world, "Configs", &fields);
	kp_tree_get(row, fields, "Name")->text = kp_bytes_of("retention.ms");
	kp_tree_get(row, fields, "ConfigOperation")->number = 1;
	kp_tree_get(row, fields, "Value")->text = (struct kp_bytes){ 0 };
	expect_true(&world,
	    "config.changes.all(c, c.operation == 'delete' && !has(c.value) && "
	    "c.value == '')");
	close_world(&world);
}

Test(judge, all_that_is_wrong_is_said)
{
	struct world world;

	open_world(&world, CREATE_TOPICS, 7);
	field(&world, "Name")->text = kp_bytes_of("x");
	field(&world, "ReplicationFactor")->number = 1;
	cr_expect(!judge_spec(&world,
	    "{match: {apis: [CreateTopics]}, variables: [{name: rf, "
	    "expression: topic.replicationFactor}], validations: ["
	    "{expression: variables.rf >= 3, messageExpression: \"'replication "
	    "factor is ' + string(variables.rf)\"}, "
	    "{expression: 'true'}, "
	    "{expression: \"topic.name.contains('.')\", message: no dot}, "
	    "{expression: topic.name.size() > 1}, "
	    "{expression: 'false', messageExpression: \"topic.configs['no']\", "
	    "message: instead}]}"));
	cr_assert_str_eq(world.found,
	    "deny replication factor is 1\ndeny no dot\n"
	    "deny failed expression: topic.name.size() > 1\ndeny instead");
	close_world(&world);
}

Test(judge, a_variable_is_evaluated_when_it_is_asked_for)
{
	static const char spec[] =
	    "{match: {apis: [CreateTopics]}, variables: ["
	    "{name: a, expression: \"topic.configs['no']\"}, "
	    "{name: b, expression: variables.a + '!'}], validations: ["
	    "{expression: \"%s\"}]}";
	struct world world;
	char text[512];

	open_world(&world, CREATE_TOPICS, 7);
	(void)snprintf(text, sizeof(text), spec, "true || variables.b == ''");
	cr_expect(judge_spec(&world, text), "%s", world.found);
	(void)snprintf(text, sizeof(text), spec, "variables.b == ''");
	cr_expect(!judge_spec(&world, text));
	cr_assert_str_eq(world.found, "deny! there is no such key");
	close_world(&world);
}

Test(judge, actions_and_failures)
{
	static const struct {
		const char *rest, *found;
		bool may_pass;
	} cases[] = {
		{ "validations: [{expression: 'false', message: m}]", "deny m",
		    false },
		{ "validations: [{expression: 'false', message: m}], action: "
		  "warn",
		    "warn m", true },
		{ "validations: [{expression: '1 / 0 == 1', message: m}]",
		    "deny! division by zero", false },
		{ "validations: [{expression: '1 / 0 == 1', message: m}], "
		  "failurePolicy: ignore",
		    "warn! division by zero", true },
		{ "validations: [{expression: '1 / 0 == 1'}, {expression: "
		  "'false', message: m}], failurePolicy: ignore",
		    "warn! division by zero\ndeny m", false },
	};
	struct world world;

	open_world(&world, CREATE_TOPICS, 7);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char spec[512];

		(void)snprintf(spec, sizeof(spec),
		    "{match: {apis: [CreateTopics]}, %s}", cases[i].rest);
		cr_assert_eq(
		    judge_spec(&world, spec), cases[i].may_pass, "%s", spec);
		cr_assert_str_eq(world.found, cases[i].found);
	}
	close_world(&world);
}

Test(judge, a_virtual_cluster_and_topics_select)
{
	static const struct {
		const char *match;
		bool applies;
	} cases[] = {
		{ "", true },
		{ ", virtualClusters: [shop]", true },
		{ ", virtualClusters: [other, 's*p']", true },
		{ ", virtualClusters: [other]", false },
		{ ", topics: ['*']", true },
		{ ", topics: [b, 'a*']", true },
		{ ", topics: [A]", false },
		{ ", topics: [a], virtualClusters: [other]", false },
	};
	struct world world;

	open_world(&world, CREATE_TOPICS, 7);
	field(&world, "Name")->text = kp_bytes_of("a");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char spec[512];

		(void)snprintf(spec, sizeof(spec),
		    "{match: {apis: [CreateTopics]%s}, validations: "
		    "[{expression: 'false'}]}",
		    cases[i].match);
		cr_assert_eq(
		    judge_spec(&world, spec), !cases[i].applies, "%s", spec);
	}
	close_world(&world);
}

/* What belongs to another virtual cluster is not even looked at. */
Test(judge, policies_govern_where_they_may_be_asked)
{
	struct kp_policies *policies = kp_test_policies(
	    "{match: {apis: [CreateTopics], virtualClusters: ['s*']}, "
	    "validations: [{expression: 'false'}]}");

	cr_assert(kp_policies_govern(policies, CREATE_TOPICS, "shop"));
	cr_assert(!kp_policies_govern(policies, CREATE_TOPICS, "other"));
	cr_assert(!kp_policies_govern(policies, DELETE_TOPICS, "shop"));
	cr_assert(!kp_policies_govern(NULL, CREATE_TOPICS, "shop"));
	kp_policies_unref(policies);
}

/* A budget ends an expression, and then the failurePolicy decides. */
Test(judge, cost_is_bounded)
{
	struct world world;
	char name[4096];

	memset(name, 'a', sizeof(name));
	open_world(&world, CREATE_TOPICS, 7);
	field(&world, "Name")->text =
	    (struct kp_bytes){ (const uint8_t *)name, sizeof(name) };
	expect_error(&world,
	    "topic.name.split('').all(a, topic.name.split('').all(b, a == b))",
	    "deny! the evaluation used up its budget");
	close_world(&world);
}

/* However many policies there are, and however often each looks. */
Test(judge, what_is_looked_at_often_takes_memory_once)
{
	struct world world;
	size_t taken;

	open_world(&world, CREATE_TOPICS, 7);
	for (uint32_t i = 0; i < 20; i++) {
		const struct kp_field *fields;

		(void)add_row(&world, "Assignments", &fields);
	}
	taken = world.arena.taken;
	expect_true(&world,
	    "topic.assignments.all(a, topic.assignments.all(b, a.partition == "
	    "b.partition && size(a.replicas) == size(b.replicas)))");
	cr_assert_lt(world.arena.taken - taken, 20 * 256);
	close_world(&world);
}

Test(judge, all_settings_of_alter_configs)
{
	struct world world;

	open_world(&world, ALTER_CONFIGS, 2);
	field(&world, "ResourceType")->number = 32;
	field(&world, "ResourceName")->text = kp_bytes_of("g");
	add_setting(&world, "k", NULL);
	expect_true(&world,
	    "config.resourceType == 'group' && config.name == 'g' && "
	    "config.configs['k'] == ''");
	close_world(&world);
}
