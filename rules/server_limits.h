/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that a peer can make a policy server wait for or allocate, as one
 * table: it parses `limits` of kpserver.yaml and is part of its page in docs/.
 * @thread any: all of it is constant
 */
#ifndef KP_RULES_SERVER_LIMITS_H
#define KP_RULES_SERVER_LIMITS_H

#include "rules/setting.h"

/* Sizes are bytes, times are milliseconds. */
enum kp_server_limit {
	KP_SERVER_CONNECTIONS,
	KP_SERVER_CALLS, /* at the same time, streams are calls */
	KP_SERVER_CALLS_PER_CONNECTION,
	KP_SERVER_THREADS, /* handlers at the same time */
	KP_SERVER_CHANGES, /* judged, or waiting for it */
	KP_SERVER_WATCHES, /* streams of Resources.Watch */
	KP_SERVER_MESSAGE, /* one request */
	KP_SERVER_MEMORY,  /* of gRPC's buffers */
	KP_SERVER_RATE,    /* calls of one identity in a second */
	KP_SERVER_RATE_BURST,
	KP_SERVER_TIMEOUT,       /* of a call whose client named none */
	KP_SERVER_WATCH_TIMEOUT, /* of a watch that does not read */
	KP_SERVER_HANDSHAKE_TIMEOUT,
	KP_SERVER_IDLE_TIMEOUT, /* of a connection without calls */
	KP_SERVER_KEEPALIVE,
	KP_SERVER_KEEPALIVE_TIMEOUT,
	KP_SERVER_DRAIN_TIMEOUT, /* SIGTERM until calls are cut off */
	KP_NUM_SERVER_LIMITS,
};

struct kp_server_limits {
	int64_t of[KP_NUM_SERVER_LIMITS];
};

/* The settings below `limits`, in the order of enum kp_server_limit. */
extern const struct kp_setting kp_server_limit_settings[];

/* What a caller sees beyond each. */
extern const char *const kp_server_limit_effects[KP_NUM_SERVER_LIMITS];

/* The limits of a server whose configuration says nothing. */
void kp_server_limits_default(struct kp_server_limits *out);

/*
 * kp_server_limits_complaint returns what is wrong with limits that are each
 * within their bounds, and which of them is; NULL if nothing is.
 */
const char *kp_server_limits_complaint(
    const struct kp_server_limits *limits, enum kp_server_limit *out_which);

#endif
