/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/govern/override.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "rules/cel/syntax.h"

/* Bytes of the tree of what an override names. */
#define MAX_PATH_MEMORY (64u << 10)
#define MAX_LIST_LEN 200

/* What a row takes beside its texts: their lengths, an operation, no tags; and
 * longer lengths of what is around it. */
#define ROW_LEN 16

/* "topic.partitions, topic.configs['NAME']" */
static void
list_fields(char out[MAX_LIST_LEN], const struct kp_object_api *api)
{
	const struct kp_object_override *one = kp_object_overrides(api);
	size_t len = 0;

	out[0] = '\0';
	for (; one->how != KP_OBJECT_SET_END; one++) {
		(void)snprintf(out + len, MAX_LIST_LEN - len, "%s%s.%s%s",
		    len > 0 ? ", " : "", api->variable, one->field,
		    kp_object_is_setting(one) ? "['NAME']" : "");
		len = strlen(out);
	}
}

static bool
refuse(struct kp_cel_fault *fault, uint32_t pos,
    const struct kp_object_api *api, const char *what)
{
	char list[MAX_LIST_LEN];

	list_fields(list, api);
	return kp_cel_fault_set(fault, KP_CEL_FAULT_TYPE, pos,
	    "%s; what can be set is %s", what,
	    list[0] == '\0' ? "nothing" : list);
}

static const struct kp_object_override *
find_field(const struct kp_object_api *api, struct kp_bytes name)
{
	const struct kp_object_override *one = kp_object_overrides(api);

	for (; one->how != KP_OBJECT_SET_END; one++)
		if (kp_bytes_equal(name, kp_bytes_of(one->field)))
			return one;
	return NULL;
}

/* Is it VARIABLE.FIELD? */
static bool
is_field_of(const struct kp_cel_node *node, const struct kp_object_api *api)
{
	return node->kind == KP_CEL_SELECT && !node->is_test &&
	       !node->is_optional && node->args[0]->kind == KP_CEL_IDENT &&
	       kp_bytes_equal(node->args[0]->name, kp_bytes_of(api->variable));
}

static bool
has_key(const struct kp_cel_node *node)
{
	return node->kind == KP_CEL_INDEX && !node->is_optional &&
	       node->args[1]->kind == KP_CEL_CONSTANT &&
	       node->args[1]->constant.type == KP_CEL_STRING;
}

static bool
read_key(struct kp_override_target *out, const struct kp_cel_node *node,
    struct kp_cel_fault *fault)
{
	struct kp_bytes key = kp_cel_content(node->constant);

	if (key.len == 0 || key.len > INT16_MAX ||
	    memchr(key.data, '\0', key.len) != NULL)
		return kp_cel_fault_set(fault, KP_CEL_FAULT_TYPE, node->pos,
		    "this is no name of a setting");
	out->key = kp_strndup((const char *)key.data, key.len);
	return true;
}

static bool
read_path(struct kp_override_target *out, const struct kp_object_api *api,
    const struct kp_cel_node *node, struct kp_cel_fault *fault)
{
	const struct kp_cel_node *path = has_key(node) ? node->args[0] : node;

	if (!is_field_of(path, api))
		return refuse(fault, path->pos, api, "this names no field");
	out->of = find_field(api, path->name);
	if (out->of == NULL)
		return refuse(fault, path->pos, api, "this cannot be set");
	if (kp_object_is_setting(out->of) != (path != node))
		return refuse(fault, node->pos, api,
		    path == node ? "the name of a setting is missing"
				 : "this has no settings");
	return path == node || read_key(out, node->args[1], fault);
}

bool
kp_override_target_init(struct kp_override_target *out,
    const struct kp_object_api *api, struct kp_bytes text,
    struct kp_cel_fault *fault)
{
	struct kp_cel_node *node;
	struct kp_arena arena;
	bool ok;

	*out = (struct kp_override_target){ 0 };
	kp_arena_init(&arena, MAX_PATH_MEMORY);
	node = kp_cel_parse(text, &arena, fault);
	ok = node != NULL && read_path(out, api, node, fault);
	kp_arena_fini(&arena);
	return ok;
}

void
kp_override_target_fini(struct kp_override_target *target)
{
	free(target->key);
	*target = (struct kp_override_target){ 0 };
}

const char *
kp_override_type(const struct kp_override_target *target)
{
	return kp_object_is_setting(target->of) ? "string" : "int";
}

static const struct kp_object_field *
field_of(const struct kp_item *item, const struct kp_override_target *target)
{
	const struct kp_object_field *field = item->api->type->fields;

	/* the tables fit together: a test sees to it */
	while (strcmp(field->name, target->of->field) != 0)
		field++;
	return field;
}

static struct kp_bytes
show_number(char out[KP_OVERRIDE_NUMBER_SIZE], int64_t number)
{
	(void)snprintf(out, KP_OVERRIDE_NUMBER_SIZE, "%" PRId64, number);
	return kp_bytes_of(out);
}

/* Kafka takes either numbers or assignments; whose replicas are where is not
 * for a number to say. */
static bool
has_assignments(const struct kp_item *item)
{
	return kp_tree_has(item->fields, "Assignments") &&
	       kp_tree_get(item->value, item->fields, "Assignments")->num > 0;
}

static void
plan_number(struct kp_override_plan *out, const struct kp_item *item,
    struct kp_cel_value object)
{
	const struct kp_object_field *field = field_of(item, out->target);
	size_t index = kp_tree_find(item->fields, field->from);
	struct kp_cel_value shown;

	if (object.type != KP_CEL_OBJECT) {
		out->why_not = "there is no memory to look at it";
		return;
	}
	/* as policies see it: counted, if need be */
	(void)object.as.object->field(
	    object.as.object, kp_bytes_of(field->name), &shown);
	out->before = show_number(out->texts[0], shown.as.number);
	out->after = show_number(out->texts[1], out->number);
	out->is_same = shown.as.number == out->number;
	out->to = &item->value->items[index];
	if (has_assignments(item))
		out->why_not = "the client assigns replicas itself";
	else if (!kp_field_holds(&item->fields[index], out->number))
		out->why_not = "Kafka has no such numbers there";
}

static struct kp_tree_value *
column(const struct kp_override_plan *plan, const char *name)
{
	return kp_tree_get(plan->to, plan->fields, name);
}

/* The row of the setting; false if there are two, of which nobody here is to
 * say which counts. */
static bool
find_row(struct kp_override_plan *out)
{
	struct kp_bytes key = kp_bytes_of(out->target->key);

	for (uint32_t i = 0; i < out->array->num; i++) {
		struct kp_tree_value *row = &out->array->items[i];

		if (!kp_bytes_equal(
			kp_tree_get(row, out->fields, "Name")->text, key))
			continue;
		if (out->to != NULL)
			return false;
		out->to = row;
	}
	return true;
}

static void
plan_row(struct kp_override_plan *out)
{
	const struct kp_field *field =
	    &out->fields[kp_tree_find(out->fields, "Value")];

	if (!find_row(out)) {
		out->why_not = "the setting is there twice";
		return;
	}
	if (!kp_field_holds_len(field, out->after.len))
		out->why_not = "the value is longer than Kafka takes";
	if (out->to == NULL) {
		/* what nobody changes stays as it is */
		out->is_same = out->target->of->how == KP_OBJECT_SET_CHANGE;
		return;
	}
	out->before = column(out, "Value")->text;
	out->is_same =
	    out->before.data != NULL && kp_bytes_equal(out->before, out->after);
	if (out->target->of->how != KP_OBJECT_SET_CHANGE ||
	    column(out, "ConfigOperation")->number == KP_CHANGE_SET)
		return;
	out->is_same = false;
	out->before = kp_bytes_of("another operation");
}

void
kp_override_plan_init(struct kp_override_plan *out, const struct kp_item *item,
    struct kp_cel_value object, const struct kp_override_target *target,
    struct kp_cel_value value)
{
	size_t index;

	*out = (struct kp_override_plan){ .target = target };
	if (!kp_object_is_setting(target->of)) {
		out->number = value.as.number;
		plan_number(out, item, object);
	} else {
		index =
		    kp_tree_find(item->fields, field_of(item, target)->from);
		out->array = &item->value->items[index];
		out->fields = item->fields[index].fields;
		out->after = kp_cel_content(value);
		/* an empty text is not null */
		if (out->after.len == 0)
			out->after = kp_bytes_of("");
		plan_row(out);
	}
	/* what is so need not be possible */
	if (out->is_same)
		out->why_not = NULL;
}

static bool
keep(struct kp_bytes *text, struct kp_arena *arena)
{
	if (text->data == NULL)
		return true;
	text->data = (const uint8_t *)kp_arena_copy(arena, *text);
	return text->data != NULL;
}

/* One more row, and room for as many as may follow. */
static bool
add_row(struct kp_override_plan *plan, const struct kp_item *item,
    struct kp_override_room *room, size_t num_more)
{
	struct kp_tree tree = *item->request;
	struct kp_tree_value *array = plan->array;
	struct kp_tree_value grown = *array, row;
	struct kp_bytes name = kp_bytes_of(plan->target->key);
	bool has_spare = room->array == array && room->num_spare > 0;

	tree.arena = room->arena;
	if (!keep(&name, room->arena) ||
	    !kp_tree_fill(&tree, plan->fields, &row) ||
	    (!has_spare && kp_tree_reserve(&tree, &grown,
			       array->num + 1 + num_more) == NULL))
		return false;
	room->array = array;
	room->num_spare = has_spare ? room->num_spare - 1 : (uint32_t)num_more;
	grown.num = array->num + 1;
	grown.is_null = false;
	*array = grown;
	plan->to = &array->items[array->num - 1];
	*plan->to = row;
	column(plan, "Name")->text = name;
	return true;
}

static size_t
growth_of(const struct kp_override_plan *plan)
{
	if (plan->array == NULL)
		return 0;
	if (plan->to == NULL)
		return ROW_LEN + strlen(plan->target->key) + plan->after.len;
	return ROW_LEN + plan->after.len;
}

bool
kp_override_set(struct kp_override_plan *plan, const struct kp_item *item,
    struct kp_override_room *room, size_t num_more)
{
	size_t growth = growth_of(plan);

	if (growth > room->growth_left || !keep(&plan->before, room->arena) ||
	    !keep(&plan->after, room->arena))
		return false;
	if (plan->array == NULL) {
		plan->to->number = plan->number;
		return true;
	}
	if (plan->to == NULL && !add_row(plan, item, room, num_more))
		return false;
	room->growth_left -= growth;
	column(plan, "Value")->text = plan->after;
	if (plan->target->of->how == KP_OBJECT_SET_CHANGE)
		column(plan, "ConfigOperation")->number = KP_CHANGE_SET;
	return true;
}
