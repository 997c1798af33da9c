/* SPDX-License-Identifier: Apache-2.0 */
/* One resource: what all kinds have, its problems, its life. */
#include "rules/resource.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "rules/resource_priv.h"

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
	    .max = KP_RESOURCE_MAX_NAME_LEN,
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

bool
kp_resource_reaches(
    const struct kp_resource *resource, const struct kp_labels *node)
{
	return kp_labels_first_missing(&resource->nodes, node) == NULL;
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

struct kp_file_name *
kp_file_name_new(const char *text)
{
	struct kp_file_name *file = kp_alloc(1, sizeof(*file));

	atomic_init(&file->refs, 1);
	file->text = kp_strdup(text);
	return file;
}

void
kp_file_name_unref(struct kp_file_name *file)
{
	if (atomic_fetch_sub(&file->refs, 1) != 1)
		return;
	free(file->text);
	free(file);
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
	if (name->text[0] == '\0' ||
	    strlen(name->text) > KP_RESOURCE_MAX_NAME_LEN)
		return NULL;
	return complain_name(name->text) == NULL ? name->text : NULL;
}

static void
note_secret(void *ctx, const struct kp_value *value)
{
	struct kp_resource_share *share = ctx;

	share->has_secrets |= kp_value_is_secret(value);
}

static bool
is_reference(const struct kp_value *value)
{
	return value->setting->type == KP_SETTING_REFERENCE &&
	       value->text != NULL;
}

static void
count_reference(void *ctx, const struct kp_value *value)
{
	size_t *num = ctx;

	*num += is_reference(value);
}

static void
add_reference(void *ctx, const struct kp_value *value)
{
	struct kp_resource_share *share = ctx;

	if (is_reference(value))
		share->references[share->num_references++] = value;
}

static void
find_references(
    const struct kp_value *document, struct kp_resource_share *share)
{
	size_t num = 0;

	kp_value_walk(document, count_reference, &num);
	share->references = kp_alloc(num, sizeof(*share->references));
	kp_value_walk(document, add_reference, share);
}

/* Judges what is read of a resource, and keeps what is asked for often. */
static void
take_document(struct kp_resource *resource, struct kp_diagnostics *diagnostics)
{
	const struct kp_value *document = resource->document;
	size_t before = kp_diagnostics_count(diagnostics);

	if (document == NULL)
		return;
	resource->spec = kp_value_get(document, "spec");
	kp_value_labels(
	    kp_value_get(document, "metadata.labels"), &resource->labels);
	kp_value_labels(
	    kp_value_get(resource->spec, "nodes"), &resource->nodes);
	find_references(document, resource->share);
	kp_value_walk(document, note_secret, resource->share);
	if (resource->kind->check != NULL)
		resource->kind->check(resource, diagnostics);
	resource->share->is_sound = kp_diagnostics_count(diagnostics) == before;
}

const struct kp_resource *
kp_resource_new(const struct kp_resource_kind *kind, const struct kp_yaml *root,
    struct kp_file_name *file, struct kp_diagnostics *diagnostics)
{
	const char *name = peek_name(root);
	char what[KP_RESOURCE_TITLE_SIZE];
	struct kp_resource *resource;
	struct kp_value *document;

	(void)snprintf(what, sizeof(what), name == NULL ? "%s" : "%s \"%s\"",
	    kind->name, name);
	document = kp_value_parse(
	    &kind->document, root, file->text, what, diagnostics);
	if (name == NULL) {
		kp_value_free(document);
		return NULL;
	}
	resource = kp_alloc(1, sizeof(*resource));
	*resource = (struct kp_resource){
		.kind = kind,
		.at = { file->text, root->line, root->column },
		.name = kp_strdup(name),
		.document = document,
		.share = kp_alloc(1, sizeof(*resource->share)),
	};
	atomic_init(&resource->share->refs, 1);
	resource->share->resource = resource;
	resource->share->file = file;
	(void)atomic_fetch_add(&file->refs, 1);
	take_document(resource, diagnostics);
	return resource;
}

const struct kp_resource *
kp_resource_ref(const struct kp_resource *resource)
{
	(void)atomic_fetch_add(&resource->share->refs, 1);
	return resource;
}

void
kp_resource_unref(const struct kp_resource *borrowed)
{
	struct kp_resource_share *share;
	struct kp_resource *resource;

	if (borrowed == NULL)
		return;
	share = borrowed->share;
	if (atomic_fetch_sub(&share->refs, 1) != 1)
		return;
	resource = share->resource;
	kp_labels_fini(&resource->labels);
	kp_labels_fini(&resource->nodes);
	kp_value_free(resource->document);
	kp_file_name_unref(share->file);
	free(share->references);
	free(share);
	free(resource->name);
	free(resource);
}

bool
kp_resource_is_sound(const struct kp_resource *resource)
{
	return resource->share->is_sound;
}
