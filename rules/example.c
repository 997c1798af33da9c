/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/example.h"

#include <stdio.h>
#include <string.h>

#include "base/yaml_tree.h"

#define NAME "example"
#define PATH_SIZE 128

static struct kp_yaml *
example_secret(const struct kp_setting *setting)
{
	struct kp_yaml *map = kp_yaml_new_map();
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "tls/%s.pem", setting->name);
	kp_yaml_put(map, "file", kp_yaml_new_text(path));
	return map;
}

static struct kp_yaml *
example_map(void)
{
	struct kp_yaml *map = kp_yaml_new_map();

	kp_yaml_put(map, "team", kp_yaml_new_text("payments"));
	return map;
}

static const char *
first_word(const struct kp_setting_word *words)
{
	while (words->refused != NULL)
		words++;
	kp_assert(words->word != NULL);
	return words->word;
}

/* The least that is allowed, in its unit. */
static struct kp_yaml *
example_number(const struct kp_setting *setting)
{
	struct kp_yaml *node;
	struct kp_buf text;

	kp_buf_init_small(&text, PATH_SIZE);
	kp_setting_bound(setting, setting->min, &text);
	kp_buf_add(&text, "", 1);
	kp_assert(!text.failed);
	node = kp_yaml_new_word((const char *)text.data);
	kp_buf_fini(&text);
	return node;
}

static bool
is_word_type(enum kp_setting_type type)
{
	return type == KP_SETTING_BOOL || type == KP_SETTING_INT;
}

/* The tables are ours: what they say is YAML. */
static struct kp_yaml *
example_open(const struct kp_setting *setting)
{
	struct kp_yaml_stream stream;
	struct kp_yaml *node;
	struct kp_error err;

	kp_assert(kp_yaml_parse(&stream, kp_bytes_of(setting->example), &err) &&
		  stream.num_documents == 1);
	node = stream.documents[0];
	stream.documents[0] = NULL;
	kp_yaml_stream_fini(&stream);
	return node;
}

/* What the row says, or its fallback. */
static struct kp_yaml *
example_said(const struct kp_setting *setting)
{
	const char *text =
	    setting->example != NULL ? setting->example : setting->fallback;

	if (text == NULL)
		return NULL;
	return is_word_type(setting->type) ? kp_yaml_new_word(text)
					   : kp_yaml_new_text(text);
}

static struct kp_yaml *
example_typical(const struct kp_setting *setting)
{
	static const char *const typical[] = {
		[KP_SETTING_STRING] = "text",
		[KP_SETTING_BOOL] = "true",
		[KP_SETTING_ADDRESS] = "192.0.2.10",
		[KP_SETTING_HOST] = "kafka.example.com",
		[KP_SETTING_HOST_PORT] = "broker-1.example.com:9092",
		[KP_SETTING_PATH] = "./path",
		[KP_SETTING_REFERENCE] = NAME,
		[KP_SETTING_OBJECT] = NULL,
	};

	if (setting->type == KP_SETTING_INT ||
	    setting->type == KP_SETTING_SIZE ||
	    setting->type == KP_SETTING_DURATION)
		return example_number(setting);
	if (setting->type == KP_SETTING_ENUM)
		return kp_yaml_new_text(first_word(setting->words));
	if (setting->type == KP_SETTING_SECRET)
		return example_secret(setting);
	if (setting->type == KP_SETTING_MAP ||
	    setting->type == KP_SETTING_LABELS)
		return example_map();
	kp_assert(typical[setting->type] != NULL);
	return is_word_type(setting->type)
		   ? kp_yaml_new_word(typical[setting->type])
		   : kp_yaml_new_text(typical[setting->type]);
}

static struct kp_yaml *
example_object(const struct kp_setting *fields)
{
	struct kp_yaml *map = kp_yaml_new_map();

	for (; fields->type != KP_SETTING_END; fields++) {
		if (fields->is_required || fields->example != NULL)
			kp_yaml_put(map, fields->name, kp_example_new(fields));
	}
	return map;
}

static struct kp_yaml *
example_one(const struct kp_setting *setting)
{
	struct kp_yaml *node;

	if (setting->type == KP_SETTING_OBJECT)
		return example_object(setting->fields);
	if (setting->type == KP_SETTING_OPEN)
		return example_open(setting);
	node = example_said(setting);
	return node != NULL ? node : example_typical(setting);
}

static struct kp_yaml *
in_list(struct kp_yaml *item)
{
	struct kp_yaml *list = kp_yaml_new_list();

	kp_yaml_append(list, item);
	return list;
}

struct kp_yaml *
kp_example_new(const struct kp_setting *setting)
{
	struct kp_yaml *node = example_one(setting);

	return setting->is_list ? in_list(node) : node;
}

struct kp_yaml *
kp_example_of_kind(const struct kp_resource_kind *kind)
{
	const struct kp_setting *field = kind->document.fields;
	struct kp_yaml *map = kp_yaml_new_map();

	for (; field->type != KP_SETTING_END; field++) {
		bool is_kind = strcmp(field->name, "kind") == 0;

		kp_yaml_put(map, field->name,
		    is_kind ? kp_yaml_new_text(kind->name)
			    : kp_example_new(field));
	}
	return map;
}

struct kp_yaml *
kp_example_of_field(const struct kp_setting *fields, const char *path)
{
	size_t len = strcspn(path, ".");
	const struct kp_setting *field = kp_setting_find(fields, path, len);
	struct kp_yaml *map = kp_yaml_new_map(), *value;

	kp_assert(field != NULL);
	if (path[len] == '\0') {
		value = kp_example_new(field);
	} else {
		value = kp_example_of_field(field->fields, path + len + 1);
		if (field->is_list)
			value = in_list(value);
	}
	kp_yaml_put(map, field->name, value);
	return map;
}
