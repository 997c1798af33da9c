/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that keeps the leader's lease, or waits for another leader to lose
 * it, and does the leader's work. A leader knows how long it is one from its
 * own clock: it stops before etcd gives the lease to another. Should two
 * believe it all the same, nothing breaks: what they do compares before it
 * changes.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/server/etcd_priv.h"
#include "proto/control/unpack.h"

#define MS_PER_SECOND 1000
/* Renewed so many times before it would end. */
#define BEATS 3
/* A clock may run that much faster than etcd's: one in so many. */
#define DRIFT 10

/* The keeper's own. */
struct keeper {
	struct kp_etcd *etcd;
	int64_t lease; /* 0: none */
	bool is_leader;
	struct kp_etcd_chores chores;
};

void
kp_etcd_poke(struct kp_etcd *etcd, bool is_leader_changed)
{
	kp_mutex_lock(&etcd->lock);
	etcd->is_poked = true;
	etcd->is_leader_changed = etcd->is_leader_changed || is_leader_changed;
	kp_cond_broadcast(&etcd->told);
	kp_mutex_unlock(&etcd->lock);
}

bool
kp_etcd_is_stopping(struct kp_etcd *etcd)
{
	bool is_stopping;

	kp_mutex_lock(&etcd->lock);
	is_stopping = etcd->is_stopping;
	kp_mutex_unlock(&etcd->lock);
	return is_stopping;
}

static int64_t
beat_of(const struct kp_etcd *etcd)
{
	return etcd->lease_ms / BEATS;
}

/* The lease holds for ttl seconds from before it was asked for. */
static void
extend(struct keeper *keeper, int64_t asked_ms, int64_t ttl)
{
	int64_t ms = ttl * MS_PER_SECOND;

	if (keeper->is_leader)
		atomic_store(
		    &keeper->etcd->leads_until_ms, asked_ms + ms - ms / DRIFT);
}

static void
lose(struct keeper *keeper, const char *why)
{
	atomic_store(&keeper->etcd->leads_until_ms, 0);
	if (keeper->is_leader)
		kp_log(KP_LOG_INFO, "etcd_leader_lost", KP_STR("reason", why));
	keeper->is_leader = false;
}

static bool
grant(struct keeper *keeper, int64_t *out_ttl, struct kp_error *err)
{
	struct kp_etcd *etcd = keeper->etcd;
	Etcdserverpb__LeaseGrantRequest request;
	Etcdserverpb__LeaseGrantResponse *answer;
	struct kp_etcd_reply reply;
	const struct kp_etcd_ask ask = { .method = &kp_etcd_grant,
		.request = &request.base,
		.deadline_ms = kp_etcd_deadline(etcd),
		.needs_leader = true,
		.cancel = etcd->keep_cancel };

	etcdserverpb__lease_grant_request__init(&request);
	request.ttl = etcd->lease_ms / MS_PER_SECOND;
	if (!kp_etcd_ask(etcd->client, &ask, &reply, err))
		return false;
	answer = (Etcdserverpb__LeaseGrantResponse *)reply.message;
	kp_etcd_attempt_new(etcd->id);
	keeper->lease = answer->id;
	*out_ttl = answer->ttl < request.ttl ? answer->ttl : request.ttl;
	kp_unpacked_free(reply.message);
	return true;
}

/* One beat; *out_ttl is 0 if etcd knows no such lease. */
static bool
beat(struct keeper *keeper, struct kp_rpc_stream *stream, int64_t *out_ttl,
    int64_t deadline_ms, struct kp_error *err)
{
	Etcdserverpb__LeaseKeepAliveRequest request;
	ProtobufCMessage *message;

	etcdserverpb__lease_keep_alive_request__init(&request);
	request.id = keeper->lease;
	if (!kp_rpc_stream_write(stream, &request.base, deadline_ms, err))
		return false;
	if (kp_rpc_stream_read(stream, &message, deadline_ms) !=
	    KP_RPC_READ_MESSAGE)
		return kp_error_set(err, KP_ERR_UNAVAILABLE,
		    "etcd does not answer for the lease");
	*out_ttl = ((Etcdserverpb__LeaseKeepAliveResponse *)message)->ttl;
	kp_unpacked_free(message);
	return true;
}

static bool
renew(struct keeper *keeper, int64_t *out_ttl, struct kp_error *err)
{
	static const struct kp_rpc_status silent = { .code = KP_RPC_UNAVAILABLE,
		.sentence = "no answer for a lease" };
	struct kp_etcd *etcd = keeper->etcd;
	int64_t deadline_ms = kp_now_ms() + beat_of(etcd);
	struct kp_rpc_stream *stream;
	size_t index;
	bool is_ok;

	stream = kp_etcd_stream_open(etcd->client, &kp_etcd_keep_alive,
	    deadline_ms, deadline_ms, &index, err);
	if (stream == NULL)
		return false;
	is_ok = beat(keeper, stream, out_ttl, deadline_ms, err);
	kp_rpc_stream_free(stream);
	if (!is_ok)
		kp_etcd_blame(etcd->client, index, &silent);
	return is_ok;
}

/* Takes the leader's place if nobody has it. */
static bool
campaign(struct keeper *keeper, bool *out_won, struct kp_error *err)
{
	struct kp_etcd *etcd = keeper->etcd;
	struct kp_etcd_key key = kp_etcd_key_state(etcd->prefix, "leader");
	Etcdserverpb__TxnResponse *answer;
	struct kp_etcd_txn txn;

	kp_etcd_txn_init(&txn);
	kp_etcd_txn_if(&txn, &key, NULL);
	kp_etcd_txn_put(&txn, &key, kp_bytes_of(etcd->id), keeper->lease);
	kp_etcd_txn_else_read(&txn, &key);
	answer = kp_etcd_txn_run(etcd, &txn, etcd->keep_cancel, NULL, err);
	if (answer == NULL)
		return false;
	*out_won =
	    answer->succeeded != 0 ||
	    kp_bytes_equal(kp_etcd_txn_found(answer, 0), kp_bytes_of(etcd->id));
	kp_unpacked_free(&answer->base);
	return true;
}

/* With another lease than before the place has to be taken again. */
static bool
hold_lease(struct keeper *keeper, bool *is_ours, int64_t *out_ttl,
    struct kp_error *err)
{
	if (keeper->lease != 0 && !renew(keeper, out_ttl, err))
		return false;
	if (keeper->lease != 0 && *out_ttl > 0)
		return true;
	if (keeper->lease != 0)
		lose(keeper, "etcd let the lease end");
	*is_ours = false;
	return grant(keeper, out_ttl, err);
}

/* Until it has been done: what failed is tried again with the next beat. */
static void
set_sweep_due(struct kp_etcd *etcd)
{
	kp_mutex_lock(&etcd->lock);
	etcd->is_sweep_due = true;
	kp_mutex_unlock(&etcd->lock);
}

static void
win(struct keeper *keeper)
{
	struct kp_etcd *etcd = keeper->etcd;

	keeper->is_leader = true;
	keeper->chores = (struct kp_etcd_chores){ .swept = 0 };
	set_sweep_due(etcd);
	kp_log(KP_LOG_INFO, "etcd_leader", KP_STR("id", etcd->id));
}

/* After this it is known who leads; false if etcd cannot be asked. */
static bool
lead_or_follow(struct keeper *keeper, struct kp_error *err)
{
	struct kp_etcd *etcd = keeper->etcd;
	int64_t asked_ms = kp_now_ms(), ttl = 0;
	struct kp_etcd_state state;
	bool is_ours;

	if (!kp_etcd_state_read(etcd, false, etcd->keep_cancel, &state, err))
		return false;
	is_ours = strcmp(state.leader, etcd->id) == 0;
	if (!is_ours && state.leader[0] != '\0') {
		/* a lease is only taken to take the place */
		lose(keeper, "another server leads");
		return true;
	}
	if (!hold_lease(keeper, &is_ours, &ttl, err) ||
	    (!is_ours && !campaign(keeper, &is_ours, err)))
		return false;
	if (is_ours && !keeper->is_leader)
		win(keeper);
	extend(keeper, asked_ms, ttl);
	return true;
}

static void
beat_once(struct keeper *keeper)
{
	struct kp_error err = { 0 };

	if (!lead_or_follow(keeper, &err) &&
	    kp_now_ms() >= atomic_load(&keeper->etcd->leads_until_ms))
		lose(keeper, err.text);
}

static bool
take_sweep(struct kp_etcd *etcd)
{
	bool is_due;

	kp_mutex_lock(&etcd->lock);
	is_due = etcd->is_sweep_due;
	etcd->is_sweep_due = false;
	kp_mutex_unlock(&etcd->lock);
	return is_due;
}

static bool
sweep(struct keeper *keeper, struct kp_error *err)
{
	struct kp_etcd *etcd = keeper->etcd;

	if (!take_sweep(etcd) || kp_etcd_sweep(etcd, &keeper->chores, err))
		return true;
	set_sweep_due(etcd);
	return false;
}

static void
work(struct keeper *keeper)
{
	struct kp_etcd *etcd = keeper->etcd;
	struct kp_error err = { 0 };

	if ((kp_etcd_snapshot(etcd, &keeper->chores, &err) &&
		sweep(keeper, &err)) ||
	    kp_etcd_is_stopping(etcd))
		return;
	kp_log(KP_LOG_WARN, "etcd_chores_failed", KP_STR("reason", err.text));
}

/* Until something is told, or it is time for the next beat. */
static bool
wait_for_news(
    struct kp_etcd *etcd, int64_t until_ms, bool *out_is_leader_changed)
{
	bool is_stopping;

	kp_mutex_lock(&etcd->lock);
	while (!etcd->is_stopping && !etcd->is_poked &&
	       kp_cond_wait(&etcd->told, &etcd->lock, until_ms))
		;
	*out_is_leader_changed = etcd->is_leader_changed;
	etcd->is_poked = etcd->is_leader_changed = false;
	is_stopping = etcd->is_stopping;
	kp_mutex_unlock(&etcd->lock);
	return !is_stopping;
}

/* So that another server need not wait for its end. */
static void
give_back(struct keeper *keeper)
{
	Etcdserverpb__LeaseRevokeRequest request;
	struct kp_etcd_reply reply;
	const struct kp_etcd_ask ask = { .method = &kp_etcd_revoke,
		.request = &request.base,
		.deadline_ms = kp_now_ms() + MS_PER_SECOND,
		.needs_leader = true };
	struct kp_error err;

	if (keeper->lease == 0)
		return;
	etcdserverpb__lease_revoke_request__init(&request);
	request.id = keeper->lease;
	if (kp_etcd_ask(keeper->etcd->client, &ask, &reply, &err))
		kp_unpacked_free(reply.message);
}

void *
kp_etcd_keeper_run(void *arg)
{
	struct kp_etcd *etcd = arg;
	struct keeper keeper = { .etcd = etcd };
	int64_t beat_ms = 0;
	bool is_leader_changed = false;

	do {
		if (is_leader_changed || kp_now_ms() >= beat_ms) {
			beat_ms = kp_now_ms() + beat_of(etcd);
			beat_once(&keeper);
		}
		if (keeper.is_leader && !kp_etcd_is_stopping(etcd))
			work(&keeper);
	} while (wait_for_news(etcd, beat_ms, &is_leader_changed));
	atomic_store(&etcd->leads_until_ms, 0);
	give_back(&keeper);
	return NULL;
}
