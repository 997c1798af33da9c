/* SPDX-License-Identifier: Apache-2.0 */
#include "control/agent/link_read.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/agent/intake.h"
#include "control/agent/link_priv.h"
#include "control/api/methods.h"
#include "proto/control/unpack.h"

/* For one address to be connected, and for a server to welcome us. */
#define CONNECT_MS 10000
#define WELCOME_MS 10000
/* All parts of one push. */
#define PUSH_MS 60000
/* For the main thread to say what became of a push, before we greet anew. */
#define SETTLE_MS 10000
/* Bytes. */
#define LARGE_PUSH (1u << 20)
/* For a verdict to go out before a stream is ended. */
#define FLUSH_MS 5000
/* A stream that lasted so long was a good one. */
#define STEADY_MS 30000
/* A server that stays away is a line this often. */
#define LOG_FAILURE_EVERY_MS 60000

#define DEFAULT_HEARTBEAT_MS 10000
#define MIN_HEARTBEAT_MS 500
#define MAX_HEARTBEAT_MS 300000
/* Heartbeats in a row without a word from the server that answers them. */
#define MAX_UNANSWERED 3

/* Waits for another change; false when there is no point in going on. */
static bool
wait_locked(struct kp_link *link, int64_t deadline_ms)
{
	return !link->is_stopping &&
	       kp_cond_wait(&link->changed, &link->lock, deadline_ms);
}

static bool
is_stopping(struct kp_link *link)
{
	bool stopping;

	kp_mutex_lock(&link->lock);
	stopping = link->is_stopping;
	kp_mutex_unlock(&link->lock);
	return stopping;
}

/* What we hold is not known while the main thread is at it. */
static void
wait_settled(struct kp_link *link)
{
	int64_t deadline_ms = kp_now_ms() + SETTLE_MS;

	kp_mutex_lock(&link->lock);
	while ((!link->is_open || link->has_offer || link->is_taken) &&
	       wait_locked(link, deadline_ms))
		continue;
	kp_mutex_unlock(&link->lock);
}

static void
wait_sent(struct kp_link *link)
{
	int64_t deadline_ms = kp_now_ms() + FLUSH_MS;

	kp_mutex_lock(&link->lock);
	while (link->may_write &&
	       (link->verdict.is_waiting || link->is_writing) &&
	       wait_locked(link, deadline_ms))
		continue;
	kp_mutex_unlock(&link->lock);
}

/*
 * What was written last is lost on the server if a stream is cancelled before
 * it was read there. So we say that there is no more, and wait for the server
 * to end it.
 */
static void
part(struct kp_link *link)
{
	int64_t deadline_ms = kp_now_ms() + FLUSH_MS;
	ProtobufCMessage *ignored;
	struct kp_error err;

	kp_mutex_lock(&link->lock);
	link->may_write = false;
	while (link->is_writing)
		(void)kp_cond_wait(&link->changed, &link->lock, KP_NEVER);
	kp_mutex_unlock(&link->lock);
	if (!kp_rpc_stream_half_close(link->stream, deadline_ms, &err))
		return;
	while (kp_rpc_stream_read(link->stream, &ignored, deadline_ms) ==
	       KP_RPC_READ_MESSAGE)
		kp_unpacked_free(ignored);
}

static void
offer(struct kp_link *link, struct kp_link_offer *made)
{
	struct kp_link_offer before;

	kp_mutex_lock(&link->lock);
	before = link->offer;
	link->offer = *made;
	link->has_offer = true;
	link->offer_epoch = link->epoch;
	kp_mutex_unlock(&link->lock);
	kp_link_offer_fini(&before);
	kp_link_wake(link);
}

/* What a large push took is not needed again soon: the system may have it. */
static void
end_push(struct kp_link *link)
{
	bool is_large =
	    link->intake != NULL && kp_intake_len(link->intake) > LARGE_PUSH;

	kp_intake_free(link->intake);
	link->intake = NULL;
	if (is_large)
		(void)malloc_trim(0);
}

/*
 * A push that makes no set is offered all the same, as a refusal. Ends the
 * stream, but for one that is only too old: a newer one will follow.
 */
static bool
refuse(struct kp_link *link, uint64_t revision, const struct kp_error *reason,
    struct kp_error *err)
{
	const struct kp_origin at = { .file = "push" };
	struct kp_link_offer made = { .revision = revision };

	end_push(link);
	kp_diagnostics_add(&made.diagnostics, &at, "%s", reason->text);
	offer(link, &made);
	if (reason->kind == KP_ERR_CONFIG)
		return true;
	/* what we hold may be wrong, or what the server thinks of it */
	link->wants_whole = reason->kind != KP_ERR_LIMIT;
	wait_settled(link);
	wait_sent(link);
	part(link);
	*err = *reason;
	return false;
}

static bool
finish_push(struct kp_link *link, uint64_t revision, struct kp_error *err)
{
	struct kp_link_offer made = { .revision = revision };
	struct kp_error reason;

	made.held = kp_intake_finish(link->intake, &made.diagnostics, &reason);
	if (made.held == NULL)
		return refuse(link, revision, &reason, err);
	if (kp_held_resources(made.held) == NULL) {
		kp_held_unref(made.held);
		made.held = NULL;
	}
	end_push(link);
	link->wants_whole = false;
	kp_rpc_backoff_reset(&link->backoff);
	offer(link, &made);
	return true;
}

static bool
on_push(struct kp_link *link, const Kproxy__Control__V1__Push *push,
    struct kp_error *err)
{
	struct kp_held *held;
	struct kp_error reason;

	if (link->intake == NULL) {
		kp_mutex_lock(&link->lock);
		held = link->held == NULL ? NULL : kp_held_ref(link->held);
		kp_mutex_unlock(&link->lock);
		link->intake = kp_intake_new(held, link->folder);
		link->push_deadline_ms = kp_now_ms() + PUSH_MS;
		kp_held_unref(held);
	}
	if (!kp_intake_add(link->intake, push, &reason))
		return refuse(link, push->revision, &reason, err);
	return !kp_intake_is_whole(link->intake) ||
	       finish_push(link, push->revision, err);
}

static int64_t
clamp_heartbeat(uint32_t wanted_ms)
{
	if (wanted_ms == 0)
		return DEFAULT_HEARTBEAT_MS;
	if (wanted_ms < MIN_HEARTBEAT_MS)
		return MIN_HEARTBEAT_MS;
	return wanted_ms > MAX_HEARTBEAT_MS ? MAX_HEARTBEAT_MS : wanted_ms;
}

static void
on_welcome(struct kp_link *link, const Kproxy__Control__V1__Welcome *welcome)
{
	int64_t heartbeat_ms = clamp_heartbeat(welcome->heartbeat_ms);
	/* many that were welcomed together do not stay so */
	int64_t first_ms =
	    heartbeat_ms / 2 + arc4random_uniform((uint32_t)heartbeat_ms / 2);
	uint64_t revision;

	link->silence_ms =
	    welcome->answers_heartbeats ? MAX_UNANSWERED * heartbeat_ms : 0;
	kp_mutex_lock(&link->lock);
	link->may_write = true;
	link->heartbeat_ms = heartbeat_ms;
	link->heartbeat_at_ms = kp_now_ms() + first_ms;
	link->state.is_connected = true;
	link->state.is_cordoned = welcome->is_cordoned;
	link->state.since_ms = kp_wall_ms();
	link->state.num_connects++;
	link->state.reason[0] = '\0';
	revision = link->held == NULL ? 0 : kp_held_revision(link->held);
	kp_cond_broadcast(&link->changed);
	kp_mutex_unlock(&link->lock);
	link->log_failure_at_ms = 0;
	kp_log(KP_LOG_INFO, "server_connected",
	    KP_STR("address", kp_rpc_channel_address(link->channel)),
	    KP_STR("version", welcome->version), KP_INT("revision", revision),
	    KP_STR("cordoned", welcome->is_cordoned ? "yes" : "no"));
	kp_link_wake(link);
}

/* The next message before the deadline; false with err at the end. */
static bool
receive(struct kp_rpc_stream *stream, Kproxy__Control__V1__SyncResponse **out,
    int64_t deadline_ms, struct kp_error *err)
{
	ProtobufCMessage *message;
	enum kp_rpc_read result =
	    kp_rpc_stream_read(stream, &message, deadline_ms);

	*out = (Kproxy__Control__V1__SyncResponse *)message;
	if (result == KP_RPC_READ_MESSAGE)
		return true;
	if (result == KP_RPC_READ_NOTHING)
		return kp_error_set(
		    err, KP_ERR_TIMEOUT, "the server fell silent");
	if (kp_rpc_status_error(kp_rpc_stream_status(stream), err))
		(void)kp_error_set(
		    err, KP_ERR_CLOSED, "the server ended the stream");
	return false;
}

static bool
greet(struct kp_link *link, struct kp_rpc_stream *stream, struct kp_error *err)
{
	Kproxy__Control__V1__SyncResponse *answer;
	bool is_welcome;

	if (!kp_link_hello(link, stream, err) ||
	    !receive(stream, &answer, kp_now_ms() + WELCOME_MS, err))
		return false;
	is_welcome = answer->body_case ==
		     KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_WELCOME;
	if (is_welcome)
		on_welcome(link, answer->welcome);
	else
		(void)kp_error_set(
		    err, KP_ERR_PROTOCOL, "the server did not welcome us");
	kp_unpacked_free(&answer->base);
	return is_welcome;
}

/* Our own time at what we heard last is none of the server's. */
static int64_t
hear_until(const struct kp_link *link)
{
	int64_t until_ms =
	    link->silence_ms == 0 ? KP_NEVER : kp_now_ms() + link->silence_ms;

	return link->intake != NULL && link->push_deadline_ms < until_ms
		   ? link->push_deadline_ms
		   : until_ms;
}

/* Of what is no push nothing counts but that it was said. */
static bool
receive_push(
    struct kp_link *link, struct kp_rpc_stream *stream, struct kp_error *err)
{
	Kproxy__Control__V1__SyncResponse *message;
	bool is_good = true;

	if (!receive(stream, &message, hear_until(link), err))
		return false;
	if (message->body_case == KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_PUSH)
		is_good = on_push(link, message->push, err);
	kp_unpacked_free(&message->base);
	if (is_good && link->intake != NULL &&
	    kp_now_ms() > link->push_deadline_ms)
		return kp_error_set(
		    err, KP_ERR_TIMEOUT, "a push does not come to its end");
	return is_good;
}

static bool
begin_stream(struct kp_link *link)
{
	struct kp_rpc_stream *stream =
	    kp_rpc_stream_new(link->channel, &kp_api_sync, KP_NEVER);
	bool is_good;

	kp_mutex_lock(&link->lock);
	is_good = !link->is_stopping;
	link->stream = stream;
	link->epoch++;
	link->verdict.is_waiting = false;
	kp_mutex_unlock(&link->lock);
	return is_good;
}

static void
end_stream(struct kp_link *link, const struct kp_error *err)
{
	struct kp_rpc_stream *stream;
	bool was_connected;

	kp_mutex_lock(&link->lock);
	kp_rpc_stream_cancel(link->stream);
	link->may_write = false;
	while (link->is_writing)
		(void)kp_cond_wait(&link->changed, &link->lock, KP_NEVER);
	stream = link->stream;
	link->stream = NULL;
	was_connected = link->state.is_connected;
	if (was_connected && err->kind == KP_ERR_TIMEOUT)
		link->state.num_silences++;
	link->state.is_connected = false;
	if (was_connected)
		link->state.since_ms = kp_wall_ms();
	(void)snprintf(
	    link->state.reason, sizeof(link->state.reason), "%s", err->text);
	kp_cond_broadcast(&link->changed);
	kp_mutex_unlock(&link->lock);
	kp_rpc_stream_free(stream);
	end_push(link);
	if (was_connected && !is_stopping(link))
		kp_log(KP_LOG_WARN, "server_lost",
		    KP_STR("address", kp_rpc_channel_address(link->channel)),
		    KP_STR("reason", err->text));
	kp_link_wake(link);
}

/* A server that did not even welcome us, or fell silent: another one might be
 * better. */
static void
run_stream(struct kp_link *link, struct kp_error *err)
{
	int64_t steady_ms = kp_now_ms() + STEADY_MS;
	bool is_welcome = false, is_bad;

	wait_settled(link);
	if (begin_stream(link) && greet(link, link->stream, err)) {
		is_welcome = true;
		while (receive_push(link, link->stream, err))
			continue;
	}
	end_stream(link, err);
	is_bad = !is_welcome || err->kind == KP_ERR_TIMEOUT;
	if (!is_bad && kp_now_ms() >= steady_ms)
		kp_rpc_backoff_reset(&link->backoff);
	if (is_bad || link->wants_whole)
		kp_rpc_channel_move_on(link->channel);
}

/* A server that refuses our certificate does not say so to us. */
static void
add_validity(const struct kp_link_state *state, struct kp_error *err)
{
	int64_t now = kp_wall_ms() / 1000;

	if (state->valid_until == 0)
		return;
	if (now > state->valid_until)
		(void)kp_error_prefix(
		    err, "the node's certificate has expired");
	else if (now < state->valid_from)
		(void)kp_error_prefix(
		    err, "the node's certificate is not valid yet");
}

static void
note_failure(struct kp_link *link, struct kp_error *err)
{
	int64_t now_ms = kp_now_ms();

	kp_mutex_lock(&link->lock);
	add_validity(&link->state, err);
	(void)snprintf(
	    link->state.reason, sizeof(link->state.reason), "%s", err->text);
	kp_mutex_unlock(&link->lock);
	kp_link_wake(link);
	if (now_ms < link->log_failure_at_ms)
		return;
	link->log_failure_at_ms = now_ms + LOG_FAILURE_EVERY_MS;
	kp_log(KP_LOG_WARN, "server_not_reached",
	    KP_STR("address", kp_rpc_channel_address(link->channel)),
	    KP_STR("reason", err->text));
}

static void
pause_between(struct kp_link *link)
{
	int64_t deadline_ms = kp_now_ms() + kp_rpc_backoff_next(&link->backoff);

	kp_mutex_lock(&link->lock);
	while (wait_locked(link, deadline_ms))
		continue;
	kp_mutex_unlock(&link->lock);
}

void *
kp_link_read(void *arg)
{
	struct kp_link *link = arg;

	while (!is_stopping(link)) {
		int64_t deadline_ms =
		    kp_now_ms() + CONNECT_MS * (int64_t)link->num_addresses;
		struct kp_error err = { .kind = KP_ERR_NONE };
		uint64_t before = link->state.num_connects;

		if (kp_rpc_channel_connect(link->channel, deadline_ms, &err))
			run_stream(link, &err);
		if (is_stopping(link))
			break;
		if (link->state.num_connects == before)
			note_failure(link, &err);
		pause_between(link);
	}
	return NULL;
}
