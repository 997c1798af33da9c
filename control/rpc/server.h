/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server: methods on one or more addresses, mTLS always. Every client has a
 * certificate that the CA signed, or its connection ends in the handshake and
 * the log says why (rpc_handshake_failed); handlers only see callers with names
 * (peer.h). A method that is not there is answered with UNIMPLEMENTED, a
 * request that is no such message with INVALID_ARGUMENT, one beyond a limit
 * with RESOURCE_EXHAUSTED.
 *
 * Threads: two that poll, one that writes to streams, and the handlers' pool.
 * The program must not fork once a server or channel exists, and blocks the
 * signals that it waits for before.
 */
#ifndef KP_CONTROL_RPC_SERVER_H
#define KP_CONTROL_RPC_SERVER_H

#include "control/rpc/call.h"
#include "control/rpc/identity.h"

struct kp_rpc_server;

struct kp_rpc_limits {
	size_t calls;                /* at the same time */
	size_t calls_per_connection; /* more wait at the client */
	size_t metadata_len;         /* headers of one call, in bytes */
	size_t memory;               /* of gRPC's buffers, in bytes; beyond it
					connections are refused */
	size_t queued;               /* messages that wait on one stream */
	size_t queued_len;           /* the same in bytes */
	unsigned threads;            /* handlers at the same time */
	int64_t timeout_ms;          /* of unary calls without a deadline */
	int64_t linger_ms;           /* for a peer to read its status, and what
					is queued before it */
	int64_t handshake_timeout_ms;
	int64_t idle_timeout_ms; /* of a connection without calls */
	/* a connection without a sign of life for the first is asked for one,
	 * and gone if it gives none within the second */
	int64_t keepalive_ms, keepalive_timeout_ms;
	int64_t client_keepalive_ms; /* how often a client may ask */
};

void kp_rpc_limits_default(struct kp_rpc_limits *out);

struct kp_rpc_endpoint {
	const struct kp_rpc_method *method;
	struct kp_rpc_handlers handlers;
};

/* All of it but identity is borrowed for the server's life. */
struct kp_rpc_server_config {
	const char *const *addresses; /* "host:port", "[v6]:port", "unix:/x" */
	size_t num_addresses;
	struct kp_rpc_identity identity;
	const struct kp_rpc_endpoint *endpoints;
	size_t num_endpoints;
	struct kp_rpc_limits limits;
	/*
	 * Told of a call that is refused before its handlers know of it: no
	 * such method, no such message, a limit. Of a peer without a name that
	 * can be used only the address is there. May be NULL. @thread any, and
	 * it must not wait
	 */
	void (*refused)(struct kp_rpc_call *call, const char *method,
	    const struct kp_rpc_status *status);
	void *owner;
};

/* kp_rpc_server_new listens and serves. NULL with the reason on failure. */
struct kp_rpc_server *kp_rpc_server_new(
    const struct kp_rpc_server_config *config, struct kp_error *err);

/* The port of the address with that index, for those that asked for port 0. */
int kp_rpc_server_port(const struct kp_rpc_server *server, size_t index);

/*
 * kp_rpc_server_reload takes a new identity for connections to come; those that
 * exist go on. One that cannot be used changes nothing. @thread any
 */
bool kp_rpc_server_reload(struct kp_rpc_server *server,
    const struct kp_rpc_identity *identity, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_rpc_server_free ends it: no new calls, streams are told UNAVAILABLE, unary
 * calls may go on for grace_ms, then what is left is cut off. Returns when all
 * handlers have returned: those that take long must ask kp_rpc_call_is_over.
 * @thread not a handler
 */
void kp_rpc_server_free(struct kp_rpc_server *server, int64_t grace_ms);

#endif
