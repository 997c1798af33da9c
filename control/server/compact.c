/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/compact.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"

/* Revisions whose age is looked at together. */
#define BATCH 64
/* How often who does not lead looks whether it does: a new leader is not to
 * wait for its first turn. */
#define LOOK_MS 1000

struct kp_compact {
	struct kp_compact_config config;
	pthread_t thread;
	struct kp_mutex lock; /* guards what follows */
	struct kp_cond changed;
	bool is_stopping;
};

/* The last one in a row of revisions that is too old; oldest first. */
struct ageing {
	int64_t before_ms;
	uint64_t last_old;
	bool is_done; /* one was young enough */
};

static void
look_at_age(void *ctx, const struct kp_store_revision *revision)
{
	struct ageing *ageing = ctx;

	ageing->is_done |= revision->note.time_ms >= ageing->before_ms;
	if (!ageing->is_done)
		ageing->last_old = revision->number;
}

static bool
find_old(struct kp_store *store, const struct kp_store_range *range,
    struct ageing *out, struct kp_error *err)
{
	uint64_t after = range->oldest;

	out->last_old = range->oldest;
	while (!out->is_done && after < range->newest) {
		uint64_t last = range->newest - after > BATCH ? after + BATCH
							      : range->newest;

		if (kp_store_history(store, after, last, look_at_age, out,
			KP_NEVER, err) != KP_STORE_OK)
			return false;
		after = last;
	}
	return true;
}

static uint64_t
largest(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

bool
kp_compact_once(const struct kp_compact_config *config, int64_t now_ms,
    struct kp_error *err)
{
	struct ageing ageing = { .before_ms = now_ms - config->max_age_ms };
	struct kp_store_range range;
	uint64_t oldest;

	if (kp_store_range(config->store, &range, KP_NEVER, err) != KP_STORE_OK)
		return false;
	if (range.newest <= KP_COMPACT_KEPT)
		return true;
	if (!find_old(config->store, &range, &ageing, err))
		return false;
	oldest = ageing.last_old;
	if (range.newest > config->max_revisions)
		oldest = largest(oldest, range.newest - config->max_revisions);
	if (oldest > range.newest - KP_COMPACT_KEPT)
		oldest = range.newest - KP_COMPACT_KEPT;
	if (oldest <= range.oldest)
		return true;
	if (kp_store_compact(config->store, oldest, err) != KP_STORE_OK)
		return false;
	kp_log(KP_LOG_INFO, "compacted", KP_INT("oldest", oldest),
	    KP_INT("newest", range.newest));
	return true;
}

static void *
run(void *arg)
{
	struct kp_compact *compact = arg;
	struct kp_error err;

	kp_mutex_lock(&compact->lock);
	while (!compact->is_stopping) {
		bool leads = kp_store_leads(compact->config.store);
		int64_t next_ms =
		    kp_now_ms() + (leads ? KP_COMPACT_EVERY_MS : LOOK_MS);

		kp_mutex_unlock(&compact->lock);
		if (leads &&
		    !kp_compact_once(&compact->config, kp_wall_ms(), &err))
			kp_log(KP_LOG_ERROR, "compaction_failed",
			    KP_STR("reason", err.text));
		kp_mutex_lock(&compact->lock);
		while (!compact->is_stopping && kp_now_ms() < next_ms)
			(void)kp_cond_wait(
			    &compact->changed, &compact->lock, next_ms);
	}
	kp_mutex_unlock(&compact->lock);
	return NULL;
}

struct kp_compact *
kp_compact_new(const struct kp_compact_config *config)
{
	struct kp_compact *compact = kp_alloc(1, sizeof(*compact));
	sigset_t all, before;

	compact->config = *config;
	kp_mutex_init(&compact->lock, KP_RANK_DESK);
	kp_cond_init(&compact->changed);
	(void)sigfillset(&all);
	kp_must(pthread_sigmask(SIG_SETMASK, &all, &before));
	kp_must(pthread_create(&compact->thread, NULL, run, compact));
	kp_must(pthread_sigmask(SIG_SETMASK, &before, NULL));
	return compact;
}

void
kp_compact_free(struct kp_compact *compact)
{
	if (compact == NULL)
		return;
	kp_mutex_lock(&compact->lock);
	compact->is_stopping = true;
	kp_cond_broadcast(&compact->changed);
	kp_mutex_unlock(&compact->lock);
	kp_must(pthread_join(compact->thread, NULL));
	kp_cond_fini(&compact->changed);
	kp_mutex_fini(&compact->lock);
	free(compact);
}
