/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing one agent to the newest edition: whether it is due is decided under
 * the hub's lock; what it needs is packed, and queued, without it. One push is
 * under way at a time, and one thread at a time is at either of the two steps;
 * who comes meanwhile leaves it to that thread, which looks again at the end.
 */
#include "base/clock.h"
#include "base/log.h"
#include "control/server/hub_priv.h"

/* What is needed without the lock. */
struct plan {
	struct kp_edition *edition;
	struct kp_editions bases;
	struct kp_said *who;
	struct kp_wanting wanting;
};

static bool
is_due_locked(const struct kp_session *session)
{
	const struct kp_hub *hub = session->hub;

	if (session->node == NULL || !session->is_welcomed ||
	    session->is_preparing || session->push != NULL)
		return false;
	if (hub->edition == NULL || session->node->cordon != NULL)
		return false;
	return !session->is_prepared ||
	       session->prepared != hub->edition->items.revision;
}

/* It has a revision that we do not know, and did not take back. */
static bool
is_ahead_locked(const struct kp_session *session)
{
	const struct kp_hub *hub = session->hub;

	return session->node->in_force.revision > hub->edition->items.revision;
}

static void
plan_locked(struct kp_session *session, struct plan *out)
{
	const struct kp_hub *hub = session->hub;
	bool is_rollback = is_ahead_locked(session);

	*out = (struct plan){ .edition = kp_edition_ref(hub->edition),
		.who = kp_said_ref(session->who) };
	kp_editions_copy(&out->bases, &hub->editions);
	out->wanting = (struct kp_wanting){ .labels = &out->who->labels,
		.held = session->node->in_force,
		.wants_whole = session->wants_whole || is_rollback ||
			       session->node->is_drifted,
		.is_rollback = is_rollback };
	session->wants_whole = false;
	session->is_preparing = true;
}

static void
plan_fini(struct plan *plan)
{
	kp_edition_unref(plan->edition);
	kp_editions_fini(&plan->bases);
	kp_said_unref(plan->who);
}

/* Takes push, which may be NULL; false if it is not wanted any more. */
static bool
install_locked(
    struct kp_session *session, struct kp_push *push, uint64_t revision)
{
	session->is_preparing = false;
	session->was_current = session->is_prepared;
	session->is_prepared = !session->wants_whole;
	session->prepared = revision;
	if (session->node == NULL)
		return false;
	session->node->is_dirty = true;
	session->push = push;
	session->num_sent = 0;
	session->pushed_ms = kp_now_ms();
	return true;
}

static void
prepare(struct kp_session *session, struct plan *plan)
{
	struct kp_hub *hub = session->hub;
	struct kp_push *push =
	    kp_edition_push(plan->edition, &plan->wanting, &plan->bases);
	bool is_wanted;

	kp_mutex_lock(&hub->lock);
	is_wanted =
	    install_locked(session, push, plan->edition->items.revision);
	kp_mutex_unlock(&hub->lock);
	if (!is_wanted)
		kp_push_unref(push);
	else if (push != NULL)
		kp_hub_count(hub->metrics, KP_HUB_PUSHES, 1);
	plan_fini(plan);
}

static void
turn_away(struct kp_session *session, uint64_t held, uint64_t newest)
{
	kp_log(KP_LOG_WARN, "node_is_ahead",
	    KP_STR("node", session->who->node->name), KP_INT("revision", held),
	    KP_INT("newest", newest));
	kp_rpc_call_end(session->call, KP_RPC_FAILED_PRECONDITION,
	    "the node has revision %llu, the newest one here is %llu; if this "
	    "server was set back on purpose, start it with --restored, else "
	    "look for the server that has that revision",
	    (unsigned long long)held, (unsigned long long)newest);
}

enum verdict { IS_DONE, IS_DUE, IS_TURNED_AWAY };

static enum verdict
judge_locked(struct kp_session *session, struct plan *out)
{
	const struct kp_hub_config *config = &session->hub->config;

	if (!is_due_locked(session))
		return IS_DONE;
	if (config->is_restored || !is_ahead_locked(session)) {
		plan_locked(session, out);
		return IS_DUE;
	}
	/* another server over this store may have been faster */
	return kp_now_ms() - session->opened_ms < config->catch_up_ms
		   ? IS_DONE
		   : IS_TURNED_AWAY;
}

void
kp_session_push(struct kp_session *session)
{
	struct kp_hub *hub = session->hub;
	enum verdict verdict = IS_DUE;
	uint64_t held = 0, newest = 0;

	while (verdict == IS_DUE) {
		struct plan plan;

		kp_mutex_lock(&hub->lock);
		verdict = judge_locked(session, &plan);
		if (verdict == IS_TURNED_AWAY) {
			held = session->node->in_force.revision;
			newest = hub->edition->items.revision;
			kp_session_detach_locked(session);
		}
		kp_mutex_unlock(&hub->lock);
		if (verdict != IS_DUE)
			break;
		prepare(session, &plan);
		kp_session_send(session);
	}
	if (verdict == IS_TURNED_AWAY)
		turn_away(session, held, newest);
}

/* The next packet to be queued, with a reference; NULL if none is. */
static struct kp_rpc_packet *
next_packet_locked(struct kp_session *session)
{
	struct kp_push *push = session->push;
	struct kp_rpc_packet *packet;

	if (push == NULL || session->node == NULL ||
	    session->num_sent == push->num_packets ||
	    session->burst_len >= KP_PUSH_BURST_LEN)
		return NULL;
	packet = kp_rpc_packet_ref(push->packets[session->num_sent++]);
	session->burst_len += kp_rpc_packet_len(packet);
	session->pushed_ms = kp_now_ms();
	return packet;
}

void
kp_session_send(struct kp_session *session)
{
	struct kp_hub *hub = session->hub;
	struct kp_rpc_packet *packet;
	struct kp_error err = { .kind = KP_ERR_NONE };
	bool is_good = true;

	kp_mutex_lock(&hub->lock);
	if (session->is_sending) {
		kp_mutex_unlock(&hub->lock);
		return;
	}
	session->is_sending = true;
	while (is_good && (packet = next_packet_locked(session)) != NULL) {
		kp_mutex_unlock(&hub->lock);
		is_good = kp_rpc_call_send(session->call, packet, &err);
		kp_rpc_packet_unref(packet);
		kp_mutex_lock(&hub->lock);
	}
	session->is_sending = false;
	kp_mutex_unlock(&hub->lock);
	if (!is_good && err.kind == KP_ERR_LIMIT)
		kp_rpc_call_abort(session->call);
}
