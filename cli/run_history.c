/* SPDX-License-Identifier: Apache-2.0 */
/* kpctl history and kpctl rollback: revisions, and the way back. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/fetch.h"
#include "cli/history_view.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/request.h"
#include "cli/results.h"
#include "cli/run.h"
#include "cli/targets.h"
#include "proto/control/unpack.h"

#define MAX_LIMIT 10000

static bool
limit_said(uint32_t *out, const struct kp_args *args)
{
	const char *text = kp_args_text(args, "limit");
	int64_t number;

	if (kp_parse_int(text, &number) && number >= 1 && number <= MAX_LIMIT) {
		*out = (uint32_t)number;
		return true;
	}
	kp_output_problem(
	    "--limit: must be 1 to %d, not \"%s\"", MAX_LIMIT, text);
	return false;
}

static enum kp_exit
list(struct kp_connection *connection, const struct kp_args *args,
    const struct kp_history_query *query)
{
	const struct kp_view view = { .args = args };
	Kproxy__Control__V1__HistoryResponse *answer;
	enum kp_exit result = kp_history_fetch(connection, &answer, query);
	struct kp_buf out;

	if (result != KP_EXIT_OK)
		return result;
	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	kp_history_add(&out, &view, answer->revisions, answer->n_revisions);
	kp_output_write(&out);
	if (answer->n_revisions == 0)
		kp_output_problem("nothing found");
	kp_unpacked_free(&answer->base);
	return KP_EXIT_OK;
}

/* What a revision changed, as a diff to the one before it. */
static enum kp_exit
add_differences(struct kp_connection *connection, struct kp_buf *out,
    const Kproxy__Control__V1__Revision *revision)
{
	Kproxy__Control__V1__DiffRequest request;
	const Kproxy__Control__V1__DiffResponse *answer;
	ProtobufCMessage *unpacked;
	char before[40], after[40];
	enum kp_exit result;

	kproxy__control__v1__diff_request__init(&request);
	request.from = revision->number - 1;
	request.to = revision->number;
	result = kp_connection_call(
	    connection, &kp_api_diff, &unpacked, &request.base);
	if (result != KP_EXIT_OK)
		return result;
	answer = (const Kproxy__Control__V1__DiffResponse *)unpacked;
	(void)snprintf(
	    before, sizeof(before), "revision %" PRIu64, revision->number - 1);
	(void)snprintf(
	    after, sizeof(after), "revision %" PRIu64, revision->number);
	for (size_t i = 0; i < answer->n_differences; i++)
		kp_difference_add(out, answer->differences[i], before, after);
	kp_unpacked_free(unpacked);
	return KP_EXIT_OK;
}

static enum kp_exit
show_revision(struct kp_connection *connection, const struct kp_args *args,
    const Kproxy__Control__V1__Revision *revision)
{
	Kproxy__Control__V1__Revision *only =
	    (Kproxy__Control__V1__Revision *)(uintptr_t)revision;
	const struct kp_view view = { .args = args, .is_one = true };
	enum kp_exit result = KP_EXIT_OK;
	struct kp_buf out;

	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	if (kp_output_is(args, "json") || kp_output_is(args, "yaml")) {
		kp_history_add(&out, &view, &only, 1);
	} else {
		kp_history_describe(&out, revision);
		kp_buf_add_text(&out, "What:         ");
		kp_history_what(&out, revision);
		kp_buf_add_text(&out, "\n");
		/* before the first one there was nothing to compare with */
		if (revision->number > 1)
			result = add_differences(connection, &out, revision);
	}
	kp_output_write(&out);
	return result;
}

static enum kp_exit
one_revision(struct kp_connection *connection, const struct kp_args *args,
    uint64_t number)
{
	const struct kp_history_query query = {
		.before = number + 1, .limit = 1, .has_documents = true
	};
	Kproxy__Control__V1__HistoryResponse *answer;
	enum kp_exit result = kp_history_fetch(connection, &answer, &query);

	if (result != KP_EXIT_OK)
		return result;
	if (answer->n_revisions == 1 && answer->revisions[0]->number == number)
		result = show_revision(connection, args, answer->revisions[0]);
	else if (number < answer->oldest)
		kp_output_problem("revision %" PRIu64 " has been forgotten; "
				  "the oldest one is %" PRIu64,
		    number, answer->oldest);
	else
		kp_output_problem("there is no revision %" PRIu64, number);
	if (answer->n_revisions != 1 || answer->revisions[0]->number != number)
		result = KP_EXIT_FAILED;
	kp_unpacked_free(&answer->base);
	return result;
}

/* The resource as it was then. */
static enum kp_exit
one_resource(struct kp_connection *connection, const struct kp_args *args,
    const struct kp_target *target, uint64_t number)
{
	const struct kp_view view = { .args = args, .is_one = true };
	Kproxy__Control__V1__GetResponse *answer;
	enum kp_exit result = kp_fetch_resource(
	    connection, &answer, target->kind, target->name, number);
	struct kp_buf out;

	if (result != KP_EXIT_OK)
		return result;
	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	if (!kp_view_add(&out, &view, &answer->resource, 1))
		result = KP_EXIT_FAILED;
	kp_output_write(&out);
	kp_unpacked_free(&answer->base);
	return result;
}

static enum kp_exit
history(const struct kp_args *args, const struct kp_target *target)
{
	struct kp_history_query query = { .kind = target->kind,
		.name = target->name };
	struct kp_connection connection;
	uint64_t number;
	enum kp_exit result;

	if (!kp_revision_said(&number, args, "revision") ||
	    !limit_said(&query.limit, args))
		return KP_EXIT_USAGE;
	query.has_documents =
	    kp_output_is(args, "json") || kp_output_is(args, "yaml");
	result = kp_connection_open(&connection, args);
	if (result == KP_EXIT_OK && number == 0)
		result = list(&connection, args, &query);
	else if (result == KP_EXIT_OK && target->name != NULL)
		result = one_resource(&connection, args, target, number);
	else if (result == KP_EXIT_OK)
		result = one_revision(&connection, args, number);
	kp_connection_close(&connection);
	return result;
}

enum kp_exit
kp_run_history(const struct kp_args *args)
{
	const struct kp_target all = { 0 };
	struct kp_targets targets;
	enum kp_exit result = KP_EXIT_USAGE;
	struct kp_error err;

	if (!kp_targets_parse(
		&targets, args->operands, args->num_operands, &err))
		kp_output_problem("%s", err.text);
	else if (targets.num > 1)
		kp_output_problem("the history is of one resource, of a kind, "
				  "or of everything");
	else if (targets.num == 1 && targets.list[0].kind != NULL &&
		 strcmp(targets.list[0].kind, KP_KIND_NODE) == 0)
		kp_output_problem("nodes are not declared and have no "
				  "history; see kpctl describe node");
	else
		result =
		    history(args, targets.num == 1 ? &targets.list[0] : &all);
	kp_targets_fini(&targets);
	return result;
}

static enum kp_exit
show_rollback(struct kp_connection *connection, const struct kp_args *args,
    const Kproxy__Control__V1__RollbackResponse *answer)
{
	bool is_dry_run = kp_request_dry_run(args) != KP_DRY_RUN_NONE;
	enum kp_exit result;
	struct kp_buf out;

	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	kp_results_add(
	    &out, args, answer->results, answer->n_results, answer->revision);
	if (kp_output_is(args, "text") &&
	    !kp_results_is_any(answer->results, answer->n_results))
		kp_buf_add_text(&out, "unchanged: that is what is declared\n");
	else if (kp_output_is(args, "text") && !is_dry_run)
		kp_buf_printf(&out,
		    "rolled back to revision %s as revision %" PRIu64 "\n",
		    kp_args_text(args, "to"), answer->revision);
	kp_output_write(&out);
	result = kp_output_finish(KP_EXIT_OK);
	if (result != KP_EXIT_OK || is_dry_run || !kp_args_is(args, "wait"))
		return result;
	return kp_progress_wait(connection, args, NULL, answer->revision);
}

enum kp_exit
kp_run_rollback(const struct kp_args *args)
{
	Kproxy__Control__V1__RollbackRequest request;
	struct kp_connection connection;
	ProtobufCMessage *answer;
	int64_t timeout_ms;
	enum kp_exit result;

	kproxy__control__v1__rollback_request__init(&request);
	if (!kp_revision_said(&request.to, args, "to") ||
	    !kp_progress_timeout(&timeout_ms, args))
		return KP_EXIT_USAGE;
	request.dry_run = kp_request_dry_run(args) != KP_DRY_RUN_NONE;
	if (kp_args_text(args, "reason") != NULL)
		request.reason =
		    (char *)(uintptr_t)kp_args_text(args, "reason");
	result = kp_connection_open(&connection, args);
	if (result == KP_EXIT_OK)
		result = kp_connection_call(
		    &connection, &kp_api_rollback, &answer, &request.base);
	if (result == KP_EXIT_OK) {
		result = show_rollback(&connection, args,
		    (const Kproxy__Control__V1__RollbackResponse *)answer);
		kp_unpacked_free(answer);
	}
	kp_connection_close(&connection);
	return result;
}
