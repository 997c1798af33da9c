/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For every governed API in every version: what is refused does not reach the
 * broker, what is not does, and the answer tells of all in the request's order.
 */
#include "proxy/govern/govern.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "proto/kafka/reader.h"
#include "tests/support/governed.h"

#define NUM_ITEMS 3

/* One API in one version. */
struct world {
	const struct kp_object_api *api;
	int16_t version;
	struct kp_facts facts;
	struct kp_govern govern;
	struct kp_policies *policies;
	unsigned num_findings, num_changes;
	struct kp_arena arena;
	struct kp_buf body;
};

static void
count(void *ctx, const struct kp_item *item, const struct kp_finding *finding)
{
	struct world *world = ctx;

	cr_assert_not_null(item);
	cr_assert_str_eq(finding->policy, "p");
	world->num_findings++;
}

static void
open_world(struct world *world, const struct kp_object_api *api,
    int16_t version, const char *spec)
{
	*world = (struct world){ .api = api, .version = version };
	world->facts = (struct kp_facts){ .api_key = api->key,
		.api_version = version,
		.principal = "alice",
		.virtual_cluster = "shop",
		.listener = "l",
		.address = "10.0.0.1" };
	world->policies = kp_test_policies(spec);
	world->govern = (struct kp_govern){ .policies = world->policies,
		.facts = &world->facts,
		.found = count,
		.ctx = world };
	kp_arena_init(&world->arena, 1u << 20);
	kp_buf_init(&world->body, 1u << 20);
}

static void
close_world(struct world *world)
{
	kp_buf_fini(&world->body);
	kp_arena_fini(&world->arena);
	kp_policies_unref(world->policies);
}

static struct kp_bytes
request_of(struct world *world, uint32_t num)
{
	struct kp_tree request;

	kp_buf_clear(&world->body);
	kp_test_request(
	    &request, world->api, world->version, num, &world->arena);
	kp_tree_write(&request, &world->body);
	cr_assert(!world->body.failed, "%s v%d", kp_api_name(world->api->key),
	    world->version);
	return kp_buf_bytes(&world->body);
}

static const struct kp_field *
find(const struct kp_field *fields, const char *name)
{
	while (fields->kind != KP_END && strcmp(fields->name, name) != 0)
		fields++;
	return fields->kind == KP_END ? NULL : fields;
}

/* Does that version have what is marked? */
static bool
is_marked(const struct kp_object_api *api, int16_t version)
{
	const struct kp_field *fields = kp_api_find(api->key)->request->fields;

	for (size_t i = 0; api->items != NULL && api->items[i] != NULL; i++) {
		const struct kp_field *array = find(fields, api->items[i]);

		if (array == NULL || !kp_field_in(array, version))
			continue;
		fields = array->fields;
		if (api->inner != NULL)
			fields = find(fields, api->inner)->fields;
		break;
	}
	return fields == NULL ||
	       kp_field_in(
		   find(fields, kp_test_marked_field(api)->from), version);
}

/* Refuses the item that is marked with number, or all with NUM_ITEMS. */
static void
spec_against(char out[512], const struct kp_object_api *api, int16_t version,
    unsigned number)
{
	const struct kp_object_field *marked = kp_test_marked_field(api);
	char what[128];

	if (marked == NULL || number == NUM_ITEMS)
		(void)snprintf(what, sizeof(what), "false");
	else if (!is_marked(api, version))
		(void)snprintf(what, sizeof(what),
		    "%s.partitions[0].partition != %u", api->variable, number);
	else if (strcmp(marked->type, "string") == 0)
		(void)snprintf(what, sizeof(what), "%s.%s != '%c'",
		    api->variable, marked->name, 'a' + (int)number);
	else
		(void)snprintf(what, sizeof(what), "%s.%s != %u", api->variable,
		    marked->name, number);
	(void)snprintf(out, 512,
	    "{match: {apis: [%s]}, validations: [{expression: \"%s\", message: "
	    "\"no such thing\"}]}",
	    kp_api_name(api->key), what);
}

static void
judge(struct world *world, uint32_t num, struct kp_ruling *ruling)
{
	struct kp_error err = { 0 };

	cr_assert(kp_govern_request(
		      &world->govern, request_of(world, num), ruling, &err),
	    "%s v%d: %s", kp_api_name(world->api->key), world->version,
	    err.text);
}

/* The array of rows of an answer, and their fields. */
static const struct kp_tree_value *
rows_of(const struct world *world, const struct kp_tree *answer,
    const struct kp_field **out_fields)
{
	const struct kp_field *fields = answer->message->fields;
	size_t at;

	*out_fields = fields;
	if (world->api->answer.rows == NULL)
		return NULL;
	at = kp_tree_find(fields, world->api->answer.rows);
	if (!kp_field_in(&fields[at], world->version))
		return NULL;
	*out_fields = fields[at].fields;
	return &answer->root.items[at];
}

static const char *
number_name(const struct world *world)
{
	const char *number = world->api->answer.number;

	return number == NULL ? "PartitionIndex" : number;
}

/* What is said of the partition of the item that was marked with number. */
static void
find_nested(const struct world *world, const struct kp_tree_value **row,
    const struct kp_field **fields, uint32_t number)
{
	const char *name = world->api->answer.nested;
	const struct kp_tree_value *partitions;

	if (name == NULL)
		return;
	partitions = kp_tree_get(*row, *fields, name);
	*fields = find(*fields, name)->fields;
	cr_assert_eq(partitions->num, 1, "%s v%d", kp_api_name(world->api->key),
	    world->version);
	*row = &partitions->items[0];
	cr_assert_eq(
	    kp_tree_get(*row, *fields, number_name(world))->number, number);
}

static void
expect_row(const struct world *world, const struct kp_tree_value *row,
    const struct kp_field *fields, uint32_t number, int64_t code)
{
	const char *error = world->api->answer.error == NULL
				? "ErrorCode"
				: world->api->answer.error;
	const struct kp_field *message;
	struct kp_bytes text;

	find_nested(world, &row, &fields, number);
	message = find(fields, "ErrorMessage");
	cr_assert_eq(kp_tree_get(row, fields, error)->number, code, "%s v%d",
	    kp_api_name(world->api->key), world->version);
	if (message == NULL || !kp_field_in(message, world->version) ||
	    code == 0)
		return;
	text = kp_tree_get(row, fields, "ErrorMessage")->text;
	cr_expect(
	    kp_bytes_equal(text, kp_bytes_of("policy \"p\": no such thing")),
	    "%s v%d: %.*s", kp_api_name(world->api->key), world->version,
	    (int)text.len, text.data);
}

/* Does the row say whose it is? */
static void
expect_name(const struct world *world, const struct kp_tree_value *row,
    const struct kp_field *fields, char mark)
{
	const char *name = world->api->answer.item;
	struct kp_bytes text;

	if (name == NULL && world->api->answer.copies != NULL)
		name = world->api->topic;
	if (name == NULL)
		return;
	if (!kp_field_in(find(fields, name), world->version))
		name = "TopicId";
	text = kp_tree_get(row, fields, name)->text;
	cr_expect(text.len == (strcmp(name, "TopicId") == 0 ? KP_UUID_LEN : 1));
	for (size_t i = 0; i < text.len; i++)
		cr_expect(text.data[i] == (uint8_t)mark, "%s v%d %c",
		    kp_api_name(world->api->key), world->version, mark);
}

static void
read_answer(struct world *world, struct kp_bytes body, struct kp_tree *out)
{
	struct kp_error err = { 0 };

	cr_assert(kp_tree_read(out, kp_api_find(world->api->key)->response,
		      world->version, body, &world->arena, &err),
	    "%s v%d: %s", kp_api_name(world->api->key), world->version,
	    err.text);
}

static void
refuse_everything(const struct kp_object_api *api, int16_t version)
{
	const struct kp_field *fields;
	const struct kp_tree_value *rows;
	struct kp_ruling ruling;
	struct kp_tree answer;
	struct world world;
	char spec[512];

	spec_against(spec, api, version, NUM_ITEMS);
	open_world(&world, api, version, spec);
	judge(&world, NUM_ITEMS, &ruling);
	cr_assert_eq(ruling.kind, KP_RULING_REFUSED);
	cr_assert_eq(world.num_findings, ruling.num_items);
	read_answer(&world, kp_buf_bytes(&ruling.answer), &answer);
	rows = rows_of(&world, &answer, &fields);
	if (rows == NULL)
		expect_row(&world, &answer.root, fields, 0, api->code);
	else
		cr_assert_eq(rows->num, NUM_ITEMS);
	for (uint32_t i = 0; rows != NULL && i < rows->num; i++) {
		expect_row(&world, &rows->items[i], fields, i, api->code);
		expect_name(&world, &rows->items[i], fields, (char)('a' + i));
	}
	kp_ruling_fini(&ruling);
	close_world(&world);
}

/* A row for the item's partition. */
static void
answer_nested(const struct world *world, const struct kp_tree *answer,
    const struct kp_item *item, struct kp_tree_value *row,
    const struct kp_field *fields)
{
	const char *name = world->api->answer.nested;
	const struct kp_tree_value *asked;
	const struct kp_field *of;
	struct kp_tree_value *to;

	if (name == NULL)
		return;
	asked = &kp_tree_get(item->value, item->fields, "Partitions")->items[0];
	of = find(item->fields, "Partitions")->fields;
	if (of != NULL)
		asked = kp_tree_get(asked, of, "PartitionIndex");
	to = kp_tree_get(row, fields, name);
	fields = find(fields, name)->fields;
	cr_assert_not_null(kp_tree_reserve(answer, to, 1));
	cr_assert(kp_tree_fill(answer, fields, &to->items[0]));
	kp_tree_get(&to->items[0], fields, number_name(world))->number =
	    asked->number;
}

/* What the broker says of the items that it got, all well. */
static struct kp_bytes
broker_answer(struct world *world, struct kp_bytes request)
{
	struct kp_tree asked, answer;
	const struct kp_field *fields;
	struct kp_tree_value *rows;
	struct kp_items items;
	struct kp_error err;

	cr_assert(kp_tree_read(&asked, kp_api_find(world->api->key)->request,
	    world->version, request, &world->arena, &err));
	cr_assert(kp_items_of(&items, world->api, &asked));
	cr_assert_eq(items.num, NUM_ITEMS - 1);
	kp_tree_make(&answer, kp_api_find(world->api->key)->response,
	    world->version, &world->arena);
	rows =
	    (struct kp_tree_value *)(uintptr_t)rows_of(world, &answer, &fields);
	cr_assert_not_null(kp_tree_reserve(&answer, rows, items.num));
	for (uint32_t i = 0; i < items.num; i++) {
		struct kp_tree_value *row = &rows->items[i];
		struct kp_item item =
		    kp_items_at(&items, world->api, &asked, i, &world->arena);
		const char *name = world->api->answer.item;

		cr_assert(kp_tree_fill(&answer, fields, row));
		if (name == NULL && world->api->answer.copies != NULL)
			name = world->api->topic;
		if (name != NULL)
			kp_tree_get(row, fields, name)->text =
			    kp_item_name(&item);
		if (item.fields != NULL && find(fields, "TopicId") != NULL &&
		    find(item.fields, "TopicId") != NULL)
			*kp_tree_get(row, fields, "TopicId") =
			    *kp_tree_get(item.value, item.fields, "TopicId");
		answer_nested(world, &answer, &item, row, fields);
	}
	kp_buf_clear(&world->body);
	kp_tree_write(&answer, &world->body);
	cr_assert(!world->body.failed);
	return kp_buf_bytes(&world->body);
}

/* Which item a row is about, if one was refused. */
static uint32_t
item_of_row(const struct kp_object_api *api, uint32_t row, uint32_t refused)
{
	if (!api->answer.is_unordered || row > refused)
		return row;
	return row == 0 ? refused : row - 1;
}

static void
refuse_one(const struct kp_object_api *api, int16_t version, uint32_t which)
{
	const struct kp_field *fields;
	const struct kp_tree_value *rows;
	struct kp_ruling ruling;
	struct kp_tree answer;
	struct world world;
	struct kp_buf merged;
	struct kp_error err;
	char spec[512];

	spec_against(spec, api, version, which);
	open_world(&world, api, version, spec);
	judge(&world, NUM_ITEMS, &ruling);
	cr_assert_eq(ruling.kind, KP_RULING_PART, "%s v%d",
	    kp_api_name(api->key), version);
	cr_assert_eq(ruling.num_refused, 1);
	kp_buf_init(&merged, 1u << 20);
	cr_assert(
	    kp_govern_merge(api->key, version, kp_buf_bytes(&ruling.answer),
		broker_answer(&world, kp_buf_bytes(&ruling.request)), &merged,
		&err));
	read_answer(&world, kp_buf_bytes(&merged), &answer);
	rows = rows_of(&world, &answer, &fields);
	cr_assert_eq(rows->num, NUM_ITEMS);
	for (uint32_t i = 0; i < rows->num; i++) {
		uint32_t item = item_of_row(api, i, which);

		expect_row(&world, &rows->items[i], fields, item,
		    item == which ? api->code : 0);
		expect_name(
		    &world, &rows->items[i], fields, (char)('a' + item));
	}
	kp_buf_fini(&merged);
	kp_ruling_fini(&ruling);
	close_world(&world);
}

/* The answer has no rows, so that one of them ends all. */
static void
refuse_all_for_one(
    const struct kp_object_api *api, int16_t version, uint32_t which)
{
	struct kp_ruling ruling;
	struct kp_tree answer;
	struct world world;
	char spec[512];

	spec_against(spec, api, version, which);
	open_world(&world, api, version, spec);
	judge(&world, NUM_ITEMS, &ruling);
	cr_assert_eq(ruling.kind, KP_RULING_REFUSED);
	cr_assert_eq(ruling.num_items, NUM_ITEMS);
	cr_assert_eq(ruling.num_refused, NUM_ITEMS);
	cr_assert_eq(world.num_findings, 1);
	read_answer(&world, kp_buf_bytes(&ruling.answer), &answer);
	expect_row(&world, &answer.root, answer.message->fields, 0, api->code);
	kp_ruling_fini(&ruling);
	close_world(&world);
}

static bool
has_rows(const struct kp_object_api *api, int16_t version)
{
	const struct kp_field *rows =
	    find(kp_api_find(api->key)->response->fields, api->answer.rows);

	return kp_field_in(rows, version);
}

static void
let_pass(const struct kp_object_api *api, int16_t version)
{
	struct kp_ruling ruling;
	struct world world;
	char spec[512];

	(void)snprintf(spec, sizeof(spec),
	    "{match: {apis: [%s]}, validations: [{expression: \"true\"}]}",
	    kp_api_name(api->key));
	open_world(&world, api, version, spec);
	judge(&world, NUM_ITEMS, &ruling);
	cr_assert_eq(ruling.kind, KP_RULING_PASS);
	cr_assert_eq(world.num_findings, 0);
	kp_ruling_fini(&ruling);
	close_world(&world);
}

Test(govern, each_api_in_each_version)
{
	for (size_t i = 0; i < kp_num_object_apis; i++) {
		const struct kp_object_api *api = &kp_object_apis[i];
		const struct kp_message *of = kp_api_find(api->key)->request;

		int16_t max_version = kp_object_max_version(api);

		if (api->stands_for != 0)
			continue; /* test_creation.c */
		for (int16_t v = of->min_version; v <= max_version; v++) {
			refuse_everything(api, v);
			let_pass(api, v);
			if (api->items == NULL ||
			    kp_test_marked_field(api) == NULL)
				continue;
			for (uint32_t which = 0; which < NUM_ITEMS; which++)
				if (has_rows(api, v))
					refuse_one(api, v, which);
				else
					refuse_all_for_one(api, v, which);
		}
	}
}

/* Every byte of a request is missing once, and none is passed on then. */
Test(govern, what_cannot_be_decoded_is_refused)
{
	const struct kp_object_api *api = kp_object_api_find(19);
	struct kp_ruling ruling;
	struct kp_error err;
	struct kp_bytes body;
	struct world world;
	char spec[512];

	spec_against(spec, api, 7, NUM_ITEMS);
	open_world(&world, api, 7, spec);
	body = request_of(&world, 2);
	for (size_t len = 0; len < body.len; len++) {
		cr_expect(!kp_govern_request(&world.govern,
		    (struct kp_bytes){ body.data, len }, &ruling, &err));
		cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
		kp_ruling_fini(&ruling);
	}
	close_world(&world);
}

Test(govern, a_row_for_each_partition_of_what_is_refused)
{
	const struct kp_object_api *api = kp_object_api_find(21);
	const struct kp_field *fields, *nested;
	const struct kp_tree_value *rows, *partitions;
	struct kp_tree request, answer;
	struct kp_tree_value *topic, *asked;
	struct kp_ruling ruling;
	struct kp_error err;
	struct world world;
	char spec[512];

	spec_against(spec, api, 2, NUM_ITEMS);
	open_world(&world, api, 2, spec);
	kp_test_request(&request, api, 2, 1, &world.arena);
	topic = &kp_tree_get(&request.root, request.message->fields, "Topics")
		     ->items[0];
	fields = request.message
		     ->fields[kp_tree_find(request.message->fields, "Topics")]
		     .fields;
	asked = kp_tree_get(topic, fields, "Partitions");
	nested = fields[kp_tree_find(fields, "Partitions")].fields;
	cr_assert_not_null(kp_tree_reserve(&request, asked, 2));
	for (uint32_t i = 0; i < 2; i++) {
		cr_assert(kp_tree_fill(&request, nested, &asked->items[i]));
		kp_tree_get(&asked->items[i], nested, "PartitionIndex")
		    ->number = 7 + i;
	}
	kp_tree_write(&request, &world.body);
	cr_assert(kp_govern_request(
	    &world.govern, kp_buf_bytes(&world.body), &ruling, &err));
	read_answer(&world, kp_buf_bytes(&ruling.answer), &answer);
	rows = rows_of(&world, &answer, &fields);
	partitions = kp_tree_get(&rows->items[0], fields, "Partitions");
	nested = fields[kp_tree_find(fields, "Partitions")].fields;
	cr_assert_eq(partitions->num, 2);
	for (uint32_t i = 0; i < 2; i++) {
		const struct kp_tree_value *one = &partitions->items[i];

		cr_assert_eq(
		    kp_tree_get(one, nested, "PartitionIndex")->number, 7 + i);
		cr_assert_eq(kp_tree_get(one, nested, "ErrorCode")->number,
		    KP_KAFKA_POLICY_VIOLATION);
	}
	kp_ruling_fini(&ruling);
	close_world(&world);
}

static struct kp_bytes
text_of_row(const struct world *world, const struct kp_tree *answer, uint32_t i)
{
	const struct kp_field *fields;
	const struct kp_tree_value *rows = rows_of(world, answer, &fields);

	return kp_tree_get(&rows->items[i], fields, "ErrorMessage")->text;
}

/* There is an answer for all of them, but not a sentence for each. */
Test(govern, sentences_about_many_items_are_bounded)
{
	enum { NUM = 1500 };
	const struct kp_object_api *api = kp_object_api_find(19);
	struct kp_ruling ruling;
	struct kp_tree answer;
	struct world world;
	char spec[1200], message[1000];

	memset(message, 'x', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	(void)snprintf(spec, sizeof(spec),
	    "{match: {apis: [CreateTopics]}, validations: [{expression: "
	    "'false', message: %s}]}",
	    message);
	open_world(&world, api, 7, spec);
	world.arena.max_len = 64u << 20;
	judge(&world, NUM, &ruling);
	cr_assert_eq(ruling.kind, KP_RULING_REFUSED);
	cr_assert_leq(
	    ruling.answer.len, KP_GOVERN_TEXTS_LEN(world.body.len) + NUM * 128);
	read_answer(&world, kp_buf_bytes(&ruling.answer), &answer);
	cr_assert_gt(text_of_row(&world, &answer, 0).len, 1000);
	cr_assert(kp_bytes_equal(text_of_row(&world, &answer, NUM - 1),
	    kp_bytes_of(KP_GOVERN_UNSAID)));
	kp_ruling_fini(&ruling);
	close_world(&world);
}

/* What takes more memory than it may is not passed on. */
Test(govern, a_request_that_unfolds_to_too_much_is_refused)
{
	const struct kp_object_api *api = kp_object_api_find(42);
	struct kp_ruling ruling;
	struct kp_error err;
	struct world world;
	char spec[512];

	spec_against(spec, api, 2, NUM_ITEMS);
	open_world(&world, api, 2, spec);
	world.arena.max_len = 64u << 20;
	/* names of one byte take more than a hundred in a row of an answer */
	cr_assert(!kp_govern_request(
	    &world.govern, request_of(&world, 100000), &ruling, &err));
	cr_assert_eq(err.kind, KP_ERR_LIMIT);
	kp_ruling_fini(&ruling);
	close_world(&world);
}

/* What is changed goes to ctx, a world. */
static void
count_change(
    void *ctx, const struct kp_item *item, const struct kp_change *change)
{
	struct world *world = ctx;

	cr_assert_not_null(item);
	cr_assert_str_eq(change->policy, "p");
	world->num_changes++;
}

/* What an override of an API sets, for all but one of three items. */
struct setting {
	int16_t key;
	const char *override; /* but for when */
	const char *field;    /* of the item, or of its only row */
	int64_t number;
	const char *text; /* NULL: a number */
};

static const struct setting settings[] = {
	{ 19, "field: topic.partitions, expression: '77'", "NumPartitions", 77,
	    NULL },
	{ 19, "field: topic.replicationFactor, expression: '7'",
	    "ReplicationFactor", 7, NULL },
	{ 19, "field: \"topic.configs['k']\", expression: \"'v' + topic.name\"",
	    "Value", 0, "v" },
	{ 33,
	    "field: \"config.configs['k']\", expression: \"'v' + config.name\"",
	    "Value", 0, "v" },
	{ 37, "field: topic.partitions, expression: '77'", "Count", 77, NULL },
	{ 44,
	    "field: \"config.changes['k']\", expression: \"'v' + config.name\"",
	    "Value", 0, "v" },
};

static void
open_changing(struct world *world, const struct setting *setting,
    int16_t version, const char *when, const char *validation)
{
	const struct kp_object_api *api = kp_object_api_find(setting->key);
	char spec[512];

	(void)snprintf(spec, sizeof(spec),
	    "{match: {apis: [%s]}, overrides: [{%s, when: \"%s.name %s\"}], "
	    "validations: [{expression: \"%s.name %s\"}]}",
	    kp_api_name(api->key), setting->override, api->variable, when,
	    api->variable, validation);
	open_world(world, api, version, spec);
	world->govern.changed = count_change;
	world->govern.max_body_len = 1u << 20;
}

/* A change of 'k' in each item of a request that has some. */
static struct kp_bytes
changed_request_of(struct world *world, uint32_t num)
{
	struct kp_tree request;
	struct kp_items items;

	kp_test_request(
	    &request, world->api, world->version, num, &world->arena);
	cr_assert(kp_items_of(&items, world->api, &request));
	for (uint32_t i = 0; world->api->key == 44 && i < num; i++) {
		struct kp_item item =
		    kp_items_at(&items, world->api, &request, i, &world->arena);
		struct kp_tree_value *rows =
		    kp_tree_get(item.value, item.fields, "Configs");
		const struct kp_field *fields =
		    item.fields[kp_tree_find(item.fields, "Configs")].fields;

		cr_assert_not_null(kp_tree_reserve(&request, rows, 1));
		cr_assert(kp_tree_fill(&request, fields, rows->items));
		kp_tree_get(rows->items, fields, "Name")->text =
		    kp_bytes_of("k");
		kp_tree_get(rows->items, fields, "ConfigOperation")->number = 1;
	}
	kp_buf_clear(&world->body);
	kp_tree_write(&request, &world->body);
	cr_assert(!world->body.failed);
	return kp_buf_bytes(&world->body);
}

static bool
is_set(const struct setting *setting, const struct kp_item *item)
{
	const struct kp_tree_value *rows;
	const struct kp_field *fields;
	struct kp_bytes text;

	if (setting->text == NULL)
		return kp_tree_get(item->value, item->fields, setting->field)
			   ->number == setting->number;
	rows = kp_tree_get(item->value, item->fields, "Configs");
	fields = item->fields[kp_tree_find(item->fields, "Configs")].fields;
	if (rows->num == 0)
		return false;
	cr_assert_eq(rows->num, 1);
	cr_assert(kp_bytes_equal(
	    kp_tree_get(rows->items, fields, "Name")->text, kp_bytes_of("k")));
	text = kp_tree_get(rows->items, fields, "Value")->text;
	if (text.len == 0)
		return false;
	cr_assert(
	    !kp_tree_has(fields, "ConfigOperation") ||
	    kp_tree_get(rows->items, fields, "ConfigOperation")->number == 0);
	/* "v" and the name of the item */
	cr_assert(text.len == 2 && text.data[0] == 'v' &&
		  text.data[1] == kp_item_name(item).data[0]);
	return true;
}

/* The items of what goes on have these names, in capitals if they are set. */
static void
expect_sent(struct world *world, const struct setting *setting,
    const struct kp_ruling *ruling, const char *expected)
{
	char found[NUM_ITEMS + 1] = "";
	struct kp_items items;
	struct kp_tree request;
	struct kp_error err;

	cr_assert(kp_tree_read(&request, kp_api_find(world->api->key)->request,
		      world->version, kp_buf_bytes(&ruling->request),
		      &world->arena, &err),
	    "%s", err.text);
	cr_assert(kp_items_of(&items, world->api, &request));
	cr_assert_leq(items.num, NUM_ITEMS);
	for (uint32_t i = 0; i < items.num; i++) {
		struct kp_item item =
		    kp_items_at(&items, world->api, &request, i, &world->arena);
		char letter = (char)kp_item_name(&item).data[0];

		found[i] =
		    is_set(setting, &item) ? (char)(letter & ~0x20) : letter;
	}
	cr_assert_str_eq(found, expected, "%s v%d: %s",
	    kp_api_name(world->api->key), world->version, setting->field);
}

static void
change(const struct setting *setting, int16_t version, const char *validation,
    enum kp_ruling_kind kind, const char *sent)
{
	struct kp_ruling ruling;
	struct kp_error err = { 0 };
	struct world world;
	uint32_t num = (uint32_t)strlen(sent);

	open_changing(&world, setting, version, "!= 'b'", validation);
	cr_assert(kp_govern_request(&world.govern,
		      changed_request_of(&world, NUM_ITEMS), &ruling, &err),
	    "%s", err.text);
	cr_assert_eq(ruling.kind, kind);
	cr_assert_eq(ruling.num_refused, NUM_ITEMS - num);
	cr_assert_eq(ruling.num_changed, num > 1 ? num - 1 : 0);
	cr_assert_eq(world.num_changes, ruling.num_changed);
	if (num > 0)
		expect_sent(&world, setting, &ruling, sent);
	kp_ruling_fini(&ruling);
	close_world(&world);
}

/* Those that pass are changed, those that are refused are told of. */
Test(govern, what_policies_set_is_what_goes_on)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		const struct kp_object_api *api =
		    kp_object_api_find(settings[i].key);

		for (int16_t v = 0; v <= kp_object_max_version(api); v++) {
			change(&settings[i], v, "!= 'x'", KP_RULING_CHANGED,
			    "AbC");
			change(&settings[i], v, "!= 'c'", KP_RULING_PART, "Ab");
			change(
			    &settings[i], v, "== 'x'", KP_RULING_REFUSED, "");
		}
	}
}

Test(govern, what_is_so_already_goes_on_as_it_came)
{
	struct kp_ruling ruling;
	struct kp_error err;
	struct world world;

	open_changing(&world, &settings[0], 7, "== 'x'", "!= 'x'");
	cr_assert(kp_govern_request(&world.govern,
	    changed_request_of(&world, NUM_ITEMS), &ruling, &err));
	cr_assert_eq(ruling.kind, KP_RULING_PASS);
	cr_assert_eq(ruling.num_changed, 0);
	cr_assert_eq(ruling.request.len, 0);
	kp_ruling_fini(&ruling);
	close_world(&world);
}

/* One item more finds room with each step; the others are refused. */
Test(govern, a_request_grows_no_further_than_it_may)
{
	uint32_t num_refused = NUM_ITEMS;

	for (size_t more = 0; num_refused > 0; more++) {
		struct kp_ruling ruling;
		struct kp_error err;
		struct world world;
		struct kp_bytes body;

		open_changing(&world, &settings[2], 7, "!= 'x'", "!= 'x'");
		body = changed_request_of(&world, NUM_ITEMS);
		world.govern.max_body_len = body.len + more;
		cr_assert(
		    kp_govern_request(&world.govern, body, &ruling, &err));
		cr_assert_leq(ruling.request.len, body.len + more);
		cr_assert_leq(ruling.num_refused, num_refused);
		num_refused = ruling.num_refused;
		cr_assert_eq(ruling.num_changed, NUM_ITEMS - num_refused);
		cr_assert_eq(
		    ruling.kind, num_refused == NUM_ITEMS ? KP_RULING_REFUSED
				 : num_refused > 0        ? KP_RULING_PART
							  : KP_RULING_CHANGED);
		cr_assert_eq(world.num_findings, num_refused);
		kp_ruling_fini(&ruling);
		close_world(&world);
		cr_assert_lt(more, 1000);
	}
}

/* Whatever allocation fails, nothing goes on that is not set. */
Test(govern, without_memory_nothing_goes_on_half_changed)
{
	unsigned n = 1, left = 0;

	for (; left == 0; n++) {
		struct kp_ruling ruling;
		struct kp_error err;
		struct world world;
		struct kp_bytes body;
		bool ok;

		open_changing(&world, &settings[3], 2, "!= 'b'", "!= 'c'");
		body = changed_request_of(&world, NUM_ITEMS);
		(void)kp_alloc_fail_after(n);
		ok = kp_govern_request(&world.govern, body, &ruling, &err);
		left = kp_alloc_fail_after(0);
		cr_assert(ok || err.kind == KP_ERR_LIMIT);
		cr_assert(!ok || ruling.kind != KP_RULING_PASS);
		if (ok && ruling.kind == KP_RULING_PART)
			expect_sent(&world, &settings[3], &ruling,
			    ruling.num_refused == 1 ? "Ab" : "b");
		kp_ruling_fini(&ruling);
		close_world(&world);
	}
	cr_assert_gt(n, 4);
}

/* Policies set something in each of many items, and there is room for it. */
Test(govern, many_items_are_changed)
{
	enum { NUM = 1000 };
	struct kp_ruling ruling;
	struct kp_error err;
	struct world world;
	char spec[2048];
	size_t len;

	len = (size_t)snprintf(spec, sizeof(spec),
	    "{match: {apis: [CreateTopics]}, overrides: [{field: "
	    "topic.partitions, expression: '6'}");
	for (int i = 0; i < 10; i++)
		len += (size_t)snprintf(spec + len, sizeof(spec) - len,
		    ", {field: \"topic.configs['some.setting.%d']\", "
		    "expression: \"'86400000'\"}",
		    i);
	(void)snprintf(spec + len, sizeof(spec) - len, "]}");
	open_world(&world, kp_object_api_find(19), 7, spec);
	world.govern.changed = count_change;
	world.govern.max_body_len = 1u << 20;
	world.arena.max_len = 64u << 20;
	cr_assert(kp_govern_request(&world.govern,
		      changed_request_of(&world, NUM), &ruling, &err),
	    "%s", err.text);
	cr_assert_eq(ruling.num_changed, NUM, "%u", ruling.num_changed);
	cr_assert_eq(world.num_changes, 11 * NUM);
	kp_ruling_fini(&ruling);
	close_world(&world);
}
