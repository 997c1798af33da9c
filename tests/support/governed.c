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
		field->is_of_request))
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

static const struct kp_field *
find(const struct kp_field *fields, const char *name, int16_t version)
{
	while (fields->kind != KP_END && strcmp(fields->name, name) != 0)
		fields++;
	return fields->kind != KP_END && kp_field_in(fields, version) ? fields
								      : NULL;
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

/* What tells items apart where they have no names. */
static void
mark_more(const struct kp_tree *tree, const struct kp_field *fields,
    struct kp_tree_value *item, uint32_t index)
{
	const struct kp_field *id = find(fields, "TopicId", tree->version);
	const struct kp_field *partitions =
	    find(fields, "Partitions", tree->version);

	if (partitions != NULL)
		add_partition(
		    tree, partitions, &item->items[partitions - fields], index);
	if (id != NULL) {
		uint8_t *bytes =
		    kp_arena_get(tree->arena, KP_UUID_LEN, sizeof(*bytes));

		kp_assert(bytes != NULL);
		memset(bytes, 'a' + (int)(index % 8), KP_UUID_LEN);
		item->items[id - fields].text =
		    (struct kp_bytes){ bytes, KP_UUID_LEN };
	}
}

void
kp_test_request(struct kp_tree *out, const struct kp_object_api *api,
    int16_t version, uint32_t num, struct kp_arena *arena)
{
	const struct kp_object_field *marked = kp_test_marked_field(api);
	struct kp_items items;

	kp_tree_make(out, kp_api_find(api->key)->request, version, arena);
	kp_items_of(&items, api, out);
	if (items.array != NULL)
		kp_assert(kp_tree_reserve(out, items.array, num) != NULL);
	else
		num = 1;
	for (uint32_t i = 0; i < num; i++) {
		struct kp_tree_value *item =
		    items.array == NULL ? &out->root : &items.array->items[i];
		size_t at;

		if (items.fields == NULL) {
			mark(item, NULL, i);
			continue;
		}
		if (items.array != NULL)
			kp_assert(kp_tree_fill(out, items.fields, item));
		mark_more(out, items.fields, item, i);
		if (marked == NULL)
			continue;
		at = kp_tree_find(items.fields, marked->from);
		mark(&item->items[at], &items.fields[at], i);
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
