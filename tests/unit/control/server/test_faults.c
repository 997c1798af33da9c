/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each allocation of what the policy server does with its resources is refused
 * in turn, ours and those of SQLite. What fails says so and has changed
 * nothing; the same again, with memory, works.
 */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/server/catalog.h"
#include "control/server/sqlite.h"
#include "tests/support/folder.h"

#define CLUSTER(name_, broker_) \
	"apiVersion: kproxy/v1\nkind: Cluster\nmetadata: {name: " name_ "}\n" \
	"spec: {bootstrap: [\"" broker_ ":9092\"]}\n"
#define LISTENER \
	"apiVersion: kproxy/v1\nkind: Listener\nmetadata: {name: l}\n" \
	"spec: {bind: 127.0.0.1, advertisedHost: localhost,\n" \
	"  ports: {bootstrap: 19092, first: 19093, count: 4}}\n"
/* No operation here needs as many. */
#define MANY 20000

static const struct kp_store_note note = { "ada", "because", 1234 };

/* SQLite's memory, of which the n-th piece from now on is refused; 0: none. */
static sqlite3_mem_methods memory;
static unsigned nth;

static bool
is_refused(void)
{
	return nth > 0 && --nth == 0;
}

static void *
sqlite_malloc(int size)
{
	return is_refused() ? NULL : memory.xMalloc(size);
}

static void *
sqlite_realloc(void *old, int size)
{
	return is_refused() ? NULL : memory.xRealloc(old, size);
}

static void
fail_after(bool is_sqlite, unsigned n)
{
	if (is_sqlite)
		nth = n;
	else
		kp_alloc_fail_after(n);
}

struct fixture {
	char folder[KP_TEST_PATH_LEN], path[KP_TEST_PATH_LEN];
	struct kp_store *store;
	struct kp_catalog *catalog;
};

/* Once for a process: SQLite refuses it after its first use. */
static void
take_over_memory(void)
{
	static bool was_taken;
	sqlite3_mem_methods faulty;

	if (was_taken)
		return;
	was_taken = true;
	cr_assert_eq(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory), 0);
	faulty = memory;
	faulty.xMalloc = sqlite_malloc;
	faulty.xRealloc = sqlite_realloc;
	cr_assert_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &faulty), 0);
	/* each piece is asked for, as none is kept for later */
	cr_assert_eq(sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0), 0);
}

static void
set_up(struct fixture *f)
{
	struct kp_error err = { 0 };

	take_over_memory();
	kp_test_folder(f->folder);
	kp_test_path(f->path, f->folder, "kproxy.db");
	f->store = kp_sqlite_open(f->path, &err);
	cr_assert_not_null(f->store, "%s", err.text);
	f->catalog = kp_catalog_open(f->store, &err);
	cr_assert_not_null(f->catalog, "%s", err.text);
}

static void
tear_down(struct fixture *f)
{
	kp_catalog_close(f->catalog);
	kp_store_close(f->store);
	kp_test_folder_remove(f->folder);
}

/* "Cluster/a@1=text\n" for each resource. */
static void
add_item(struct kp_buf *out, const char *kind, const char *name,
    uint64_t revision, struct kp_bytes text)
{
	kp_buf_printf(out, "%s/%s@%llu=%.*s\n", kind, name,
	    (unsigned long long)revision, (int)text.len,
	    (const char *)text.data);
}

static void
add_stored(void *ctx, const struct kp_store_item *item)
{
	add_item(ctx, item->kind, item->name, item->revision, item->text);
}

/* The store and the catalog say the same, of that revision. */
static void
expect_same(const struct fixture *f, uint64_t revision)
{
	const struct kp_items *items = kp_catalog_items(f->catalog);
	struct kp_store_range range;
	struct kp_buf known, stored;
	struct kp_error err = { 0 };

	kp_buf_init(&known, 65536);
	kp_buf_init(&stored, 65536);
	cr_assert_eq(
	    kp_store_range(f->store, &range, KP_NEVER, &err), KP_STORE_OK);
	cr_assert_eq(range.newest, revision);
	cr_assert_eq(items->revision, revision);
	for (size_t i = 0; i < items->num; i++)
		add_item(&known, items->list[i]->kind, items->list[i]->name,
		    items->list[i]->revision,
		    kp_buf_bytes(&items->list[i]->text));
	cr_assert_eq(kp_store_load(f->store, revision, add_stored, &stored,
			 KP_NEVER, &err),
	    KP_STORE_OK, "%s", err.text);
	cr_assert_str_eq(kp_buf_text(&known), kp_buf_text(&stored));
	kp_buf_fini(&known);
	kp_buf_fini(&stored);
}

static enum kp_verdict
apply(struct fixture *f, const char *text, const char *deleted,
    struct kp_error *err)
{
	const struct kp_catalog_file file = { "f.yaml", kp_bytes_of(text) };
	const struct kp_catalog_id id = { "Cluster", deleted };
	const struct kp_catalog_wish wish = {
		.files = &file,
		.num_files = 1,
		.deletions = &id,
		.num_deletions = deleted == NULL ? 0 : 1,
		.with_documents = true,
		.note = note,
	};
	struct kp_catalog_result result;
	enum kp_verdict verdict =
	    kp_catalog_apply(f->catalog, &wish, KP_NEVER, &result, err);

	cr_assert(verdict != KP_VERDICT_INVALID ||
		  kp_diagnostics_count(&result.problems) > 0);
	kp_catalog_result_fini(&result);
	return verdict;
}

static void
apply_through_faults(struct fixture *f, bool is_sqlite, uint64_t base,
    const char *text, const char *deleted)
{
	enum kp_verdict verdict = KP_VERDICT_UNAVAILABLE;
	unsigned n = 0;

	while (verdict != KP_VERDICT_OK) {
		struct kp_error err = { 0 };

		cr_assert(++n < MANY);
		fail_after(is_sqlite, n);
		verdict = apply(f, text, deleted, &err);
		fail_after(is_sqlite, 0);
		if (verdict == KP_VERDICT_OK)
			break;
		cr_assert(verdict == KP_VERDICT_INVALID ||
			      verdict == KP_VERDICT_UNAVAILABLE,
		    "%u: %d", n, (int)verdict);
		cr_assert(verdict == KP_VERDICT_INVALID || err.text[0] != '\0');
		expect_same(f, base);
	}
	cr_assert(n > 1);
	expect_same(f, base + 1);
}

static void
go_through_changes(bool is_sqlite)
{
	struct fixture f;

	set_up(&f);
	apply_through_faults(&f, is_sqlite, 0,
	    CLUSTER("a", "x") "---\n" CLUSTER("b", "x") "---\n" LISTENER, NULL);
	apply_through_faults(
	    &f, is_sqlite, 1, CLUSTER("b", "y") "---\n" CLUSTER("c", "y"), "a");
	tear_down(&f);
}

Test(server_faults, a_change_is_made_or_refused)
{
	go_through_changes(false);
}

Test(server_faults, a_change_is_made_or_refused_without_memory_for_sqlite)
{
	go_through_changes(true);
}

static void
count_record(void *ctx, const struct kp_store_record *record)
{
	cr_assert_not_null(record->name);
	cr_assert_eq(record->data.len, 3);
	++*(size_t *)ctx;
}

/* text NULL: it is deleted. */
static void
commit(struct fixture *f, uint64_t base, const char *name, const char *text)
{
	struct kp_store_change change = {
		.kind = "Cluster", .name = name, .is_new = true
	};
	struct kp_error err = { 0 };
	uint64_t number;

	if (text != NULL)
		change.text = kp_bytes_of(text);
	cr_assert_eq(
	    kp_store_commit(f->store, base, &note, &change, 1, &number, &err),
	    KP_STORE_OK, "%s", err.text);
}

/* Falling back to reading all of it may get over a fault; half is never shown.
 */
static void
go_through_refresh(bool is_sqlite, unsigned num)
{
	struct fixture f;
	uint64_t newest = 1;

	set_up(&f);
	commit(&f, 0, "a", CLUSTER("a", "x"));
	for (unsigned n = 1; n <= num; n++) {
		struct kp_error err = { 0 };
		bool is_ok;

		cr_assert(kp_catalog_refresh(f.catalog, &err));
		commit(&f, newest, "b", n % 2 == 0 ? CLUSTER("b", "x") : NULL);
		commit(&f, newest + 1, "c", CLUSTER("c", "x"));
		fail_after(is_sqlite, n);
		is_ok = kp_catalog_refresh(f.catalog, &err);
		fail_after(is_sqlite, 0);
		cr_assert(is_ok || err.text[0] != '\0');
		newest += 2;
		if (is_ok)
			expect_same(&f, newest);
		else
			cr_assert(kp_catalog_items(f.catalog)->revision <=
				  newest - 1);
	}
	tear_down(&f);
}

Test(server_faults, what_others_committed_is_read_or_not)
{
	go_through_refresh(false, 40);
}

Test(server_faults, what_others_committed_is_read_without_memory_for_sqlite)
{
	go_through_refresh(true, 150);
}

static void
go_through_opening(bool is_sqlite)
{
	struct kp_catalog *catalog = NULL;
	struct fixture f;
	unsigned n = 0;

	set_up(&f);
	commit(&f, 0, "a", CLUSTER("a", "x"));
	commit(&f, 1, "b", CLUSTER("b", "x"));
	kp_catalog_close(f.catalog);
	while (catalog == NULL) {
		struct kp_error err = { 0 };

		cr_assert(++n < MANY);
		kp_store_close(f.store);
		fail_after(is_sqlite, n);
		f.store = kp_sqlite_open(f.path, &err);
		if (f.store != NULL)
			catalog = kp_catalog_open(f.store, &err);
		fail_after(is_sqlite, 0);
		cr_assert(catalog != NULL || err.text[0] != '\0');
		if (f.store == NULL)
			f.store = kp_sqlite_open(f.path, &err);
		cr_assert_not_null(f.store, "%u: %s", n, err.text);
	}
	cr_assert(n > 1);
	f.catalog = catalog;
	expect_same(&f, 2);
	tear_down(&f);
}

Test(server_faults, a_store_is_opened_or_not)
{
	go_through_opening(false);
}

Test(server_faults, a_store_is_opened_or_not_without_memory_for_sqlite)
{
	go_through_opening(true);
}

Test(server_faults, records_are_written_or_not)
{
	const struct kp_store_record records[] = {
		{ "nodes", "a", kp_bytes_of("one") },
		{ "nodes", "b", kp_bytes_of("two") },
	};
	enum kp_store_result result = KP_STORE_FAILED;
	struct fixture f;
	unsigned n = 0;

	set_up(&f);
	while (result != KP_STORE_OK) {
		struct kp_error err = { 0 };
		size_t num = 0;

		fail_after(true, ++n);
		result = kp_store_put_records(f.store, records, 2, &err);
		fail_after(true, 0);
		cr_assert(n < MANY);
		cr_assert(result == KP_STORE_OK || err.text[0] != '\0');
		cr_assert_eq(kp_store_each_record(
				 f.store, "nodes", count_record, &num, &err),
		    KP_STORE_OK);
		cr_assert_eq(num, result == KP_STORE_OK ? 2 : 0);
	}
	for (n = 0, result = KP_STORE_FAILED; result != KP_STORE_OK;) {
		struct kp_error err = { 0 };
		size_t num = 0;

		fail_after(true, ++n);
		result = kp_store_each_record(
		    f.store, "nodes", count_record, &num, &err);
		fail_after(true, 0);
		cr_assert(n < MANY);
		cr_assert(
		    result == KP_STORE_OK ? num == 2 : err.text[0] != '\0');
	}
	tear_down(&f);
}
