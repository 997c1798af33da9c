/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in front of every handler: has the caller the role that the
 * method asks for, does it call too often, can the call be recorded? And behind
 * it: the line in the audit file. A change is only let in once there is room
 * for its line; the handler that made it says so (kp_guard_changed) before it
 * answers.
 * @thread any
 */
#ifndef KP_CONTROL_SERVER_GUARD_H
#define KP_CONTROL_SERVER_GUARD_H

#include "base/metrics.h"
#include "control/server/audit.h"
#include "control/server/catalog.h"
#include "control/server/roles.h"
#include "control/server/service.h"

struct kp_guard;

/* Identities whose rates are remembered; who was quiet longest is forgotten. */
#define KP_GUARD_MAX_IDENTITIES 16384

struct kp_guard_config {
	const struct kp_service_method *const *services; /* ends with NULL */
	struct kp_audit *audit;
	struct kp_metrics *metrics;
	int64_t rate, rate_burst; /* calls of one identity, in a second */
	size_t max_message_len;
};

/* kp_guard_new borrows all of config but takes over roles: then NULL. */
struct kp_guard *kp_guard_new(
    const struct kp_guard_config *config, struct kp_roles **roles);
/* After the RPC server. */
void kp_guard_free(struct kp_guard *guard);

/* kp_guard_set_roles is for calls that come; it takes over roles. */
void kp_guard_set_roles(struct kp_guard *guard, struct kp_roles **roles);

/* The methods of all services with the guard in front, and how many. */
const struct kp_rpc_endpoint *kp_guard_endpoints(
    const struct kp_guard *guard, size_t *out_num);

/* For struct kp_rpc_server_config. */
void kp_guard_refused(struct kp_rpc_call *call, const char *method,
    const struct kp_rpc_status *status);

/*
 * What follows is for handlers of unary calls, and for their own call.
 */

/* The name of the caller that gave it its role; borrowed during the call. */
const char *kp_guard_identity(const struct kp_rpc_call *call);

/* What the caller may edit, for a wish; valid during the call. */
struct kp_catalog_judge kp_guard_judge(const struct kp_rpc_call *call);

/* What a handler has done, or found that it would do. */
struct kp_guard_change {
	uint64_t revision; /* 0: none */
	const char *reason;
	bool is_dry_run;
	const struct kp_audit_name *names;
	size_t num_names;
};

/*
 * kp_guard_changed records a change, which is on the disk afterwards. Without
 * it the call gets a line when its handler has returned.
 */
void kp_guard_changed(
    struct kp_rpc_call *call, const struct kp_guard_change *change);

#endif
