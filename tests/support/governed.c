/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/governed.h"

#include <stdio.h>
#include <string.h>

#include "proto/kafka/reader.h"
#include "rules/govern/view.h"
#include "tests/support/declared.h"

const struct kp_object_field *
kp_test_marked_field(const struct kp_object_api *api)
{
	const struct kp_object_field *field = api->type->fields;

	while (
	    field->how != KP_OBJECT_END &&
	    ((field->how != KP_OBJECT_PLAIN && field->how != KP_OBJECT_NAME) ||
		field->is_of_request || field->is_around))
		field++;
	return field->how == KP_OBJECT_END ? NULL : field;
}

static void
mark(struct kp_tree_value *value, const struct kp_field *field, uint32_t index)
{
	static const char letters[] = "abcdefgh";

	value->number = index;
	if (field == NULL || !kp_field_is_number(field))
		value->text =
		    (struct kp_bytes){ (const uint8_t *)&letters[index % 8],
			    1 };
}

/* Each has one partition, with its number. */
static void
add_partition(const struct kp_tree *tree, const struct kp_field *field,
    struct kp_tree_value *array, uint32_t index)
{
	struct kp_tree_value *one = kp_tree_reserve(tree, array, 1);

	kp_assert(one != NULL);
	if (field->kind == KP_STRUCT) {
		kp_assert(kp_tree_fill(tree, field->fields, one));
		one = kp_tree_get(one, field->fields, "PartitionIndex");
	}
	one->number = index;
}

static const struct kp_field *
find_field(const struct kp_field *fields, const char *name)
{
	return &fields[kp_tree_find(fields, name)];
}

/* num elements; of structs all have defaults. */
static void
reserve(const struct kp_tree *tree, struct kp_tree_value *array,
    const struct kp_field *fields, uint32_t num)
{
	kp_assert(kp_tree_reserve(tree, array, num) != NULL);
	for (uint32_t i = 0; fields != NULL && i < num; i++)
		kp_assert(kp_tree_fill(tree, fields, &array->items[i]));
}

/* Each in a struct of its own, where there is one around it. */
static void
reserve_inner(const struct kp_tree *tree, struct kp_tree_value *outer,
    const struct kp_field *fields, const char *inner)
{
	for (uint32_t i = 0; i < outer->num; i++)
		reserve(tree, kp_tree_get(&outer->items[i], fields, inner),
		    find_field(fields, inner)->fields, 1);
}

/* Spread evenly over the arrays that the version has. */
static void
reserve_items(
    struct kp_tree *out, const struct kp_object_api *api, uint32_t num)
{
	const struct kp_field *fields = out->message->fields;
	uint32_t num_arrays = 0, index = 0;

	for (size_t i = 0; api->items[i] != NULL; i++)
		num_arrays += kp_field_in(
		    find_field(fields, api->items[i]), out->version);
	for (size_t i = 0; api->items[i] != NULL; i++) {
		const struct kp_field *field =
		    find_field(fields, api->items[i]);
		struct kp_tree_value *array = &out->root.items[field - fields];

		if (!kp_field_in(field, out->version))
			continue;
		reserve(out, array, field->fields,
		    num * (index + 1) / num_arrays - num * index / num_arrays);
		index++;
		if (api->inner != NULL)
			reserve_inner(out, array, field->fields, api->inner);
	}
}

static void
mark_item(const struct kp_item *item, const struct kp_object_field *marked,
    uint32_t index)
{
	/* it is of a tree that is being made */
	struct kp_tree_value *value =
	    (struct kp_tree_value *)(uintptr_t)item->value;

	if (item->fields == NULL)
		mark(value, NULL, index);
	else if (marked != NULL)
		mark(kp_tree_get(value, item->fields, marked->from),
		    find_field(item->fields, marked->from), index);
}

static struct kp_bytes
topic_id(const struct kp_tree *tree, uint32_t index)
{
	uint8_t *bytes = kp_arena_get(tree->arena, KP_UUID_LEN, sizeof(*bytes));

	kp_assert(bytes != NULL);
	(void)memset(bytes, 'a' + (int)(index % 8), KP_UUID_LEN);
	return (struct kp_bytes){ bytes, KP_UUID_LEN };
}

/* What tells items apart where they have no names. */
static void
mark_more(
    const struct kp_tree *tree, const struct kp_item *item, uint32_t index)
{
	/* it is of a tree that is being made */
	struct kp_tree_value *values = item->value->items;
	const struct kp_field *field = item->fields;

	for (size_t i = 0; field[i].kind != KP_END; i++) {
		if (!kp_field_in(&field[i], tree->version))
			continue;
		if (strcmp(field[i].name, "Partitions") == 0)
			add_partition(tree, &field[i], &values[i], index);
		if (strcmp(field[i].name, "TopicId") == 0)
			values[i].text = topic_id(tree, index);
	}
}

void
kp_test_request(struct kp_tree *out, const struct kp_object_api *api,
    int16_t version, uint32_t num, struct kp_arena *arena)
{
	const struct kp_object_field *marked = kp_test_marked_field(api);
	struct kp_items items;

	kp_tree_make(out, kp_api_find(api->key)->request, version, arena);
	if (api->items != NULL)
		reserve_items(out, api, num);
	kp_assert(kp_items_of(&items, api, out));
	for (uint32_t i = 0; i < items.num; i++) {
		struct kp_item item = kp_items_at(&items, api, out, i, arena);

		mark_item(&item, marked, i);
		if (item.fields != NULL)
			mark_more(out, &item, i);
	}
}

struct kp_policies *
kp_test_policies(const char *spec)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_policies *policies;
	struct kp_tables *tables;
	struct kp_error err;
	char text[4096];

	(void)snprintf(text, sizeof(text),
	    "{apiVersion: kproxy/v1, kind: Policy, metadata: {name: p},\n"
	    "spec: %s}\n",
	    spec);
	tables = kp_test_compile(text, &diagnostics);
	kp_assert(tables != NULL);
	policies =
	    kp_policies_new(tables->policies, tables->num_policies, &err);
	kp_assert(policies != NULL);
	kp_tables_free(tables);
	return policies;
}
