/* SPDX-License-Identifier: Apache-2.0 */
/* kpctl get: resources and nodes of a server. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "cli/fetch.h"
#include "cli/nodes_view.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/targets.h"
#include "cli/view.h"
#include "cli/watch.h"
#include "proto/control/unpack.h"

/* What was asked for, and what of it has been found. */
struct getter {
	const struct kp_args *args;
	struct kp_connection connection;
	uint64_t revision; /* that was asked for; 0: the newest */
	struct kp_buf out;
	size_t num_found;
};

bool
kp_revision_said(uint64_t *out, const struct kp_args *args, const char *flag)
{
	const char *text = kp_args_text(args, flag);
	int64_t number = 0;

	*out = 0;
	if (text == NULL)
		return true;
	if (!kp_parse_int(text, &number) || number < 1) {
		kp_output_problem(
		    "--%s: must be the number of a revision, not \"%s\"", flag,
		    text);
		return false;
	}
	*out = (uint64_t)number;
	return true;
}

static enum kp_exit
show_resources(struct getter *g, Kproxy__Control__V1__Resource **list,
    size_t num, bool is_one, uint64_t revision)
{
	const struct kp_view view = { g->args, is_one, revision };

	g->num_found += num;
	return kp_view_add(&g->out, &view, list, num) ? KP_EXIT_OK
						      : KP_EXIT_FAILED;
}

static enum kp_exit
get_list(struct getter *g, const char *kind)
{
	const struct kp_query query = { .kind = kind,
		.selector = kp_args_text(g->args, "selector"),
		.revision = g->revision,
		.is_names_only = kp_output_is(g->args, "name") };
	struct kp_listed listed;
	enum kp_exit result =
	    kp_fetch_resources(&g->connection, &listed, &query);

	if (result == KP_EXIT_OK)
		result = show_resources(
		    g, listed.list, listed.num, false, listed.revision);
	kp_listed_fini(&listed);
	return result;
}

static enum kp_exit
get_nodes(struct getter *g)
{
	struct kp_listed_nodes nodes;
	enum kp_exit result = kp_fetch_nodes(&g->connection, &nodes,
	    kp_args_text(g->args, "selector"), kp_output_is(g->args, "name"));
	const struct kp_view view = { g->args, false, nodes.revision };

	if (result == KP_EXIT_OK)
		kp_nodes_add(&g->out, &view, nodes.list, nodes.num);
	g->num_found += nodes.num;
	kp_listed_nodes_fini(&nodes);
	return result;
}

/* What was named one by one, as one list. */
struct named {
	ProtobufCMessage **answers;
	Kproxy__Control__V1__Resource **resources;
	Kproxy__Control__V1__Node **nodes;
	size_t num_answers, num_resources, num_nodes;
};

static enum kp_exit
get_named(struct getter *g, struct named *named, const struct kp_target *target)
{
	Kproxy__Control__V1__GetNodeResponse *node;
	Kproxy__Control__V1__GetResponse *resource;
	enum kp_exit result;

	if (strcmp(target->kind, KP_KIND_NODE) == 0) {
		result = kp_fetch_node(&g->connection, &node, target->name);
		if (result != KP_EXIT_OK)
			return result;
		named->answers[named->num_answers++] = &node->base;
		named->nodes[named->num_nodes++] = node->node;
		return result;
	}
	result = kp_fetch_resource(
	    &g->connection, &resource, target->kind, target->name, g->revision);
	if (result != KP_EXIT_OK)
		return result;
	named->answers[named->num_answers++] = &resource->base;
	named->resources[named->num_resources++] = resource->resource;
	return result;
}

static enum kp_exit
get_all_named(struct getter *g, const struct kp_targets *targets)
{
	struct named named = {
		.answers = kp_alloc(targets->num, sizeof(ProtobufCMessage *)),
		.resources = kp_alloc(targets->num, sizeof(void *)),
		.nodes = kp_alloc(targets->num, sizeof(void *)),
	};
	const struct kp_view view = { g->args, targets->num == 1, 0 };
	enum kp_exit result = KP_EXIT_OK, shown = KP_EXIT_OK;

	/* what is there is shown, even if something else is not */
	for (size_t i = 0; i < targets->num; i++) {
		enum kp_exit one = get_named(g, &named, &targets->list[i]);

		if (one != KP_EXIT_OK)
			result = one;
		if (one == KP_EXIT_NO_SERVER)
			break;
	}
	if (named.num_resources > 0)
		shown = show_resources(g, named.resources, named.num_resources,
		    targets->num == 1, 0);
	if (named.num_nodes > 0)
		kp_nodes_add(&g->out, &view, named.nodes, named.num_nodes);
	for (size_t i = 0; i < named.num_answers; i++)
		kp_unpacked_free(named.answers[i]);
	free(named.answers);
	free(named.resources);
	free(named.nodes);
	g->num_found++; /* what is missing has been said */
	return result == KP_EXIT_OK ? shown : result;
}

static enum kp_exit
get_targets(struct getter *g, const struct kp_targets *targets)
{
	enum kp_exit result = KP_EXIT_OK;

	if (targets->list[0].name != NULL)
		return get_all_named(g, targets);
	for (size_t i = 0; i < targets->num && result == KP_EXIT_OK; i++) {
		const char *kind = targets->list[i].kind;

		if (i > 0 && g->out.len > 0 && !kp_output_is(g->args, "name"))
			kp_buf_add_text(&g->out,
			    kp_output_is(g->args, "yaml") ? "---\n" : "\n");
		if (kind != NULL && strcmp(kind, KP_KIND_NODE) == 0)
			result = get_nodes(g);
		else
			result = get_list(g, kind);
	}
	return result;
}

/* What cannot be said together. */
static bool
is_possible(const struct kp_args *args, const struct kp_targets *targets)
{
	bool is_named = targets->list[0].name != NULL;
	bool has_nodes = false;

	for (size_t i = 0; i < targets->num; i++)
		has_nodes |= targets->list[i].kind != NULL &&
			     strcmp(targets->list[i].kind, KP_KIND_NODE) == 0;
	if (is_named && kp_args_text(args, "selector") != NULL)
		kp_output_problem("--selector is for lists, not for names");
	else if (has_nodes && kp_args_text(args, "revision") != NULL)
		kp_output_problem("nodes have no revisions to look back at");
	else if (targets->num > 1 && !is_named && kp_output_is(args, "json"))
		kp_output_problem("-o json takes one kind, or all");
	else
		return true;
	return false;
}

static enum kp_exit
get(const struct kp_args *args, const struct kp_targets *targets)
{
	struct getter g = { .args = args };
	enum kp_exit result;

	if (!is_possible(args, targets) ||
	    !kp_revision_said(&g.revision, args, "revision"))
		return KP_EXIT_USAGE;
	if (kp_args_is(args, "watch"))
		return kp_watch_run(args, targets);
	result = kp_connection_open(&g.connection, args);
	kp_buf_init(&g.out, KP_OUTPUT_MAX_LEN);
	if (result == KP_EXIT_OK)
		result = get_targets(&g, targets);
	if (result == KP_EXIT_OK && g.num_found == 0)
		kp_output_problem("nothing found");
	kp_output_write(&g.out);
	kp_connection_close(&g.connection);
	return result;
}

enum kp_exit
kp_run_get(const struct kp_args *args)
{
	struct kp_targets targets;
	enum kp_exit result = KP_EXIT_USAGE;
	struct kp_error err;

	if (kp_targets_parse(
		&targets, args->operands, args->num_operands, &err))
		result = get(args, &targets);
	else
		kp_output_problem("%s", err.text);
	kp_targets_fini(&targets);
	return result;
}
