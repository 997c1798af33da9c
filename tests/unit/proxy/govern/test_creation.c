/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metadata requests in every version: a topic that may not be created is not,
 * one that may is, and none is missing in the answer.
 */
#include "proxy/govern/creation.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "tests/support/governed.h"

#define MAX_VERSION 13
#define AGAINST_B \
	"{match: {apis: [CreateTopics]}, validations: [{expression: " \
	"\"topic.name != 'b'\", message: \"no such thing\"}]}"

struct world {
	int16_t version;
	struct kp_facts facts;
	struct kp_govern govern;
	struct kp_policies *policies;
	struct kp_creation creation;
	struct kp_arena arena;
	struct kp_buf body, answer, converted;
	struct kp_creation_told told;
	char heard[1024]; /* what was told */
};

static void
hear(void *ctx, struct kp_bytes topic, const struct kp_finding *finding)
{
	struct world *world = ctx;
	size_t len = strlen(world->heard);

	(void)snprintf(world->heard + len, sizeof(world->heard) - len,
	    "%.*s %s %s: %s%s\n", (int)topic.len, topic.data,
	    finding->action == KP_POLICY_DENY ? "denied" : "warned",
	    finding->policy, finding->text,
	    finding->is_failure ? " (failure)" : "");
}

static void
open_world(struct world *world, int16_t version, const char *spec)
{
	*world = (struct world){ .version = version };
	world->facts = (struct kp_facts){ .api_key = KP_METADATA,
		.api_version = version,
		.client_id = kp_bytes_of("me"),
		.principal = "alice",
		.virtual_cluster = "shop",
		.listener = "l",
		.address = "10.0.0.1" };
	world->policies = kp_test_policies(spec);
	world->govern = (struct kp_govern){ .policies = world->policies,
		.facts = &world->facts };
	world->told = (struct kp_creation_told){ .found = hear, .ctx = world };
	kp_arena_init(&world->arena, 1u << 20);
	kp_buf_init(&world->body, 1u << 20);
	kp_buf_init(&world->answer, 1u << 20);
	kp_buf_init(&world->converted, 1u << 20);
}

static void
close_world(struct world *world)
{
	kp_creation_fini(&world->creation);
	kp_buf_fini(&world->body);
	kp_buf_fini(&world->answer);
	kp_buf_fini(&world->converted);
	kp_arena_fini(&world->arena);
	kp_policies_unref(world->policies);
}

static struct kp_tree_value *
get(struct kp_tree *tree, const char *name)
{
	return kp_tree_get(&tree->root, tree->message->fields, name);
}

static const struct kp_field *
fields_of_topics(const struct kp_tree *tree)
{
	const struct kp_field *fields = tree->message->fields;

	return fields[kp_tree_find(fields, "Topics")].fields;
}

/* Topics are called by the letters of names; "" is null or, in v0, empty. */
static void
ask(struct world *world, struct kp_tree *out, const char *names)
{
	struct kp_tree_value *topics;

	kp_tree_make(out, kp_api_find(KP_METADATA)->request, world->version,
	    &world->arena);
	topics = get(out, "Topics");
	topics->is_null = names[0] == '\0' && world->version > 0;
	cr_assert(names[0] == '\0' ||
		  kp_tree_reserve(out, topics, strlen(names)) != NULL);
	for (uint32_t i = 0; i < topics->num; i++) {
		struct kp_tree_value *topic = &topics->items[i];

		cr_assert(kp_tree_fill(out, fields_of_topics(out), topic));
		kp_tree_get(topic, fields_of_topics(out), "Name")->text =
		    (struct kp_bytes){ (const uint8_t *)&names[i], 1 };
	}
}

static void
judge(struct world *world, const struct kp_tree *request)
{
	struct kp_error err = { 0 };

	kp_tree_write(request, &world->body);
	cr_assert(!world->body.failed, "v%d", world->version);
	cr_assert(kp_creation_judge(&world->govern, kp_buf_bytes(&world->body),
		      &world->creation, &err),
	    "v%d: %s", world->version, err.text);
}

static void
judge_names(struct world *world, const char *names)
{
	struct kp_tree request;

	ask(world, &request, names);
	judge(world, &request);
}

/* The names of a request, in alphabetical order, and its flag as the last. */
static void
expect_request(struct world *world, const struct kp_buf *body, int16_t version,
    const char *expected)
{
	struct kp_tree tree;
	struct kp_error err;
	struct kp_tree_value *topics;
	char found[16] = { 0 };
	size_t num = 0;

	cr_assert(kp_tree_read(&tree, kp_api_find(KP_METADATA)->request,
	    version, kp_buf_bytes(body), &world->arena, &err));
	topics = get(&tree, "Topics");
	for (char name = 'a'; name <= 'z'; name++)
		for (uint32_t i = 0; i < topics->num; i++) {
			struct kp_bytes text = kp_tree_get(
			    &topics->items[i], fields_of_topics(&tree), "Name")
						   ->text;

			if (text.data != NULL && text.data[0] == name)
				found[num++] = name;
		}
	found[num] =
	    get(&tree, "AllowAutoTopicCreation")->number != 0 ? '+' : '-';
	cr_assert_str_eq(found, expected, "v%d", world->version);
}

/* What the broker says, with a code for each of the topics a, b, c. */
static struct kp_bytes
answer(struct world *world, int16_t version, const int16_t codes[3])
{
	struct kp_tree tree;
	struct kp_tree_value *topics;

	kp_tree_make(
	    &tree, kp_api_find(KP_METADATA)->response, version, &world->arena);
	topics = get(&tree, "Topics");
	get(&tree, "ClusterId")->text = kp_bytes_of("c");
	get(&tree, "ControllerId")->number = 7;
	cr_assert_not_null(kp_tree_reserve(&tree, topics, 3));
	for (uint32_t i = 0; i < 3; i++) {
		const struct kp_field *fields = fields_of_topics(&tree);
		struct kp_tree_value *row = &topics->items[i];

		cr_assert(kp_tree_fill(&tree, fields, row));
		kp_tree_get(row, fields, "ErrorCode")->number = codes[i];
		kp_tree_get(row, fields, "Name")->text =
		    (struct kp_bytes){ (const uint8_t *)"abc" + i, 1 };
		/* its own code is no topic's */
		cr_assert_not_null(kp_tree_reserve(
		    &tree, kp_tree_get(row, fields, "Partitions"), 1));
		row = kp_tree_get(row, fields, "Partitions")->items;
		fields = fields[kp_tree_find(fields, "Partitions")].fields;
		cr_assert(kp_tree_fill(&tree, fields, row));
		kp_tree_get(row, fields, "ErrorCode")->number = 5;
		kp_tree_get(row, fields, "LeaderId")->number = 40 + i;
	}
	kp_tree_write(&tree, &world->answer);
	cr_assert(!world->answer.failed);
	return kp_buf_bytes(&world->answer);
}

static void
hear_answer(struct world *world, const int16_t codes[3], const char *expected)
{
	struct kp_error err = { 0 };

	cr_assert(
	    kp_creation_answer(kp_buf_bytes(&world->creation.notes),
		world->version, answer(world, world->creation.version, codes),
		&world->converted, &world->told, &err),
	    "v%d: %s", world->version, err.text);
	cr_assert_str_eq(
	    world->heard, expected, "v%d: %s", world->version, world->heard);
}

/* The client gets the version that it asked for, with all of it. */
static void
expect_converted(struct world *world)
{
	struct kp_tree tree;
	struct kp_error err;
	const struct kp_field *fields;
	struct kp_tree_value *topics, *row;

	if (world->version >= KP_CREATION_MIN_VERSION) {
		cr_assert_eq(world->converted.len, 0);
		return;
	}
	cr_assert(kp_tree_read(&tree, kp_api_find(KP_METADATA)->response,
	    world->version, kp_buf_bytes(&world->converted), &world->arena,
	    &err));
	topics = get(&tree, "Topics");
	fields = fields_of_topics(&tree);
	cr_assert_eq(topics->num, 3);
	cr_assert_eq(
	    get(&tree, "ControllerId")->number, world->version > 0 ? 7 : -1);
	cr_assert_eq(
	    get(&tree, "ClusterId")->text.len, world->version > 1 ? 1 : 0);
	cr_assert_eq(
	    kp_tree_get(&topics->items[1], fields, "ErrorCode")->number, 3);
	row = kp_tree_get(&topics->items[2], fields, "Partitions")->items;
	fields = fields[kp_tree_find(fields, "Partitions")].fields;
	cr_assert_eq(kp_tree_get(row, fields, "LeaderId")->number, 42);
}

static int16_t
sent_as(int16_t version)
{
	return version < KP_CREATION_MIN_VERSION ? KP_CREATION_MIN_VERSION
						 : version;
}

Test(creation, what_may_be_created_goes_before_the_whole)
{
	for (int16_t v = 0; v <= MAX_VERSION; v++) {
		static const int16_t codes[] = { 3, 3, 0 };
		struct world world;

		open_world(&world, v, AGAINST_B);
		judge_names(&world, "abc");
		cr_assert(world.creation.is_changed);
		cr_assert_eq(world.creation.version, sent_as(v));
		expect_request(&world, &world.creation.first, v, "ac+");
		expect_request(
		    &world, &world.creation.second, sent_as(v), "abc-");
		hear_answer(&world, codes, "b denied p: no such thing\n");
		cr_assert_eq(world.told.num_denied, 1);
		cr_assert_eq(world.told.num_warned, 0);
		expect_converted(&world);
		close_world(&world);
	}
}

Test(creation, nothing_goes_before_what_may_not_be_created)
{
	for (int16_t v = 0; v <= MAX_VERSION; v++) {
		struct world world;

		open_world(&world, v, AGAINST_B);
		judge_names(&world, "b");
		cr_assert(world.creation.is_changed);
		cr_assert_eq(world.creation.first.len, 0);
		expect_request(
		    &world, &world.creation.second, sent_as(v), "b-");
		close_world(&world);
	}
}

Test(creation, what_is_there_is_nobodys_fault)
{
	static const int16_t codes[] = { 3, 0, 0 };
	static const int16_t denied[] = { 3, 29, 0 };

	for (int16_t v = 0; v <= MAX_VERSION; v++) {
		struct world world;

		open_world(&world, v, AGAINST_B);
		judge_names(&world, "b");
		hear_answer(&world, codes, "");
		cr_assert_eq(world.told.num_denied, 0);
		kp_buf_clear(&world.answer);
		hear_answer(&world, denied, "");
		close_world(&world);
	}
}

Test(creation, what_is_well_named_goes_on_as_it_is)
{
	for (int16_t v = 0; v <= MAX_VERSION; v++) {
		static const char *const names[] = { "ac", "" };

		for (size_t i = 0; i < 2; i++) {
			struct world world;

			open_world(&world, v, AGAINST_B);
			judge_names(&world, names[i]);
			cr_assert(!world.creation.is_changed);
			cr_assert_eq(world.creation.notes.len, 0);
			close_world(&world);
		}
	}
}

Test(creation, who_creates_nothing_is_not_judged)
{
	for (int16_t v = KP_CREATION_MIN_VERSION; v <= MAX_VERSION; v++) {
		struct kp_tree request;
		struct world world;

		open_world(&world, v, AGAINST_B);
		ask(&world, &request, "abc");
		get(&request, "AllowAutoTopicCreation")->number = 0;
		judge(&world, &request);
		cr_assert(!world.creation.is_changed);
		cr_assert_eq(world.creation.notes.len, 0);
		close_world(&world);
	}
}

/* A topic that may not be created is not hidden behind an id. */
Test(creation, ids_create_nothing_and_hide_nothing)
{
	for (int16_t v = 12; v <= MAX_VERSION; v++) {
		struct kp_tree request;
		struct kp_tree_value *topics;
		struct world world;

		open_world(&world, v, AGAINST_B);
		ask(&world, &request, "xb");
		topics = get(&request, "Topics");
		kp_tree_get(
		    &topics->items[0], fields_of_topics(&request), "Name")
		    ->text = (struct kp_bytes){ 0 };
		kp_tree_get(
		    &topics->items[1], fields_of_topics(&request), "TopicId")
		    ->text = kp_bytes_of("0123456789abcdef");
		judge(&world, &request);
		cr_assert(world.creation.is_changed);
		cr_assert_eq(world.creation.first.len, 0);
		expect_request(&world, &world.creation.second, v, "b-");
		topics->num = 1;
		kp_buf_clear(&world.body);
		kp_creation_fini(&world.creation);
		judge(&world, &request);
		cr_assert(!world.creation.is_changed);
		close_world(&world);
	}
}

Test(creation, warnings_change_nothing_and_are_told)
{
	static const int16_t codes[] = { 0, 5, 3 };

	for (int16_t v = 0; v <= MAX_VERSION; v++) {
		struct world world;

		open_world(&world, v,
		    "{match: {apis: [Metadata]}, action: warn, validations: "
		    "[{expression: \"topic.name == 'c'\", message: odd}, "
		    "{expression: \"topic.configs['x'] == 'y'\"}]}");
		judge_names(&world, "ab");
		cr_assert(!world.creation.is_changed);
		cr_assert(kp_bytes_equal(
		    kp_creation_client_id(kp_buf_bytes(&world.creation.notes)),
		    kp_bytes_of("me")));
		hear_answer(&world, codes,
		    "b warned p: odd\n"
		    "b warned p: there is no such key (failure)\n");
		cr_assert_eq(world.converted.len, 0);
		cr_assert_eq(world.told.num_warned, 2);
		cr_assert_eq(world.told.num_denied, 0);
		close_world(&world);
	}
}

/* Once, although the policy is for both. */
Test(creation, a_policy_for_both_is_asked_once)
{
	static const int16_t codes[] = { 3, 3, 3 };
	struct world world;

	open_world(&world, MAX_VERSION,
	    "{match: {apis: [CreateTopics, Metadata], topics: [b*]}, "
	    "validations: [{expression: \"request.api != 'Metadata'\", "
	    "message: no}]}");
	judge_names(&world, "abc");
	expect_request(&world, &world.creation.first, MAX_VERSION, "ac+");
	hear_answer(&world, codes, "b denied p: no\n");
	close_world(&world);
}

Test(creation, what_cannot_be_decoded_is_refused)
{
	for (int16_t v = 0; v <= MAX_VERSION; v++) {
		struct kp_creation creation;
		struct kp_error err;
		struct world world;

		open_world(&world, v, AGAINST_B);
		judge_names(&world, "abc");
		for (size_t len = 0; len < world.body.len; len++) {
			cr_expect(!kp_creation_judge(&world.govern,
			    (struct kp_bytes){ world.body.data, len },
			    &creation, &err));
			cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
			kp_creation_fini(&creation);
		}
		close_world(&world);
	}
}

Test(creation, an_answer_that_cannot_be_decoded_is_none)
{
	static const int16_t codes[] = { 3, 3, 3 };

	for (int16_t v = 0; v <= MAX_VERSION; v++) {
		struct kp_error err;
		struct kp_bytes body;
		struct world world;

		open_world(&world, v, AGAINST_B);
		judge_names(&world, "abc");
		body = answer(&world, world.creation.version, codes);
		for (size_t len = 0; len < body.len; len++) {
			cr_expect(!kp_creation_answer(
			    kp_buf_bytes(&world.creation.notes), v,
			    (struct kp_bytes){ body.data, len },
			    &world.converted, &world.told, &err));
			cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
		}
		close_world(&world);
	}
}

/* All are counted, and their names found, but not every word is kept. */
Test(creation, what_is_kept_of_many_names_is_bounded)
{
	enum { NUM = 500 };
	struct kp_tree_value *topics;
	struct kp_tree request;
	struct world world;
	char spec[1200], message[1000];

	memset(message, 'x', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	(void)snprintf(spec, sizeof(spec),
	    "{match: {apis: [CreateTopics]}, validations: [{expression: "
	    "'false', message: %s}]}",
	    message);
	open_world(&world, MAX_VERSION, spec);
	ask(&world, &request, "x");
	topics = get(&request, "Topics");
	cr_assert_not_null(kp_tree_reserve(&request, topics, NUM));
	for (uint32_t i = 1; i < NUM; i++)
		topics->items[i] = topics->items[0];
	judge(&world, &request);
	cr_assert_leq(world.creation.notes.len,
	    KP_GOVERN_TEXTS_LEN(world.body.len) + NUM * 32);
	cr_assert_geq(world.creation.notes.len, 60u << 10);
	close_world(&world);
}

/* Each allocation is refused once; then nothing goes on, and nothing leaks. */
Test(creation, without_memory_nothing_goes_on)
{
	static const int16_t codes[] = { 3, 3, 3 };
	unsigned num = 0;
	bool is_over = false;

	while (!is_over) {
		struct kp_tree request;
		struct kp_error err;
		struct world world;
		bool ok;

		open_world(&world, 1, AGAINST_B);
		ask(&world, &request, "abc");
		kp_tree_write(&request, &world.body);
		(void)answer(&world, KP_CREATION_MIN_VERSION, codes);
		kp_alloc_fail_after(++num);
		ok = kp_creation_judge(&world.govern, kp_buf_bytes(&world.body),
			 &world.creation, &err) &&
		     kp_creation_answer(kp_buf_bytes(&world.creation.notes), 1,
			 kp_buf_bytes(&world.answer), &world.converted,
			 &world.told, &err);
		is_over = kp_alloc_fail_after(0) != 0;
		cr_assert(ok || err.kind == KP_ERR_LIMIT);
		cr_assert(ok || !is_over);
		close_world(&world);
	}
	cr_assert_gt(num, 5, "%u", num);
}
