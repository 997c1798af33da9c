/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each allocation of a policy server and of one of its nodes is refused in
 * turn, while the node joins, follows, refuses and is looked at. The stream
 * goes on, or ends for want of memory; the next one is as good as the first.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/api/methods.h"
#include "control/rpc/stream.h"
#include "proto/control/unpack.h"
#include "tests/support/server_world.h"

#define CLUSTER(port) \
	"apiVersion: kproxy/v1\nkind: Cluster\nmetadata: {name: a}\n" \
	"spec: {bootstrap: [\"127.0.0.1:" port "\"]}\n"
#define WELCOME KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_WELCOME
#define PUSH KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_PUSH
#define ALIVE KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_ALIVE
/* Nothing here needs as many. */
#define MANY 1000

static char node_name[] = "edge-1";

static int64_t
patience(void)
{
	return kp_now_ms() + KP_TEST_SERVER_PATIENCE_MS;
}

static void
expect_no_memory(const struct kp_rpc_status *status)
{
	cr_assert_not_null(strstr(status->sentence, "memory"), "%s: %s",
	    kp_rpc_code_name(status->code), status->sentence);
	cr_assert_eq(status->code, KP_RPC_RESOURCE_EXHAUSTED, "%s",
	    kp_rpc_code_name(status->code));
}

/* One more revision. */
static void
apply(struct kp_test_server *world)
{
	uint64_t before = kp_desk_revision(world->services.desk);
	const char *text = before % 2 == 0 ? CLUSTER("1") : CLUSTER("2");

	cr_assert(kp_test_server_apply(world, text));
	cr_assert_eq(kp_desk_revision(world->services.desk), before + 1);
}

struct agent {
	struct kp_rpc_stream *stream;
	bool has_ended;
	uint64_t revision; /* of the last push */
};

static void
say(struct agent *agent, const Kproxy__Control__V1__SyncRequest *request)
{
	struct kp_error err;

	/* how it ended, reading says */
	cr_assert(kp_rpc_stream_write(
		      agent->stream, &request->base, patience(), &err) ||
		  err.kind == KP_ERR_CLOSED);
}

/* What the next message is; 0 if the stream has ended. */
static unsigned
next_body(struct agent *agent)
{
	Kproxy__Control__V1__SyncResponse *response;
	ProtobufCMessage *message;
	enum kp_rpc_read result;
	unsigned body;

	result = kp_rpc_stream_read(agent->stream, &message, patience());
	cr_assert_neq(result, KP_RPC_READ_NOTHING);
	agent->has_ended = result == KP_RPC_READ_END;
	if (agent->has_ended)
		return 0;
	response = (Kproxy__Control__V1__SyncResponse *)message;
	body = response->body_case;
	if (body == PUSH)
		agent->revision = response->push->revision;
	kp_unpacked_free(message);
	return body;
}

/* The next message must be that, unless the stream has ended. */
static void
hear(struct agent *agent, unsigned wanted)
{
	unsigned body;

	if (agent->has_ended)
		return;
	body = next_body(agent);
	cr_assert(
	    agent->has_ended || body == wanted, "%u, not %u", body, wanted);
}

/* Holding nothing: all of the newest revision is pushed. */
static void
join(struct agent *agent, struct kp_test_server *world)
{
	static char site[] = "site", fra[] = "fra", version[] = "1.2.3";
	Kproxy__Control__V1__SyncRequest request;
	Kproxy__Control__V1__Hello hello;
	Kproxy__Control__V1__Label label, *labels = &label;

	*agent = (struct agent){ .has_ended = false };
	agent->stream = kp_rpc_stream_new(world->edge, &kp_api_sync, KP_NEVER);
	kproxy__control__v1__sync_request__init(&request);
	kproxy__control__v1__hello__init(&hello);
	kproxy__control__v1__label__init(&label);
	label.name = site;
	label.value = fra;
	hello.node = node_name;
	hello.version = version;
	hello.labels = &labels;
	hello.n_labels = 1;
	request.body_case = KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_HELLO;
	request.hello = &hello;
	say(agent, &request);
	hear(agent, WELCOME);
	hear(agent, PUSH);
}

static void
acknowledge(struct agent *agent)
{
	Kproxy__Control__V1__SyncRequest request;
	Kproxy__Control__V1__Ack ack;

	kproxy__control__v1__sync_request__init(&request);
	kproxy__control__v1__ack__init(&ack);
	ack.revision = agent->revision;
	request.body_case = KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_ACK;
	request.ack = &ack;
	say(agent, &request);
}

static void
refuse(struct agent *agent)
{
	static char why[] = "no such port";
	Kproxy__Control__V1__SyncRequest request;
	Kproxy__Control__V1__Nack nack;
	Kproxy__Control__V1__Problems problems;
	Kproxy__Control__V1__Problem problem, *list = &problem;

	kproxy__control__v1__sync_request__init(&request);
	kproxy__control__v1__nack__init(&nack);
	kproxy__control__v1__problems__init(&problems);
	kproxy__control__v1__problem__init(&problem);
	problem.message = why;
	problems.problems = &list;
	problems.n_problems = 1;
	nack.revision = agent->revision;
	nack.problems = &problems;
	request.body_case = KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_NACK;
	request.nack = &nack;
	say(agent, &request);
}

/* It says what came before as well: messages are heard in their order. */
static void
beat(struct agent *agent)
{
	static char name[] = "kproxy_connections";
	unsigned body;
	Kproxy__Control__V1__SyncRequest request;
	Kproxy__Control__V1__Heartbeat heartbeat;
	Kproxy__Control__V1__Counter counter, *counters = &counter;

	kproxy__control__v1__sync_request__init(&request);
	kproxy__control__v1__heartbeat__init(&heartbeat);
	kproxy__control__v1__counter__init(&counter);
	counter.name = name;
	counter.value = 3;
	heartbeat.counters = &counters;
	heartbeat.n_counters = 1;
	request.body_case = KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_HEARTBEAT;
	request.heartbeat = &heartbeat;
	say(agent, &request);
	/* an agent that says it holds nothing is pushed all, before or after */
	while (!agent->has_ended && (body = next_body(agent)) != ALIVE)
		cr_assert(agent->has_ended || body == PUSH, "%u", body);
}

static void
leave(struct agent *agent)
{
	if (agent->has_ended)
		expect_no_memory(kp_rpc_stream_status(agent->stream));
	kp_rpc_stream_free(agent->stream);
}

/* The node as an operator sees it. */
static Kproxy__Control__V1__GetNodeResponse *
get(struct kp_test_server *world)
{
	Kproxy__Control__V1__GetNodeRequest request;
	struct kp_rpc_result result;

	kproxy__control__v1__get_node_request__init(&request);
	request.name = node_name;
	cr_assert(kp_test_server_call(
		      world, &kp_api_get_node, &request.base, &result),
	    "%s", result.status.sentence);
	return (Kproxy__Control__V1__GetNodeResponse *)result.answer;
}

/* A refusal of the newest revision, known with its reason. */
static void
expect_refused(struct kp_test_server *world, const struct agent *agent)
{
	Kproxy__Control__V1__GetNodeResponse *response = get(world);
	const Kproxy__Control__V1__Node *node = response->node;

	cr_assert_eq(
	    node->state, KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_REFUSED);
	cr_assert_eq(node->refused_revision, agent->revision);
	cr_assert_eq(node->problems->n_problems, 1);
	cr_assert_str_eq(node->problems->problems[0]->message, "no such port");
	cr_assert_eq(node->n_labels, 1);
	kp_unpacked_free(&response->base);
}

Test(hub_faults, a_node_joins_and_refuses_or_its_stream_ends)
{
	struct kp_test_server world;
	struct agent agent;
	unsigned n = 0, num_ended = 0, left = 0;

	kp_test_server_start(&world);
	apply(&world);
	while (left == 0) {
		cr_assert(++n < MANY);
		kp_alloc_fail_after(n);
		join(&agent, &world);
		refuse(&agent);
		beat(&agent);
		left = kp_alloc_fail_after(0);
		num_ended += agent.has_ended;
		cr_assert(!agent.has_ended || left == 0);
		if (!agent.has_ended)
			expect_refused(&world, &agent);
		leave(&agent);
		join(&agent, &world);
		acknowledge(&agent);
		beat(&agent);
		cr_assert(!agent.has_ended, "%u", n);
		leave(&agent);
	}
	cr_assert(n > 40 && num_ended > 30, "%u, %u", n, num_ended);
	kp_test_server_stop(&world);
}

/* Through all failures of one call; how many allocations it makes. */
static unsigned
go_through(struct kp_test_server *world, const struct kp_rpc_method *method,
    const ProtobufCMessage *request)
{
	struct kp_rpc_result result;
	unsigned n = 0, left = 0;

	while (left == 0) {
		bool is_ok;

		cr_assert(++n < MANY);
		kp_alloc_fail_after(n);
		is_ok = kp_test_server_call(world, method, request, &result);
		left = kp_alloc_fail_after(0);
		cr_assert(is_ok || left == 0);
		if (!is_ok)
			expect_no_memory(&result.status);
		kp_rpc_result_fini(&result);
		cr_assert(kp_test_server_call(world, method, request, &result),
		    "%s", result.status.sentence);
		kp_rpc_result_fini(&result);
	}
	return n;
}

Test(hub_faults, nodes_are_shown_and_cordoned_or_that_is_refused)
{
	static char selector[] = "site=fra", why[] = "repairs";
	Kproxy__Control__V1__GetNodeResponse *response;
	Kproxy__Control__V1__ListNodesRequest list;
	Kproxy__Control__V1__GetNodeRequest one;
	Kproxy__Control__V1__CordonRequest cordon;
	struct kp_test_server world;
	struct agent agent;

	kp_test_server_start(&world);
	apply(&world);
	join(&agent, &world);
	acknowledge(&agent);
	beat(&agent);
	kproxy__control__v1__list_nodes_request__init(&list);
	list.selector = selector;
	cr_assert(go_through(&world, &kp_api_list_nodes, &list.base) > 15);
	kproxy__control__v1__get_node_request__init(&one);
	one.name = node_name;
	cr_assert(go_through(&world, &kp_api_get_node, &one.base) > 15);
	kproxy__control__v1__cordon_request__init(&cordon);
	cordon.name = node_name;
	cordon.reason = why;
	cordon.is_cordoned = true;
	cr_assert(go_through(&world, &kp_api_cordon, &cordon.base) > 15);
	response = get(&world);
	cr_assert(response->node->is_cordoned);
	cr_assert_str_eq(response->node->cordon_reason, why);
	cr_assert_eq(response->node->n_counters, 1);
	kp_unpacked_free(&response->base);
	leave(&agent);
	kp_test_server_stop(&world);
}
