/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of objects against Kafka's tables, and against kind Policy. */
#include "rules/govern/objects.h"

#include <criterion/criterion.h>
#include <string.h>

#include "rules/kinds/kinds.h"

static const struct kp_field *
find(const struct kp_field *fields, const char *name)
{
	while (fields->kind != KP_END && strcmp(fields->name, name) != 0)
		fields++;
	return fields->kind == KP_END ? NULL : fields;
}

static const char *
type_of(const struct kp_field *field)
{
	if (field->kind == KP_STRING)
		return field->is_array ? "list(string)" : "string";
	if (field->kind == KP_BOOL)
		return "bool";
	if (field->kind == KP_FLOAT64)
		return "double";
	return field->is_array ? "list(int)" : "int";
}

/* Where fields of an object come from. */
struct scope {
	const struct kp_field *request, *around; /* around NULL: none */
	const struct kp_field *widest; /* of the item with the most fields */
};

static void check_type(const struct kp_object_type *type,
    const struct kp_field *fields, const struct scope *scope);

static void
check_field(const struct kp_object_field *field, const struct kp_field *fields,
    const struct scope *scope)
{
	const struct kp_field *from;

	if (field->is_of_request)
		fields = scope->request;
	if (field->is_around)
		fields = scope->around;
	if (field->how == KP_OBJECT_ARRAY) {
		cr_assert_not_null(field->words);
		return;
	}
	from = find(fields, field->from);
	if (from == NULL && scope->widest != NULL) {
		from = find(scope->widest, field->from);
		cr_assert_str_eq(field->type, "int");
	}
	cr_assert_not_null(from, "%s from %s", field->name, field->from);
	cr_assert_not_null(field->help);
	cr_assert_neq(from->entity, KP_E_SECRET, "%s", field->name);
	switch (field->how) {
	case KP_OBJECT_ROWS:
		cr_expect(from->is_array && from->kind == KP_STRUCT);
		check_type(field->rows, from->fields, scope);
		return;
	case KP_OBJECT_SETTINGS:
		cr_assert_str_eq(field->type, "map(string, string)");
		cr_assert_not_null(find(from->fields, "Name"));
		cr_assert_not_null(find(from->fields, "Value"));
		return;
	case KP_OBJECT_UPGRADE:
		cr_assert_not_null(find(fields, "AllowDowngrade"));
		cr_assert_str_eq(field->type, "string");
		return;
	case KP_OBJECT_WORD:
		cr_assert_str_eq(field->type, "string");
		cr_assert_eq(from->kind, KP_INT8);
		return;
	case KP_OBJECT_PARTITIONS:
	case KP_OBJECT_REPLICATION:
		cr_assert_not_null(find(fields, "Assignments"));
		cr_assert_str_eq(field->type, "int");
		return;
	case KP_OBJECT_PLAIN:
	case KP_OBJECT_NAME:
	case KP_OBJECT_ARRAY:
	case KP_OBJECT_END:
		cr_assert_str_eq(field->type, type_of(from));
	}
}

static void
check_type(const struct kp_object_type *type, const struct kp_field *fields,
    const struct scope *scope)
{
	size_t i = 0;

	while (kp_object_types[i] != NULL && kp_object_types[i] != type)
		i++;
	cr_assert_not_null(kp_object_types[i], "%s is in no list", type->name);
	for (const struct kp_object_field *f = type->fields;
	     f->how != KP_OBJECT_END; f++)
		check_field(f, fields, scope);
}

static const struct kp_field *
items_at(const struct kp_object_api *api, struct scope *scope, size_t index)
{
	const struct kp_field *items = find(scope->request, api->items[index]);

	cr_assert_not_null(items);
	if (api->inner != NULL) {
		scope->around = items->fields;
		items = find(items->fields, api->inner);
		cr_assert_not_null(items);
	}
	cr_assert(items->is_array);
	return items;
}

static void
check_items(const struct kp_object_api *api, struct scope *scope)
{
	size_t num = 0;

	while (api->items[num] != NULL)
		num++;
	scope->widest = items_at(api, scope, num - 1)->fields;
	for (size_t i = 0; i < num; i++) {
		const struct kp_field *items = items_at(api, scope, i);

		if (items->kind == KP_STRUCT)
			check_type(api->type, items->fields, scope);
	}
}

static void
check_answer(const struct kp_object_api *api, const struct kp_field *fields)
{
	const struct kp_object_answer *answer = &api->answer;

	if (answer->rows != NULL)
		fields = find(fields, answer->rows)->fields;
	for (size_t i = 0; answer->copies != NULL && answer->copies[i] != NULL;
	     i++)
		cr_assert_not_null(find(fields, answer->copies[i]));
	if (answer->item != NULL)
		cr_assert_not_null(find(fields, answer->item));
	if (answer->nested != NULL)
		fields = find(fields, answer->nested)->fields;
	if (answer->error == NULL)
		cr_assert_not_null(
		    find(fields, "ErrorCode"), "%s", kp_api_name(api->key));
	else
		cr_assert_not_null(find(fields, answer->error));
}

Test(objects, are_what_kafka_says)
{
	for (size_t i = 0; i < kp_num_object_apis; i++) {
		const struct kp_object_api *api = &kp_object_apis[i];
		const struct kp_api *kafka = kp_api_find(api->key);
		const struct kp_field *fields = kafka->request->fields;
		struct scope scope = { .request = fields };
		int16_t version = -1;

		if (api->stands_for != 0) {
			cr_assert_eq(
			    kp_object_judged(api, &version)->type, api->type);
			cr_assert(kp_api_has(api->stands_for, version));
			continue;
		}
		if (api->items == NULL)
			check_type(api->type, fields, &scope);
		else
			check_items(api, &scope);
		check_answer(api, kafka->response->fields);
	}
}

/* How many arrays of items an object tells apart. */
static unsigned
num_told_apart(const struct kp_object_type *type)
{
	unsigned num = 0;

	for (const struct kp_object_field *f = type->fields;
	     f->how != KP_OBJECT_END; f++)
		while (f->how == KP_OBJECT_ARRAY && f->words[num].word != NULL)
			num++;
	return num == 0 ? 1 : num;
}

static const struct kp_object_field *
object_field(const struct kp_object_type *type, const char *name)
{
	const struct kp_object_field *f = type->fields;

	while (f->how != KP_OBJECT_END && strcmp(f->name, name) != 0)
		f++;
	return f;
}

/* Every version has it, so that what is set is what the broker gets. */
static void
check_override(
    const struct kp_object_api *api, const struct kp_object_override *one)
{
	const struct kp_message *of = kp_api_find(api->key)->request;
	const struct kp_object_field *f = object_field(api->type, one->field);
	const struct kp_field *array = find(of->fields, api->items[0]);
	const struct kp_field *from = find(array->fields, f->from);
	bool is_number = one->how == KP_OBJECT_SET_NUMBER;

	cr_assert(!f->is_of_request && !f->is_around, "%s", one->field);
	for (int16_t v = of->min_version; v <= of->max_version; v++)
		cr_assert(kp_field_in(array, v) && kp_field_in(from, v));
	cr_assert_eq(strcmp(f->type, "int") == 0, is_number);
	cr_assert_eq(kp_field_is_number(from) && !from->is_array, is_number);
	if (is_number)
		return;
	cr_assert_eq(find(from->fields, "Name")->kind, KP_STRING);
	cr_assert_eq(find(from->fields, "Value")->kind, KP_STRING);
	cr_assert_eq(find(from->fields, "ConfigOperation") != NULL,
	    one->how == KP_OBJECT_SET_CHANGE);
}

/* What could not be set is refused by itself. */
Test(objects, what_can_be_set_is_in_every_version)
{
	size_t num = 0;

	for (size_t i = 0; i < kp_num_object_apis; i++) {
		const struct kp_object_api *api = &kp_object_apis[i];
		const struct kp_object_override *one = api->overrides;

		for (; one != NULL && one->how != KP_OBJECT_SET_END; one++) {
			check_override(api, one);
			num++;
		}
		if (api->overrides == NULL)
			continue;
		cr_assert_eq(api->stands_for, 0);
		cr_assert(api->items[1] == NULL && api->inner == NULL);
		for (int16_t v = 0; v <= kp_object_max_version(api); v++)
			cr_assert_not_null(kp_object_rows(api, v));
	}
	cr_assert_eq(num, 6);
}

/* Every version of a request has an array of items, or each that is said. */
Test(objects, no_version_is_without_items)
{
	for (size_t i = 0; i < kp_num_object_apis; i++) {
		const struct kp_object_api *api = &kp_object_apis[i];
		const struct kp_message *of = kp_api_find(api->key)->request;

		for (int16_t v = of->min_version;
		     api->items != NULL && v <= kp_object_max_version(api);
		     v++) {
			unsigned num = 0;

			for (size_t k = 0; api->items[k] != NULL; k++)
				num += kp_field_in(
				    find(of->fields, api->items[k]), v);
			cr_assert_eq(num, num_told_apart(api->type), "%s v%d",
			    kp_api_name(api->key), v);
		}
	}
}

Test(objects, what_stands_for_nothing_else_is_judged_as_itself)
{
	const struct kp_object_api *api = kp_object_api_find(KP_CREATE_TOPICS);
	int16_t version = 3;

	cr_assert_eq(kp_object_judged(api, &version), api);
	cr_assert_eq(version, 3);
	cr_assert_eq(
	    kp_object_judged(kp_object_api_find(KP_METADATA), &version), api);
	cr_assert_gt(version, 3);
}

/* No table of a type is used for another shape than the one it is for. */
Test(objects, policies_can_name_each_of_them)
{
	const struct kp_setting *spec =
	    kp_setting_find(kp_kind_policy.document.fields, "spec", 4);
	const struct kp_setting *match =
	    kp_setting_find(spec->fields, "match", 5);
	const struct kp_setting *apis =
	    kp_setting_find(match->fields, "apis", 4);
	size_t num = 0;

	for (; apis->words[num].word != NULL; num++) {
		int16_t key = (int16_t)apis->words[num].value;

		cr_assert_not_null(kp_object_api_find(key));
		cr_assert_str_eq(apis->words[num].word, kp_api_name(key));
	}
	cr_assert_eq(num, kp_num_object_apis);
}
