/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An item as operators write it becomes one of Kafka's message. The table of
 * objects says how: it is turned into a table of settings, with which the YAML
 * is read, and what was read is filled in along the same rows. What nobody says
 * has Kafka's default, or is not set where that is possible; what has neither
 * must be said.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/yaml_write.h"
#include "rules/govern/cases_priv.h"
#include "rules/govern/view.h"

/* A string of Kafka has a length of 16 bits. */
#define MAX_TEXT_LEN INT16_MAX
#define REFUSED_SIZE 80

/* Where the items of a version are. */
struct shape {
	const struct kp_field *array;  /* of items, or with such in its
					* elements; NULL: the request is it */
	const struct kp_field *fields; /* of an item; NULL: it is a text */
	const struct kp_field *around; /* of an element around such an array */
	bool may_be_all;               /* null means all that there are */
};

/* What is needed on the way down, while settings are made. */
struct maker {
	const struct kp_message *message;
	struct shape shape;
	int16_t version;
	bool has_name_only;  /* nothing else is up to the client */
	const char *refused; /* why a field is not to be said */
	struct kp_arena *arena;
};

static struct kp_setting *settings_of(struct maker *m,
    const struct kp_object_type *type, const struct kp_field *fields);

static const char *
complain_number(const char *text)
{
	if (!kp_yaml_is_json_word(text) || text[0] == 't' || text[0] == 'f' ||
	    !isfinite(strtod(text, NULL)))
		return "must be a number";
	return NULL;
}

static const struct kp_setting_word *
words_of(struct maker *m, const struct kp_object_word *words)
{
	struct kp_setting_word *made;
	size_t num = 0;

	while (words[num].word != NULL)
		num++;
	made = kp_arena_get(m->arena, num + 1, sizeof(*made));
	if (made == NULL)
		return NULL;
	for (size_t i = 0; i <= num; i++)
		made[i] = (struct kp_setting_word){ .word = words[i].word,
			.value = (int)words[i].code };
	return made;
}

static void
set_number(
    struct kp_setting *out, const struct kp_field *from, bool may_be_unsaid)
{
	out->is_required =
	    !from->is_array && !may_be_unsaid && from->default_text == NULL;
	if (from->kind == KP_BOOL) {
		out->type = KP_SETTING_BOOL;
		out->is_required = false;
		return;
	}
	if (from->kind == KP_FLOAT64) {
		out->type = KP_SETTING_STRING;
		out->complaint = complain_number;
		return;
	}
	out->type = KP_SETTING_INT;
	out->max = INT64_MAX >> (64 - 8 * kp_field_len(from));
	out->min = -out->max - 1;
}

static void
set_text(struct kp_setting *out, bool is_required)
{
	out->type = KP_SETTING_STRING;
	out->is_required = is_required;
	out->may_be_empty = true;
	out->max = MAX_TEXT_LEN;
}

static void
set_type(struct maker *m, struct kp_setting *out,
    const struct kp_object_field *field, const struct kp_field *from)
{
	out->is_list = from->is_array;
	switch (field->how) {
	case KP_OBJECT_WORD:
	case KP_OBJECT_UPGRADE:
		out->type = KP_SETTING_ENUM;
		out->words = words_of(m, field->words);
		out->is_required = from->default_text == NULL;
		return;
	case KP_OBJECT_SETTINGS:
		out->type = KP_SETTING_MAP;
		out->is_list = false;
		return;
	case KP_OBJECT_ROWS:
		out->type = KP_SETTING_OBJECT;
		out->fields = settings_of(m, field->rows, from->fields);
		return;
	case KP_OBJECT_PARTITIONS:
	case KP_OBJECT_REPLICATION:
		set_number(out, from, true);
		return;
	case KP_OBJECT_PLAIN:
	case KP_OBJECT_NAME:
	case KP_OBJECT_ARRAY:
	case KP_OBJECT_END:
		break;
	}
	if (kp_field_is_number(from))
		set_number(out, from, false);
	else
		set_text(out,
		    !from->is_array && !kp_field_may_be_null(from, m->version));
}

static struct kp_setting
setting_of(struct maker *m, const struct kp_object_field *field,
    const struct kp_field *fields)
{
	struct kp_setting out = { .name = field->name, .help = field->help };
	const struct kp_field *from;

	if (field->how == KP_OBJECT_ARRAY) {
		out.type = KP_SETTING_ENUM;
		out.words = words_of(m, field->words);
		out.is_required = true;
		return out;
	}
	if (field->is_of_request)
		fields = m->message->fields;
	if (field->is_around)
		fields = m->shape.around;
	if (fields == NULL) {
		set_text(&out, true);
		return out;
	}
	from = &fields[kp_tree_find(fields, field->from)];
	set_type(m, &out, field, from);
	if (!kp_field_in(from, m->version) ||
	    (m->has_name_only && field->how != KP_OBJECT_NAME)) {
		out.refused = m->refused;
		out.is_required = false;
	}
	return out;
}

static struct kp_setting *
settings_of(struct maker *m, const struct kp_object_type *type,
    const struct kp_field *fields)
{
	size_t num = kp_object_num_fields(type);
	struct kp_setting *made =
	    kp_arena_get(m->arena, num + 1, sizeof(*made));

	if (made == NULL)
		return NULL;
	for (size_t i = 0; i < num; i++)
		made[i] = setting_of(m, &type->fields[i], fields);
	made[num] = (struct kp_setting){ .type = KP_SETTING_END };
	return made;
}

#define LAST_ARRAY SIZE_MAX

/* With the array of which it is said that the item is in it, or the last. */
static struct shape
shape_of(const struct kp_object_api *api, const struct kp_message *message,
    int16_t version, size_t which)
{
	struct shape shape = { .fields = message->fields };

	for (size_t i = 0; api->items != NULL && api->items[i] != NULL; i++) {
		const struct kp_field *array =
		    &message
			 ->fields[kp_tree_find(message->fields, api->items[i])];

		if (kp_field_in(array, version) &&
		    (which == LAST_ARRAY || which == i))
			shape.array = array;
	}
	if (shape.array == NULL)
		return shape;
	shape.may_be_all = version >= shape.array->nullable_since;
	shape.fields = shape.array->fields;
	if (api->inner == NULL)
		return shape;
	shape.around = shape.fields;
	shape.fields =
	    shape.around[kp_tree_find(shape.around, api->inner)].fields;
	return shape;
}

/* Need a field not be said, for some items do not have it? */
static bool
may_be_left_out(const struct maker *m, const struct kp_object_api *api,
    const struct kp_object_field *field)
{
	if (field->is_of_request || field->is_around ||
	    field->how == KP_OBJECT_ARRAY)
		return false;
	if (m->shape.may_be_all)
		return true;
	for (size_t i = 0; api->items != NULL && api->items[i] != NULL; i++) {
		struct shape shape = shape_of(api, m->message, m->version, i);

		if (shape.array != NULL && shape.fields != NULL &&
		    !kp_tree_has(shape.fields, field->from))
			return true;
	}
	return false;
}

const struct kp_setting *
kp_case_item_setting(const struct kp_object_api *api, int16_t version,
    const char *name, struct kp_arena *arena)
{
	struct maker m = { .version = version,
		.has_name_only = api->stands_for != 0,
		.arena = arena };
	const struct kp_object_api *judged = kp_object_judged(api, &m.version);
	struct kp_setting *made = kp_arena_get(arena, 1, sizeof(*made));
	struct kp_setting *fields;
	char refused[REFUSED_SIZE];

	(void)snprintf(refused, sizeof(refused), "is not in version %d of %s",
	    version, kp_api_name(api->key));
	m.message = kp_api_find(judged->key)->request;
	m.refused = kp_arena_copy(arena, kp_bytes_of(refused));
	m.shape = shape_of(judged, m.message, m.version, LAST_ARRAY);
	fields = settings_of(&m, judged->type, m.shape.fields);
	if (made == NULL || fields == NULL)
		return NULL;
	for (size_t i = 0; fields[i].type != KP_SETTING_END; i++)
		if (may_be_left_out(&m, judged, &judged->type->fields[i]))
			fields[i].is_required = false;
	*made = (struct kp_setting){
		.name = name, .type = KP_SETTING_OBJECT, .fields = fields
	};
	return arena->failed ? NULL : made;
}

static void fill_object(const struct kp_tree *request,
    const struct kp_object_type *type, const struct kp_value *said,
    const struct kp_field *fields, struct kp_tree_value *out);

static struct kp_bytes
copy_text(const struct kp_tree *request, const char *text)
{
	const char *copy = kp_arena_copy(request->arena, kp_bytes_of(text));

	return copy == NULL ? (struct kp_bytes){ 0 } : kp_bytes_of(copy);
}

static void
fill_scalar(const struct kp_tree *request, const struct kp_value *said,
    const struct kp_field *from, struct kp_tree_value *out)
{
	double real;

	if (!kp_field_is_number(from)) {
		out->text = copy_text(request, said->text);
		return;
	}
	out->number = said->number;
	if (from->kind != KP_FLOAT64)
		return;
	real = strtod(said->text, NULL);
	kp_copy(&out->number, &real, sizeof(real));
}

/* What nobody says; what is not mentioned here keeps Kafka's default. */
static void
fill_unsaid(const struct kp_tree *request, const struct kp_object_field *field,
    const struct kp_field *from, struct kp_tree_value *out)
{
	if (field->how == KP_OBJECT_PARTITIONS ||
	    field->how == KP_OBJECT_REPLICATION)
		out->number = -1; /* as clients leave it to the cluster */
	else if (!from->is_array &&
		 kp_field_may_be_null(from, request->version))
		out->text = (struct kp_bytes){ 0 };
}

static void
fill_setting(const struct kp_tree *request, const struct kp_value *said,
    size_t index, const struct kp_field *fields, struct kp_tree_value *out)
{
	if (!kp_tree_fill(request, fields, out))
		return;
	kp_tree_get(out, fields, "Name")->text =
	    copy_text(request, said->keys[index]);
	kp_tree_get(out, fields, "Value")->text =
	    copy_text(request, said->items[index]->text);
}

static void
fill_items(const struct kp_tree *request, const struct kp_object_field *field,
    const struct kp_value *said, const struct kp_field *from,
    struct kp_tree_value *out)
{
	if (kp_tree_reserve(request, out, said->num_items) == NULL)
		return;
	for (size_t i = 0; i < said->num_items; i++) {
		struct kp_tree_value *item = &out->items[i];

		if (field->how == KP_OBJECT_SETTINGS)
			fill_setting(request, said, i, from->fields, item);
		else if (field->how != KP_OBJECT_ROWS)
			fill_scalar(request, said->items[i], from, item);
		else if (kp_tree_fill(request, from->fields, item))
			fill_object(request, field->rows, said->items[i],
			    from->fields, item);
	}
}

static void
fill_field(const struct kp_tree *request, const struct kp_object_field *field,
    const struct kp_value *said, const struct kp_field *fields,
    const struct kp_tree_value *out)
{
	size_t index = kp_tree_find(fields, field->from);
	struct kp_tree_value *value = &out->items[index];

	if (said == NULL)
		fill_unsaid(request, field, &fields[index], value);
	else if (fields[index].is_array)
		fill_items(request, field, said, &fields[index], value);
	else
		fill_scalar(request, said, &fields[index], value);
}

/* Fields of the request or of what is around it are filled elsewhere; others
 * that are not there were not said. */
static void
fill_object(const struct kp_tree *request, const struct kp_object_type *type,
    const struct kp_value *said, const struct kp_field *fields,
    struct kp_tree_value *out)
{
	for (size_t i = 0; i < said->num_items; i++) {
		const struct kp_object_field *field = &type->fields[i];

		if (!field->is_of_request && !field->is_around &&
		    kp_tree_has(fields, field->from))
			fill_field(request, field, said->items[i], fields, out);
	}
}

/* around NULL: there is nothing around it. */
static void
fill_outside(const struct kp_tree *request, const struct kp_object_type *type,
    const struct kp_value *said, const struct kp_field *fields,
    const struct kp_tree_value *around)
{
	for (size_t i = 0; i < said->num_items; i++) {
		const struct kp_object_field *field = &type->fields[i];

		if (field->is_of_request)
			fill_field(request, field, said->items[i],
			    request->message->fields, &request->root);
		else if (field->is_around && around != NULL)
			fill_field(
			    request, field, said->items[i], fields, around);
	}
}

/* Does it name nothing of which there are several? */
static bool
is_of_all(const struct kp_object_api *api, const struct kp_value *said)
{
	for (size_t i = 0; i < said->num_items; i++)
		if (said->items[i] != NULL &&
		    !api->type->fields[i].is_of_request)
			return false;
	return true;
}

/* The one element of an array; NULL: no memory. */
static struct kp_tree_value *
add_one(const struct kp_tree *request, struct kp_tree_value *array,
    const struct kp_field *fields)
{
	struct kp_tree_value *one = kp_tree_reserve(request, array, 1);

	if (one == NULL ||
	    (fields != NULL && !kp_tree_fill(request, fields, one)))
		return NULL;
	return one;
}

/* The item, and what is around it; NULL: no memory. */
static struct kp_tree_value *
add_item(struct kp_tree *request, const struct kp_object_api *api,
    const struct shape *shape, struct kp_tree_value **around)
{
	const struct kp_field *fields = request->message->fields;
	struct kp_tree_value *array;

	if (shape->array == NULL)
		return &request->root;
	array = &request->root.items[shape->array - fields];
	if (shape->around != NULL) {
		*around = add_one(request, array, shape->around);
		if (*around == NULL)
			return NULL;
		array = kp_tree_get(*around, shape->around, api->inner);
	}
	return add_one(request, array, shape->fields);
}

/* Which array an item says that it is in; LAST_ARRAY: there is but one. */
static size_t
array_of(const struct kp_object_api *api, const struct kp_value *said)
{
	for (size_t i = 0; i < said->num_items; i++)
		if (api->type->fields[i].how == KP_OBJECT_ARRAY)
			return (size_t)said->items[i]->number;
	return LAST_ARRAY;
}

void
kp_case_item_fill(struct kp_tree *request, const struct kp_object_api *api,
    const struct kp_value *said)
{
	struct shape shape = shape_of(
	    api, request->message, request->version, array_of(api, said));
	bool is_all = shape.may_be_all && is_of_all(api, said);
	struct kp_tree_value *around = NULL, *item = NULL;

	if (is_all)
		kp_tree_get(
		    &request->root, request->message->fields, shape.array->name)
		    ->is_null = true;
	else
		item = add_item(request, api, &shape, &around);
	if (item == NULL && !is_all)
		return;
	if (item != NULL && shape.fields == NULL)
		item->text = copy_text(request, said->items[0]->text);
	else if (item != NULL)
		fill_object(request, api->type, said, shape.fields, item);
	fill_outside(request, api->type, said, shape.around, around);
}

const struct kp_value *
kp_case_item_counted(
    const struct kp_object_api *api, const struct kp_value *said)
{
	const struct kp_object_field *fields = api->type->fields;
	const struct kp_value *counted = NULL;
	bool has_assignments = false;

	for (size_t i = 0; i < said->num_items; i++) {
		const struct kp_value *one = said->items[i];

		if (one == NULL)
			continue;
		if (fields[i].how == KP_OBJECT_PARTITIONS ||
		    fields[i].how == KP_OBJECT_REPLICATION)
			counted = one;
		if (strcmp(fields[i].from, "Assignments") == 0)
			has_assignments = one->num_items > 0;
	}
	return has_assignments ? counted : NULL;
}

const struct kp_value *
kp_case_item_stray(const struct kp_object_api *api, int16_t version,
    const struct kp_value *said)
{
	size_t which = array_of(api, said);
	struct shape shape =
	    shape_of(api, kp_api_find(api->key)->request, version, which);

	for (size_t i = 0; which != LAST_ARRAY && i < said->num_items; i++) {
		const struct kp_object_field *field = &api->type->fields[i];

		if (said->items[i] != NULL && field->how != KP_OBJECT_ARRAY &&
		    !kp_tree_has(shape.fields, field->from))
			return said->items[i];
	}
	return NULL;
}
