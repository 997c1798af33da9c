/* SPDX-License-Identifier: Apache-2.0 */
/* Apply, Validate, Delete, Rollback. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "control/api/problems.h"
#include "control/server/guard.h"
#include "control/server/resources_priv.h"

#define MAX_FILES 4096
#define MAX_FILE_NAME 1024

/* A request as a wish, with the lists that the wish borrows. */
struct asked {
	struct kp_catalog_wish wish;
	struct kp_catalog_file *files;
	struct kp_catalog_id *deletions;
	struct kp_catalog_precondition *preconditions;
};

static void
asked_fini(struct asked *asked)
{
	free(asked->files);
	free(asked->deletions);
	free(asked->preconditions);
}

static void
take_files(
    struct asked *asked, Kproxy__Control__V1__File *const *files, size_t num)
{
	asked->files = kp_alloc(num, sizeof(*asked->files));
	for (size_t i = 0; i < num; i++)
		asked->files[i] = (struct kp_catalog_file){ files[i]->name,
			{ files[i]->text.len > 0 ? files[i]->text.data
						 : (const uint8_t *)"",
			    files[i]->text.len } };
	asked->wish.files = asked->files;
	asked->wish.num_files = num;
}

static void
take_deletions(struct asked *asked,
    Kproxy__Control__V1__ResourceName *const *names, size_t num)
{
	asked->deletions = kp_alloc(num, sizeof(*asked->deletions));
	for (size_t i = 0; i < num; i++)
		asked->deletions[i] =
		    (struct kp_catalog_id){ names[i]->kind, names[i]->name };
	asked->wish.deletions = asked->deletions;
	asked->wish.num_deletions = num;
}

static void
take_preconditions(struct asked *asked,
    Kproxy__Control__V1__Precondition *const *list, size_t num)
{
	asked->preconditions = kp_alloc(num, sizeof(*asked->preconditions));
	for (size_t i = 0; i < num; i++)
		asked->preconditions[i] = (struct kp_catalog_precondition){
			{ list[i]->kind, list[i]->name },
			list[i]->resource_version
		};
	asked->wish.preconditions = asked->preconditions;
	asked->wish.num_preconditions = num;
}

static bool
refuse(struct kp_rpc_call *call, const char *why)
{
	kp_rpc_call_end(call, KP_RPC_INVALID_ARGUMENT, "%s", why);
	return false;
}

/* What is shown to others again must be text. */
static bool
check_files(struct kp_rpc_call *call, Kproxy__Control__V1__File *const *files,
    size_t num)
{
	if (num > MAX_FILES)
		return refuse(call, "more than 4096 files");
	for (size_t i = 0; i < num; i++) {
		if (strlen(files[i]->name) > MAX_FILE_NAME)
			return refuse(call, "the name of a file is too long");
		if (!kp_is_utf8(files[i]->name))
			return refuse(call, "the name of a file is not UTF-8");
	}
	return true;
}

static bool
check_reason(struct kp_rpc_call *call, const char *reason)
{
	if (strlen(reason) > KP_STORE_MAX_NOTE_LEN)
		return refuse(call, "the reason is too long");
	return kp_is_utf8(reason) || refuse(call, "the reason is not UTF-8");
}

static struct kp_store_note
note_of(const struct kp_rpc_call *call, const char *reason)
{
	return (struct kp_store_note){ .identity = kp_guard_identity(call),
		.reason = reason,
		.time_ms = kp_wall_ms() };
}

static void
end_invalid(struct kp_rpc_call *call, const struct kp_catalog_result *result)
{
	struct kp_rpc_status status = { .code = KP_RPC_OK };
	size_t num = kp_diagnostics_count(&result->problems);
	struct kp_api_problems problems;

	kp_rpc_status_set(&status, KP_RPC_FAILED_PRECONDITION,
	    "%zu problem%s, the first one: %s", num, num == 1 ? "" : "s",
	    result->problems.lines[0]);
	/* some room for how a detail is packed */
	kp_api_problems_init(
	    &problems, &result->problems, KP_RPC_MAX_DETAILS_LEN - 256);
	if (!kp_rpc_status_add(&status, &problems.message.base))
		kp_log(KP_LOG_WARN, "problems_left_out", KP_INT("num", num));
	kp_api_problems_fini(&problems);
	kp_rpc_call_finish(call, &status);
	kp_rpc_status_fini(&status);
}

/* Ends a call whose wish was not granted. */
static void
end_with(struct kp_rpc_call *call, enum kp_verdict verdict,
    const struct kp_catalog_result *result, const struct kp_error *err)
{
	static const enum kp_rpc_code codes[] = {
		[KP_VERDICT_OK] = KP_RPC_OK,
		[KP_VERDICT_INVALID] = KP_RPC_FAILED_PRECONDITION,
		[KP_VERDICT_FORBIDDEN] = KP_RPC_PERMISSION_DENIED,
		[KP_VERDICT_CONFLICT] = KP_RPC_ABORTED,
		[KP_VERDICT_NOT_FOUND] = KP_RPC_NOT_FOUND,
		[KP_VERDICT_COMPACTED] = KP_RPC_OUT_OF_RANGE,
		[KP_VERDICT_UNAVAILABLE] = KP_RPC_UNAVAILABLE,
		[KP_VERDICT_BUSY] = KP_RPC_RESOURCE_EXHAUSTED,
		[KP_VERDICT_LATE] = KP_RPC_DEADLINE_EXCEEDED,
	};

	enum kp_rpc_code code = codes[verdict];

	if (verdict == KP_VERDICT_INVALID) {
		end_invalid(call, result);
		return;
	}
	if (verdict == KP_VERDICT_UNAVAILABLE && err->kind == KP_ERR_LIMIT)
		code = KP_RPC_RESOURCE_EXHAUSTED;
	kp_rpc_call_end(call, code, "%s", err->text);
}

/* The record of what was done, before anybody is told. */
static void
record(struct kp_rpc_call *call, const struct kp_catalog_result *result,
    const char *reason, bool is_dry_run)
{
	static const char *const words[] = {
		[KP_OUTCOME_CREATED] = "created",
		[KP_OUTCOME_CONFIGURED] = "configured",
		[KP_OUTCOME_UNCHANGED] = "unchanged",
		[KP_OUTCOME_DELETED] = "deleted",
	};
	struct kp_audit_name *names =
	    kp_alloc(result->num_outcomes, sizeof(*names));
	struct kp_guard_change change = { .revision = result->revision,
		.reason = reason,
		.is_dry_run = is_dry_run,
		.names = names };

	for (size_t i = 0; i < result->num_outcomes; i++) {
		const struct kp_catalog_outcome *o = &result->outcomes[i];

		if (o->outcome != KP_OUTCOME_UNCHANGED)
			names[change.num_names++] =
			    (struct kp_audit_name){ o->kind, o->name,
				    words[o->outcome] };
	}
	kp_guard_changed(call, &change);
	free(names);
}

/* The outcomes of a result as messages; texts are the result's. */
struct told {
	Kproxy__Control__V1__Applied *list, **pointers;
	Kproxy__Control__V1__Difference *differences, **difference_pointers;
	size_t num, num_differences;
};

static void
add_difference(struct told *told, const struct kp_catalog_outcome *outcome)
{
	Kproxy__Control__V1__Difference *d =
	    &told->differences[told->num_differences];

	if (outcome->before == NULL && outcome->after == NULL)
		return;
	kproxy__control__v1__difference__init(d);
	d->kind = outcome->kind;
	d->name = outcome->name;
	if (outcome->before != NULL)
		d->before = outcome->before;
	if (outcome->after != NULL)
		d->after = outcome->after;
	told->difference_pointers[told->num_differences++] = d;
}

static void
told_init(struct told *out, const struct kp_catalog_result *result,
    bool is_unchanged_told)
{
	size_t num = result->num_outcomes;

	*out = (struct told){
		.list = kp_alloc(num, sizeof(*out->list)),
		.pointers = kp_alloc(num, sizeof(*out->pointers)),
		.differences = kp_alloc(num, sizeof(*out->differences)),
		.difference_pointers =
		    kp_alloc(num, sizeof(*out->difference_pointers)),
	};
	for (size_t i = 0; i < num; i++) {
		const struct kp_catalog_outcome *outcome = &result->outcomes[i];
		Kproxy__Control__V1__Applied *applied = &out->list[out->num];

		if (outcome->outcome == KP_OUTCOME_UNCHANGED &&
		    !is_unchanged_told)
			continue;
		kproxy__control__v1__applied__init(applied);
		applied->kind = outcome->kind;
		applied->name = outcome->name;
		applied->outcome = kp_outcome_of(outcome->outcome);
		out->pointers[out->num++] = applied;
		add_difference(out, outcome);
	}
}

static void
told_fini(struct told *told)
{
	free(told->list);
	free(told->pointers);
	free(told->differences);
	free(told->difference_pointers);
}

static void
answer_apply(struct kp_rpc_call *call, const struct kp_catalog_result *result)
{
	Kproxy__Control__V1__ApplyResponse answer;
	struct told told;

	told_init(&told, result, true);
	kproxy__control__v1__apply_response__init(&answer);
	answer.revision = result->revision;
	answer.results = told.pointers;
	answer.n_results = told.num;
	answer.differences = told.difference_pointers;
	answer.n_differences = told.num_differences;
	kp_rpc_call_reply(call, &answer.base);
	told_fini(&told);
}

static void
answer_delete(struct kp_rpc_call *call, const struct kp_catalog_result *result)
{
	Kproxy__Control__V1__DeleteResponse answer;

	kproxy__control__v1__delete_response__init(&answer);
	answer.revision = result->revision;
	kp_rpc_call_reply(call, &answer.base);
}

static void
answer_rollback(
    struct kp_rpc_call *call, const struct kp_catalog_result *result)
{
	Kproxy__Control__V1__RollbackResponse answer;
	struct told told;

	told_init(&told, result, false);
	kproxy__control__v1__rollback_response__init(&answer);
	answer.revision = result->revision;
	answer.results = told.pointers;
	answer.n_results = told.num;
	kp_rpc_call_reply(call, &answer.base);
	told_fini(&told);
}

/* What Apply and Delete have in common. */
static void
wish(struct kp_rpc_call *call, struct asked *asked, const char *reason,
    void (*answer)(
	struct kp_rpc_call *call, const struct kp_catalog_result *result))
{
	struct kp_catalog_result result;
	enum kp_verdict verdict;
	struct kp_error err;

	asked->wish.note = note_of(call, reason);
	asked->wish.judge = kp_guard_judge(call);
	verdict = kp_desk_apply(kp_resources_desk(call), &asked->wish,
	    kp_rpc_call_deadline_ms(call), &result, &err);
	if (verdict == KP_VERDICT_OK) {
		record(call, &result, reason, asked->wish.is_dry_run);
		answer(call, &result);
	} else {
		end_with(call, verdict, &result, &err);
	}
	kp_catalog_result_fini(&result);
}

void
kp_resources_apply(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__ApplyRequest *request =
	    (const Kproxy__Control__V1__ApplyRequest *)message;
	struct asked asked = {
		.wish = { .is_dry_run = request->dry_run != 0,
		    .with_documents = request->with_differences != 0 },
	};

	if (!check_files(call, request->files, request->n_files) ||
	    !check_reason(call, request->reason))
		return;
	take_files(&asked, request->files, request->n_files);
	take_deletions(&asked, request->deletions, request->n_deletions);
	take_preconditions(
	    &asked, request->preconditions, request->n_preconditions);
	wish(call, &asked, request->reason, answer_apply);
	asked_fini(&asked);
}

void
kp_resources_delete(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__DeleteRequest *request =
	    (const Kproxy__Control__V1__DeleteRequest *)message;
	struct asked asked = {
		.wish = { .is_dry_run = request->dry_run != 0 },
	};

	if (!check_reason(call, request->reason))
		return;
	take_deletions(&asked, request->names, request->n_names);
	take_preconditions(
	    &asked, request->preconditions, request->n_preconditions);
	wish(call, &asked, request->reason, answer_delete);
	asked_fini(&asked);
}

void
kp_resources_rollback(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__RollbackRequest *request =
	    (const Kproxy__Control__V1__RollbackRequest *)message;
	struct kp_catalog_result result;
	struct kp_catalog_return back;
	enum kp_verdict verdict;
	struct kp_error err;

	if (!check_reason(call, request->reason))
		return;
	/* what was left out would take everything away */
	if (request->to == 0) {
		(void)refuse(call, "to which revision is missing");
		return;
	}
	back = (struct kp_catalog_return){ .to = request->to,
		.is_dry_run = request->dry_run != 0,
		.judge = kp_guard_judge(call),
		.note = note_of(call, request->reason) };
	verdict = kp_desk_rollback(kp_resources_desk(call), &back,
	    kp_rpc_call_deadline_ms(call), &result, &err);
	if (verdict == KP_VERDICT_NOT_FOUND) /* no such revision */
		verdict = KP_VERDICT_COMPACTED;
	if (verdict == KP_VERDICT_OK) {
		record(call, &result, request->reason, back.is_dry_run);
		answer_rollback(call, &result);
	} else {
		end_with(call, verdict, &result, &err);
	}
	kp_catalog_result_fini(&result);
}

static void
answer_validate(
    struct kp_rpc_call *call, const struct kp_catalog_result *result)
{
	Kproxy__Control__V1__ValidateResponse answer;
	struct kp_api_problems problems;

	kproxy__control__v1__validate_response__init(&answer);
	kp_api_problems_init(
	    &problems, &result->problems, KP_API_MAX_ANSWER - 1024);
	answer.problems = &problems.message;
	kp_rpc_call_reply(call, &answer.base);
	kp_api_problems_fini(&problems);
}

void
kp_resources_validate(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__ValidateRequest *request =
	    (const Kproxy__Control__V1__ValidateRequest *)message;
	const struct kp_origin at = { .file = "request" };
	struct asked asked = { .wish = { .is_dry_run = true } };
	struct kp_catalog_result result;
	enum kp_verdict verdict;
	struct kp_error err;

	if (!check_files(call, request->files, request->n_files))
		return;
	take_files(&asked, request->files, request->n_files);
	take_deletions(&asked, request->deletions, request->n_deletions);
	verdict = kp_desk_validate(
	    kp_resources_desk(call), &asked.wish, &result, &err);
	if (verdict == KP_VERDICT_NOT_FOUND)
		kp_diagnostics_add(&result.problems, &at, "%s", err.text);
	if (verdict == KP_VERDICT_OK || verdict == KP_VERDICT_INVALID ||
	    verdict == KP_VERDICT_NOT_FOUND)
		answer_validate(call, &result);
	else
		end_with(call, verdict, &result, &err);
	kp_catalog_result_fini(&result);
	asked_fini(&asked);
}
