/* SPDX-License-Identifier: Apache-2.0 */
/* Trees by themselves: defaults, fields by name, room for more. */
#include "proto/kafka/tree.h"

#include <stdlib.h>

#include "proto/kafka/reader.h"
#include "proto/kafka/tree_priv.h"

static size_t
num_fields(const struct kp_field *fields)
{
	size_t num = 0;

	while (fields[num].kind != KP_END)
		num++;
	return num;
}

static size_t
find(const struct kp_field *fields, const char *name)
{
	size_t i = 0;

	while (fields[i].kind != KP_END && strcmp(fields[i].name, name) != 0)
		i++;
	return i;
}

size_t
kp_tree_find(const struct kp_field *fields, const char *name)
{
	size_t i = find(fields, name);

	kp_assert(fields[i].kind != KP_END);
	return i;
}

bool
kp_tree_has(const struct kp_field *fields, const char *name)
{
	return fields[find(fields, name)].kind != KP_END;
}

struct kp_tree_value *
kp_tree_get(const struct kp_tree_value *value, const struct kp_field *fields,
    const char *name)
{
	return &value->items[kp_tree_find(fields, name)];
}

struct kp_tree_value *
kp_tree_reserve(
    const struct kp_tree *tree, struct kp_tree_value *array, size_t num)
{
	struct kp_tree_value *items;

	if (num > UINT32_MAX)
		return NULL;
	items = kp_arena_get(tree->arena, num, sizeof(*items));
	if (items == NULL)
		return NULL;
	if (array->num < num)
		memset(
		    items + array->num, 0, (num - array->num) * sizeof(*items));
	kp_copy(items, array->items,
	    (array->num < num ? array->num : num) * sizeof(*items));
	array->items = items;
	array->num = (uint32_t)num;
	array->is_null = false;
	return items;
}

static bool
is_null_by_default(const struct kp_field *field, int16_t version)
{
	return version >= field->nullable_since &&
	       field->default_text != NULL &&
	       strcmp(field->default_text, "null") == 0;
}

/* The tables are ours, so what they say is a number. */
static int64_t
default_number(const struct kp_field *field)
{
	if (field->default_text == NULL)
		return 0;
	if (field->kind == KP_BOOL)
		return strcmp(field->default_text, "true") == 0;
	return strtoll(field->default_text, NULL, 0);
}

static struct kp_bytes
default_text(const struct kp_field *field, int16_t version)
{
	static const uint8_t zero_uuid[KP_UUID_LEN];

	if (field->kind == KP_UUID)
		return (struct kp_bytes){ zero_uuid, KP_UUID_LEN };
	if (is_null_by_default(field, version))
		return (struct kp_bytes){ 0 };
	if (field->default_text == NULL ||
	    strcmp(field->default_text, "null") == 0)
		return kp_bytes_of("");
	return kp_bytes_of(field->default_text);
}

/* The tables are ours: a recursion over them ends. */
static bool
fill_value(const struct kp_tree *tree, const struct kp_field *field,
    struct kp_tree_value *out)
{
	bool is_null = is_null_by_default(field, tree->version);

	*out = (struct kp_tree_value){ .num = 0 };
	if (field->is_array || (field->kind == KP_STRUCT && is_null))
		out->is_null = is_null;
	else if (field->kind == KP_STRUCT)
		return kp_tree_fill(tree, field->fields, out);
	else if (kp_field_is_number(field))
		out->number = default_number(field);
	else
		out->text = default_text(field, tree->version);
	return true;
}

bool
kp_tree_fill(const struct kp_tree *tree, const struct kp_field *fields,
    struct kp_tree_value *out)
{
	size_t num = num_fields(fields);

	*out = (struct kp_tree_value){ .num = 0 };
	if (kp_tree_reserve(tree, out, num) == NULL)
		return false;
	for (size_t i = 0; i < num; i++)
		if (!fill_value(tree, &fields[i], &out->items[i]))
			return false;
	return true;
}

void
kp_tree_make(struct kp_tree *tree, const struct kp_message *message,
    int16_t version, struct kp_arena *arena)
{
	*tree = (struct kp_tree){
		.message = message, .version = version, .arena = arena
	};
	(void)kp_tree_fill(tree, message->fields, &tree->root);
}

static bool
struct_is_default(const struct kp_tree *tree, const struct kp_field *fields,
    const struct kp_tree_value *value)
{
	for (size_t i = 0; fields[i].kind != KP_END; i++)
		if (!kp_tree_is_default(tree, &fields[i], &value->items[i]))
			return false;
	return true;
}

/* "" is not null, though both have no bytes. */
static bool
text_is_default(const struct kp_tree *tree, const struct kp_field *field,
    struct kp_bytes text)
{
	struct kp_bytes usual = default_text(field, tree->version);

	return (text.data == NULL) == (usual.data == NULL) &&
	       kp_bytes_equal(text, usual);
}

bool
kp_tree_is_default(const struct kp_tree *tree, const struct kp_field *field,
    const struct kp_tree_value *value)
{
	bool is_null = is_null_by_default(field, tree->version);

	if (field->is_array)
		return value->is_null == is_null && value->num == 0;
	if (kp_field_is_number(field))
		return value->number == default_number(field);
	if (field->kind != KP_STRUCT)
		return text_is_default(tree, field, value->text);
	if (value->is_null || is_null)
		return value->is_null == is_null;
	return struct_is_default(tree, field->fields, value);
}
