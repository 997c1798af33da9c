/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers about what is refused where Kafka's answer has another shape than the
 * request: rows for partitions, codes of the whole answer.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "proxy/govern/govern.h"
#include "tests/support/governed.h"

#define ALTER_REPLICA_LOG_DIRS 34
#define ELECT_LEADERS 43
#define ALTER_USER_SCRAM_CREDENTIALS 51

/* One request and what became of it. */
struct world {
	int16_t key, version;
	struct kp_arena arena;
	struct kp_tree request, answer;
	struct kp_ruling ruling;
	struct kp_buf body, merged;
};

static void
ignore(void *ctx, const struct kp_item *item, const struct kp_finding *finding)
{
	(void)ctx;
	(void)item;
	cr_assert_str_eq(finding->policy, "p");
}

static void
open_world(struct world *world, int16_t key, int16_t version)
{
	*world = (struct world){ .key = key, .version = version };
	kp_arena_init(&world->arena, 1u << 20);
	kp_buf_init(&world->body, 1u << 20);
	kp_buf_init(&world->merged, 1u << 20);
	kp_tree_make(
	    &world->request, kp_api_find(key)->request, version, &world->arena);
}

static void
close_world(struct world *world)
{
	kp_ruling_fini(&world->ruling);
	kp_buf_fini(&world->merged);
	kp_buf_fini(&world->body);
	kp_arena_fini(&world->arena);
}

/* A field of the first struct below root on the way of names. */
struct place {
	struct kp_tree_value *value;
	const struct kp_field *fields; /* of value's structs */
};

static struct place
at(const struct kp_tree_value *of, const struct kp_field *fields,
    const char *name)
{
	size_t index = kp_tree_find(fields, name);

	return (struct place){ &of->items[index], fields[index].fields };
}

/* One more element of an array of structs. */
static struct kp_tree_value *
add(struct kp_tree *tree, struct place array)
{
	struct kp_tree_value *items =
	    kp_tree_reserve(tree, array.value, array.value->num + 1);

	cr_assert_not_null(items);
	items += array.value->num - 1;
	cr_assert(kp_tree_fill(tree, array.fields, items));
	return items;
}

static void
set_text(struct kp_tree_value *of, const struct kp_field *fields,
    const char *name, const char *text)
{
	kp_tree_get(of, fields, name)->text = kp_bytes_of(text);
}

static void
add_number(struct kp_tree *tree, struct kp_tree_value *array, int64_t number)
{
	cr_assert_not_null(kp_tree_reserve(tree, array, array->num + 1));
	array->items[array->num - 1].number = number;
}

static void
read_answer(struct world *world, struct kp_bytes body)
{
	struct kp_error err = { 0 };

	cr_assert(
	    kp_tree_read(&world->answer, kp_api_find(world->key)->response,
		world->version, body, &world->arena, &err),
	    "%s v%d: %s", kp_api_name(world->key), world->version, err.text);
}

/* Judges the request; where nothing of it passes, reads the answer. */
static void
judge_saying(struct world *world, const char *expression, const char *message,
    enum kp_ruling_kind expected)
{
	struct kp_facts facts = { .api_key = world->key,
		.api_version = world->version,
		.principal = "alice",
		.virtual_cluster = "shop",
		.listener = "l",
		.address = "10.0.0.1" };
	struct kp_govern govern = { .facts = &facts, .found = ignore };
	struct kp_policies *policies;
	struct kp_error err = { 0 };
	char spec[2048];

	(void)snprintf(spec, sizeof(spec),
	    "{match: {apis: [%s]}, validations: [{expression: \"%s\"%s%s}]}",
	    kp_api_name(world->key), expression,
	    message == NULL ? "" : ", message: ",
	    message == NULL ? "" : message);
	policies = kp_test_policies(spec);
	govern.policies = policies;
	kp_tree_write(&world->request, &world->body);
	cr_assert(!world->body.failed);
	cr_assert(kp_govern_request(&govern, kp_buf_bytes(&world->body),
		      &world->ruling, &err),
	    "%s", err.text);
	cr_assert_eq(world->ruling.kind, expected, "%s v%d: %s",
	    kp_api_name(world->key), world->version, expression);
	if (expected == KP_RULING_REFUSED)
		read_answer(world, kp_buf_bytes(&world->ruling.answer));
	kp_policies_unref(policies);
}

static void
judge(struct world *world, const char *expression, enum kp_ruling_kind expected)
{
	judge_saying(world, expression, "no", expected);
}

/* "name:code" of a row, or "name number:code …" of its nested ones. */
static void
describe_row(char *out, size_t size, const struct kp_tree_value *row,
    const struct kp_field *fields, const char *const *names)
{
	struct kp_bytes name = kp_tree_get(row, fields, names[0])->text;
	size_t len =
	    (size_t)snprintf(out, size, "%.*s", (int)name.len, name.data);
	struct place nested;

	if (names[1] == NULL) {
		(void)snprintf(out + len, size - len, ":%d",
		    (int)kp_tree_get(row, fields, "ErrorCode")->number);
		return;
	}
	nested = at(row, fields, names[1]);
	for (uint32_t i = 0; i < nested.value->num; i++) {
		const struct kp_tree_value *one = &nested.value->items[i];

		len += (size_t)snprintf(out + len, size - len, " %d:%d",
		    (int)kp_tree_get(one, nested.fields, names[2])->number,
		    (int)kp_tree_get(one, nested.fields, "ErrorCode")->number);
	}
}

static void
expect_rows(const struct world *world, const char *array,
    const char *const *names, const char *const *expected)
{
	struct place rows =
	    at(&world->answer.root, world->answer.message->fields, array);
	char found[256];

	for (uint32_t i = 0; i < rows.value->num; i++) {
		cr_assert_not_null(expected[i]);
		describe_row(found, sizeof(found), &rows.value->items[i],
		    rows.fields, names);
		cr_assert_str_eq(found, expected[i]);
	}
	cr_assert_null(expected[rows.value->num]);
}

static int64_t
code_of_all(const struct world *world)
{
	return kp_tree_get(
	    &world->answer.root, world->answer.message->fields, "ErrorCode")
	    ->number;
}

static const char *const of_elections[] = { "Topic", "PartitionResult",
	"PartitionId" };

static void
add_election(struct world *world, const char *topic, int64_t partition)
{
	struct place topics = at(&world->request.root,
	    world->request.message->fields, "TopicPartitions");
	struct kp_tree_value *one = add(&world->request, topics);
	struct place partitions = at(one, topics.fields, "Partitions");

	set_text(one, topics.fields, "Topic", topic);
	add_number(&world->request, partitions.value, partition);
	add_number(&world->request, partitions.value, partition + 1);
}

Test(refuse, a_row_for_each_partition_whose_leader_is_not_elected)
{
	for (int16_t version = 0; version <= 2; version++) {
		const char *const expected[] = { "a 3:44 4:44", "b 5:44 6:44",
			NULL };
		struct place rows, nested;
		struct kp_bytes text;
		struct world world;

		open_world(&world, ELECT_LEADERS, version);
		add_election(&world, "a", 3);
		add_election(&world, "b", 5);
		judge(&world, "false", KP_RULING_REFUSED);
		expect_rows(
		    &world, "ReplicaElectionResults", of_elections, expected);
		cr_assert_eq(code_of_all(&world), 0);
		rows = at(&world.answer.root, world.answer.message->fields,
		    "ReplicaElectionResults");
		nested =
		    at(&rows.value->items[1], rows.fields, "PartitionResult");
		text = kp_tree_get(
		    &nested.value->items[1], nested.fields, "ErrorMessage")
			   ->text;
		cr_assert(
		    kp_bytes_equal(text, kp_bytes_of("policy \"p\": no")));
		close_world(&world);
	}
}

/* All have the code, and the first the sentence, however long that is. */
Test(refuse, elections_of_many_partitions_are_answered)
{
	enum { NUM = 100000 };
	struct kp_tree_value *partitions, *one;
	struct place topics, rows, nested;
	struct world world;
	char message[1000], expression[1200];

	memset(message, 'x', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	(void)snprintf(
	    expression, sizeof(expression), "election.topic == '%s'", message);
	open_world(&world, ELECT_LEADERS, 2);
	world.arena.max_len = 256u << 20;
	topics = at(&world.request.root, world.request.message->fields,
	    "TopicPartitions");
	one = add(&world.request, topics);
	set_text(one, topics.fields, "Topic", "a");
	partitions = at(one, topics.fields, "Partitions").value;
	cr_assert_not_null(kp_tree_reserve(&world.request, partitions, NUM));
	for (int64_t i = 0; i < NUM; i++)
		partitions->items[i].number = i;
	judge_saying(&world, expression, NULL, KP_RULING_REFUSED);
	rows = at(&world.answer.root, world.answer.message->fields,
	    "ReplicaElectionResults");
	nested = at(rows.value->items, rows.fields, "PartitionResult");
	cr_assert_eq(nested.value->num, NUM);
	for (uint32_t i = 0; i < NUM; i++) {
		const struct kp_tree_value *row = &nested.value->items[i];

		cr_assert_eq(
		    kp_tree_get(row, nested.fields, "PartitionId")->number, i);
		cr_assert_eq(
		    kp_tree_get(row, nested.fields, "ErrorCode")->number, 44);
	}
	cr_assert_gt(
	    kp_tree_get(&nested.value->items[0], nested.fields, "ErrorMessage")
		->text.len,
	    1000);
	cr_assert_null(kp_tree_get(
	    &nested.value->items[NUM - 1], nested.fields, "ErrorMessage")
			   ->text.data);
	close_world(&world);
}

/* Null means all that there are: one item, which names no topic. */
Test(refuse, elections_of_all_partitions_are_refused_as_a_whole)
{
	for (int16_t version = 0; version <= 2; version++) {
		const char *const expected[] = { " -1:44", NULL };
		struct world world;

		open_world(&world, ELECT_LEADERS, version);
		at(&world.request.root, world.request.message->fields,
		    "TopicPartitions")
		    .value->is_null = true;
		judge(&world, "has(election.topic)", KP_RULING_REFUSED);
		cr_assert_eq(world.ruling.num_items, 1);
		expect_rows(
		    &world, "ReplicaElectionResults", of_elections, expected);
		cr_assert_eq(code_of_all(&world), version == 0 ? 0 : 44);
		close_world(&world);

		open_world(&world, ELECT_LEADERS, version);
		at(&world.request.root, world.request.message->fields,
		    "TopicPartitions")
		    .value->is_null = true;
		judge(&world,
		    "!has(election.topic) && !has(election.partitions) && "
		    "election.topic == '' && election.partitions.size() == 0",
		    KP_RULING_PASS);
		close_world(&world);
	}
}

static const char *const of_moves[] = { "TopicName", "Partitions",
	"PartitionIndex" };

static void
add_folder(struct world *world, const char *path)
{
	struct place dirs =
	    at(&world->request.root, world->request.message->fields, "Dirs");

	set_text(add(&world->request, dirs), dirs.fields, "Path", path);
}

/* To the folder that was added last. */
static void
add_move(struct world *world, const char *topic, int64_t partition)
{
	struct place dirs =
	    at(&world->request.root, world->request.message->fields, "Dirs");
	struct place topics =
	    at(&dirs.value->items[dirs.value->num - 1], dirs.fields, "Topics");
	struct kp_tree_value *one = add(&world->request, topics);

	set_text(one, topics.fields, "Name", topic);
	add_number(&world->request, at(one, topics.fields, "Partitions").value,
	    partition);
}

/* Folders with several topics, one, and none, first and last. */
static void
ask_for_moves(struct world *world, int16_t version)
{
	open_world(world, ALTER_REPLICA_LOG_DIRS, version);
	add_folder(world, "/none");
	add_folder(world, "/x");
	add_move(world, "a", 1);
	add_move(world, "b", 2);
	add_folder(world, "/nothing");
	add_folder(world, "/y");
	add_move(world, "a", 3);
	add_folder(world, "/end");
}

/* What is asked of the broker, folder by folder: "/x a b /y". */
static void
describe_moves(struct world *world, char *out, size_t size)
{
	const struct kp_field *fields = world->request.message->fields;
	struct kp_error err = { 0 };
	struct kp_tree asked;
	struct place dirs, topics;
	size_t len = 0;

	cr_assert(kp_tree_read(&asked, world->request.message, world->version,
	    kp_buf_bytes(&world->ruling.request), &world->arena, &err));
	dirs = at(&asked.root, fields, "Dirs");
	for (uint32_t i = 0; i < dirs.value->num; i++) {
		const struct kp_tree_value *dir = &dirs.value->items[i];
		struct kp_bytes path =
		    kp_tree_get(dir, dirs.fields, "Path")->text;

		len += (size_t)snprintf(
		    out + len, size - len, "%.*s ", (int)path.len, path.data);
		topics = at(dir, dirs.fields, "Topics");
		for (uint32_t k = 0; k < topics.value->num; k++) {
			struct kp_bytes name = kp_tree_get(
			    &topics.value->items[k], topics.fields, "Name")
						   ->text;

			len += (size_t)snprintf(out + len, size - len, "%.*s ",
			    (int)name.len, name.data);
		}
	}
}

Test(refuse, moves_are_items_of_several_folders)
{
	static const struct {
		const char *expression, *asked;
		uint32_t num_refused;
	} cases[] = {
		{ "replicaMove.path != '/x'", "/none /x /nothing /y a /end ",
		    2 },
		{ "replicaMove.path != '/y'", "/none /x a b /nothing /y /end ",
		    1 },
		{ "replicaMove.topic != 'a'", "/none /x b /nothing /y /end ",
		    2 },
		{ "replicaMove.partitions != [2]",
		    "/none /x a /nothing /y a /end ", 1 },
	};

	for (int16_t version = 0; version <= 2; version++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			struct world world;
			char asked[256];

			ask_for_moves(&world, version);
			judge(&world, cases[i].expression, KP_RULING_PART);
			cr_assert_eq(world.ruling.num_items, 3);
			cr_assert_eq(
			    world.ruling.num_refused, cases[i].num_refused);
			describe_moves(&world, asked, sizeof(asked));
			cr_assert_str_eq(asked, cases[i].asked);
			close_world(&world);
		}
}

Test(refuse, a_row_for_each_partition_that_is_not_moved)
{
	for (int16_t version = 0; version <= 2; version++) {
		const char *const expected[] = { "a 1:44", "b 2:44", "a 3:44",
			NULL };
		struct world world;

		ask_for_moves(&world, version);
		judge(&world, "false", KP_RULING_REFUSED);
		expect_rows(&world, "Results", of_moves, expected);
		close_world(&world);

		open_world(&world, ALTER_REPLICA_LOG_DIRS, version);
		judge(&world, "false", KP_RULING_PASS);
		cr_assert_eq(world.ruling.num_items, 0);
		close_world(&world);
	}
}

static const char *const of_credentials[] = { "User", NULL };

static struct kp_tree_value *
add_credential(
    struct world *world, const char *array, const char *user, int64_t mechanism)
{
	struct place all =
	    at(&world->request.root, world->request.message->fields, array);
	struct kp_tree_value *one = add(&world->request, all);

	set_text(one, all.fields, "Name", user);
	kp_tree_get(one, all.fields, "Mechanism")->number = mechanism;
	return one;
}

/* Deletes those of a and b, sets those of a and c. */
static void
ask_for_credentials(struct world *world)
{
	static const char *const users[] = { "a", "c" };
	struct place upserted;

	open_world(world, ALTER_USER_SCRAM_CREDENTIALS, 0);
	upserted = at(
	    &world->request.root, world->request.message->fields, "Upsertions");
	(void)add_credential(world, "Deletions", "a", 1);
	(void)add_credential(world, "Deletions", "b", 2);
	for (size_t i = 0; i < 2; i++) {
		struct kp_tree_value *one =
		    add_credential(world, "Upsertions", users[i], 2);

		kp_tree_get(one, upserted.fields, "Iterations")->number =
		    4096 * (1 + (int64_t)i);
		set_text(one, upserted.fields, "Salt", "salt");
		set_text(one, upserted.fields, "SaltedPassword", "secret");
	}
}

/* The users of an array of what goes on: "ab". */
static void
expect_users(struct world *world, const char *array, const char *expected)
{
	const struct kp_field *fields = world->request.message->fields;
	struct kp_error err = { 0 };
	struct kp_tree asked;
	struct place all;

	cr_assert(kp_tree_read(&asked, world->request.message, world->version,
	    kp_buf_bytes(&world->ruling.request), &world->arena, &err));
	all = at(&asked.root, fields, array);
	cr_assert_eq(all.value->num, strlen(expected));
	for (uint32_t i = 0; i < all.value->num; i++)
		cr_assert(kp_bytes_equal(
		    kp_tree_get(&all.value->items[i], all.fields, "Name")->text,
		    (struct kp_bytes){ (const uint8_t *)&expected[i], 1 }));
}

/* The broker answers with one row, whatever it was asked. */
static void
merge_with_row(
    struct world *world, const char *array, const char *name, const char *value)
{
	struct kp_error err = { 0 };
	struct kp_buf broker;
	struct kp_tree answer;
	struct place rows;

	kp_buf_init(&broker, 1u << 16);
	kp_tree_make(&answer, kp_api_find(world->key)->response, world->version,
	    &world->arena);
	rows = at(&answer.root, answer.message->fields, array);
	set_text(add(&answer, rows), rows.fields, name, value);
	kp_tree_write(&answer, &broker);
	cr_assert(!broker.failed);
	cr_assert(kp_govern_merge(world->key, world->version,
	    kp_buf_bytes(&world->ruling.answer), kp_buf_bytes(&broker),
	    &world->merged, &err));
	read_answer(world, kp_buf_bytes(&world->merged));
	kp_buf_fini(&broker);
}

Test(refuse, credentials_are_items_of_two_arrays)
{
	static const struct {
		const char *expression, *deleted, *upserted;
		const char *rows[5];
	} cases[] = {
		{ "credential.operation != 'delete'", "", "ac",
		    { "a:44", "b:44", "c:0" } },
		{ "credential.operation != 'upsert'", "ab", "",
		    { "a:44", "c:44", "c:0" } },
		{ "credential.mechanism != 'SCRAM-SHA-256'", "b", "ac",
		    { "a:44", "c:0" } },
		{ "!has(credential.iterations) || credential.iterations >= "
		  "8192",
		    "ab", "c", { "a:44", "c:0" } },
		{ "credential.user != 'a'", "b", "c",
		    { "a:44", "a:44", "c:0" } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct world world;

		ask_for_credentials(&world);
		judge(&world, cases[i].expression, KP_RULING_PART);
		cr_assert_eq(world.ruling.num_items, 4);
		expect_users(&world, "Deletions", cases[i].deleted);
		expect_users(&world, "Upsertions", cases[i].upserted);
		merge_with_row(&world, "Results", "User", "c");
		expect_rows(&world, "Results", of_credentials, cases[i].rows);
		close_world(&world);
	}
}

Test(refuse, every_credential_has_a_row)
{
	const char *const expected[] = { "a:44", "b:44", "a:44", "c:44", NULL };
	struct world world;

	ask_for_credentials(&world);
	judge(&world, "false", KP_RULING_REFUSED);
	expect_rows(&world, "Results", of_credentials, expected);
	close_world(&world);
}
