/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of a server: how many there may be, and those that it ends. */
#include "base/clock.h"
#include "control/rpc/call_priv.h"

void
kp_rpc_server_count(struct kp_rpc_server *server, int delta)
{
	kp_mutex_lock(&server->lock);
	server->num_objects += (size_t)delta;
	if (server->num_objects == 0)
		kp_cond_broadcast(&server->changed);
	kp_mutex_unlock(&server->lock);
}

static void
link_locked(struct kp_rpc_server *server, struct kp_rpc_call *call)
{
	call->next = server->calls;
	if (call->next != NULL)
		call->next->prev = call;
	server->calls = call;
	server->num_calls++;
}

bool
kp_rpc_server_admit(struct kp_rpc_call *call, struct kp_rpc_status *status)
{
	struct kp_rpc_server *server = call->server;
	bool is_stopping, is_full;

	kp_mutex_lock(&server->lock);
	is_stopping = server->is_stopping;
	is_full = server->num_calls >= server->limits.calls;
	if (!is_stopping && !is_full)
		link_locked(server, call);
	kp_mutex_unlock(&server->lock);
	if (is_stopping)
		kp_rpc_status_set(
		    status, KP_RPC_UNAVAILABLE, "the server is stopping");
	else if (is_full)
		kp_rpc_status_set(status, KP_RPC_RESOURCE_EXHAUSTED,
		    "the server is at its limit of %zu calls at a time",
		    server->limits.calls);
	return !is_stopping && !is_full;
}

void
kp_rpc_server_leave(struct kp_rpc_call *call)
{
	struct kp_rpc_server *server = call->server;

	kp_mutex_lock(&server->lock);
	if (call->prev != NULL)
		call->prev->next = call->next;
	else
		server->calls = call->next;
	if (call->next != NULL)
		call->next->prev = call->prev;
	if (--server->num_calls == 0)
		kp_cond_broadcast(&server->changed);
	kp_mutex_unlock(&server->lock);
}

static void
expire(struct kp_rpc_call *call, int64_t now_ms)
{
	int64_t abort_ms = atomic_load(&call->abort_ms);

	if (atomic_load(&call->is_over))
		return;
	if (abort_ms != 0 && abort_ms <= now_ms)
		kp_rpc_call_abort(call);
	else if (call->has_our_deadline && call->deadline_ms <= now_ms)
		kp_rpc_call_end(call, KP_RPC_DEADLINE_EXCEEDED,
		    "the server's own deadline for this method has passed");
}

static void
stop_stream(struct kp_rpc_call *call, int64_t now_ms)
{
	(void)now_ms;
	if (call->endpoint->method->kind == KP_RPC_STREAM)
		kp_rpc_call_end(
		    call, KP_RPC_UNAVAILABLE, "the server is stopping");
}

/* Under the server's lock, whose rank is below what visit takes, and which
 * nothing waits with. */
static void
visit_calls(struct kp_rpc_server *server,
    void (*visit)(struct kp_rpc_call *call, int64_t now_ms))
{
	int64_t now_ms = kp_now_ms();

	kp_mutex_lock(&server->lock);
	for (struct kp_rpc_call *call = server->calls; call != NULL;
	     call = call->next)
		visit(call, now_ms);
	kp_mutex_unlock(&server->lock);
}

void
kp_rpc_server_expire(struct kp_rpc_server *server)
{
	visit_calls(server, expire);
}

void
kp_rpc_server_end_streams(struct kp_rpc_server *server)
{
	visit_calls(server, stop_stream);
}
