/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a channel, and what unary calls and streams share. */
#ifndef KP_CONTROL_RPC_CHANNEL_PRIV_H
#define KP_CONTROL_RPC_CHANNEL_PRIV_H

#include <grpc/grpc.h>

#include "base/mutex.h"
#include "control/rpc/channel.h"
#include "control/rpc/core_priv.h"

struct kp_rpc_channel {
	char *addresses[KP_RPC_MAX_ADDRESSES];
	size_t num_addresses;
	char *server_name;
	int64_t keepalive_ms, keepalive_timeout_ms;
	bool is_in_the_clear;

	struct kp_mutex lock; /* guards what follows */
	struct kp_rpc_pem pem;
	size_t current; /* address */
	bool is_closed; /* nobody shall wait for a connection any more */
	grpc_channel *channel;
};

/*
 * kp_rpc_channel_renew_locked replaces the connection by one to the current
 * address that is not made yet, and knows of no failures. @locks channel->lock
 */
void kp_rpc_channel_renew_locked(struct kp_rpc_channel *channel);

/* kp_rpc_channel_begin makes a call whose events come to queue. */
grpc_call *kp_rpc_channel_begin(struct kp_rpc_channel *channel,
    const struct kp_rpc_method *method, grpc_completion_queue *queue,
    int64_t deadline_ms);

/* Metadata as gRPC wants it, copied; lives as long as the call. */
struct kp_rpc_headers {
	grpc_metadata list[KP_RPC_MAX_METADATA];
	size_t num;
};

void kp_rpc_headers_init(
    struct kp_rpc_headers *out, const struct kp_rpc_options *options);
void kp_rpc_headers_fini(struct kp_rpc_headers *headers);
/* The operation that sends them, first of a call. */
grpc_op kp_rpc_headers_op(struct kp_rpc_headers *headers);

/* What a client gets at the end of each call. */
struct kp_rpc_end {
	grpc_metadata_array trailers;
	grpc_status_code code;
	grpc_slice sentence;
};

void kp_rpc_end_init(struct kp_rpc_end *end);
void kp_rpc_end_fini(struct kp_rpc_end *end);
/* The operation that fills end. */
grpc_op kp_rpc_end_op(struct kp_rpc_end *end);
/* kp_rpc_end_status fills a status that is zero or was set before. */
void kp_rpc_end_status(const struct kp_rpc_end *end, struct kp_rpc_status *out);

/* kp_rpc_queue_free ends a queue for pluck that nothing is under way on. */
void kp_rpc_queue_free(grpc_completion_queue *queue);

/*
 * kp_rpc_wait waits for the operation of tag; false if the deadline passed
 * before. What it came to is in *out_is_good unless that is NULL.
 */
bool kp_rpc_wait(grpc_completion_queue *queue, void *tag, int64_t deadline_ms,
    bool *out_is_good);

#endif
