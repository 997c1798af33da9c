/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a call on the server: armed, admitted or refused, received from,
 * closed, freed. */
#include "control/rpc/call.h"

#include <stdio.h>
#include <stdlib.h>

#include <grpc/support/alloc.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/rpc/call_priv.h"
#include "control/rpc/peer_priv.h"

static void on_new(void *object, bool is_good);
static void on_close(void *object, bool is_good);
static void on_receive(void *object, bool is_good);

static struct kp_rpc_call *
call_new(struct kp_rpc_server *server, const struct kp_rpc_endpoint *endpoint)
{
	struct kp_rpc_call *call = kp_alloc(1, sizeof(*call));

	call->server = server;
	call->endpoint = endpoint;
	atomic_init(&call->refs, 1);
	grpc_call_details_init(&call->details);
	grpc_metadata_array_init(&call->metadata);
	call->new_tag = (struct kp_rpc_tag){ on_new, call };
	call->close_tag = (struct kp_rpc_tag){ on_close, call };
	call->receive_tag = (struct kp_rpc_tag){ on_receive, call };
	call->send_tag = (struct kp_rpc_tag){ kp_rpc_call_sent, call };
	call->handling.run = kp_rpc_call_handle;
	call->handling.object = call;
	call->writing.run = kp_rpc_call_write;
	call->writing.object = call;
	kp_mutex_init(&call->lock, KP_RANK_RPC_CALL);
	kp_rpc_server_count(server, 1);
	return call;
}

static void
call_free(struct kp_rpc_call *call)
{
	struct kp_rpc_server *server = call->server;

	kp_mutex_lock(&call->lock);
	kp_rpc_call_drop_locked(call);
	kp_mutex_unlock(&call->lock);
	kp_mutex_fini(&call->lock);
	kp_rpc_status_fini(&call->status);
	kp_rpc_peer_fini(&call->peer);
	grpc_byte_buffer_destroy(call->incoming);
	grpc_byte_buffer_destroy(call->outgoing);
	grpc_metadata_array_destroy(&call->metadata);
	grpc_call_details_destroy(&call->details);
	if (call->call != NULL)
		grpc_call_unref(call->call);
	free(call);
	kp_rpc_server_count(server, -1);
}

struct kp_rpc_call *
kp_rpc_call_ref(struct kp_rpc_call *call)
{
	(void)atomic_fetch_add_explicit(&call->refs, 1, memory_order_relaxed);
	return call;
}

static void
give_back(struct kp_rpc_call *call, unsigned num_refs)
{
	if (atomic_fetch_sub_explicit(
		&call->refs, num_refs, memory_order_acq_rel) == num_refs)
		call_free(call);
}

void
kp_rpc_call_unref(struct kp_rpc_call *call)
{
	give_back(call, 1);
}

/* Nothing of call is read once gRPC may give it to another thread. */
static grpc_call_error
ask(struct kp_rpc_call *call)
{
	struct kp_rpc_server *server = call->server;
	size_t index;

	if (call->endpoint == NULL) {
		kp_rpc_tag_sent(&call->new_tag);
		return grpc_server_request_call(server->server, &call->call,
		    &call->details, &call->metadata, server->queue,
		    server->queue, &call->new_tag);
	}
	index = (size_t)(call->endpoint - server->endpoints);
	kp_rpc_tag_sent(&call->new_tag);
	return grpc_server_request_registered_call(server->server,
	    server->registered[index], &call->call, &call->deadline,
	    &call->metadata, NULL, server->queue, server->queue,
	    &call->new_tag);
}

void
kp_rpc_call_arm(
    struct kp_rpc_server *server, const struct kp_rpc_endpoint *endpoint)
{
	struct kp_rpc_call *call = call_new(server, endpoint);

	kp_must((int)ask(call));
}

void
kp_rpc_call_start(struct kp_rpc_call *call, const grpc_op *ops, size_t num_ops,
    struct kp_rpc_tag *tag)
{
	grpc_call *started = call->call;

	(void)kp_rpc_call_ref(call);
	kp_rpc_tag_sent(tag);
	kp_must((int)grpc_call_start_batch(started, ops, num_ops, tag, NULL));
}

void
kp_rpc_call_receive(struct kp_rpc_call *call)
{
	grpc_op op = { .op = GRPC_OP_RECV_MESSAGE };

	op.data.recv_message.recv_message = &call->incoming;
	kp_rpc_call_start(call, &op, 1, &call->receive_tag);
}

static void
watch_close(struct kp_rpc_call *call)
{
	grpc_op op = { .op = GRPC_OP_RECV_CLOSE_ON_SERVER };

	op.data.recv_close_on_server.cancelled = &call->was_cancelled;
	kp_rpc_call_start(call, &op, 1, &call->close_tag);
}

static void
set_deadline(struct kp_rpc_call *call)
{
	const struct kp_rpc_method *method = call->endpoint->method;
	int64_t timeout_ms = method->timeout_ms;

	if (timeout_ms == 0 && method->kind == KP_RPC_UNARY)
		timeout_ms = call->server->limits.timeout_ms;
	call->deadline_ms = kp_rpc_core_deadline(call->deadline);
	if (call->deadline_ms != KP_NEVER || timeout_ms == 0)
		return;
	call->has_our_deadline = true;
	call->deadline_ms = kp_now_ms() + timeout_ms;
}

/* May it be? False with the status that refuses it. */
static bool
admit(struct kp_rpc_call *call, struct kp_rpc_status *status)
{
	if (!kp_rpc_peer_init(&call->peer, call->call)) {
		kp_rpc_status_set(status, KP_RPC_UNAUTHENTICATED,
		    "the certificate has no name that can be used");
		return false;
	}
	if (call->endpoint == NULL) {
		kp_rpc_status_set(status, KP_RPC_UNIMPLEMENTED,
		    "this server has no such method");
		return false;
	}
	set_deadline(call);
	return kp_rpc_server_admit(call, status);
}

/* The name of its method, which nobody has to know. */
static void
name_method(const struct kp_rpc_call *call, char *out, size_t size)
{
	const grpc_slice *slice = &call->details.method;
	size_t len;

	if (call->endpoint != NULL) {
		(void)snprintf(out, size, "%s", call->endpoint->method->name);
		return;
	}
	len = GRPC_SLICE_LENGTH(*slice);
	(void)snprintf(out, size, "%.*s", len < size ? (int)len : (int)size - 1,
	    (const char *)GRPC_SLICE_START_PTR(*slice));
}

void
kp_rpc_call_refuse(struct kp_rpc_call *call, const struct kp_rpc_status *status)
{
	char method[KP_RPC_MAX_NAME_LEN + 1];

	if (call->server->refused != NULL) {
		name_method(call, method, sizeof(method));
		call->server->refused(call, method, status);
	}
	kp_rpc_call_finish(call, status);
}

/* The call may have come and gone while this goes on. */
static void
begin(struct kp_rpc_call *call)
{
	struct kp_rpc_status refusal = { .code = KP_RPC_OK };

	call->is_admitted = admit(call, &refusal);
	/* before anything else can be told */
	if (call->is_admitted && call->endpoint->method->kind == KP_RPC_STREAM)
		kp_rpc_call_tell(call, KP_RPC_OPENED);
	watch_close(call);
	if (call->is_admitted)
		kp_rpc_call_receive(call);
	else
		kp_rpc_call_refuse(call, &refusal);
}

static void
on_new(void *object, bool is_good)
{
	struct kp_rpc_call *call = object;

	call->begun_ms = kp_now_ms();
	if (is_good) {
		kp_rpc_call_arm(call->server, call->endpoint);
		(void)kp_rpc_call_ref(call); /* its life, which may be short */
		begin(call);
	} /* else the server stops */
	kp_rpc_call_unref(call);
}

static void
on_receive(void *object, bool is_good)
{
	struct kp_rpc_call *call = object;

	if (is_good)
		kp_rpc_call_tell(call, call->incoming != NULL
					   ? KP_RPC_MESSAGE
					   : KP_RPC_HALF_CLOSED);
	kp_rpc_call_unref(call);
}

static void
on_close(void *object, bool is_good)
{
	struct kp_rpc_call *call = object;

	(void)is_good; /* this operation always succeeds */
	atomic_store(&call->is_over, true);
	kp_mutex_lock(&call->lock);
	kp_rpc_call_drop_locked(call);
	call->is_finished = true;
	kp_mutex_unlock(&call->lock);
	if (!call->is_admitted) {
		give_back(call, 2); /* the operation's, and its life's */
		return;
	}
	kp_rpc_call_tell(call, KP_RPC_CLOSED);
	kp_rpc_call_unref(call);
}

const struct kp_rpc_method *
kp_rpc_call_method(const struct kp_rpc_call *call)
{
	return call->endpoint->method;
}

const struct kp_rpc_peer *
kp_rpc_call_peer(const struct kp_rpc_call *call)
{
	return &call->peer;
}

void *
kp_rpc_call_owner(const struct kp_rpc_call *call)
{
	return call->server->owner;
}

int64_t
kp_rpc_call_deadline_ms(const struct kp_rpc_call *call)
{
	return call->deadline_ms;
}

int64_t
kp_rpc_call_begun_ms(const struct kp_rpc_call *call)
{
	return call->begun_ms;
}

enum kp_rpc_code
kp_rpc_call_code(struct kp_rpc_call *call, char *out_sentence)
{
	enum kp_rpc_code code;

	kp_mutex_lock(&call->lock);
	code = call->status.code;
	if (out_sentence != NULL)
		(void)snprintf(out_sentence, KP_RPC_SENTENCE_SIZE, "%s",
		    call->status.sentence);
	kp_mutex_unlock(&call->lock);
	if (atomic_load(&call->abort_ms) != 0)
		return code;
	return call->deadline_ms <= kp_now_ms() ? KP_RPC_DEADLINE_EXCEEDED
						: KP_RPC_CANCELLED;
}

bool
kp_rpc_call_is_over(const struct kp_rpc_call *call)
{
	return atomic_load(&call->is_over);
}

void
kp_rpc_call_set_data(struct kp_rpc_call *call, void *data)
{
	call->data = data;
}

void *
kp_rpc_call_data(const struct kp_rpc_call *call)
{
	return call->data;
}

void
kp_rpc_call_mark(struct kp_rpc_call *call)
{
	call->is_marked = true;
}

bool
kp_rpc_call_is_marked(const struct kp_rpc_call *call)
{
	return call->is_marked;
}
