/* SPDX-License-Identifier: Apache-2.0 */
/* kpctl delete: by name, by file, by label. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/request.h"
#include "cli/results.h"
#include "cli/run.h"
#include "cli/targets.h"
#include "proto/control/unpack.h"

/* What is to go, and what its names are borrowed from. */
struct deleter {
	const struct kp_args *args;
	struct kp_connection connection;
	struct kp_request request;
	struct kp_listed listed;
	struct kp_input input;
	struct kp_targets targets;
};

static enum kp_exit
add_listed(struct deleter *d, const char *kind)
{
	const struct kp_query query = { .kind = kind,
		.selector = kp_args_text(d->args, "selector"),
		.is_names_only = true };
	enum kp_exit result =
	    kp_fetch_resources(&d->connection, &d->listed, &query);

	for (size_t i = 0; result == KP_EXIT_OK && i < d->listed.num; i++) {
		const Kproxy__Control__V1__Resource *item = d->listed.list[i];

		kp_request_delete(&d->request, item->kind, item->name);
		kp_request_if(&d->request, item->kind, item->name,
		    item->resource_version);
	}
	return result;
}

static enum kp_exit
add_targets(struct deleter *d)
{
	for (size_t i = 0; i < d->targets.num; i++) {
		const struct kp_target *target = &d->targets.list[i];

		if (target->name != NULL)
			kp_request_delete(
			    &d->request, target->kind, target->name);
	}
	if (d->request.num_deletions > 0)
		return KP_EXIT_OK;
	return add_listed(d, d->targets.list[0].kind);
}

static void
add_input(struct deleter *d)
{
	for (size_t i = 0; i < kp_resources_count(d->input.resources); i++) {
		const struct kp_resource *resource =
		    kp_resources_at(d->input.resources, i);

		kp_request_delete(
		    &d->request, resource->kind->name, resource->name);
	}
}

/* Leaves out what is not there, for --ignore-not-found. */
static enum kp_exit
leave_out_missing(struct deleter *d)
{
	const struct kp_query query = { .is_names_only = true };
	size_t num = 0;
	enum kp_exit result =
	    kp_fetch_resources(&d->connection, &d->listed, &query);

	for (size_t i = 0; result == KP_EXIT_OK && i < d->request.num_deletions;
	     i++) {
		Kproxy__Control__V1__ResourceName *name =
		    d->request.deletions[i];
		bool is_there = false;

		for (size_t j = 0; j < d->listed.num && !is_there; j++)
			is_there =
			    strcmp(d->listed.list[j]->kind, name->kind) == 0 &&
			    strcmp(d->listed.list[j]->name, name->name) == 0;
		if (is_there)
			d->request.deletions[num++] = name;
		else
			free(name);
	}
	if (result == KP_EXIT_OK)
		d->request.num_deletions = num;
	return result;
}

static void
show(const struct deleter *d, uint64_t revision)
{
	size_t num = d->request.num_deletions;
	Kproxy__Control__V1__Applied *results = kp_alloc(num, sizeof(*results));
	Kproxy__Control__V1__Applied **list = kp_alloc(num, sizeof(*list));
	struct kp_buf out;

	for (size_t i = 0; i < num; i++) {
		kproxy__control__v1__applied__init(&results[i]);
		results[i].kind = d->request.deletions[i]->kind;
		results[i].name = d->request.deletions[i]->name;
		results[i].outcome =
		    KPROXY__CONTROL__V1__OUTCOME__OUTCOME_DELETED;
		list[i] = &results[i];
	}
	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	kp_results_add(&out, d->args, list, num, revision);
	kp_output_write(&out);
	free(list);
	free(results);
}

static enum kp_exit
send(struct deleter *d)
{
	Kproxy__Control__V1__DeleteRequest request;
	ProtobufCMessage *answer;
	struct kp_rpc_result result;
	enum kp_exit code = KP_EXIT_OK;

	if (d->request.num_deletions == 0) {
		kp_output_problem("nothing found");
		return KP_EXIT_OK;
	}
	kproxy__control__v1__delete_request__init(&request);
	request.names = d->request.deletions;
	request.n_names = d->request.num_deletions;
	request.preconditions = d->request.preconditions;
	request.n_preconditions = d->request.num_preconditions;
	request.dry_run = kp_request_dry_run(d->args) != KP_DRY_RUN_NONE;
	if (kp_args_text(d->args, "reason") != NULL)
		request.reason =
		    (char *)(uintptr_t)kp_args_text(d->args, "reason");
	if (!kp_connection_ask(&d->connection, &kp_api_delete, &result,
		&request.base,
		kp_connection_deadline(&d->connection, &kp_api_delete)))
		code = kp_request_refused(
		    &d->request, &d->connection, &result.status);
	answer = result.answer;
	if (answer != NULL)
		show(d, ((const Kproxy__Control__V1__DeleteResponse *)answer)
			    ->revision);
	kp_rpc_result_fini(&result);
	return code;
}

static enum kp_exit
run(struct deleter *d)
{
	enum kp_exit result = kp_connection_open(&d->connection, d->args);

	if (result == KP_EXIT_OK && d->targets.num > 0)
		result = add_targets(d);
	else if (result == KP_EXIT_OK)
		add_input(d);
	if (result == KP_EXIT_OK && kp_args_is(d->args, "ignore-not-found") &&
	    d->listed.num == 0)
		result = leave_out_missing(d);
	if (result == KP_EXIT_OK)
		result = send(d);
	return result;
}

/* Either names, or files, or a kind with what picks among it. */
static bool
is_clear(const struct deleter *d)
{
	bool has_selector = kp_args_text(d->args, "selector") != NULL;
	bool is_picked = has_selector || kp_args_is(d->args, "all");
	bool has_files = kp_args_text(d->args, "filename") != NULL;

	if (has_files && d->targets.num == 0 && !is_picked)
		return true;
	if (!has_files && d->targets.num > 0 &&
	    (d->targets.list[0].name != NULL) != is_picked &&
	    (d->targets.list[0].name != NULL || d->targets.num == 1))
		return true;
	kp_output_problem("say what to delete: KIND NAME..., KIND/NAME..., "
			  "KIND with --selector or --all, or -f FILE");
	return false;
}

static bool
has_nodes(const struct kp_targets *targets)
{
	for (size_t i = 0; i < targets->num; i++) {
		const char *kind = targets->list[i].kind;

		if (kind == NULL || strcmp(kind, KP_KIND_NODE) != 0)
			continue;
		kp_output_problem(
		    "nodes are not declared; a server forgets those that are "
		    "gone for long enough");
		return true;
	}
	return false;
}

static enum kp_exit
prepare(struct deleter *d)
{
	struct kp_error err;

	if (!kp_targets_parse(
		&d->targets, d->args->operands, d->args->num_operands, &err)) {
		kp_output_problem("%s", err.text);
		return KP_EXIT_USAGE;
	}
	if (!is_clear(d) || has_nodes(&d->targets))
		return KP_EXIT_USAGE;
	if (d->targets.num > 0)
		return KP_EXIT_OK;
	kp_input_load(&d->input, d->args);
	if (kp_diagnostics_count(&d->input.diagnostics) == 0)
		return KP_EXIT_OK;
	return kp_input_refuse(&d->input);
}

enum kp_exit
kp_run_delete(const struct kp_args *args)
{
	struct deleter d = { .args = args };
	enum kp_exit result = prepare(&d);

	if (result == KP_EXIT_OK)
		result = run(&d);
	kp_request_fini(&d.request);
	kp_listed_fini(&d.listed);
	kp_connection_close(&d.connection);
	kp_input_fini(&d.input);
	kp_targets_fini(&d.targets);
	return result;
}
