/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hub behind a real RPC server on loopback, over a store in SQLite, and
 * agents that talk to it over mTLS: each keeps the set that it was given, as
 * the contract says, and checks it against the digest. A failure ends the test.
 */
#ifndef KP_TESTS_SUPPORT_HUB_WORLD_H
#define KP_TESTS_SUPPORT_HUB_WORLD_H

#include "control/rpc/channel.h"
#include "control/rpc/server.h"
#include "control/rpc/stream.h"
#include "control/server/hub.h"
#include "control/server/nodes_service.h"
#include "tests/support/certs.h"
#include "tests/support/folder.h"

#define KP_TEST_MAX_METHODS 8

struct kp_test_hub {
	char folder[KP_TEST_PATH_LEN];
	struct kp_store *store;
	struct kp_items items; /* the newest */
	struct kp_hub_config config;
	struct kp_hub *hub;
	struct kp_services services;
	struct kp_rpc_endpoint endpoints[KP_TEST_MAX_METHODS];
	struct kp_rpc_limits limits;
	struct kp_test_ca *ca;
	struct kp_key_pair server_pair;
	struct kp_rpc_server *server;
	char address[64];
	struct kp_rpc_channel *viewer; /* of the unary calls below */
	struct kp_key_pair operator_pair;
};

/* Without hub and server: a test changes config and limits, and starts. */
void kp_test_hub_init(struct kp_test_hub *out);
/* Over the store of another world, as a second server. */
void kp_test_hub_init_beside(
    struct kp_test_hub *out, struct kp_test_hub *other);
void kp_test_hub_start(struct kp_test_hub *world);
void kp_test_hub_stop(struct kp_test_hub *world);
void kp_test_hub_fini(struct kp_test_hub *world);

/* A Cluster as the next revision, for nodes with that label or for all ("");
 * port 0: it is deleted. The hub is told if there is one. */
void kp_test_hub_commit(struct kp_test_hub *world, const char *name,
    const char *nodes, unsigned port);
void kp_test_hub_commit_all(struct kp_test_hub *world,
    const struct kp_store_change *changes, size_t num);
/* Tells the hub of what there is. */
void kp_test_hub_tell(struct kp_test_hub *world);

struct kp_test_agent {
	const char *name;
	struct kp_key_pair pair;
	struct kp_rpc_channel *channel;
	struct kp_rpc_stream *stream;
	struct kp_test_document {
		char *kind, *name, *document;
	} * set; /* by kind and name */
	size_t num;
	uint64_t revision; /* in force */
	struct kp_digest digest;
	/* of the last push */
	uint64_t based_on;
	bool is_rollback;
	size_t num_parts, num_changed, num_deleted;
	size_t num_beats, num_alive; /* heartbeats, and answers to them */
};

/* name is that of the certificate, borrowed. */
void kp_test_agent_init(struct kp_test_agent *out,
    const struct kp_test_hub *world, const char *name);
/* Goes to the server of that world, which may be another one by now. */
void kp_test_agent_move(
    struct kp_test_agent *agent, const struct kp_test_hub *world);
void kp_test_agent_open(struct kp_test_agent *agent);
void kp_test_agent_close(struct kp_test_agent *agent);
void kp_test_agent_fini(struct kp_test_agent *agent);

void kp_test_agent_say(
    struct kp_test_agent *agent, Kproxy__Control__V1__SyncRequest *request);
/* Hello as node, with that label ("site=fra") or none (NULL). */
void kp_test_agent_hello(
    struct kp_test_agent *agent, const char *node, const char *label);
void kp_test_agent_ack(struct kp_test_agent *agent);
void kp_test_agent_nack(
    struct kp_test_agent *agent, uint64_t revision, const char *why);
void kp_test_agent_heartbeat(struct kp_test_agent *agent);
/* Waits until all heartbeats are answered; nothing else may come. */
void kp_test_agent_answered(struct kp_test_agent *agent);

/* The next message but answers to heartbeats; free it with kp_unpacked_free.
 */
Kproxy__Control__V1__SyncResponse *kp_test_agent_hear(
    struct kp_test_agent *agent);
/* Hears the welcome: is it cordoned? */
bool kp_test_agent_welcome(struct kp_test_agent *agent);
/* Takes all parts of the next push; it is not answered. */
void kp_test_agent_take(struct kp_test_agent *agent, uint64_t revision);
/* The same with an ack. */
void kp_test_agent_follow(struct kp_test_agent *agent, uint64_t revision);
/* Open, hello, welcome. */
void kp_test_agent_join(struct kp_test_agent *agent, const char *label);
/* Nothing but answers to heartbeats comes for a moment. */
void kp_test_agent_hears_nothing(struct kp_test_agent *agent);
void kp_test_agent_expect_end(
    struct kp_test_agent *agent, enum kp_rpc_code code, const char *sentence);

/* A node as the service shows it, to be freed with kp_unpacked_free. */
Kproxy__Control__V1__GetNodeResponse *kp_test_hub_get(
    struct kp_test_hub *world, const char *name);
/* Waits until the node is in that state. */
void kp_test_hub_expect_state(struct kp_test_hub *world, const char *name,
    Kproxy__Control__V1__NodeState state);
enum kp_rpc_code kp_test_hub_cordon(
    struct kp_test_hub *world, const char *name, bool is_cordoned);
/* The value of a metric without labels, as rendered. */
double kp_test_hub_metric(struct kp_test_hub *world, const char *name);

#endif
