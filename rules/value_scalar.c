/* SPDX-License-Identifier: Apache-2.0 */
/* Values without fields, and how problems of values are put. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "rules/value_priv.h"

#define MAX_HOST_SIZE 256
/* Room for every word that a list of words has. */
#define MAX_WANTED_LEN 1536
#define MAX_PROBLEM_LEN 2048

bool
kp_parse_problem(
    struct kp_parse *p, const struct kp_yaml *node, const char *fmt, ...)
{
	struct kp_origin at = { p->file, node->line, node->column };
	char text[MAX_PROBLEM_LEN],
	    with_path[sizeof(p->path) + sizeof(text) + 2];
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		text[0] = '\0';
	va_end(args);
	(void)snprintf(with_path, sizeof(with_path), "%s%s%s", p->path,
	    p->path[0] != '\0' ? ": " : "", text);
	kp_diagnostics_add_about(
	    p->diagnostics, &at, p->what, p->path, with_path);
	return false;
}

bool
kp_parse_wrong_type(struct kp_parse *p, const struct kp_yaml *node,
    const struct kp_setting *setting, const char *wanted_instead)
{
	static const char *const found[] = {
		[KP_YAML_NULL] = "nothing",
		[KP_YAML_SCALAR] = "text",
		[KP_YAML_LIST] = "a list",
		[KP_YAML_MAP] = "a map",
	};
	struct kp_buf wanted;

	kp_buf_init_small(&wanted, MAX_WANTED_LEN);
	if (wanted_instead != NULL)
		kp_buf_add_text(&wanted, wanted_instead);
	else
		kp_setting_wanted(setting, &wanted);
	if (node->kind == KP_YAML_SCALAR && setting->type != KP_SETTING_SECRET)
		(void)kp_parse_problem(p, node, "must be %s, not \"%.80s\"",
		    kp_buf_text(&wanted), node->text);
	else
		(void)kp_parse_problem(p, node, "must be %s, not %s",
		    kp_buf_text(&wanted), found[node->kind]);
	kp_buf_fini(&wanted);
	return false;
}

void
kp_names_add(struct kp_names *names, const char *name)
{
	if (names->num < KP_NAMES_MAX)
		names->list[names->num++] = name;
}

void
kp_names_hint(
    const struct kp_names *names, const char *text, struct kp_buf *out)
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
read_text(
    struct kp_parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	const struct kp_setting *setting = value->setting;
	int64_t max = setting->max > 0 ? setting->max : KP_SETTING_MAX_TEXT;
	const char *complaint;

	if (node->kind != KP_YAML_SCALAR)
		return kp_parse_wrong_type(p, node, setting, NULL);
	if (node->text[0] == '\0' && !setting->may_be_empty)
		return kp_parse_problem(p, node, "must not be empty");
	if (strlen(node->text) > (size_t)max)
		return kp_parse_problem(p, node,
		    "is too long, at most %lld bytes are allowed",
		    (long long)max);
	if (setting->complaint != NULL) {
		complaint = setting->complaint(node->text);
		if (complaint != NULL)
			return kp_parse_problem(
			    p, node, "\"%.80s\" %s", node->text, complaint);
	}
	value->text = kp_strdup(node->text);
	return true;
}

static bool
read_bool(
    struct kp_parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	bool is_true;

	if (node->kind != KP_YAML_SCALAR || node->is_quoted)
		return kp_parse_wrong_type(p, node, value->setting, NULL);
	is_true = strcmp(node->text, "true") == 0;
	if (!is_true && strcmp(node->text, "false") != 0)
		return kp_parse_wrong_type(p, node, value->setting, NULL);
	value->number = is_true;
	return true;
}

static bool
check_range(struct kp_parse *p, const struct kp_yaml *node,
    const struct kp_value *value)
{
	const struct kp_setting *setting = value->setting;
	struct kp_buf range;

	if (value->number >= setting->min && value->number <= setting->max)
		return true;
	kp_buf_init_small(&range, 128);
	kp_setting_bound(setting, setting->min, &range);
	kp_buf_add_text(&range, " to ");
	kp_setting_bound(setting, setting->max, &range);
	(void)kp_parse_problem(p, node, "%.80s is out of range, %s are allowed",
	    node->text, kp_buf_text(&range));
	kp_buf_fini(&range);
	return false;
}

static bool
read_int(struct kp_parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	if (node->kind != KP_YAML_SCALAR || node->is_quoted ||
	    !kp_parse_int(node->text, &value->number))
		return kp_parse_wrong_type(p, node, value->setting, NULL);
	return check_range(p, node, value);
}

static bool
read_size(
    struct kp_parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	uint64_t size;

	if (node->kind != KP_YAML_SCALAR || !kp_parse_size(node->text, &size))
		return kp_parse_wrong_type(p, node, value->setting, NULL);
	value->number = size > INT64_MAX ? INT64_MAX : (int64_t)size;
	return check_range(p, node, value);
}

static bool
read_duration(
    struct kp_parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	if (node->kind != KP_YAML_SCALAR ||
	    !kp_parse_duration(node->text, &value->number))
		return kp_parse_wrong_type(p, node, value->setting, NULL);
	return check_range(p, node, value);
}

static bool
unknown_word(struct kp_parse *p, const struct kp_yaml *node,
    const struct kp_setting *setting)
{
	struct kp_names names = { 0 };
	struct kp_buf text;

	for (const struct kp_setting_word *w = setting->words; w->word != NULL;
	     w++)
		kp_names_add(&names, w->word);
	if (kp_suggest(node->text, names.list) == NULL || names.num == 1)
		return kp_parse_wrong_type(p, node, setting, NULL);
	kp_buf_init_small(&text, 256);
	kp_names_hint(&names, node->text, &text);
	(void)kp_parse_problem(p, node, "unknown word \"%.80s\"%s", node->text,
	    kp_buf_text(&text));
	kp_buf_fini(&text);
	return false;
}

static bool
read_enum(
    struct kp_parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	const struct kp_setting_word *word = value->setting->words;

	if (node->kind != KP_YAML_SCALAR)
		return kp_parse_wrong_type(p, node, value->setting, NULL);
	while (word->word != NULL && strcmp(word->word, node->text) != 0)
		word++;
	if (word->word == NULL)
		return unknown_word(p, node, value->setting);
	if (word->refused != NULL)
		return kp_parse_problem(
		    p, node, "\"%s\" %s", word->word, word->refused);
	value->number = word->value;
	value->text = kp_strdup(word->word);
	return true;
}

/* Keeps the canonical form, so that one address is one text. */
static bool
read_address(
    struct kp_parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	char canonical[KP_ADDRESS_SIZE];

	if (node->kind != KP_YAML_SCALAR ||
	    !kp_parse_address(node->text, canonical))
		return kp_parse_wrong_type(p, node, value->setting, NULL);
	value->text = kp_strdup(canonical);
	return true;
}

static bool
read_host(
    struct kp_parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	if (node->kind != KP_YAML_SCALAR || !kp_is_host(node->text))
		return kp_parse_wrong_type(p, node, value->setting, NULL);
	return read_text(p, node, value);
}

static bool
read_host_port(
    struct kp_parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	const struct kp_setting *setting = value->setting;
	char host[MAX_HOST_SIZE];
	const char *complaint = NULL;
	uint16_t port;

	if (node->kind != KP_YAML_SCALAR ||
	    !kp_parse_host_port(node->text, host, sizeof(host), &port) ||
	    !kp_is_host(host))
		return kp_parse_wrong_type(p, node, setting, NULL);
	if (setting->complaint != NULL)
		complaint = setting->complaint(host);
	if (complaint != NULL)
		return kp_parse_problem(
		    p, node, "\"%.80s\" %s", host, complaint);
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
read_path(
    struct kp_parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	if (!read_text(p, node, value))
		return false;
	value->said = value->text;
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
read_secret(
    struct kp_parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	const struct kp_yaml *name;
	const char *source;

	if (node->kind == KP_YAML_SCALAR)
		return kp_parse_problem(p, node,
		    "must be {file: PATH} or {env: NAME}, never the text "
		    "itself");
	if (node->kind != KP_YAML_MAP || node->num_items != 1)
		return kp_parse_wrong_type(p, node, value->setting, NULL);
	source = node->keys[0]->text;
	name = node->items[0];
	if (strcmp(source, "vault") == 0)
		return kp_parse_problem(p, node,
		    "\"vault\" needs a KeyProvider, which is not in this "
		    "version; use {file: PATH} or {env: NAME}");
	if (strcmp(source, "file") != 0 && strcmp(source, "env") != 0)
		return kp_parse_wrong_type(p, node, value->setting, NULL);
	if (name->kind != KP_YAML_SCALAR || name->text[0] == '\0')
		return kp_parse_wrong_type(p, name, value->setting, NULL);
	if (source[0] == 'f') {
		value->source = KP_SECRET_FILE;
		return read_path(p, name, value);
	}
	if (!is_variable_name(name->text))
		return kp_parse_problem(
		    p, name, "env must be the name of a variable");
	value->source = KP_SECRET_ENV;
	return read_text(p, name, value);
}

static bool
read_open(
    struct kp_parse *p, const struct kp_yaml *node, struct kp_value *value)
{
	if (node->kind != KP_YAML_MAP)
		return kp_parse_wrong_type(p, node, value->setting, NULL);
	value->node = node;
	return true;
}

kp_read_node
kp_scalar_reader(enum kp_setting_type type)
{
	static const kp_read_node readers[] = {
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
		[KP_SETTING_OPEN] = read_open,
	};

	kp_assert(type <= KP_SETTING_OPEN && readers[type] != NULL);
	return readers[type];
}
