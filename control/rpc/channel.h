/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to a server: one connection, mTLS, to the first of several addresses
 * that can be reached, and unary calls over it; streams are in stream.h. Only
 * for a server of others that has no TLS there is a way in the clear, which the
 * owner has to ask for by name.
 *
 * Who does what: kp_rpc_channel_connect tries each address once, in turn, from
 * the one that was used last. Waiting between such rounds is the owner's
 * (backoff.h), and so is calling connect again after a call that failed with
 * UNAVAILABLE. No call is ever tried a second time by this layer: only its
 * owner knows whether that does harm.
 *
 * There are no threads of the channel's own: gRPC makes progress in the thread
 * that waits for a call, and looks after connections every few seconds.
 * The program must not fork once a server or channel exists, and blocks the
 * signals that it waits for before. @thread any
 */
#ifndef KP_CONTROL_RPC_CHANNEL_H
#define KP_CONTROL_RPC_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/rpc/identity.h"
#include "control/rpc/method.h"
#include "control/rpc/status.h"

struct kp_rpc_channel;

#define KP_RPC_MAX_ADDRESSES 16

struct kp_rpc_channel_config {
	const char *const *addresses; /* "host:port", "[v6]:port", "unix:/x" */
	size_t num_addresses;         /* 1 to KP_RPC_MAX_ADDRESSES */
	const char *server_name; /* that its certificate must be for; NULL: the
				    address's host */
	struct kp_rpc_identity identity;
	/*
	 * No TLS at all: whoever is on the way reads and changes everything.
	 * identity and server_name are not looked at. Never for a server of
	 * ours, and never without a word in the log: that is the owner's.
	 */
	bool is_insecure_in_the_clear;
	int64_t keepalive_ms;         /* 0: 30 s; not more often than the server
					 lets it be */
	int64_t keepalive_timeout_ms; /* 0: 20 s */
};

/*
 * kp_rpc_channel_new connects to nobody yet. NULL with the reason if the
 * identity cannot be used. config is copied.
 */
struct kp_rpc_channel *kp_rpc_channel_new(
    const struct kp_rpc_channel_config *config, struct kp_error *err);

/* Calls and streams must have ended. */
void kp_rpc_channel_free(struct kp_rpc_channel *channel);

/*
 * kp_rpc_channel_connect waits until there is a connection, at once if there is
 * one for all that is known: the next call notices that it was lost. Each
 * address that is left has an equal part of the time until the deadline.
 * KP_ERR_UNAVAILABLE when none could be reached, KP_ERR_TIMEOUT when time was
 * up before all were tried. Why a server refused the certificate is in that
 * server's log: it does not tell its peer.
 */
bool kp_rpc_channel_connect(struct kp_rpc_channel *channel, int64_t deadline_ms,
    struct kp_error *err) KP_MUST_CHECK;

/* The address in use, or to be tried next; borrowed from the channel. */
const char *kp_rpc_channel_address(struct kp_rpc_channel *channel);

/*
 * kp_rpc_channel_move_on lets the next call or connect try the next address,
 * for a server that can be reached and is of no use. Calls that are under way
 * go on over the old connection.
 */
void kp_rpc_channel_move_on(struct kp_rpc_channel *channel);

/*
 * kp_rpc_channel_close makes connect fail from now on, with KP_ERR_CLOSED, and
 * wakes a thread that waits in it.
 */
void kp_rpc_channel_close(struct kp_rpc_channel *channel);

/*
 * kp_rpc_channel_reload takes a new identity; calls that are under way go on
 * over the old connection, later ones make a new one. An identity that cannot
 * be used changes nothing.
 */
bool kp_rpc_channel_reload(struct kp_rpc_channel *channel,
    const struct kp_rpc_identity *identity, struct kp_error *err) KP_MUST_CHECK;

/*
 * A way to end a call from another thread. kp_rpc_cancel may come before,
 * during or after the call; it counts for all calls that are made with it.
 */
struct kp_rpc_cancel;

struct kp_rpc_cancel *kp_rpc_cancel_new(void);
void kp_rpc_cancel_free(struct kp_rpc_cancel *cancel);
void kp_rpc_cancel(struct kp_rpc_cancel *cancel);

/* What travels beside a request; key in lower case. Borrowed during the call.
 */
struct kp_rpc_metadata {
	const char *key, *value;
};

#define KP_RPC_MAX_METADATA 8
#define KP_RPC_MAX_METADATA_LEN 4096 /* of one value */

struct kp_rpc_options {
	int64_t deadline_ms;          /* of the whole call or stream */
	struct kp_rpc_cancel *cancel; /* of a unary call; may be NULL */
	const struct kp_rpc_metadata *metadata;
	size_t num_metadata; /* at most KP_RPC_MAX_METADATA */
};

/*
 * kp_rpc_metadata_check: may these go over the wire? KP_ERR_PROTOCOL if a key
 * or value has bytes that HTTP forbids, KP_ERR_LIMIT if one is too long. Who
 * has a value from elsewhere asks before it is used: calls assert it.
 */
bool kp_rpc_metadata_check(
    const struct kp_rpc_metadata *metadata, struct kp_error *err) KP_MUST_CHECK;

/* How a unary call went. */
struct kp_rpc_result {
	ProtobufCMessage *answer; /* NULL unless the status is OK */
	struct kp_rpc_status status;
};

/*
 * kp_rpc_channel_call makes a unary call and waits for it until the deadline.
 * Without a connection it makes one to the current address and fails with
 * UNAVAILABLE if that cannot be. Returns whether the status is OK; out is to be
 * ended with kp_rpc_result_fini either way. cancel may be NULL.
 */
bool kp_rpc_channel_call(struct kp_rpc_channel *channel,
    const struct kp_rpc_method *method, struct kp_rpc_result *out,
    const ProtobufCMessage *request, int64_t deadline_ms,
    struct kp_rpc_cancel *cancel) KP_MUST_CHECK;

/* kp_rpc_channel_call_with is the same with options. */
bool kp_rpc_channel_call_with(struct kp_rpc_channel *channel,
    const struct kp_rpc_method *method, struct kp_rpc_result *out,
    const ProtobufCMessage *request,
    const struct kp_rpc_options *options) KP_MUST_CHECK;

void kp_rpc_result_fini(struct kp_rpc_result *result);

#endif
