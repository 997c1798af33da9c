/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a service is written: its methods with the role that each asks for, and
 * what its handlers find. Whether a caller has the role, how often it may call,
 * and that it was called, is seen to before and after a handler, in one place.
 */
#ifndef KP_CONTROL_SERVER_SERVICE_H
#define KP_CONTROL_SERVER_SERVICE_H

#include "control/api/methods.h"
#include "control/rpc/server.h"
#include "rules/server_config.h"

struct kp_desk;
struct kp_guard;
struct kp_health;
struct kp_hub;
struct kp_watches;

struct kp_service_method {
	const struct kp_rpc_method *method; /* NULL ends a table */
	enum kp_role role;
	struct kp_rpc_handlers handlers;
};

/* The owner of the RPC server (kp_rpc_call_owner), for all handlers. */
struct kp_services {
	struct kp_guard *guard; /* who may do what; audit */
	struct kp_desk *desk;   /* resources: the catalog, shared by threads */
	struct kp_hub *hub;     /* nodes */
	struct kp_watches *watches; /* of resources */
	struct kp_health *health;
};

#endif
