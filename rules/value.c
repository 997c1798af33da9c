/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interpreter of setting tables: objects and lists come back to parse_value
 * for what is inside, as deep as the tables are. A problem does not end it: all
 * of a file's problems are wanted.
 */
#include "rules/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "rules/value_priv.h"

#define MAX_MAP_KEY_LEN 253

static struct kp_value *parse_value(struct kp_parse *p,
    const struct kp_setting *setting, const struct kp_yaml *node);
static struct kp_value *parse_one(struct kp_parse *p,
    const struct kp_setting *setting, const struct kp_yaml *node);

/* Lengthens the path; returns its old length for path_leave. */
static size_t
path_enter(struct kp_parse *p, const char *name)
{
	size_t len = strlen(p->path);

	(void)snprintf(p->path + len, sizeof(p->path) - len, "%s%s",
	    len > 0 && name[0] != '[' ? "." : "", name);
	return len;
}

static void
path_leave(struct kp_parse *p, size_t len)
{
	p->path[len] = '\0';
}

/* One pair of a map; false after a problem. */
static bool
read_pair(struct kp_parse *p, const struct kp_yaml *key,
    const struct kp_yaml *text, const struct kp_setting *setting)
{
	bool is_labels = setting->type == KP_SETTING_LABELS;
	const char *wrong;

	wrong = is_labels ? kp_label_name_complaint(key->text) : NULL;
	if (wrong != NULL)
		return kp_parse_problem(
		    p, key, "\"%.80s\" %s", key->text, wrong);
	if (strlen(key->text) > MAX_MAP_KEY_LEN && !is_labels)
		return kp_parse_problem(p, key, "key is too long");
	if (text->kind != KP_YAML_SCALAR)
		return kp_parse_wrong_type(p, text, setting, "text");
	wrong = is_labels ? kp_label_value_complaint(text->text) : NULL;
	if (wrong != NULL)
		return kp_parse_problem(
		    p, text, "\"%.80s\" %s", text->text, wrong);
	if (strlen(text->text) > KP_SETTING_MAX_TEXT)
		return kp_parse_problem(p, text, "text is too long");
	return true;
}

static size_t
max_pairs(const struct kp_setting *setting)
{
	return setting->type == KP_SETTING_LABELS ? KP_MAX_LABELS
						  : KP_SETTING_MAX_ITEMS;
}

static bool
read_map(struct kp_parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	bool ok = true;

	if (node->kind != KP_YAML_MAP)
		return kp_parse_wrong_type(p, node, value->setting, NULL);
	if (node->num_items > max_pairs(value->setting))
		return kp_parse_problem(p, node,
		    "has too many entries, at most %zu are allowed",
		    max_pairs(value->setting));
	value->items = kp_alloc(node->num_items, sizeof(*value->items));
	value->keys = kp_alloc(node->num_items, sizeof(*value->keys));
	value->num_items = node->num_items;
	for (size_t i = 0; i < node->num_items; i++) {
		const struct kp_yaml *text = node->items[i];

		value->keys[i] = kp_strdup(node->keys[i]->text);
		if (!read_pair(p, node->keys[i], text, value->setting)) {
			ok = false;
			continue;
		}
		value->items[i] = kp_alloc(1, sizeof(**value->items));
		value->items[i]->setting = value->setting;
		value->items[i]->text = kp_strdup(text->text);
	}
	return ok;
}

static bool
unknown_field(struct kp_parse *p, const struct kp_yaml *key,
    const struct kp_setting *fields)
{
	struct kp_names names = { 0 };
	struct kp_buf text;

	for (; fields->type != KP_SETTING_END; fields++) {
		if (fields->refused == NULL)
			kp_names_add(&names, fields->name);
	}
	kp_buf_init_small(&text, 4096);
	kp_names_hint(&names, key->text, &text);
	(void)kp_parse_problem(
	    p, key, "unknown field \"%.80s\"%s", key->text, kp_buf_text(&text));
	kp_buf_fini(&text);
	return false;
}

static bool
read_field(struct kp_parse *p, const struct kp_yaml *key,
    const struct kp_yaml *node, struct kp_value *object)
{
	const struct kp_setting *fields = object->setting->fields;
	const struct kp_setting *field =
	    kp_setting_find(fields, key->text, strlen(key->text));
	struct kp_value *value;

	if (field == NULL)
		return unknown_field(p, key, fields);
	if (field->refused != NULL)
		return kp_parse_problem(
		    p, key, "\"%s\" %s", field->name, field->refused);
	value = parse_value(p, field, node);
	object->items[field - fields] = value;
	return value != NULL;
}

/* A fallback is read like what it stands for. */
static struct kp_value *
parse_fallback(struct kp_parse *p, const struct kp_setting *setting,
    const struct kp_yaml *around)
{
	struct kp_yaml node = { .line = around->line,
		.column = around->column };
	struct kp_value *value;

	if (setting->type == KP_SETTING_OBJECT) {
		node.kind = KP_YAML_MAP;
		return parse_value(p, setting, &node);
	}
	node.kind = KP_YAML_SCALAR;
	node.text = kp_strdup(setting->fallback);
	value = parse_value(p, setting, &node);
	free(node.text);
	return value;
}

static bool
fill_unsaid(struct kp_parse *p, const struct kp_yaml *node,
    struct kp_value *object, size_t index)
{
	const struct kp_setting *field = &object->setting->fields[index];

	if (field->is_required)
		return kp_parse_problem(
		    p, node, "\"%s\" is missing", field->name);
	if (field->fallback == NULL)
		return true;
	object->items[index] = parse_fallback(p, field, node);
	if (object->items[index] == NULL)
		return false;
	object->items[index]->is_fallback = true;
	return true;
}

static bool
read_object(
    struct kp_parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	const struct kp_setting *fields = value->setting->fields;
	bool ok = true;

	if (node->kind != KP_YAML_MAP)
		return kp_parse_wrong_type(p, node, value->setting, NULL);
	while (fields[value->num_items].type != KP_SETTING_END)
		value->num_items++;
	value->items = kp_alloc(value->num_items, sizeof(*value->items));
	for (size_t i = 0; i < node->num_items; i++)
		ok &= read_field(p, node->keys[i], node->items[i], value);
	for (size_t i = 0; i < value->num_items; i++) {
		if (kp_yaml_get(node, fields[i].name) == NULL)
			ok &= fill_unsaid(p, node, value, i);
	}
	return ok;
}

static bool
read_list(
    struct kp_parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	bool ok = true;

	if (node->kind != KP_YAML_LIST)
		return kp_parse_wrong_type(p, node, value->setting, "a list");
	value->is_list = true;
	if (node->num_items == 0 && value->setting->is_required)
		return kp_parse_problem(p, node, "must have at least one item");
	if (node->num_items > KP_SETTING_MAX_ITEMS)
		return kp_parse_problem(p, node, "has too many items");
	value->items = kp_alloc(node->num_items, sizeof(*value->items));
	value->num_items = node->num_items;
	for (size_t i = 0; i < node->num_items; i++) {
		char index[24];
		size_t len;

		(void)snprintf(index, sizeof(index), "[%zu]", i);
		len = path_enter(p, index);
		value->items[i] = parse_one(p, value->setting, node->items[i]);
		path_leave(p, len);
		ok &= value->items[i] != NULL;
	}
	return ok;
}

static struct kp_value *
parse_with(struct kp_parse *p, const struct kp_setting *setting,
    const struct kp_yaml *node, kp_read_node read)
{
	struct kp_value *value = kp_alloc(1, sizeof(*value));

	value->setting = setting;
	value->at = (struct kp_origin){ p->file, node->line, node->column };
	if (read(p, node, value))
		return value;
	kp_value_free(value);
	return NULL;
}

static struct kp_value *
parse_one(struct kp_parse *p, const struct kp_setting *setting,
    const struct kp_yaml *node)
{
	if (setting->type == KP_SETTING_OBJECT)
		return parse_with(p, setting, node, read_object);
	if (setting->type == KP_SETTING_MAP ||
	    setting->type == KP_SETTING_LABELS)
		return parse_with(p, setting, node, read_map);
	return parse_with(p, setting, node, kp_scalar_reader(setting->type));
}

static struct kp_value *
parse_value(struct kp_parse *p, const struct kp_setting *setting,
    const struct kp_yaml *node)
{
	size_t len = path_enter(p, setting->name);
	struct kp_value *value = setting->is_list
				     ? parse_with(p, setting, node, read_list)
				     : parse_one(p, setting, node);

	path_leave(p, len);
	return value;
}

struct kp_value *
kp_value_parse(const struct kp_setting *setting, const struct kp_yaml *node,
    const char *file, const char *what, struct kp_diagnostics *diagnostics)
{
	struct kp_parse p = {
		.file = file,
		.what = what,
		.diagnostics = diagnostics,
	};

	return parse_value(&p, setting, node);
}

struct kp_value *
kp_value_parse_text(const struct kp_setting *setting, struct kp_bytes text,
    const char *file, struct kp_diagnostics *diagnostics)
{
	struct kp_origin at = { .file = file };
	struct kp_value *value = NULL;
	struct kp_yaml_stream stream;
	struct kp_error err;

	if (!kp_yaml_parse(&stream, text, &err)) {
		kp_diagnostics_add_yaml(diagnostics, file, &err);
		return NULL;
	}
	if (stream.num_documents == 1)
		value = kp_value_parse(
		    setting, stream.documents[0], file, "", diagnostics);
	else
		kp_diagnostics_add(diagnostics, &at,
		    "must hold one YAML document, not %zu",
		    stream.num_documents);
	kp_yaml_stream_fini(&stream);
	return value;
}

void
kp_value_free(struct kp_value *value)
{
	if (value == NULL)
		return;
	for (size_t i = 0; i < value->num_items; i++) {
		kp_value_free(value->items[i]);
		if (value->keys != NULL)
			free(value->keys[i]);
	}
	free(value->items);
	free(value->keys);
	free(value->text);
	free(value->said);
	free(value);
}

const struct kp_value *
kp_value_get(const struct kp_value *object, const char *path)
{
	while (object != NULL) {
		size_t len = strcspn(path, ".");
		const struct kp_setting *fields = object->setting->fields;
		const struct kp_setting *field =
		    kp_setting_find(fields, path, len);

		kp_assert(field != NULL);
		object = object->items[field - fields];
		if (path[len] == '\0')
			break;
		path += len + 1;
	}
	return object;
}

const char *
kp_value_text(const struct kp_value *object, const char *path)
{
	const struct kp_value *value = kp_value_get(object, path);

	return value == NULL ? NULL : value->text;
}

int64_t
kp_value_number(const struct kp_value *object, const char *path)
{
	const struct kp_value *value = kp_value_get(object, path);

	kp_assert(value != NULL);
	return value->number;
}

/* The value was said at the place at; what surrounds it comes first. */
static bool
find_path(const struct kp_value *value, const struct kp_origin *at, char *out,
    size_t len)
{
	if (value == NULL)
		return false;
	if (value->at.line == at->line && value->at.column == at->column)
		return true;
	for (size_t i = 0; i < value->num_items; i++) {
		const struct kp_setting *fields = value->setting->fields;
		size_t room = KP_VALUE_PATH_SIZE - len;

		out[len] = '\0';
		if (value->is_list)
			(void)snprintf(out + len, room, "[%zu]", i);
		else
			(void)snprintf(out + len, room, "%s%s",
			    len > 0 ? "." : "",
			    fields != NULL ? fields[i].name : value->keys[i]);
		if (find_path(value->items[i], at, out, strlen(out)))
			return true;
	}
	out[len] = '\0';
	return false;
}

void
kp_value_path(const struct kp_value *root, const struct kp_origin *at,
    char out[KP_VALUE_PATH_SIZE])
{
	out[0] = '\0';
	(void)find_path(root, at, out, 0);
}

void
kp_value_walk(const struct kp_value *value, kp_visit_value visit, void *ctx)
{
	if (value == NULL)
		return;
	visit(ctx, value);
	for (size_t i = 0; i < value->num_items; i++)
		kp_value_walk(value->items[i], visit, ctx);
}

void
kp_value_labels(const struct kp_value *value, struct kp_labels *out)
{
	struct kp_label pairs[KP_MAX_LABELS];
	size_t num = value == NULL ? 0 : value->num_items;

	kp_assert(num <= KP_MAX_LABELS);
	for (size_t i = 0; i < num; i++)
		pairs[i] =
		    (struct kp_label){ value->keys[i], value->items[i]->text };
	kp_labels_init(out, pairs, num);
}

bool
kp_value_is_secret(const struct kp_value *value)
{
	return value->setting->type == KP_SETTING_SECRET && value->text != NULL;
}

struct kp_secret_ref
kp_value_secret(const struct kp_value *value)
{
	struct kp_secret_ref ref = { value->source, value->text };

	return ref;
}
