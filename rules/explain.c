/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/explain.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/yaml_write.h"
#include "rules/example.h"
#include "rules/govern/cases.h"
#include "rules/limits.h"
#include "rules/node_config.h"
#include "rules/resource.h"
#include "rules/server_config.h"
#include "rules/setting.h"

/* The files of programs, which are explained like kinds. */
static const struct {
	const char *name;
	const struct kp_setting *setting;
} programs[] = {
	{ "node", &kp_node_config_setting },
	{ "server", &kp_server_config_setting },
	{ "test", &kp_cases_setting },
};
#define NUM_PROGRAMS (sizeof(programs) / sizeof(programs[0]))

#define LINE_LEN 78
#define INDENT 6
#define MAX_KINDS 64
#define MAX_EXAMPLE_LEN 65536

static void
add_wrapped(struct kp_buf *out, const char *text)
{
	kp_wrap(out, text, INDENT, LINE_LEN);
}

/* The line that begins a field, indented by depth. */
static void
add_field_line(struct kp_buf *out, const struct kp_setting *field, int depth)
{
	kp_buf_printf(out, "%*s%s\t<", 2 * depth, "", field->name);
	kp_setting_describe(field, out);
	kp_buf_add_text(out, ">");
	if (field->is_required)
		kp_buf_add_text(out, " -required-");
	if (field->fallback != NULL && field->type != KP_SETTING_OBJECT)
		kp_buf_printf(out, " default %s", field->fallback);
	kp_buf_add_text(out, "\n");
}

static void
add_field(struct kp_buf *out, const struct kp_setting *field)
{
	add_field_line(out, field, 1);
	add_wrapped(out, field->help);
	if (field->refused != NULL)
		kp_buf_printf(out, "%*s(%s)\n", INDENT, "", field->refused);
}

static void
add_fields(struct kp_buf *out, const struct kp_setting *fields)
{
	kp_buf_add_text(out, "\nFIELDS:\n");
	for (; fields->type != KP_SETTING_END; fields++)
		add_field(out, fields);
}

static void
add_tree(struct kp_buf *out, const struct kp_setting *fields, int depth)
{
	for (; fields->type != KP_SETTING_END; fields++) {
		if (fields->refused != NULL)
			continue;
		add_field_line(out, fields, depth);
		if (fields->fields != NULL)
			add_tree(out, fields->fields, depth + 1);
	}
}

static bool
no_such_field(const struct kp_setting *fields, const char *name, size_t len,
    struct kp_error *err)
{
	const char *names[MAX_KINDS + 1] = { NULL };
	char wanted[64];
	size_t num = 0;
	const char *near;

	(void)snprintf(wanted, sizeof(wanted), "%.*s", (int)len, name);
	for (; fields->type != KP_SETTING_END && num < MAX_KINDS; fields++)
		names[num++] = fields->name;
	near = kp_suggest(wanted, names);
	if (near == NULL)
		return kp_error_set(
		    err, KP_ERR_CONFIG, "there is no field \"%s\"", wanted);
	return kp_error_set(err, KP_ERR_CONFIG,
	    "there is no field \"%s\"; did you mean \"%s\"?", wanted, near);
}

/* Goes down path; NULL with err if a part of it is not there. */
static const struct kp_setting *
descend(
    const struct kp_setting *setting, const char *path, struct kp_error *err)
{
	while (*path != '\0') {
		size_t len = strcspn(path, ".");
		const struct kp_setting *field = NULL;

		if (setting->fields == NULL) {
			(void)kp_error_set(err, KP_ERR_CONFIG,
			    "\"%s\" has no fields", setting->name);
			return NULL;
		}
		field = kp_setting_find(setting->fields, path, len);
		if (field == NULL) {
			(void)no_such_field(setting->fields, path, len, err);
			return NULL;
		}
		setting = field;
		path += len + (path[len] == '.');
	}
	return setting;
}

static const struct kp_setting *
spec_of(const struct kp_resource_kind *kind)
{
	return kp_setting_find(kind->document.fields, "spec", 4);
}

/* "ports" stands for "spec.ports". */
static const struct kp_setting *
find_in_kind(
    const struct kp_resource_kind *kind, const char *path, struct kp_error *err)
{
	const struct kp_setting *fields = kind->document.fields;

	if (kp_setting_find(fields, path, strcspn(path, ".")) != NULL ||
	    path[0] == '\0')
		return descend(&kind->document, path, err);
	return descend(spec_of(kind), path, err);
}

static void
list_kinds(struct kp_buf *out)
{
	for (size_t i = 0; kp_resource_kinds[i] != NULL; i++)
		kp_buf_printf(out, "%s\n      %s\n", kp_resource_kinds[i]->name,
		    kp_resource_kinds[i]->document.help);
	for (size_t i = 0; i < NUM_PROGRAMS; i++)
		kp_buf_printf(out, "%s\n      %s\n", programs[i].name,
		    programs[i].setting->help);
}

static bool
no_such_kind(const char *name, struct kp_error *err)
{
	const char *names[MAX_KINDS + 1] = { NULL };
	size_t num = 0;
	const char *near;

	for (; num < NUM_PROGRAMS; num++)
		names[num] = programs[num].name;
	for (size_t i = 0; kp_resource_kinds[i] != NULL && num < MAX_KINDS; i++)
		names[num++] = kp_resource_kinds[i]->name;
	near = kp_suggest(name, names);
	if (near == NULL)
		return kp_error_set(
		    err, KP_ERR_CONFIG, "there is no kind \"%s\"", name);
	return kp_error_set(err, KP_ERR_CONFIG,
	    "there is no kind \"%s\"; did you mean \"%s\"?", name, near);
}

/* NULL if it is not the file of a program. */
static const struct kp_setting *
find_program(const char *name)
{
	for (size_t i = 0; i < NUM_PROGRAMS; i++) {
		if (strcmp(programs[i].name, name) == 0)
			return programs[i].setting;
	}
	return NULL;
}

static const struct kp_setting *
find(const char *name, const char *path, struct kp_error *err)
{
	const struct kp_resource_kind *kind = kp_resource_kind_find(name);
	const struct kp_setting *program = find_program(name);

	if (kind != NULL)
		return find_in_kind(kind, path, err);
	if (program != NULL)
		return descend(program, path, err);
	(void)no_such_kind(name, err);
	return NULL;
}

/* The example of one field, inside of what surrounds it. */
static struct kp_yaml *
example_of(const char *name, const char *path)
{
	const struct kp_resource_kind *kind = kp_resource_kind_find(name);
	const struct kp_setting *program = find_program(name);
	const struct kp_setting *fields;
	char full[256];

	if (path[0] == '\0')
		return kind == NULL ? kp_example_new(program)
				    : kp_example_of_kind(kind);
	fields = kind == NULL ? program->fields : kind->document.fields;
	if (kp_setting_find(fields, path, strcspn(path, ".")) != NULL)
		return kp_example_of_field(fields, path);
	(void)snprintf(full, sizeof(full), "spec.%s", path);
	return kp_example_of_field(fields, full);
}

static void
add_example(struct kp_buf *out, const char *name, const char *path)
{
	struct kp_yaml *tree = example_of(name, path);
	struct kp_buf text;

	kp_buf_init(&text, MAX_EXAMPLE_LEN);
	kp_yaml_write(&text, tree);
	kp_yaml_free(tree);
	kp_assert(text.is_refused || (!text.failed && text.len > 0));
	if (text.is_refused) {
		out->failed = out->is_refused = true;
		kp_buf_fini(&text);
		return;
	}
	text.data[text.len - 1] = '\0';
	kp_buf_add_text(out, "\nEXAMPLE:\n");
	for (char *line = (char *)text.data; line != NULL;) {
		size_t len = strcspn(line, "\n");

		kp_buf_printf(out, "%*s%.*s\n", INDENT, "", (int)len, line);
		line = line[len] == '\0' ? NULL : line + len + 1;
	}
	kp_buf_fini(&text);
}

static void
add_heading(struct kp_buf *out, const char *name, const char *path,
    const struct kp_setting *setting)
{
	kp_buf_printf(out, "KIND:   %s\n", name);
	if (path[0] != '\0') {
		kp_buf_printf(out, "FIELD:  %s <", path);
		kp_setting_describe(setting, out);
		kp_buf_add_text(out, ">\n");
	}
	kp_buf_add_text(out, "\nDESCRIPTION:\n");
	add_wrapped(out, setting->help);
	if (setting->type == KP_SETTING_SECRET)
		add_wrapped(out, "Written as {file: PATH} or {env: NAME}; a "
				 "path is relative to the file that names it.");
	if (setting->fallback != NULL && setting->type != KP_SETTING_OBJECT)
		kp_buf_printf(
		    out, "%*sDefault: %s\n", INDENT, "", setting->fallback);
	if (setting->refused != NULL)
		kp_buf_printf(out, "%*s(%s)\n", INDENT, "", setting->refused);
}

static void
explain_setting(struct kp_buf *out, const char *name, const char *path,
    const struct kp_setting *setting)
{
	add_heading(out, name, path, setting);
	if (setting->fields != NULL)
		add_fields(out, setting->fields);
	if (setting->refused == NULL)
		add_example(out, name, path);
}

static void
explain_tree(struct kp_buf *out, const char *name, const char *path,
    const struct kp_setting *setting)
{
	add_heading(out, name, path, setting);
	if (setting->fields == NULL)
		return;
	kp_buf_add_text(out, "\nFIELDS:\n");
	add_tree(out, setting->fields, 1);
}

typedef void (*explainer)(struct kp_buf *out, const char *name,
    const char *path, const struct kp_setting *setting);

static bool
explain_with(explainer explain, struct kp_buf *out, const char *path,
    struct kp_error *err)
{
	size_t len = strcspn(path, ".");
	const char *rest = path + len + (path[len] == '.');
	const struct kp_setting *setting;
	char name[64];

	if (path[0] == '\0') {
		list_kinds(out);
		return true;
	}
	(void)snprintf(name, sizeof(name), "%.*s", (int)len, path);
	setting = find(name, rest, err);
	if (setting == NULL)
		return false;
	explain(out, name, rest, setting);
	return true;
}

bool
kp_explain(struct kp_buf *out, const char *path, struct kp_error *err)
{
	return explain_with(explain_setting, out, path, err);
}

bool
kp_explain_tree(struct kp_buf *out, const char *path, struct kp_error *err)
{
	return explain_with(explain_tree, out, path, err);
}

static void
visit_kinds(kp_visit_name visit, void *ctx)
{
	for (size_t i = 0; kp_resource_kinds[i] != NULL; i++)
		visit(ctx, kp_resource_kinds[i]->name,
		    kp_resource_kinds[i]->document.help, true);
	for (size_t i = 0; i < NUM_PROGRAMS; i++)
		visit(ctx, programs[i].name, programs[i].setting->help, true);
}

void
kp_explain_names(const char *begun, kp_visit_name visit, void *ctx)
{
	const char *dot = strrchr(begun, '.');
	const struct kp_setting *setting, *field;
	char name[64], rest[256];
	struct kp_error err;
	size_t len = strcspn(begun, ".");

	if (dot == NULL) {
		visit_kinds(visit, ctx);
		return;
	}
	(void)snprintf(name, sizeof(name), "%.*s", (int)len, begun);
	(void)snprintf(rest, sizeof(rest), "%.*s",
	    dot == begun + len ? 0 : (int)(dot - begun - (long)len - 1),
	    begun + len + 1);
	setting = find(name, rest, &err);
	if (setting == NULL || setting->fields == NULL)
		return;
	for (field = setting->fields; field->type != KP_SETTING_END; field++) {
		char path[512];

		(void)snprintf(path, sizeof(path), "%.*s.%s",
		    (int)(dot - begun), begun, field->name);
		visit(ctx, path, field->help, field->fields != NULL);
	}
}

static void
add_row(struct kp_buf *out, const char *path, const struct kp_setting *field)
{
	kp_buf_printf(out, "| `%s` | ", path);
	kp_setting_describe(field, out);
	kp_buf_add_text(out, " | ");
	if (field->is_required)
		kp_buf_add_text(out, "required");
	else if (field->fallback != NULL && field->type != KP_SETTING_OBJECT)
		kp_buf_printf(out, "`%s`", field->fallback);
	kp_buf_printf(out, " | %s", field->help);
	if (field->refused != NULL)
		kp_buf_printf(out, " *Now refused: %s.*", field->refused);
	kp_buf_add_text(out, " |\n");
}

/* One row for each field, those of objects after the object. */
static void
add_rows(
    struct kp_buf *out, const char *prefix, const struct kp_setting *fields)
{
	for (; fields->type != KP_SETTING_END; fields++) {
		char path[256];

		(void)snprintf(path, sizeof(path), "%s%s%s", prefix,
		    fields->name, fields->is_list ? "[]" : "");
		add_row(out, path, fields);
		if (fields->fields == NULL)
			continue;
		(void)snprintf(path, sizeof(path), "%s%s%s.", prefix,
		    fields->name, fields->is_list ? "[]" : "");
		add_rows(out, path, fields->fields);
	}
}

void
kp_explain_table(struct kp_buf *out, const struct kp_setting *fields)
{
	kp_buf_add_text(out, "\n| field | type | default | meaning |\n"
			     "|---|---|---|---|\n");
	add_rows(out, "", fields);
}

void
kp_explain_resources_page(struct kp_buf *out)
{
	kp_buf_add_text(out,
	    "# Resources\n\n"
	    "Generated from the tables in `rules/kinds/` by `make docs`; do "
	    "not edit.\n\n"
	    "A file holds any number of YAML documents. Each has `apiVersion: "
	    "kproxy/v1`, `kind`,\n`metadata` and `spec`. A *secret* is "
	    "`{file: PATH}` or `{env: NAME}`, never the text\nitself; a path "
	    "is relative to the file that names it. Anchors, aliases, tags "
	    "and\nmerge keys are not allowed.\n");
	kp_buf_add_text(out, "\n## metadata\n");
	kp_explain_table(out, kp_resource_metadata_fields);
	for (size_t i = 0; kp_resource_kinds[i] != NULL; i++) {
		const struct kp_resource_kind *kind = kp_resource_kinds[i];

		kp_buf_printf(out,
		    "\n## %s\n\n%s Since %s. Fields of `spec`:\n", kind->name,
		    kind->document.help, kind->document.since);
		kp_explain_table(out, spec_of(kind)->fields);
	}
}

void
kp_explain_config_page(struct kp_buf *out)
{
	kp_buf_printf(out,
	    "# Node configuration\n\n"
	    "Generated from the table in `rules/node_config.c` by `make "
	    "docs`; do not edit.\n\n"
	    "The file that `kproxy --config` takes. Paths are relative to "
	    "its folder. Since %s.\n",
	    kp_node_config_setting.since);
	kp_explain_table(out, kp_node_config_setting.fields);
}

void
kp_explain_server_page(struct kp_buf *out)
{
	kp_buf_printf(out,
	    "# Configuration of a policy server\n\n"
	    "Generated from the tables in `rules/server_config.c` and "
	    "`rules/server_limits.c` by\n`make docs`; do not edit.\n\n"
	    "The file that `kpserver --config` takes. Paths are relative to "
	    "its folder. Since %s.\n",
	    kp_server_config_setting.since);
	kp_explain_table(out, kp_server_config_setting.fields);
	kp_buf_add_text(out, "\n## Beyond a limit\n\n"
			     "| limit | a caller sees |\n|---|---|\n");
	for (int i = 0; i < KP_NUM_SERVER_LIMITS; i++)
		kp_buf_printf(out, "| `%s` | %s |\n",
		    kp_server_limit_settings[i].name,
		    kp_server_limit_effects[i]);
}

static void
add_limit(struct kp_buf *out, const struct kp_setting *limit,
    const struct kp_limit_row *row)
{
	kp_buf_printf(out, "| `%s` | `%s` | ", limit->name, limit->fallback);
	kp_setting_bound(limit, limit->min, out);
	kp_buf_add_text(out, " to ");
	kp_setting_bound(limit, limit->max, out);
	kp_buf_printf(out, " | %s | %s | `%s` |\n", limit->help, row->client,
	    row->counter);
}

/* What no operator needs to change, in the same form. */
static void
add_fixed_limits(struct kp_buf *out)
{
	for (size_t i = 0; kp_fixed_limits[i].what != NULL; i++)
		kp_buf_printf(out, "| %s | %s | %s |\n",
		    kp_fixed_limits[i].what, kp_fixed_limits[i].limit,
		    kp_fixed_limits[i].beyond);
}

void
kp_explain_limits_page(struct kp_buf *out)
{
	kp_buf_add_text(out,
	    "# Limits\n\n"
	    "Generated from the tables in `rules/limits.c` by `make docs`; do "
	    "not edit.\n\n"
	    "Everything that a peer can make a node wait for or allocate has a "
	    "limit. Beyond one,\nthe log has a line `connection_closed` or "
	    "`connection_refused` with the reason that\nthe counter names, the "
	    "connection and its peer; lines that repeat are counted\ninstead "
	    "(`suppressed`).\n\n"
	    "## In `limits` of node.yaml\n\n"
	    "They can be changed without a restart; connections that exist "
	    "keep the memory they have.\n\n"
	    "| limit | default | range | of what | beyond it | "
	    "counter |\n|---|---|---|---|---|---|\n");
	for (int i = 0; i < KP_NUM_LIMITS; i++)
		add_limit(out, &kp_limit_settings[i], &kp_limit_rows[i]);
	kp_buf_add_text(out,
	    "\n`limits.connections` of a VirtualCluster bounds the connections "
	    "of one listener on\neach node: closed at once, "
	    "`kproxy_connections_closed_total{reason=\"virtual_cluster_limit\"}"
	    "`.\n\n"
	    "## Fixed\n\n"
	    "| what | limit | beyond it |\n|---|---|---|\n");
	add_fixed_limits(out);
}
