/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/govern/view.h"

#include <string.h>

#include "base/utf8.h"

#define NO_MEMORY "the request takes more memory than a policy may use"

/* What a field was shown as; once, however often policies ask. */
struct shown {
	struct kp_cel_value value;
	enum kp_cel_presence presence;
	bool is_known;
};

/* A struct of the request with the type as which it is shown. */
struct view {
	struct kp_cel_object object; /* whose host this is */
	const struct kp_object_type *type;
	const struct kp_tree_value *value;
	const struct kp_field *fields;
	const struct kp_item *item;
	struct shown *shown; /* one for each field of type */
};

/* Elements of an array as a list. */
struct list_view {
	struct kp_cel_list list;
	const struct kp_tree_value *array;
	const struct kp_field *field;      /* that holds the array */
	const struct kp_object_type *rows; /* NULL: not structs */
	const struct kp_item *item;
	struct kp_cel_value *shown; /* of rows; ERROR: not yet */
};

/* Rows of Name and Value as a map. */
struct map_view {
	struct kp_cel_map map;
	const struct kp_tree_value *array;
	const struct kp_field *fields; /* of a row */
};

static struct kp_cel_value show(const struct kp_item *item,
    const struct kp_object_type *type, const struct kp_tree_value *value,
    const struct kp_field *fields);

static void *
get_zeroed(const struct kp_item *item, size_t count, size_t size)
{
	void *memory = kp_arena_get(item->arena, count, size);

	if (memory != NULL)
		memset(memory, 0, count * size);
	return memory;
}

static struct kp_cel_value
text_of(struct kp_bytes text)
{
	if (!kp_utf8_is_valid(text))
		return kp_cel_error("a text of the request is not UTF-8");
	return kp_cel_string(text);
}

static struct kp_cel_value
number_of(const struct kp_field *field, int64_t number)
{
	double real;

	if (field->kind == KP_BOOL)
		return kp_cel_bool(number != 0);
	if (field->kind != KP_FLOAT64)
		return kp_cel_int(number);
	_Static_assert(sizeof(real) == sizeof(number), "bits of a double");
	kp_copy(&real, &number, sizeof(real));
	return kp_cel_double(real);
}

static struct kp_cel_value
element_at(const struct kp_cel_list *list, size_t index)
{
	const struct list_view *view = list->host;
	const struct kp_tree_value *element = &view->array->items[index];

	if (view->rows != NULL) {
		struct kp_cel_value *shown = &view->shown[index];

		if (shown->type == KP_CEL_ERROR)
			*shown = show(view->item, view->rows, element,
			    view->field->fields);
		return *shown;
	}
	if (kp_field_is_number(view->field))
		return number_of(view->field, element->number);
	return text_of(element->text);
}

static struct kp_cel_value
list_of(const struct kp_item *item, const struct kp_tree_value *array,
    const struct kp_field *field, const struct kp_object_type *rows)
{
	struct list_view *view = kp_arena_get(item->arena, 1, sizeof(*view));

	struct kp_cel_value *shown = NULL;

	if (rows != NULL && array->num > 0)
		shown = get_zeroed(item, array->num, sizeof(*shown));
	if (view == NULL || item->arena->failed)
		return kp_cel_error(NO_MEMORY);
	*view = (struct list_view){
		.list = { .num = array->num, .at = element_at, .host = view },
		.array = array,
		.field = field,
		.rows = rows,
		.item = item,
		.shown = shown,
	};
	return kp_cel_list(&view->list);
}

static const struct kp_tree_value *
column(const struct map_view *view, size_t row, const char *name)
{
	return kp_tree_get(&view->array->items[row], view->fields, name);
}

/*
 * Which of two rows with one name counts is up to the broker, so neither may
 * be what a policy saw.
 */
static bool
find_setting(
    const struct kp_cel_map *map, struct kp_bytes key, struct kp_cel_value *out)
{
	const struct map_view *view = map->host;
	bool is_found = false;

	for (size_t i = 0; i < map->num; i++) {
		struct kp_bytes name = column(view, i, "Name")->text;

		if (!kp_bytes_equal(name, key))
			continue;
		if (is_found) {
			*out = kp_cel_error("a setting is there twice");
			return true;
		}
		*out = text_of(column(view, i, "Value")->text);
		is_found = true;
	}
	return is_found;
}

static struct kp_cel_entry
setting_at(const struct kp_cel_map *map, size_t index)
{
	const struct map_view *view = map->host;

	return (struct kp_cel_entry){
		.key = text_of(column(view, index, "Name")->text),
		.value = text_of(column(view, index, "Value")->text),
	};
}

static struct kp_cel_value
map_of(const struct kp_item *item, const struct kp_tree_value *array,
    const struct kp_field *field)
{
	struct map_view *view = kp_arena_get(item->arena, 1, sizeof(*view));

	if (view == NULL)
		return kp_cel_error(NO_MEMORY);
	*view = (struct map_view){
		.map = { .num = array->num,
		    .find = find_setting,
		    .at = setting_at,
		    .host = view },
		.array = array,
		.fields = field->fields,
	};
	return kp_cel_map(&view->map);
}

static struct kp_cel_value
word_of(const struct kp_object_word *words, int64_t code)
{
	for (; words->word != NULL; words++)
		if (words->code == code)
			return kp_cel_string(kp_bytes_of(words->word));
	return kp_cel_error("a code of the request has no word");
}

static const struct kp_tree_value *
assignments_of(const struct view *view)
{
	return kp_tree_get(view->value, view->fields, "Assignments");
}

/* Kafka lets a client either say numbers or assign replicas, never both. */
static struct kp_cel_value
partitions_of(const struct view *view, int64_t number)
{
	const struct kp_tree_value *assignments = assignments_of(view);

	return kp_cel_int(assignments->num > 0 ? assignments->num : number);
}

static struct kp_cel_value
replication_of(const struct view *view, int64_t number)
{
	const struct kp_tree_value *assignments = assignments_of(view);
	const struct kp_field *fields =
	    view->fields[kp_tree_find(view->fields, "Assignments")].fields;

	for (uint32_t i = 0; i < assignments->num; i++) {
		int64_t replicas =
		    kp_tree_get(&assignments->items[i], fields, "BrokerIds")
			->num;

		if (i == 0 || replicas < number)
			number = replicas;
	}
	return kp_cel_int(number);
}

/* What a version does not have is not known, whatever its default. */
static struct kp_bytes
text_in(const struct kp_item *item, const struct kp_field *field,
    const struct kp_tree_value *value)
{
	if (!kp_field_in(field, item->request->version))
		return (struct kp_bytes){ 0 };
	return value->text;
}

/* The first version says no more than whether a downgrade is allowed. */
static struct kp_cel_value
upgrade_of(
    const struct view *view, const struct kp_object_word *words, int64_t code)
{
	bool is_allowed =
	    kp_tree_get(view->value, view->fields, "AllowDowngrade")->number !=
	    0;

	return word_of(words, is_allowed ? KP_SAFE_DOWNGRADE : code);
}

/* What a field that must be there, or may be left out, has as a text. */
static enum kp_cel_presence
show_text(const struct kp_object_field *field, struct kp_bytes text,
    struct kp_cel_value *out)
{
	*out = text_of(text);
	if (text.data != NULL)
		return KP_CEL_SET;
	if (field->how == KP_OBJECT_NAME)
		*out = kp_cel_error("the request does not say the name");
	return field->how == KP_OBJECT_NAME ? KP_CEL_SET : KP_CEL_UNSET;
}

/* A struct that is not there has no values. */
static const struct kp_tree_value *
value_at(const struct kp_tree_value *of, size_t index)
{
	static const struct kp_tree_value null = { .is_null = true };

	return of == NULL ? &null : &of->items[index];
}

/* Where a field comes from: the fields of a struct, and the struct. */
static const struct kp_field *
fields_of(const struct view *view, const struct kp_object_field *field,
    const struct kp_tree_value **out)
{
	const struct kp_tree *request = view->item->request;

	*out = view->value;
	if (field->is_of_request) {
		*out = &request->root;
		return request->message->fields;
	}
	if (!field->is_around)
		return view->fields;
	*out = view->item->part->around;
	return view->item->part->around_fields;
}

static enum kp_cel_presence
show_field(const struct view *view, const struct kp_object_field *field,
    struct kp_cel_value *out)
{
	const struct kp_tree_value *of;
	const struct kp_field *fields = fields_of(view, field, &of);
	const struct kp_tree_value *value;
	size_t index;

	if (field->how == KP_OBJECT_ARRAY) {
		*out = word_of(field->words, (int64_t)view->item->part->which);
		return KP_CEL_SET;
	}
	/* numbers only: a test sees to it */
	*out = kp_cel_int(0);
	if (!kp_tree_has(fields, field->from))
		return KP_CEL_UNSET;
	index = kp_tree_find(fields, field->from);
	value = value_at(of, index);

	switch (field->how) {
	case KP_OBJECT_WORD:
		*out = word_of(field->words, value->number);
		return KP_CEL_SET;
	case KP_OBJECT_UPGRADE:
		*out = upgrade_of(view, field->words, value->number);
		return KP_CEL_SET;
	case KP_OBJECT_SETTINGS:
		*out = map_of(view->item, value, &fields[index]);
		return KP_CEL_SET;
	case KP_OBJECT_PARTITIONS:
		*out = partitions_of(view, value->number);
		return KP_CEL_SET;
	case KP_OBJECT_REPLICATION:
		*out = replication_of(view, value->number);
		return KP_CEL_SET;
	case KP_OBJECT_ROWS:
	case KP_OBJECT_PLAIN:
	case KP_OBJECT_NAME:
	case KP_OBJECT_ARRAY:
	case KP_OBJECT_END:
		break;
	}
	if (fields[index].is_array) {
		*out = list_of(view->item, value, &fields[index], field->rows);
		return value->is_null ? KP_CEL_UNSET : KP_CEL_SET;
	}
	if (!kp_field_is_number(&fields[index]))
		return show_text(
		    field, text_in(view->item, &fields[index], value), out);
	*out = number_of(&fields[index], value->number);
	return KP_CEL_SET;
}

static void
fill_shown(const struct view *view, const struct kp_object_field *field,
    struct shown *out)
{
	out->is_known = true;
	out->presence = view->fields == NULL
			    ? show_text(field, view->value->text, &out->value)
			    : show_field(view, field, &out->value);
}

static enum kp_cel_presence
field_of(const struct kp_cel_object *object, struct kp_bytes name,
    struct kp_cel_value *out)
{
	const struct view *view = object->host;
	const struct kp_object_field *field = view->type->fields;

	for (; field->how != KP_OBJECT_END; field++) {
		struct shown *shown = &view->shown[field - view->type->fields];

		if (!kp_bytes_equal(name, kp_bytes_of(field->name)))
			continue;
		if (!shown->is_known)
			fill_shown(view, field, shown);
		*out = shown->value;
		return shown->presence;
	}
	return KP_CEL_NO_FIELD;
}

static struct kp_cel_value
show(const struct kp_item *item, const struct kp_object_type *type,
    const struct kp_tree_value *value, const struct kp_field *fields)
{
	struct view *view = kp_arena_get(item->arena, 1, sizeof(*view));
	struct shown *shown =
	    get_zeroed(item, kp_object_num_fields(type), sizeof(*shown));

	if (view == NULL || shown == NULL)
		return kp_cel_error(NO_MEMORY);
	*view = (struct view){
		.object = { .type_name = type->name,
		    .field = field_of,
		    .host = view },
		.type = type,
		.value = value,
		.fields = fields,
		.item = item,
		.shown = shown,
	};
	return kp_cel_object(&view->object);
}

struct kp_cel_value
kp_item_object(const struct kp_item *item)
{
	return show(item, item->api->type, item->value, item->fields);
}

static void
add_part(struct kp_items *out, struct kp_tree_value *array,
    const struct kp_field *field)
{
	out->parts[out->num_parts++] = (struct kp_items_part){
		.array = array, .fields = field->fields, .first = out->num
	};
	out->num += array->is_null ? 1 : array->num;
}

/* Arrays in the elements of outer. */
static void
add_inner_parts(struct kp_items *out, const struct kp_tree_value *outer,
    const struct kp_field *field, const char *inner)
{
	size_t index = kp_tree_find(field->fields, inner);

	for (uint32_t i = 0; i < outer->num; i++) {
		struct kp_items_part *part = &out->parts[out->num_parts];

		add_part(
		    out, &outer->items[i].items[index], &field->fields[index]);
		part->around = &outer->items[i];
		part->around_fields = field->fields;
	}
}

/* The field of an array that the version has; NULL: it has not. */
static const struct kp_field *
array_field(const struct kp_tree *request, const char *name)
{
	const struct kp_field *fields = request->message->fields;
	const struct kp_field *field = &fields[kp_tree_find(fields, name)];

	return kp_field_in(field, request->version) ? field : NULL;
}

static size_t
max_parts(const struct kp_object_api *api, const struct kp_tree *request)
{
	size_t max = 0;

	for (size_t i = 0; api->items[i] != NULL; i++)
		max += api->inner == NULL
			   ? 1
			   : kp_tree_get(&request->root,
				 request->message->fields, api->items[i])
				 ->num;
	return max;
}

bool
kp_items_of(struct kp_items *out, const struct kp_object_api *api,
    const struct kp_tree *request)
{
	*out = (struct kp_items){ .num = api->items == NULL ? 1 : 0 };
	if (api->items == NULL)
		return true;
	out->parts = kp_arena_get(
	    request->arena, max_parts(api, request), sizeof(*out->parts));
	if (out->parts == NULL)
		return false;
	for (size_t i = 0; api->items[i] != NULL; i++) {
		const struct kp_field *field =
		    array_field(request, api->items[i]);
		size_t begin = out->num_parts;
		struct kp_tree_value *array;

		if (field == NULL)
			continue;
		array = &request->root.items[field - request->message->fields];
		if (api->inner == NULL)
			add_part(out, array, field);
		else
			add_inner_parts(out, array, field, api->inner);
		for (size_t k = begin; k < out->num_parts; k++)
			out->parts[k].which = i;
	}
	return true;
}

/* The last that begins at index or before it, since some are empty. */
static const struct kp_items_part *
part_of(const struct kp_items *items, uint32_t index)
{
	size_t low = 0, high = items->num_parts;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (items->parts[middle].first <= index)
			low = middle;
		else
			high = middle;
	}
	return &items->parts[low];
}

struct kp_item
kp_items_at(const struct kp_items *items, const struct kp_object_api *api,
    const struct kp_tree *request, uint32_t index, struct kp_arena *arena)
{
	struct kp_item item = {
		.api = api,
		.request = request,
		.value = &request->root,
		.fields = request->message->fields,
		.arena = arena,
	};

	if (items->num_parts == 0)
		return item;
	item.part = part_of(items, index);
	item.fields = item.part->fields;
	item.value = item.part->array->is_null
			 ? NULL
			 : &item.part->array->items[index - item.part->first];
	return item;
}

static struct kp_bytes
named(const struct kp_item *item, const char *field)
{
	size_t index;

	if (item->value == NULL)
		return (struct kp_bytes){ 0 };
	if (item->fields == NULL)
		return item->value->text;
	index = kp_tree_find(item->fields, field);
	return text_in(item, &item->fields[index], &item->value->items[index]);
}

/* Settings of brokers and groups name no topic. */
static bool
is_of_topic(const struct kp_item *item)
{
	if (item->api->topic == NULL)
		return false;
	return item->fields == NULL ||
	       strcmp(item->api->topic, "ResourceName") != 0 ||
	       kp_tree_get(item->value, item->fields, "ResourceType")->number ==
		   KP_RESOURCE_TYPE_TOPIC;
}

bool
kp_item_topic(const struct kp_item *item, struct kp_bytes *out)
{
	*out = (struct kp_bytes){ 0 };
	if (!is_of_topic(item))
		return true;
	*out = named(item, item->api->topic);
	return out->data != NULL;
}

struct kp_bytes
kp_item_name(const struct kp_item *item)
{
	const struct kp_object_field *field = item->api->type->fields;

	for (; field->how != KP_OBJECT_END; field++)
		if (field->how == KP_OBJECT_NAME)
			return named(item, field->from);
	if (item->api->topic != NULL)
		return named(item, item->api->topic);
	return (struct kp_bytes){ 0 };
}
