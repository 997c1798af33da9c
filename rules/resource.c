/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/resource.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

#define MAX_NAME_LEN 63
/* Names that are compared to find what a wrong one may have meant. */
#define MAX_CANDIDATES 1000

struct kp_resources {
	struct kp_resource **list;
	size_t num;
	struct kp_resource **sorted; /* by kind and name; after the check */
	char **files;                /* origins borrow from here */
	size_t num_files;
	size_t num_problems;
	bool is_checked;
};

/* One file on its way into the set. */
struct addition {
	struct kp_resources *set;
	const char *file;
	struct kp_diagnostics *diagnostics;
};

/* Kubernetes' rule for names (RFC 1123 label). */
static const char *
complain_name(const char *text)
{
	size_t len = strlen(text);

	if (strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") != len ||
	    text[0] == '-' || text[len - 1] == '-')
		return "is not a name: lower case letters, digits and \"-\" "
		       "are allowed, with a letter or digit at both ends";
	return NULL;
}

const struct kp_setting kp_resource_metadata_fields[] = {
	{ .name = "name",
	    .type = KP_SETTING_STRING,
	    .is_required = true,
	    .max = MAX_NAME_LEN,
	    .complaint = complain_name,
	    .example = "example",
	    .help = "Unique among the resources of a kind. Lower case letters, "
		    "digits and \"-\", at most 63." },
	{ .name = "labels",
	    .type = KP_SETTING_LABELS,
	    .help = "Free pairs to find resources by. Names and values as in "
		    "Kubernetes, at most 64." },
	{ .name = "annotations",
	    .type = KP_SETTING_MAP,
	    .help = "Free pairs for people and tools; never interpreted." },
	{ .type = KP_SETTING_END },
};

const struct kp_setting_word kp_resource_api_versions[] = {
	{ .word = "kproxy/v1" },
	{ .word = NULL },
};

const struct kp_resource_kind *
kp_resource_kind_find(const char *name)
{
	for (size_t i = 0; kp_resource_kinds[i] != NULL; i++) {
		if (strcmp(kp_resource_kinds[i]->name, name) == 0)
			return kp_resource_kinds[i];
	}
	return NULL;
}

void
kp_resource_title(const struct kp_resource *resource, char *out)
{
	(void)snprintf(out, KP_RESOURCE_TITLE_SIZE, "%s \"%s\"",
	    resource->kind->name, resource->name);
}

const struct kp_labels *
kp_resource_labels(const struct kp_resource *resource)
{
	return &resource->labels;
}

void
kp_resource_problem(const struct kp_resource *resource,
    const struct kp_origin *at, struct kp_diagnostics *diagnostics,
    const char *fmt, ...)
{
	char title[KP_RESOURCE_TITLE_SIZE], path[KP_VALUE_PATH_SIZE], text[512];
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		text[0] = '\0';
	va_end(args);
	kp_resource_title(resource, title);
	kp_value_path(resource->document, at, path);
	kp_diagnostics_add_about(diagnostics, at, title, path, text);
}

bool
kp_resource_is_file_name(const char *name)
{
	const char *suffix = strrchr(name, '.');

	return name[0] != '.' && suffix != NULL &&
	       (strcmp(suffix, ".yaml") == 0 || strcmp(suffix, ".yml") == 0);
}

struct kp_resources *
kp_resources_new(void)
{
	return kp_alloc(1, sizeof(struct kp_resources));
}

static void
resource_free(struct kp_resource *resource)
{
	kp_labels_fini(&resource->labels);
	kp_value_free(resource->document);
	free(resource->name);
	free(resource);
}

void
kp_resources_free(struct kp_resources *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->num; i++)
		resource_free(set->list[i]);
	for (size_t i = 0; i < set->num_files; i++)
		free(set->files[i]);
	free(set->files);
	free(set->sorted);
	free(set->list);
	free(set);
}

static void
problem_at(
    const struct addition *a, const struct kp_yaml *node, const char *text)
{
	struct kp_origin at = { a->file, node->line, node->column };

	kp_diagnostics_add(a->diagnostics, &at, "%s", text);
}

static void
unknown_kind(const struct addition *a, const struct kp_yaml *node)
{
	const char *names[64] = { NULL };
	struct kp_buf text;
	const char *near;

	kp_buf_init(&text, 2048);
	kp_buf_printf(&text, "unknown kind \"%.80s\"", node->text);
	for (size_t i = 0; kp_resource_kinds[i] != NULL && i < 63; i++)
		names[i] = kp_resource_kinds[i]->name;
	near = kp_suggest(node->text, names);
	if (near != NULL)
		kp_buf_printf(&text, "; did you mean \"%s\"?", near);
	for (size_t i = 0; near == NULL && names[i] != NULL; i++)
		kp_buf_printf(
		    &text, "%s\"%s\"", i > 0 ? ", " : "; known are ", names[i]);
	kp_buf_add(&text, "", 1);
	problem_at(a, node, (const char *)text.data);
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

/* The name as it stands in the file; NULL if that is none. */
static const char *
peek_name(const struct kp_yaml *root)
{
	const struct kp_yaml *metadata = kp_yaml_get(root, "metadata");
	const struct kp_yaml *name;

	name = metadata == NULL ? NULL : kp_yaml_get(metadata, "name");
	if (name == NULL || name->kind != KP_YAML_SCALAR)
		return NULL;
	if (name->text[0] == '\0' || strlen(name->text) > MAX_NAME_LEN)
		return NULL;
	return complain_name(name->text) == NULL ? name->text : NULL;
}

/*
 * A resource with problems stays in the set under its name, so that those who
 * refer to it are not reported as well.
 */
static void
add_resource(const struct addition *a, const struct kp_yaml *root,
    const struct kp_resource_kind *kind)
{
	struct kp_resources *set = a->set;
	const char *name = peek_name(root);
	char what[KP_RESOURCE_TITLE_SIZE];
	struct kp_resource *resource;
	struct kp_value *document;

	(void)snprintf(what, sizeof(what), name == NULL ? "%s" : "%s \"%s\"",
	    kind->name, name);
	document = kp_value_parse(
	    &kind->document, root, a->file, what, a->diagnostics);
	if (name == NULL) {
		kp_value_free(document);
		return;
	}
	resource = kp_alloc(1, sizeof(*resource));
	*resource = (struct kp_resource){
		.kind = kind,
		.at = { a->file, root->line, root->column },
		.position = set->num,
		.name = kp_strdup(name),
		.document = document,
	};
	if (document != NULL) {
		resource->spec = kp_value_get(document, "spec");
		kp_value_labels(kp_value_get(document, "metadata.labels"),
		    &resource->labels);
	}
	if (set->list == NULL)
		set->list = kp_alloc(KP_MAX_RESOURCES, sizeof(*set->list));
	set->list[set->num++] = resource;
}

static void
add_document(const struct addition *a, const struct kp_yaml *root)
{
	const struct kp_resource_kind *kind;

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
	if (kind != NULL)
		add_resource(a, root, kind);
}

static const char *
keep_file_name(struct kp_resources *set, const char *file)
{
	char **files =
	    reallocarray(set->files, set->num_files + 1, sizeof(*set->files));

	kp_assert(files != NULL);
	set->files = files;
	files[set->num_files] = kp_strdup(file);
	return files[set->num_files++];
}

void
kp_resources_add_file(struct kp_resources *set, const char *file,
    struct kp_bytes text, struct kp_diagnostics *diagnostics)
{
	size_t before = kp_diagnostics_count(diagnostics);
	struct addition a = { set, keep_file_name(set, file), diagnostics };
	struct kp_yaml_stream stream;
	struct kp_error err;

	kp_assert(!set->is_checked);
	if (kp_yaml_parse(&stream, text, &err)) {
		for (size_t i = 0; i < stream.num_documents; i++)
			add_document(&a, stream.documents[i]);
		kp_yaml_stream_fini(&stream);
	} else {
		kp_diagnostics_add_yaml(diagnostics, a.file, &err);
	}
	set->num_problems += kp_diagnostics_count(diagnostics) - before;
}

static int
compare_names(const struct kp_resource *a, const struct kp_resource *b)
{
	int order = strcmp(a->kind->name, b->kind->name);

	return order != 0 ? order : strcmp(a->name, b->name);
}

/* By kind and name, then in the order in which they were said. */
static int
compare(const void *left, const void *right)
{
	const struct kp_resource *a = *(struct kp_resource *const *)left;
	const struct kp_resource *b = *(struct kp_resource *const *)right;
	int order = compare_names(a, b);

	if (order != 0)
		return order;
	return a->position < b->position ? -1 : a->position > b->position;
}

static void
check_names(struct kp_resources *set, struct kp_diagnostics *diagnostics)
{
	set->sorted = kp_alloc(set->num, sizeof(*set->sorted));
	kp_copy(set->sorted, set->list, set->num * sizeof(*set->sorted));
	qsort(set->sorted, set->num, sizeof(*set->sorted), compare);
	for (size_t i = 1; i < set->num; i++) {
		const struct kp_resource *first = set->sorted[i - 1];
		const struct kp_resource *again = set->sorted[i];

		if (compare_names(first, again) == 0)
			kp_resource_problem(again, &again->at, diagnostics,
			    "is declared already at %s:%u", first->at.file,
			    first->at.line);
	}
}

/* What a visitor of values needs to judge references. */
struct reference_check {
	const struct kp_resources *set;
	const struct kp_resource *resource;
	struct kp_diagnostics *diagnostics;
};

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
check_reference(void *ctx, const struct kp_value *value)
{
	struct reference_check *check = ctx;
	const struct kp_setting *setting = value->setting;
	const char *near = NULL;

	if (setting->type != KP_SETTING_REFERENCE || value->text == NULL)
		return;
	if (kp_resources_find(check->set, setting->kind, value->text) != NULL)
		return;
	/* Suggestions take time; those that nobody will read are not made. */
	if (check->diagnostics->num_left_out == 0)
		near = suggest_name(check->set, setting->kind, value->text);
	if (near == NULL)
		kp_resource_problem(check->resource, &value->at,
		    check->diagnostics, "there is no %s \"%.80s\"",
		    setting->kind, value->text);
	else
		kp_resource_problem(check->resource, &value->at,
		    check->diagnostics,
		    "there is no %s \"%.80s\"; did you mean \"%s\"?",
		    setting->kind, value->text, near);
}

static void
check_resource(struct kp_resources *set, struct kp_resource *resource,
    struct kp_diagnostics *diagnostics)
{
	struct reference_check check = { set, resource, diagnostics };

	if (resource->document == NULL)
		return;
	kp_value_walk(resource->document, check_reference, &check);
	if (resource->kind->check != NULL)
		resource->kind->check(resource, diagnostics);
}

bool
kp_resources_check(struct kp_resources *set, struct kp_diagnostics *diagnostics)
{
	size_t before = kp_diagnostics_count(diagnostics);

	kp_assert(!set->is_checked);
	check_names(set, diagnostics);
	set->is_checked = true;
	for (size_t i = 0; i < set->num; i++)
		check_resource(set, set->list[i], diagnostics);
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

/* What is looked for, compared with one of the sorted resources. */
struct lookup {
	const char *kind;
	const char *name;
};

static int
compare_lookup(const void *key, const void *element)
{
	const struct lookup *wanted = key;
	const struct kp_resource *resource =
	    *(struct kp_resource *const *)element;
	int order = strcmp(wanted->kind, resource->kind->name);

	return order != 0 ? order : strcmp(wanted->name, resource->name);
}

const struct kp_resource *
kp_resources_find(
    const struct kp_resources *set, const char *kind, const char *name)
{
	struct lookup wanted = { kind, name };
	struct kp_resource **found;

	kp_assert(set->is_checked);
	if (set->num == 0)
		return NULL;
	found = bsearch(&wanted, set->sorted, set->num, sizeof(*set->sorted),
	    compare_lookup);
	return found == NULL ? NULL : *found;
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

	if (value->setting->type != KP_SETTING_SECRET || value->text == NULL)
		return;
	ref = kp_value_secret(value);
	v->visit(v->ctx, &ref);
}

void
kp_resources_each_secret(
    const struct kp_resources *set, kp_visit_secret visit, void *ctx)
{
	struct secret_visit v = { visit, ctx };

	for (size_t i = 0; i < set->num; i++)
		kp_value_walk(set->list[i]->document, visit_if_secret, &v);
}
