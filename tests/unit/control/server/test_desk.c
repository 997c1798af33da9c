/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/desk.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "control/server/compact.h"
#include "control/server/sqlite.h"
#include "control/server/store_priv.h"
#include "tests/support/folder.h"

#define PATIENCE_MS 60000
#define THREADS 4
#define CHANGES 20

struct fixture {
	char folder[KP_TEST_PATH_LEN];
	struct kp_store *store;
	struct kp_desk *desk;
	struct kp_error err;
	_Atomic uint64_t told;  /* the last revision that was told */
	atomic_int num_wrong;   /* not told in order, or not alone */
	atomic_int num_at_work; /* inside of on_changed */
	atomic_bool is_held;    /* on_changed does not return */
};

static void
on_changed(void *ctx, const struct kp_items *items, int64_t committed_ms)
{
	struct fixture *f = ctx;

	(void)committed_ms;
	if (atomic_fetch_add(&f->num_at_work, 1) != 0 ||
	    items->revision < atomic_load(&f->told))
		atomic_fetch_add(&f->num_wrong, 1);
	atomic_store(&f->told, items->revision);
	while (atomic_load(&f->is_held))
		;
	atomic_fetch_sub(&f->num_at_work, 1);
}

static void
set_up_store(struct fixture *f)
{
	char path[KP_TEST_PATH_LEN];

	*f = (struct fixture){ .err = { 0 } };
	kp_test_folder(f->folder);
	kp_test_path(path, f->folder, "kpserver.db");
	f->store = kp_sqlite_open(path, &f->err);
	cr_assert_not_null(f->store, "%s", f->err.text);
}

static void
set_up_desk(struct fixture *f, size_t max_changes)
{
	const struct kp_desk_config config = { .store = f->store,
		.max_changes = max_changes,
		.changed = on_changed,
		.ctx = f };

	f->desk = kp_desk_new(&config, &f->err);
	cr_assert_not_null(f->desk, "%s", f->err.text);
	kp_desk_start(f->desk);
}

static void
set_up(struct fixture *f, size_t max_changes)
{
	set_up_store(f);
	set_up_desk(f, max_changes);
}

static void
tear_down(struct fixture *f)
{
	kp_desk_free(f->desk);
	kp_store_close(f->store);
	cr_assert_eq(atomic_load(&f->num_wrong), 0);
	kp_test_folder_remove(f->folder);
}

static enum kp_verdict
wish(struct fixture *f, const char *name, const char *host, bool is_dry_run,
    int64_t deadline_ms)
{
	char text[256];
	struct kp_catalog_file file = { .name = "f.yaml" };
	const struct kp_catalog_wish wish = { .files = &file,
		.num_files = 1,
		.is_dry_run = is_dry_run,
		.note = { "ada", "", kp_wall_ms() } };
	struct kp_catalog_result result;
	struct kp_error err;
	enum kp_verdict verdict;

	(void)snprintf(text, sizeof(text),
	    "{apiVersion: kproxy/v1, kind: Cluster, metadata: {name: %s}, "
	    "spec: {bootstrap: [\"%s:9092\"]}}",
	    name, host);
	file.text = kp_bytes_of(text);
	verdict = kp_desk_apply(f->desk, &wish, deadline_ms, &result, &err);
	kp_catalog_result_fini(&result);
	return verdict;
}

static enum kp_verdict
apply(
    struct fixture *f, const char *name, const char *host, int64_t deadline_ms)
{
	return wish(f, name, host, false, deadline_ms);
}

struct worker {
	struct fixture *fixture;
	int number;
	pthread_t thread;
};

static void *
change_all(void *arg)
{
	struct worker *worker = arg;
	char name[16], host[16];

	(void)snprintf(name, sizeof(name), "c%d", worker->number);
	for (int i = 0; i < CHANGES; i++) {
		(void)snprintf(host, sizeof(host), "h%d", i);
		cr_assert_eq(apply(worker->fixture, name, host, KP_NEVER),
		    KP_VERDICT_OK);
		/* what was answered can be read at once */
		cr_assert(
		    kp_desk_revision(worker->fixture->desk) >= (uint64_t)i + 1);
	}
	return NULL;
}

Test(desk, changes_of_many_threads_are_told_one_after_the_other)
{
	struct worker workers[THREADS];
	struct kp_items items = { .num = 0 };
	struct fixture f;

	set_up(&f, THREADS);
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .fixture = &f, .number = i };
		kp_must(pthread_create(
		    &workers[i].thread, NULL, change_all, &workers[i]));
	}
	for (int i = 0; i < THREADS; i++)
		kp_must(pthread_join(workers[i].thread, NULL));
	kp_desk_items(f.desk, &items);
	cr_assert_eq(items.revision, THREADS * CHANGES);
	cr_assert_eq(items.num, THREADS);
	cr_assert_eq(atomic_load(&f.told), THREADS * CHANGES);
	kp_items_fini(&items);
	tear_down(&f);
}

static void *
change_one(void *arg)
{
	struct worker *worker = arg;

	cr_assert_eq(apply(worker->fixture, "a", "h", KP_NEVER), KP_VERDICT_OK);
	return NULL;
}

Test(desk, reads_and_checks_do_not_wait_for_a_change_and_changes_not_forever)
{
	struct worker worker;
	struct kp_items items = { .num = 0 };
	struct kp_catalog_wish nothing = { .num_files = 0 };
	struct kp_catalog_result result;
	struct fixture f;

	set_up(&f, 2);
	atomic_store(&f.is_held, true);
	worker = (struct worker){ .fixture = &f };
	kp_must(pthread_create(&worker.thread, NULL, change_one, &worker));
	while (atomic_load(&f.told) != 1)
		;
	kp_desk_items(f.desk, &items);
	cr_assert_eq(items.revision, 1);
	kp_items_fini(&items);
	cr_assert_eq(
	    kp_desk_validate(f.desk, &nothing, &result, &f.err), KP_VERDICT_OK);
	kp_catalog_result_fini(&result);
	cr_assert_eq(apply(&f, "b", "h", kp_now_ms() + 20), KP_VERDICT_LATE);
	atomic_store(&f.is_held, false);
	kp_must(pthread_join(worker.thread, NULL));
	cr_assert_eq(
	    apply(&f, "b", "h", kp_now_ms() + PATIENCE_MS), KP_VERDICT_OK);
	tear_down(&f);
}

Test(desk, more_changes_than_may_wait_are_refused)
{
	struct worker worker;
	struct fixture f;

	set_up(&f, 1);
	atomic_store(&f.is_held, true);
	worker = (struct worker){ .fixture = &f };
	kp_must(pthread_create(&worker.thread, NULL, change_one, &worker));
	while (atomic_load(&f.told) != 1)
		;
	cr_assert_eq(apply(&f, "b", "h", KP_NEVER), KP_VERDICT_BUSY);
	atomic_store(&f.is_held, false);
	kp_must(pthread_join(worker.thread, NULL));
	tear_down(&f);
}

Test(desk, what_another_server_commits_is_followed)
{
	static const char text[] =
	    "apiVersion: kproxy/v1\nkind: Cluster\nmetadata:\n  name: x\n"
	    "spec:\n  bootstrap:\n  - b:9092\n";
	const struct kp_store_note note = { "bob", "", 5 };
	const struct kp_store_change change = { "Cluster", "x",
		kp_bytes_of(text), true };
	int64_t deadline_ms = kp_now_ms() + PATIENCE_MS;
	struct fixture f;
	uint64_t number;

	set_up(&f, 2);
	cr_assert_eq(
	    kp_store_commit(f.store, 0, &note, &change, 1, &number, &f.err),
	    KP_STORE_OK);
	while (atomic_load(&f.told) != 1 && kp_now_ms() < deadline_ms)
		;
	cr_assert_eq(kp_desk_revision(f.desk), 1);
	tear_down(&f);
}

/* The store, and what is in its way: of one thread before the desk has any. */
static const struct kp_store_ops *whole;
static atomic_bool is_full;

static bool
has_room(struct kp_error *err)
{
	return !atomic_load(&is_full) ||
	       kp_error_set(err, KP_ERR_UNAVAILABLE, "the disk is full");
}

static enum kp_store_result
commit_with_room(struct kp_store *store, uint64_t base,
    const struct kp_store_note *note, const struct kp_store_change *changes,
    size_t num_changes, uint64_t *out_number, struct kp_error *err)
{
	if (!has_room(err))
		return KP_STORE_FAILED;
	return whole->commit(
	    store, base, note, changes, num_changes, out_number, err);
}

static enum kp_store_result
put_records_with_room(struct kp_store *store,
    const struct kp_store_record *records, size_t num_records,
    struct kp_error *err)
{
	if (!has_room(err))
		return KP_STORE_FAILED;
	return whole->put_records(store, records, num_records, err);
}

Test(desk, only_who_has_written_says_that_the_store_is_well)
{
	const struct kp_store_note note = { "bob", "", 5 };
	const struct kp_store_change change = { "Cluster", "x",
		kp_bytes_of("{apiVersion: kproxy/v1, kind: Cluster, metadata: "
			    "{name: x}, spec: {bootstrap: [\"b:9092\"]}}"),
		true };
	struct kp_store_ops ops;
	struct fixture f;
	uint64_t number;

	set_up_store(&f);
	whole = f.store->ops;
	ops = *whole;
	ops.commit = commit_with_room;
	ops.put_records = put_records_with_room;
	f.store->ops = &ops;
	set_up_desk(&f, 2);
	cr_assert_eq(apply(&f, "a", "h", KP_NEVER), KP_VERDICT_OK);
	cr_assert(kp_desk_is_well(f.desk, &f.err));
	atomic_store(&is_full, true);
	cr_assert_eq(apply(&f, "b", "h", KP_NEVER), KP_VERDICT_UNAVAILABLE);
	cr_assert(!kp_desk_is_well(f.desk, &f.err));
	/* another server has room, and what it does is seen */
	cr_assert_eq(
	    whole->commit(f.store, 1, &note, &change, 1, &number, &f.err),
	    KP_STORE_OK);
	kp_store_announce(f.store, number);
	while (atomic_load(&f.told) != 2)
		;
	/* these wait for whoever follows to have ended */
	cr_assert_eq(wish(&f, "b", "h", true, KP_NEVER), KP_VERDICT_OK);
	cr_assert_eq(wish(&f, "b", "a b", true, KP_NEVER), KP_VERDICT_INVALID);
	cr_assert_eq(apply(&f, "a", "h", KP_NEVER), KP_VERDICT_OK);
	cr_assert(!kp_desk_is_well(f.desk, &f.err));
	cr_assert_str_eq(f.err.text, "the disk is full");
	atomic_store(&is_full, false);
	cr_assert_eq(apply(&f, "b", "h", KP_NEVER), KP_VERDICT_OK);
	cr_assert(kp_desk_is_well(f.desk, &f.err));
	tear_down(&f);
}

Test(desk, old_states_can_be_read_until_they_are_compacted)
{
	struct kp_items items = { .num = 0 };
	struct fixture f;
	char host[16];

	set_up(&f, 2);
	for (int i = 1; i <= 20; i++) {
		(void)snprintf(host, sizeof(host), "h%d", i);
		cr_assert_eq(apply(&f, "a", host, KP_NEVER), KP_VERDICT_OK);
	}
	for (uint64_t at = 0; at <= 20; at++) {
		cr_assert_eq(
		    kp_desk_items_at(f.desk, at, &items, KP_NEVER, &f.err),
		    KP_STORE_OK);
		cr_assert_eq(items.revision, at);
		(void)snprintf(host, sizeof(host), "h%d:", (int)at);
		if (at > 0)
			cr_assert_not_null(strstr(
			    (const char *)items.list[0]->text.data, host));
		kp_items_fini(&items);
	}
	cr_assert_eq(kp_desk_items_at(f.desk, 21, &items, KP_NEVER, &f.err),
	    KP_STORE_INVALID);
	cr_assert_eq(kp_store_compact(f.store, 19, &f.err), KP_STORE_OK);
	/* although it is still in memory */
	cr_assert_eq(kp_desk_items_at(f.desk, 18, &items, KP_NEVER, &f.err),
	    KP_STORE_COMPACTED);
	tear_down(&f);
}

static void
commit_at(struct kp_store *store, uint64_t base, int64_t time_ms)
{
	const struct kp_store_note note = { "ada", "", time_ms };
	const struct kp_store_change change = { "Cluster", "x",
		kp_bytes_of("x"), true };
	struct kp_error err;
	uint64_t number;

	cr_assert_eq(
	    kp_store_commit(store, base, &note, &change, 1, &number, &err),
	    KP_STORE_OK);
}

Test(compact, forgets_by_number_and_by_age_and_keeps_the_newest)
{
	static const struct {
		uint64_t max_revisions;
		int64_t max_age_ms, now_ms;
		uint64_t oldest;
	} cases[] = {
		{ 1000, 1000000, 30000, 0 },
		{ 1000, 1000, 10000, 8 }, /* those at 1000 to 8000 */
		{ 15, 1000000, 30000, 15 }, { 12, 1000, 21000, 19 },
		{ 10, 1, 1000000, 20 }, /* ten are kept */
	};
	char folder[KP_TEST_PATH_LEN], path[KP_TEST_PATH_LEN];
	struct kp_compact_config config;
	struct kp_store_range range;
	struct kp_error err;

	kp_test_folder(folder);
	kp_test_path(path, folder, "kpserver.db");
	config.store = kp_sqlite_open(path, &err);
	cr_assert_not_null(config.store);
	for (uint64_t i = 0; i < 30; i++)
		commit_at(config.store, i, ((int64_t)i + 1) * 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		config.max_revisions = cases[i].max_revisions;
		config.max_age_ms = cases[i].max_age_ms;
		cr_assert(kp_compact_once(&config, cases[i].now_ms, &err));
		cr_assert_eq(
		    kp_store_range(config.store, &range, KP_NEVER, &err),
		    KP_STORE_OK);
		cr_assert_eq(range.oldest, cases[i].oldest, "%zu: %d", i,
		    (int)range.oldest);
	}
	kp_store_close(config.store);
	kp_test_folder_remove(folder);
}
