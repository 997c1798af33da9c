/* SPDX-License-Identifier: Apache-2.0 */
/* kpctl config: contexts, as kubectl has them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/yaml_tree.h"
#include "cli/complete.h"
#include "cli/contexts.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/settings.h"
#include "cli/table.h"
#include "cli/view.h"

enum kp_exit
kp_run_config_view(const struct kp_args *args)
{
	struct kp_contexts contexts;
	enum kp_exit result = kp_settings_contexts(&contexts, args);
	struct kp_yaml *tree;
	struct kp_buf out;

	if (result == KP_EXIT_OK) {
		tree = kp_contexts_tree(&contexts);
		kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
		kp_output_add_tree(&out, args, tree);
		kp_output_write(&out);
		kp_yaml_free(tree);
	}
	kp_contexts_fini(&contexts);
	return result;
}

enum kp_exit
kp_run_current_context(const struct kp_args *args)
{
	struct kp_contexts contexts;
	enum kp_exit result = kp_settings_contexts(&contexts, args);

	if (result == KP_EXIT_OK && contexts.current == NULL) {
		kp_output_problem("no context is current; "
				  "kpctl config use-context makes one so");
		result = KP_EXIT_FAILED;
	}
	if (result == KP_EXIT_OK)
		(void)puts(contexts.current);
	kp_contexts_fini(&contexts);
	return result;
}

static const struct kp_table_column columns[] = {
	{ .name = "CURRENT" },
	{ .name = "NAME" },
	{ .name = "SERVERS" },
	{ .name = "CA", .is_wide = true },
	{ .name = "CERTIFICATE", .is_wide = true },
	{ .name = "KEY", .is_wide = true },
	{ .name = NULL },
};

static char *
join_addresses(const struct kp_context *context)
{
	struct kp_buf text;

	kp_buf_init(&text, KP_OUTPUT_MAX_LEN);
	for (size_t i = 0; i < context->num_addresses; i++)
		kp_buf_printf(
		    &text, "%s%s", i > 0 ? "," : "", context->addresses[i]);
	return kp_view_dup(&text);
}

static void
add_row(struct kp_table *table, const struct kp_contexts *contexts,
    const struct kp_context *context)
{
	bool is_current = contexts->current != NULL &&
			  strcmp(contexts->current, context->name) == 0;
	char *servers = join_addresses(context);
	const char *const cells[] = { is_current ? "*" : " ", context->name,
		servers, context->ca, context->certificate, context->key };

	kp_table_add(table, cells);
	free(servers);
}

/* Is context among those that were asked for, or was none asked for? */
static bool
is_asked_for(const struct kp_args *args, const struct kp_context *context)
{
	for (size_t i = 0; i < args->num_operands; i++) {
		if (strcmp(args->operands[i], context->name) == 0)
			return true;
	}
	return args->num_operands == 0;
}

static void
write_contexts(const struct kp_args *args, const struct kp_contexts *contexts)
{
	struct kp_table table = { .columns = columns };
	struct kp_buf out;

	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	for (size_t i = 0; i < contexts->num; i++) {
		const struct kp_context *context = &contexts->list[i];

		if (!is_asked_for(args, context))
			continue;
		add_row(&table, contexts, context);
		if (kp_output_is(args, "name"))
			kp_buf_printf(&out, "%s\n", context->name);
	}
	if (!kp_output_is(args, "name"))
		kp_table_print(&out, &table, kp_output_is(args, "wide"));
	kp_output_write(&out);
	kp_table_fini(&table);
}

enum kp_exit
kp_run_get_contexts(const struct kp_args *args)
{
	struct kp_contexts contexts;
	enum kp_exit result = kp_settings_contexts(&contexts, args);

	for (size_t i = 0; result == KP_EXIT_OK && i < args->num_operands; i++)
		if (kp_contexts_find(&contexts, args->operands[i]) == NULL)
			result = kp_settings_no_context(
			    &contexts, args->operands[i]);
	if (result == KP_EXIT_OK && contexts.num == 0)
		kp_output_problem("no contexts in %s; kpctl config "
				  "set-context makes one",
		    contexts.path);
	else if (result == KP_EXIT_OK)
		write_contexts(args, &contexts);
	kp_contexts_fini(&contexts);
	return result;
}

void
kp_complete_context(
    struct kp_candidates *out, const struct kp_args *args, const char *begun)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_contexts contexts = { 0 };
	char *path = kp_settings_path(args);
	bool is_ok =
	    path != NULL && kp_contexts_load(&contexts, path, &diagnostics);

	(void)begun;
	for (size_t i = 0; is_ok && i < contexts.num; i++)
		(void)kp_candidates_add(
		    out, contexts.list[i].name, contexts.list[i].addresses[0]);
	kp_diagnostics_fini(&diagnostics);
	kp_contexts_fini(&contexts);
	free(path);
}

/* What a command does to the contexts while nobody else can change them. */
typedef enum kp_exit (*change)(
    struct kp_contexts *contexts, const struct kp_args *args);

static enum kp_exit
change_locked(
    const char *path, change make, const struct kp_args *args, int lock)
{
	struct kp_contexts contexts;
	enum kp_exit result = KP_EXIT_REFUSED;
	struct kp_error err;

	if (kp_settings_load_file(&contexts, path))
		result = make(&contexts, args);
	if (result == KP_EXIT_OK && !kp_contexts_save(&contexts, lock, &err)) {
		kp_output_problem("%s: %s", path, err.text);
		result = KP_EXIT_FAILED;
	}
	kp_contexts_fini(&contexts);
	return result;
}

/* Makes a change and says so with text about the context, its operand. */
static enum kp_exit
change_contexts(const struct kp_args *args, change make, const char *text)
{
	char *path = kp_settings_path(args);
	enum kp_exit result = KP_EXIT_FAILED;
	struct kp_error err;
	int lock;

	if (path == NULL) {
		kp_output_problem("HOME is not set; say --kpctl-config FILE");
		return result;
	}
	if (kp_contexts_lock(&lock, path, &err)) {
		result = change_locked(path, make, args, lock);
		kp_contexts_unlock(lock);
	} else {
		kp_output_problem("%s: %s", path, err.text);
	}
	free(path);
	if (result == KP_EXIT_OK)
		(void)printf("context \"%s\" %s\n", args->operands[0], text);
	return result;
}

static enum kp_exit
use(struct kp_contexts *contexts, const struct kp_args *args)
{
	const char *name = args->operands[0];

	if (kp_contexts_find(contexts, name) == NULL)
		return kp_settings_no_context(contexts, name);
	free(contexts->current);
	contexts->current = kp_strdup(name);
	return KP_EXIT_OK;
}

enum kp_exit
kp_run_use_context(const struct kp_args *args)
{
	return change_contexts(args, use, "is current");
}

static enum kp_exit delete (
    struct kp_contexts *contexts, const struct kp_args *args) {
	const char *name = args->operands[0];
	struct kp_context *context = kp_contexts_find(contexts, name);

	if (context == NULL) return kp_settings_no_context(contexts, name);
	kp_contexts_remove(contexts, context);
	if (contexts->current != NULL && strcmp(contexts->current, name) == 0){
	    free(contexts->current); contexts->current = NULL; }
return KP_EXIT_OK;
}

enum kp_exit
kp_run_delete_context(const struct kp_args *args)
{
	return change_contexts(args, delete, "deleted");
}

/* A path of the command line would mean another one in the file. */
static char *
absolute(const char *path)
{
	char *folder, *joined = NULL;

	if (path[0] == '/')
		return kp_strdup(path);
	folder = getcwd(NULL, 0);
	if (folder == NULL)
		return kp_strdup(path);
	kp_assert(asprintf(&joined, "%s/%s", folder, path) >= 0);
	free(folder);
	return joined;
}

/* Replaces *text if the flag was said; "" takes it away. */
static void
set_path(char **text, const struct kp_args *args, const char *flag)
{
	const char *said = kp_args_text(args, flag);

	if (said == NULL)
		return;
	free(*text);
	*text = said[0] == '\0' ? NULL : absolute(said);
}

static enum kp_exit
set_addresses(struct kp_context *context, const struct kp_args *args)
{
	const char *said;
	char **addresses;
	size_t at = 0, num = 0;

	while ((said = kp_args_next(args, "server", &at)) != NULL) {
		if (!kp_settings_is_address(said))
			return KP_EXIT_USAGE;
		num++;
	}
	if (num == 0)
		return KP_EXIT_OK;
	addresses = kp_alloc(num, sizeof(*addresses));
	at = 0;
	for (size_t i = 0; i < num; i++)
		addresses[i] = kp_strdup(kp_args_next(args, "server", &at));
	for (size_t i = 0; i < context->num_addresses; i++)
		free(context->addresses[i]);
	free(context->addresses);
	context->addresses = addresses;
	context->num_addresses = num;
	return KP_EXIT_OK;
}

static enum kp_exit
set(struct kp_contexts *contexts, const struct kp_args *args)
{
	const char *name = args->operands[0];
	struct kp_context *context = kp_contexts_find(contexts, name);
	enum kp_exit result;

	if (context == NULL)
		context = kp_contexts_add(contexts, name);
	if (context == NULL) {
		kp_output_problem("too many contexts");
		return KP_EXIT_FAILED;
	}
	result = set_addresses(context, args);
	if (result == KP_EXIT_OK && context->num_addresses == 0) {
		kp_output_problem("context \"%s\" is new: --server HOST:PORT "
				  "is missing",
		    name);
		result = KP_EXIT_USAGE;
	}
	set_path(&context->ca, args, "ca");
	set_path(&context->certificate, args, "certificate");
	set_path(&context->key, args, "key");
	return result;
}

enum kp_exit
kp_run_set_context(const struct kp_args *args)
{
	return change_contexts(args, set, "set");
}
