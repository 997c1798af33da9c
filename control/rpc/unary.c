/* SPDX-License-Identifier: Apache-2.0 */
/* Unary calls, and the end of every call, on the client. */
#include <limits.h>
#include <stdlib.h>

#include <grpc/byte_buffer.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "control/rpc/channel_priv.h"
#include "control/rpc/packet_priv.h"
#include "proto/control/unpack.h"

#define DETAILS_KEY "grpc-status-details-bin"
/* Sentence and details; what is longer is not looked at. */
#define MAX_STATUS_LEN (16u << 10)

struct kp_rpc_cancel {
	struct kp_mutex lock; /* guards what follows */
	grpc_call *call;      /* under way; NULL: none */
	bool is_cancelled;
};

struct kp_rpc_cancel *
kp_rpc_cancel_new(void)
{
	struct kp_rpc_cancel *cancel = kp_alloc(1, sizeof(*cancel));

	kp_mutex_init(&cancel->lock, KP_RANK_RPC_SERVER);
	return cancel;
}

void
kp_rpc_cancel_free(struct kp_rpc_cancel *cancel)
{
	if (cancel == NULL)
		return;
	kp_mutex_fini(&cancel->lock);
	free(cancel);
}

void
kp_rpc_cancel(struct kp_rpc_cancel *cancel)
{
	kp_mutex_lock(&cancel->lock);
	cancel->is_cancelled = true;
	if (cancel->call != NULL)
		(void)grpc_call_cancel(cancel->call, NULL);
	kp_mutex_unlock(&cancel->lock);
}

/* Lets cancel reach call, or nothing (NULL) any more. */
static void
set_cancel(struct kp_rpc_cancel *cancel, grpc_call *call)
{
	if (cancel == NULL)
		return;
	kp_mutex_lock(&cancel->lock);
	cancel->call = call;
	if (call != NULL && cancel->is_cancelled)
		(void)grpc_call_cancel(call, NULL);
	kp_mutex_unlock(&cancel->lock);
}

void
kp_rpc_end_init(struct kp_rpc_end *end)
{
	grpc_metadata_array_init(&end->trailers);
	end->code = GRPC_STATUS_UNKNOWN;
	end->sentence = grpc_empty_slice();
}

void
kp_rpc_end_fini(struct kp_rpc_end *end)
{
	grpc_metadata_array_destroy(&end->trailers);
	grpc_slice_unref(end->sentence);
}

grpc_op
kp_rpc_end_op(struct kp_rpc_end *end)
{
	grpc_op op = { .op = GRPC_OP_RECV_STATUS_ON_CLIENT };

	op.data.recv_status_on_client.trailing_metadata = &end->trailers;
	op.data.recv_status_on_client.status = &end->code;
	op.data.recv_status_on_client.status_details = &end->sentence;
	return op;
}

static void
take_details(const grpc_slice *slice, struct kp_rpc_status *out)
{
	kp_buf_init(&out->details, MAX_STATUS_LEN);
	kp_buf_add(&out->details, GRPC_SLICE_START_PTR(*slice),
	    GRPC_SLICE_LENGTH(*slice));
}

void
kp_rpc_end_status(const struct kp_rpc_end *end, struct kp_rpc_status *out)
{
	int code = (int)end->code;
	size_t len = GRPC_SLICE_LENGTH(end->sentence);

	kp_rpc_status_set(out,
	    code >= 0 && code <= KP_RPC_UNAUTHENTICATED ? (enum kp_rpc_code)code
							: KP_RPC_UNKNOWN,
	    "%.*s", len > INT_MAX ? INT_MAX : (int)len,
	    (const char *)GRPC_SLICE_START_PTR(end->sentence));
	for (size_t i = 0; i < end->trailers.count; i++) {
		const grpc_metadata *item = &end->trailers.metadata[i];

		if (grpc_slice_str_cmp(item->key, DETAILS_KEY) != 0)
			continue;
		take_details(&item->value, out);
		return;
	}
}

void
kp_rpc_queue_free(grpc_completion_queue *queue)
{
	grpc_completion_queue_shutdown(queue);
	(void)grpc_completion_queue_pluck(
	    queue, NULL, kp_rpc_core_time(KP_NEVER), NULL);
	grpc_completion_queue_destroy(queue);
}

bool
kp_rpc_wait(grpc_completion_queue *queue, void *tag, int64_t deadline_ms,
    bool *out_is_good)
{
	grpc_event event = grpc_completion_queue_pluck(
	    queue, tag, kp_rpc_core_time(deadline_ms), NULL);

	if (event.type != GRPC_OP_COMPLETE)
		return false;
	kp_rpc_tag_came(tag);
	if (out_is_good != NULL)
		*out_is_good = event.success != 0;
	return true;
}

/* Everything of a unary call in one batch; returns when it has ended. */
static void
exchange(grpc_call *call, grpc_completion_queue *queue,
    struct kp_rpc_headers *sent, grpc_byte_buffer *request,
    grpc_byte_buffer **out_answer, struct kp_rpc_end *end)
{
	grpc_op ops[] = {
		kp_rpc_headers_op(sent),
		{ .op = GRPC_OP_SEND_MESSAGE },
		{ .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT },
		{ .op = GRPC_OP_RECV_INITIAL_METADATA },
		{ .op = GRPC_OP_RECV_MESSAGE },
		kp_rpc_end_op(end),
	};
	grpc_metadata_array headers;

	grpc_metadata_array_init(&headers);
	ops[1].data.send_message.send_message = request;
	ops[3].data.recv_initial_metadata.recv_initial_metadata = &headers;
	ops[4].data.recv_message.recv_message = out_answer;
	kp_rpc_tag_sent(call);
	kp_must((int)grpc_call_start_batch(
	    call, ops, sizeof(ops) / sizeof(ops[0]), call, NULL));
	/* the call's own deadline ends this */
	(void)kp_rpc_wait(queue, call, KP_NEVER, NULL);
	grpc_metadata_array_destroy(&headers);
}

/* The answer of a call that went well, which may still be none. */
static void
take_answer(const struct kp_rpc_method *method, struct kp_rpc_result *out,
    grpc_byte_buffer *answer)
{
	struct kp_error err;

	if (out->status.code != KP_RPC_OK)
		return;
	if (answer == NULL) {
		kp_rpc_status_set(&out->status, KP_RPC_INTERNAL,
		    "the server said OK and gave no answer");
		return;
	}
	out->answer = kp_rpc_decode(
	    answer, method->response, method->max_response_len, &err);
	if (out->answer == NULL)
		kp_rpc_status_set(&out->status,
		    err.kind == KP_ERR_LIMIT ? KP_RPC_RESOURCE_EXHAUSTED
					     : KP_RPC_INTERNAL,
		    "the server's answer: %s", err.text);
}

static void
call_with(struct kp_rpc_channel *channel, const struct kp_rpc_method *method,
    struct kp_rpc_result *out, const struct kp_rpc_packet *request,
    const struct kp_rpc_options *options)
{
	grpc_completion_queue *queue =
	    grpc_completion_queue_create_for_pluck(NULL);
	grpc_call *call =
	    kp_rpc_channel_begin(channel, method, queue, options->deadline_ms);
	grpc_byte_buffer *sent = kp_rpc_packet_buffer(request), *answer = NULL;
	struct kp_rpc_headers headers;
	struct kp_rpc_end end;

	kp_rpc_headers_init(&headers, options);
	kp_rpc_end_init(&end);
	set_cancel(options->cancel, call);
	exchange(call, queue, &headers, sent, &answer, &end);
	set_cancel(options->cancel, NULL);
	kp_rpc_end_status(&end, &out->status);
	take_answer(method, out, answer);
	kp_rpc_headers_fini(&headers);
	grpc_byte_buffer_destroy(sent);
	grpc_byte_buffer_destroy(answer);
	grpc_call_unref(call);
	kp_rpc_end_fini(&end);
	kp_rpc_queue_free(queue);
}

bool
kp_rpc_channel_call(struct kp_rpc_channel *channel,
    const struct kp_rpc_method *method, struct kp_rpc_result *out,
    const ProtobufCMessage *request, int64_t deadline_ms,
    struct kp_rpc_cancel *cancel)
{
	const struct kp_rpc_options options = { .deadline_ms = deadline_ms,
		.cancel = cancel };

	return kp_rpc_channel_call_with(
	    channel, method, out, request, &options);
}

bool
kp_rpc_channel_call_with(struct kp_rpc_channel *channel,
    const struct kp_rpc_method *method, struct kp_rpc_result *out,
    const ProtobufCMessage *request, const struct kp_rpc_options *options)
{
	struct kp_rpc_packet *packet;
	struct kp_error err;

	kp_assert(method->kind == KP_RPC_UNARY);
	*out = (struct kp_rpc_result){ .answer = NULL };
	packet = kp_rpc_packet_new(request, method->max_request_len, &err);
	if (packet == NULL) {
		kp_rpc_status_set(&out->status, KP_RPC_RESOURCE_EXHAUSTED,
		    "the request is too long: %s", err.text);
		return false;
	}
	call_with(channel, method, out, packet, options);
	kp_rpc_packet_unref(packet);
	return out->status.code == KP_RPC_OK;
}

void
kp_rpc_result_fini(struct kp_rpc_result *result)
{
	if (result->answer != NULL)
		kp_unpacked_free(result->answer);
	kp_rpc_status_fini(&result->status);
	*result = (struct kp_rpc_result){ .answer = NULL };
}
