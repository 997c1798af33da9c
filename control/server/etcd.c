/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/etcd.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/server/etcd_priv.h"

#define PREFIX "/kproxy/"
#define TIMEOUT_MS 5000
#define LEASE_MS 10000
#define MAX_COMMIT_LEN ((size_t)256 << 20)
/* More than etcd itself can hold. */
#define MAX_STATE_LEN ((size_t)8 << 30)
#define SNAPSHOT_LEN ((size_t)1 << 20)

static bool
leads(struct kp_store *store)
{
	struct kp_etcd *etcd = (struct kp_etcd *)store;

	return kp_now_ms() < atomic_load(&etcd->leads_until_ms);
}

/* Ends both threads, and what they wait for. */
static void
stop(struct kp_store *store)
{
	struct kp_etcd *etcd = (struct kp_etcd *)store;

	if (!etcd->has_threads)
		return;
	kp_mutex_lock(&etcd->lock);
	etcd->is_stopping = true;
	if (etcd->watch != NULL)
		kp_rpc_stream_cancel(etcd->watch);
	kp_cond_broadcast(&etcd->told);
	kp_mutex_unlock(&etcd->lock);
	kp_etcd_client_stop(etcd->client);
	kp_rpc_cancel(etcd->watch_cancel);
	kp_rpc_cancel(etcd->keep_cancel);
	kp_must(pthread_join(etcd->watcher, NULL));
	kp_must(pthread_join(etcd->keeper, NULL));
}

static void
close_store(struct kp_store *store)
{
	struct kp_etcd *etcd = (struct kp_etcd *)store;

	kp_rpc_cancel_free(etcd->watch_cancel);
	kp_rpc_cancel_free(etcd->keep_cancel);
	kp_cond_fini(&etcd->told);
	kp_mutex_fini(&etcd->lock);
	kp_etcd_client_free(etcd->client);
	free(etcd->prefix);
	free(etcd);
}

static const struct kp_store_ops ops = {
	.commit = kp_etcd_store_commit,
	.range = kp_etcd_store_range,
	.load = kp_etcd_store_load,
	.history = kp_etcd_store_history,
	.compact = kp_etcd_store_compact,
	.put_records = kp_etcd_store_put_records,
	.each_record = kp_etcd_store_each_record,
	.leads = leads,
	.stop = stop,
	.close = close_store,
};

static bool
check_prefix(const char *prefix, struct kp_error *err)
{
	size_t len = strlen(prefix);

	if (len > 0 && len <= KP_ETCD_MAX_PREFIX_LEN && prefix[len - 1] == '/')
		return true;
	return kp_error_set(err, KP_ERR_CONFIG,
	    "etcd prefix \"%.64s\" does not end with / or is longer than %d",
	    prefix, KP_ETCD_MAX_PREFIX_LEN);
}

static int64_t
or_default(int64_t value, int64_t otherwise)
{
	return value > 0 ? value : otherwise;
}

static size_t
len_or(size_t value, size_t otherwise)
{
	return value > 0 ? value : otherwise;
}

static struct kp_etcd *
etcd_new(const struct kp_etcd_config *config, struct kp_etcd_client *client)
{
	struct kp_etcd *etcd = kp_alloc(1, sizeof(*etcd));

	kp_store_init(&etcd->store, &ops);
	etcd->client = client;
	etcd->prefix =
	    kp_strdup(config->prefix != NULL ? config->prefix : PREFIX);
	etcd->timeout_ms = or_default(config->timeout_ms, TIMEOUT_MS);
	etcd->lease_ms = or_default(config->lease_ms, LEASE_MS);
	etcd->max_commit_len = len_or(config->max_commit_len, MAX_COMMIT_LEN);
	etcd->max_state_len = len_or(config->max_state_len, MAX_STATE_LEN);
	etcd->snapshot_len = len_or(config->snapshot_len, SNAPSHOT_LEN);
	kp_etcd_attempt_new(etcd->id);
	kp_mutex_init(&etcd->lock, KP_RANK_ETCD);
	kp_cond_init(&etcd->told);
	etcd->watch_cancel = kp_rpc_cancel_new();
	etcd->keep_cancel = kp_rpc_cancel_new();
	return etcd;
}

static void
start_threads(struct kp_etcd *etcd)
{
	sigset_t all, before;

	(void)sigfillset(&all);
	kp_must(pthread_sigmask(SIG_SETMASK, &all, &before));
	kp_must(
	    pthread_create(&etcd->watcher, NULL, kp_etcd_watcher_run, etcd));
	kp_must(pthread_create(&etcd->keeper, NULL, kp_etcd_keeper_run, etcd));
	kp_must(pthread_sigmask(SIG_SETMASK, &before, NULL));
	etcd->has_threads = true;
}

struct kp_store *
kp_etcd_open(const struct kp_etcd_config *config, struct kp_error *err)
{
	struct kp_etcd_client *client;
	struct kp_store_range range;
	struct kp_etcd *etcd;

	if (config->prefix != NULL && !check_prefix(config->prefix, err))
		return NULL;
	client = kp_etcd_client_new(config, err);
	if (client == NULL)
		return NULL;
	etcd = etcd_new(config, client);
	if (kp_etcd_store_range(&etcd->store, &range, KP_NEVER, err) !=
	    KP_STORE_OK) {
		kp_store_close(&etcd->store);
		return NULL;
	}
	kp_store_announce(&etcd->store, range.newest);
	start_threads(etcd);
	return &etcd->store;
}

bool
kp_etcd_reload(struct kp_store *store, const struct kp_rpc_identity *identity,
    struct kp_error *err)
{
	struct kp_etcd *etcd = (struct kp_etcd *)store;

	kp_assert(store->ops == &ops);
	return kp_etcd_client_reload(etcd->client, identity, err);
}

bool
kp_etcd_reload_password(
    struct kp_store *store, bool *out_is_new, struct kp_error *err)
{
	struct kp_etcd *etcd = (struct kp_etcd *)store;

	kp_assert(store->ops == &ops);
	return kp_etcd_client_reload_password(etcd->client, out_is_new, err);
}
