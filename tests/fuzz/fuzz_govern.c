/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of governed APIs (messages.h) through policies that set what can be
 * set, look at every field and refuse some items, and answers of hostile
 * brokers to what is left. What goes on must be sound, no longer than it may be
 * and without what was refused, and the answer must tell of as many items as
 * there were.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/govern/creation.h"
#include "tests/fuzz/messages.h"
#include "tests/support/sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

const bool kp_fuzzes_requests = true;

#define MAX_LEN (1u << 24)
#define MAX_POLICIES 64

/* One for each API; made once. */
static struct kp_tables_policy tables[MAX_POLICIES];
static struct kp_tables_validation validations[MAX_POLICIES];
static int16_t keys[MAX_POLICIES];
static char expressions[MAX_POLICIES][2048];

#define MAX_OVERRIDES 4
#define MAX_OVERRIDE_LEN 64
static struct kp_tables_override overrides[MAX_POLICIES][MAX_OVERRIDES];
static char override_texts[MAX_POLICIES][MAX_OVERRIDES][2][MAX_OVERRIDE_LEN];

/* A number is one more; settings of items with longer names are set. */
static size_t
write_overrides(size_t index, const struct kp_object_api *api)
{
	const struct kp_object_override *one = api->overrides;
	size_t num = 0;

	for (; one != NULL && one->how != KP_OBJECT_SET_END; one++) {
		char(*texts)[MAX_OVERRIDE_LEN] = override_texts[index][num];
		bool is_setting = kp_object_is_setting(one);

		kp_assert(num < MAX_OVERRIDES);
		(void)snprintf(texts[0], MAX_OVERRIDE_LEN, "%s.%s%s",
		    api->variable, one->field, is_setting ? "['a']" : "");
		(void)snprintf(texts[1], MAX_OVERRIDE_LEN, "%s.%s%s",
		    api->variable, is_setting ? "name" : one->field,
		    is_setting ? "" : " + 1");
		overrides[index][num++] = (struct kp_tables_override){
			.field = texts[0],
			.expression = texts[1],
		};
	}
	return num;
}

/* All of an object is compared with itself; a third of texts is refused. */
static void
write_expression(char out[2048], const struct kp_object_api *api)
{
	const struct kp_object_field *f = api->type->fields;
	size_t len = 0;

	for (; f->how != KP_OBJECT_END; f++) {
		const char *and = len > 0 ? " && " : "";
		const char *name = f->name, *of = api->variable;

		if (f->how == KP_OBJECT_NAME)
			len += (size_t)snprintf(out + len, 2048 - len,
			    "%s%s.%s.size() %% 3 != 1", and, of, name);
		else
			len += (size_t)snprintf(out + len, 2048 - len,
			    "%s(%s.%s == %s.%s || true)", and, of, name, of,
			    name);
	}
}

static struct kp_policies *
policies(void)
{
	static struct kp_policies *made;
	struct kp_error err;

	for (size_t i = 0; made == NULL && i < kp_num_object_apis; i++) {
		keys[i] = kp_object_apis[i].key;
		write_expression(expressions[i], &kp_object_apis[i]);
		validations[i].expression = expressions[i];
		tables[i] = (struct kp_tables_policy){ .name = expressions[0],
			.apis = &keys[i],
			.num_apis = 1,
			.validations = &validations[i],
			.num_validations = 1,
			.overrides = overrides[i],
			.num_overrides = write_overrides(i, &kp_object_apis[i]),
			/* what cannot be set is left as it is, or refused */
			.failure =
			    i % 2 == 0 ? KP_POLICY_FAIL : KP_POLICY_IGNORE };
	}
	if (made == NULL)
		made = kp_policies_new(tables, kp_num_object_apis, &err);
	kp_assert(made != NULL);
	return made;
}

static void
ignore(void *ctx, const struct kp_item *item, const struct kp_finding *finding)
{
	(void)ctx;
	(void)item;
	kp_assert(finding->text[0] != '\0');
}

static void
ignore_change(
    void *ctx, const struct kp_item *item, const struct kp_change *change)
{
	(void)ctx;
	(void)item;
	kp_assert(change->after.data != NULL);
}

static uint32_t
count_items(const struct kp_message_input *input, struct kp_bytes body)
{
	const struct kp_object_api *api =
	    kp_object_api_find(input->message->api_key);
	struct kp_arena arena;
	struct kp_items items;
	struct kp_tree tree;
	struct kp_error err;

	kp_arena_init(&arena, MAX_LEN);
	kp_assert(kp_tree_read(&tree, kp_api_find(api->key)->request,
	    input->version, body, &arena, &err));
	kp_assert(kp_items_of(&items, api, &tree));
	kp_arena_fini(&arena);
	return items.num;
}

static void
check_answer(const struct kp_message_input *input, struct kp_bytes body,
    uint32_t min_rows)
{
	const struct kp_object_api *api =
	    kp_object_api_find(input->message->api_key);
	struct kp_arena arena;
	struct kp_tree tree;
	struct kp_error err;

	kp_arena_init(&arena, MAX_LEN);
	kp_assert(kp_tree_read(&tree, kp_api_find(api->key)->response,
	    input->version, body, &arena, &err));
	kp_assert(
	    api->answer.rows == NULL ||
	    !kp_field_in(&tree.message->fields[kp_tree_find(
			     tree.message->fields, api->answer.rows)],
		input->version) ||
	    kp_tree_get(&tree.root, tree.message->fields, api->answer.rows)
		    ->num >= min_rows);
	kp_arena_fini(&arena);
}

/* The broker says anything that is an answer of this API. */
static void
merge(const struct kp_message_input *input, const struct kp_ruling *ruling)
{
	struct kp_sample sample = { .random = input->seed };
	int16_t key = input->message->api_key;
	struct kp_buf answer, merged;
	struct kp_error err;

	kp_buf_init(&answer, KP_SAMPLE_MAX_LEN);
	kp_buf_init(&merged, MAX_LEN);
	kp_sample_body(
	    &sample, &answer, kp_api_find(key)->response, input->version);
	if (!answer.failed &&
	    kp_govern_merge(key, input->version, kp_buf_bytes(&ruling->answer),
		kp_buf_bytes(&answer), &merged, &err))
		check_answer(input, kp_buf_bytes(&merged), ruling->num_refused);
	kp_buf_fini(&merged);
	kp_buf_fini(&answer);
}

static void
check_ruling(
    const struct kp_message_input *input, const struct kp_ruling *ruling)
{
	switch (ruling->kind) {
	case KP_RULING_PASS:
		kp_assert(ruling->num_refused == 0);
		kp_assert(ruling->num_changed == 0);
		break;
	case KP_RULING_CHANGED:
		kp_assert(ruling->num_refused == 0 && ruling->num_changed > 0);
		kp_assert(count_items(input, kp_buf_bytes(&ruling->request)) ==
			  ruling->num_items);
		break;
	case KP_RULING_PART:
		kp_assert(count_items(input, kp_buf_bytes(&ruling->request)) ==
			  ruling->num_items - ruling->num_refused);
		merge(input, ruling);
		break;
	case KP_RULING_REFUSED:
		kp_assert(ruling->num_refused == ruling->num_items);
		check_answer(
		    input, kp_buf_bytes(&ruling->answer), ruling->num_refused);
		break;
	}
}

static bool
can_be_judged(const struct kp_message_input *input)
{
	const struct kp_object_api *api =
	    kp_object_api_find(input->message->api_key);

	return api != NULL && input->version <= kp_object_max_version(api);
}

static void
ignore_name(void *ctx, struct kp_bytes topic, const struct kp_finding *finding)
{
	(void)ctx;
	kp_assert(topic.data != NULL && finding->text[0] != '\0');
}

/* The broker says anything that is an answer to what goes on. */
static void
tell(const struct kp_message_input *input, const struct kp_creation *creation)
{
	struct kp_creation_told told = { .found = ignore_name };
	struct kp_sample sample = { .random = input->seed };
	struct kp_bytes notes = kp_buf_bytes(&creation->notes);
	struct kp_buf answer, converted;
	struct kp_error err;

	kp_buf_init(&answer, KP_SAMPLE_MAX_LEN);
	kp_buf_init(&converted, KP_SAMPLE_MAX_LEN);
	kp_sample_body(&sample, &answer, kp_api_find(KP_METADATA)->response,
	    creation->version);
	if (!answer.failed &&
	    kp_creation_answer(notes, input->version, kp_buf_bytes(&answer),
		&converted, &told, &err) &&
	    creation->version != input->version)
		check_answer(input, kp_buf_bytes(&converted), 0);
	kp_buf_fini(&converted);
	kp_buf_fini(&answer);
}

/* What goes on names all of them, what goes before some. */
static void
check_creation(
    const struct kp_message_input *input, const struct kp_creation *creation)
{
	struct kp_message_input second = *input;

	second.version = creation->version;
	if (creation->is_changed) {
		kp_assert(
		    count_items(&second, kp_buf_bytes(&creation->second)) ==
		    count_items(input, input->body));
		kp_assert(creation->notes.len > 0);
	}
	if (creation->first.len > 0)
		kp_assert(count_items(input, kp_buf_bytes(&creation->first)) <
			  count_items(input, input->body));
	if (creation->notes.len > 0)
		tell(input, creation);
}

static bool
create(const struct kp_govern *govern, const struct kp_message_input *input)
{
	struct kp_creation creation;
	struct kp_error err;
	bool ok = kp_creation_judge(govern, input->body, &creation, &err);

	if (ok)
		check_creation(input, &creation);
	kp_creation_fini(&creation);
	return ok;
}

static bool
govern_one(const struct kp_govern *govern, const struct kp_message_input *input)
{
	struct kp_ruling ruling;
	struct kp_error err;
	bool ok = kp_govern_request(govern, input->body, &ruling, &err);

	if (ok) {
		check_ruling(input, &ruling);
		kp_assert(ruling.request.len <= govern->max_body_len);
	}
	kp_ruling_fini(&ruling);
	return ok;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kp_message_input input;
	struct kp_facts facts = { .principal = "",
		.virtual_cluster = "v",
		.listener = "l",
		.address = "a" };
	struct kp_govern govern = {
		.facts = &facts, .found = ignore, .changed = ignore_change
	};
	bool ok = true;

	if (!kp_message_input_read(&input, data, size))
		return 0;
	facts.api_key = input.message->api_key;
	facts.api_version = input.version;
	govern.policies = policies();
	govern.max_body_len = input.body.len + input.seed;
	if (input.is_request && can_be_judged(&input) &&
	    kp_policies_govern(
		govern.policies, facts.api_key, facts.virtual_cluster))
		ok = facts.api_key == KP_METADATA ? create(&govern, &input)
						  : govern_one(&govern, &input);
	if (ok)
		kp_message_input_is_valid(&input);
	return 0;
}
