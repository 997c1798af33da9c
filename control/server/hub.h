/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub: all nodes, the streams of their agents, and what each is to have. It
 * is told of every new revision (kp_hub_changed) and sees to it that agents get
 * it; it knows no catalog. Nodes that the same selectors (spec.nodes) reach
 * share what is sent, packed once. What is known of a node is kept as a record
 * in the store, so that nodes outlive the server and servers over one store
 * show the same ones.
 *
 * One thread of the hub's own; handlers of the service Nodes
 * (nodes_service.h) run in the RPC server's threads. @thread any
 */
#ifndef KP_CONTROL_SERVER_HUB_H
#define KP_CONTROL_SERVER_HUB_H

#include "control/server/items.h"
#include "control/server/store.h"

/* Nodes that are known at a time; further ones are turned away. */
#define KP_HUB_MAX_NODES 10000

struct kp_hub;

struct kp_hub_config {
	struct kp_store *store;      /* for records; borrowed */
	const char *server_identity; /* shown with its nodes; unlike that of
					others over one store; copied */
	const char *version;         /* of this program; copied */
	int64_t heartbeat_ms;        /* what agents are asked for */
	int64_t lost_after_ms;       /* without a word from an agent */
	int64_t answer_ms;           /* for ack or nack of a push */
	int64_t catch_up_ms;         /* for us to know a revision that an
					agent has already */
	int64_t forget_after_ms;     /* of a node that is lost */
	bool is_restored;            /* agents may have newer revisions than
					the store, which go back */
};

/* kp_hub_config_default fills in what is not named above as borrowed, copied
 * or a wish of the operator. */
void kp_hub_config_default(struct kp_hub_config *out);

/* kp_hub_new reads the records. NULL with the reason on failure. */
struct kp_hub *kp_hub_new(
    const struct kp_hub_config *config, struct kp_error *err);

/*
 * kp_hub_changed tells of a new revision, and first of the one at the start:
 * before, agents are welcomed and get nothing. items is copied (kp_items_copy);
 * committed_ms is since 1970-01-01 UTC. Revisions come in rising order. Returns
 * at once.
 */
void kp_hub_changed(
    struct kp_hub *hub, const struct kp_items *items, int64_t committed_ms);

/* kp_hub_render adds the hub's metrics as Prometheus text. */
void kp_hub_render(struct kp_hub *hub, struct kp_buf *out);

/* After the RPC server is freed. Writes what the records do not have yet. */
void kp_hub_free(struct kp_hub *hub);

#endif
