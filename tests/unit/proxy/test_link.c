/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link against a worker that only notes what it is told. The test plays
 * supervisor and agent, so everything has been sent before the link's turn.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "proto/control/channel.h"
#include "proxy/link/loop.h"
#include "proxy/worker.h"

#define WAIT_MS 60000

/* The fake worker: one for the whole program, as the real one is. */
struct kp_worker {
	char notes[512];
	bool is_refusing;
	bool is_draining;
};

static void
note(struct kp_worker *worker, const char *what, const char *detail)
{
	size_t len = strlen(worker->notes);

	(void)snprintf(worker->notes + len, sizeof(worker->notes) - len,
	    "%s %s;", what, detail);
}

void
kp_worker_add_socket(struct kp_worker *worker, const char *address, int fd)
{
	cr_assert(fd >= 0);
	note(worker, "socket", address);
	(void)close(fd);
}

bool
kp_worker_apply(
    struct kp_worker *worker, struct kp_tables **tables, struct kp_error *err)
{
	if (worker->is_refusing) {
		note(worker, "refuse", "tables");
		kp_tables_free(*tables);
		*tables = NULL;
		return kp_error_set(
		    err, KP_ERR_CONFIG, "certificate does not parse");
	}
	note(worker, "apply", (*tables)->generation == 7 ? "7" : "other");
	kp_tables_free(*tables);
	*tables = NULL;
	return true;
}

void
kp_worker_resolved(struct kp_worker *worker, const char *host,
    const char *const *addresses, size_t num_addresses)
{
	note(worker, host, num_addresses > 0 ? addresses[0] : "nothing");
}

void
kp_worker_drain(struct kp_worker *worker, int32_t timeout_ms)
{
	note(worker, "drain", timeout_ms == 250 ? "250" : "other");
	worker->is_draining = true;
}

bool
kp_worker_is_drained(struct kp_worker *worker)
{
	return worker->is_draining;
}

struct kp_worker *
kp_worker_new(struct kp_metrics *metrics, const struct kp_reports *reports)
{
	(void)metrics;
	(void)reports;
	return NULL;
}

void
kp_worker_free(struct kp_worker *worker)
{
	(void)worker;
}

struct world {
	struct kp_link *link;
	struct kp_channel supervisor, agent; /* our ends */
	struct kp_worker worker;
	int agent_fd; /* the link's end, until it is sent */
};

static void
set_up(struct world *world)
{
	struct kp_error err;
	int fds[2], agent_fds[2];

	*world = (struct world){ .agent_fd = -1 };
	cr_assert(kp_channel_pair(fds, &err));
	cr_assert(kp_channel_pair(agent_fds, &err));
	kp_channel_init(&world->supervisor, fds[0], KP_CHANNEL_SMALL_MESSAGE);
	kp_channel_init(&world->agent, agent_fds[0], KP_CHANNEL_SMALL_MESSAGE);
	world->agent_fd = agent_fds[1];
	world->link = kp_link_new(fds[1], &err);
	cr_assert_not_null(world->link, "%s", err.text);
}

static void
tear_down(struct world *world)
{
	kp_link_free(world->link);
	kp_channel_fini(&world->supervisor);
	kp_channel_fini(&world->agent);
	if (world->agent_fd >= 0)
		(void)close(world->agent_fd);
}

static void
send_one(struct kp_channel *channel, const Kp__Node__Envelope *envelope, int fd)
{
	struct kp_error err;

	cr_assert(kp_channel_queue(channel, envelope, fd, &err));
	cr_assert(kp_channel_flush(channel, kp_now_ms() + WAIT_MS, &err));
}

static void
send_peer(struct world *world)
{
	Kp__Node__Envelope envelope;
	Kp__Node__Peer peer;

	kp__node__envelope__init(&envelope);
	kp__node__peer__init(&peer);
	envelope.body_case = KP__NODE__ENVELOPE__BODY_PEER;
	envelope.peer = &peer;
	send_one(&world->supervisor, &envelope, world->agent_fd);
	(void)close(world->agent_fd);
	world->agent_fd = -1;
}

static void
send_socket(struct world *world, const char *address)
{
	Kp__Node__Envelope envelope;
	Kp__Node__Socket message;
	char text[64];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	kp__node__envelope__init(&envelope);
	kp__node__socket__init(&message);
	envelope.body_case = KP__NODE__ENVELOPE__BODY_SOCKET;
	envelope.socket = &message;
	(void)snprintf(text, sizeof(text), "%s", address);
	message.address = text;
	send_one(&world->supervisor, &envelope, fd);
	(void)close(fd);
}

static void
send_drain(struct world *world)
{
	Kp__Node__Envelope envelope;
	Kp__Node__Drain drain;

	kp__node__envelope__init(&envelope);
	kp__node__drain__init(&drain);
	envelope.body_case = KP__NODE__ENVELOPE__BODY_DRAIN;
	envelope.drain = &drain;
	drain.timeout_ms = 250;
	send_one(&world->supervisor, &envelope, -1);
}

static void
send_tables(struct world *world, uint64_t generation)
{
	struct kp_tables tables = { .generation = generation };
	Kp__Node__Envelope envelope;
	Kp__Node__Tables message;
	struct kp_buf packed;

	kp_limits_default(&tables.limits);
	kp_buf_init(&packed, 1u << 20);
	cr_assert(kp_tables_pack(&packed, &tables, true));
	kp__node__envelope__init(&envelope);
	kp__node__tables__init(&message);
	envelope.body_case = KP__NODE__ENVELOPE__BODY_TABLES;
	envelope.tables = &message;
	message.generation = generation;
	message.content_hash = 99;
	message.packed.data = packed.data;
	message.packed.len = packed.len;
	send_one(&world->agent, &envelope, -1);
	kp_buf_fini(&packed);
}

static void
send_raw_tables(struct world *world, uint8_t *data, size_t len)
{
	Kp__Node__Envelope envelope;
	Kp__Node__Tables message;

	kp__node__envelope__init(&envelope);
	kp__node__tables__init(&message);
	envelope.body_case = KP__NODE__ENVELOPE__BODY_TABLES;
	envelope.tables = &message;
	message.generation = 7;
	message.packed.data = data;
	message.packed.len = len;
	send_one(&world->agent, &envelope, -1);
}

static void
send_resolved(struct world *world)
{
	Kp__Node__Envelope envelope;
	Kp__Node__Resolved resolved;
	char host[] = "broker", address[] = "10.0.0.1", *list[] = { address };

	kp__node__envelope__init(&envelope);
	kp__node__resolved__init(&resolved);
	envelope.body_case = KP__NODE__ENVELOPE__BODY_RESOLVED;
	envelope.resolved = &resolved;
	resolved.host = host;
	resolved.addresses = list;
	resolved.n_addresses = 1;
	send_one(&world->agent, &envelope, -1);
}

/* The next message that the link sent to the agent; the caller ends it. */
static struct kp_channel_message
from_link(struct world *world, Kp__Node__Envelope__BodyCase expected)
{
	struct kp_channel_message message;
	struct kp_error err;

	cr_assert_eq(kp_channel_receive(
			 &world->agent, &message, kp_now_ms() + WAIT_MS, &err),
	    KP_CHANNEL_MESSAGE);
	cr_assert_eq(message.envelope->body_case, expected);
	return message;
}

static void
expect_serving(struct world *world, uint64_t generation, uint64_t hash)
{
	struct kp_channel_message message =
	    from_link(world, KP__NODE__ENVELOPE__BODY_SERVING);

	cr_assert_eq(message.envelope->serving->generation, generation);
	cr_assert_eq(message.envelope->serving->content_hash, hash);
	kp_channel_message_fini(&message);
}

static void
expect_applied(struct world *world, uint64_t generation, const char *error)
{
	struct kp_channel_message message =
	    from_link(world, KP__NODE__ENVELOPE__BODY_APPLIED);
	const Kp__Node__Applied *applied = message.envelope->applied;

	cr_assert_eq(applied->generation, generation);
	cr_assert_eq(applied->is_ok, error == NULL);
	cr_assert_not_null(strstr(applied->error, error == NULL ? "" : error));
	kp_channel_message_fini(&message);
}

static void
run(struct world *world, const char *expected_notes)
{
	struct kp_error err = { 0 };

	cr_assert(
	    kp_link_run(world->link, &world->worker, &err), "%s", err.text);
	cr_assert_str_eq(world->worker.notes, expected_notes);
}

Test(link, sockets_come_before_the_tables_that_were_sent_earlier)
{
	struct world world;

	set_up(&world);
	send_peer(&world);
	send_tables(&world, 7);
	send_resolved(&world);
	send_socket(&world, "127.0.0.1:1");
	send_socket(&world, "127.0.0.1:2");
	send_drain(&world);
	run(&world, "socket 127.0.0.1:1;socket 127.0.0.1:2;drain 250;"
		    "apply 7;broker 10.0.0.1;");
	expect_serving(&world, 0, 0);
	expect_applied(&world, 7, NULL);
	tear_down(&world);
}

Test(link, tables_that_the_worker_refuses_are_answered_with_the_reason)
{
	struct world world;

	set_up(&world);
	world.worker.is_refusing = true;
	send_peer(&world);
	send_tables(&world, 7);
	send_drain(&world);
	run(&world, "drain 250;refuse tables;");
	expect_serving(&world, 0, 0);
	expect_applied(&world, 7, "certificate does not parse");
	tear_down(&world);
}

Test(link, tables_that_are_none_never_reach_the_worker)
{
	uint8_t garbage[] = { 0xff, 0xff, 0xff, 1, 2, 3 };
	struct world world;

	set_up(&world);
	send_peer(&world);
	send_raw_tables(&world, garbage, sizeof(garbage));
	send_drain(&world);
	run(&world, "drain 250;");
	expect_serving(&world, 0, 0);
	expect_applied(&world, 7, "");
	tear_down(&world);
}

/* Runs the link in a thread, for what happens while it runs. */
struct runner {
	struct world *world;
	pthread_t thread;
	bool is_ok;
	struct kp_error err;
};

static void *
run_link(void *arg)
{
	struct runner *runner = arg;

	runner->is_ok = kp_link_run(
	    runner->world->link, &runner->world->worker, &runner->err);
	return NULL;
}

static void
start(struct runner *runner, struct world *world)
{
	*runner = (struct runner){ .world = world };
	cr_assert_eq(
	    pthread_create(&runner->thread, NULL, run_link, runner), 0);
}

Test(link, a_new_agent_hears_what_is_served_and_a_lost_one_stops_nothing)
{
	struct runner runner;
	struct world world;
	struct kp_error err;
	int fds[2];

	set_up(&world);
	start(&runner, &world);
	send_peer(&world);
	expect_serving(&world, 0, 0);
	send_tables(&world, 7);
	expect_applied(&world, 7, NULL);
	kp_channel_fini(&world.agent);
	/* nobody listens: dropped, and no reason to stop */
	kp_link_want_host(world.link, "lost");
	cr_assert(kp_channel_pair(fds, &err));
	kp_channel_init(&world.agent, fds[0], KP_CHANNEL_SMALL_MESSAGE);
	world.agent_fd = fds[1];
	send_peer(&world);
	expect_serving(&world, 7, 99);
	send_drain(&world);
	cr_assert_eq(pthread_join(runner.thread, NULL), 0);
	cr_assert(runner.is_ok, "%s", runner.err.text);
	tear_down(&world);
}

Test(link, an_agent_that_breaks_the_rules_loses_its_channel_only)
{
	struct kp_channel_message message;
	struct runner runner;
	struct world world;
	struct kp_error err;

	set_up(&world);
	start(&runner, &world);
	send_peer(&world);
	expect_serving(&world, 0, 0);
	cr_assert_eq(write(world.agent.fd, "\xff\xff\xff\xff", 4), 4);
	cr_assert_eq(kp_channel_receive(
			 &world.agent, &message, kp_now_ms() + WAIT_MS, &err),
	    KP_CHANNEL_FAILED);
	cr_assert_eq(err.kind, KP_ERR_CLOSED);
	send_drain(&world);
	cr_assert_eq(pthread_join(runner.thread, NULL), 0);
	cr_assert(runner.is_ok, "%s", runner.err.text);
	tear_down(&world);
}

Test(link, without_supervisor_the_link_ends)
{
	struct kp_error err = { 0 };
	struct world world;

	set_up(&world);
	kp_channel_fini(&world.supervisor);
	cr_assert(!kp_link_run(world.link, &world.worker, &err));
	cr_assert_eq(err.kind, KP_ERR_CLOSED);
	tear_down(&world);
}

Test(link, what_connections_tell_reaches_the_agent_once)
{
	struct kp_channel_message message;
	struct runner runner;
	struct world world;

	set_up(&world);
	start(&runner, &world);
	kp_link_want_host(world.link, "nobody listens yet");
	send_peer(&world);
	expect_serving(&world, 0, 0);
	kp_link_learned(world.link, "real", 3, "broker-3", 9092);
	message = from_link(&world, KP__NODE__ENVELOPE__BODY_LEARNED);
	cr_assert_str_eq(message.envelope->learned->cluster, "real");
	cr_assert_eq(message.envelope->learned->node_id, 3);
	cr_assert_str_eq(message.envelope->learned->host, "broker-3");
	cr_assert_eq(message.envelope->learned->port, 9092);
	kp_channel_message_fini(&message);
	kp_link_want_host(world.link, "broker-3");
	message = from_link(&world, KP__NODE__ENVELOPE__BODY_WANT_HOST);
	cr_assert_str_eq(message.envelope->want_host->host, "broker-3");
	kp_channel_message_fini(&message);
	send_drain(&world);
	cr_assert_eq(pthread_join(runner.thread, NULL), 0);
	tear_down(&world);
}
