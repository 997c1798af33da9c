/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all connections of the worker share. Each part guards itself.
 * @thread any, but init and fini
 */
#ifndef KP_PROXY_SESSION_SHARED_H
#define KP_PROXY_SESSION_SHARED_H

#include <stdatomic.h>

#include "base/metrics.h"
#include "proxy/frame/plan.h"
#include "proxy/net/pipe.h"
#include "proxy/session/roster.h"
#include "proxy/session/snapshot.h"
#include "proxy/upstream/names.h"

struct kp_shared {
	struct kp_snapshot_store snapshots;
	struct kp_roster roster;
	struct kp_pool *pool;
	struct kp_pipes *pipes;
	struct kp_names *names;
	struct kp_metrics *metrics;
	struct kp_reports reports;
	struct kp_plan plan; /* constant after start */
	int ended_event;     /* eventfd: a connection's thread has ended */

	atomic_bool is_draining;
	/* kp_now_ms when what is left is cut; KP_NEVER unless draining. */
	_Atomic int64_t hard_stop_ms;
	atomic_uint_fast64_t next_id;
};

/* kp_shared_init starts without rules; reports are copied. */
void kp_shared_init(struct kp_shared *shared, struct kp_metrics *metrics,
    const struct kp_reports *reports);
/* kp_shared_fini is for after the last connection. */
void kp_shared_fini(struct kp_shared *shared);

#endif
