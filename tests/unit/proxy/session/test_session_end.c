/* SPDX-License-Identifier: Apache-2.0 */
/* A whole connection between a client and a broker that the test plays. */
#include "proxy/session/session.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/declared.h"
#include "tests/support/socketpair.h"

#define WAIT_MS 60000

/* Heartbeat version 0: 14 bytes of it are there, the frame says 100. */
static const uint8_t half_a_request[] = { 0, 0, 0, 100, 0, 12, 0, 0, 0, 0, 0, 7,
	0xff, 0xff };

struct world {
	struct kp_shared shared;
	struct kp_session *session;
	pthread_t thread;
	int client, broker; /* the test's ends */
	bool is_evicted;    /* before its thread starts */
};

static void
on_want_host(void *context, const char *host)
{
	(void)context;
	(void)host;
}

static void
init_shared(struct kp_shared *shared)
{
	const struct kp_reports reports = { .want_host = on_want_host };
	struct kp_metrics *metrics;
	struct kp_error err;
	int fd = kp_metrics_new_segment(&kp_node_metrics, &err);

	metrics = kp_metrics_map(&kp_node_metrics, fd, &err);
	cr_assert_not_null(metrics);
	(void)close(fd);
	kp_shared_init(shared, metrics, &reports);
}

static struct kp_snapshot *
snapshot_of_broker(uint16_t port)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_error err;
	struct kp_tables *tables;
	char text[1024];

	(void)snprintf(text, sizeof(text),
	    "{apiVersion: kproxy/v1, kind: Cluster, metadata: {name: c},\n"
	    "spec: {bootstrap: [127.0.0.1:%u]}}\n---\n" KP_TEST_LISTENER
	    "{apiVersion: kproxy/v1, kind: VirtualCluster, metadata: {name: v},"
	    "\nspec: {cluster: c, listener: l}}",
	    port);
	tables = kp_test_compile(text, &diagnostics);
	cr_assert_not_null(tables);
	return kp_snapshot_new(&tables, NULL, NULL, NULL, &err);
}

/* The acceptor's part: what it does with a connection. */
static void
start(struct world *world, struct kp_snapshot *snapshot, int fd)
{
	const struct kp_roster_limits no_limits = { 0 };
	const struct kp_endpoint *endpoint = &snapshot->endpoints[0];

	kp_snapshot_publish(
	    &world->shared.snapshots, &(struct kp_snapshot *){ snapshot });
	snapshot = kp_snapshot_acquire(&world->shared.snapshots);
	world->session =
	    kp_session_new(&world->shared, &snapshot, endpoint, KP_NO_NODE, fd);
	cr_assert_not_null(world->session);
	cr_assert_eq(kp_roster_add(&world->shared.roster,
			 &world->session->roster, "v", &no_limits),
	    KP_ROSTER_IN);
	atomic_store(&world->session->roster.is_evicted, world->is_evicted);
	kp_must(pthread_create(
	    &world->thread, NULL, kp_session_run, world->session));
}

/* Starts everything and returns where the broker listens. */
static int
set_up(struct world *world)
{
	struct kp_address address;
	int listener = kp_test_listen(&address), fds[2];

	init_shared(&world->shared);
	kp_test_tcp_pair(fds, 0);
	world->client = fds[0];
	start(world, snapshot_of_broker(kp_address_port(&address)), fds[1]);
	return listener;
}

/* The acceptor's part again: it joins the thread and frees the session. */
static void
tear_down(struct world *world)
{
	struct kp_shared *shared = &world->shared;

	cr_assert_eq(kp_roster_take_ended(&shared->roster),
	    &world->session->roster, "the thread is among the ended");
	kp_session_free(world->session);
	kp_metrics_free(shared->metrics);
	kp_shared_fini(shared);
}

/* Waits for POLLIN on fd. */
static void
await(int fd)
{
	struct pollfd awaited = { .fd = fd, .events = POLLIN };

	cr_assert_eq(poll(&awaited, 1, WAIT_MS), 1);
}

/* It may take a while until somebody joins it. */
Test(session_end, a_connection_that_ended_holds_no_buffer)
{
	struct world world = { .is_evicted = false };
	int listener = set_up(&world);

	/* before that no broker hears of it */
	cr_assert_eq(send(world.client, half_a_request, sizeof(half_a_request),
			 MSG_NOSIGNAL),
	    (ssize_t)sizeof(half_a_request));
	await(listener); /* somebody comes to the broker */
	world.broker = accept(listener, NULL, NULL);
	cr_assert(world.broker >= 0);
	await(world.broker); /* and something to read */
	(void)close(world.client);
	kp_must(pthread_join(world.thread, NULL));
	cr_assert_eq(kp_pool_in_use(world.shared.pool), 0);
	tear_down(&world);
	(void)close(world.broker);
	(void)close(listener);
}

/* Nobody can wake a thread that is not there yet. */
Test(session_end, a_connection_that_is_evicted_before_it_starts_ends)
{
	struct world world = { .is_evicted = true };
	int listener = set_up(&world);

	await(world.client); /* it is closed */
	kp_must(pthread_join(world.thread, NULL));
	cr_assert_eq(world.session->reason, KP_CLOSE_OPENING_LIMIT);
	tear_down(&world);
	(void)close(world.client);
	(void)close(listener);
}
