/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/alloc.h"
#include "proto/kafka/tree.h"
#include "proto/kafka/writer.h"
#include "tests/support/sample.h"
#include "tests/support/walks.h"

#define MAX_TREE (64u << 20)
#define FETCH 1
#define CREATE_TOPICS 19

static struct kp_arena arena;
static struct kp_buf body, out;
static struct kp_error err;

static void
set_up(void)
{
	kp_arena_init(&arena, MAX_TREE);
	kp_buf_init(&body, KP_SAMPLE_MAX_LEN);
	kp_buf_init(&out, KP_SAMPLE_MAX_LEN);
}

static void
tear_down(void)
{
	kp_arena_fini(&arena);
	kp_buf_fini(&body);
	kp_buf_fini(&out);
}

static bool
read_body(struct kp_tree *tree, const struct kp_message *message, int version)
{
	return kp_tree_read(
	    tree, message, (int16_t)version, kp_buf_bytes(&body), &arena, &err);
}

/* Bodies of a tree that is written are as the walker wants them. */
static void
check_sample(const struct kp_message *message, int version, uint64_t seed)
{
	struct kp_sample sample = { .random = seed,
		.is_full = seed == 0,
		.has_unknown_tags = seed == 1 };
	struct kp_tree tree, again;

	kp_arena_reset(&arena);
	kp_buf_clear(&body);
	kp_buf_clear(&out);
	kp_sample_body(&sample, &body, message, (int16_t)version);
	cr_assert(read_body(&tree, message, version), "%s", err.text);
	kp_tree_write(&tree, &out);
	cr_assert(!out.failed, "%s v%d", message->name, version);
	cr_assert(kp_walk_whole(message, (int16_t)version, kp_buf_bytes(&out),
	    &kp_keep_all, NULL, &err));
	kp_buf_clear(&body);
	kp_buf_add(&body, out.data, out.len);
	kp_buf_clear(&out);
	cr_assert(read_body(&again, message, version), "%s", err.text);
	kp_tree_write(&again, &out);
	cr_assert(kp_bytes_equal(kp_buf_bytes(&body), kp_buf_bytes(&out)),
	    "%s v%d", message->name, version);
}

static size_t
check_versions(const struct kp_message *message)
{
	size_t num = 0;

	for (int v = message->min_version; v <= message->max_version; v++)
		for (uint64_t seed = 0; seed < 6; seed++, num++)
			check_sample(message, v, seed);
	return num;
}

Test(tree, what_is_read_of_every_message_is_written_again)
{
	size_t num = 0;

	set_up();
	for (int key = 0; key <= KP_MAX_API_KEY; key++) {
		const struct kp_api *api = kp_api_find((int16_t)key);

		if (api == NULL)
			continue;
		num += check_versions(api->request);
		num += check_versions(api->response);
	}
	cr_assert(num > 1000);
	tear_down();
}

/* A full sample says nothing by a default, so nothing is left out. */
Test(tree, a_message_without_defaults_is_written_as_it_was)
{
	const struct kp_message *message = kp_api_find(CREATE_TOPICS)->request;
	struct kp_sample sample = { .random = 7, .is_full = true };
	struct kp_tree tree;

	set_up();
	kp_sample_body(&sample, &body, message, 7);
	cr_assert(read_body(&tree, message, 7), "%s", err.text);
	kp_tree_write(&tree, &out);
	cr_assert(kp_bytes_equal(kp_buf_bytes(&body), kp_buf_bytes(&out)));
	tear_down();
}

static struct kp_tree_value *
topics_of(const struct kp_tree *tree)
{
	return kp_tree_get(&tree->root, tree->message->fields, "Topics");
}

static const struct kp_field *
topic_fields(const struct kp_tree *tree)
{
	const struct kp_field *fields = tree->message->fields;

	return fields[kp_tree_find(fields, "Topics")].fields;
}

Test(tree, one_is_made_of_defaults_and_filled)
{
	const struct kp_message *message = kp_api_find(CREATE_TOPICS)->request;
	struct kp_tree tree, again;
	struct kp_tree_value *topic;
	const struct kp_field *fields;

	set_up();
	kp_tree_make(&tree, message, 7, &arena);
	cr_assert(!arena.failed);
	cr_assert(
	    kp_tree_get(&tree.root, message->fields, "timeoutMs")->number ==
	    60000);
	fields = topic_fields(&tree);
	topic = kp_tree_reserve(&tree, topics_of(&tree), 2);
	cr_assert(topic != NULL && topics_of(&tree)->num == 2);
	for (size_t i = 0; i < 2; i++) {
		cr_assert(kp_tree_fill(&tree, fields, &topic[i]));
		kp_tree_get(&topic[i], fields, "Name")->text =
		    kp_bytes_of(i == 0 ? "a" : "bc");
	}
	kp_tree_write(&tree, &body);
	cr_assert(read_body(&again, message, 7), "%s", err.text);
	topic = &topics_of(&again)->items[1];
	cr_assert(kp_bytes_equal(
	    kp_tree_get(topic, fields, "Name")->text, kp_bytes_of("bc")));
	tear_down();
}

Test(tree, what_a_version_cannot_hold_is_not_written)
{
	const struct kp_message *message = kp_api_find(CREATE_TOPICS)->request;
	struct kp_tree tree;

	set_up();
	kp_tree_make(&tree, message, 7, &arena);
	topics_of(&tree)->is_null = true;
	kp_tree_write(&tree, &out);
	cr_assert(out.failed);

	kp_buf_clear(&out);
	topics_of(&tree)->is_null = false;
	kp_tree_get(&tree.root, message->fields, "timeoutMs")->number =
	    INT64_C(1) << 31;
	kp_tree_write(&tree, &out);
	cr_assert(out.failed);
	tear_down();
}

/* A count that the body could hold, of items that the arena cannot. */
Test(tree, memory_for_values_is_limited)
{
	const struct kp_message *message = kp_api_find(CREATE_TOPICS)->request;
	struct kp_tree tree;

	set_up();
	kp_write_int32(&body, 100000);
	for (size_t i = 0; i < 50000; i++)
		kp_write_int32(&body, 0);
	arena.max_len = 1u << 20;
	cr_assert(!read_body(&tree, message, 4));
	cr_assert(err.kind == KP_ERR_LIMIT, "%s", err.text);
	tear_down();
}

/* Tagged, and null if nothing is said: "" is something else. */
Test(tree, an_empty_text_is_not_null)
{
	const struct kp_message *message = kp_api_find(FETCH)->request;
	struct kp_tree tree, again;
	struct kp_bytes *text;

	set_up();
	kp_tree_make(&tree, message, 12, &arena);
	text = &kp_tree_get(&tree.root, message->fields, "ClusterId")->text;
	cr_assert(text->data == NULL);
	*text = kp_bytes_of("");
	kp_tree_write(&tree, &body);
	cr_assert(read_body(&again, message, 12), "%s", err.text);
	text = &kp_tree_get(&again.root, message->fields, "ClusterId")->text;
	cr_assert(text->data != NULL && text->len == 0);
	tear_down();
}
