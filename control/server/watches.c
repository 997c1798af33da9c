/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/watches.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "control/rpc/packet.h"
#include "control/server/resources_priv.h"

/* Revisions that a stream is sent before it is asked whether it has taken them;
 * with documents one at a time. */
#define BATCH 16

struct watch {
	struct kp_rpc_call *call; /* with a reference */
	struct watch *prev, *next;
	char *kind;
	bool with_documents;
	/* what follows is guarded by the lock of all */
	uint64_t after;     /* the last revision that was sent or passed over */
	bool is_busy;       /* the thread is at it */
	bool is_sending;    /* what was sent last waits to be taken */
	bool is_over;       /* no more is to be sent */
	bool is_closed;     /* the stream is gone: free it when not busy */
	int64_t sent_at_ms; /* while is_sending */
};

struct kp_watches {
	struct kp_desk *desk;
	size_t max;
	int64_t timeout_ms;
	pthread_t sender;

	struct kp_mutex lock; /* guards what follows */
	struct kp_cond changed;
	struct watch *list;
	size_t num;
	uint64_t newest;
	bool is_stopping;
};

static void
watch_free(struct watch *watch)
{
	kp_rpc_call_unref(watch->call);
	free(watch->kind);
	free(watch);
}

static void
unlink_locked(struct kp_watches *watches, struct watch *watch)
{
	if (watch->prev != NULL)
		watch->prev->next = watch->next;
	else
		watches->list = watch->next;
	if (watch->next != NULL)
		watch->next->prev = watch->prev;
	watches->num--;
}

/* What one turn of the sender sends to one stream: made while the store is
 * read, sent after that. */
struct sending {
	struct watch *watch;
	struct kp_revision_filter filter;
	struct kp_rpc_packet *packets[BATCH];
	size_t num;
	uint64_t passed;    /* the last revision that was dealt with */
	uint64_t too_large; /* one that was not; 0: none */
	bool is_over;
};

static void
make_packet(void *ctx, const struct kp_store_revision *revision)
{
	struct sending *sending = ctx;
	Kproxy__Control__V1__WatchResponse response;
	struct kp_error err;

	if (sending->too_large != 0)
		return;
	kproxy__control__v1__watch_response__init(&response);
	response.revision = kp_revision_new(revision, &sending->filter);
	if (response.revision != NULL) {
		struct kp_rpc_packet *packet =
		    kp_rpc_packet_new(&response.base, KP_API_MAX_ANSWER, &err);

		if (packet == NULL)
			sending->too_large = revision->number;
		else
			sending->packets[sending->num++] = packet;
	}
	if (sending->too_large == 0)
		sending->passed = revision->number;
	kp_revision_free(response.revision);
}

static void
send_packets(struct sending *sending)
{
	struct kp_rpc_call *call = sending->watch->call;
	struct kp_error err;

	for (size_t i = 0; i < sending->num; i++) {
		/* it has ended, or our own queue is too short */
		if (!sending->is_over &&
		    !kp_rpc_call_send(call, sending->packets[i], &err)) {
			kp_rpc_call_end(
			    call, KP_RPC_RESOURCE_EXHAUSTED, "%s", err.text);
			sending->is_over = true;
		}
		kp_rpc_packet_unref(sending->packets[i]);
	}
	if (sending->too_large == 0)
		return;
	kp_rpc_call_end(call, KP_RPC_RESOURCE_EXHAUSTED,
	    "revision %llu is too large to be watched with documents",
	    (unsigned long long)sending->too_large);
	sending->is_over = true;
}

static void
send_batch(struct kp_watches *watches, struct sending *sending, uint64_t after,
    uint64_t newest)
{
	uint64_t num = sending->watch->with_documents ? 1 : BATCH;
	uint64_t last = newest - after > num ? after + num : newest;
	enum kp_store_result result;
	struct kp_error err;

	result = kp_desk_history(
	    watches->desk, after, last, make_packet, sending, KP_NEVER, &err);
	send_packets(sending);
	if (result == KP_STORE_OK)
		return;
	/* it asks for what is not there any more, or the store fails */
	kp_resources_end(sending->watch->call, result, &err);
	sending->is_over = true;
}

static bool
is_due_locked(const struct kp_watches *watches, const struct watch *watch)
{
	return !watch->is_sending && !watch->is_over && !watch->is_closed &&
	       watch->after < watches->newest;
}

/* Does one stream's share of work; called and returns with the lock. */
static void
serve_locked(struct kp_watches *watches, struct watch *watch)
{
	struct sending sending = { .watch = watch,
		.filter = { .kind = watch->kind,
		    .name = "",
		    .is_only_kind = watch->kind[0] != '\0',
		    .with_documents = watch->with_documents } };
	uint64_t after = watch->after, newest = watches->newest;

	watch->is_busy = true;
	/* it may be taken before we are back here */
	watch->is_sending = true;
	watch->sent_at_ms = kp_now_ms();
	kp_mutex_unlock(&watches->lock);
	sending.passed = after;
	send_batch(watches, &sending, after, newest);
	kp_mutex_lock(&watches->lock);
	watch->is_busy = false;
	watch->sent_at_ms = kp_now_ms(); /* reading took its time */
	watch->after = sending.passed;
	watch->is_over |= sending.is_over;
	if (sending.num == 0)
		watch->is_sending = false;
	if (watch->is_closed)
		kp_cond_broadcast(&watches->changed);
}

/* A stream that has not taken anything for too long; called and returns with
 * the lock. */
static void
give_up_locked(struct kp_watches *watches, struct watch *watch)
{
	uint64_t after = watch->after;

	watch->is_over = true;
	watch->is_busy = true;
	kp_mutex_unlock(&watches->lock);
	kp_rpc_call_end(watch->call, KP_RPC_RESOURCE_EXHAUSTED,
	    "the stream was not read in time; watch again after the last "
	    "revision that came, which is not later than %llu",
	    (unsigned long long)after);
	kp_mutex_lock(&watches->lock);
	watch->is_busy = false;
	if (watch->is_closed)
		kp_cond_broadcast(&watches->changed);
}

/* Has the stream taken what was sent? It may have done so before it was marked
 * as being sent to. */
static void
look_locked(struct watch *watch)
{
	if (watch->is_sending && !watch->is_busy &&
	    kp_rpc_call_num_queued(watch->call) == 0)
		watch->is_sending = false;
}

/* The next stream that there is something to do for; when to look again. */
static struct watch *
next_locked(struct kp_watches *watches, int64_t *out_when_ms)
{
	*out_when_ms = KP_NEVER;
	for (struct watch *w = watches->list; w != NULL; w = w->next) {
		int64_t due_ms = w->sent_at_ms + watches->timeout_ms;

		look_locked(w);
		if (is_due_locked(watches, w))
			return w;
		if (!w->is_sending || w->is_over || w->is_closed)
			continue;
		if (due_ms <= kp_now_ms())
			return w;
		if (due_ms < *out_when_ms)
			*out_when_ms = due_ms;
	}
	return NULL;
}

static void *
send_all(void *arg)
{
	struct kp_watches *watches = arg;

	kp_mutex_lock(&watches->lock);
	while (!watches->is_stopping) {
		int64_t when_ms;
		struct watch *watch = next_locked(watches, &when_ms);

		if (watch == NULL)
			(void)kp_cond_wait(
			    &watches->changed, &watches->lock, when_ms);
		else if (watch->is_sending)
			give_up_locked(watches, watch);
		else
			serve_locked(watches, watch);
	}
	kp_mutex_unlock(&watches->lock);
	return NULL;
}

struct kp_watches *
kp_watches_new(struct kp_desk *desk, size_t max_watches, int64_t timeout_ms)
{
	struct kp_watches *watches = kp_alloc(1, sizeof(*watches));
	sigset_t all, before;

	watches->desk = desk;
	watches->max = max_watches;
	watches->timeout_ms = timeout_ms;
	kp_mutex_init(&watches->lock, KP_RANK_WATCHES);
	kp_cond_init(&watches->changed);
	watches->newest = kp_desk_revision(desk);
	(void)sigfillset(&all);
	kp_must(pthread_sigmask(SIG_SETMASK, &all, &before));
	kp_must(pthread_create(&watches->sender, NULL, send_all, watches));
	kp_must(pthread_sigmask(SIG_SETMASK, &before, NULL));
	return watches;
}

void
kp_watches_free(struct kp_watches *watches)
{
	if (watches == NULL)
		return;
	kp_mutex_lock(&watches->lock);
	kp_assert(watches->list == NULL);
	watches->is_stopping = true;
	kp_cond_broadcast(&watches->changed);
	kp_mutex_unlock(&watches->lock);
	kp_must(pthread_join(watches->sender, NULL));
	kp_cond_fini(&watches->changed);
	kp_mutex_fini(&watches->lock);
	free(watches);
}

void
kp_watches_changed(struct kp_watches *watches, uint64_t newest)
{
	kp_mutex_lock(&watches->lock);
	if (newest > watches->newest)
		watches->newest = newest;
	kp_cond_broadcast(&watches->changed);
	kp_mutex_unlock(&watches->lock);
}

static struct kp_watches *
watches_of(const struct kp_rpc_call *call)
{
	const struct kp_services *services = kp_rpc_call_owner(call);

	return services->watches;
}

static bool
add(struct kp_watches *watches, struct watch *watch)
{
	bool has_room;

	kp_mutex_lock(&watches->lock);
	has_room = watches->num < watches->max;
	if (has_room) {
		watch->next = watches->list;
		if (watch->next != NULL)
			watch->next->prev = watch;
		watches->list = watch;
		watches->num++;
		kp_cond_broadcast(&watches->changed);
	}
	kp_mutex_unlock(&watches->lock);
	return has_room;
}

/* Is there anything after that revision to be watched? Another server's may
 * not have been heard of here: the store knows. */
static bool
check_after(struct kp_rpc_call *call, uint64_t after)
{
	struct kp_store_range range;
	struct kp_error err;
	enum kp_store_result result = kp_desk_range(kp_resources_desk(call),
	    &range, kp_rpc_call_deadline_ms(call), &err);

	if (result == KP_STORE_OK && after < range.oldest) {
		(void)kp_error_set(&err, KP_ERR_CONFIG,
		    "revisions after %llu have been compacted; list, and watch "
		    "from the list's revision",
		    (unsigned long long)after);
		result = KP_STORE_COMPACTED;
	}
	if (result == KP_STORE_OK && after > range.newest) {
		(void)kp_error_set(&err, KP_ERR_CONFIG,
		    "there is no revision %llu; list, and watch from the "
		    "list's revision",
		    (unsigned long long)after);
		result = KP_STORE_INVALID;
	}
	if (result != KP_STORE_OK)
		kp_resources_end(call, result, &err);
	return result == KP_STORE_OK;
}

void
kp_watches_message(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__WatchRequest *request =
	    (const Kproxy__Control__V1__WatchRequest *)message;
	struct watch *watch;

	if (kp_rpc_call_data(call) != NULL) {
		kp_rpc_call_end(
		    call, KP_RPC_INVALID_ARGUMENT, "a watch has one request");
		return;
	}
	if (!check_after(call, request->after))
		return;
	watch = kp_alloc(1, sizeof(*watch));
	watch->call = kp_rpc_call_ref(call);
	watch->kind = kp_strdup(request->kind);
	watch->with_documents = request->with_documents != 0;
	watch->after = request->after;
	if (add(watches_of(call), watch)) {
		kp_rpc_call_set_data(call, watch);
		return;
	}
	kp_rpc_call_end(call, KP_RPC_RESOURCE_EXHAUSTED,
	    "there are as many watches as limits.watches allows");
	watch_free(watch);
}

void
kp_watches_sent(struct kp_rpc_call *call)
{
	struct kp_watches *watches = watches_of(call);
	struct watch *watch = kp_rpc_call_data(call);

	if (watch == NULL)
		return;
	kp_mutex_lock(&watches->lock);
	kp_cond_broadcast(&watches->changed);
	kp_mutex_unlock(&watches->lock);
}

void
kp_watches_closed(struct kp_rpc_call *call)
{
	struct kp_watches *watches = watches_of(call);
	struct watch *watch = kp_rpc_call_data(call);

	if (watch == NULL)
		return;
	kp_mutex_lock(&watches->lock);
	watch->is_closed = true;
	while (watch->is_busy)
		(void)kp_cond_wait(&watches->changed, &watches->lock, KP_NEVER);
	unlink_locked(watches, watch);
	kp_mutex_unlock(&watches->lock);
	watch_free(watch);
}
