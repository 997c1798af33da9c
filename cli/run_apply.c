/* SPDX-License-Identifier: Apache-2.0 */
/* kpctl apply and kpctl diff: files become what a server has. */
#include "cli/history_view.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/request.h"
#include "cli/results.h"
#include "cli/run.h"
#include "cli/targets.h"
#include "proto/control/unpack.h"

/* No server is asked: what the files say of themselves is all. */
static enum kp_exit
apply_nowhere(const struct kp_args *args)
{
	struct kp_input input;
	enum kp_exit result = KP_EXIT_OK;
	struct kp_buf out;

	kp_input_load(&input, args);
	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	if (kp_diagnostics_count(&input.diagnostics) > 0)
		result = kp_input_refuse(&input);
	for (size_t i = 0;
	     result == KP_EXIT_OK && i < kp_resources_count(input.resources);
	     i++) {
		const struct kp_resource *resource =
		    kp_resources_at(input.resources, i);

		kp_kind_title(&out, resource->kind->name, resource->name);
		kp_buf_add_text(&out, " is well-formed (client dry run)\n");
	}
	kp_output_write(&out);
	kp_input_fini(&input);
	return result;
}

/* A list that the request borrows from, to be ended after it. */
static enum kp_exit
add_deletions(struct kp_request *request, struct kp_connection *connection,
    const struct kp_args *args, struct kp_listed *listed)
{
	const struct kp_query query = { .selector =
					    kp_args_text(args, "selector"),
		.is_names_only = true };
	enum kp_exit result;

	if (!kp_args_is(args, "prune"))
		return KP_EXIT_OK;
	result = kp_fetch_resources(connection, listed, &query);
	if (result == KP_EXIT_OK && !kp_request_prune(request, listed))
		result = KP_EXIT_FAILED;
	return result;
}

static enum kp_exit
show_results(struct kp_connection *connection, const struct kp_args *args,
    const Kproxy__Control__V1__ApplyResponse *answer)
{
	bool is_dry_run = kp_request_dry_run(args) != KP_DRY_RUN_NONE;
	struct kp_buf out;
	enum kp_exit result;

	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	kp_results_add(
	    &out, args, answer->results, answer->n_results, answer->revision);
	kp_output_write(&out);
	/* before a wait that may take minutes */
	result = kp_output_finish(KP_EXIT_OK);
	if (result != KP_EXIT_OK || is_dry_run || !kp_args_is(args, "wait"))
		return result;
	return kp_progress_wait(connection, args, NULL, answer->revision);
}

static enum kp_exit
show_differences(const Kproxy__Control__V1__ApplyResponse *answer)
{
	struct kp_buf out;

	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	for (size_t i = 0; i < answer->n_differences; i++)
		kp_difference_add(
		    &out, answer->differences[i], "server", "files");
	kp_output_write(&out);
	return answer->n_differences > 0 ? KP_EXIT_FAILED : KP_EXIT_OK;
}

static enum kp_exit
send(struct kp_connection *connection, const struct kp_args *args,
    const struct kp_request *request, bool is_diff)
{
	const struct kp_request_how how = {
		.is_dry_run =
		    is_diff || kp_request_dry_run(args) != KP_DRY_RUN_NONE,
		.has_differences = is_diff,
		.reason = is_diff ? NULL : kp_args_text(args, "reason"),
	};
	Kproxy__Control__V1__ApplyResponse *answer;
	enum kp_exit result =
	    kp_request_apply(request, connection, &how, &answer, NULL);

	if (result != KP_EXIT_OK)
		return result;
	result = is_diff ? show_differences(answer)
			 : show_results(connection, args, answer);
	kp_unpacked_free(&answer->base);
	return result;
}

static enum kp_exit
apply_somewhere(const struct kp_args *args, bool is_diff)
{
	struct kp_connection connection = { 0 };
	struct kp_request request = { 0 };
	struct kp_listed listed = { 0 };
	struct kp_input input;
	enum kp_exit result = KP_EXIT_OK;

	kp_input_load_raw(&input, args);
	if (kp_diagnostics_count(&input.diagnostics) > 0)
		result = kp_input_refuse(&input);
	if (result == KP_EXIT_OK)
		result = kp_connection_open(&connection, args);
	kp_request_files(&request, &input);
	if (result == KP_EXIT_OK)
		result = add_deletions(&request, &connection, args, &listed);
	if (result == KP_EXIT_OK)
		result = send(&connection, args, &request, is_diff);
	kp_request_fini(&request);
	kp_listed_fini(&listed);
	kp_connection_close(&connection);
	kp_input_fini(&input);
	return result;
}

/* What is pruned is to be said: nobody deletes everything by accident. */
static bool
is_prune_clear(const struct kp_args *args)
{
	bool has_selector = kp_args_text(args, "selector") != NULL;
	bool is_all = kp_args_is(args, "all");

	if (kp_args_is(args, "prune") == (has_selector != is_all) &&
	    !(has_selector && is_all))
		return true;
	if (!kp_args_is(args, "prune"))
		kp_output_problem("--selector and --all say what --prune may "
				  "delete; without it they say nothing");
	else
		kp_output_problem("--prune needs either --selector or --all, "
				  "so that it is clear what it may delete");
	return false;
}

enum kp_exit
kp_run_apply(const struct kp_args *args)
{
	int64_t timeout_ms;

	if (!is_prune_clear(args) || !kp_progress_timeout(&timeout_ms, args))
		return KP_EXIT_USAGE;
	if (kp_request_dry_run(args) == KP_DRY_RUN_CLIENT)
		return apply_nowhere(args);
	return apply_somewhere(args, false);
}

enum kp_exit
kp_run_diff(const struct kp_args *args)
{
	if (!is_prune_clear(args))
		return KP_EXIT_USAGE;
	return apply_somewhere(args, true);
}
