/* SPDX-License-Identifier: Apache-2.0 */
/* From events to handlers: one thread of the pool at a time for each call. */
#include "control/rpc/call_priv.h"
#include "control/rpc/packet_priv.h"
#include "proto/control/unpack.h"

void
kp_rpc_call_tell(struct kp_rpc_call *call, unsigned events)
{
	bool is_new;

	kp_mutex_lock(&call->lock);
	is_new = !call->is_handled && !call->is_closed;
	if (!call->is_closed) {
		call->events |= events;
		call->is_handled = true;
	}
	kp_mutex_unlock(&call->lock);
	if (!is_new)
		return;
	(void)kp_rpc_call_ref(call);
	kp_rpc_pool_add(call->server->handlers, &call->handling);
}

/* Takes what there is to tell; 0 ends this turn. */
static unsigned
take_events(struct kp_rpc_call *call)
{
	unsigned events;

	kp_mutex_lock(&call->lock);
	events = call->events;
	call->events = 0;
	call->is_handled = events != 0;
	call->is_closed |= (events & KP_RPC_CLOSED) != 0;
	kp_mutex_unlock(&call->lock);
	return events;
}

/* The message that came, or NULL after ending the call. */
static ProtobufCMessage *
take_message(struct kp_rpc_call *call)
{
	const struct kp_rpc_method *method = call->endpoint->method;
	struct kp_rpc_status status = { .code = KP_RPC_OK };
	struct kp_error err;
	ProtobufCMessage *message = kp_rpc_decode(
	    call->incoming, method->request, method->max_request_len, &err);

	grpc_byte_buffer_destroy(call->incoming);
	call->incoming = NULL;
	if (message != NULL)
		return message;
	kp_rpc_status_set(&status,
	    err.kind == KP_ERR_LIMIT ? KP_RPC_RESOURCE_EXHAUSTED
				     : KP_RPC_INVALID_ARGUMENT,
	    "%s", err.text);
	if (method->kind == KP_RPC_UNARY)
		kp_rpc_call_refuse(call, &status);
	else
		kp_rpc_call_finish(call, &status);
	return NULL;
}

static void
refuse_nothing(struct kp_rpc_call *call)
{
	struct kp_rpc_status status = { .code = KP_RPC_OK };

	kp_rpc_status_set(
	    &status, KP_RPC_INVALID_ARGUMENT, "there was no request");
	kp_rpc_call_refuse(call, &status);
}

static void
handle_unary(struct kp_rpc_call *call, unsigned events)
{
	ProtobufCMessage *request;

	if ((events & KP_RPC_HALF_CLOSED) != 0)
		refuse_nothing(call);
	if ((events & KP_RPC_MESSAGE) == 0 ||
	    (request = take_message(call)) == NULL)
		return;
	if (!kp_rpc_call_is_over(call)) {
		call->endpoint->handlers.request(call, request);
		kp_rpc_call_end(
		    call, KP_RPC_INTERNAL, "the server gave no answer");
	}
	kp_unpacked_free(request);
}

static void
handle_message(struct kp_rpc_call *call)
{
	ProtobufCMessage *message = take_message(call);

	if (message == NULL)
		return;
	call->endpoint->handlers.message(call, message);
	kp_unpacked_free(message);
	if (!kp_rpc_call_is_over(call))
		kp_rpc_call_receive(call);
}

static void
notify(struct kp_rpc_call *call, void (*handler)(struct kp_rpc_call *call))
{
	if (handler != NULL)
		handler(call);
}

static void
handle_stream(struct kp_rpc_call *call, unsigned events)
{
	const struct kp_rpc_handlers *handlers = &call->endpoint->handlers;

	if ((events & KP_RPC_OPENED) != 0) {
		kp_rpc_call_push(call); /* headers: the client may wait */
		notify(call, handlers->opened);
	}
	if ((events & KP_RPC_MESSAGE) != 0)
		handle_message(call);
	if ((events & KP_RPC_HALF_CLOSED) != 0)
		notify(call, handlers->half_closed);
	if ((events & KP_RPC_SENT) != 0)
		notify(call, handlers->sent);
	if ((events & KP_RPC_CLOSED) != 0)
		notify(call, handlers->closed);
}

void
kp_rpc_call_handle(void *object)
{
	struct kp_rpc_call *call = object;
	unsigned events;

	while ((events = take_events(call)) != 0) {
		if (call->endpoint->method->kind == KP_RPC_UNARY)
			handle_unary(call, events);
		else
			handle_stream(call, events);
		if ((events & KP_RPC_CLOSED) != 0) {
			kp_rpc_server_leave(call);
			kp_rpc_call_unref(call); /* its life */
		}
	}
	kp_rpc_call_unref(call);
}
