/* SPDX-License-Identifier: Apache-2.0 */
/* get --watch: changes, connections that are lost, revisions that are gone. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "tests/support/policy.h"

#define PATIENCE_MS 30000
#define T(text) ((char *)(uintptr_t)(text))

/* What there is, changed by the test while kpctl looks at it. */
struct state {
	struct kp_mutex lock; /* guards all of it */
	uint64_t revision;
	const char *names[4]; /* NULL: not there */
	uint64_t versions[4];
	struct kp_rpc_call *stream;
	atomic_int num_streams;
	bool is_compacted; /* the next stream is told so, once */
};

static void
list(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	struct state *state = kp_test_policy_of(call)->owner;
	Kproxy__Control__V1__Resource all[4], *page[4];
	Kproxy__Control__V1__ListResponse answer;

	(void)message;
	kproxy__control__v1__list_response__init(&answer);
	kp_mutex_lock(&state->lock);
	for (size_t i = 0; i < 4; i++) {
		if (state->names[i] == NULL)
			continue;
		kproxy__control__v1__resource__init(&all[i]);
		all[i].kind = T("Cluster");
		all[i].name = T(state->names[i]);
		all[i].document = T("spec: {bootstrap: [b:1]}");
		all[i].resource_version = state->versions[i];
		page[answer.n_resources++] = &all[i];
	}
	answer.revision = state->revision;
	kp_mutex_unlock(&state->lock);
	answer.resources = page;
	kp_rpc_call_reply(call, &answer.base);
}

static void
watch(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	struct state *state = kp_test_policy_of(call)->owner;

	(void)message;
	kp_mutex_lock(&state->lock);
	if (state->stream != NULL)
		kp_rpc_call_unref(state->stream);
	state->stream = NULL;
	if (state->is_compacted)
		kp_rpc_call_end(call, KP_RPC_OUT_OF_RANGE, "%s", "compacted");
	else
		state->stream = kp_rpc_call_ref(call);
	state->is_compacted = false;
	kp_mutex_unlock(&state->lock);
	atomic_fetch_add(&state->num_streams, 1);
}

/* A new revision in which the resource at place is of that name, or gone. */
static void
change(struct state *state, size_t place, const char *name)
{
	Kproxy__Control__V1__WatchResponse response;
	Kproxy__Control__V1__Revision revision;
	struct kp_rpc_packet *packet;
	struct kp_error err;

	kproxy__control__v1__watch_response__init(&response);
	kproxy__control__v1__revision__init(&revision);
	response.revision = &revision;
	kp_mutex_lock(&state->lock);
	revision.number = ++state->revision;
	state->names[place] = name;
	state->versions[place] = state->revision;
	packet = kp_rpc_packet_new(&response.base, 4096, &err);
	if (state->stream != NULL)
		(void)!kp_rpc_call_send(state->stream, packet, &err);
	kp_mutex_unlock(&state->lock);
	kp_rpc_packet_unref(packet);
}

static void
drop(struct state *state)
{
	kp_mutex_lock(&state->lock);
	if (state->stream != NULL) {
		kp_rpc_call_abort(state->stream);
		kp_rpc_call_unref(state->stream);
	}
	state->stream = NULL;
	kp_mutex_unlock(&state->lock);
}

static const struct kp_test_answer answers[] = { { &kp_api_list, list },
	{ &kp_api_watch, watch }, { NULL, NULL } };

/* Waits until kpctl has opened so many streams, within a time. */
static void
wait_for_stream(struct state *state, int num)
{
	int64_t deadline_ms = kp_now_ms() + PATIENCE_MS;

	while (atomic_load(&state->num_streams) < num) {
		cr_assert(kp_now_ms() < deadline_ms, "%d streams", num);
		(void)usleep(1000);
	}
}

static void
begin(struct kp_test_policy *policy, struct state *state)
{
	*state = (struct state){
		.revision = 1, .names = { "a" }, .versions = { 1 }
	};
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

Test(kpctl_watch, every_change_is_a_line)
{
	struct kp_test_policy policy;
	struct kp_test_run run;
	struct state state;
	int child;

	begin(&policy, &state);
	child = kp_test_kpctl_start(&policy, "get cluster -w -o name");
	wait_for_stream(&state, 1);
	change(&state, 1, "b");
	cr_assert(kp_test_kpctl_said(&policy, "ADDED      cluster/b\n"));
	change(&state, 0, "a");
	cr_assert(kp_test_kpctl_said(&policy, "MODIFIED   cluster/a\n"));
	change(&state, 1, NULL);
	cr_assert(kp_test_kpctl_said(&policy, "DELETED    cluster/b\n"));
	kp_test_kpctl_end(&run, &policy, child);
	cr_assert_str_eq(run.out, "ADDED      cluster/a\n"
				  "ADDED      cluster/b\n"
				  "MODIFIED   cluster/a\n"
				  "DELETED    cluster/b\n");
	kp_test_run_fini(&run);
	end(&policy, &state);
}

Test(kpctl_watch, only_what_was_asked_for_is_shown)
{
	struct kp_test_policy policy;
	struct kp_test_run run;
	struct state state;
	int child;

	begin(&policy, &state);
	child = kp_test_kpctl_start(&policy, "get cluster b -w -o json");
	wait_for_stream(&state, 1);
	change(&state, 0, "a");
	change(&state, 1, "b");
	cr_assert(kp_test_kpctl_said(&policy, "\"revision\": 3"));
	kp_test_kpctl_end(&run, &policy, child);
	cr_assert_str_eq(run.out,
	    "{\n  \"type\": \"ADDED\",\n  \"revision\": 3,\n  \"object\": {\n"
	    "    \"spec\": {\n      \"bootstrap\": [\n        \"b:1\"\n"
	    "      ]\n    }\n  }\n}\n",
	    "%s", run.out);
	kp_test_run_fini(&run);
	end(&policy, &state);
}

Test(kpctl_watch, a_lost_stream_and_forgotten_revisions_lose_nothing)
{
	struct kp_test_policy policy;
	struct kp_test_run run;
	struct state state;
	int child;

	begin(&policy, &state);
	child = kp_test_kpctl_start(&policy, "get cluster -w -o name");
	wait_for_stream(&state, 1);
	/* what happens while nobody listens is seen afterwards */
	kp_mutex_lock(&state.lock);
	state.is_compacted = true;
	kp_mutex_unlock(&state.lock);
	drop(&state);
	change(&state, 1, "b");
	cr_assert(kp_test_kpctl_said(&policy, "ADDED      cluster/b\n"));
	wait_for_stream(&state, 3);
	change(&state, 2, "c");
	cr_assert(kp_test_kpctl_said(&policy, "ADDED      cluster/c\n"));
	kp_test_kpctl_end(&run, &policy, child);
	cr_assert_null(strstr(run.out, "MODIFIED"));
	kp_test_run_fini(&run);
	end(&policy, &state);
}

Test(kpctl_watch, a_server_that_comes_back_is_found_again)
{
	struct kp_test_policy policy;
	struct kp_test_run run;
	struct state state;
	char address[64];
	int child;

	begin(&policy, &state);
	child = kp_test_kpctl_start(&policy, "get cluster -w -o name");
	wait_for_stream(&state, 1);
	(void)snprintf(address, sizeof(address), "%s", policy.address);
	drop(&state);
	kp_test_policy_stop(&policy);
	change(&state, 1, "b");
	kp_test_policy_start(&policy, address);
	cr_assert(kp_test_kpctl_said(&policy, "ADDED      cluster/b\n"));
	kp_test_kpctl_end(&run, &policy, child);
	kp_test_run_fini(&run);
	end(&policy, &state);
}

Test(kpctl_watch, what_cannot_be_watched_is_said)
{
	struct kp_test_policy policy;
	struct kp_test_run run;
	struct state state;

	begin(&policy, &state);
	kp_test_kpctl(&run, &policy, "get nodes -w");
	cr_assert_eq(run.code, 2);
	cr_assert_not_null(strstr(run.err, "kpctl status --watch"));
	kp_test_run_fini(&run);
	kp_test_kpctl(&run, &policy, "get all -w --revision 3");
	cr_assert_eq(run.code, 2);
	kp_test_run_fini(&run);
	end(&policy, &state);
}
