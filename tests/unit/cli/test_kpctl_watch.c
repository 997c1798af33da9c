/* SPDX-License-Identifier: Apache-2.0 */
/* get --watch: changes, connections that are lost, revisions that are gone. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "rules/labels.h"
#include "tests/support/policy.h"

#define PATIENCE_MS 30000
#define MAX_REVISIONS 16
#define T(text) ((char *)(uintptr_t)(text))

/* What each revision does to one cluster. */
struct change {
	const char *name, *team; /* team NULL: it is deleted */
};

/*
 * Resources with their history, as a server of ours keeps them. Revision 1 has
 * the cluster "a" of the red team.
 */
struct state {
	struct kp_mutex lock; /* guards all of it */
	struct change revisions[MAX_REVISIONS];
	uint64_t newest, oldest;
	struct kp_rpc_call *stream;
	bool has_documents; /* the stream asked for them */
	unsigned num_streams;
	uint64_t after; /* what the last stream asked for */
	unsigned num_lists;
	enum kp_rpc_code refusal; /* of the next stream; OK: none */
	uint64_t num_late;        /* lists as of so many revisions ago */
	unsigned num_repeated;    /* the next stream begins too early */
	bool is_leaving;          /* the server stops: streams are not kept */
};

static bool
is_selected(const char *selector, const char *team)
{
	const struct kp_label pair = { "team", team };
	struct kp_selector *parsed;
	struct kp_labels labels;
	struct kp_error err;
	bool is_selected;

	parsed = kp_selector_parse(selector, &err);
	cr_assert_not_null(parsed);
	kp_labels_init(&labels, &pair, 1);
	is_selected = kp_selector_matches(parsed, &labels);
	kp_labels_fini(&labels);
	kp_selector_free(parsed);
	return is_selected;
}

/* A document to be freed; as canonical as it has to be. */
static char *
document_of(const struct change *change)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
	    "metadata: {name: %s, labels: {team: %s}}\n"
	    "spec: {bootstrap: [%s:1]}\n",
	    change->name, change->team, change->name);
	return kp_strdup(text);
}

/* Is what that revision did still so at a later one? */
static bool
is_last(const struct state *state, uint64_t number, uint64_t at)
{
	for (uint64_t later = number + 1; later <= at; later++) {
		if (strcmp(state->revisions[later].name,
			state->revisions[number].name) == 0)
			return false;
	}
	return state->revisions[number].team != NULL;
}

static void
list_locked(struct state *state, struct kp_rpc_call *call, const char *selector)
{
	Kproxy__Control__V1__Resource all[MAX_REVISIONS], *page[MAX_REVISIONS];
	Kproxy__Control__V1__Label labels[MAX_REVISIONS], *lists[MAX_REVISIONS];
	Kproxy__Control__V1__ListResponse answer;
	uint64_t at = state->newest - state->num_late;

	kproxy__control__v1__list_response__init(&answer);
	for (uint64_t i = 1; i <= at; i++) {
		const struct change *change = &state->revisions[i];

		if (!is_last(state, i, at) ||
		    !is_selected(selector, change->team))
			continue;
		kproxy__control__v1__resource__init(&all[i]);
		all[i].kind = T("Cluster");
		all[i].name = T(change->name);
		all[i].document = document_of(change);
		all[i].resource_version = i;
		kproxy__control__v1__label__init(&labels[i]);
		labels[i].name = T("team");
		labels[i].value = T(change->team);
		lists[i] = &labels[i];
		all[i].labels = &lists[i];
		all[i].n_labels = 1;
		page[answer.n_resources++] = &all[i];
	}
	answer.revision = at;
	answer.resources = page;
	kp_rpc_call_reply(call, &answer.base);
	for (size_t i = 0; i < answer.n_resources; i++)
		free(page[i]->document);
}

static void
list(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	struct state *state = kp_test_policy_of(call)->owner;
	const Kproxy__Control__V1__ListRequest *request =
	    (const Kproxy__Control__V1__ListRequest *)message;

	kp_mutex_lock(&state->lock);
	state->num_lists++;
	list_locked(state, call, request->selector);
	kp_mutex_unlock(&state->lock);
}

static void
send_locked(struct state *state, uint64_t number)
{
	const struct change *change = &state->revisions[number];
	Kproxy__Control__V1__WatchResponse response;
	Kproxy__Control__V1__Revision revision;
	Kproxy__Control__V1__Change changed, *list = &changed;
	struct kp_rpc_packet *packet;
	char *document = NULL;
	struct kp_error err;

	if (state->stream == NULL)
		return;
	kproxy__control__v1__watch_response__init(&response);
	kproxy__control__v1__revision__init(&revision);
	kproxy__control__v1__change__init(&changed);
	response.revision = &revision;
	revision.number = number;
	revision.changes = &list;
	revision.n_changes = 1;
	changed.kind = T("Cluster");
	changed.name = T(change->name);
	changed.outcome = KPROXY__CONTROL__V1__OUTCOME__OUTCOME_CONFIGURED;
	if (change->team == NULL)
		changed.outcome = KPROXY__CONTROL__V1__OUTCOME__OUTCOME_DELETED;
	else if (state->has_documents)
		changed.document = document = document_of(change);
	packet = kp_rpc_packet_new(&response.base, 4096, &err);
	(void)!kp_rpc_call_send(state->stream, packet, &err);
	kp_rpc_packet_unref(packet);
	free(document);
}

static void
forget_locked(struct state *state)
{
	if (state->stream != NULL)
		kp_rpc_call_unref(state->stream);
	state->stream = NULL;
}

static void
watch_locked(struct state *state, struct kp_rpc_call *call,
    const Kproxy__Control__V1__WatchRequest *request)
{
	forget_locked(state);
	state->after = request->after;
	state->num_streams++;
	if (state->is_leaving)
		return;
	if (state->refusal != KP_RPC_OK) {
		kp_rpc_call_end(call, state->refusal, "%s", "not now");
		state->refusal = KP_RPC_OK;
		return;
	}
	if (request->after < state->oldest || request->after > state->newest) {
		kp_rpc_call_end(call, KP_RPC_OUT_OF_RANGE, "%s", "not here");
		return;
	}
	state->stream = kp_rpc_call_ref(call);
	state->has_documents = request->with_documents != 0;
	for (uint64_t i = request->after + 1 - state->num_repeated;
	     i <= state->newest; i++)
		send_locked(state, i);
	state->num_repeated = 0;
}

static void
watch(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	struct state *state = kp_test_policy_of(call)->owner;

	kp_mutex_lock(&state->lock);
	watch_locked(
	    state, call, (const Kproxy__Control__V1__WatchRequest *)message);
	kp_mutex_unlock(&state->lock);
}

static void
change_locked(struct state *state, const char *name, const char *team)
{
	cr_assert_lt(state->newest + 1, MAX_REVISIONS);
	state->revisions[++state->newest] = (struct change){ name, team };
	send_locked(state, state->newest);
}

/* A new revision in which the cluster is of that team, or gone (NULL). */
static void
change(struct state *state, const char *name, const char *team)
{
	kp_mutex_lock(&state->lock);
	change_locked(state, name, team);
	kp_mutex_unlock(&state->lock);
}

static void
drop_locked(struct state *state)
{
	if (state->stream != NULL)
		kp_rpc_call_abort(state->stream);
	forget_locked(state);
}

static void
drop(struct state *state)
{
	kp_mutex_lock(&state->lock);
	drop_locked(state);
	kp_mutex_unlock(&state->lock);
}

/* Ends the stream with a code. */
static void
refuse(struct state *state, enum kp_rpc_code code)
{
	kp_mutex_lock(&state->lock);
	kp_rpc_call_end(state->stream, code, "%s", "enough");
	forget_locked(state);
	kp_mutex_unlock(&state->lock);
}

static const struct kp_test_answer answers[] = { { &kp_api_list, list },
	{ &kp_api_watch, watch }, { NULL, NULL } };

/* Waits until kpctl has opened so many streams, within a time. */
static void
wait_for_stream(struct state *state, unsigned num)
{
	int64_t deadline_ms = kp_now_ms() + PATIENCE_MS;

	for (;;) {
		unsigned opened;

		kp_mutex_lock(&state->lock);
		opened = state->num_streams;
		kp_mutex_unlock(&state->lock);
		if (opened >= num)
			return;
		cr_assert(kp_now_ms() < deadline_ms, "%u streams", opened);
		(void)usleep(1000);
	}
}

static void
begin(struct kp_test_policy *policy, struct state *state)
{
	*state = (struct state){ .newest = 1 };
	state->revisions[1] = (struct change){ "a", "red" };
	kp_mutex_init(&state->lock, KP_RANK_CHANNEL);
	kp_test_policy_init(policy, answers);
	policy->owner = state;
}

static void
end(struct kp_test_policy *policy, struct state *state)
{
	drop(state);
	kp_test_policy_fini(policy);
	kp_mutex_fini(&state->lock);
}

/* kpctl is interrupted, having written what is wanted; err NULL: anything. */
static void
check(
    struct kp_test_policy *policy, int child, const char *out, const char *err)
{
	struct kp_test_run run;

	kp_test_kpctl_end(&run, policy, child);
	cr_assert_str_eq(run.out, out, "%s", run.out);
	if (err != NULL)
		cr_assert_str_eq(run.err, err, "%s", run.err);
	cr_assert_eq(run.code, -SIGINT);
	kp_test_run_fini(&run);
}

Test(kpctl_watch, every_change_is_a_line_and_the_list_is_asked_for_once)
{
	struct kp_test_policy policy;
	struct state state;
	int child;

	begin(&policy, &state);
	child = kp_test_kpctl_start(&policy, "get cluster -w -o name");
	wait_for_stream(&state, 1);
	cr_assert_eq(state.after, 1);
	change(&state, "b", "red");
	cr_assert(kp_test_kpctl_said(&policy, "ADDED      cluster/b\n"));
	change(&state, "a", "red");
	cr_assert(kp_test_kpctl_said(&policy, "MODIFIED   cluster/a\n"));
	change(&state, "b", NULL);
	cr_assert(kp_test_kpctl_said(&policy, "DELETED    cluster/b\n"));
	check(&policy, child,
	    "ADDED      cluster/a\n"
	    "ADDED      cluster/b\n"
	    "MODIFIED   cluster/a\n"
	    "DELETED    cluster/b\n",
	    "");
	cr_assert_eq(state.num_lists, 1);
	cr_assert_eq(state.num_streams, 1);
	end(&policy, &state);
}

Test(kpctl_watch, only_what_was_asked_for_is_shown)
{
	struct kp_test_policy policy;
	struct state state;
	int child;

	begin(&policy, &state);
	child = kp_test_kpctl_start(&policy, "get cluster b -w -o json");
	wait_for_stream(&state, 1);
	change(&state, "a", "red");
	change(&state, "b", "red");
	cr_assert(kp_test_kpctl_said(&policy, "\"revision\": 3"));
	check(&policy, child,
	    "{\n  \"type\": \"ADDED\",\n  \"revision\": 3,\n  \"object\": {\n"
	    "    \"metadata\": {\n      \"name\": \"b\",\n"
	    "      \"labels\": {\n        \"team\": \"red\"\n      }\n    },\n"
	    "    \"spec\": {\n      \"bootstrap\": [\n        \"b:1\"\n"
	    "      ]\n    }\n  }\n}\n",
	    "");
	cr_assert_eq(state.num_lists, 1);
	end(&policy, &state);
}

Test(kpctl_watch, what_leaves_a_selector_is_deleted_and_what_enters_is_added)
{
	static const char *const forms[][2] = {
		{ "get cluster -w -l team=red -o name",
		    "ADDED      cluster/a\n"
		    "DELETED    cluster/a\n"
		    "ADDED      cluster/c\n"
		    "ADDED      cluster/a\n"
		    "DELETED    cluster/c\n" },
		/* one that is gone is shown as it was */
		{ "get cluster -w -l team=red --show-labels",
		    "ADDED      cluster/a   a:1         1          team=red\n"
		    "DELETED    cluster/a   a:1         1          team=red\n"
		    "ADDED      cluster/c   c:1         5          team=red\n"
		    "ADDED      cluster/a   a:1         6          team=red\n"
		    "DELETED    cluster/c   c:1         5          "
		    "team=red\n" }
	};

	for (size_t i = 0; i < 2; i++) {
		struct kp_test_policy policy;
		struct state state;
		int child;

		begin(&policy, &state);
		child = kp_test_kpctl_start(&policy, forms[i][0]);
		wait_for_stream(&state, 1);
		change(&state, "b", "blue");
		change(&state, "a", "blue");
		change(&state, "a", "blue");
		change(&state, "c", "red");
		change(&state, "a", "red");
		change(&state, "b", NULL);
		change(&state, "c", NULL);
		cr_assert(kp_test_kpctl_said(&policy, "DELETED    cluster/c"));
		check(&policy, child, forms[i][1], "");
		cr_assert_eq(state.num_lists, 1);
		end(&policy, &state);
	}
}

Test(kpctl_watch, a_lost_stream_goes_on_where_it_was)
{
	struct kp_test_policy policy;
	struct state state;
	int child;

	begin(&policy, &state);
	child = kp_test_kpctl_start(&policy, "get cluster -w -o name");
	wait_for_stream(&state, 1);
	change(&state, "b", "red");
	change(&state, "b", NULL);
	cr_assert(kp_test_kpctl_said(&policy, "DELETED    cluster/b\n"));
	/* nobody listens, and what was known is told once more */
	kp_mutex_lock(&state.lock);
	drop_locked(&state);
	state.num_repeated = 2;
	change_locked(&state, "c", "red");
	change_locked(&state, "a", "red");
	change_locked(&state, "c", NULL);
	kp_mutex_unlock(&state.lock);
	cr_assert(kp_test_kpctl_said(&policy, "DELETED    cluster/c\n"));
	check(&policy, child,
	    "ADDED      cluster/a\n"
	    "ADDED      cluster/b\n"
	    "DELETED    cluster/b\n"
	    "ADDED      cluster/c\n"
	    "MODIFIED   cluster/a\n"
	    "DELETED    cluster/c\n",
	    "");
	cr_assert_eq(state.after, 3);
	cr_assert_eq(state.num_lists, 1);
	end(&policy, &state);
}

Test(kpctl_watch, forgotten_revisions_and_slow_readers_get_the_difference)
{
	static const enum kp_rpc_code codes[] = { KP_RPC_OUT_OF_RANGE,
		KP_RPC_RESOURCE_EXHAUSTED };

	for (size_t i = 0; i < 2; i++) {
		struct kp_test_policy policy;
		struct state state;
		int child;

		begin(&policy, &state);
		child = kp_test_kpctl_start(&policy, "get cluster -w -o name");
		wait_for_stream(&state, 1);
		change(&state, "b", "red");
		cr_assert(
		    kp_test_kpctl_said(&policy, "ADDED      cluster/b\n"));
		kp_mutex_lock(&state.lock);
		drop_locked(&state);
		state.refusal = codes[i];
		change_locked(&state, "c", "red");
		change_locked(&state, "c", NULL);
		change_locked(&state, "d", "red");
		change_locked(&state, "a", NULL);
		change_locked(&state, "b", "blue");
		state.oldest = state.newest;
		kp_mutex_unlock(&state.lock);
		wait_for_stream(&state, 3);
		change(&state, "e", "red");
		cr_assert(
		    kp_test_kpctl_said(&policy, "ADDED      cluster/e\n"));
		check(&policy, child,
		    "ADDED      cluster/a\n"
		    "ADDED      cluster/b\n"
		    "DELETED    cluster/a\n"
		    "MODIFIED   cluster/b\n"
		    "ADDED      cluster/d\n"
		    "ADDED      cluster/e\n",
		    "");
		cr_assert_eq(state.num_lists, 2);
		end(&policy, &state);
	}
}

Test(kpctl_watch, a_server_that_comes_back_is_found_again)
{
	struct kp_test_policy policy;
	struct state state;
	char address[64];
	int child;

	begin(&policy, &state);
	child = kp_test_kpctl_start(&policy, "get cluster -w -o name");
	wait_for_stream(&state, 1);
	(void)snprintf(address, sizeof(address), "%s", policy.address);
	kp_mutex_lock(&state.lock);
	drop_locked(&state);
	state.is_leaving = true;
	kp_mutex_unlock(&state.lock);
	kp_test_policy_stop(&policy);
	state.is_leaving = false;
	cr_assert(kp_test_kpctl_complained(&policy, "trying again"));
	change(&state, "b", "red");
	kp_test_policy_start(&policy, address);
	cr_assert(kp_test_kpctl_said(&policy, "ADDED      cluster/b\n"));
	check(&policy, child,
	    "ADDED      cluster/a\n"
	    "ADDED      cluster/b\n",
	    "kpctl: no server can be reached; trying again until one can\n");
	cr_assert_eq(state.num_lists, 1);
	end(&policy, &state);
}

Test(kpctl_watch, streams_that_do_not_hold_are_said_once)
{
	struct kp_test_policy policy;
	char wanted[256];
	struct state state;
	int child;

	begin(&policy, &state);
	child = kp_test_kpctl_start(&policy, "get cluster -w -o name");
	for (unsigned i = 1; i < 5; i++) {
		wait_for_stream(&state, i);
		refuse(&state, KP_RPC_UNAVAILABLE);
	}
	wait_for_stream(&state, 5);
	change(&state, "b", "red");
	cr_assert(kp_test_kpctl_said(&policy, "ADDED      cluster/b\n"));
	(void)snprintf(wanted, sizeof(wanted),
	    "kpctl: %s: enough; trying again until it goes on\n",
	    policy.address);
	check(&policy, child,
	    "ADDED      cluster/a\n"
	    "ADDED      cluster/b\n",
	    wanted);
	end(&policy, &state);
}

Test(kpctl_watch, a_server_that_is_behind_has_no_news)
{
	struct kp_test_policy policy;
	struct state state;
	int child;

	begin(&policy, &state);
	child = kp_test_kpctl_start(&policy, "get cluster -w -o name");
	wait_for_stream(&state, 1);
	change(&state, "a", NULL);
	cr_assert(kp_test_kpctl_said(&policy, "DELETED    cluster/a\n"));
	/* it lists "a" once more, and knows better when it is asked again */
	kp_mutex_lock(&state.lock);
	state.num_late = 1;
	kp_mutex_unlock(&state.lock);
	refuse(&state, KP_RPC_RESOURCE_EXHAUSTED);
	wait_for_stream(&state, 2);
	change(&state, "b", "red");
	cr_assert(kp_test_kpctl_said(&policy, "ADDED      cluster/b\n"));
	check(&policy, child,
	    "ADDED      cluster/a\n"
	    "DELETED    cluster/a\n"
	    "ADDED      cluster/b\n",
	    "");
	cr_assert_eq(state.num_lists, 2);
	end(&policy, &state);
}

Test(kpctl_watch, a_server_that_was_put_back_is_believed)
{
	struct kp_test_policy policy;
	struct state state;
	int child;

	begin(&policy, &state);
	child = kp_test_kpctl_start(&policy, "get cluster -w -o name");
	wait_for_stream(&state, 1);
	change(&state, "b", "red");
	change(&state, "a", NULL);
	cr_assert(kp_test_kpctl_said(&policy, "DELETED    cluster/a\n"));
	kp_mutex_lock(&state.lock);
	state.newest = 1;
	drop_locked(&state);
	kp_mutex_unlock(&state.lock);
	cr_assert(kp_test_kpctl_said(&policy, "DELETED    cluster/b\n"));
	wait_for_stream(&state, 4);
	change(&state, "c", "red");
	cr_assert(kp_test_kpctl_said(&policy, "ADDED      cluster/c\n"));
	check(&policy, child,
	    "ADDED      cluster/a\n"
	    "ADDED      cluster/b\n"
	    "DELETED    cluster/a\n"
	    "ADDED      cluster/a\n"
	    "DELETED    cluster/b\n"
	    "ADDED      cluster/c\n",
	    NULL);
	end(&policy, &state);
}

Test(kpctl_watch, what_no_other_attempt_gets_over_ends_it)
{
	static const struct {
		enum kp_rpc_code code;
		const char *said;
	} cases[] = {
		{ KP_RPC_PERMISSION_DENIED, "refuses: enough\nyou are" },
		{ KP_RPC_UNAUTHENTICATED, "refuses: enough\nyou are" },
		{ KP_RPC_UNIMPLEMENTED, "older than kpctl" },
		{ KP_RPC_INVALID_ARGUMENT, "enough" },
		{ KP_RPC_INTERNAL, "enough" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_test_policy policy;
		struct kp_test_run run;
		struct state state;
		int child;

		begin(&policy, &state);
		child = kp_test_kpctl_start(&policy, "get cluster -w");
		wait_for_stream(&state, 1);
		refuse(&state, cases[i].code);
		kp_test_kpctl_wait(&run, &policy, child);
		cr_assert_eq(run.code, 1);
		cr_assert_not_null(strstr(run.err, cases[i].said));
		kp_test_run_fini(&run);
		end(&policy, &state);
	}
}

Test(kpctl_watch, what_cannot_be_watched_is_said)
{
	static const char *const cases[][2] = {
		{ "get nodes -w", "kpctl status --watch" },
		{ "get all -w --revision 3", "do not go together" },
		{ "get all -w -l a=b=c", "kpctl: --selector: " },
	};
	struct kp_test_policy policy;
	struct state state;

	begin(&policy, &state);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_test_run run;

		kp_test_kpctl(&run, &policy, cases[i][0]);
		cr_assert_eq(run.code, 2);
		cr_assert_not_null(strstr(run.err, cases[i][1]));
		kp_test_run_fini(&run);
	}
	end(&policy, &state);
}
