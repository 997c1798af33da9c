/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/api/methods.h"
#include "proto/control/node_metrics.h"
#include "tests/support/sync_world.h"

#define HELLO KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_HELLO
#define ACK KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_ACK
#define NACK KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_NACK
#define HEARTBEAT KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_HEARTBEAT

static const Kproxy__Control__V1__SyncRequest *
heard(struct kp_test_sync *world, size_t index, unsigned body)
{
	const Kproxy__Control__V1__SyncRequest *request =
	    kp_test_sync_heard(world, index);

	cr_assert_eq(request->body_case, body, "%zu: %d", index,
	    (int)request->body_case);
	return request;
}

/* A push of one cluster, right for who holds held. */
static void
make(struct kp_test_push *out, uint64_t revision, const struct kp_held *held,
    const char *name)
{
	kp_test_push_init(
	    out, revision, held == NULL ? 0 : kp_held_revision(held));
	kp_test_push_cluster(out, name, "127.0.0.1:9092");
	kp_test_push_digest(out, held);
}

/* Pushes it and has it accepted. */
static struct kp_held *
push(struct kp_test_sync *world, uint64_t revision, const struct kp_held *held,
    const char *name)
{
	struct kp_test_push made;

	make(&made, revision, held, name);
	kp_test_sync_push(world, &made);
	kp_test_push_fini(&made);
	return kp_test_sync_accept(world);
}

Test(agent_link, hello_says_who_we_are_and_pushes_are_acknowledged)
{
	const Kproxy__Control__V1__Hello *hello;
	struct kp_held *first, *second;
	struct kp_test_sync world;

	kp_test_sync_init(&world);
	kp_test_sync_open(&world, NULL);
	hello = heard(&world, 0, HELLO)->hello;
	cr_assert_str_eq(hello->node, "edge-1");
	cr_assert_eq(hello->n_labels, 2);
	cr_assert_str_eq(hello->labels[0]->name, "site");
	cr_assert_str_eq(hello->labels[0]->value, "fra");
	cr_assert_eq(hello->revision, 0);
	cr_assert_eq(hello->sha256.len, 0);
	kp_test_sync_connected(&world, true);
	first = push(&world, 7, NULL, "a");
	cr_assert_eq(heard(&world, 1, ACK)->ack->revision, 7);
	second = push(&world, 9, first, "b");
	cr_assert_eq(kp_held_count(second), 2);
	cr_assert_eq(heard(&world, 2, ACK)->ack->revision, 9);
	kp_held_unref(first);
	kp_held_unref(second);
	kp_test_sync_fini(&world);
}

Test(agent_link, nack_says_what_is_wrong_and_the_old_set_stays)
{
	char kind[] = "Cluster", name[] = "b", message[] = "no such port";
	Kproxy__Control__V1__Problem problem, *list[] = { &problem };
	Kproxy__Control__V1__Problems problems;
	const Kproxy__Control__V1__Nack *nack;
	struct kp_link_offer offer;
	struct kp_link_state state;
	struct kp_test_sync world;
	struct kp_test_push made;
	struct kp_held *held;

	kproxy__control__v1__problem__init(&problem);
	kproxy__control__v1__problems__init(&problems);
	problem.kind = kind;
	problem.name = name;
	problem.message = message;
	problems.problems = list;
	problems.n_problems = 1;
	kp_test_sync_init(&world);
	kp_test_sync_open(&world, NULL);
	kp_test_sync_connected(&world, true);
	held = push(&world, 7, NULL, "a");
	make(&made, 8, held, "b");
	kp_test_sync_push(&world, &made);
	kp_test_sync_offer(&world, &offer);
	kp_link_grpc.settle(world.link, held, &problems);
	kp_link_offer_fini(&offer);
	nack = heard(&world, 2, NACK)->nack;
	cr_assert_eq(nack->revision, 8);
	cr_assert_eq(nack->problems->n_problems, 1);
	cr_assert_str_eq(nack->problems->problems[0]->name, "b");
	kp_link_grpc.state(world.link, &state);
	cr_assert_eq(state.refused_revision, 8);
	cr_assert_str_eq(state.refusal, "no such port");
	kp_test_push_fini(&made);
	/* the next one is based on what is in force */
	make(&made, 9, held, "c");
	kp_test_sync_push(&world, &made);
	kp_test_push_fini(&made);
	kp_held_unref(held);
	held = kp_test_sync_accept(&world);
	cr_assert_eq(kp_held_count(held), 2);
	kp_link_grpc.state(world.link, &state);
	cr_assert_eq(state.refused_revision, 0);
	kp_held_unref(held);
	kp_test_sync_fini(&world);
}

/* A refusal that the link found itself, told to the main thread as well. */
static void
refused(struct kp_test_sync *world, struct kp_held *held, size_t index,
    uint64_t revision, const char *text)
{
	Kproxy__Control__V1__Problems problems;
	struct kp_link_offer offer;

	kproxy__control__v1__problems__init(&problems);
	kp_test_sync_offer(world, &offer);
	cr_assert_null(offer.held);
	cr_assert_eq(offer.revision, revision);
	cr_assert_not_null(strstr(offer.diagnostics.lines[0], text), "%s",
	    offer.diagnostics.lines[0]);
	kp_link_offer_fini(&offer);
	problems.left_out = 1;
	kp_link_grpc.settle(world->link, held, &problems);
	cr_assert_eq(heard(world, index, NACK)->nack->revision, revision);
}

Test(agent_link, wrong_digest_asks_for_everything_anew)
{
	struct kp_test_sync world;
	struct kp_test_push made;
	struct kp_held *held;

	kp_test_sync_init(&world);
	kp_test_sync_open(&world, NULL);
	kp_test_sync_connected(&world, true);
	held = push(&world, 7, NULL, "a");
	(void)heard(&world, 1, ACK);
	make(&made, 8, held, "b");
	made.digest[0] ^= 1;
	kp_test_sync_push(&world, &made);
	kp_test_push_fini(&made);
	refused(&world, held, 2, 8, "another digest");
	cr_assert_eq(heard(&world, 3, HELLO)->hello->revision, 0);
	kp_test_sync_connected(&world, true);
	kp_held_unref(held);
	held = push(&world, 8, NULL, "b");
	(void)heard(&world, 4, ACK);
	/* from here on it says again what it holds */
	kp_test_sync_end(&world, KP_RPC_UNAVAILABLE);
	cr_assert_eq(heard(&world, 5, HELLO)->hello->revision, 8);
	kp_held_unref(held);
	kp_test_sync_fini(&world);
}

Test(agent_link, another_base_than_what_is_held_asks_for_everything_anew)
{
	struct kp_test_sync world;
	struct kp_test_push made;

	kp_test_sync_init(&world);
	kp_test_sync_open(&world, NULL);
	kp_test_sync_connected(&world, true);
	kp_test_push_init(&made, 8, 7);
	kp_test_push_cluster(&made, "a", "127.0.0.1:9092");
	kp_test_push_digest(&made, NULL);
	kp_test_sync_push(&world, &made);
	kp_test_push_fini(&made);
	refused(&world, NULL, 1, 8, "based on revision 7");
	(void)heard(&world, 2, HELLO);
	kp_test_sync_fini(&world);
}

Test(agent_link, older_revision_is_refused_and_the_stream_goes_on)
{
	struct kp_test_sync world;
	struct kp_test_push made;
	struct kp_held *held, *back;

	kp_test_sync_init(&world);
	kp_test_sync_open(&world, NULL);
	kp_test_sync_connected(&world, true);
	held = push(&world, 7, NULL, "a");
	(void)heard(&world, 1, ACK);
	make(&made, 6, NULL, "b");
	/* in parts: the rest of it is heard as well */
	made.message.is_last = false;
	kp_test_sync_push(&world, &made);
	made.message.is_last = true;
	kp_test_sync_push(&world, &made);
	refused(&world, held, 2, 6, "revision 6 is older than 7");
	made.message.is_rollback = true;
	kp_test_sync_push(&world, &made);
	kp_test_push_fini(&made);
	back = kp_test_sync_accept(&world);
	cr_assert_eq(kp_held_revision(back), 6);
	cr_assert_eq(heard(&world, 3, ACK)->ack->revision, 6);
	cr_assert_eq(world.num_streams, 1);
	kp_held_unref(back);
	kp_held_unref(held);
	kp_test_sync_fini(&world);
}

Test(agent_link, push_without_end_is_bounded)
{
	struct kp_test_sync world;
	struct kp_test_push part;
	char *document = kp_alloc(1u << 20, 1);

	(void)memset(document, 'x', (1u << 20) - 1);
	kp_test_sync_init(&world);
	kp_test_sync_open(&world, NULL);
	kp_test_sync_connected(&world, true);
	kp_test_push_init(&part, 3, 0);
	part.message.is_last = false;
	kp_test_push_add(&part, "Cluster", "a", document);
	for (int i = 0; i < 64; i++) {
		/* as fast as it is read: the server's queue is bounded too */
		int64_t deadline_ms = kp_test_in(KP_TEST_PATIENCE_MS);

		while (kp_test_sync_num_queued(&world) > 1)
			cr_assert(kp_now_ms() < deadline_ms);
		kp_test_sync_push(&world, &part);
	}
	refused(&world, NULL, 1, 3, "more than 64 MiB");
	(void)heard(&world, 2, HELLO);
	kp_test_push_fini(&part);
	free(document);
	kp_test_sync_fini(&world);
}

Test(agent_link, documents_that_are_wrong_are_offered_as_a_refusal)
{
	struct kp_test_sync world;
	struct kp_test_push made;

	kp_test_sync_init(&world);
	kp_test_sync_open(&world, NULL);
	kp_test_sync_connected(&world, true);
	kp_test_push_init(&made, 3, 0);
	kp_test_push_add(&made, "Cluster", "a", KP_TEST_CLUSTER("a", "b"));
	kp_test_push_digest(&made, NULL);
	kp_test_sync_push(&world, &made);
	kp_test_push_fini(&made);
	refused(&world, NULL, 1, 3, "Cluster.a:");
	cr_assert_eq(world.num_streams, 1);
	kp_test_sync_fini(&world);
}

Test(agent_link, what_is_no_message_ends_the_stream_and_another_begins)
{
	struct kp_test_sync world;
	Kp__Test__Answer answer;
	char text[] = "garbage";

	kp_test_sync_init(&world);
	kp_test_sync_open(&world, NULL);
	kp_test_sync_connected(&world, true);
	kp__test__answer__init(&answer);
	answer.text = text;
	answer.common_name = text;
	cr_assert(kp_test_sync_say(&world, &answer.base));
	(void)heard(&world, 1, HELLO);
	kp_test_sync_connected(&world, true);
	kp_test_sync_fini(&world);
}

Test(agent_link, push_before_the_welcome_is_no_welcome)
{
	struct kp_link_state state = { .since_ms = 0 };
	struct kp_test_sync world;
	struct kp_test_push made;

	kp_test_sync_init(&world);
	atomic_store(&world.is_silent, true);
	kp_test_sync_open(&world, NULL);
	(void)heard(&world, 0, HELLO);
	make(&made, 3, NULL, "a");
	kp_test_sync_push(&world, &made);
	kp_test_push_fini(&made);
	(void)heard(&world, 1, HELLO);
	kp_link_grpc.state(world.link, &state);
	cr_assert(!state.is_connected);
	cr_assert_str_eq(state.reason, "the server did not welcome us");
	kp_test_sync_fini(&world);
}

Test(agent_link, silent_server_is_left_for_the_next)
{
	struct kp_test_sync world;
	struct kp_link_state state = { .since_ms = 0 };
	char first[KP_LINK_MAX_TEXT], by_uri[80];

	kp_test_sync_init(&world);
	(void)snprintf(by_uri, sizeof(by_uri), "ipv4:%s", world.rpc.address);
	world.addresses[1] = by_uri;
	world.node.server.num_addresses = 2;
	atomic_store(&world.is_silent, true);
	kp_test_sync_open(&world, NULL);
	kp_link_grpc.state(world.link, &state);
	(void)snprintf(first, sizeof(first), "%s", state.address);
	(void)heard(&world, 0, HELLO);
	(void)heard(&world, 1, HELLO);
	kp_link_grpc.state(world.link, &state);
	cr_assert(strcmp(state.address, first) != 0);
	cr_assert_str_eq(state.reason, "the server fell silent");
	kp_test_sync_fini(&world);
}

Test(agent_link, stream_that_is_lost_is_made_anew_with_what_is_held)
{
	struct kp_test_sync world;
	struct kp_held *held;

	kp_test_sync_init(&world);
	kp_test_sync_open(&world, NULL);
	kp_test_sync_connected(&world, true);
	held = push(&world, 7, NULL, "a");
	(void)heard(&world, 1, ACK);
	for (size_t i = 2; i < 4; i++) {
		const Kproxy__Control__V1__Hello *hello;

		kp_test_sync_end(&world, KP_RPC_UNAVAILABLE);
		hello = heard(&world, i, HELLO)->hello;
		cr_assert_eq(hello->revision, 7);
		cr_assert_eq(hello->sha256.len, KP_DIGEST_LEN);
		cr_assert_eq(memcmp(hello->sha256.data, kp_held_digest(held),
				 KP_DIGEST_LEN),
		    0);
		kp_test_sync_connected(&world, true);
	}
	kp_held_unref(held);
	kp_test_sync_fini(&world);
}

Test(agent_link, verdict_is_for_its_own_stream_and_awaited_by_the_next)
{
	struct kp_test_sync world;
	struct kp_link_offer offer;
	struct kp_test_push made;

	kp_test_sync_init(&world);
	kp_test_sync_open(&world, NULL);
	kp_test_sync_connected(&world, true);
	make(&made, 7, NULL, "a");
	kp_test_sync_push(&world, &made);
	kp_test_push_fini(&made);
	kp_test_sync_offer(&world, &offer);
	kp_test_sync_end(&world, KP_RPC_UNAVAILABLE);
	kp_test_sync_connected(&world, false);
	kp_link_grpc.settle(world.link, offer.held, NULL);
	kp_link_offer_fini(&offer);
	/* nothing but what is held */
	cr_assert_eq(heard(&world, 1, HELLO)->hello->revision, 7);
	kp_test_sync_connected(&world, true);
	kp_held_unref(push(&world, 8, NULL, "b"));
	cr_assert_eq(heard(&world, 2, ACK)->ack->revision, 8);
	kp_test_sync_fini(&world);
}

Test(agent_link, newest_of_several_offers_wins)
{
	struct kp_test_sync world;
	struct kp_link_offer offer;
	struct kp_test_push made;
	struct kp_held *held;

	kp_test_sync_init(&world);
	kp_test_sync_open(&world, NULL);
	kp_test_sync_connected(&world, true);
	make(&made, 1, NULL, "a");
	kp_test_sync_push(&world, &made);
	kp_test_sync_offer(&world, &offer);
	for (uint64_t revision = 2; revision <= 50; revision++) {
		made.message.revision = revision;
		kp_test_sync_push(&world, &made);
	}
	/* a refusal that comes after all of them shows that all were read */
	made.message.revision = 51;
	made.message.based_on = 40;
	kp_test_sync_push(&world, &made);
	kp_test_push_fini(&made);
	/* one at a time */
	cr_assert(!kp_link_grpc.take(world.link, &(struct kp_link_offer){ 0 }));
	held = kp_held_ref(offer.held);
	kp_link_offer_fini(&offer);
	for (int64_t end_ms = kp_test_in(KP_TEST_PATIENCE_MS);
	     kp_test_sync_num_queued(&world) > 0;)
		cr_assert(kp_now_ms() < end_ms);
	kp_link_grpc.settle(world.link, held, NULL);
	kp_test_sync_offer(&world, &offer);
	while (offer.revision != 51) {
		kp_link_offer_fini(&offer);
		kp_link_grpc.settle(world.link, held, NULL);
		kp_test_sync_offer(&world, &offer);
	}
	cr_assert_null(offer.held);
	kp_link_offer_fini(&offer);
	kp_link_grpc.settle(world.link, held, NULL);
	kp_held_unref(held);
	kp_test_sync_fini(&world);
}

Test(agent_link, heartbeats_say_what_is_held_and_what_is_counted)
{
	const Kproxy__Control__V1__Heartbeat *heartbeat;
	struct kp_test_sync world;
	struct kp_held *held;
	size_t index = 1;

	kp_test_sync_init(&world);
	atomic_store(&world.heartbeat_ms, 1); /* not taken at its word */
	kp_metrics_add(world.metrics, 0, KP_M_CONNECTIONS_TOTAL, 0, 42);
	kp_test_sync_open(&world, NULL);
	kp_test_sync_connected(&world, true);
	(void)heard(&world, index, HEARTBEAT);
	held = push(&world, 7, NULL, "a");
	while (kp_test_sync_heard(&world, index)->body_case == HEARTBEAT)
		index++;
	(void)heard(&world, index, ACK);
	heartbeat = heard(&world, index + 1, HEARTBEAT)->heartbeat;
	cr_assert_eq(heartbeat->revision, 7);
	cr_assert_eq(heartbeat->sha256.len, KP_DIGEST_LEN);
	cr_assert_eq(heartbeat->n_counters, 1);
	cr_assert_str_eq(
	    heartbeat->counters[0]->name, "kproxy_connections_total");
	cr_assert_eq((int)heartbeat->counters[0]->value, 42);
	kp_held_unref(held);
	kp_test_sync_fini(&world);
}

/* The time of three is silence: more than a machine that is shared may take. */
#define HEARTBEAT_MS 1500

/* Two addresses of the one server. */
static void
open_answered(struct kp_test_sync *world, char *by_uri, size_t size)
{
	kp_test_sync_init(world);
	(void)snprintf(by_uri, size, "ipv4:%s", world->rpc.address);
	world->addresses[1] = by_uri;
	world->node.server.num_addresses = 2;
	atomic_store(&world->heartbeat_ms, HEARTBEAT_MS);
	atomic_store(&world->answers, true);
	kp_test_sync_open(world, NULL);
	kp_test_sync_connected(world, true);
}

/* Waits for another stream's, from the index-th message on. */
static void
wait_for_hello(struct kp_test_sync *world, size_t index)
{
	while (kp_test_sync_heard(world, index)->body_case != HELLO)
		index++;
}

Test(agent_link, server_that_stops_answering_heartbeats_is_left_for_the_next)
{
	struct kp_link_state before, after;
	struct kp_test_sync world;
	char by_uri[80];

	open_answered(&world, by_uri, sizeof(by_uri));
	kp_link_grpc.state(world.link, &before);
	/* for longer than it could be silent */
	(void)heard(&world, 5, HEARTBEAT);
	cr_assert_eq(world.num_streams, 1);
	atomic_store(&world.is_hung, true);
	wait_for_hello(&world, 6);
	atomic_store(&world.is_hung, false);
	kp_test_sync_connected(&world, true);
	kp_link_grpc.state(world.link, &after);
	cr_assert_eq(before.num_silences, 0);
	cr_assert_eq(after.num_silences, 1);
	cr_assert(strcmp(before.address, after.address) != 0);
	kp_test_sync_fini(&world);
}

Test(agent_link, silence_in_the_middle_of_a_push_is_one_too)
{
	struct kp_test_sync world;
	struct kp_test_push part;
	char by_uri[80];

	open_answered(&world, by_uri, sizeof(by_uri));
	atomic_store(&world.is_hung, true);
	kp_test_push_init(&part, 7, 0);
	kp_test_push_cluster(&part, "a", "127.0.0.1:9092");
	part.message.is_last = false;
	kp_test_sync_push(&world, &part);
	kp_test_push_fini(&part);
	/* long before the time that a push may take */
	wait_for_hello(&world, 1);
	kp_test_sync_fini(&world);
}

Test(agent_link, server_that_never_answered_heartbeats_may_be_silent)
{
	struct kp_test_sync world;

	kp_test_sync_init(&world);
	atomic_store(&world.heartbeat_ms, 1);
	kp_test_sync_open(&world, NULL);
	(void)heard(&world, 6, HEARTBEAT);
	cr_assert_eq(world.num_streams, 1);
	kp_test_sync_fini(&world);
}

Test(agent_link, certificates_are_replaced_under_a_stream_that_stays)
{
	struct kp_test_sync world;
	struct kp_link_identity identity;
	struct kp_error err = { 0 };
	struct kp_held *held;

	kp_test_sync_init(&world);
	kp_test_sync_open(&world, NULL);
	kp_test_sync_connected(&world, true);
	identity = (struct kp_link_identity){
		.ca_pem = kp_test_ca_pem(world.rpc.ca),
		.certificate_pem = world.rpc.client_pair.certificate_pem,
		.key_pem = world.rpc.server_pair.key_pem,
	};
	cr_assert(!kp_link_grpc.check(&identity, &err));
	cr_assert(!kp_link_grpc.reload(world.link, &identity, &err));
	cr_assert_eq(err.kind, KP_ERR_TLS);
	identity.certificate_pem = world.rpc.server_pair.certificate_pem;
	cr_assert(kp_link_grpc.check(&identity, &err));
	cr_assert(kp_link_grpc.reload(world.link, &identity, &err));
	held = push(&world, 7, NULL, "a");
	cr_assert_eq(heard(&world, 1, ACK)->ack->revision, 7);
	cr_assert_eq(world.num_streams, 1);
	kp_test_sync_end(&world, KP_RPC_UNAVAILABLE);
	(void)heard(&world, 2, HELLO);
	kp_held_unref(held);
	kp_test_sync_fini(&world);
}

Test(agent_link, nothing_is_said_before_it_is_known_what_is_held)
{
	struct kp_test_sync world;
	struct kp_held *held;
	struct kp_test_push made;
	struct kp_link_offer offer;

	kp_test_sync_init(&world);
	kp_test_sync_open(&world, NULL);
	kp_test_sync_connected(&world, true);
	make(&made, 7, NULL, "a");
	kp_test_sync_push(&world, &made);
	kp_test_push_fini(&made);
	kp_test_sync_offer(&world, &offer);
	held = kp_held_ref(offer.held);
	kp_link_offer_fini(&offer);
	/* closing does not wait for a main thread that is at it */
	kp_link_grpc.close(world.link);
	world.link = NULL;
	kp_test_sync_open(&world, held);
	cr_assert_eq(heard(&world, 1, HELLO)->hello->revision, 7);
	kp_held_unref(held);
	kp_test_sync_fini(&world);
}

Test(agent_link, without_a_server_it_says_so_and_can_be_closed)
{
	struct kp_link_state state = { .since_ms = 0 };
	int64_t deadline_ms = kp_test_in(KP_TEST_PATIENCE_MS), began_ms;
	struct kp_test_sync world;

	kp_test_sync_init(&world);
	kp_test_rpc_stop(&world.rpc, 0);
	kp_test_sync_open(&world, NULL);
	while (state.reason[0] == '\0') {
		cr_assert(kp_now_ms() < deadline_ms);
		kp_link_grpc.state(world.link, &state);
	}
	cr_assert_not_null(
	    strstr(state.reason, "Connection refused"), "%s", state.reason);
	began_ms = kp_now_ms();
	kp_link_grpc.close(world.link);
	cr_assert(kp_now_ms() - began_ms < KP_TEST_PATIENCE_MS / 2);
	world.link = NULL;
	kp_test_sync_fini(&world);
}
