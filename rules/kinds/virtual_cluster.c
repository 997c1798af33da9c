/* SPDX-License-Identifier: Apache-2.0 */
/* VirtualCluster: what clients see, a Cluster shown through a Listener. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "rules/compile_priv.h"
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
	    .help = "Where clients connect. Belongs to one virtual cluster." },
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

/* By listener, then in the order in which they were said. */
static int
compare_listeners(const void *left, const void *right)
{
	const struct kp_resource *a = *(const struct kp_resource *const *)left;
	const struct kp_resource *b = *(const struct kp_resource *const *)right;
	int order = strcmp(kp_value_text(a->spec, "listener"),
	    kp_value_text(b->spec, "listener"));

	if (order != 0)
		return order;
	return a->position < b->position ? -1 : a->position > b->position;
}

/* No listener is used twice. */
static void
check_all(const struct kp_resources *set, struct kp_diagnostics *diagnostics)
{
	size_t num_all = kp_resources_count(set), num = 0;
	const struct kp_resource **sorted = kp_alloc(num_all, sizeof(*sorted));

	for (size_t i = 0; i < num_all; i++) {
		const struct kp_resource *resource = kp_resources_at(set, i);

		if (resource->kind == &kp_kind_virtual_cluster &&
		    resource->spec != NULL)
			sorted[num++] = resource;
	}
	qsort(sorted, num, sizeof(*sorted), compare_listeners);
	for (size_t i = 1; i < num; i++) {
		const struct kp_value *first =
		    kp_value_get(sorted[i - 1]->spec, "listener");
		const struct kp_value *again =
		    kp_value_get(sorted[i]->spec, "listener");

		if (strcmp(first->text, again->text) == 0)
			kp_resource_problem(sorted[i], &again->at, diagnostics,
			    "Listener \"%s\" belongs to VirtualCluster \"%s\" "
			    "already",
			    again->text, sorted[i - 1]->name);
	}
	free(sorted);
}

static uint32_t
index_of(const struct kp_compiler *compiler, const char *kind, const char *name)
{
	const struct kp_resource *resource =
	    kp_resources_find(compiler->input->resources, kind, name);

	kp_assert(resource != NULL);
	return compiler->index_of[resource->position];
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

	kp_kind_listener_compile(
	    compiler, kp_resources_find(
			  compiler->input->resources, "Listener", listener));
	out->name = kp_strdup(resource->name);
	out->cluster =
	    index_of(compiler, "Cluster", kp_value_text(spec, "cluster"));
	out->listener = index_of(compiler, "Listener", listener);
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
