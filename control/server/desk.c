/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/desk.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "control/server/catalog_priv.h"

/* How long the follower leaves a store alone that failed, and how often it
 * looks whether there is something to find out for others. */
#define PAUSE_MS 1000

struct old_state {
	struct kp_items items;
	uint64_t used; /* a number that grows; 0: empty */
};

struct kp_desk {
	struct kp_desk_config config;
	struct kp_catalog *catalog; /* of whose turn it is */
	pthread_t follower;
	bool is_following;

	struct kp_mutex lock; /* guards what follows */
	struct kp_cond changed;
	bool is_taken;      /* somebody has the turn */
	size_t num_changes; /* at work or waiting, without the follower */
	bool is_stopping;
	struct kp_items items; /* the newest that was published */
	struct old_state old[KP_DESK_OLD_STATES];
	uint64_t num_uses;
	struct kp_error problem;     /* of the store; kind NONE: it is well */
	struct kp_store_range range; /* as the follower saw it */
	bool has_range;
	bool is_range_wanted; /* anew */
};

/* What the catalog has is what everybody sees. @locks the turn */
static void
publish(struct kp_desk *desk)
{
	const struct kp_items *items = kp_catalog_items(desk->catalog);
	struct kp_items copy = { .num = 0 }, old;

	kp_items_copy(&copy, items);
	kp_mutex_lock(&desk->lock);
	old = desk->items;
	desk->items = copy;
	kp_mutex_unlock(&desk->lock);
	kp_items_fini(&old);
	if (desk->config.changed != NULL)
		desk->config.changed(desk->config.ctx, items,
		    kp_catalog_newest_ms(desk->catalog));
}

static void
publish_if_new(struct kp_desk *desk)
{
	if (kp_catalog_items(desk->catalog)->revision != kp_desk_revision(desk))
		publish(desk);
}

/*
 * Only what was written says that the store is well: it may be read while it
 * takes nothing. Changes note it before they give the turn: what is noted last
 * was done last.
 */
static void
note_store(struct kp_desk *desk, const struct kp_error *problem)
{
	kp_mutex_lock(&desk->lock);
	if (problem == NULL)
		desk->problem.kind = KP_ERR_NONE;
	else
		desk->problem = *problem;
	kp_mutex_unlock(&desk->lock);
}

/*
 * Who would not wait says nothing of the store: the follower, who waits for as
 * long as it takes, is to find out.
 */
static void
note_read(struct kp_desk *desk, enum kp_store_result result,
    const struct kp_error *err)
{
	if (result == KP_STORE_FAILED)
		note_store(desk, err);
	if (result != KP_STORE_LATE)
		return;
	kp_mutex_lock(&desk->lock);
	desk->is_range_wanted = true;
	kp_mutex_unlock(&desk->lock);
}

/* Waits for the turn; false if the deadline passed, or the desk is closing. */
static bool
take_turn(struct kp_desk *desk, int64_t deadline_ms)
{
	bool is_mine;

	kp_mutex_lock(&desk->lock);
	while (
	    desk->is_taken && !desk->is_stopping && kp_now_ms() < deadline_ms)
		(void)kp_cond_wait(&desk->changed, &desk->lock, deadline_ms);
	is_mine = !desk->is_taken && !desk->is_stopping;
	if (is_mine)
		desk->is_taken = true;
	kp_mutex_unlock(&desk->lock);
	return is_mine;
}

static void
give_turn(struct kp_desk *desk)
{
	kp_mutex_lock(&desk->lock);
	desk->is_taken = false;
	kp_cond_broadcast(&desk->changed);
	kp_mutex_unlock(&desk->lock);
}

static bool
is_stopping(struct kp_desk *desk)
{
	bool is;

	kp_mutex_lock(&desk->lock);
	is = desk->is_stopping;
	kp_mutex_unlock(&desk->lock);
	return is;
}

static void
pause_following(struct kp_desk *desk)
{
	int64_t until_ms = kp_now_ms() + PAUSE_MS;

	kp_mutex_lock(&desk->lock);
	while (!desk->is_stopping && kp_now_ms() < until_ms)
		(void)kp_cond_wait(&desk->changed, &desk->lock, until_ms);
	kp_mutex_unlock(&desk->lock);
}

static void
take_over(struct kp_desk *desk)
{
	struct kp_error err;
	bool is_ok;

	if (!take_turn(desk, KP_NEVER))
		return;
	is_ok = kp_catalog_refresh(desk->catalog, &err);
	if (is_ok)
		publish_if_new(desk);
	else
		note_store(desk, &err);
	give_turn(desk);
	if (is_ok)
		return;
	kp_log(KP_LOG_ERROR, "store_failed", KP_STR("reason", err.text));
	pause_following(desk);
}

static void
see_range(struct kp_desk *desk)
{
	struct kp_store_range range;
	struct kp_error err;

	if (kp_desk_range(desk, &range, KP_NEVER, &err) != KP_STORE_OK)
		return;
	kp_mutex_lock(&desk->lock);
	desk->range = range;
	desk->has_range = true;
	kp_mutex_unlock(&desk->lock);
}

/*
 * A store that failed is tried again with a record of no meaning: who asks
 * whether this server is ready may keep everybody away who would find out.
 */
static void
try_store(struct kp_desk *desk)
{
	const struct kp_store_record record = { "desk", "trial",
		kp_bytes_of("1") };
	struct kp_error err;

	if (kp_store_put_records(desk->config.store, &record, 1, &err) ==
	    KP_STORE_OK)
		note_store(desk, NULL);
}

/* What those want to know who cannot wait for the store. */
static void
look(struct kp_desk *desk)
{
	bool has_problem, is_wanted;

	kp_mutex_lock(&desk->lock);
	has_problem = desk->problem.kind != KP_ERR_NONE;
	is_wanted = desk->is_range_wanted && !has_problem;
	if (is_wanted)
		desk->is_range_wanted = false;
	kp_mutex_unlock(&desk->lock);
	if (has_problem)
		try_store(desk);
	if (is_wanted)
		see_range(desk);
}

static void *
follow(void *arg)
{
	struct kp_desk *desk = arg;

	while (!is_stopping(desk)) {
		uint64_t known = kp_desk_revision(desk);

		look(desk);
		if (kp_store_wait(desk->config.store, known,
			kp_now_ms() + PAUSE_MS) > known)
			take_over(desk);
	}
	return NULL;
}

struct kp_desk *
kp_desk_new(const struct kp_desk_config *config, struct kp_error *err)
{
	struct kp_catalog *catalog = kp_catalog_open(config->store, err);
	struct kp_desk *desk;

	if (catalog == NULL)
		return NULL;
	desk = kp_alloc(1, sizeof(*desk));
	desk->config = *config;
	desk->catalog = catalog;
	kp_mutex_init(&desk->lock, KP_RANK_DESK);
	kp_cond_init(&desk->changed);
	kp_items_copy(&desk->items, kp_catalog_items(catalog));
	desk->is_range_wanted = true;
	return desk;
}

void
kp_desk_start(struct kp_desk *desk)
{
	sigset_t all, before;

	publish(desk);
	(void)sigfillset(&all);
	kp_must(pthread_sigmask(SIG_SETMASK, &all, &before));
	kp_must(pthread_create(&desk->follower, NULL, follow, desk));
	kp_must(pthread_sigmask(SIG_SETMASK, &before, NULL));
	desk->is_following = true;
}

void
kp_desk_stop(struct kp_desk *desk)
{
	kp_mutex_lock(&desk->lock);
	desk->is_stopping = true;
	kp_cond_broadcast(&desk->changed);
	kp_mutex_unlock(&desk->lock);
	kp_store_wake(desk->config.store);
	if (desk->is_following)
		kp_must(pthread_join(desk->follower, NULL));
	desk->is_following = false;
}

void
kp_desk_free(struct kp_desk *desk)
{
	if (desk == NULL)
		return;
	kp_desk_stop(desk);
	for (size_t i = 0; i < KP_DESK_OLD_STATES; i++)
		kp_items_fini(&desk->old[i].items);
	kp_items_fini(&desk->items);
	kp_catalog_close(desk->catalog);
	kp_cond_fini(&desk->changed);
	kp_mutex_fini(&desk->lock);
	free(desk);
}

void
kp_desk_items(struct kp_desk *desk, struct kp_items *out)
{
	kp_mutex_lock(&desk->lock);
	kp_items_copy(out, &desk->items);
	kp_mutex_unlock(&desk->lock);
}

uint64_t
kp_desk_revision(struct kp_desk *desk)
{
	uint64_t revision;

	kp_mutex_lock(&desk->lock);
	revision = desk->items.revision;
	kp_mutex_unlock(&desk->lock);
	return revision;
}

static bool
find_known(struct kp_desk *desk, uint64_t revision, struct kp_items *out)
{
	const struct kp_items *found = NULL;

	kp_mutex_lock(&desk->lock);
	if (desk->items.revision == revision)
		found = &desk->items;
	for (size_t i = 0; found == NULL && i < KP_DESK_OLD_STATES; i++) {
		struct old_state *old = &desk->old[i];

		if (old->used == 0 || old->items.revision != revision)
			continue;
		old->used = ++desk->num_uses;
		found = &old->items;
	}
	if (found != NULL)
		kp_items_copy(out, found);
	kp_mutex_unlock(&desk->lock);
	return found != NULL;
}

/* Instead of the state that was not used for longest. */
static void
keep_old(struct kp_desk *desk, const struct kp_items *items)
{
	struct old_state *oldest = &desk->old[0];
	struct kp_items copy = { .num = 0 }, gone;

	kp_items_copy(&copy, items);
	kp_mutex_lock(&desk->lock);
	for (size_t i = 1; i < KP_DESK_OLD_STATES; i++) {
		if (desk->old[i].used < oldest->used)
			oldest = &desk->old[i];
	}
	gone = oldest->items;
	*oldest = (struct old_state){ copy, ++desk->num_uses };
	kp_mutex_unlock(&desk->lock);
	kp_items_fini(&gone);
}

/* What is forgotten in the store is forgotten here, too. */
static enum kp_store_result
check_range(struct kp_desk *desk, uint64_t revision, int64_t deadline_ms,
    struct kp_error *err)
{
	struct kp_store_range range;
	enum kp_store_result result =
	    kp_desk_range(desk, &range, deadline_ms, err);

	if (result != KP_STORE_OK || revision >= range.oldest)
		return result;
	(void)kp_error_set(err, KP_ERR_CONFIG,
	    "revision %llu has been compacted", (unsigned long long)revision);
	return KP_STORE_COMPACTED;
}

enum kp_store_result
kp_desk_items_at(struct kp_desk *desk, uint64_t revision, struct kp_items *out,
    int64_t deadline_ms, struct kp_error *err)
{
	enum kp_store_result result;

	if (revision != kp_desk_revision(desk)) {
		result = check_range(desk, revision, deadline_ms, err);
		if (result != KP_STORE_OK)
			return result;
	}
	if (find_known(desk, revision, out))
		return KP_STORE_OK;
	result =
	    kp_items_load(out, desk->config.store, revision, deadline_ms, err);
	note_read(desk, result, err);
	if (result == KP_STORE_OK)
		keep_old(desk, out);
	return result;
}

enum kp_store_result
kp_desk_range(struct kp_desk *desk, struct kp_store_range *out,
    int64_t deadline_ms, struct kp_error *err)
{
	enum kp_store_result result =
	    kp_store_range(desk->config.store, out, deadline_ms, err);

	note_read(desk, result, err);
	return result;
}

enum kp_store_result
kp_desk_history(struct kp_desk *desk, uint64_t after, uint64_t last,
    kp_visit_revision visit, void *ctx, int64_t deadline_ms,
    struct kp_error *err)
{
	enum kp_store_result result = kp_store_history(
	    desk->config.store, after, last, visit, ctx, deadline_ms, err);

	note_read(desk, result, err);
	return result;
}

/* A place among those at work; false if there is none. */
static bool
enter(struct kp_desk *desk, struct kp_error *err)
{
	bool has_room;

	kp_mutex_lock(&desk->lock);
	has_room = desk->num_changes < desk->config.max_changes;
	if (has_room)
		desk->num_changes++;
	kp_mutex_unlock(&desk->lock);
	return has_room ||
	       kp_error_set(err, KP_ERR_LIMIT,
		   "%zu changes are being judged or wait for it; try again",
		   desk->config.max_changes);
}

static void
leave(struct kp_desk *desk)
{
	kp_mutex_lock(&desk->lock);
	desk->num_changes--;
	kp_mutex_unlock(&desk->lock);
}

static bool
has_changes(const struct kp_catalog_result *result)
{
	for (size_t i = 0; i < result->num_outcomes; i++) {
		if (result->outcomes[i].outcome != KP_OUTCOME_UNCHANGED)
			return true;
	}
	return false;
}

/* A verdict of the catalog, whose turn this was. */
static enum kp_verdict
settle(struct kp_desk *desk, enum kp_verdict verdict, bool is_dry_run,
    const struct kp_catalog_result *result, const struct kp_error *err)
{
	publish_if_new(desk);
	if (verdict == KP_VERDICT_UNAVAILABLE)
		note_store(desk, err);
	else if (verdict == KP_VERDICT_OK && !is_dry_run && has_changes(result))
		note_store(desk, NULL);
	give_turn(desk);
	if (verdict == KP_VERDICT_UNAVAILABLE)
		kp_log(
		    KP_LOG_ERROR, "store_failed", KP_STR("reason", err->text));
	return verdict;
}

static enum kp_verdict
wait_for_turn(struct kp_desk *desk, int64_t deadline_ms, struct kp_error *err)
{
	if (take_turn(desk, deadline_ms))
		return KP_VERDICT_OK;
	(void)kp_error_set(err, KP_ERR_TIMEOUT,
	    "other changes took all of the time there was");
	return KP_VERDICT_LATE;
}

enum kp_verdict
kp_desk_apply(struct kp_desk *desk, const struct kp_catalog_wish *wish,
    int64_t deadline_ms, struct kp_catalog_result *out, struct kp_error *err)
{
	enum kp_verdict verdict;

	*out = (struct kp_catalog_result){ .num_outcomes = 0 };
	if (!enter(desk, err))
		return KP_VERDICT_BUSY;
	verdict = wait_for_turn(desk, deadline_ms, err);
	if (verdict == KP_VERDICT_OK)
		verdict = settle(desk,
		    kp_catalog_apply(
			desk->catalog, wish, deadline_ms, out, err),
		    wish->is_dry_run, out, err);
	leave(desk);
	return verdict;
}

enum kp_verdict
kp_desk_rollback(struct kp_desk *desk, const struct kp_catalog_return *back,
    int64_t deadline_ms, struct kp_catalog_result *out, struct kp_error *err)
{
	enum kp_verdict verdict;

	*out = (struct kp_catalog_result){ .num_outcomes = 0 };
	if (!enter(desk, err))
		return KP_VERDICT_BUSY;
	verdict = wait_for_turn(desk, deadline_ms, err);
	if (verdict == KP_VERDICT_OK)
		verdict = settle(desk,
		    kp_catalog_rollback(
			desk->catalog, back, deadline_ms, out, err),
		    back->is_dry_run, out, err);
	leave(desk);
	return verdict;
}

enum kp_verdict
kp_desk_validate(struct kp_desk *desk, const struct kp_catalog_wish *wish,
    struct kp_catalog_result *out, struct kp_error *err)
{
	struct kp_items items = { .num = 0 };
	struct kp_draft draft = { .num_changes = 0 };
	enum kp_verdict verdict;

	*out = (struct kp_catalog_result){ .num_outcomes = 0 };
	if (!enter(desk, err))
		return KP_VERDICT_BUSY;
	kp_desk_items(desk, &items);
	verdict = kp_draft_wish(&draft, &items, wish, out, err);
	/* of what is found last there is no verdict yet */
	if (verdict == KP_VERDICT_OK &&
	    kp_diagnostics_count(&out->problems) > 0)
		verdict = KP_VERDICT_INVALID;
	kp_draft_fini(&draft);
	kp_items_fini(&items);
	leave(desk);
	return verdict;
}

bool
kp_desk_is_well(struct kp_desk *desk, struct kp_error *err)
{
	kp_mutex_lock(&desk->lock);
	*err = desk->problem;
	kp_mutex_unlock(&desk->lock);
	return err->kind == KP_ERR_NONE;
}

bool
kp_desk_range_seen(struct kp_desk *desk, struct kp_store_range *out)
{
	bool has_range;

	kp_mutex_lock(&desk->lock);
	*out = desk->range;
	has_range = desk->has_range;
	desk->is_range_wanted = true;
	kp_mutex_unlock(&desk->lock);
	return has_range;
}
