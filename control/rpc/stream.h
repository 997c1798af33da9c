/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream on the client. One thread may read and another write at the same
 * time; kp_rpc_stream_cancel may come from any.
 */
#ifndef KP_CONTROL_RPC_STREAM_H
#define KP_CONTROL_RPC_STREAM_H

#include "control/rpc/channel.h"

struct kp_rpc_stream;

/*
 * kp_rpc_stream_new begins a stream; that it cannot be is what reading from it
 * says. deadline_ms is that of the whole stream, KP_NEVER without.
 */
struct kp_rpc_stream *kp_rpc_stream_new(struct kp_rpc_channel *channel,
    const struct kp_rpc_method *method, int64_t deadline_ms);

/* The same with options; its cancel must be NULL. */
struct kp_rpc_stream *kp_rpc_stream_new_with(struct kp_rpc_channel *channel,
    const struct kp_rpc_method *method, const struct kp_rpc_options *options);

/* kp_rpc_stream_free cancels it if it has not ended. No other call may run. */
void kp_rpc_stream_free(struct kp_rpc_stream *stream);

/*
 * kp_rpc_stream_write sends a message and waits until the connection has taken
 * it. KP_ERR_LIMIT if it is too long; KP_ERR_CLOSED if the stream has ended:
 * reading says how; KP_ERR_TIMEOUT if the peer does not read: the message may
 * still be sent, and the next write waits for it first. @thread writer
 */
bool kp_rpc_stream_write(struct kp_rpc_stream *stream,
    const ProtobufCMessage *message, int64_t deadline_ms,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_rpc_stream_half_close: there will be no more messages. @thread writer */
bool kp_rpc_stream_half_close(struct kp_rpc_stream *stream, int64_t deadline_ms,
    struct kp_error *err) KP_MUST_CHECK;

enum kp_rpc_read {
	KP_RPC_READ_MESSAGE,
	KP_RPC_READ_NOTHING, /* until the deadline; read again */
	KP_RPC_READ_END,     /* kp_rpc_stream_status says how */
};

/*
 * kp_rpc_stream_read waits for the next message. Free it with kp_unpacked_free.
 * A message that is none, or too long, ends the stream. @thread reader
 */
enum kp_rpc_read kp_rpc_stream_read(struct kp_rpc_stream *stream,
    ProtobufCMessage **out, int64_t deadline_ms) KP_MUST_CHECK;

/* How it ended, after KP_RPC_READ_END. Borrowed. @thread reader */
const struct kp_rpc_status *kp_rpc_stream_status(
    const struct kp_rpc_stream *stream);

/* kp_rpc_stream_cancel ends it at once; waiting reads and writes return. */
void kp_rpc_stream_cancel(struct kp_rpc_stream *stream);

#endif
