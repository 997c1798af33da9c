/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/yaml_tree.h"
#include "base/yaml_write.h"

/* Host, brackets, colon and port. */
#define HOST_PORT_SIZE 272

static struct kp_yaml *
print_host_port(const struct kp_value *value)
{
	bool is_v6 = strchr(value->text, ':') != NULL;
	char text[HOST_PORT_SIZE];

	(void)snprintf(text, sizeof(text), is_v6 ? "[%s]:%u" : "%s:%u",
	    value->text, (unsigned)value->number);
	return kp_yaml_new_text(text);
}

static struct kp_yaml *
print_quantity(const struct kp_value *value)
{
	char text[KP_QUANTITY_SIZE];

	if (value->setting->type == KP_SETTING_SIZE)
		kp_format_size(text, (uint64_t)value->number);
	else
		kp_format_duration(text, value->number);
	return kp_yaml_new_text(text);
}

static struct kp_yaml *
print_secret(const struct kp_value *value)
{
	struct kp_yaml *map = kp_yaml_new_map();

	if (value->source == KP_SECRET_FILE)
		kp_yaml_put(map, "file", kp_yaml_new_text(value->said));
	else
		kp_yaml_put(map, "env", kp_yaml_new_text(value->text));
	return map;
}

/* One pair of a map on its way into order. */
struct pair {
	const char *key;
	const char *text;
};

static int
compare_pairs(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;

	return strcmp(a->key, b->key);
}

static struct kp_yaml *
print_map(const struct kp_value *value)
{
	struct kp_yaml *map = kp_yaml_new_map();
	struct pair *pairs = kp_alloc(value->num_items, sizeof(*pairs));

	for (size_t i = 0; i < value->num_items; i++)
		pairs[i] =
		    (struct pair){ value->keys[i], value->items[i]->text };
	qsort(pairs, value->num_items, sizeof(*pairs), compare_pairs);
	for (size_t i = 0; i < value->num_items; i++)
		kp_yaml_put(map, pairs[i].key, kp_yaml_new_text(pairs[i].text));
	free(pairs);
	return map;
}

static struct kp_yaml *
print_object(const struct kp_value *value)
{
	struct kp_yaml *map = kp_yaml_new_map();

	for (size_t i = 0; i < value->num_items; i++) {
		const struct kp_value *field = value->items[i];

		if (field != NULL && !field->is_fallback)
			kp_yaml_put(map, value->setting->fields[i].name,
			    kp_print_value(field));
	}
	return map;
}

static struct kp_yaml *
print_list(const struct kp_value *value)
{
	struct kp_yaml *list = kp_yaml_new_list();

	for (size_t i = 0; i < value->num_items; i++)
		kp_yaml_append(list, kp_print_value(value->items[i]));
	return list;
}

static struct kp_yaml *
print_text(const struct kp_value *value)
{
	return kp_yaml_new_text(value->text);
}

static struct kp_yaml *
print_path(const struct kp_value *value)
{
	return kp_yaml_new_text(value->said);
}

static struct kp_yaml *
print_bool(const struct kp_value *value)
{
	return kp_yaml_new_bool(value->number != 0);
}

static struct kp_yaml *
print_int(const struct kp_value *value)
{
	return kp_yaml_new_int(value->number);
}

struct kp_yaml *
kp_print_value(const struct kp_value *value)
{
	static struct kp_yaml *(*const printers[])(const struct kp_value *) = {
		[KP_SETTING_STRING] = print_text,
		[KP_SETTING_BOOL] = print_bool,
		[KP_SETTING_INT] = print_int,
		[KP_SETTING_SIZE] = print_quantity,
		[KP_SETTING_DURATION] = print_quantity,
		[KP_SETTING_ENUM] = print_text,
		[KP_SETTING_ADDRESS] = print_text,
		[KP_SETTING_HOST] = print_text,
		[KP_SETTING_HOST_PORT] = print_host_port,
		[KP_SETTING_PATH] = print_path,
		[KP_SETTING_SECRET] = print_secret,
		[KP_SETTING_REFERENCE] = print_text,
		[KP_SETTING_MAP] = print_map,
		[KP_SETTING_LABELS] = print_map,
		[KP_SETTING_OBJECT] = print_object,
	};

	if (value->is_list)
		return print_list(value);
	return printers[value->setting->type](value);
}

struct kp_yaml *
kp_print_resource(const struct kp_resource *resource)
{
	return kp_print_value(resource->document);
}

void
kp_print_resources(struct kp_buf *out, const struct kp_resources *set)
{
	for (size_t i = 0; i < kp_resources_count(set); i++) {
		struct kp_yaml *tree =
		    kp_print_resource(kp_resources_at(set, i));

		if (i > 0)
			kp_buf_add_text(out, "---\n");
		kp_yaml_write(out, tree);
		kp_yaml_free(tree);
	}
}
