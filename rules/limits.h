/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that a peer can make a node wait for or allocate, as one table: it
 * parses `limits` of node.yaml, bounds what the worker is told, and is
 * docs/limits.md. A new limit is one row here, and the place where it acts.
 * @thread any: all of it is constant
 */
#ifndef KP_RULES_LIMITS_H
#define KP_RULES_LIMITS_H

#include <stdbool.h>

#include "rules/setting.h"

/* Sizes are bytes, times are milliseconds. */
enum kp_limit {
	KP_LIMIT_CONNECTIONS,             /* of clients, in all */
	KP_LIMIT_CONNECTIONS_PER_ADDRESS, /* 0: no limit of its own */
	KP_LIMIT_CONNECTIONS_OPENING,     /* before their first request */
	KP_LIMIT_MEMORY,                  /* buffers of all connections */
	KP_LIMIT_MEMORY_PER_CONNECTION,
	KP_LIMIT_FRAME, /* one request or answer */
	KP_LIMIT_FRAME_BEFORE_AUTH,
	KP_LIMIT_GOVERNED_REQUEST,  /* one that policies are asked about */
	KP_LIMIT_IN_FLIGHT,         /* of one connection, without answer */
	KP_LIMIT_HANDSHAKE_TIMEOUT, /* PROXY header and TLS */
	KP_LIMIT_FIRST_REQUEST_TIMEOUT,
	KP_LIMIT_REQUEST_TIMEOUT, /* each 64 KiB of a frame, once begun */
	KP_LIMIT_FRAME_TIMEOUT,   /* all of a frame, once begun */
	KP_LIMIT_IDLE_TIMEOUT,    /* no byte in either direction */
	KP_LIMIT_WRITE_TIMEOUT,   /* a peer that does not read */
	KP_LIMIT_DRAIN_TIMEOUT,   /* SIGTERM until the hard stop */
	KP_NUM_LIMITS,
};

struct kp_limits {
	int64_t of[KP_NUM_LIMITS];
};

struct kp_limit_row {
	const char *client;  /* what a client sees beyond it */
	const char *counter; /* the series that counts this */
};

/* The settings below `limits`, in the order of enum kp_limit, and their rows.
 */
extern const struct kp_setting kp_limit_settings[KP_NUM_LIMITS + 1];
extern const struct kp_limit_row kp_limit_rows[KP_NUM_LIMITS];

/* Limits that cannot be changed; what NULL ends the list. */
struct kp_fixed_limit {
	const char *what, *limit, *beyond;
};
extern const struct kp_fixed_limit kp_fixed_limits[];

/* The limits of a node whose configuration says nothing. */
void kp_limits_default(struct kp_limits *out);

/*
 * kp_limits_complaint returns what is wrong with limits that are each within
 * their bounds, and which of them is; NULL if nothing is.
 */
const char *kp_limits_complaint(
    const struct kp_limits *limits, enum kp_limit *out_which);

/* kp_limits_are_in_bounds: for limits that came from another process. */
bool kp_limits_are_in_bounds(const struct kp_limits *limits);

#endif
