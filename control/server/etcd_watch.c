/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that hears of other servers' commits. It reads the state, watches
 * from there on, and begins anew whenever the watch ends: because its node is
 * gone or has lost the quorum, or because etcd has compacted what it has not
 * seen yet.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/rpc/backoff.h"
#include "control/server/etcd_priv.h"
#include "proto/control/unpack.h"

#define PAUSE_FIRST_MS 20
#define PAUSE_MAX_MS 1000

/* Makes stream the one that is cancelled when the store closes; false if that
 * has happened. */
static bool
set_watch(struct kp_etcd *etcd, struct kp_rpc_stream *stream)
{
	bool is_stopping;

	kp_mutex_lock(&etcd->lock);
	etcd->watch = stream;
	is_stopping = etcd->is_stopping;
	kp_mutex_unlock(&etcd->lock);
	return !is_stopping;
}

/* Says it once, and once when it is over. */
static void
set_cut_off(struct kp_etcd *etcd, bool is_cut_off, const char *why)
{
	if (atomic_exchange(&etcd->is_cut_off, is_cut_off) == is_cut_off)
		return;
	if (is_cut_off)
		kp_log(KP_LOG_WARN, "etcd_cut_off", KP_STR("reason", why));
	else
		kp_log(
		    KP_LOG_INFO, "etcd_back", KP_STR("prefix", etcd->prefix));
}

/* Some key of P state/ has changed. */
static void
take_event(struct kp_etcd *etcd, const Etcdserverpb__Event *event)
{
	struct kp_etcd_key newest = kp_etcd_key_state(etcd->prefix, "newest");
	struct kp_etcd_key leader = kp_etcd_key_state(etcd->prefix, "leader");
	struct kp_bytes key;
	uint64_t number;

	if (event->kv == NULL)
		return;
	key = kp_etcd_bytes(event->kv->key);
	if (event->type == ETCDSERVERPB__EVENT__EVENT_TYPE__PUT &&
	    kp_bytes_equal(key, kp_bytes_of(newest.text)) &&
	    kp_etcd_number_parse(kp_etcd_bytes(event->kv->value), &number))
		kp_store_announce(&etcd->store, number);
	kp_etcd_poke(etcd, kp_bytes_equal(key, kp_bytes_of(leader.text)));
}

static bool
begin(struct kp_etcd *etcd, struct kp_rpc_stream *stream, int64_t revision,
    struct kp_error *err)
{
	struct kp_etcd_key from = kp_etcd_key_state(etcd->prefix, "");
	struct kp_etcd_key to = kp_etcd_key_state(etcd->prefix, "~");
	Etcdserverpb__WatchCreateRequest create;
	Etcdserverpb__WatchRequest request;

	etcdserverpb__watch_create_request__init(&create);
	create.key.data = (uint8_t *)from.text;
	create.key.len = strlen(from.text);
	create.range_end.data = (uint8_t *)to.text;
	create.range_end.len = strlen(to.text);
	create.start_revision = revision + 1;
	etcdserverpb__watch_request__init(&request);
	request.request_union_case =
	    ETCDSERVERPB__WATCH_REQUEST__REQUEST_UNION_CREATE_REQUEST;
	request.create_request = &create;
	return kp_rpc_stream_write(
	    stream, &request.base, kp_etcd_deadline(etcd), err);
}

/* Reads until the watch ends. Returns whether it was a watch at all. */
static bool
follow(struct kp_etcd *etcd, struct kp_rpc_stream *stream)
{
	ProtobufCMessage *message;
	bool is_watch = false, is_over = false;

	while (!is_over && kp_rpc_stream_read(stream, &message, KP_NEVER) ==
			       KP_RPC_READ_MESSAGE) {
		const Etcdserverpb__WatchResponse *answer =
		    (const Etcdserverpb__WatchResponse *)message;

		for (size_t i = 0; i < answer->n_events; i++)
			take_event(etcd, answer->events[i]);
		is_over = answer->canceled != 0;
		is_watch = is_watch || !is_over;
		kp_unpacked_free(message);
	}
	return is_watch;
}

/* Why a watch ended, for the endpoint's record and the log. */
static void
note_end(struct kp_etcd *etcd, struct kp_rpc_stream *stream, size_t index)
{
	ProtobufCMessage *message;
	const struct kp_rpc_status *status;

	kp_rpc_stream_cancel(stream);
	while (kp_rpc_stream_read(stream, &message, KP_NEVER) ==
	       KP_RPC_READ_MESSAGE)
		kp_unpacked_free(message);
	status = kp_rpc_stream_status(stream);
	if (status->code == KP_RPC_CANCELLED)
		return; /* by us, or etcd ended the watch and not the stream */
	kp_etcd_blame(etcd->client, index, status);
	if (!kp_etcd_is_stopping(etcd))
		kp_log(KP_LOG_DEBUG, "etcd_watch_ended",
		    KP_STR("reason", status->sentence));
}

/* One watch from the state of now to its end; true if it worked. */
static bool
watch_once(struct kp_etcd *etcd, struct kp_error *err)
{
	struct kp_etcd_state state;
	struct kp_rpc_stream *stream;
	size_t index;
	bool is_ok;

	if (!kp_etcd_state_read(etcd, false, etcd->watch_cancel, &state, err))
		return false;
	set_cut_off(etcd, false, "");
	kp_store_announce(&etcd->store, state.newest);
	kp_etcd_poke(etcd, true);
	stream = kp_etcd_stream_open(etcd->client, &kp_etcd_watch,
	    kp_etcd_deadline(etcd), KP_NEVER, &index, err);
	if (stream == NULL)
		return false;
	is_ok = set_watch(etcd, stream) &&
		begin(etcd, stream, state.revision, err) &&
		follow(etcd, stream);
	(void)set_watch(etcd, NULL);
	note_end(etcd, stream, index);
	kp_rpc_stream_free(stream);
	return is_ok;
}

void *
kp_etcd_watcher_run(void *arg)
{
	struct kp_etcd *etcd = arg;
	struct kp_rpc_backoff backoff = { .first_ms = PAUSE_FIRST_MS,
		.max_ms = PAUSE_MAX_MS };

	while (!kp_etcd_is_stopping(etcd)) {
		struct kp_error err = { 0 };

		if (watch_once(etcd, &err)) {
			kp_rpc_backoff_reset(&backoff);
			continue;
		}
		if (!kp_etcd_is_stopping(etcd) && err.kind != KP_ERR_NONE)
			set_cut_off(etcd, true, err.text);
		kp_etcd_client_pause(
		    etcd->client, kp_rpc_backoff_next(&backoff));
	}
	return NULL;
}
