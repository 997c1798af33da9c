/* SPDX-License-Identifier: Apache-2.0 */
#include "control/agent/source.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/files.h"
#include "base/yaml.h"

struct kp_node_file {
	unsigned refs;
	struct kp_buf text;
	struct kp_node_config config;
};

/* Reads path into text; false with a diagnostic. */
static bool
read_text(struct kp_source *source, const char *path, struct kp_buf *text)
{
	struct kp_origin at = { .file = path };
	struct kp_error err;

	kp_buf_init(text, KP_YAML_MAX_BYTES);
	if (kp_file_read(text, path, &err))
		return true;
	kp_diagnostics_add(
	    &source->diagnostics, &at, "%s", kp_file_reason(&err, path));
	kp_buf_fini(text);
	return false;
}

struct kp_node_file *
kp_node_file_ref(struct kp_node_file *file)
{
	file->refs++;
	return file;
}

void
kp_node_file_unref(struct kp_node_file *file)
{
	if (file == NULL || --file->refs > 0)
		return;
	kp_buf_fini(&file->text);
	kp_node_config_fini(&file->config);
	free(file);
}

/* Takes text over. */
static struct kp_node_file *
parse_node_file(struct kp_source *source, const char *path, struct kp_buf *text)
{
	struct kp_node_file *file = kp_alloc(1, sizeof(*file));

	file->refs = 1;
	file->text = *text;
	if (kp_node_config_parse(
		&file->config, path, kp_buf_bytes(text), &source->diagnostics))
		return file;
	kp_node_file_unref(file);
	return NULL;
}

static void
load_config(
    struct kp_source *source, const char *path, struct kp_node_file *before)
{
	struct kp_buf text;

	if (!read_text(source, path, &text))
		return;
	if (before != NULL &&
	    kp_bytes_equal(kp_buf_bytes(&before->text), kp_buf_bytes(&text))) {
		kp_buf_fini(&text);
		source->node_file = kp_node_file_ref(before);
	} else {
		source->node_file = parse_node_file(source, path, &text);
	}
	source->has_config = source->node_file != NULL;
	if (source->has_config)
		source->config = source->node_file->config;
}

static int
is_resource_file(const struct dirent *entry)
{
	return kp_resource_is_file_name(entry->d_name);
}

static void
load_file(struct kp_source *source, const char *folder, const char *name)
{
	struct kp_buf text;
	char *path = NULL;

	kp_assert(asprintf(&path, "%s/%s", folder, name) >= 0);
	if (read_text(source, path, &text)) {
		kp_resources_add_file(source->resources, path,
		    kp_buf_bytes(&text), &source->diagnostics);
		kp_buf_fini(&text);
	}
	free(path);
}

static void
load_folder(struct kp_source *source, const char *folder)
{
	struct kp_origin at = { .file = folder };
	struct dirent **entries;
	int num = scandir(folder, &entries, is_resource_file, alphasort);

	if (num < 0) {
		kp_diagnostics_add(&source->diagnostics, &at,
		    "could not read the folder of resources: %s",
		    strerrordesc_np(errno));
		return;
	}
	if (num > KP_SOURCE_MAX_FILES)
		kp_diagnostics_add(&source->diagnostics, &at,
		    "%d files, at most %d are allowed", num,
		    KP_SOURCE_MAX_FILES);
	for (int i = 0; i < num; i++) {
		if (i < KP_SOURCE_MAX_FILES)
			load_file(source, folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

bool
kp_source_load(
    struct kp_source *out, const char *path, struct kp_node_file *before)
{
	*out = (struct kp_source){ .has_config = false };
	out->resources = kp_resources_new();
	load_config(out, path, before);
	if (!out->has_config)
		return false;
	if (!kp_source_has_servers(out))
		load_folder(out, out->config.files_dir);
	return kp_resources_check(out->resources, &out->diagnostics) &&
	       kp_diagnostics_count(&out->diagnostics) == 0;
}

void
kp_source_fini(struct kp_source *source)
{
	kp_node_file_unref(source->node_file);
	kp_resources_free(source->resources);
	kp_held_unref(source->held);
	kp_diagnostics_fini(&source->diagnostics);
	*source = (struct kp_source){ .has_config = false };
}

void
kp_source_hold(struct kp_source *source, struct kp_held *held)
{
	kp_assert(source->held == NULL && kp_held_resources(held) != NULL);
	source->held = kp_held_ref(held);
}

const struct kp_resources *
kp_source_resources(const struct kp_source *source)
{
	return source->held == NULL ? source->resources
				    : kp_held_resources(source->held);
}

bool
kp_source_has_servers(const struct kp_source *source)
{
	return source->config.server.num_addresses > 0;
}

bool
kp_source_read_secret(void *ctx, const struct kp_secret_ref *ref,
    struct kp_buf *out, struct kp_error *err)
{
	const char *value;

	(void)ctx;
	if (ref->source == KP_SECRET_FILE)
		return kp_file_read(out, ref->name, err);
	value = getenv(ref->name);
	if (value == NULL)
		return kp_error_set(err, KP_ERR_CONFIG,
		    "environment variable \"%s\" is not set", ref->name);
	kp_buf_add_text(out, value);
	return !out->failed ||
	       kp_error_set(err, KP_ERR_LIMIT,
		   "environment variable \"%s\" is too long", ref->name);
}

struct kp_tables *
kp_source_compile(struct kp_source *source)
{
	const struct kp_compile_input input = {
		.resources = kp_source_resources(source),
		.node_labels = &source->config.labels,
		.limits = &source->config.limits,
		.log_level = source->config.log_level,
		.read_secret = kp_source_read_secret,
	};

	return kp_compile(&input, &source->diagnostics);
}
