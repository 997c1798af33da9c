/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of a call, and how it ends. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/rpc/call_priv.h"
#include "control/rpc/packet_priv.h"
#include "proto/control/status.pb-c.h"

#define DETAILS_KEY "grpc-status-details-bin"

static void
queued_free(struct kp_rpc_queued *queued)
{
	kp_rpc_packet_unref(queued->packet);
	free(queued);
}

void
kp_rpc_call_drop_locked(struct kp_rpc_call *call)
{
	struct kp_rpc_queued *queued;

	while ((queued = call->first) != NULL) {
		call->first = queued->next;
		queued_free(queued);
	}
	call->last = NULL;
	call->num_queued = 0;
	call->queued_len = 0;
}

static void
append_locked(struct kp_rpc_call *call, struct kp_rpc_packet *packet)
{
	struct kp_rpc_queued *queued = kp_alloc(1, sizeof(*queued));

	queued->packet = kp_rpc_packet_ref(packet);
	if (call->last == NULL)
		call->first = queued;
	else
		call->last->next = queued;
	call->last = queued;
	call->num_queued++;
	call->queued_len += kp_rpc_packet_len(packet);
}

/* Is there something to write, and nobody who does? */
static bool
is_due_locked(const struct kp_rpc_call *call)
{
	if (call->is_sending || call->is_written || call->has_status ||
	    atomic_load(&call->is_over))
		return false;
	return call->first != NULL || call->is_finished || !call->has_headers;
}

void
kp_rpc_call_push(struct kp_rpc_call *call)
{
	bool is_due;

	kp_mutex_lock(&call->lock);
	is_due = is_due_locked(call);
	if (is_due)
		call->is_written = true;
	kp_mutex_unlock(&call->lock);
	if (!is_due)
		return;
	(void)kp_rpc_call_ref(call);
	kp_rpc_pool_add(call->server->writer, &call->writing);
}

bool
kp_rpc_call_send(struct kp_rpc_call *call, struct kp_rpc_packet *packet,
    struct kp_error *err)
{
	const struct kp_rpc_limits *limits = &call->server->limits;
	size_t len = kp_rpc_packet_len(packet);
	bool is_open, has_room;

	kp_mutex_lock(&call->lock);
	is_open = !call->is_finished;
	has_room = call->num_queued < limits->queued &&
		   len <= limits->queued_len &&
		   call->queued_len <= limits->queued_len - len;
	if (is_open && has_room)
		append_locked(call, packet);
	kp_mutex_unlock(&call->lock);
	if (!is_open)
		return kp_error_set(err, KP_ERR_CLOSED, "the stream has ended");
	if (!has_room)
		return kp_error_set(err, KP_ERR_LIMIT,
		    "the peer does not read: the stream's queue is full");
	kp_rpc_call_push(call);
	return true;
}

size_t
kp_rpc_call_num_queued(struct kp_rpc_call *call)
{
	size_t num;

	kp_mutex_lock(&call->lock);
	num = call->num_queued + (call->outgoing != NULL);
	kp_mutex_unlock(&call->lock);
	return num;
}

/* Ends the call with status, sending packet before if there is one. */
static void
finish(struct kp_rpc_call *call, const struct kp_rpc_status *status,
    struct kp_rpc_packet *packet)
{
	kp_mutex_lock(&call->lock);
	if (!call->is_finished) {
		call->is_finished = true;
		atomic_store(&call->abort_ms,
		    kp_now_ms() + call->server->limits.linger_ms);
		kp_rpc_status_copy(&call->status, status);
		if (status->code != KP_RPC_OK)
			kp_rpc_call_drop_locked(call);
		if (packet != NULL)
			append_locked(call, packet);
	}
	kp_mutex_unlock(&call->lock);
	kp_rpc_call_push(call);
}

void
kp_rpc_call_finish(struct kp_rpc_call *call, const struct kp_rpc_status *status)
{
	finish(call, status, NULL);
}

void
kp_rpc_call_end(
    struct kp_rpc_call *call, enum kp_rpc_code code, const char *fmt, ...)
{
	struct kp_rpc_status status = { .code = code };
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(status.sentence, sizeof(status.sentence), fmt, args);
	va_end(args);
	finish(call, &status, NULL);
}

void
kp_rpc_call_reply(struct kp_rpc_call *call, const ProtobufCMessage *answer)
{
	const struct kp_rpc_status ok = { .code = KP_RPC_OK };
	struct kp_error err;
	struct kp_rpc_packet *packet = kp_rpc_packet_new(
	    answer, call->endpoint->method->max_response_len, &err);

	if (packet == NULL) {
		kp_rpc_call_end(call, KP_RPC_RESOURCE_EXHAUSTED,
		    "the answer is too long: %s", err.text);
		return;
	}
	finish(call, &ok, packet);
	kp_rpc_packet_unref(packet);
}

void
kp_rpc_call_abort(struct kp_rpc_call *call)
{
	atomic_store(&call->is_over, true); /* nothing is sent any more */
	kp_mutex_lock(&call->lock);
	call->is_finished = true;
	kp_rpc_call_drop_locked(call);
	kp_mutex_unlock(&call->lock);
	(void)grpc_call_cancel(call->call, NULL);
}

/* What one batch takes along, alive until it was started. */
struct batch {
	grpc_op ops[3];
	size_t num_ops;
	grpc_slice sentence;
	grpc_metadata trailer;
};

static grpc_op *
add_op(struct batch *batch, grpc_op_type type)
{
	grpc_op *op = &batch->ops[batch->num_ops++];

	op->op = type;
	return op;
}

static void
add_message_locked(struct kp_rpc_call *call, struct batch *batch)
{
	struct kp_rpc_queued *queued = call->first;
	grpc_op *op = add_op(batch, GRPC_OP_SEND_MESSAGE);

	call->first = queued->next;
	if (call->first == NULL)
		call->last = NULL;
	call->num_queued--;
	call->queued_len -= kp_rpc_packet_len(queued->packet);
	call->outgoing = kp_rpc_packet_buffer(queued->packet);
	op->data.send_message.send_message = call->outgoing;
	queued_free(queued);
}

/* Details, with code and sentence in front of them; false if there are none. */
static bool
pack_details(const struct kp_rpc_status *status, grpc_metadata *out)
{
	Kproxy__Rpc__V1__Status head;
	char sentence[KP_RPC_SENTENCE_SIZE];
	size_t head_len, len = status->details.len;
	uint8_t *to;

	if (len == 0)
		return false;
	(void)snprintf(sentence, sizeof(sentence), "%s", status->sentence);
	kproxy__rpc__v1__status__init(&head);
	head.code = (int32_t)status->code;
	head.message = sentence;
	head_len = kproxy__rpc__v1__status__get_packed_size(&head);
	out->key = grpc_slice_from_static_string(DETAILS_KEY);
	out->value = grpc_slice_malloc(head_len + len);
	to = GRPC_SLICE_START_PTR(out->value);
	(void)kproxy__rpc__v1__status__pack(&head, to);
	kp_copy(to + head_len, status->details.data, len);
	return true;
}

static void
add_status_locked(struct kp_rpc_call *call, struct batch *batch)
{
	const struct kp_rpc_status *status = &call->status;
	grpc_op *op = add_op(batch, GRPC_OP_SEND_STATUS_FROM_SERVER);

	op->data.send_status_from_server.status =
	    (grpc_status_code)status->code;
	batch->sentence = grpc_slice_from_copied_string(status->sentence);
	op->data.send_status_from_server.status_details = &batch->sentence;
	if (pack_details(status, &batch->trailer)) {
		op->data.send_status_from_server.trailing_metadata_count = 1;
		op->data.send_status_from_server.trailing_metadata =
		    &batch->trailer;
	}
	call->has_status = true;
}

/* Takes the next of what is to be sent: headers, one message, the status once
 * nothing is queued. */
static void
fill_locked(struct kp_rpc_call *call, struct batch *batch)
{
	call->is_written = false;
	if (!is_due_locked(call))
		return;
	if (!call->has_headers)
		(void)add_op(batch, GRPC_OP_SEND_INITIAL_METADATA);
	call->has_headers = true;
	if (call->first != NULL)
		add_message_locked(call, batch);
	if (call->first == NULL && call->is_finished)
		add_status_locked(call, batch);
	call->is_sending = true;
}

void
kp_rpc_call_write(void *object)
{
	struct kp_rpc_call *call = object;
	struct batch batch = { .num_ops = 0 };

	batch.sentence = grpc_empty_slice();
	batch.trailer.value = grpc_empty_slice();
	kp_mutex_lock(&call->lock);
	fill_locked(call, &batch);
	kp_mutex_unlock(&call->lock);
	if (batch.num_ops > 0)
		kp_rpc_call_start(
		    call, batch.ops, batch.num_ops, &call->send_tag);
	grpc_slice_unref(batch.sentence);
	grpc_slice_unref(batch.trailer.value);
	kp_rpc_call_unref(call);
}

void
kp_rpc_call_sent(void *object, bool is_good)
{
	struct kp_rpc_call *call = object;
	grpc_byte_buffer *sent;
	bool is_idle;

	kp_mutex_lock(&call->lock);
	sent = call->outgoing;
	call->outgoing = NULL;
	call->is_sending = false;
	if (!is_good) /* its end is on the way */
		kp_rpc_call_drop_locked(call);
	is_idle = sent != NULL && is_good && call->first == NULL &&
		  !call->is_finished;
	kp_mutex_unlock(&call->lock);
	grpc_byte_buffer_destroy(sent);
	kp_rpc_call_push(call);
	if (is_idle)
		kp_rpc_call_tell(call, KP_RPC_SENT);
	kp_rpc_call_unref(call);
}
