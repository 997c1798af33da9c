/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One operation of each kind may be under way: an operation that outlives the
 * wait for it stays so, and is waited for before the next of its kind.
 */
#include "control/rpc/stream.h"

#include <stdlib.h>

#include <grpc/byte_buffer.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/rpc/channel_priv.h"
#include "control/rpc/packet_priv.h"

/* An operation of gRPC; its own address is the tag. */
struct operation {
	bool is_under_way;
	bool is_good; /* how the last one came back */
};

struct kp_rpc_stream {
	const struct kp_rpc_method *method;
	grpc_completion_queue *queue;
	grpc_call *call;
	struct operation starting, ending; /* headers, status: no thread's */
	struct kp_rpc_headers sent;
	grpc_metadata_array headers;
	struct kp_rpc_end end;

	struct operation writing; /* the writer's */
	grpc_byte_buffer *outgoing;

	struct operation reading; /* the reader's */
	grpc_byte_buffer *incoming;
	bool has_ended;
	bool is_refused; /* by us: status is why */
	struct kp_rpc_status status;
};

static void
start(struct kp_rpc_stream *stream, struct operation *operation,
    const grpc_op *ops, size_t num_ops)
{
	operation->is_under_way = true;
	kp_rpc_tag_sent(operation);
	kp_must((int)grpc_call_start_batch(
	    stream->call, ops, num_ops, operation, NULL));
}

/* Waits until operation is over; true if it was none. */
static bool
settle(struct kp_rpc_stream *stream, struct operation *operation,
    int64_t deadline_ms)
{
	if (!operation->is_under_way)
		return true;
	if (!kp_rpc_wait(
		stream->queue, operation, deadline_ms, &operation->is_good))
		return false;
	operation->is_under_way = false;
	return true;
}

struct kp_rpc_stream *
kp_rpc_stream_new(struct kp_rpc_channel *channel,
    const struct kp_rpc_method *method, int64_t deadline_ms)
{
	const struct kp_rpc_options options = { .deadline_ms = deadline_ms };

	return kp_rpc_stream_new_with(channel, method, &options);
}

struct kp_rpc_stream *
kp_rpc_stream_new_with(struct kp_rpc_channel *channel,
    const struct kp_rpc_method *method, const struct kp_rpc_options *options)
{
	struct kp_rpc_stream *stream = kp_alloc(1, sizeof(*stream));
	grpc_op ops[] = {
		{ .op = GRPC_OP_SEND_INITIAL_METADATA },
		{ .op = GRPC_OP_RECV_INITIAL_METADATA },
	};
	grpc_op end;

	kp_assert(method->kind == KP_RPC_STREAM && options->cancel == NULL);
	kp_rpc_headers_init(&stream->sent, options);
	stream->method = method;
	stream->queue = grpc_completion_queue_create_for_pluck(NULL);
	stream->call = kp_rpc_channel_begin(
	    channel, method, stream->queue, options->deadline_ms);
	grpc_metadata_array_init(&stream->headers);
	kp_rpc_end_init(&stream->end);
	stream->writing.is_good = true;
	end = kp_rpc_end_op(&stream->end);
	start(stream, &stream->ending, &end, 1);
	ops[0] = kp_rpc_headers_op(&stream->sent);
	ops[1].data.recv_initial_metadata.recv_initial_metadata =
	    &stream->headers;
	start(stream, &stream->starting, ops, 2);
	return stream;
}

void
kp_rpc_stream_free(struct kp_rpc_stream *stream)
{
	if (stream == NULL)
		return;
	(void)grpc_call_cancel(stream->call, NULL);
	(void)settle(stream, &stream->starting, KP_NEVER);
	(void)settle(stream, &stream->writing, KP_NEVER);
	(void)settle(stream, &stream->reading, KP_NEVER);
	(void)settle(stream, &stream->ending, KP_NEVER);
	grpc_byte_buffer_destroy(stream->outgoing);
	grpc_byte_buffer_destroy(stream->incoming);
	grpc_metadata_array_destroy(&stream->headers);
	kp_rpc_end_fini(&stream->end);
	kp_rpc_status_fini(&stream->status);
	grpc_call_unref(stream->call);
	kp_rpc_headers_fini(&stream->sent);
	kp_rpc_queue_free(stream->queue);
	free(stream);
}

/* Waits for what is being written; true if more may follow. */
static bool
settle_write(
    struct kp_rpc_stream *stream, int64_t deadline_ms, struct kp_error *err)
{
	if (!settle(stream, &stream->writing, deadline_ms))
		return kp_error_set(
		    err, KP_ERR_TIMEOUT, "the peer does not read");
	grpc_byte_buffer_destroy(stream->outgoing);
	stream->outgoing = NULL;
	if (!stream->writing.is_good)
		return kp_error_set(err, KP_ERR_CLOSED, "the stream has ended");
	return true;
}

bool
kp_rpc_stream_write(struct kp_rpc_stream *stream,
    const ProtobufCMessage *message, int64_t deadline_ms, struct kp_error *err)
{
	struct kp_rpc_packet *packet;
	grpc_op op = { .op = GRPC_OP_SEND_MESSAGE };

	if (!settle_write(stream, deadline_ms, err))
		return false;
	packet =
	    kp_rpc_packet_new(message, stream->method->max_request_len, err);
	if (packet == NULL)
		return false;
	stream->outgoing = kp_rpc_packet_buffer(packet);
	kp_rpc_packet_unref(packet);
	op.data.send_message.send_message = stream->outgoing;
	start(stream, &stream->writing, &op, 1);
	return settle_write(stream, deadline_ms, err);
}

bool
kp_rpc_stream_half_close(
    struct kp_rpc_stream *stream, int64_t deadline_ms, struct kp_error *err)
{
	grpc_op op = { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT };

	if (!settle_write(stream, deadline_ms, err))
		return false;
	start(stream, &stream->writing, &op, 1);
	return settle_write(stream, deadline_ms, err);
}

/* The call is over or about to be: its status is near. */
static enum kp_rpc_read
take_end(struct kp_rpc_stream *stream)
{
	if (stream->has_ended)
		return KP_RPC_READ_END;
	(void)settle(stream, &stream->ending, KP_NEVER);
	if (!stream->is_refused)
		kp_rpc_end_status(&stream->end, &stream->status);
	stream->has_ended = true;
	return KP_RPC_READ_END;
}

static enum kp_rpc_read
take_message(struct kp_rpc_stream *stream, ProtobufCMessage **out)
{
	struct kp_error err;

	*out = kp_rpc_decode(stream->incoming, stream->method->response,
	    stream->method->max_response_len, &err);
	grpc_byte_buffer_destroy(stream->incoming);
	stream->incoming = NULL;
	if (*out != NULL)
		return KP_RPC_READ_MESSAGE;
	kp_rpc_status_set(&stream->status,
	    err.kind == KP_ERR_LIMIT ? KP_RPC_RESOURCE_EXHAUSTED
				     : KP_RPC_INTERNAL,
	    "the server's message: %s", err.text);
	stream->is_refused = true;
	kp_rpc_stream_cancel(stream);
	return take_end(stream);
}

enum kp_rpc_read
kp_rpc_stream_read(
    struct kp_rpc_stream *stream, ProtobufCMessage **out, int64_t deadline_ms)
{
	grpc_op op = { .op = GRPC_OP_RECV_MESSAGE };

	*out = NULL;
	if (stream->has_ended)
		return KP_RPC_READ_END;
	if (!stream->reading.is_under_way) {
		op.data.recv_message.recv_message = &stream->incoming;
		start(stream, &stream->reading, &op, 1);
	}
	if (!settle(stream, &stream->reading, deadline_ms))
		return KP_RPC_READ_NOTHING;
	if (stream->incoming == NULL)
		return take_end(stream);
	return take_message(stream, out);
}

const struct kp_rpc_status *
kp_rpc_stream_status(const struct kp_rpc_stream *stream)
{
	kp_assert(stream->has_ended);
	return &stream->status;
}

void
kp_rpc_stream_cancel(struct kp_rpc_stream *stream)
{
	(void)grpc_call_cancel(stream->call, NULL);
}
