/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interpreter of setting tables. One function for each type reads a node;
 * objects and lists come back to parse_value for what is inside, as deep as the
 * tables are. A problem does not end it: all of a file's problems are wanted.
 */
#include "rules/value.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

#define MAX_HOST_SIZE 256
#define MAX_MAP_KEY_LEN 253
#define MAX_NAMES 64

struct parse {
	const char *file;
	const char *what;
	struct kp_diagnostics *diagnostics;
	char path[256]; /* of fields, for problems */
};

typedef bool (*read_node)(
    struct parse *p, const struct kp_yaml *node, struct kp_value *value);

static struct kp_value *parse_value(struct parse *p,
    const struct kp_setting *setting, const struct kp_yaml *node);
static struct kp_value *parse_one(struct parse *p,
    const struct kp_setting *setting, const struct kp_yaml *node);

/* Adds a problem at node's place; returns false. */
static bool KP_PRINTF(3, 4)
    problem(struct parse *p, const struct kp_yaml *node, const char *fmt, ...)
{
	struct kp_origin at = { p->file, node->line, node->column };
	char text[512];
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		text[0] = '\0';
	va_end(args);
	kp_diagnostics_add(p->diagnostics, &at, "%s%s%s%s%s", p->what,
	    p->what[0] != '\0' ? ": " : "", p->path,
	    p->path[0] != '\0' ? ": " : "", text);
	return false;
}

/* Lengthens the path; returns its old length for path_leave. */
static size_t
path_enter(struct parse *p, const char *name)
{
	size_t len = strlen(p->path);

	(void)snprintf(p->path + len, sizeof(p->path) - len, "%s%s",
	    len > 0 && name[0] != '[' ? "." : "", name);
	return len;
}

static void
path_leave(struct parse *p, size_t len)
{
	p->path[len] = '\0';
}

/*
 * Says what is wanted and what is there, except where that may be a secret in
 * clear text.
 */
static bool
wrong_type(struct parse *p, const struct kp_yaml *node,
    const struct kp_setting *setting, const char *wanted_instead)
{
	static const char *const found[] = {
		[KP_YAML_NULL] = "nothing",
		[KP_YAML_SCALAR] = "text",
		[KP_YAML_LIST] = "a list",
		[KP_YAML_MAP] = "a map",
	};
	struct kp_buf wanted;

	kp_buf_init(&wanted, 256);
	if (wanted_instead != NULL)
		kp_buf_add_text(&wanted, wanted_instead);
	else
		kp_setting_wanted(setting, &wanted);
	if (node->kind == KP_YAML_SCALAR && setting->type != KP_SETTING_SECRET)
		(void)problem(p, node, "must be %.*s, not \"%.80s\"",
		    (int)wanted.len, (const char *)wanted.data, node->text);
	else
		(void)problem(p, node, "must be %.*s, not %s", (int)wanted.len,
		    (const char *)wanted.data, found[node->kind]);
	kp_buf_fini(&wanted);
	return false;
}

/* Names, such as those of fields, for kp_suggest. */
struct names {
	const char *list[MAX_NAMES + 1];
	size_t num;
};

static void
add_name(struct names *names, const char *name)
{
	if (names->num < MAX_NAMES)
		names->list[names->num++] = name;
}

/* Adds `; did you mean "x"?`, or if nothing is near, what there is. */
static void
add_hint(struct kp_buf *out, const char *text, const struct names *names)
{
	const char *near = kp_suggest(text, names->list);

	if (near != NULL) {
		kp_buf_printf(out, "; did you mean \"%s\"?", near);
		return;
	}
	for (size_t i = 0; i < names->num; i++)
		kp_buf_printf(out, "%s\"%s\"", i > 0 ? ", " : "; known are ",
		    names->list[i]);
}

static bool
read_text(struct parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	const struct kp_setting *setting = value->setting;
	int64_t max = setting->max > 0 ? setting->max : KP_SETTING_MAX_TEXT;
	const char *complaint;

	if (node->kind != KP_YAML_SCALAR)
		return wrong_type(p, node, setting, NULL);
	if (node->text[0] == '\0')
		return problem(p, node, "must not be empty");
	if (strlen(node->text) > (size_t)max)
		return problem(p, node,
		    "is too long, at most %lld bytes are allowed",
		    (long long)max);
	if (setting->complaint != NULL) {
		complaint = setting->complaint(node->text);
		if (complaint != NULL)
			return problem(
			    p, node, "\"%.80s\" %s", node->text, complaint);
	}
	value->text = kp_strdup(node->text);
	return true;
}

static bool
read_bool(struct parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	bool is_true;

	if (node->kind != KP_YAML_SCALAR || node->is_quoted)
		return wrong_type(p, node, value->setting, NULL);
	is_true = strcmp(node->text, "true") == 0;
	if (!is_true && strcmp(node->text, "false") != 0)
		return wrong_type(p, node, value->setting, NULL);
	value->number = is_true;
	return true;
}

static bool
check_range(
    struct parse *p, const struct kp_yaml *node, const struct kp_value *value)
{
	const struct kp_setting *setting = value->setting;
	struct kp_buf range;

	if (value->number >= setting->min && value->number <= setting->max)
		return true;
	kp_buf_init(&range, 128);
	kp_setting_bound(setting, setting->min, &range);
	kp_buf_add_text(&range, " to ");
	kp_setting_bound(setting, setting->max, &range);
	(void)problem(p, node, "%.80s is out of range, %.*s are allowed",
	    node->text, (int)range.len, (const char *)range.data);
	kp_buf_fini(&range);
	return false;
}

static bool
read_int(struct parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	if (node->kind != KP_YAML_SCALAR || node->is_quoted ||
	    !kp_parse_int(node->text, &value->number))
		return wrong_type(p, node, value->setting, NULL);
	return check_range(p, node, value);
}

static bool
read_size(struct parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	uint64_t size;

	if (node->kind != KP_YAML_SCALAR || !kp_parse_size(node->text, &size))
		return wrong_type(p, node, value->setting, NULL);
	value->number = size > INT64_MAX ? INT64_MAX : (int64_t)size;
	return check_range(p, node, value);
}

static bool
read_duration(
    struct parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	if (node->kind != KP_YAML_SCALAR ||
	    !kp_parse_duration(node->text, &value->number))
		return wrong_type(p, node, value->setting, NULL);
	return check_range(p, node, value);
}

static bool
unknown_word(struct parse *p, const struct kp_yaml *node,
    const struct kp_setting *setting)
{
	struct names names = { 0 };
	struct kp_buf text;

	for (const struct kp_setting_word *w = setting->words; w->word != NULL;
	     w++)
		add_name(&names, w->word);
	if (kp_suggest(node->text, names.list) == NULL || names.num == 1)
		return wrong_type(p, node, setting, NULL);
	kp_buf_init(&text, 256);
	add_hint(&text, node->text, &names);
	(void)problem(p, node, "unknown word \"%.80s\"%.*s", node->text,
	    (int)text.len, (const char *)text.data);
	kp_buf_fini(&text);
	return false;
}

static bool
read_enum(struct parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	const struct kp_setting_word *word = value->setting->words;

	if (node->kind != KP_YAML_SCALAR)
		return wrong_type(p, node, value->setting, NULL);
	while (word->word != NULL && strcmp(word->word, node->text) != 0)
		word++;
	if (word->word == NULL)
		return unknown_word(p, node, value->setting);
	if (word->refused != NULL)
		return problem(p, node, "\"%s\" %s", word->word, word->refused);
	value->number = word->value;
	value->text = kp_strdup(word->word);
	return true;
}

/* Keeps the canonical form, so that one address is one text. */
static bool
read_address(
    struct parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	char canonical[INET6_ADDRSTRLEN];
	struct in6_addr address;
	int family = AF_INET;

	if (node->kind != KP_YAML_SCALAR)
		return wrong_type(p, node, value->setting, NULL);
	if (strchr(node->text, ':') != NULL)
		family = AF_INET6;
	if (inet_pton(family, node->text, &address) != 1 ||
	    inet_ntop(family, &address, canonical, sizeof(canonical)) == NULL)
		return wrong_type(p, node, value->setting, NULL);
	value->text = kp_strdup(canonical);
	return true;
}

static bool
read_host(struct parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	if (node->kind != KP_YAML_SCALAR || !kp_is_host(node->text))
		return wrong_type(p, node, value->setting, NULL);
	return read_text(p, node, value);
}

static bool
read_host_port(
    struct parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	const struct kp_setting *setting = value->setting;
	char host[MAX_HOST_SIZE];
	const char *complaint = NULL;
	uint16_t port;

	if (node->kind != KP_YAML_SCALAR ||
	    !kp_parse_host_port(node->text, host, sizeof(host), &port) ||
	    !kp_is_host(host))
		return wrong_type(p, node, setting, NULL);
	if (setting->complaint != NULL)
		complaint = setting->complaint(host);
	if (complaint != NULL)
		return problem(p, node, "\"%.80s\" %s", host, complaint);
	value->text = kp_strdup(host);
	value->number = port;
	return true;
}

/*
 * Joins path with the folder of file. A result never begins with "env:", so
 * that tables can tell a file from a variable.
 */
static char *
resolve_path(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	size_t folder_len = slash == NULL ? 0 : (size_t)(slash - file) + 1;
	const char *prefix = "";
	char *resolved = NULL;
	int len;

	if (path[0] == '/')
		return kp_strdup(path);
	while (strncmp(path, "./", 2) == 0 && path[2] != '\0')
		path += 2;
	if (strncmp(folder_len > 0 ? file : path, "env:", 4) == 0)
		prefix = "./";
	len = asprintf(
	    &resolved, "%s%.*s%s", prefix, (int)folder_len, file, path);
	kp_assert(len >= 0);
	return resolved;
}

static bool
read_path(struct parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	if (!read_text(p, node, value))
		return false;
	free(value->text);
	value->text = resolve_path(p->file, node->text);
	return true;
}

static bool
is_variable_name(const char *text)
{
	if (text[0] >= '0' && text[0] <= '9')
		return false;
	for (; *text != '\0'; text++) {
		char c = *text;

		if (c != '_' && !(c >= '0' && c <= '9') &&
		    !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z'))
			return false;
	}
	return true;
}

/* Problems do not quote what was said: it may be the secret itself. */
static bool
read_secret(struct parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	const struct kp_yaml *name;
	const char *source;

	if (node->kind == KP_YAML_SCALAR)
		return problem(p, node,
		    "must be {file: PATH} or {env: NAME}, never the text "
		    "itself");
	if (node->kind != KP_YAML_MAP || node->num_items != 1)
		return wrong_type(p, node, value->setting, NULL);
	source = node->keys[0]->text;
	name = node->items[0];
	if (strcmp(source, "vault") == 0)
		return problem(p, node,
		    "\"vault\" needs a KeyProvider, which is not in this "
		    "version; use {file: PATH} or {env: NAME}");
	if (strcmp(source, "file") != 0 && strcmp(source, "env") != 0)
		return wrong_type(p, node, value->setting, NULL);
	if (name->kind != KP_YAML_SCALAR || name->text[0] == '\0')
		return wrong_type(p, name, value->setting, NULL);
	if (source[0] == 'f') {
		value->source = KP_SECRET_FILE;
		return read_path(p, name, value);
	}
	if (!is_variable_name(name->text))
		return problem(p, name, "env must be the name of a variable");
	value->source = KP_SECRET_ENV;
	return read_text(p, name, value);
}

static bool
read_map(struct parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	bool ok = true;

	if (node->kind != KP_YAML_MAP)
		return wrong_type(p, node, value->setting, NULL);
	if (node->num_items > KP_SETTING_MAX_ITEMS)
		return problem(p, node, "has too many entries");
	value->items = kp_alloc(node->num_items, sizeof(*value->items));
	value->keys = kp_alloc(node->num_items, sizeof(*value->keys));
	value->num_items = node->num_items;
	for (size_t i = 0; i < node->num_items; i++) {
		const struct kp_yaml *key = node->keys[i];
		const struct kp_yaml *text = node->items[i];

		value->keys[i] = kp_strdup(key->text);
		if (strlen(key->text) > MAX_MAP_KEY_LEN)
			ok = problem(p, key, "key is too long");
		if (text->kind != KP_YAML_SCALAR) {
			ok = wrong_type(p, text, value->setting, "text");
			continue;
		}
		if (strlen(text->text) > KP_SETTING_MAX_TEXT) {
			ok = problem(p, text, "text is too long");
			continue;
		}
		value->items[i] = kp_alloc(1, sizeof(**value->items));
		value->items[i]->setting = value->setting;
		value->items[i]->text = kp_strdup(text->text);
	}
	return ok;
}

static bool
unknown_field(
    struct parse *p, const struct kp_yaml *key, const struct kp_setting *fields)
{
	struct names names = { 0 };
	struct kp_buf text;

	for (; fields->type != KP_SETTING_END; fields++) {
		if (fields->refused == NULL)
			add_name(&names, fields->name);
	}
	kp_buf_init(&text, 4096);
	add_hint(&text, key->text, &names);
	(void)problem(p, key, "unknown field \"%.80s\"%.*s", key->text,
	    (int)text.len, (const char *)text.data);
	kp_buf_fini(&text);
	return false;
}

static bool
read_field(struct parse *p, const struct kp_yaml *key,
    const struct kp_yaml *node, struct kp_value *object)
{
	const struct kp_setting *fields = object->setting->fields;
	const struct kp_setting *field =
	    kp_setting_find(fields, key->text, strlen(key->text));
	struct kp_value *value;

	if (field == NULL)
		return unknown_field(p, key, fields);
	if (field->refused != NULL)
		return problem(
		    p, key, "\"%s\" %s", field->name, field->refused);
	value = parse_value(p, field, node);
	object->items[field - fields] = value;
	return value != NULL;
}

/* A fallback is read like what it stands for. */
static struct kp_value *
parse_fallback(struct parse *p, const struct kp_setting *setting,
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
fill_unsaid(struct parse *p, const struct kp_yaml *node,
    struct kp_value *object, size_t index)
{
	const struct kp_setting *field = &object->setting->fields[index];

	if (field->is_required)
		return problem(p, node, "\"%s\" is missing", field->name);
	if (field->fallback == NULL)
		return true;
	object->items[index] = parse_fallback(p, field, node);
	return object->items[index] != NULL;
}

static bool
read_object(struct parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	const struct kp_setting *fields = value->setting->fields;
	bool ok = true;

	if (node->kind != KP_YAML_MAP)
		return wrong_type(p, node, value->setting, NULL);
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
read_list(struct parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	bool ok = true;

	if (node->kind != KP_YAML_LIST)
		return wrong_type(p, node, value->setting, "a list");
	if (node->num_items == 0 && value->setting->is_required)
		return problem(p, node, "must have at least one item");
	if (node->num_items > KP_SETTING_MAX_ITEMS)
		return problem(p, node, "has too many items");
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
parse_with(struct parse *p, const struct kp_setting *setting,
    const struct kp_yaml *node, read_node read)
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
parse_one(struct parse *p, const struct kp_setting *setting,
    const struct kp_yaml *node)
{
	static const read_node readers[] = {
		[KP_SETTING_STRING] = read_text,
		[KP_SETTING_BOOL] = read_bool,
		[KP_SETTING_INT] = read_int,
		[KP_SETTING_SIZE] = read_size,
		[KP_SETTING_DURATION] = read_duration,
		[KP_SETTING_ENUM] = read_enum,
		[KP_SETTING_ADDRESS] = read_address,
		[KP_SETTING_HOST] = read_host,
		[KP_SETTING_HOST_PORT] = read_host_port,
		[KP_SETTING_PATH] = read_path,
		[KP_SETTING_SECRET] = read_secret,
		[KP_SETTING_REFERENCE] = read_text,
		[KP_SETTING_MAP] = read_map,
		[KP_SETTING_OBJECT] = read_object,
	};

	return parse_with(p, setting, node, readers[setting->type]);
}

static struct kp_value *
parse_value(struct parse *p, const struct kp_setting *setting,
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
	struct parse p = {
		.file = file,
		.what = what,
		.diagnostics = diagnostics,
	};

	return parse_value(&p, setting, node);
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

void
kp_value_walk(const struct kp_value *value, kp_visit_value visit, void *ctx)
{
	if (value == NULL)
		return;
	visit(ctx, value);
	for (size_t i = 0; i < value->num_items; i++)
		kp_value_walk(value->items[i], visit, ctx);
}

struct kp_secret_ref
kp_value_secret(const struct kp_value *value)
{
	struct kp_secret_ref ref = { value->source, value->text };

	return ref;
}
