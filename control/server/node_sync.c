/* SPDX-License-Identifier: Apache-2.0 */
/* The method Sync: what agents say, and when their time is up. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "control/server/hub_priv.h"
#include "control/server/service.h"

struct kp_session *
kp_session_ref(struct kp_session *session)
{
	(void)atomic_fetch_add(&session->refs, 1);
	return session;
}

void
kp_session_unref(struct kp_session *session)
{
	if (atomic_fetch_sub(&session->refs, 1) != 1)
		return;
	kp_push_unref(session->push);
	kp_said_unref(session->who);
	kp_rpc_call_unref(session->call);
	free(session);
}

void
kp_session_detach_locked(struct kp_session *session)
{
	struct kp_node *node = session->node;

	session->node = NULL;
	if (node == NULL || node->session != session)
		return;
	node->session = NULL;
	node->is_drifted = false;
	node->is_dirty = true;
}

void
kp_node_opened(struct kp_rpc_call *call)
{
	const struct kp_services *services = kp_rpc_call_owner(call);
	struct kp_hub *hub = services->hub;
	struct kp_session *session = kp_alloc(1, sizeof(*session));

	atomic_init(&session->refs, 1);
	session->hub = hub;
	session->call = kp_rpc_call_ref(call);
	session->opened_ms = session->heard_ms = kp_now_ms();
	kp_rpc_call_set_data(call, session);
	kp_mutex_lock(&hub->lock);
	session->next = hub->sessions;
	if (session->next != NULL)
		session->next->prev = session;
	hub->sessions = session;
	hub->num_sessions++;
	kp_mutex_unlock(&hub->lock);
}

static void
unlink_locked(struct kp_session *session)
{
	struct kp_hub *hub = session->hub;

	if (session->prev != NULL)
		session->prev->next = session->next;
	else
		hub->sessions = session->next;
	if (session->next != NULL)
		session->next->prev = session->prev;
	hub->num_sessions--;
}

void
kp_node_closed(struct kp_rpc_call *call)
{
	struct kp_session *session = kp_rpc_call_data(call);
	struct kp_hub *hub;
	bool was_attached;

	if (session == NULL)
		return;
	hub = session->hub;
	kp_mutex_lock(&hub->lock);
	was_attached = session->node != NULL;
	kp_session_detach_locked(session);
	unlink_locked(session);
	kp_mutex_unlock(&hub->lock);
	if (was_attached)
		kp_log(KP_LOG_INFO, "node_left",
		    KP_STR("node", session->who->node->name));
	kp_rpc_call_set_data(call, NULL);
	kp_session_unref(session);
}

static struct kp_held
held_of(uint64_t revision, const ProtobufCBinaryData *sha256)
{
	struct kp_held held = { .revision = revision };

	if (revision != 0)
		kp_copy(held.digest.bytes, sha256->data, KP_DIGEST_LEN);
	return held;
}

static struct kp_said *
who_of(
    const struct kp_session *session, const Kproxy__Control__V1__Hello *hello)
{
	Kproxy__Control__V1__Node node;

	kproxy__control__v1__node__init(&node);
	node.name = hello->node;
	node.labels = hello->labels;
	node.n_labels = hello->n_labels;
	node.version = hello->version;
	node.address = kp_rpc_call_peer(session->call)->address;
	node.server = session->hub->server_identity;
	node.connected_ms = kp_wall_ms();
	return kp_said_new(&node);
}

/* The session that had the node before, with a reference; NULL: none. */
static struct kp_session *
replace_locked(struct kp_session *session, struct kp_node *node)
{
	struct kp_session *older = node->session;

	if (older != NULL) {
		(void)kp_session_ref(older);
		kp_session_detach_locked(older);
	}
	session->node = node;
	node->session = session;
	return older;
}

/* Makes the node the session's; false if there are too many nodes. */
static bool
attach_locked(struct kp_session *session,
    const Kproxy__Control__V1__Hello *hello, struct kp_session **out_older)
{
	struct kp_hub *hub = session->hub;
	struct kp_node *node = kp_node_find_locked(hub, hello->node);
	struct kp_said *who = kp_said_ref(session->who);

	if (node == NULL)
		node = kp_node_add_locked(hub, &who);
	else
		kp_said_take(&node->who, &who);
	kp_said_unref(who);
	if (node == NULL)
		return false;
	*out_older = replace_locked(session, node);
	node->in_force = held_of(hello->revision, &hello->sha256);
	node->seen_ms = kp_wall_ms();
	node->is_dirty = true;
	return true;
}

/* Whoever does not read it is left; a stream that has ended is told so. */
static void
say(struct kp_session *session,
    const Kproxy__Control__V1__SyncResponse *response)
{
	struct kp_error err = { .kind = KP_ERR_NONE };
	struct kp_rpc_packet *packet =
	    kp_rpc_packet_new(&response->base, KP_API_MAX_PUSH, &err);

	kp_assert(packet != NULL);
	if (!kp_rpc_call_send(session->call, packet, &err) &&
	    err.kind == KP_ERR_LIMIT)
		kp_rpc_call_abort(session->call);
	kp_rpc_packet_unref(packet);
}

static void
welcome(struct kp_session *session)
{
	struct kp_hub *hub = session->hub;
	Kproxy__Control__V1__SyncResponse response;
	Kproxy__Control__V1__Welcome message;

	kproxy__control__v1__sync_response__init(&response);
	kproxy__control__v1__welcome__init(&message);
	response.body_case = KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_WELCOME;
	response.welcome = &message;
	message.version = hub->version;
	message.heartbeat_ms = (uint32_t)hub->config.heartbeat_ms;
	message.answers_heartbeats = true;
	kp_mutex_lock(&hub->lock);
	message.is_cordoned =
	    session->node != NULL && session->node->cordon != NULL;
	kp_mutex_unlock(&hub->lock);
	say(session, &response);
	kp_mutex_lock(&hub->lock);
	session->is_welcomed = true;
	kp_mutex_unlock(&hub->lock);
}

static void
end_older(struct kp_session *older)
{
	kp_log(KP_LOG_WARN, "node_came_twice",
	    KP_STR("node", older->who->node->name),
	    KP_STR("older", older->who->node->address));
	kp_rpc_call_end(older->call, KP_RPC_ALREADY_EXISTS,
	    "node \"%s\" has a newer stream; two nodes must not have one name",
	    older->who->node->name);
	kp_session_unref(older);
}

static void
join(struct kp_session *session, const Kproxy__Control__V1__Hello *hello)
{
	struct kp_hub *hub = session->hub;
	struct kp_session *older = NULL;
	bool is_attached;

	kp_mutex_lock(&hub->lock);
	is_attached = attach_locked(session, hello, &older);
	kp_mutex_unlock(&hub->lock);
	if (older != NULL)
		end_older(older);
	if (!is_attached) {
		kp_rpc_call_end(session->call, KP_RPC_RESOURCE_EXHAUSTED,
		    "the server knows %d nodes, and takes no more",
		    KP_HUB_MAX_NODES);
		return;
	}
	kp_log(KP_LOG_INFO, "node_joined", KP_STR("node", hello->node),
	    KP_STR("peer", session->who->node->address),
	    KP_INT("revision", hello->revision));
	welcome(session);
	kp_session_push(session);
}

/* What a node says is within its limits: there was no memory for it. */
static void
end_refused(struct kp_session *session)
{
	kp_rpc_call_end(session->call, KP_RPC_RESOURCE_EXHAUSTED,
	    "no memory for what the node says");
}

static void
hear_hello(struct kp_session *session, const Kproxy__Control__V1__Hello *hello)
{
	const char *complaint = kp_node_check_hello(hello);

	if (session->who != NULL)
		complaint = "hello is said once";
	if (complaint != NULL) {
		kp_rpc_call_end(
		    session->call, KP_RPC_INVALID_ARGUMENT, "%s", complaint);
		return;
	}
	if (!kp_node_is_peer(kp_rpc_call_peer(session->call), hello->node)) {
		kp_rpc_call_end(session->call, KP_RPC_PERMISSION_DENIED,
		    "the certificate is not of node \"%s\": that must be its "
		    "common name or one of its DNS names",
		    hello->node);
		return;
	}
	session->who = who_of(session, hello);
	if (session->who != NULL)
		join(session, hello);
	else
		end_refused(session);
}

/* The push that is answered, taken out; NULL if there is no such one. */
static struct kp_push *
answered_locked(struct kp_session *session, uint64_t revision)
{
	struct kp_push *push = session->push;

	if (push == NULL || push->after.revision != revision ||
	    session->num_sent < push->num_packets)
		return NULL;
	session->push = NULL;
	session->node->is_dirty = true;
	return push;
}

static void
is_in_force_locked(struct kp_session *session, const struct kp_push *push)
{
	struct kp_node *node = session->node;

	node->in_force = push->after;
	node->applied_ms = kp_wall_ms();
	session->has_acked = true;
	if (push->after.revision == session->hub->edition->items.revision) {
		kp_said_unref(node->refusal);
		node->refusal = NULL;
	}
}

/* After an answer, or what was none. */
static void
go_on(struct kp_session *session, struct kp_push *push, bool is_attached,
    uint64_t revision)
{
	kp_push_unref(push);
	if (push != NULL)
		kp_session_push(session);
	else if (is_attached)
		kp_rpc_call_end(session->call, KP_RPC_INVALID_ARGUMENT,
		    "revision %llu is answered, and is not what was pushed",
		    (unsigned long long)revision);
}

static void
hear_ack(struct kp_session *session, const Kproxy__Control__V1__Ack *ack)
{
	struct kp_hub *hub = session->hub;
	struct kp_push *push = NULL;
	bool is_attached, was_current;

	kp_mutex_lock(&hub->lock);
	is_attached = session->node != NULL;
	was_current = session->was_current;
	if (is_attached)
		push = answered_locked(session, ack->revision);
	if (push != NULL)
		is_in_force_locked(session, push);
	kp_mutex_unlock(&hub->lock);
	if (push != NULL)
		kp_hub_count(hub->metrics, KP_HUB_ACKS, 1);
	if (push != NULL && was_current)
		kp_hub_observe_lag(
		    hub->metrics, kp_wall_ms() - push->committed_ms);
	go_on(session, push, is_attached, ack->revision);
}

static void
hear_nack(struct kp_session *session, const Kproxy__Control__V1__Nack *nack)
{
	struct kp_hub *hub = session->hub;
	struct kp_said *refusal;
	struct kp_push *push = NULL;
	bool is_attached;

	if (!kp_node_refusal(nack, &refusal)) {
		kp_rpc_call_end(session->call, KP_RPC_INVALID_ARGUMENT,
		    "the problems are not in UTF-8");
		return;
	}
	if (refusal == NULL) {
		end_refused(session);
		return;
	}
	kp_mutex_lock(&hub->lock);
	is_attached = session->node != NULL;
	if (is_attached)
		push = answered_locked(session, nack->revision);
	if (push != NULL)
		kp_said_take(&session->node->refusal, &refusal);
	kp_mutex_unlock(&hub->lock);
	kp_said_unref(refusal);
	if (push != NULL) {
		kp_hub_count(hub->metrics, KP_HUB_NACKS, 1);
		kp_log(KP_LOG_WARN, "node_refused",
		    KP_STR("node", session->who->node->name),
		    KP_INT("revision", nack->revision));
	}
	go_on(session, push, is_attached, nack->revision);
}

/* Is it what the server gave it? */
static bool
is_as_given_locked(const struct kp_session *session, const struct kp_held *held)
{
	const struct kp_push *push = session->push;

	if (kp_held_equal(held, &session->node->in_force))
		return true;
	/* its answer is on the way */
	if (push != NULL && kp_held_equal(held, &push->after))
		return true;
	/* what it has kept from before is not in force yet */
	return held->revision == 0 && !session->has_acked;
}

/* True if it is news that it runs something else. */
static bool
judge_locked(struct kp_session *session, const struct kp_held *held)
{
	struct kp_node *node = session->node;
	bool was_drifted = node->is_drifted;

	node->is_drifted = !is_as_given_locked(session, held);
	node->drifted_to = held->revision;
	node->is_dirty |= node->is_drifted != was_drifted;
	if (!node->is_drifted || was_drifted)
		return false;
	session->wants_whole = true;
	session->is_prepared = false;
	return true;
}

static void
answer_heartbeat(struct kp_session *session)
{
	Kproxy__Control__V1__SyncResponse response;
	Kproxy__Control__V1__Alive message;

	kproxy__control__v1__sync_response__init(&response);
	kproxy__control__v1__alive__init(&message);
	response.body_case = KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_ALIVE;
	response.alive = &message;
	say(session, &response);
}

static void
hear_heartbeat(
    struct kp_session *session, const Kproxy__Control__V1__Heartbeat *heartbeat)
{
	struct kp_hub *hub = session->hub;
	const struct kp_held held =
	    held_of(heartbeat->revision, &heartbeat->sha256);
	struct kp_said *report = kp_node_report(heartbeat);
	bool has_drifted = false;

	kp_mutex_lock(&hub->lock);
	if (session->node != NULL) {
		has_drifted = judge_locked(session, &held);
		if (report != NULL)
			kp_said_take(&session->node->report, &report);
		session->node->is_dirty |=
		    session->node->seen_ms - session->node->recorded_ms >=
		    hub->config.lost_after_ms;
	}
	kp_mutex_unlock(&hub->lock);
	kp_said_unref(report);
	answer_heartbeat(session);
	if (!has_drifted)
		return;
	kp_hub_count(hub->metrics, KP_HUB_DRIFTS, 1);
	kp_log(KP_LOG_WARN, "node_drifted",
	    KP_STR("node", session->who->node->name),
	    KP_INT("revision", held.revision));
	kp_session_push(session);
}

static void
note_sign_of_life(struct kp_session *session)
{
	kp_mutex_lock(&session->hub->lock);
	session->heard_ms = kp_now_ms();
	if (session->node != NULL)
		session->node->seen_ms = kp_wall_ms();
	kp_mutex_unlock(&session->hub->lock);
}

/* A body of a newer agent, which we do not know, is passed over. */
static void
hear(
    struct kp_session *session, const Kproxy__Control__V1__SyncRequest *request)
{
	if (request->body_case == KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_ACK)
		hear_ack(session, request->ack);
	if (request->body_case == KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_NACK)
		hear_nack(session, request->nack);
	if (request->body_case !=
	    KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_HEARTBEAT)
		return;
	if (request->heartbeat->revision != 0 &&
	    request->heartbeat->sha256.len != KP_DIGEST_LEN)
		kp_rpc_call_end(session->call, KP_RPC_INVALID_ARGUMENT,
		    "a revision without its SHA-256");
	else
		hear_heartbeat(session, request->heartbeat);
}

void
kp_node_message(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__SyncRequest *request =
	    (const Kproxy__Control__V1__SyncRequest *)message;
	struct kp_session *session = kp_rpc_call_data(call);

	if (session == NULL)
		return;
	note_sign_of_life(session);
	if (request->body_case == KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_HELLO)
		hear_hello(session, request->hello);
	else if (session->who == NULL)
		kp_rpc_call_end(
		    call, KP_RPC_INVALID_ARGUMENT, "hello comes first");
	else
		hear(session, request);
}

void
kp_node_half_closed(struct kp_rpc_call *call)
{
	kp_rpc_call_end(call, KP_RPC_OK, "%s", "");
}

void
kp_node_sent(struct kp_rpc_call *call)
{
	struct kp_session *session = kp_rpc_call_data(call);

	if (session == NULL)
		return;
	kp_mutex_lock(&session->hub->lock);
	session->burst_len = 0;
	kp_mutex_unlock(&session->hub->lock);
	kp_session_send(session);
}

void
kp_session_expire(struct kp_session *session)
{
	struct kp_hub *hub = session->hub;
	int64_t now_ms = kp_now_ms();
	bool is_silent, is_late;

	kp_mutex_lock(&hub->lock);
	is_silent = !session->is_expired &&
		    now_ms - session->heard_ms > hub->config.lost_after_ms;
	is_late = !session->is_expired && session->push != NULL &&
		  now_ms - session->pushed_ms > hub->config.answer_ms;
	if (is_silent || is_late) {
		kp_session_detach_locked(session);
		session->is_expired = true;
	}
	kp_mutex_unlock(&hub->lock);
	if (!is_silent && !is_late)
		return;
	kp_hub_count(hub->metrics, KP_HUB_LOST, 1);
	kp_rpc_call_end(session->call, KP_RPC_DEADLINE_EXCEEDED, "%s",
	    is_silent ? "no word from the agent for too long"
		      : "no answer to what was pushed");
}
