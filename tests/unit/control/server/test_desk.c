/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/desk.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "control/server/compact.h"
#include "control/server/sqlite.h"
#include "tests/support/folder.h"

#define PATIENCE_MS 10000
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
set_up(struct fixture *f, size_t max_changes)
{
	struct kp_desk_config config = {
		.max_changes = max_changes, .changed = on_changed, .ctx = f
	};
	char path[KP_TEST_PATH_LEN];

	*f = (struct fixture){ .err = { 0 } };
	kp_test_folder(f->folder);
	kp_test_path(path, f->folder, "kpserver.db");
	f->store = kp_sqlite_open(path, &f->err);
	cr_assert_not_null(f->store, "%s", f->err.text);
	config.store = f->store;
	f->desk = kp_desk_new(&config, &f->err);
	cr_assert_not_null(f->desk, "%s", f->err.text);
	kp_desk_start(f->desk);
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
apply(
    struct fixture *f, const char *name, const char *host, int64_t deadline_ms)
{
	char text[256];
	struct kp_catalog_file file = { .name = "f.yaml" };
	const struct kp_catalog_wish wish = { .files = &file,
		.num_files = 1,
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
