/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/catalog.h"

#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/rpc/backoff.h"
#include "control/server/catalog_priv.h"

/* How often a wish is judged anew because another server was faster, and how
 * long it lets the others go first: longer each time. */
#define MAX_ATTEMPTS 16
#define FIRST_PAUSE_MS 4
#define MAX_PAUSE_MS 250

/* Revisions that are read one by one, instead of the state as a whole. */
#define MAX_FOLLOWED 100

struct kp_catalog {
	struct kp_store *store;
	struct kp_items items;
	int64_t newest_ms; /* of its last revision */
};

struct kp_catalog *
kp_catalog_open(struct kp_store *store, struct kp_error *err)
{
	struct kp_catalog *catalog = kp_alloc(1, sizeof(*catalog));

	catalog->store = store;
	if (kp_catalog_refresh(catalog, err))
		return catalog;
	kp_catalog_close(catalog);
	return NULL;
}

void
kp_catalog_close(struct kp_catalog *catalog)
{
	kp_items_fini(&catalog->items);
	free(catalog);
}

const struct kp_items *
kp_catalog_items(const struct kp_catalog *catalog)
{
	return &catalog->items;
}

int64_t
kp_catalog_newest_ms(const struct kp_catalog *catalog)
{
	return catalog->newest_ms;
}

static void
take_time(void *ctx, const struct kp_store_revision *revision)
{
	struct kp_catalog *catalog = ctx;

	if (revision->note.time_ms > catalog->newest_ms)
		catalog->newest_ms = revision->note.time_ms;
}

/* Of a revision whose note was forgotten the time is not known any more. */
static bool
read_time(struct kp_catalog *catalog, const struct kp_store_range *range,
    struct kp_error *err)
{
	if (range->newest == range->oldest)
		return true;
	return kp_store_history(catalog->store, range->newest - 1,
		   range->newest, take_time, catalog, KP_NEVER,
		   err) == KP_STORE_OK;
}

/* One for which there is no memory is the last one; the next is not its turn.
 */
static void
take_revision(void *ctx, const struct kp_store_revision *revision)
{
	struct kp_catalog *catalog = ctx;
	struct kp_items next = { .num = 0 };
	struct kp_error err;

	if (revision->number != catalog->items.revision + 1 ||
	    !kp_items_next(&next, &catalog->items, revision->number,
		revision->changes, revision->num_changes, &err))
		return;
	take_time(ctx, revision);
	kp_items_take(&catalog->items, &next);
}

/* Goes on from what is known, if that is not far behind; false if it is. */
static bool
follow(struct kp_catalog *catalog, const struct kp_store_range *range)
{
	uint64_t known = catalog->items.revision;
	struct kp_error err;

	if (known == 0 || known < range->oldest ||
	    range->newest - known > MAX_FOLLOWED)
		return false;
	return kp_store_history(catalog->store, known, range->newest,
		   take_revision, catalog, KP_NEVER, &err) == KP_STORE_OK &&
	       catalog->items.revision == range->newest;
}

bool
kp_catalog_refresh(struct kp_catalog *catalog, struct kp_error *err)
{
	struct kp_store_range range;

	if (kp_store_range(catalog->store, &range, KP_NEVER, err) !=
	    KP_STORE_OK)
		return false;
	if (range.newest <= catalog->items.revision || follow(catalog, &range))
		return true;
	return read_time(catalog, &range, err) &&
	       kp_items_load(&catalog->items, catalog->store, range.newest,
		   KP_NEVER, err) == KP_STORE_OK;
}

void
kp_catalog_result_fini(struct kp_catalog_result *result)
{
	for (size_t i = 0; i < result->num_outcomes; i++) {
		free(result->outcomes[i].kind);
		free(result->outcomes[i].name);
		free(result->outcomes[i].before);
		free(result->outcomes[i].after);
	}
	free(result->outcomes);
	kp_diagnostics_fini(&result->problems);
}

/* A change and those of other servers: judged again whenever one was faster. */
struct race {
	int64_t deadline_ms;
	struct kp_rpc_backoff backoff;
	int num_lost;
	bool is_lost; /* this time */
};

static struct race
race_until(int64_t deadline_ms)
{
	return (struct race){ .deadline_ms = deadline_ms,
		.backoff = {
		    .first_ms = FIRST_PAUSE_MS, .max_ms = MAX_PAUSE_MS } };
}

static enum kp_verdict
commit(struct kp_catalog *catalog, const struct kp_draft *draft,
    const struct kp_store_note *wanted, struct race *race,
    struct kp_catalog_result *out, struct kp_error *err)
{
	const struct kp_origin at = { .file = "request" };
	uint64_t base = catalog->items.revision;
	struct kp_store_note note = *wanted;
	struct kp_items next = { .num = 0 };
	enum kp_store_result result;

	if (kp_now_ms() >= race->deadline_ms) {
		(void)kp_error_set(err, KP_ERR_TIMEOUT,
		    "time was up when it could be stored; nothing was changed");
		return KP_VERDICT_LATE;
	}
	if (note.time_ms < catalog->newest_ms)
		note.time_ms = catalog->newest_ms;
	/* what is committed must not fail any more */
	if (!kp_items_next(&next, &catalog->items, base + 1, draft->changes,
		draft->num_changes, err))
		return KP_VERDICT_UNAVAILABLE;
	result = kp_store_commit(catalog->store, base, &note, draft->changes,
	    draft->num_changes, &out->revision, err);
	if (result == KP_STORE_OK)
		kp_items_take(&catalog->items, &next);
	kp_items_fini(&next);
	race->is_lost = result == KP_STORE_CONFLICT;
	if (result == KP_STORE_INVALID) {
		kp_diagnostics_add(&out->problems, &at, "%s", err->text);
		return KP_VERDICT_INVALID;
	}
	if (result != KP_STORE_OK)
		return KP_VERDICT_UNAVAILABLE;
	catalog->newest_ms = note.time_ms;
	return KP_VERDICT_OK;
}

/* The document of a name before; data NULL: there is none. */
static struct kp_bytes
text_before(
    const struct kp_catalog *catalog, const char *kind, const char *name)
{
	const struct kp_item *item = kp_items_find(&catalog->items, kind, name);

	return item == NULL ? (struct kp_bytes){ .data = NULL }
			    : kp_buf_bytes(&item->text);
}

/* Is the wisher allowed all of it? err names what is not. */
static bool
may_edit(const struct kp_catalog *catalog, const struct kp_draft *draft,
    const struct kp_catalog_judge *judge, struct kp_error *err)
{
	if (judge->may_edit == NULL)
		return true;
	for (size_t i = 0; i < draft->num_changes; i++) {
		const struct kp_store_change *change = &draft->changes[i];
		const struct kp_catalog_edit edit = {
			.id = { change->kind, change->name },
			.before =
			    text_before(catalog, change->kind, change->name),
			.after = change->text,
		};

		if (!judge->may_edit(judge->ctx, &edit, err))
			return false;
	}
	return true;
}

static char *
dup_text(struct kp_bytes text)
{
	return text.data == NULL
		   ? NULL
		   : kp_strndup((const char *)text.data, text.len);
}

/* Outcomes that are changes have the order of the draft's changes. */
static void
add_documents(const struct kp_catalog *catalog, const struct kp_draft *draft,
    struct kp_catalog_result *out)
{
	size_t next = 0;

	for (size_t i = 0; i < out->num_outcomes; i++) {
		struct kp_catalog_outcome *outcome = &out->outcomes[i];

		if (outcome->outcome == KP_OUTCOME_UNCHANGED)
			continue;
		kp_assert(next < draft->num_changes);
		outcome->before = dup_text(
		    text_before(catalog, outcome->kind, outcome->name));
		outcome->after = dup_text(draft->changes[next++].text);
	}
}

/* After a race that was lost: lets the others go first, or says with verdict
 * and err that there is no other attempt. */
static bool
may_try_again(struct race *race, enum kp_verdict *verdict, struct kp_error *err)
{
	int64_t pause_ms = kp_rpc_backoff_next(&race->backoff);
	const struct timespec pause = { .tv_nsec = (long)pause_ms * 1000000 };

	if (++race->num_lost == MAX_ATTEMPTS) {
		*verdict = KP_VERDICT_UNAVAILABLE;
		return kp_error_set(err, KP_ERR_UNAVAILABLE,
		    "other servers were faster %d times; nothing was changed, "
		    "try again",
		    MAX_ATTEMPTS);
	}
	if (race->deadline_ms - kp_now_ms() <= pause_ms) {
		*verdict = KP_VERDICT_LATE;
		return kp_error_set(err, KP_ERR_TIMEOUT,
		    "other servers were faster until time was up (%d times); "
		    "nothing was changed, try again",
		    race->num_lost);
	}
	(void)nanosleep(&pause, NULL);
	return true;
}

/* What becomes of a draft, the next one if the race is lost. */
static enum kp_verdict
settle(struct kp_catalog *catalog, const struct kp_draft *draft,
    const struct kp_catalog_wish *wish, struct race *race,
    struct kp_catalog_result *out, struct kp_error *err)
{
	out->revision = catalog->items.revision;
	if (kp_diagnostics_count(&out->problems) > 0)
		return KP_VERDICT_INVALID;
	if (!may_edit(catalog, draft, &wish->judge, err))
		return KP_VERDICT_FORBIDDEN;
	if (wish->with_documents)
		add_documents(catalog, draft, out);
	if (wish->is_dry_run || draft->num_changes == 0)
		return KP_VERDICT_OK;
	return commit(catalog, draft, &wish->note, race, out, err);
}

enum kp_verdict
kp_catalog_apply(struct kp_catalog *catalog, const struct kp_catalog_wish *wish,
    int64_t deadline_ms, struct kp_catalog_result *out, struct kp_error *err)
{
	struct race race = race_until(deadline_ms);
	enum kp_verdict verdict;

	*out = (struct kp_catalog_result){ .num_outcomes = 0 };
	do {
		struct kp_draft draft = { .num_changes = 0 };

		race.is_lost = false;
		if (!kp_catalog_refresh(catalog, err))
			return KP_VERDICT_UNAVAILABLE;
		kp_catalog_result_fini(out);
		*out = (struct kp_catalog_result){ .num_outcomes = 0 };
		verdict =
		    kp_draft_wish(&draft, &catalog->items, wish, out, err);
		if (verdict == KP_VERDICT_OK)
			verdict =
			    settle(catalog, &draft, wish, &race, out, err);
		kp_draft_fini(&draft);
	} while (race.is_lost && may_try_again(&race, &verdict, err));
	return verdict;
}

static enum kp_verdict
load_old(struct kp_catalog *catalog, uint64_t at, struct kp_items *out,
    int64_t deadline_ms, struct kp_error *err)
{
	switch (kp_items_load(out, catalog->store, at, deadline_ms, err)) {
	case KP_STORE_OK:
		return KP_VERDICT_OK;
	case KP_STORE_COMPACTED:
		return KP_VERDICT_COMPACTED;
	case KP_STORE_INVALID:
		return KP_VERDICT_NOT_FOUND;
	case KP_STORE_LATE:
		return KP_VERDICT_LATE;
	case KP_STORE_CONFLICT:
	case KP_STORE_FAILED:
		break;
	}
	return KP_VERDICT_UNAVAILABLE;
}

enum kp_verdict
kp_catalog_rollback(struct kp_catalog *catalog,
    const struct kp_catalog_return *back, int64_t deadline_ms,
    struct kp_catalog_result *out, struct kp_error *err)
{
	const struct kp_catalog_wish wish = { .is_dry_run = back->is_dry_run,
		.judge = back->judge,
		.note = back->note };
	struct kp_items old = { .num = 0 };
	enum kp_verdict verdict =
	    load_old(catalog, back->to, &old, deadline_ms, err);
	struct race race = race_until(deadline_ms);

	*out = (struct kp_catalog_result){ .num_outcomes = 0 };
	if (verdict != KP_VERDICT_OK)
		return verdict;
	do {
		struct kp_draft draft = { .num_changes = 0 };

		race.is_lost = false;
		if (!kp_catalog_refresh(catalog, err)) {
			verdict = KP_VERDICT_UNAVAILABLE;
			break;
		}
		kp_catalog_result_fini(out);
		*out = (struct kp_catalog_result){ .num_outcomes = 0 };
		kp_draft_return(&draft, &catalog->items, &old, out);
		verdict = settle(catalog, &draft, &wish, &race, out, err);
		kp_draft_fini(&draft);
	} while (race.is_lost && may_try_again(&race, &verdict, err));
	kp_items_fini(&old);
	return verdict;
}
