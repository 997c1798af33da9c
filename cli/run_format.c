/* SPDX-License-Identifier: Apache-2.0 */
/* kpctl format: resources in the form in which they are stored and shown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/yaml_tree.h"
#include "base/yaml_write.h"
#include "cli/color.h"
#include "cli/diff.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/table.h"
#include "rules/print.h"

static const struct kp_table_column columns[] = {
	{ .name = "KIND" },
	{ .name = "NAME" },
	{ .name = "FILE", .is_wide = true },
	{ .name = NULL },
};

/* One is an object, any other number is a list, as kubectl has it. */
static void
add_json(struct kp_buf *out, const struct kp_resources *set)
{
	struct kp_yaml *list = kp_yaml_new_map(), *items;

	kp_yaml_put(
	    list, "apiVersion", kp_yaml_new_text(KP_RESOURCE_API_VERSION));
	kp_yaml_put(list, "kind", kp_yaml_new_text("List"));
	items = kp_yaml_put(list, "items", kp_yaml_new_list());
	for (size_t i = 0; i < kp_resources_count(set); i++)
		kp_yaml_append(
		    items, kp_print_resource(kp_resources_at(set, i)));
	kp_yaml_write_json(out, items->num_items == 1 ? items->items[0] : list);
	kp_yaml_free(list);
}

static void
add_names(struct kp_buf *out, const struct kp_resources *set)
{
	for (size_t i = 0; i < kp_resources_count(set); i++) {
		const struct kp_resource *resource = kp_resources_at(set, i);

		kp_buf_printf(
		    out, "%s/%s\n", resource->kind->name, resource->name);
	}
}

static void
add_table(struct kp_buf *out, const struct kp_resources *set, bool is_wide)
{
	struct kp_table table = { .columns = columns };

	for (size_t i = 0; i < kp_resources_count(set); i++) {
		const struct kp_resource *resource = kp_resources_at(set, i);
		const char *const cells[] = { resource->kind->name,
			resource->name, resource->at.file };

		kp_table_add(&table, cells);
	}
	kp_table_print(out, &table, is_wide);
	kp_table_fini(&table);
}

static void
write_resources(const struct kp_args *args, const struct kp_resources *set)
{
	struct kp_buf out;

	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	if (kp_output_is(args, "json"))
		add_json(&out, set);
	else if (kp_output_is(args, "name"))
		add_names(&out, set);
	else if (kp_output_is(args, "yaml"))
		kp_print_resources(&out, set);
	else
		add_table(&out, set, kp_output_is(args, "wide"));
	kp_output_write(&out);
}

static enum kp_exit
write_diff(const struct kp_args *args, const struct kp_resources *set)
{
	size_t at = 0;
	const char *path = kp_args_next(args, "filename", &at);
	struct kp_buf before, after, out;
	struct kp_error err;
	enum kp_exit result = KP_EXIT_FAILED;

	kp_buf_init(&before, KP_YAML_MAX_BYTES);
	kp_buf_init(&after, KP_OUTPUT_MAX_LEN);
	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	kp_print_resources(&after, set);
	out.failed = after.failed;
	kp_output_part(&after);
	if (kp_input_read(&before, path, &err)) {
		const struct kp_diff_side a = { path, kp_buf_bytes(&before) };
		const struct kp_diff_side b = { path, kp_buf_bytes(&after) };

		if (kp_diff_print(
			&out, &a, &b, kp_color_is_wanted(STDOUT_FILENO)))
			result = KP_EXIT_OK;
	} else {
		kp_output_problem("%s: %s", path, err.text);
	}
	kp_output_write(&out);
	kp_buf_fini(&before);
	kp_buf_fini(&after);
	return result;
}

/* It is read twice. */
static bool
is_one_file(const struct kp_args *args)
{
	size_t at = 0;
	const char *path = kp_args_next(args, "filename", &at);
	struct stat st;

	if (kp_args_next(args, "filename", &at) != NULL)
		return false;
	return strcmp(path, "-") != 0 &&
	       (stat(path, &st) != 0 || S_ISREG(st.st_mode));
}

enum kp_exit
kp_run_format(const struct kp_args *args)
{
	struct kp_input input;
	enum kp_exit result = KP_EXIT_OK;

	if (kp_args_is(args, "diff") && !is_one_file(args)) {
		kp_output_problem("--diff takes one file");
		return KP_EXIT_USAGE;
	}
	kp_input_load(&input, args);
	if (kp_diagnostics_count(&input.diagnostics) > 0)
		result = kp_input_refuse(&input);
	else if (kp_args_is(args, "diff"))
		result = write_diff(args, input.resources);
	else
		write_resources(args, input.resources);
	kp_input_fini(&input);
	return result;
}
