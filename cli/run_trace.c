/* SPDX-License-Identifier: Apache-2.0 */
/* kpctl trace: what every policy says of one request, and why. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/fetch.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/trace.h"

struct tracer {
	const struct kp_args *args;
	struct kp_trace_request request;
	struct kp_input input; /* what files or a server declare */
	char *server;          /* that declares it; NULL: files do */
	uint64_t revision;
	struct kp_policies *policies;
};

/* Who names files expects something to be asked. */
static enum kp_exit
load_files(struct tracer *t)
{
	struct kp_origin at = { .file = "-f" };
	bool has_policy = false;

	kp_input_load(&t->input, t->args);
	for (size_t i = 0; i < kp_resources_count(t->input.resources); i++)
		has_policy |=
		    strcmp(kp_resources_at(t->input.resources, i)->kind->name,
			"Policy") == 0;
	if (!has_policy && kp_diagnostics_count(&t->input.diagnostics) == 0)
		kp_diagnostics_add(&t->input.diagnostics, &at,
		    "no file that is named has a Policy");
	return KP_EXIT_OK;
}

/* A name that is not there would match what no client meets. */
static enum kp_exit
check_virtual_cluster(struct tracer *t, struct kp_connection *connection)
{
	const struct kp_query query = { .kind = "VirtualCluster",
		.is_names_only = true };
	const char *name = kp_args_text(t->args, "virtual-cluster"), *near;
	struct kp_listed listed;
	const char **names;
	enum kp_exit result;
	bool is_there = false;

	if (name == NULL)
		return KP_EXIT_OK;
	result = kp_fetch_resources(connection, &listed, &query);
	names = kp_alloc(listed.num + 1, sizeof(*names));
	for (size_t i = 0; i < listed.num; i++) {
		names[i] = listed.list[i]->name;
		is_there |= strcmp(names[i], name) == 0;
	}
	if (result == KP_EXIT_OK && !is_there) {
		near = kp_suggest(name, names);
		kp_output_problem(
		    "--virtual-cluster: %s has no \"%.64s\"%s%s%s",
		    connection->address, name,
		    near == NULL ? "" : "; did you mean \"",
		    near == NULL ? "" : near, near == NULL ? "" : "\"?");
		result = KP_EXIT_USAGE;
	}
	free(names);
	kp_listed_fini(&listed);
	return result;
}

static void
take_policies(struct tracer *t, const struct kp_listed *listed)
{
	for (size_t i = 0; i < listed->num; i++) {
		const Kproxy__Control__V1__Resource *one = listed->list[i];
		char file[KP_RESOURCE_TITLE_SIZE];

		(void)snprintf(
		    file, sizeof(file), "%.20s/%.100s", one->kind, one->name);
		kp_resources_add_file(t->input.resources, file,
		    kp_bytes_of(one->document), &t->input.diagnostics);
	}
	t->input.num_files = listed->num;
	t->revision = listed->revision;
}

static enum kp_exit
load_from_server(struct tracer *t)
{
	const struct kp_query query = { .kind = "Policy" };
	struct kp_connection connection;
	struct kp_listed listed = { 0 };
	enum kp_exit result = kp_connection_open(&connection, t->args);

	t->input.resources = kp_resources_new();
	t->input.has_read_all = true;
	if (result == KP_EXIT_OK)
		result = check_virtual_cluster(t, &connection);
	if (result == KP_EXIT_OK)
		result = kp_fetch_resources(&connection, &listed, &query);
	if (result == KP_EXIT_OK) {
		take_policies(t, &listed);
		t->server = kp_strdup(connection.address);
	}
	kp_listed_fini(&listed);
	kp_connection_close(&connection);
	return result;
}

/* NULL: something is wrong, and has been said. */
static struct kp_policies *
make_policies(struct tracer *t)
{
	struct kp_tables *tables = NULL;
	struct kp_policies *policies = NULL;
	struct kp_error err;

	if (kp_diagnostics_count(&t->input.diagnostics) == 0)
		tables = kp_input_compile(&t->input);
	if (tables == NULL) {
		(void)kp_input_refuse(&t->input);
		kp_output_problem("nothing was asked");
		return NULL;
	}
	policies =
	    kp_policies_new(tables->policies, tables->num_policies, &err);
	if (policies == NULL)
		kp_output_problem("%s", err.text);
	kp_tables_free(tables);
	return policies;
}

static enum kp_exit
show(struct tracer *t)
{
	struct kp_trace trace;
	const struct kp_trace_view view = { t->args, &t->request, &trace,
		t->input.resources, t->server, t->revision };
	enum kp_exit result;

	kp_trace_run(&t->request.asked, t->policies, &trace);
	kp_trace_write(&view);
	result =
	    trace.decision == KP_DECISION_DENY ? KP_EXIT_REFUSED : KP_EXIT_OK;
	kp_trace_fini(&trace);
	return result;
}

/* Policies that are wrong are a failure: nobody was refused by them. */
static enum kp_exit
run(struct tracer *t)
{
	enum kp_exit result;

	if (!kp_trace_request_init(&t->request, t->args))
		return KP_EXIT_USAGE;
	result = kp_args_text(t->args, "filename") != NULL
		     ? load_files(t)
		     : load_from_server(t);
	if (result != KP_EXIT_OK)
		return result;
	t->policies = make_policies(t);
	return t->policies == NULL ? KP_EXIT_FAILED : show(t);
}

enum kp_exit
kp_run_trace(const struct kp_args *args)
{
	struct tracer t = { .args = args };
	enum kp_exit result = run(&t);

	kp_policies_unref(t.policies);
	kp_input_fini(&t.input);
	kp_trace_request_fini(&t.request);
	free(t.server);
	return result;
}
