/* SPDX-License-Identifier: Apache-2.0 */
/* get, describe, history and status, of servers that are good and bad. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "tests/support/policy.h"

#define T(text) ((char *)(uintptr_t)(text))
#define EVIL "\033]0;evil\007\xc2\x9b\n"

/* What List answers: a page of this many, with that token. */
struct script {
	size_t num;
	const char *token, *document, *name;
	int num_pages; /* then the last one */
};

static void
list(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__ListRequest *request =
	    (const Kproxy__Control__V1__ListRequest *)message;
	struct script *script = kp_test_policy_of(call)->owner;
	Kproxy__Control__V1__ListResponse answer;
	Kproxy__Control__V1__Resource *all =
	    kp_alloc(script->num, sizeof(*all));
	Kproxy__Control__V1__Resource **pages =
	    kp_alloc(script->num, sizeof(*pages));
	Kproxy__Control__V1__Label label;
	Kproxy__Control__V1__Label *labels[] = { &label };

	kproxy__control__v1__label__init(&label);
	label.name = T("team");
	label.value = T(request->selector[0] ? request->selector : "orders");
	for (size_t i = 0; i < script->num; i++) {
		kproxy__control__v1__resource__init(&all[i]);
		all[i].kind = T(i % 2 == 0 ? "Cluster" : "Listener");
		all[i].name = T(script->name);
		all[i].document = T(script->document);
		all[i].resource_version = 5;
		all[i].labels = labels;
		all[i].n_labels = 1;
		pages[i] = &all[i];
	}
	kproxy__control__v1__list_response__init(&answer);
	answer.resources = pages;
	answer.n_resources = script->num;
	answer.revision = 9;
	if (script->num_pages-- > 0)
		answer.next_page_token = T(script->token);
	kp_rpc_call_reply(call, &answer.base);
	free(all);
	free(pages);
}

static const struct kp_test_answer lists[] = { { &kp_api_list, list },
	{ NULL, NULL } };

static void
begin(struct kp_test_policy *policy, struct script *script)
{
	kp_test_policy_init(policy, lists);
	policy->owner = script;
}

#define CLUSTER \
	"apiVersion: kproxy/v1\nkind: Cluster\nmetadata:\n  name: a\n" \
	"spec:\n  bootstrap:\n  - b:1\n  - c:2\n"

static void
expect(struct kp_test_policy *policy, const char *line, const char *wanted)
{
	struct kp_test_run run;

	kp_test_kpctl(&run, policy, line);
	cr_assert_eq(run.code, 0, "%s", run.err);
	cr_assert_str_empty(run.err);
	cr_assert_str_eq(run.out, wanted, "%s", run.out);
	kp_test_run_fini(&run);
}

static void
fails(struct kp_test_policy *policy, const char *line, const char *part)
{
	struct kp_test_run run;

	kp_test_kpctl(&run, policy, line);
	cr_assert_eq(run.code, 1, "%d", run.code);
	cr_assert_not_null(strstr(run.err, part), "%s", run.err);
	cr_assert_null(strstr(run.err, "\033"));
	kp_test_run_fini(&run);
}

Test(kpctl_lists, resources_in_every_form)
{
	struct script script = { .num = 1, .name = "a", .document = CLUSTER };
	struct kp_test_policy policy;

	begin(&policy, &script);
	expect(&policy, "get clusters",
	    "NAME   BOOTSTRAP   REVISION\n"
	    "a      b:1,c:2     5\n");
	expect(&policy, "get clusters --no-headers", "a      b:1,c:2     5\n");
	expect(&policy, "get clusters --show-labels -l x=y",
	    "NAME   BOOTSTRAP   REVISION   LABELS\n"
	    "a      b:1,c:2     5          team=x=y\n");
	expect(&policy, "get clusters -o name", "cluster/a\n");
	expect(&policy, "get clusters -o yaml", CLUSTER);
	expect(&policy, "get clusters -o json",
	    "{\n  \"apiVersion\": \"kproxy/v1\",\n  \"kind\": \"List\",\n"
	    "  \"metadata\": {\n    \"revision\": 9\n  },\n  \"items\": [\n"
	    "    {\n      \"apiVersion\": \"kproxy/v1\",\n"
	    "      \"kind\": \"Cluster\",\n      \"metadata\": {\n"
	    "        \"name\": \"a\"\n      },\n      \"spec\": {\n"
	    "        \"bootstrap\": [\n          \"b:1\",\n"
	    "          \"c:2\"\n        ]\n      }\n    }\n  ]\n}\n");
	script.num = 2;
	expect(&policy, "get all -o name", "cluster/a\nlistener/a\n");
	kp_test_policy_fini(&policy);
}

Test(kpctl_lists, all_pages_are_read)
{
	struct script script = { .num = 1,
		.name = "a",
		.document = CLUSTER,
		.token = "t",
		.num_pages = 3 };
	struct kp_test_policy policy;

	begin(&policy, &script);
	expect(&policy, "get all -o name",
	    "cluster/a\ncluster/a\ncluster/a\ncluster/a\n");
	kp_test_policy_fini(&policy);
}

Test(kpctl_lists, pages_without_an_end_are_left)
{
	struct script script = { .num = 20000,
		.name = "a",
		.document = "",
		.token = "t",
		.num_pages = 1000000 };
	struct kp_test_policy policy;

	begin(&policy, &script);
	fails(&policy, "get all -o name", "lists more than 100000 items");
	script.num = 0;
	fails(&policy, "get all", "a page of its list is empty, and not");
	kp_test_policy_fini(&policy);
}

Test(kpctl_lists, a_page_that_is_too_long_is_refused)
{
	char *huge = kp_alloc(1, (33u << 20) + 1);
	struct script script = { .num = 1, .name = "a", .document = huge };
	struct kp_test_policy policy;

	memset(huge, 'x', 33u << 20);
	begin(&policy, &script);
	fails(&policy, "get all", "at most 33554432 are allowed");
	kp_test_policy_fini(&policy);
	free(huge);
}

Test(kpctl_lists, what_a_server_says_cannot_play_with_a_terminal)
{
	static const char *const forms[] = { "table", "wide", "name", "json",
		"yaml" };
	struct script script = { .num = 2,
		.name = EVIL,
		.document =
		    "spec: {bootstrap: [\"\\e[2J\\x9b\"], \"\\e\": x}" };
	struct kp_test_policy policy;

	begin(&policy, &script);
	for (size_t i = 0; i < 5; i++) {
		struct kp_test_run run;
		char line[64];

		(void)snprintf(line, sizeof(line), "get all -o %s", forms[i]);
		kp_test_kpctl(&run, &policy, line);
		cr_assert_eq(run.code, 0, "%s", run.err);
		cr_assert_null(strpbrk(run.out, "\033\007"), "%s", run.out);
		cr_assert_null(strstr(run.out, "\xc2\x9b"), "%s", run.out);
		kp_test_run_fini(&run);
	}
	script.document = "\033[2J: [";
	fails(&policy, "get all -o yaml", "is no resource that can be read");
	kp_test_policy_fini(&policy);
}

static void
fill_node(Kproxy__Control__V1__Node *node, const char *name)
{
	kproxy__control__v1__node__init(node);
	node->name = T(name);
	node->version = T("0.2");
	node->address = T("10.0.0.1:5");
	node->server = T("kp-1");
	node->revision = 7;
	node->wanted_revision = 9;
	node->state = KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_REFUSED;
	node->refused_revision = 9;
}

static void
nodes(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	Kproxy__Control__V1__Problem problem;
	Kproxy__Control__V1__Problem *problems[] = { &problem };
	Kproxy__Control__V1__Problems found;
	Kproxy__Control__V1__Counter counter;
	Kproxy__Control__V1__Counter *counters[] = { &counter, &counter };
	Kproxy__Control__V1__ListNodesResponse answer;
	Kproxy__Control__V1__GetNodeResponse one;
	Kproxy__Control__V1__Node node, *list_[] = { &node };

	kproxy__control__v1__counter__init(&counter);
	kproxy__control__v1__problems__init(&found);
	kproxy__control__v1__problem__init(&problem);
	fill_node(&node, kp_test_policy_of(call)->owner);
	problem.message = T("key does not fit" EVIL);
	found.problems = problems;
	found.n_problems = 1;
	found.left_out = 2;
	counter.name = T("kproxy_x");
	counter.value = 1.5;
	node.problems = &found;
	node.counters = counters;
	node.n_counters = 2;
	kproxy__control__v1__list_nodes_response__init(&answer);
	answer.nodes = list_;
	answer.n_nodes = 1;
	answer.revision = 9;
	answer.version = T("0.3");
	kproxy__control__v1__get_node_response__init(&one);
	one.node = &node;
	kp_rpc_call_reply(
	    call, message->descriptor ==
			  &kproxy__control__v1__get_node_request__descriptor
		      ? &one.base
		      : &answer.base);
}

static const struct kp_test_answer node_answers[] = { { &kp_api_list_nodes,
							  nodes },
	{ &kp_api_get_node, nodes }, { NULL, NULL } };

Test(kpctl_lists, nodes_say_what_they_refuse_and_why)
{
	struct kp_test_policy policy;
	struct kp_test_run run;

	kp_test_policy_init(&policy, node_answers);
	policy.owner = T("edge-1");
	expect(&policy, "status",
	    "NAME     STATE     REVISION   LAG   SEEN     REASON\n"
	    "edge-1   refused   7          2     <none>   key does not "
	    "fit\\x1b]0;evil\\x07\\xc2\\x9b\\x0a (and 2 more)\n"
	    "1 node: 1 refused; revision 9\n");
	expect(&policy, "get nodes -o name", "node/edge-1\n");
	kp_test_kpctl(&run, &policy, "status --check -o json");
	cr_assert_eq(run.code, 1);
	cr_assert_not_null(strstr(run.out, "\"state\": \"refused\""));
	cr_assert_not_null(strstr(run.out, "\"kproxy_x\": 1.5"));
	kp_test_run_fini(&run);
	kp_test_kpctl(&run, &policy, "describe node edge-1");
	cr_assert_eq(run.code, 0);
	cr_assert_not_null(strstr(run.out, "Revision:     7 of 9\n"));
	cr_assert_not_null(strstr(run.out, "  kproxy_x 1.5\n"));
	cr_assert_null(strstr(run.out, "\033"));
	kp_test_run_fini(&run);
	/* all that refuse have refused: there is nothing to wait for */
	kp_test_kpctl(&run, &policy, "status --watch --timeout=1h");
	cr_assert_eq(run.code, 1);
	cr_assert_not_null(
	    strstr(run.err, "node/edge-1 is refused, at revision 7: key"));
	kp_test_run_fini(&run);
	kp_test_policy_fini(&policy);
}

Test(kpctl_lists, the_version_is_that_of_both)
{
	struct kp_test_policy policy;
	struct kp_test_run run;

	kp_test_policy_init(&policy, node_answers);
	policy.owner = T("edge-1");
	kp_test_kpctl(&run, &policy, "version");
	cr_assert_eq(run.code, 0, "%s", run.err);
	cr_assert_not_null(strstr(run.out, "kpserver 0.3 at 127.0.0.1:"));
	kp_test_run_fini(&run);
	kp_test_kpctl_raw(&run, &policy, "version");
	cr_assert_eq(run.code, 0, "%s", run.err);
	cr_assert_null(strstr(run.out, "kpserver"));
	kp_test_run_fini(&run);
	kp_test_policy_fini(&policy);
}

static void
history(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__HistoryRequest *request =
	    (const Kproxy__Control__V1__HistoryRequest *)message;
	Kproxy__Control__V1__Revision revision;
	Kproxy__Control__V1__Revision *revisions[] = { &revision };
	Kproxy__Control__V1__Change change;
	Kproxy__Control__V1__Change *changes[] = { &change, &change, &change,
		&change };
	Kproxy__Control__V1__HistoryResponse answer;

	kproxy__control__v1__change__init(&change);
	kproxy__control__v1__revision__init(&revision);
	change.kind = T("Cluster");
	change.name = T("a");
	change.outcome = KPROXY__CONTROL__V1__OUTCOME__OUTCOME_CREATED;
	change.document = T(request->with_documents ? CLUSTER : "");
	revision.number = 1;
	revision.time_ms = 1700000000000;
	revision.identity = T("CN:alice" EVIL);
	revision.reason = T("because");
	revision.changes = changes;
	revision.n_changes = 4;
	kproxy__control__v1__history_response__init(&answer);
	answer.revisions = revisions;
	answer.n_revisions = 1;
	answer.oldest = 1;
	kp_rpc_call_reply(call, &answer.base);
}

Test(kpctl_lists, history_says_when_who_what_and_why)
{
	static const struct kp_test_answer answers[] = {
		{ &kp_api_history, history }, { NULL, NULL }
	};
	struct kp_test_policy policy;
	struct kp_test_run run;

	kp_test_policy_init(&policy, answers);
	kp_test_kpctl(&run, &policy, "history --no-headers");
	cr_assert_eq(run.code, 0, "%s", run.err);
	cr_assert_not_null(
	    strstr(run.out,
		"1          2023-11-14T22:13:20Z   CN:alice\\x1b]0;evil\\x07"),
	    "%s", run.out);
	cr_assert_not_null(strstr(run.out,
	    "cluster/a created, cluster/a created, cluster/a created, and 1 "
	    "more   because\n"));
	kp_test_run_fini(&run);
	kp_test_kpctl(&run, &policy, "history --revision 1 -o json");
	cr_assert_eq(run.code, 0, "%s", run.err);
	cr_assert_not_null(strstr(run.out, "\"revision\": 1,"), "%s", run.out);
	cr_assert_not_null(strstr(run.out, "\"bootstrap\": ["));
	kp_test_run_fini(&run);
	fails(&policy, "history --revision 7", "there is no revision 7");
	kp_test_policy_fini(&policy);
}
