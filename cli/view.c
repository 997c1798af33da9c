/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/yaml_tree.h"
#include "base/yaml_write.h"
#include "cli/escape.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/targets.h"
#include "rules/resource.h"

#define MAX_CELL_LEN 4096
#define MAX_COLUMNS 3

const char *const kp_view_words[] = { "table", "wide", "json", "yaml", "name",
	NULL };

/* What a table shows of a kind besides names. */
static const struct kind_view {
	const char *kind;
	struct {
		const char *name, *path;
	} columns[MAX_COLUMNS];
} kind_views[] = {
	{ "Cluster", { { "BOOTSTRAP", "spec.bootstrap" } } },
	{ "Listener", { { "BIND", "spec.bind" },
			  { "ADVERTISED", "spec.advertisedHost" } } },
	{ "VirtualCluster", { { "CLUSTER", "spec.cluster" },
				{ "LISTENER", "spec.listener" } } },
	/* of a server that is newer */
	{ NULL, { { NULL, NULL } } },
};

static const struct kind_view *
view_of(const char *kind)
{
	const struct kind_view *view = kind_views;

	while (view->kind != NULL && strcmp(view->kind, kind) != 0)
		view++;
	return view;
}

char *
kp_view_dup(struct kp_buf *buf)
{
	char *text;

	/* what is too long is cut, what could not be had is not left out */
	kp_output_part(buf);
	text = kp_strdup(kp_buf_text(buf));
	kp_buf_fini(buf);
	return text;
}

struct kp_yaml *
kp_view_tree(const Kproxy__Control__V1__Resource *resource)
{
	struct kp_yaml_stream stream;
	struct kp_yaml *tree = NULL;
	struct kp_error err;

	if (!kp_yaml_parse(&stream, kp_bytes_of(resource->document), &err)) {
		if (err.kind == KP_ERR_SYSTEM)
			kp_output_refuse();
		return NULL;
	}
	if (stream.num_documents == 1 &&
	    stream.documents[0]->kind == KP_YAML_MAP) {
		tree = stream.documents[0];
		stream.documents[0] = NULL;
	}
	kp_yaml_stream_fini(&stream);
	return tree;
}

const struct kp_yaml *
kp_view_at(const struct kp_yaml *document, const char *path)
{
	const struct kp_yaml *at = document;
	char copy[64], *rest = copy, *name;

	kp_assert(strlen(path) < sizeof(copy));
	kp_copy(copy, path, strlen(path) + 1);
	while (at != NULL && (name = strsep(&rest, ".")) != NULL)
		at = at->kind == KP_YAML_MAP ? kp_yaml_get(at, name) : NULL;
	return at;
}

static void
add_scalar(struct kp_buf *out, const struct kp_yaml *node)
{
	if (node->kind == KP_YAML_SCALAR)
		kp_escape_add(out, node->text);
	else if (node->kind != KP_YAML_NULL)
		kp_buf_add_text(out, "...");
}

void
kp_view_text(
    struct kp_buf *out, const struct kp_yaml *document, const char *path)
{
	const struct kp_yaml *node = kp_view_at(document, path);

	if (node == NULL)
		return;
	if (node->kind != KP_YAML_LIST) {
		add_scalar(out, node);
		return;
	}
	for (size_t i = 0; i < node->num_items; i++) {
		kp_buf_add_text(out, i > 0 ? "," : "");
		add_scalar(out, node->items[i]);
	}
}

void
kp_view_labels(
    struct kp_buf *out, Kproxy__Control__V1__Label *const *labels, size_t num)
{
	for (size_t i = 0; i < num; i++) {
		kp_buf_add_text(out, i > 0 ? "," : "");
		kp_escape_add(out, labels[i]->name);
		kp_buf_add_text(out, "=");
		kp_escape_add(out, labels[i]->value);
	}
}

/* Each cell of a row; buffers are the table's, one for each column. */
static void
fill_row(struct kp_buf *cells, const struct kind_view *kind,
    const Kproxy__Control__V1__Resource *resource, bool has_kinds)
{
	struct kp_yaml *document = kp_view_tree(resource);

	if (has_kinds)
		kp_kind_title(cells++, resource->kind, resource->name);
	else
		kp_escape_add(cells++, resource->name);
	for (size_t i = 0; i < MAX_COLUMNS && kind->columns[i].name; i++)
		kp_view_text(cells++, document, kind->columns[i].path);
	kp_buf_printf(cells++, "%" PRIu64, resource->resource_version);
	kp_view_labels(cells, resource->labels, resource->n_labels);
	kp_yaml_free(document);
}

/* A cell that is too long is cut, one that could not be had not left out. */
static void
add_row(struct kp_table *table, struct kp_buf *cells, size_t num)
{
	const char *texts[KP_TABLE_MAX_COLUMNS];

	for (size_t i = 0; i < num; i++) {
		kp_output_part(&cells[i]);
		texts[i] = kp_buf_text(&cells[i]);
	}
	kp_table_add(table, texts);
	for (size_t i = 0; i < num; i++)
		kp_buf_clear(&cells[i]);
}

/* NAME, what the kind shows, REVISION, LABELS. */
void
kp_view_table(struct kp_buf *out, const struct kp_view *view,
    Kproxy__Control__V1__Resource *const *list, size_t num, bool has_kinds)
{
	const struct kind_view *kind = view_of(list[0]->kind);
	struct kp_table_column columns[MAX_COLUMNS + 4] = {
		{ .name = "NAME" },
	};
	struct kp_table table = { .columns = columns };
	struct kp_buf cells[MAX_COLUMNS + 3];
	size_t at = 1;

	for (size_t i = 0; i < MAX_COLUMNS && kind->columns[i].name; i++)
		columns[at++].name = kind->columns[i].name;
	columns[at++].name = "REVISION";
	columns[at].is_wide = !kp_args_is(view->args, "show-labels");
	columns[at++].name = "LABELS";
	table.has_no_heading = kp_args_is(view->args, "no-headers");
	for (size_t i = 0; i < at; i++)
		kp_buf_init(&cells[i], MAX_CELL_LEN);
	for (size_t i = 0; i < num; i++) {
		fill_row(cells, kind, list[i], has_kinds);
		add_row(&table, cells, at);
	}
	for (size_t i = 0; i < at; i++)
		kp_buf_fini(&cells[i]);
	kp_table_print(out, &table, kp_output_is(view->args, "wide"));
	kp_table_fini(&table);
}

/* A table for each kind, as kinds have columns of their own. */
static void
add_tables(struct kp_buf *out, const struct kp_view *view,
    Kproxy__Control__V1__Resource *const *list, size_t num)
{
	bool has_kinds = false;

	for (size_t i = 1; i < num; i++)
		has_kinds |= strcmp(list[i]->kind, list[0]->kind) != 0;
	for (size_t i = 0; i < num;) {
		size_t len = 1;

		while (i + len < num &&
		       strcmp(list[i]->kind, list[i + len]->kind) == 0)
			len++;
		kp_buf_add_text(out, i > 0 ? "\n" : "");
		kp_view_table(out, view, list + i, len, has_kinds);
		i += len;
	}
}

static void
add_names(
    struct kp_buf *out, Kproxy__Control__V1__Resource *const *list, size_t num)
{
	for (size_t i = 0; i < num; i++) {
		kp_kind_title(out, list[i]->kind, list[i]->name);
		kp_buf_add_text(out, "\n");
	}
}

struct kp_yaml *
kp_view_number(uint64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	return kp_yaml_new_word(text);
}

struct kp_yaml *
kp_view_labels_tree(Kproxy__Control__V1__Label *const *labels, size_t num)
{
	struct kp_yaml *map = kp_yaml_new_map();

	for (size_t i = 0; i < num && i < KP_VIEW_MAX_PAIRS; i++) {
		if (kp_yaml_get(map, labels[i]->name) == NULL)
			kp_yaml_put(map, labels[i]->name,
			    kp_yaml_new_text(labels[i]->value));
	}
	return map;
}

struct kp_yaml *
kp_view_list(uint64_t revision, struct kp_yaml **out_items)
{
	struct kp_yaml *list = kp_yaml_new_map(), *metadata;

	kp_yaml_put(
	    list, "apiVersion", kp_yaml_new_text(KP_RESOURCE_API_VERSION));
	kp_yaml_put(list, "kind", kp_yaml_new_text("List"));
	metadata = kp_yaml_put(list, "metadata", kp_yaml_new_map());
	if (revision > 0)
		kp_yaml_put(metadata, "revision", kp_view_number(revision));
	*out_items = kp_yaml_put(list, "items", kp_yaml_new_list());
	return list;
}

static bool
complain(const Kproxy__Control__V1__Resource *resource)
{
	struct kp_buf title;
	char *text;

	if (kp_output_is_refused())
		return false;
	kp_buf_init(&title, MAX_CELL_LEN);
	kp_kind_title(&title, resource->kind, resource->name);
	text = kp_view_dup(&title);
	kp_output_problem(
	    "%s: what the server sent is no resource that can be read", text);
	free(text);
	return false;
}

static bool
add_json(struct kp_buf *out, const struct kp_view *view,
    Kproxy__Control__V1__Resource *const *list, size_t num)
{
	struct kp_yaml *items, *root = kp_view_list(view->revision, &items);
	bool is_ok = true;

	for (size_t i = 0; is_ok && i < num; i++) {
		struct kp_yaml *tree = kp_view_tree(list[i]);

		if (tree != NULL)
			kp_yaml_append(items, tree);
		else
			is_ok = complain(list[i]);
	}
	if (is_ok)
		kp_yaml_write_json(
		    out, view->is_one && num == 1 ? items->items[0] : root);
	kp_yaml_free(root);
	return is_ok;
}

/* Documents, so that they can be applied again. */
static bool
add_yaml(
    struct kp_buf *out, Kproxy__Control__V1__Resource *const *list, size_t num)
{
	for (size_t i = 0; i < num; i++) {
		struct kp_yaml *tree = kp_view_tree(list[i]);

		if (tree == NULL)
			return complain(list[i]);
		kp_buf_add_text(out, i > 0 ? "---\n" : "");
		kp_yaml_write(out, tree);
		kp_yaml_free(tree);
	}
	return true;
}

bool
kp_view_add(struct kp_buf *out, const struct kp_view *view,
    Kproxy__Control__V1__Resource *const *list, size_t num)
{
	if (kp_output_is(view->args, "json"))
		return add_json(out, view, list, num);
	if (kp_output_is(view->args, "yaml"))
		return add_yaml(out, list, num);
	if (kp_output_is(view->args, "name"))
		add_names(out, list, num);
	else if (num > 0)
		add_tables(out, view, list, num);
	return true;
}
