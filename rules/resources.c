/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of resources: what is in them, and what is wrong with all together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "rules/resource_priv.h"

/* Names that are compared to find what a wrong one may have meant. */
#define MAX_CANDIDATES 1000

/* A resource by its names, and its index in the list. */
struct entry {
	const struct kp_resource_kind *kind;
	const char *name;
	size_t position;
};

struct kp_resources {
	const struct kp_resource **list;
	size_t num, max;
	struct entry *sorted; /* by kind and name; after the check */
	const struct kp_resource *surplus; /* the first beyond the limit */
	size_t num_problems;
	bool is_checked;
};

/* One file on its way into the set. */
struct addition {
	struct kp_resources *set;
	struct kp_file_name *file;
	struct kp_diagnostics *diagnostics;
};

struct kp_resources *
kp_resources_new(void)
{
	return kp_alloc(1, sizeof(struct kp_resources));
}

void
kp_resources_free(struct kp_resources *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->num; i++)
		kp_resource_unref(set->list[i]);
	kp_resource_unref(set->surplus);
	free(set->sorted);
	free(set->list);
	free(set);
}

/* Becomes owner of one reference. */
static void
add(struct kp_resources *set, const struct kp_resource *resource)
{
	if (set->num == set->max) {
		set->max = set->max == 0 ? 1 : 2 * set->max;
		set->list = kp_realloc(set->list, set->max, sizeof(*set->list));
	}
	set->list[set->num++] = resource;
}

static void
problem_at(
    const struct addition *a, const struct kp_yaml *node, const char *text)
{
	struct kp_origin at = { a->file->text, node->line, node->column };

	kp_diagnostics_add(a->diagnostics, &at, "%s", text);
}

static void
unknown_kind(const struct addition *a, const struct kp_yaml *node)
{
	const char *names[64] = { NULL };
	struct kp_buf text;
	const char *near;

	kp_buf_init_small(&text, 2048);
	kp_buf_printf(&text, "unknown kind \"%.80s\"", node->text);
	for (size_t i = 0; kp_resource_kinds[i] != NULL && i < 63; i++)
		names[i] = kp_resource_kinds[i]->name;
	near = kp_suggest(node->text, names);
	if (near != NULL)
		kp_buf_printf(&text, "; did you mean \"%s\"?", near);
	for (size_t i = 0; near == NULL && names[i] != NULL; i++)
		kp_buf_printf(
		    &text, "%s\"%s\"", i > 0 ? ", " : "; known are ", names[i]);
	problem_at(a, node, kp_buf_text(&text));
	kp_buf_fini(&text);
}

static const struct kp_resource_kind *
parse_kind(const struct addition *a, const struct kp_yaml *root)
{
	const struct kp_yaml *node = kp_yaml_get(root, "kind");
	const struct kp_resource_kind *kind;

	if (node == NULL) {
		problem_at(a, root, "\"kind\" is missing");
		return NULL;
	}
	if (node->kind != KP_YAML_SCALAR) {
		problem_at(a, node, "kind: must be text");
		return NULL;
	}
	kind = kp_resource_kind_find(node->text);
	if (kind == NULL)
		unknown_kind(a, node);
	return kind;
}

static void
add_document(const struct addition *a, const struct kp_yaml *root)
{
	const struct kp_resource_kind *kind;
	const struct kp_resource *resource;

	if (root->kind != KP_YAML_MAP) {
		problem_at(a, root,
		    "must be a map with apiVersion, kind, metadata and spec");
		return;
	}
	if (a->set->num == KP_MAX_RESOURCES) {
		problem_at(a, root, "too many resources");
		return;
	}
	kind = parse_kind(a, root);
	if (kind == NULL)
		return;
	resource = kp_resource_new(kind, root, a->file, a->diagnostics);
	if (resource != NULL)
		add(a->set, resource);
}

void
kp_resources_add_shared(
    struct kp_resources *set, const struct kp_resource *resource)
{
	kp_assert(!set->is_checked);
	if (set->num == KP_MAX_RESOURCES) {
		if (set->surplus == NULL)
			set->surplus = kp_resource_ref(resource);
		return;
	}
	set->num_problems += !resource->share->is_sound;
	add(set, kp_resource_ref(resource));
}

void
kp_resources_add_file(struct kp_resources *set, const char *file,
    struct kp_bytes text, struct kp_diagnostics *diagnostics)
{
	size_t before = kp_diagnostics_count(diagnostics);
	struct addition a = { set, kp_file_name_new(file), diagnostics };
	struct kp_yaml_stream stream;
	struct kp_error err;

	kp_assert(!set->is_checked);
	if (kp_yaml_parse(&stream, text, &err)) {
		for (size_t i = 0; i < stream.num_documents; i++)
			add_document(&a, stream.documents[i]);
		kp_yaml_stream_fini(&stream);
	} else {
		kp_diagnostics_add_yaml(diagnostics, file, &err);
	}
	kp_file_name_unref(a.file);
	set->num_problems += kp_diagnostics_count(diagnostics) - before;
}

static int
compare_names(const struct entry *a, const struct entry *b)
{
	if (a->kind != b->kind)
		return strcmp(a->kind->name, b->kind->name);
	return strcmp(a->name, b->name);
}

/* By kind and name, then in the order in which they were said. */
static int
compare(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = compare_names(a, b);

	if (order != 0)
		return order;
	return a->position < b->position ? -1 : a->position > b->position;
}

static void
sort(struct kp_resources *set)
{
	set->sorted = kp_alloc(set->num, sizeof(*set->sorted));
	for (size_t i = 0; i < set->num; i++)
		set->sorted[i] =
		    (struct entry){ set->list[i]->kind, set->list[i]->name, i };
	qsort(set->sorted, set->num, sizeof(*set->sorted), compare);
}

static void
check_names(const struct kp_resources *set, struct kp_diagnostics *diagnostics)
{
	for (size_t i = 1; i < set->num; i++) {
		const struct entry *pair = &set->sorted[i - 1];
		const struct kp_resource *first, *again;

		if (compare_names(&pair[0], &pair[1]) != 0)
			continue;
		first = set->list[pair[0].position];
		again = set->list[pair[1].position];
		kp_resource_problem(again, &again->at, diagnostics,
		    "is declared already at %s:%u", first->at.file,
		    first->at.line);
	}
}

static const char *
suggest_name(const struct kp_resources *set, const char *kind, const char *text)
{
	const char *names[MAX_CANDIDATES + 1] = { NULL };
	size_t num = 0;

	for (size_t i = 0; i < set->num && num < MAX_CANDIDATES; i++) {
		if (strcmp(set->list[i]->kind->name, kind) == 0)
			names[num++] = set->list[i]->name;
	}
	return kp_suggest(text, names);
}

static void
report_nobody(const struct kp_resources *set,
    const struct kp_resource *resource, const struct kp_value *value,
    struct kp_diagnostics *diagnostics)
{
	const char *kind = value->setting->kind, *near = NULL;

	/* Suggestions take time; those that nobody will read are not made. */
	if (diagnostics->num_left_out == 0)
		near = suggest_name(set, kind, value->text);
	if (near == NULL)
		kp_resource_problem(resource, &value->at, diagnostics,
		    "there is no %s \"%.80s\"", kind, value->text);
	else
		kp_resource_problem(resource, &value->at, diagnostics,
		    "there is no %s \"%.80s\"; did you mean \"%s\"?", kind,
		    value->text, near);
}

/* A node that gets resource must get found, too. */
static void
check_reach(const struct kp_resource *resource, const struct kp_value *value,
    const struct kp_resource *found, struct kp_diagnostics *diagnostics)
{
	const struct kp_label *missing =
	    kp_labels_first_missing(&found->nodes, &resource->nodes);
	const char *own;

	if (missing == NULL)
		return;
	own = kp_labels_find(&resource->nodes, missing->name);
	if (own == NULL)
		kp_resource_problem(resource, &value->at, diagnostics,
		    "%s \"%s\" is only for nodes with the label \"%s: %s\", "
		    "which is missing in spec.nodes",
		    found->kind->name, found->name, missing->name,
		    missing->value);
	else
		kp_resource_problem(resource, &value->at, diagnostics,
		    "%s \"%s\" is only for nodes with the label \"%s: %s\", "
		    "spec.nodes wants \"%s: %s\"",
		    found->kind->name, found->name, missing->name,
		    missing->value, missing->name, own);
}

static void
check_references(const struct kp_resources *set,
    const struct kp_resource *resource, struct kp_diagnostics *diagnostics)
{
	const struct kp_resource_share *share = resource->share;

	for (size_t i = 0; i < share->num_references; i++) {
		const struct kp_value *value = share->references[i];
		const struct kp_resource *found =
		    kp_resources_find(set, value->setting->kind, value->text);

		if (found == NULL)
			report_nobody(set, resource, value, diagnostics);
		else
			check_reach(resource, value, found, diagnostics);
	}
}

bool
kp_resources_check(struct kp_resources *set, struct kp_diagnostics *diagnostics)
{
	size_t before = kp_diagnostics_count(diagnostics);

	kp_assert(!set->is_checked);
	if (set->surplus != NULL)
		kp_resource_problem(set->surplus, &set->surplus->at,
		    diagnostics,
		    "is too much: at most %d resources are allowed",
		    KP_MAX_RESOURCES);
	sort(set);
	set->is_checked = true;
	check_names(set, diagnostics);
	for (size_t i = 0; i < set->num; i++)
		check_references(set, set->list[i], diagnostics);
	for (size_t i = 0; kp_resource_kinds[i] != NULL; i++) {
		if (kp_resource_kinds[i]->check_all != NULL)
			kp_resource_kinds[i]->check_all(set, diagnostics);
	}
	set->num_problems += kp_diagnostics_count(diagnostics) - before;
	return set->num_problems == 0;
}

bool
kp_resources_is_valid(const struct kp_resources *set)
{
	return set->is_checked && set->num_problems == 0;
}

size_t
kp_resources_count(const struct kp_resources *set)
{
	return set->num;
}

const struct kp_resource *
kp_resources_at(const struct kp_resources *set, size_t index)
{
	kp_assert(index < set->num);
	return set->list[index];
}

static int
compare_lookup(const void *key, const void *element)
{
	return compare_names(key, element);
}

size_t
kp_resources_position(
    const struct kp_resources *set, const char *kind, const char *name)
{
	const struct entry wanted = { kp_resource_kind_find(kind), name, 0 };
	const struct entry *found;

	kp_assert(set->is_checked);
	if (set->num == 0 || wanted.kind == NULL)
		return set->num;
	found = bsearch(&wanted, set->sorted, set->num, sizeof(*set->sorted),
	    compare_lookup);
	return found == NULL ? set->num : found->position;
}

const struct kp_resource *
kp_resources_find(
    const struct kp_resources *set, const char *kind, const char *name)
{
	size_t position = kp_resources_position(set, kind, name);

	return position == set->num ? NULL : set->list[position];
}

/* Carries the caller's function through the walk. */
struct secret_visit {
	kp_visit_secret visit;
	void *ctx;
};

static void
visit_if_secret(void *ctx, const struct kp_value *value)
{
	struct secret_visit *v = ctx;
	struct kp_secret_ref ref;

	if (!kp_value_is_secret(value))
		return;
	ref = kp_value_secret(value);
	v->visit(v->ctx, &ref);
}

void
kp_resources_each_secret(
    const struct kp_resources *set, kp_visit_secret visit, void *ctx)
{
	struct secret_visit v = { visit, ctx };

	/* few have any, and sets are large */
	for (size_t i = 0; i < set->num; i++) {
		if (set->list[i]->share->has_secrets)
			kp_value_walk(
			    set->list[i]->document, visit_if_secret, &v);
	}
}
