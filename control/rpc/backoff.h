/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long to wait before the next attempt: twice as long each time up to a
 * maximum, of which a random part between half and all is taken, so that peers
 * that lost the same server do not come back together. @thread one
 */
#ifndef KP_CONTROL_RPC_BACKOFF_H
#define KP_CONTROL_RPC_BACKOFF_H

#include <stdint.h>

struct kp_rpc_backoff {
	int64_t first_ms, max_ms; /* both at least 2 */
	int64_t current_ms;       /* 0: no attempt failed yet */
};

/* kp_rpc_backoff_next returns how long to wait, in milliseconds. */
int64_t kp_rpc_backoff_next(struct kp_rpc_backoff *backoff);

/* kp_rpc_backoff_reset is for an attempt that succeeded. */
void kp_rpc_backoff_reset(struct kp_rpc_backoff *backoff);

#endif
