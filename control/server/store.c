/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/store.h"

#include <string.h>

#include "control/server/store_priv.h"

void
kp_store_init(struct kp_store *store, const struct kp_store_ops *ops)
{
	store->ops = ops;
	kp_mutex_init(&store->news_mutex, KP_RANK_STORE);
	kp_cond_init(&store->news);
}

void
kp_store_announce(struct kp_store *store, uint64_t newest)
{
	kp_mutex_lock(&store->news_mutex);
	if (newest > store->newest) {
		store->newest = newest;
		kp_cond_broadcast(&store->news);
	}
	kp_mutex_unlock(&store->news_mutex);
}

static enum kp_store_result
refuse(struct kp_error *err, const char *what, size_t max)
{
	(void)kp_error_set(
	    err, KP_ERR_LIMIT, "%s, at most %zu are allowed", what, max);
	return KP_STORE_INVALID;
}

static bool
is_name(const char *name)
{
	size_t len = strnlen(name, KP_STORE_MAX_NAME_LEN + 1);

	return len > 0 && len <= KP_STORE_MAX_NAME_LEN;
}

static enum kp_store_result
check_commit(const struct kp_store_note *note,
    const struct kp_store_change *changes, size_t num_changes,
    struct kp_error *err)
{
	if (num_changes > KP_STORE_MAX_CHANGES)
		return refuse(
		    err, "too many changes at once", KP_STORE_MAX_CHANGES);
	if (strlen(note->identity) > KP_STORE_MAX_NOTE_LEN ||
	    strlen(note->reason) > KP_STORE_MAX_NOTE_LEN)
		return refuse(err, "too many bytes of identity or reason",
		    KP_STORE_MAX_NOTE_LEN);
	for (size_t i = 0; i < num_changes; i++) {
		if (!is_name(changes[i].kind) || !is_name(changes[i].name))
			return refuse(err, "no bytes in a name or too many",
			    KP_STORE_MAX_NAME_LEN);
		if (changes[i].text.len > KP_STORE_MAX_TEXT_LEN)
			return refuse(err, "too many bytes of one resource",
			    KP_STORE_MAX_TEXT_LEN);
	}
	return KP_STORE_OK;
}

enum kp_store_result
kp_store_commit(struct kp_store *store, uint64_t base,
    const struct kp_store_note *note, const struct kp_store_change *changes,
    size_t num_changes, uint64_t *out_number, struct kp_error *err)
{
	enum kp_store_result result =
	    check_commit(note, changes, num_changes, err);

	if (result != KP_STORE_OK)
		return result;
	result = store->ops->commit(
	    store, base, note, changes, num_changes, out_number, err);
	if (result == KP_STORE_OK)
		kp_store_announce(store, *out_number);
	return result;
}

enum kp_store_result
kp_store_range(struct kp_store *store, struct kp_store_range *out,
    int64_t deadline_ms, struct kp_error *err)
{
	return store->ops->range(store, out, deadline_ms, err);
}

enum kp_store_result
kp_store_load(struct kp_store *store, uint64_t at, kp_visit_item visit,
    void *ctx, int64_t deadline_ms, struct kp_error *err)
{
	return store->ops->load(store, at, visit, ctx, deadline_ms, err);
}

enum kp_store_result
kp_store_history(struct kp_store *store, uint64_t after, uint64_t last,
    kp_visit_revision visit, void *ctx, int64_t deadline_ms,
    struct kp_error *err)
{
	return store->ops->history(
	    store, after, last, visit, ctx, deadline_ms, err);
}

enum kp_store_result
kp_store_compact(struct kp_store *store, uint64_t oldest, struct kp_error *err)
{
	return store->ops->compact(store, oldest, err);
}

static enum kp_store_result
check_records(const struct kp_store_record *records, size_t num_records,
    struct kp_error *err)
{
	if (num_records > KP_STORE_MAX_RECORDS)
		return refuse(
		    err, "too many records at once", KP_STORE_MAX_RECORDS);
	for (size_t i = 0; i < num_records; i++) {
		if (!is_name(records[i].bucket) || !is_name(records[i].name))
			return refuse(err, "no bytes in a name or too many",
			    KP_STORE_MAX_NAME_LEN);
		if (records[i].data.len > KP_STORE_MAX_RECORD_LEN)
			return refuse(err, "too many bytes of one record",
			    KP_STORE_MAX_RECORD_LEN);
	}
	return KP_STORE_OK;
}

enum kp_store_result
kp_store_put_records(struct kp_store *store,
    const struct kp_store_record *records, size_t num_records,
    struct kp_error *err)
{
	enum kp_store_result result = check_records(records, num_records, err);

	if (result != KP_STORE_OK)
		return result;
	return store->ops->put_records(store, records, num_records, err);
}

enum kp_store_result
kp_store_each_record(struct kp_store *store, const char *bucket,
    kp_visit_record visit, void *ctx, struct kp_error *err)
{
	return store->ops->each_record(store, bucket, visit, ctx, err);
}

uint64_t
kp_store_wait(struct kp_store *store, uint64_t after, int64_t deadline_ms)
{
	uint64_t newest;

	kp_mutex_lock(&store->news_mutex);
	while (store->newest <= after && !store->is_woken &&
	       kp_cond_wait(&store->news, &store->news_mutex, deadline_ms))
		;
	newest = store->newest;
	kp_mutex_unlock(&store->news_mutex);
	return newest;
}

void
kp_store_wake(struct kp_store *store)
{
	kp_mutex_lock(&store->news_mutex);
	store->is_woken = true;
	kp_cond_broadcast(&store->news);
	kp_mutex_unlock(&store->news_mutex);
}

bool
kp_store_leads(struct kp_store *store)
{
	return store->ops->leads == NULL || store->ops->leads(store);
}

void
kp_store_close(struct kp_store *store)
{
	if (store->ops->stop != NULL)
		store->ops->stop(store);
	kp_cond_fini(&store->news);
	kp_mutex_fini(&store->news_mutex);
	store->ops->close(store);
}
