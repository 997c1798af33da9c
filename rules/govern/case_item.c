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

/* What is needed on the way down, while settings are made. */
struct maker {
	const struct kp_message *message;
	int16_t version;
	const char *refused; /* why a field is not to be said */
	struct kp_arena *arena;
};

static const struct kp_setting *settings_of(struct maker *m,
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

	if (field->is_of_request)
		fields = m->message->fields;
	if (fields == NULL) {
		set_text(&out, true);
		return out;
	}
	from = &fields[kp_tree_find(fields, field->from)];
	set_type(m, &out, field, from);
	if (!kp_field_in(from, m->version)) {
		out.refused = m->refused;
		out.is_required = false;
	}
	return out;
}

static const struct kp_setting *
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

/* The fields of an item of that version; NULL: it is a text. */
static const struct kp_field *
item_fields(const struct kp_object_api *api, const struct kp_message *message,
    int16_t version)
{
	for (size_t i = 0; api->items != NULL && api->items[i] != NULL; i++) {
		const struct kp_field *array =
		    &message
			 ->fields[kp_tree_find(message->fields, api->items[i])];

		if (kp_field_in(array, version))
			return array->fields;
	}
	return message->fields;
}

const struct kp_setting *
kp_case_item_setting(const struct kp_object_api *api, int16_t version,
    const char *name, struct kp_arena *arena)
{
	struct maker m = { .message = kp_api_find(api->key)->request,
		.version = version,
		.arena = arena };
	struct kp_setting *made = kp_arena_get(arena, 1, sizeof(*made));
	char refused[REFUSED_SIZE];

	(void)snprintf(refused, sizeof(refused), "is not in version %d of %s",
	    version, kp_api_name(api->key));
	m.refused = kp_arena_copy(arena, kp_bytes_of(refused));
	if (made == NULL)
		return NULL;
	*made = (struct kp_setting){ .name = name,
		.type = KP_SETTING_OBJECT,
		.fields = settings_of(
		    &m, api->type, item_fields(api, m.message, version)) };
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
fill_object(const struct kp_tree *request, const struct kp_object_type *type,
    const struct kp_value *said, const struct kp_field *fields,
    struct kp_tree_value *out)
{
	for (size_t i = 0; i < said->num_items; i++) {
		const struct kp_object_field *field = &type->fields[i];
		const struct kp_field *of =
		    field->is_of_request ? request->message->fields : fields;
		size_t index = kp_tree_find(of, field->from);
		struct kp_tree_value *value =
		    &(field->is_of_request ? &request->root : out)
			 ->items[index];

		if (said->items[i] == NULL)
			fill_unsaid(request, field, &of[index], value);
		else if (of[index].is_array)
			fill_items(
			    request, field, said->items[i], &of[index], value);
		else
			fill_scalar(request, said->items[i], &of[index], value);
	}
}

void
kp_case_item_fill(struct kp_tree *request, const struct kp_object_api *api,
    const struct kp_value *said)
{
	struct kp_tree_value *item = &request->root;
	struct kp_items items;

	kp_items_of(&items, api, request);
	if (items.array != NULL)
		item = kp_tree_reserve(request, items.array, 1);
	if (item == NULL)
		return;
	if (items.fields == NULL)
		item->text = copy_text(request, said->items[0]->text);
	else if (items.array == NULL ||
		 kp_tree_fill(request, items.fields, item))
		fill_object(request, api->type, said, items.fields, item);
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
