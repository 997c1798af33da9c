/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client, a real session and a broker, in one thread: kp_session_run goes on
 * until the connection ends, and whenever it waits the two far ends have their
 * turn (calls.h). A failure of the bridge itself ends the test. @thread main
 */
#ifndef KP_TESTS_SUPPORT_BRIDGE_H
#define KP_TESTS_SUPPORT_BRIDGE_H

#include "proxy/session/session.h"
#include "tests/support/calls.h"
#include "tests/support/far.h"
#include "tests/support/tls_world.h"

enum {
	KP_BRIDGE_CLIENT_TLS = 1,
	KP_BRIDGE_BROKER_TLS = 2,
	KP_BRIDGE_PROXY_HEADER = 4, /* what the client sends first, in plain */
	KP_BRIDGE_SNI = 8,          /* with client TLS: one port, by name */
	KP_NUM_BRIDGES = 16,
};

/* The one host that answers of a broker may name, and that no client sees. */
#define KP_BRIDGE_SECRET "kafka-7.secret.internal"

struct kp_test_bridge {
	unsigned options;
	struct kp_limits limits;
	struct kp_test_world world; /* the far ends' TLS, and certificates */
	struct kp_metrics *metrics;
	struct kp_shared shared;
	struct kp_buf
	    rules[2]; /* packed: without the virtual cluster, with it */
	uint64_t generation;
	bool is_changed; /* rules or limits are no longer as at first */

	/* of the connection */
	struct kp_test_calls calls;
	struct kp_session *session; /* while it runs */
	int client_fd; /* the session's; calls.near_fd: to the broker */
	struct kp_far client, broker;
	/* Lets the far ends do what the test wants; as kp_test_calls.turn. */
	bool (*turn)(void *context);
	void *context;

	/* of the last one */
	enum kp_close_reason reason;
	bool was_resting; /* it was woken to rest before it ended */
};

/* kp_bridge_init makes what connections share; limits NULL: as usual. */
void kp_bridge_init(struct kp_test_bridge *bridge, unsigned options,
    const struct kp_limits *limits);
void kp_bridge_fini(struct kp_test_bridge *bridge);

/*
 * kp_bridge_run opens a connection, runs it to its end and looks whether all
 * came back: memory, pipes, descriptors, gauges. What the far ends received
 * stays until the next run or kp_bridge_fini.
 */
void kp_bridge_run(struct kp_test_bridge *bridge, struct kp_bytes proxy_header);

/*
 * kp_bridge_publish puts new rules into force, with or without the virtual
 * cluster of the connection.
 */
void kp_bridge_publish(struct kp_test_bridge *bridge, bool has_cluster);

#endif
