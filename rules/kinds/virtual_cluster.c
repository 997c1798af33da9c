/* SPDX-License-Identifier: Apache-2.0 */
/* VirtualCluster: what clients see, a Cluster shown through a Listener. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "rules/compile_priv.h"
#include "rules/kinds/claims.h"
#include "rules/kinds/kinds.h"

static const struct kp_setting_word isolation_modes[] = {
	{ .word = "none" },
	{ .word = "prefix", .refused = "is not supported in this version" },
	{ .word = NULL },
};

static const struct kp_setting_word auth_modes[] = {
	{ .word = "passThrough", .value = KP_AUTH_PASS_THROUGH },
	{ .word = "none", .value = KP_AUTH_NONE },
	{ .word = "terminate", .refused = "is not supported in this version" },
	{ .word = NULL },
};

static const struct kp_setting isolation_fields[] = {
	{ .name = "mode",
	    .type = KP_SETTING_ENUM,
	    .words = isolation_modes,
	    .fallback = "none",
	    .help = "none: clients see the cluster's own names." },
	{ .name = "prefix",
	    .type = KP_SETTING_STRING,
	    .refused = "is not supported in this version",
	    .help = "In front of every name of this virtual cluster." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting auth_fields[] = {
	{ .name = "mode",
	    .type = KP_SETTING_ENUM,
	    .words = auth_modes,
	    .fallback = "passThrough",
	    .help = "passThrough: clients authenticate with the brokers, "
		    "through the proxy. none: nobody authenticates." },
	{ .name = "mechanisms",
	    .type = KP_SETTING_STRING,
	    .is_list = true,
	    .refused = "is not supported in this version",
	    .help = "SASL mechanisms that the proxy offers." },
	{ .name = "mtls",
	    .type = KP_SETTING_BOOL,
	    .refused = "is not supported in this version",
	    .help = "Is a client's certificate its identity?" },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting limit_fields[] = {
	{ .name = "connections",
	    .type = KP_SETTING_INT,
	    .min = 1,
	    .max = 1000000,
	    .help = "Client connections of this virtual cluster on one node. "
		    "Without it only the node's limit holds." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting spec_fields[] = {
	{ .name = "cluster",
	    .type = KP_SETTING_REFERENCE,
	    .is_required = true,
	    .kind = "Cluster",
	    .help = "The cluster that is shown." },
	{ .name = "listener",
	    .type = KP_SETTING_REFERENCE,
	    .is_required = true,
	    .kind = "Listener",
	    .help =
		"Where clients connect. Belongs to one virtual cluster of a "
		"node." },
	{ .name = "isolation",
	    .type = KP_SETTING_OBJECT,
	    .fields = isolation_fields,
	    .fallback = "{}",
	    .help = "How it is kept apart from others on the same cluster." },
	{ .name = "auth",
	    .type = KP_SETTING_OBJECT,
	    .fields = auth_fields,
	    .fallback = "{}",
	    .help = "Who finds out who a client is." },
	{ .name = "limits",
	    .type = KP_SETTING_OBJECT,
	    .fields = limit_fields,
	    .fallback = "{}",
	    .help = "What it may use of a node." },
	KP_RESOURCE_NODES,
	{ .type = KP_SETTING_END },
};

static const struct kp_setting document_fields[] = {
	KP_RESOURCE_ENVELOPE,
	{ .name = "spec",
	    .type = KP_SETTING_OBJECT,
	    .is_required = true,
	    .fields = spec_fields,
	    .help = "Which cluster, shown where and how." },
	{ .type = KP_SETTING_END },
};

/* The first that uses the listener already is reason enough. */
static bool
report_clash(
    void *ctx, const struct kp_claim *early, const struct kp_claim *late)
{
	const struct kp_value *again = kp_value_get(late->by->spec, "listener");

	kp_resource_problem(late->by, &again->at, ctx,
	    "Listener \"%s\" belongs to VirtualCluster \"%s\" already",
	    again->text, early->by->name);
	return false;
}

/* No listener is used twice on one node. */
static void
check_all(const struct kp_resources *set, struct kp_diagnostics *diagnostics)
{
	size_t num_all = kp_resources_count(set), num = 0;
	struct kp_claim *claims = kp_alloc(num_all, sizeof(*claims));

	for (size_t i = 0; i < num_all; i++) {
		const struct kp_resource *resource = kp_resources_at(set, i);

		if (resource->kind == &kp_kind_virtual_cluster &&
		    resource->spec != NULL)
			claims[num++] = (struct kp_claim){
				.by = resource,
				.position = i,
				.place =
				    kp_value_text(resource->spec, "listener"),
			};
	}
	kp_claims_visit(claims, num, report_clash, diagnostics);
	free(claims);
}

static uint32_t
cluster_index(const struct kp_compiler *compiler, const char *name)
{
	const struct kp_resources *set = compiler->input->resources;
	size_t position = kp_resources_position(set, "Cluster", name);

	kp_assert(position < kp_resources_count(set));
	return compiler->index_of[position];
}

static void
compile(struct kp_compiler *compiler, const struct kp_resource *resource)
{
	struct kp_tables *tables = compiler->tables;
	struct kp_tables_virtual_cluster *out =
	    &tables->virtual_clusters[tables->num_virtual_clusters++];
	const struct kp_value *spec = resource->spec;
	const struct kp_value *connections =
	    kp_value_get(spec, "limits.connections");
	const char *listener = kp_value_text(spec, "listener");

	out->name = kp_strdup(resource->name);
	out->cluster = cluster_index(compiler, kp_value_text(spec, "cluster"));
	out->listener = kp_kind_listener_compile(
	    compiler, kp_resources_find(
			  compiler->input->resources, "Listener", listener));
	out->auth = (enum kp_auth_mode)kp_value_number(spec, "auth.mode");
	if (connections != NULL)
		out->max_connections = (uint32_t)connections->number;
}

const struct kp_resource_kind kp_kind_virtual_cluster = {
	.name = "VirtualCluster",
	.document = { .name = "",
	    .type = KP_SETTING_OBJECT,
	    .since = "0.1",
	    .fields = document_fields,
	    .help = "What clients see: a Cluster shown through a Listener." },
	.check_all = check_all,
	.compile = compile,
};
