/* SPDX-License-Identifier: Apache-2.0 */
/* apply, diff, delete, edit, rollback: what they ask of a server, and what they
 * make of its answer. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "tests/support/policy.h"

#define T(text) ((char *)(uintptr_t)(text))
#define ORDERS \
	"apiVersion: kproxy/v1\nkind: Cluster\nmetadata:\n  name: orders\n" \
	"spec:\n  bootstrap:\n  - b:1\n"

/* What the server was asked, in one line each; and how it is to answer. */
struct state {
	char asked[4096];
	int num_refusals; /* so many applies are refused at first */
	bool is_conflict;
	size_t num_listed;
};

static void
note(struct state *state, const char *a, const char *b, const char *c,
    const char *d)
{
	size_t len = strlen(state->asked);

	(void)snprintf(state->asked + len, sizeof(state->asked) - len,
	    "%s%s%s%s\n", a, b, c, d);
}

static void
refuse(struct kp_rpc_call *call, uint32_t left_out)
{
	struct kp_rpc_status status = { .code = KP_RPC_OK };
	Kproxy__Control__V1__Problem problem;
	Kproxy__Control__V1__Problem *list[] = { &problem };
	Kproxy__Control__V1__Problems problems;

	kproxy__control__v1__problems__init(&problems);
	kproxy__control__v1__problem__init(&problem);
	problem.kind = T("Cluster");
	problem.name = T("orders");
	problem.field = T("spec.bootstrap[0]");
	problem.file = T("a.yaml");
	problem.line = 7;
	problem.column = 5;
	problem.message = T("no\033");
	problems.problems = list;
	problems.n_problems = 1;
	problems.left_out = left_out;
	kp_rpc_status_set(&status, KP_RPC_FAILED_PRECONDITION, "not valid");
	cr_assert(kp_rpc_status_add(&status, &problems.base));
	kp_rpc_call_finish(call, &status);
	kp_rpc_status_fini(&status);
}

static void
note_apply(
    struct state *state, const Kproxy__Control__V1__ApplyRequest *request)
{
	for (size_t i = 0; i < request->n_files; i++)
		note(state, "file ", request->files[i]->name, "", "");
	for (size_t i = 0; i < request->n_deletions; i++)
		note(state, "delete ", request->deletions[i]->kind, "/",
		    request->deletions[i]->name);
	for (size_t i = 0; i < request->n_preconditions; i++) {
		char version[24];

		(void)snprintf(version, sizeof(version), "%d",
		    (int)request->preconditions[i]->resource_version);
		note(state, "if ", request->preconditions[i]->name, " is ",
		    version);
	}
	note(state, request->dry_run ? "dry run" : "apply",
	    request->with_differences ? " differences" : "", "", "");
	if (request->reason[0] != '\0')
		note(state, "because ", request->reason, "", "");
}

static void
apply(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__ApplyRequest *request =
	    (const Kproxy__Control__V1__ApplyRequest *)message;
	struct state *state = kp_test_policy_of(call)->owner;
	Kproxy__Control__V1__ApplyResponse answer;
	Kproxy__Control__V1__Applied applied;
	Kproxy__Control__V1__Applied *list[] = { &applied };
	Kproxy__Control__V1__Difference difference;
	Kproxy__Control__V1__Difference *differences[] = { &difference };

	kproxy__control__v1__difference__init(&difference);
	kproxy__control__v1__applied__init(&applied);
	note_apply(state, request);
	if (state->is_conflict) {
		kp_rpc_call_end(call, KP_RPC_ABORTED, "%s", "it is newer");
		return;
	}
	if (state->num_refusals-- > 0) {
		refuse(call, request->n_files > 1 ? 5 : 0);
		return;
	}
	kproxy__control__v1__apply_response__init(&answer);
	applied.kind = difference.kind = T("Cluster");
	applied.name = difference.name = T("orders");
	applied.outcome = KPROXY__CONTROL__V1__OUTCOME__OUTCOME_CONFIGURED;
	difference.before = T("spec: {a: 1}");
	difference.after = T("spec: {a: \"\\e\"}");
	answer.results = list;
	answer.n_results = 1;
	answer.revision = 8;
	answer.differences = differences;
	answer.n_differences = request->with_differences ? 1 : 0;
	kp_rpc_call_reply(call, &answer.base);
}

static void
validate(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	Kproxy__Control__V1__Problem problem;
	Kproxy__Control__V1__Problem *list[6] = { &problem, &problem, &problem,
		&problem, &problem, &problem };
	Kproxy__Control__V1__Problems problems;
	Kproxy__Control__V1__ValidateResponse answer;

	kproxy__control__v1__problems__init(&problems);
	kproxy__control__v1__problem__init(&problem);
	(void)message;
	problem.file = T("a.yaml");
	problem.kind = T("Cluster");
	problem.message = T("one of six");
	problems.problems = list;
	problems.n_problems = 6;
	kproxy__control__v1__validate_response__init(&answer);
	answer.problems = &problems;
	kp_rpc_call_reply(call, &answer.base);
}

static void
list(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	static const char *const names[] = { "spare", "orders", "old" };
	const Kproxy__Control__V1__ListRequest *request =
	    (const Kproxy__Control__V1__ListRequest *)message;
	struct state *state = kp_test_policy_of(call)->owner;
	Kproxy__Control__V1__Resource all[3], *page[3] = { NULL };
	Kproxy__Control__V1__ListResponse answer;

	note(state, "list ", request->kind, " ", request->selector);
	kproxy__control__v1__list_response__init(&answer);
	for (size_t i = 0; i < state->num_listed; i++) {
		kproxy__control__v1__resource__init(&all[i]);
		all[i].kind = T("Cluster");
		all[i].name = T(names[i]);
		all[i].resource_version = i + 1;
		page[i] = &all[i];
	}
	answer.resources = page;
	answer.n_resources = state->num_listed;
	kp_rpc_call_reply(call, &answer.base);
}

static void
delete_some(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__DeleteRequest *request =
	    (const Kproxy__Control__V1__DeleteRequest *)message;
	struct state *state = kp_test_policy_of(call)->owner;
	Kproxy__Control__V1__DeleteResponse answer;

	for (size_t i = 0; i < request->n_names; i++)
		note(state, "delete ", request->names[i]->kind, "/",
		    request->names[i]->name);
	for (size_t i = 0; i < request->n_preconditions; i++)
		note(state, "if ", request->preconditions[i]->name, "", "");
	kproxy__control__v1__delete_response__init(&answer);
	answer.revision = 9;
	kp_rpc_call_reply(call, &answer.base);
}

static void
get(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	Kproxy__Control__V1__GetResponse answer;
	Kproxy__Control__V1__Resource resource;

	(void)message;
	kproxy__control__v1__resource__init(&resource);
	kproxy__control__v1__get_response__init(&answer);
	resource.kind = T("Cluster");
	resource.name = T("orders");
	resource.document = T(ORDERS);
	resource.resource_version = 4;
	answer.resource = &resource;
	kp_rpc_call_reply(call, &answer.base);
}

static const struct kp_test_answer answers[] = { { &kp_api_apply, apply },
	{ &kp_api_validate, validate }, { &kp_api_list, list },
	{ &kp_api_delete, delete_some }, { &kp_api_get, get }, { NULL, NULL } };

static void
begin(struct kp_test_policy *policy, struct state *state)
{
	*state = (struct state){ .num_listed = 3 };
	kp_test_policy_init(policy, answers);
	policy->owner = state;
	kp_test_write(policy->folder, "a.yaml", ORDERS);
	kp_test_write(policy->folder, "b.yaml", "kind: Unknown\n");
}

/* Runs line and looks at all that it did. */
static void
expect(struct kp_test_policy *policy, const char *line, int code,
    const char *asked, const char *out, const char *err)
{
	struct state *state = policy->owner;
	struct kp_test_run run;

	state->asked[0] = '\0';
	kp_test_kpctl(&run, policy, line);
	cr_assert_eq(run.code, code, "%d: %s", run.code, run.err);
	cr_assert_str_eq(state->asked, asked, "%s", state->asked);
	cr_assert_str_eq(run.out, out, "%s", run.out);
	cr_assert_not_null(strstr(run.err, err), "%s", run.err);
	cr_assert(err[0] != '\0' || run.err[0] == '\0', "%s", run.err);
	cr_assert_null(strstr(run.err, "\033"));
	kp_test_run_fini(&run);
}

Test(kpctl_changes, apply_sends_files_as_they_are)
{
	struct kp_test_policy policy;
	struct state state;

	begin(&policy, &state);
	expect(&policy, "apply -f b.yaml -f a.yaml --reason why", 0,
	    "file b.yaml\nfile a.yaml\napply\nbecause why\n",
	    "cluster/orders configured\n", "");
	expect(&policy, "apply -f a.yaml --dry-run", 0,
	    "file a.yaml\ndry run\n",
	    "cluster/orders configured (server dry run)\n", "");
	expect(&policy, "apply -f a.yaml --dry-run=client", 0, "",
	    "cluster/orders is well-formed (client dry run)\n", "");
	expect(&policy, "apply -f b.yaml --dry-run=client", 3, "", "",
	    "b.yaml:1:7: ");
	expect(&policy, "apply -f gone.yaml", 1, "", "",
	    "gone.yaml: could not open");
	expect(&policy, "apply -f a.yaml -o json", 0, "file a.yaml\napply\n",
	    "{\n  \"revision\": 8,\n  \"dryRun\": false,\n  \"results\": [\n"
	    "    {\n      \"kind\": \"Cluster\",\n"
	    "      \"name\": \"orders\",\n"
	    "      \"outcome\": \"configured\"\n    }\n  ]\n}\n",
	    "");
	kp_test_policy_fini(&policy);
}

Test(kpctl_changes, what_is_refused_is_said_as_validate_does)
{
	struct kp_test_policy policy;
	struct state state;

	begin(&policy, &state);
	state.num_refusals = 1;
	expect(&policy, "apply -f a.yaml", 3, "file a.yaml\napply\n", "",
	    "a.yaml:7:5: Cluster \"orders\": spec.bootstrap[0]: no\\x1b\n"
	    "refused: 1 problem\n");
	/* what did not fit into the status is asked for */
	state.num_refusals = 1;
	expect(&policy, "apply -f a.yaml -f b.yaml", 3,
	    "file a.yaml\nfile b.yaml\napply\n", "",
	    "a.yaml: Cluster: one of six\nrefused: 6 problems\n");
	expect(&policy, "validate -f a.yaml --server", 3, "", "",
	    "a.yaml: Cluster: one of six\nrefused: 6 problems\n");
	state.is_conflict = true;
	expect(&policy, "apply -f a.yaml", 1, "file a.yaml\napply\n", "",
	    "somebody else was faster: it is newer");
	kp_test_policy_fini(&policy);
}

Test(kpctl_changes, prune_deletes_what_no_file_says)
{
	struct kp_test_policy policy;
	struct state state;

	begin(&policy, &state);
	expect(&policy, "apply -f a.yaml --prune -l team=x", 0,
	    "list  team=x\nfile a.yaml\ndelete Cluster/old\n"
	    "delete Cluster/spare\nif old is 3\nif spare is 1\napply\n",
	    "cluster/orders configured\n", "");
	expect(&policy, "apply -f a.yaml --prune", 2, "", "", "needs either");
	expect(&policy, "apply -f a.yaml --prune --all -l x", 2, "", "",
	    "needs either");
	expect(&policy, "apply -f a.yaml --all", 2, "", "", "say nothing");
	kp_test_policy_fini(&policy);
}

Test(kpctl_changes, diff_shows_what_apply_would_change)
{
	struct kp_test_policy policy;
	struct state state;

	begin(&policy, &state);
	expect(&policy, "diff -f a.yaml", 1,
	    "file a.yaml\ndry run differences\n",
	    "--- server/cluster/orders\n+++ files/cluster/orders\n"
	    "@@ -1,2 +1,2 @@\n spec:\n-  a: 1\n+  a: \"\\u001b\"\n",
	    "");
	kp_test_policy_fini(&policy);
}

Test(kpctl_changes, delete_names_what_is_to_go)
{
	struct kp_test_policy policy;
	struct state state;

	begin(&policy, &state);
	expect(&policy, "delete cluster a b", 0,
	    "delete Cluster/a\ndelete Cluster/b\n",
	    "cluster/a deleted\ncluster/b deleted\n", "");
	expect(&policy, "delete -f a.yaml", 0, "delete Cluster/orders\n",
	    "cluster/orders deleted\n", "");
	state.num_listed = 1;
	expect(&policy, "delete cluster -l team=x", 0,
	    "list Cluster team=x\ndelete Cluster/spare\nif spare\n",
	    "cluster/spare deleted\n", "");
	expect(&policy, "delete cluster spare gone --ignore-not-found", 0,
	    "list  \ndelete Cluster/spare\n", "cluster/spare deleted\n", "");
	state.num_listed = 0;
	expect(&policy, "delete cluster --all", 0, "list Cluster \n", "",
	    "nothing found");
	expect(&policy, "delete cluster", 2, "", "", "say what to delete");
	expect(&policy, "delete", 2, "", "", "say what to delete");
	expect(&policy, "delete all a", 2, "", "", "there is no kind \"all\"");
	expect(&policy, "delete cluster/a --all", 2, "", "", "say what");
	expect(&policy, "delete node/a", 2, "", "", "nodes are not declared");
	kp_test_policy_fini(&policy);
}

Test(kpctl_changes, edit_applies_what_was_saved)
{
	struct kp_test_policy policy;
	struct state state;

	begin(&policy, &state);
	kp_must(setenv("TMPDIR", policy.folder, 1));
	kp_must(setenv("KPCTL_EDITOR", "true", 1));
	expect(&policy, "edit cluster orders", 0, "",
	    "unchanged: nothing was edited\n", "");
	kp_must(setenv("KPCTL_EDITOR", "sed -i s/b:1/b:2/", 1));
	expect(&policy, "edit cluster/orders --reason typo", 0,
	    "file edited.yaml\nif orders is 4\napply\nbecause typo\n",
	    "cluster/orders configured\n", "");
	kp_must(setenv("KPCTL_EDITOR", "false", 1));
	expect(&policy, "edit cluster/orders", 1, "", "",
	    "the editor \"false\" failed");
	kp_must(setenv("KPCTL_EDITOR", "/nowhere/vi", 1));
	expect(&policy, "edit cluster/orders", 1, "", "", "failed");
	state.is_conflict = true;
	kp_must(setenv("KPCTL_EDITOR", "sed -i s/b:1/b:2/", 1));
	expect(&policy, "edit cluster/orders", 1,
	    "file edited.yaml\nif orders is 4\napply\n", "",
	    "what was edited is kept in ");
	expect(&policy, "edit cluster", 2, "", "", "say which one");
	expect(&policy, "edit node/a", 2, "", "", "node.yaml");
	kp_test_policy_fini(&policy);
}

Test(kpctl_changes, what_is_refused_comes_back_to_the_editor)
{
	/* the second time it is mended, and what was said is kept */
	static const char script[] =
	    "#!/bin/sh\n"
	    "if grep -q 'a.yaml:12:5: .*no' \"$1\"; then\n"
	    "	cp \"$1\" seen\n"
	    "	exec sed -i s/b:2/b:3/ \"$1\"\n"
	    "fi\n"
	    "exec sed -i s/b:1/b:2/ \"$1\"\n";
	struct kp_test_policy policy;
	char path[KP_TEST_PATH_LEN];
	struct state state;

	begin(&policy, &state);
	kp_must(setenv("TMPDIR", policy.folder, 1));
	kp_test_write(policy.folder, "editor", script);
	kp_must(setenv("KPCTL_EDITOR", "sh ./editor", 1));
	state.num_refusals = 1;
	expect(&policy, "edit cluster/orders", 0,
	    "file edited.yaml\nif orders is 4\napply\n"
	    "file edited.yaml\nif orders is 4\napply\n",
	    "cluster/orders configured\n", "");
	kp_test_path(path, policy.folder, "seen");
	cr_assert_eq(access(path, R_OK), 0);
	/* an operator who gives up is asked no more */
	state.num_refusals = 9;
	kp_must(setenv("KPCTL_EDITOR", "sed -i s/b:1/b:2/", 1));
	expect(&policy, "edit cluster/orders", 3,
	    "file edited.yaml\nif orders is 4\napply\n", "",
	    "refused, and not edited again\n"
	    "a.yaml:12:5: Cluster \"orders\": spec.bootstrap[0]: no\\x1b");
	kp_test_policy_fini(&policy);
}
