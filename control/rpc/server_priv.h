/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a server. */
#ifndef KP_CONTROL_RPC_SERVER_PRIV_H
#define KP_CONTROL_RPC_SERVER_PRIV_H

#include <stdatomic.h>

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include "base/mutex.h"
#include "control/rpc/core_priv.h"
#include "control/rpc/pool_priv.h"
#include "control/rpc/server.h"

#define KP_RPC_NUM_POLLERS 2
/* How late a deadline of ours may be noticed. */
#define KP_RPC_TICK_MS 500

struct kp_rpc_call;

/* One address: gRPC asks each on its own whether there is a new identity. */
struct kp_rpc_port {
	struct kp_rpc_server *server;
	int number;
	atomic_uint generation; /* of the identity it has */
};

struct kp_rpc_server {
	struct kp_rpc_limits limits;
	const struct kp_rpc_endpoint *endpoints;
	size_t num_endpoints;
	void (*refused)(struct kp_rpc_call *call, const char *method,
	    const struct kp_rpc_status *status);
	void *owner;
	grpc_server *server;
	grpc_completion_queue *queue;
	void **registered; /* gRPC's handle of each endpoint */
	struct kp_rpc_port *ports;
	size_t num_ports;
	struct kp_rpc_pool *handlers, *writer;
	pthread_t pollers[KP_RPC_NUM_POLLERS];

	struct kp_mutex lock; /* guards what follows */
	struct kp_cond changed;
	struct kp_rpc_pem pem;
	unsigned generation;       /* of pem, from 1 */
	struct kp_rpc_call *calls; /* admitted and not closed */
	size_t num_calls;
	size_t num_objects; /* calls that are not freed, armed ones too */
	bool is_stopping, is_down;
};

/*
 * kp_rpc_server_admit puts a call into the list and gives it a place; false
 * with the status that refuses it.
 */
bool kp_rpc_server_admit(
    struct kp_rpc_call *call, struct kp_rpc_status *status);
/* kp_rpc_server_leave takes an admitted call from the list. */
void kp_rpc_server_leave(struct kp_rpc_call *call);

/* kp_rpc_server_count adds delta to the number of objects. */
void kp_rpc_server_count(struct kp_rpc_server *server, int delta);

/*
 * kp_rpc_server_expire ends calls whose deadline of ours has passed, and cuts
 * off those whose peer did not take their status in time.
 */
void kp_rpc_server_expire(struct kp_rpc_server *server);

/* kp_rpc_server_end_streams ends all streams with UNAVAILABLE. */
void kp_rpc_server_end_streams(struct kp_rpc_server *server);

/* kp_rpc_server_add_ports listens on the addresses. */
bool kp_rpc_server_add_ports(struct kp_rpc_server *server,
    const char *const *addresses, struct kp_error *err);

void kp_rpc_server_args(
    struct kp_rpc_args *out, const struct kp_rpc_server *server);

#endif
