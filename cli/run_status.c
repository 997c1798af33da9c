/* SPDX-License-Identifier: Apache-2.0 */
/* kpctl status, cordon and uncordon: what nodes run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/escape.h"
#include "cli/fetch.h"
#include "cli/nodes_view.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/run.h"
#include "cli/targets.h"
#include "proto/control/unpack.h"

static void
write_nodes(const struct kp_args *args, const struct kp_listed_nodes *nodes)
{
	const struct kp_view view = { args, false, nodes->revision };
	bool is_table =
	    kp_output_is(args, "table") || kp_output_is(args, "wide");
	struct kp_buf out;

	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	kp_nodes_add(&out, &view, nodes->list, nodes->num);
	if (is_table)
		kp_nodes_summary(
		    &out, nodes->list, nodes->num, nodes->revision);
	kp_output_write(&out);
}

/* Is every node what it is to be? One that is cordoned is not. */
static bool
is_all_current(const struct kp_listed_nodes *nodes)
{
	for (size_t i = 0; i < nodes->num; i++) {
		if (nodes->list[i]->state !=
		    KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_CURRENT)
			return false;
	}
	return true;
}

static enum kp_exit
show(struct kp_connection *connection, const struct kp_args *args,
    enum kp_exit waited)
{
	struct kp_listed_nodes nodes;
	enum kp_exit result = kp_fetch_nodes(
	    connection, &nodes, kp_args_text(args, "selector"), false);

	if (result == KP_EXIT_OK) {
		write_nodes(args, &nodes);
		if (kp_args_is(args, "check") && !is_all_current(&nodes))
			result = KP_EXIT_FAILED;
	}
	kp_listed_nodes_fini(&nodes);
	return result == KP_EXIT_OK ? waited : result;
}

/* Waits for what is declared now. */
static enum kp_exit
watch(struct kp_connection *connection, const struct kp_args *args)
{
	const char *selector = kp_args_text(args, "selector");
	struct kp_listed_nodes nodes;
	enum kp_exit result =
	    kp_fetch_nodes(connection, &nodes, selector, true);
	uint64_t revision = nodes.revision;

	kp_listed_nodes_fini(&nodes);
	if (result != KP_EXIT_OK)
		return result;
	return kp_progress_wait(connection, args, selector, revision);
}

enum kp_exit
kp_run_status(const struct kp_args *args)
{
	struct kp_connection connection;
	enum kp_exit result, waited = KP_EXIT_OK;
	int64_t timeout_ms;

	if (!kp_progress_timeout(&timeout_ms, args))
		return KP_EXIT_USAGE;
	result = kp_connection_open(&connection, args);
	if (result == KP_EXIT_OK && kp_args_is(args, "watch"))
		waited = watch(&connection, args);
	if (waited != KP_EXIT_OK && waited != KP_EXIT_FAILED)
		result = waited;
	if (result == KP_EXIT_OK)
		result = show(&connection, args, waited);
	kp_connection_close(&connection);
	return result;
}

/* "edge-1" or "node/edge-1". */
static const char *
node_of(const char *operand)
{
	const char *stroke = strchr(operand, '/');
	const char *kind;

	if (stroke == NULL)
		return operand;
	kind = kp_kind_of(operand, (size_t)(stroke - operand));
	return kind != NULL && strcmp(kind, KP_KIND_NODE) == 0 ? stroke + 1
							       : operand;
}

static enum kp_exit
cordon_one(struct kp_connection *connection, const char *name, bool is_cordoned,
    const char *reason)
{
	Kproxy__Control__V1__CordonRequest request;
	ProtobufCMessage *answer;
	enum kp_exit result;
	char *shown;

	kproxy__control__v1__cordon_request__init(&request);
	request.name = (char *)(uintptr_t)name;
	request.is_cordoned = is_cordoned;
	if (reason != NULL)
		request.reason = (char *)(uintptr_t)reason;
	result = kp_connection_call(
	    connection, &kp_api_cordon, &answer, &request.base);
	if (result != KP_EXIT_OK)
		return result;
	shown = kp_escape_dup(name);
	(void)printf(
	    "node/%s %s\n", shown, is_cordoned ? "cordoned" : "uncordoned");
	free(shown);
	kp_unpacked_free(answer);
	return KP_EXIT_OK;
}

static enum kp_exit
cordon(const struct kp_args *args, bool is_cordoned, const char *reason)
{
	struct kp_connection connection;
	enum kp_exit result = kp_connection_open(&connection, args);
	enum kp_exit failed = KP_EXIT_OK;

	for (size_t i = 0; result == KP_EXIT_OK && i < args->num_operands;
	     i++) {
		enum kp_exit one = cordon_one(&connection,
		    node_of(args->operands[i]), is_cordoned, reason);

		if (one == KP_EXIT_NO_SERVER)
			result = one;
		else if (one != KP_EXIT_OK)
			failed = one;
	}
	kp_connection_close(&connection);
	return result == KP_EXIT_OK ? failed : result;
}

enum kp_exit
kp_run_cordon(const struct kp_args *args)
{
	return cordon(args, true, kp_args_text(args, "reason"));
}

enum kp_exit
kp_run_uncordon(const struct kp_args *args)
{
	return cordon(args, false, NULL);
}
