/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to etcd: endpoints in turn, login, and again until a deadline. Only for
 * control/server/etcd*.c. @thread any
 */
#ifndef KP_CONTROL_SERVER_ETCD_CLIENT_H
#define KP_CONTROL_SERVER_ETCD_CLIENT_H

#include "control/rpc/stream.h"
#include "control/server/etcd.h"
#include "proto/etcd/rpc.pb-c.h"

struct kp_etcd_client;

extern const struct kp_rpc_method kp_etcd_range, kp_etcd_txn, kp_etcd_put,
    kp_etcd_delete, kp_etcd_grant, kp_etcd_revoke, kp_etcd_keep_alive,
    kp_etcd_watch;

struct kp_etcd_client *kp_etcd_client_new(
    const struct kp_etcd_config *config, struct kp_error *err);
void kp_etcd_client_free(struct kp_etcd_client *client);

/* kp_etcd_client_reload is kp_rpc_channel_reload for each endpoint. */
bool kp_etcd_client_reload(struct kp_etcd_client *client,
    const struct kp_rpc_identity *identity, struct kp_error *err) KP_MUST_CHECK;

/* As kp_etcd_reload_password. */
bool kp_etcd_client_reload_password(struct kp_etcd_client *client,
    bool *out_is_new, struct kp_error *err) KP_MUST_CHECK;

/*
 * Every request here may be sent again without harm: puts of the same bytes,
 * deletions, transactions that compare first.
 */
struct kp_etcd_ask {
	const struct kp_rpc_method *method;
	const ProtobufCMessage *request;
	int64_t deadline_ms;
	bool needs_leader; /* refused at once by a node that knows of none */
	struct kp_rpc_cancel *cancel; /* may be NULL */
};

struct kp_etcd_reply {
	ProtobufCMessage *message; /* NULL: failed, see err */
	enum kp_rpc_code code;     /* of the last try */
	bool is_unknown;           /* failed, but may have been done */
};

/*
 * kp_etcd_ask asks until there is an answer, a refusal, or the deadline.
 * Returns whether there is an answer, which is freed with kp_unpacked_free. The
 * error is KP_ERR_CONFIG for a refusal, else KP_ERR_UNAVAILABLE, or
 * KP_ERR_TIMEOUT if what was asked for may have been done.
 */
bool kp_etcd_ask(struct kp_etcd_client *client, const struct kp_etcd_ask *ask,
    struct kp_etcd_reply *out, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_etcd_stream_open begins a stream to a node that knows a leader, and that
 * ends when it does not any more. *out_index is for kp_etcd_blame. NULL if none
 * was reached before the deadline, which is not the stream's own (end_ms).
 */
struct kp_rpc_stream *kp_etcd_stream_open(struct kp_etcd_client *client,
    const struct kp_rpc_method *method, int64_t deadline_ms, int64_t end_ms,
    size_t *out_index, struct kp_error *err);

/* kp_etcd_blame: a stream failed there, another endpoint is to be tried, and if
 * it was the login, a new one. */
void kp_etcd_blame(struct kp_etcd_client *client, size_t index,
    const struct kp_rpc_status *status);

/* kp_etcd_client_stop ends all pauses between tries, now and later. */
void kp_etcd_client_stop(struct kp_etcd_client *client);

/* kp_etcd_client_pause waits, or until stopped. */
void kp_etcd_client_pause(struct kp_etcd_client *client, int64_t ms);

#endif
