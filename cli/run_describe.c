/* SPDX-License-Identifier: Apache-2.0 */
/* kpctl describe: all that a server knows of a resource or a node. */
#include <string.h>

#include "cli/describe.h"
#include "cli/fetch.h"
#include "cli/history_view.h"
#include "cli/nodes_view.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/targets.h"
#include "proto/control/unpack.h"

/* Who changed it last, and which nodes have it. */
static enum kp_exit
add_surroundings(struct kp_connection *connection, struct kp_buf *out,
    const Kproxy__Control__V1__Resource *resource)
{
	Kproxy__Control__V1__HistoryResponse *history;
	struct kp_listed_nodes nodes = { 0 };
	enum kp_exit result = kp_history_fetch(connection, &history,
	    &(struct kp_history_query){
		.kind = resource->kind, .name = resource->name, .limit = 1 });

	if (result != KP_EXIT_OK)
		return result;
	if (!kp_describe_resource(out, resource, history)) {
		if (!kp_output_is_refused())
			kp_output_problem("what the server sent is no resource "
					  "that can be read");
		result = KP_EXIT_FAILED;
	}
	kp_unpacked_free(&history->base);
	if (result == KP_EXIT_OK)
		result = kp_fetch_nodes(connection, &nodes, NULL, false);
	if (result == KP_EXIT_OK)
		kp_describe_nodes(out, resource, nodes.list, nodes.num);
	kp_listed_nodes_fini(&nodes);
	return result;
}

static enum kp_exit
describe_resource(struct kp_connection *connection, struct kp_buf *out,
    const struct kp_target *target)
{
	Kproxy__Control__V1__GetResponse *answer;
	enum kp_exit result = kp_fetch_resource(
	    connection, &answer, target->kind, target->name, 0);

	if (result != KP_EXIT_OK)
		return result;
	result = add_surroundings(connection, out, answer->resource);
	kp_unpacked_free(&answer->base);
	return result;
}

static enum kp_exit
describe_node(struct kp_connection *connection, struct kp_buf *out,
    const struct kp_target *target)
{
	Kproxy__Control__V1__GetNodeResponse *answer;
	enum kp_exit result = kp_fetch_node(connection, &answer, target->name);

	if (result != KP_EXIT_OK)
		return result;
	kp_node_describe(out, answer->node);
	kp_unpacked_free(&answer->base);
	return result;
}

static enum kp_exit
describe(const struct kp_args *args, const struct kp_targets *targets)
{
	struct kp_connection connection;
	enum kp_exit result = kp_connection_open(&connection, args);
	struct kp_buf out;

	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	for (size_t i = 0; result == KP_EXIT_OK && i < targets->num; i++) {
		const struct kp_target *target = &targets->list[i];

		kp_buf_add_text(&out, i > 0 ? "\n\n" : "");
		if (strcmp(target->kind, KP_KIND_NODE) == 0)
			result = describe_node(&connection, &out, target);
		else
			result = describe_resource(&connection, &out, target);
	}
	kp_output_write(&out);
	kp_connection_close(&connection);
	return result;
}

enum kp_exit
kp_run_describe(const struct kp_args *args)
{
	struct kp_targets targets;
	enum kp_exit result = KP_EXIT_USAGE;
	struct kp_error err;

	if (!kp_targets_parse(
		&targets, args->operands, args->num_operands, &err))
		kp_output_problem("%s", err.text);
	else if (targets.list[0].name == NULL)
		kp_output_problem("say which: KIND NAME or KIND/NAME");
	else
		result = describe(args, &targets);
	kp_targets_fini(&targets);
	return result;
}
