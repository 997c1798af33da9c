/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy server for one link, in the hands of the test: it notes what the
 * agent says and says what it is told to, right or wrong. A failure ends the
 * test.
 */
#ifndef KP_TESTS_SUPPORT_SYNC_WORLD_H
#define KP_TESTS_SUPPORT_SYNC_WORLD_H

#include "control/agent/link.h"
#include "proto/control/v1/nodes.pb-c.h"
#include "tests/support/pushes.h"
#include "tests/support/rpc_world.h"

#define KP_TEST_MAX_HEARD 1000

struct kp_test_sync {
	struct kp_test_rpc rpc;
	struct kp_metrics *metrics;
	struct kp_node_config node;
	char *addresses[2];
	struct kp_link *link;
	atomic_bool is_silent; /* nobody is welcomed */
	atomic_bool answers;   /* heartbeats, as a welcome says */
	atomic_bool is_hung;   /* and does not do so any more */
	atomic_uint heartbeat_ms;

	struct kp_mutex lock; /* guards what follows */
	struct kp_rpc_call *stream;
	unsigned num_streams;
	Kproxy__Control__V1__SyncRequest *heard[KP_TEST_MAX_HEARD];
	size_t num_heard;
};

void kp_test_sync_init(struct kp_test_sync *out);
void kp_test_sync_fini(struct kp_test_sync *world);

/* kp_test_sync_open opens the link and settles it with held. */
void kp_test_sync_open(struct kp_test_sync *world, struct kp_held *held);

/* The index-th message, once it is there; borrowed from world. */
const Kproxy__Control__V1__SyncRequest *kp_test_sync_heard(
    struct kp_test_sync *world, size_t index);

/* kp_test_sync_say sends any message; false if there is no stream. */
bool kp_test_sync_say(
    struct kp_test_sync *world, const ProtobufCMessage *message);
void kp_test_sync_push(struct kp_test_sync *world, struct kp_test_push *push);
/* Messages that wait on the stream; 0 without one. */
size_t kp_test_sync_num_queued(struct kp_test_sync *world);
/* kp_test_sync_end ends the stream with that code. */
void kp_test_sync_end(struct kp_test_sync *world, enum kp_rpc_code code);

/* kp_test_sync_offer waits for the next offer. */
void kp_test_sync_offer(struct kp_test_sync *world, struct kp_link_offer *out);
/* kp_test_sync_accept takes the next offer and says that it is in force. */
struct kp_held *kp_test_sync_accept(struct kp_test_sync *world);

/* Waits until the link is connected, or is not. */
void kp_test_sync_connected(struct kp_test_sync *world, bool is_connected);

#endif
