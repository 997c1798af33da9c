/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables as such: found by key, closed, sound for an interpreter that
 * trusts them. Whether they say what Kafka says is test_definitions.py's part.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "proto/kafka/apis/apis.h"
#include "proto/kafka/schema.h"
#include "proto/kafka/walker.h"

/* Of structs; below the last one there may be an array of its own. */
#define MAX_DEPTH (KP_WALK_MAX_DEPTH - 1)
/* Longer than any table: one that is not closed runs into this. */
#define MAX_FIELDS 64

struct table {
	const struct kp_message *message;
	const struct kp_field *fields;
};

typedef void (*check_table_fn)(const struct table *table);

static void
each_table(const struct table *table, check_table_fn check, unsigned depth)
{
	cr_assert(depth <= MAX_DEPTH, "%s is too deep", table->message->name);
	check(table);
	for (const struct kp_field *f = table->fields; f->kind != KP_END; f++)
		if (f->kind == KP_STRUCT)
			each_table(&(struct table){ table->message, f->fields },
			    check, depth + 1);
}

static void
each_table_of_message(const struct kp_message *message, check_table_fn check)
{
	each_table(&(struct table){ message, message->fields }, check, 1);
}

static void
each_table_of_all(check_table_fn check)
{
	for (int16_t key = 0; key <= KP_MAX_API_KEY; key++) {
		const struct kp_api *api = kp_api_find(key);

		if (api == NULL)
			continue;
		each_table_of_message(api->request, check);
		each_table_of_message(api->response, check);
	}
}

Test(schema, finds_the_79_apis_of_the_broker_listener_and_no_other)
{
	static const int16_t unknown[] = { INT16_MIN, -1, 4, 5, 6, 7, 52, 53,
		54, 56, 58, 59, 62, 63, 67, 70, 73, 82, KP_MAX_API_KEY + 1,
		INT16_MAX };
	unsigned num_found = 0;

	for (int16_t key = 0; key <= KP_MAX_API_KEY; key++) {
		const struct kp_api *api = kp_api_find(key);

		if (api == NULL)
			continue;
		num_found++;
		cr_assert_eq(api->key, key);
		cr_assert_eq(api->request->api_key, key);
		cr_assert_eq(api->response->api_key, key);
		cr_assert_str_eq(kp_api_name(key), api->name);
	}
	cr_assert_eq(num_found, 79);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		cr_assert_null(kp_api_find(unknown[i]));
		cr_assert(!kp_api_has(unknown[i], 0));
		cr_assert_str_eq(kp_api_name(unknown[i]), "unknown");
	}
}

Test(schema, has_exactly_the_versions_of_a_message)
{
	static const struct {
		int16_t key, min, max;
	} cases[] = {
		{ 0, 0, 13 }, /* Produce: 0-2 are in 3.9 only */
		{ 18, 0, 5 }, /* ApiVersions */
		{ 27, 0, 2 }, /* WriteTxnMarkers */
		{ 76, 0, 1 }, /* ShareGroupHeartbeat: 0 was early access */
		{ 94, 0, 0 }, /* UnregisterController */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int16_t v = cases[i].min; v <= cases[i].max; v++)
			cr_assert(kp_api_has(cases[i].key, v));
		cr_assert(
		    !kp_api_has(cases[i].key, (int16_t)(cases[i].min - 1)));
		cr_assert(
		    !kp_api_has(cases[i].key, (int16_t)(cases[i].max + 1)));
		cr_assert(!kp_api_has(cases[i].key, INT16_MAX));
		cr_assert(!kp_api_has(cases[i].key, INT16_MIN));
	}
}

Test(schema, request_and_response_of_an_api_agree_about_versions)
{
	for (int16_t key = 0; key <= KP_MAX_API_KEY; key++) {
		const struct kp_api *api = kp_api_find(key);

		if (api == NULL)
			continue;
		cr_assert_eq(
		    api->request->min_version, api->response->min_version);
		cr_assert_eq(
		    api->request->max_version, api->response->max_version);
		cr_assert(
		    api->request->min_version <= api->request->max_version);
		cr_assert_eq(api->request->flexible_since,
		    api->response->flexible_since, "%s", api->name);
	}
}

static void
check_closed(const struct table *table)
{
	unsigned n = 0;

	while (n < MAX_FIELDS && table->fields[n].kind != KP_END)
		n++;
	cr_assert(n < MAX_FIELDS, "a table of %s is not closed",
	    table->message->name);
}

Test(schema, every_table_is_closed_and_of_bounded_depth)
{
	each_table_of_all(check_closed);
}

static void
check_fields(const struct table *table)
{
	for (const struct kp_field *f = table->fields; f->kind != KP_END; f++) {
		const char *name = f->name;

		cr_assert(name != NULL && name[0] != '\0');
		cr_assert(f->kind <= KP_STRUCT, "%s", name);
		cr_assert(f->entity < KP_NUM_ENTITIES, "%s", name);
		cr_assert_eq(f->kind == KP_STRUCT, f->fields != NULL);
		cr_assert(f->since >= 0 && f->since <= f->until, "%s", name);
		cr_assert(f->since <= table->message->max_version, "%s", name);
		cr_assert(f->until >= table->message->min_version, "%s", name);
		cr_assert_eq(f->tag >= 0, f->tagged_since != KP_NEVER_SINCE);
		/* Of structs, those that are kept or dropped as a whole. */
		cr_assert(f->kind != KP_STRUCT || f->entity == KP_E_NONE ||
			  f->entity == KP_E_ENDPOINTS ||
			  f->entity == KP_E_API_KEY);
		cr_assert(f->kind == KP_STRUCT || f->entity != KP_E_ENDPOINTS);
	}
}

Test(schema, every_field_is_sound)
{
	each_table_of_all(check_fields);
}

static void
check_nullable(const struct table *table)
{
	for (const struct kp_field *f = table->fields; f->kind != KP_END; f++) {
		bool may_be_null = f->is_array || f->kind == KP_STRING ||
				   f->kind == KP_BYTES ||
				   f->kind == KP_RECORDS ||
				   f->kind == KP_STRUCT;

		cr_assert(may_be_null || f->nullable_since == KP_NEVER_SINCE,
		    "%s of %s is a number that may be null", f->name,
		    table->message->name);
		cr_assert(f->default_text == NULL ||
			  strcmp(f->default_text, "null") != 0 ||
			  f->nullable_since != KP_NEVER_SINCE);
	}
}

Test(schema, only_what_has_a_null_on_the_wire_may_be_null)
{
	each_table_of_all(check_nullable);
}

static void
check_tags(const struct table *table)
{
	for (int16_t v = table->message->min_version;
	     v <= table->message->max_version; v++) {
		int last = -1;

		for (const struct kp_field *f = table->fields;
		     f->kind != KP_END; f++) {
			if (!kp_field_in(f, v) || v < f->tagged_since)
				continue;
			cr_assert(
			    f->tag > last, "tags of %s", table->message->name);
			cr_assert(kp_message_is_flexible(table->message, v));
			last = f->tag;
		}
	}
}

Test(schema, tags_rise_and_occur_in_flexible_versions_only)
{
	each_table_of_all(check_tags);
}

static void
check_names(const struct table *table)
{
	for (const struct kp_field *f = table->fields; f->kind != KP_END; f++)
		for (const struct kp_field *g = f + 1; g->kind != KP_END; g++)
			cr_assert(strcmp(f->name, g->name) != 0 ||
				      f->until < g->since ||
				      g->until < f->since,
			    "%s occurs twice in %s", f->name,
			    table->message->name);
}

Test(schema, no_version_has_a_name_twice_in_a_table)
{
	each_table_of_all(check_names);
}

Test(schema, every_entity_and_kind_has_a_name_of_its_own)
{
	for (unsigned a = 0; a < KP_NUM_ENTITIES; a++) {
		cr_assert_not_null(kp_entity_name(a));
		for (unsigned b = 0; b < a; b++)
			cr_assert(
			    strcmp(kp_entity_name(a), kp_entity_name(b)) != 0);
	}
	for (unsigned kind = KP_END; kind <= KP_STRUCT; kind++)
		cr_assert_not_null(kp_kind_name(kind));
}

static uint64_t
entities(int16_t key, bool is_request, int16_t version)
{
	const struct kp_api *api = kp_api_find(key);

	return kp_message_entities(
	    is_request ? api->request : api->response, version);
}

Test(schema, entities_are_those_of_one_version_at_any_depth)
{
	const uint64_t topic_name = KP_ENTITY_BIT(KP_E_TOPIC_NAME);
	const uint64_t topic_id = KP_ENTITY_BIT(KP_E_TOPIC_ID);
	const uint64_t node_id = KP_ENTITY_BIT(KP_E_NODE_ID);
	const uint64_t address = KP_ENTITY_BIT(KP_E_ENDPOINTS) |
				 KP_ENTITY_BIT(KP_E_HOST) |
				 KP_ENTITY_BIT(KP_E_PORT);
	const uint64_t endpoint = address | KP_ENTITY_BIT(KP_E_ENDPOINT_NODE);
	const uint64_t plain = KP_ENTITY_BIT(KP_E_PLAIN);
	const uint64_t errors = KP_ENTITY_BIT(KP_E_ERROR_CODE);
	const struct {
		int16_t key;
		bool is_request;
		int16_t version;
		uint64_t expected;
	} cases[] = {
		{ 3, true, 0, topic_name },
		{ 3, true, 13, topic_name | topic_id },
		{ 3, false, 0, topic_name | endpoint | node_id | errors },
		{ 0, false, 9,
		    topic_name | errors | KP_ENTITY_BIT(KP_E_ERROR_TEXT) },
		{ 0, false, 13,
		    topic_id | endpoint | node_id | errors | plain |
			KP_ENTITY_BIT(KP_E_ERROR_TEXT) },
		{ 0, true, 2, topic_name | KP_ENTITY_BIT(KP_E_RECORDS) },
		{ 12, false, 4, errors },
		{ 18, true, 0, 0 },
		{ 36, true, 2, KP_ENTITY_BIT(KP_E_SASL_BYTES) },
		{ 80, true, 0,
		    KP_ENTITY_BIT(KP_E_CLUSTER_ID) |
			KP_ENTITY_BIT(KP_E_DIRECTORY) |
			KP_ENTITY_BIT(KP_E_LISTENER) | node_id | address },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t set = entities(
		    cases[i].key, cases[i].is_request, cases[i].version);

		cr_assert_eq(set, cases[i].expected, "case %zu", i);
	}
}

Test(schema, entities_of_every_version_never_include_none)
{
	for (int16_t key = 0; key <= KP_MAX_API_KEY; key++) {
		const struct kp_api *api = kp_api_find(key);

		if (api == NULL)
			continue;
		for (int16_t v = api->request->min_version;
		     v <= api->request->max_version; v++) {
			uint64_t both =
			    entities(key, true, v) | entities(key, false, v);

			cr_assert((both & KP_ENTITY_BIT(KP_E_NONE)) == 0);
			cr_assert(both != 0, "%s v%d", api->name, v);
		}
	}
}
