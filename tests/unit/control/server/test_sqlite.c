/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/sqlite.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/support/folder.h"

static const struct kp_store_note note = { "ada", "because", 1234 };

struct fixture {
	char folder[KP_TEST_PATH_LEN], path[KP_TEST_PATH_LEN];
	struct kp_store *store;
};

static struct kp_store *
open_at(const char *path)
{
	struct kp_error err = { 0 };
	struct kp_store *store = kp_sqlite_open(path, &err);

	cr_assert_not_null(store, "%s", err.text);
	return store;
}

static void
set_up(struct fixture *f)
{
	kp_test_folder(f->folder);
	kp_test_path(f->path, f->folder, "kproxy.db");
	f->store = open_at(f->path);
}

static void
open_again(struct fixture *f)
{
	kp_store_close(f->store);
	f->store = open_at(f->path);
}

static void
tear_down(struct fixture *f)
{
	kp_store_close(f->store);
	kp_test_folder_remove(f->folder);
}

static struct kp_store_change
put(const char *name, const char *text)
{
	return (struct kp_store_change){ "Cluster", name, kp_bytes_of(text) };
}

static struct kp_store_change
removal(const char *name)
{
	return (struct kp_store_change){ "Cluster", name, { 0 } };
}

static uint64_t
commit(struct fixture *f, uint64_t base, struct kp_store_change change)
{
	struct kp_error err = { 0 };
	uint64_t number = 0;

	cr_assert_eq(
	    kp_store_commit(f->store, base, &note, &change, 1, &number, &err),
	    KP_STORE_OK, "%s", err.text);
	cr_assert_eq(number, base + 1);
	return number;
}

static void
print_item(void *ctx, const struct kp_store_item *item)
{
	kp_buf_printf(ctx, "%s/%s@%llu=%.*s ", item->kind, item->name,
	    (unsigned long long)item->revision, (int)item->text.len,
	    (const char *)item->text.data);
}

static void
print_revision(void *ctx, const struct kp_store_revision *revision)
{
	kp_buf_printf(ctx,
	    "%llu %s %s %lld:", (unsigned long long)revision->number,
	    revision->note.identity, revision->note.reason,
	    (long long)revision->note.time_ms);
	for (size_t i = 0; i < revision->num_changes; i++) {
		const struct kp_store_change *change = &revision->changes[i];

		kp_buf_printf(ctx, " %s/%s=%.*s", change->kind, change->name,
		    (int)change->text.len,
		    change->text.data == NULL
			? ""
			: (const char *)change->text.data);
		if (change->text.data == NULL)
			kp_buf_add_text(ctx, "gone");
	}
	kp_buf_add_text(ctx, "\n");
}

static void
expect_text(struct kp_buf *found, const char *wanted)
{
	kp_buf_add(found, "", 1);
	cr_assert_str_eq(
	    (const char *)found->data, wanted, "%s", (const char *)found->data);
	kp_buf_fini(found);
}

static void
expect_state(struct fixture *f, uint64_t at, const char *wanted)
{
	struct kp_error err = { 0 };
	struct kp_buf found;

	kp_buf_init(&found, 1 << 16);
	cr_assert_eq(kp_store_load(f->store, at, print_item, &found, &err),
	    KP_STORE_OK, "%s", err.text);
	expect_text(&found, wanted);
}

static void
expect_history(
    struct fixture *f, uint64_t after, uint64_t last, const char *wanted)
{
	struct kp_error err = { 0 };
	struct kp_buf found;

	kp_buf_init(&found, 1 << 16);
	cr_assert_eq(kp_store_history(
			 f->store, after, last, print_revision, &found, &err),
	    KP_STORE_OK, "%s", err.text);
	expect_text(&found, wanted);
}

static struct kp_store_range
range_of(struct fixture *f)
{
	struct kp_store_range range;
	struct kp_error err = { 0 };

	cr_assert_eq(kp_store_range(f->store, &range, &err), KP_STORE_OK);
	return range;
}

Test(sqlite, a_new_store_is_empty_and_for_its_owner)
{
	struct fixture f;
	struct stat st;

	set_up(&f);
	cr_assert_eq(range_of(&f).newest, 0);
	expect_state(&f, 0, "");
	expect_history(&f, 0, 0, "");
	cr_assert_eq(stat(f.path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
	tear_down(&f);
}

Test(sqlite, every_state_can_be_read)
{
	struct fixture f;
	struct kp_store_change both[] = { put("b", "B2"), removal("a") };
	struct kp_error err = { 0 };
	uint64_t number;

	set_up(&f);
	(void)commit(&f, 0, put("a", "A"));
	(void)commit(&f, 1, put("b", ""));
	cr_assert_eq(kp_store_commit(f.store, 2, &note, both, 2, &number, &err),
	    KP_STORE_OK);
	open_again(&f);
	cr_assert_eq(range_of(&f).newest, 3);
	expect_state(&f, 0, "");
	expect_state(&f, 1, "Cluster/a@1=A ");
	expect_state(&f, 2, "Cluster/a@1=A Cluster/b@2= ");
	expect_state(&f, 3, "Cluster/b@3=B2 ");
	expect_history(&f, 1, 3,
	    "2 ada because 1234: Cluster/b=\n"
	    "3 ada because 1234: Cluster/a=gone Cluster/b=B2\n");
	expect_history(&f, 3, 3, "");
	cr_assert_eq(kp_store_load(f.store, 4, print_item, NULL, &err),
	    KP_STORE_INVALID);
	cr_assert_str_eq(err.text, "there is no revision 4 yet");
	tear_down(&f);
}

Test(sqlite, who_was_slower_is_told)
{
	struct fixture f;
	struct kp_store_change change = put("a", "mine");
	struct kp_error err = { 0 };
	uint64_t number = 77;

	set_up(&f);
	(void)commit(&f, 0, put("a", "theirs"));
	cr_assert_eq(
	    kp_store_commit(f.store, 0, &note, &change, 1, &number, &err),
	    KP_STORE_CONFLICT);
	cr_assert_str_eq(
	    err.text, "based on revision 0, but there is 1 already");
	cr_assert_eq(number, 77);
	cr_assert_eq(
	    kp_store_commit(f.store, 2, &note, &change, 1, &number, &err),
	    KP_STORE_CONFLICT);
	expect_state(&f, 1, "Cluster/a@1=theirs ");
	tear_down(&f);
}

Test(sqlite, a_commit_is_whole_or_not_there)
{
	struct fixture f;
	struct kp_store_change twice[] = { put("a", "1"), put("a", "2") };
	struct kp_error err = { 0 };
	uint64_t number;

	set_up(&f);
	cr_assert_eq(
	    kp_store_commit(f.store, 0, &note, twice, 2, &number, &err),
	    KP_STORE_FAILED);
	cr_assert_eq(range_of(&f).newest, 0);
	expect_state(&f, 0, "");
	(void)commit(&f, 0, put("a", "3"));
	tear_down(&f);
}

Test(sqlite, limits_of_a_commit)
{
	static char name[KP_STORE_MAX_NAME_LEN + 2];
	static uint8_t text[KP_STORE_MAX_TEXT_LEN + 1];
	struct fixture f;
	struct kp_error err = { 0 };
	struct kp_store_change changes[] = { put(name, ""), put("", ""),
		{ "Cluster", "a", { text, sizeof(text) } } };
	struct kp_store_change fits = { "Cluster", "a",
		{ text, sizeof(text) - 1 } };
	uint64_t number;

	set_up(&f);
	(void)memset(name, 'n', sizeof(name) - 1);
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(kp_store_commit(f.store, 0, &note, &changes[i], 1,
				 &number, &err),
		    KP_STORE_INVALID, "change %zu", i);
	cr_assert_eq(kp_store_commit(f.store, 0, &note, changes,
			 KP_STORE_MAX_CHANGES + 1, &number, &err),
	    KP_STORE_INVALID);
	(void)commit(&f, 0, fits);
	name[KP_STORE_MAX_NAME_LEN] = '\0';
	(void)commit(&f, 1, put(name, ""));
	tear_down(&f);
}

Test(sqlite, compaction_forgets_what_was_before)
{
	struct fixture f;
	struct kp_error err = { 0 };

	set_up(&f);
	(void)commit(&f, 0, put("a", "A1"));
	(void)commit(&f, 1, put("b", "B2"));
	(void)commit(&f, 2, put("a", "A3"));
	(void)commit(&f, 3, removal("b"));
	(void)commit(&f, 4, put("c", "C5"));
	cr_assert_eq(kp_store_compact(f.store, 6, &err), KP_STORE_INVALID);
	cr_assert_eq(kp_store_compact(f.store, 3, &err), KP_STORE_OK);
	cr_assert_eq(range_of(&f).oldest, 3);
	expect_state(&f, 3, "Cluster/a@3=A3 Cluster/b@2=B2 ");
	expect_state(&f, 5, "Cluster/a@3=A3 Cluster/c@5=C5 ");
	expect_history(&f, 3, 4, "4 ada because 1234: Cluster/b=gone\n");
	cr_assert_eq(kp_store_load(f.store, 2, print_item, NULL, &err),
	    KP_STORE_COMPACTED);
	cr_assert_str_eq(err.text, "revision 2 has been compacted");
	cr_assert_eq(
	    kp_store_history(f.store, 2, 5, print_revision, NULL, &err),
	    KP_STORE_COMPACTED);
	/* again, and to a deletion, which leaves nothing behind */
	cr_assert_eq(kp_store_compact(f.store, 1, &err), KP_STORE_OK);
	cr_assert_eq(kp_store_compact(f.store, 5, &err), KP_STORE_OK);
	open_again(&f);
	expect_state(&f, 5, "Cluster/a@3=A3 Cluster/c@5=C5 ");
	(void)commit(&f, 5, put("b", "B6"));
	expect_state(&f, 6, "Cluster/a@3=A3 Cluster/b@6=B6 Cluster/c@5=C5 ");
	tear_down(&f);
}

Test(sqlite, waiters_learn_of_a_commit)
{
	struct fixture f;

	set_up(&f);
	cr_assert_eq(kp_store_wait(f.store, 0, kp_now_ms()), 0);
	(void)commit(&f, 0, put("a", "A"));
	cr_assert_eq(kp_store_wait(f.store, 0, KP_NEVER), 1);
	kp_store_wake(f.store);
	cr_assert_eq(kp_store_wait(f.store, 1, KP_NEVER), 1);
	open_again(&f);
	cr_assert_eq(kp_store_wait(f.store, 0, KP_NEVER), 1);
	tear_down(&f);
}

static void
put_record(struct fixture *f, const char *bucket, const char *name,
    struct kp_bytes data)
{
	const struct kp_store_record record = { bucket, name, data };
	struct kp_error err = { 0 };

	cr_assert_eq(kp_store_put_records(f->store, &record, 1, &err),
	    KP_STORE_OK, "%s", err.text);
}

static void
print_record(void *ctx, const struct kp_store_record *record)
{
	kp_buf_printf(ctx, "%s/%s=%.*s ", record->bucket, record->name,
	    (int)record->data.len, (const char *)record->data.data);
}

static void
expect_records(struct fixture *f, const char *bucket, const char *wanted)
{
	struct kp_error err = { 0 };
	struct kp_buf found;

	kp_buf_init(&found, 1 << 16);
	cr_assert_eq(
	    kp_store_each_record(f->store, bucket, print_record, &found, &err),
	    KP_STORE_OK, "%s", err.text);
	expect_text(&found, wanted);
}

Test(sqlite, records_are_beside_the_revisions)
{
	const struct kp_bytes gone = { 0 };
	struct fixture f;

	set_up(&f);
	expect_records(&f, "nodes", "");
	put_record(&f, "nodes", "b", kp_bytes_of("1"));
	put_record(&f, "nodes", "a", kp_bytes_of(""));
	put_record(&f, "cordons", "b", kp_bytes_of("why"));
	put_record(&f, "nodes", "b", kp_bytes_of("2"));
	put_record(&f, "nodes", "never", gone);
	cr_assert_eq(range_of(&f).newest, 0);
	open_again(&f);
	expect_records(&f, "nodes", "nodes/a= nodes/b=2 ");
	put_record(&f, "nodes", "b", gone);
	expect_records(&f, "nodes", "nodes/a= ");
	expect_records(&f, "cordons", "cordons/b=why ");
	tear_down(&f);
}

Test(sqlite, limits_of_records)
{
	static char name[KP_STORE_MAX_NAME_LEN + 2];
	static uint8_t data[KP_STORE_MAX_RECORD_LEN + 1];
	const struct kp_store_record records[] = {
		{ "nodes", name, kp_bytes_of("") },
		{ "", "a", kp_bytes_of("") },
		{ "nodes", "a", { data, sizeof(data) } },
	};
	struct kp_error err = { 0 };
	struct fixture f;

	set_up(&f);
	(void)memset(name, 'n', sizeof(name) - 1);
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(
		    kp_store_put_records(f.store, &records[i], 1, &err),
		    KP_STORE_INVALID, "record %zu", i);
	cr_assert_eq(kp_store_put_records(
			 f.store, records, KP_STORE_MAX_RECORDS + 1, &err),
	    KP_STORE_INVALID);
	expect_records(&f, "nodes", "");
	put_record(
	    &f, "nodes", "a", (struct kp_bytes){ data, sizeof(data) - 1 });
	tear_down(&f);
}

#define NUM_TURNS 200

static void *
put_many(void *arg)
{
	for (int i = 0; i < NUM_TURNS; i++)
		put_record(arg, "nodes", "a", kp_bytes_of("1"));
	return NULL;
}

Test(sqlite, records_are_put_while_another_thread_commits)
{
	struct fixture f;
	pthread_t thread;

	set_up(&f);
	cr_assert_eq(pthread_create(&thread, NULL, put_many, &f), 0);
	for (uint64_t i = 0; i < NUM_TURNS; i++)
		(void)commit(&f, i, put("a", "A"));
	cr_assert_eq(pthread_join(thread, NULL), 0);
	cr_assert_eq(range_of(&f).newest, NUM_TURNS);
	expect_records(&f, "nodes", "nodes/a=1 ");
	tear_down(&f);
}

static void
expect_refused(const char *path, enum kp_error_kind kind, const char *why)
{
	struct kp_error err = { 0 };

	cr_assert_null(kp_sqlite_open(path, &err));
	cr_assert_eq(err.kind, kind, "%s", err.text);
	cr_assert_not_null(strstr(err.text, why), "%s", err.text);
}

Test(sqlite, one_server_at_a_time)
{
	struct fixture f;

	set_up(&f);
	expect_refused(f.path, KP_ERR_UNAVAILABLE, "another process has it");
	tear_down(&f);
}

/* Overwrites len bytes from offset on. */
static void
damage(const char *path, long offset, size_t len)
{
	FILE *file = fopen(path, "r+b");

	cr_assert_not_null(file);
	cr_assert_eq(fseek(file, offset, SEEK_SET), 0);
	for (size_t i = 0; i < len; i++)
		cr_assert_eq(fputc(0x5a, file), 0x5a);
	cr_assert_eq(fclose(file), 0);
}

Test(sqlite, what_is_damaged_or_foreign_is_refused)
{
	static const struct {
		long offset;
		size_t len;
		const char *why;
	} table[] = {
		{ 0, 100, "restore it from a backup" },     /* not SQLite */
		{ 4096, 4096, "restore it from a backup" }, /* a page */
		{ 60, 4, "newer version of kpserver" },     /* user_version */
		{ 68, 4, "another program" },               /* application */
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct fixture f;

		set_up(&f);
		(void)commit(&f, 0, put("a", "A"));
		kp_store_close(f.store);
		damage(f.path, table[i].offset, table[i].len);
		expect_refused(f.path, KP_ERR_CONFIG, table[i].why);
		kp_test_folder_remove(f.folder);
	}
}

Test(sqlite, a_backup_is_a_store)
{
	struct fixture f, copy;
	struct kp_error err = { 0 };

	set_up(&f);
	(void)commit(&f, 0, put("a", "A"));
	(void)commit(&f, 1, put("a", "A2"));
	kp_test_path(copy.path, f.folder, "copy.db");
	cr_assert(kp_sqlite_backup(f.store, copy.path, &err), "%s", err.text);
	(void)commit(&f, 2, put("a", "A3"));
	/* never over something that is there */
	cr_assert(!kp_sqlite_backup(f.store, copy.path, &err));
	cr_assert_not_null(
	    strstr(err.text, "copy.db: File exists"), "%s", err.text);
	copy.store = open_at(copy.path);
	expect_state(&copy, 1, "Cluster/a@1=A ");
	expect_state(&copy, 2, "Cluster/a@2=A2 ");
	(void)commit(&copy, 2, put("b", "B"));
	kp_store_close(copy.store);
	tear_down(&f);
}

Test(sqlite, a_backup_that_was_cut_short_is_in_nobodys_way)
{
	struct fixture f, copy;
	struct kp_error err = { 0 };

	set_up(&f);
	(void)commit(&f, 0, put("a", "A"));
	kp_test_write(f.folder, "copy.db.part", "a torn page");
	kp_test_path(copy.path, f.folder, "copy.db");
	cr_assert(kp_sqlite_backup(f.store, copy.path, &err), "%s", err.text);
	copy.store = open_at(copy.path);
	expect_state(&copy, 1, "Cluster/a@1=A ");
	kp_store_close(copy.store);
	tear_down(&f);
}

/* Files may grow to len bytes, as on a disk that is full then. */
static void
limit_files(rlim_t len)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = len;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(sqlite, a_full_disk_refuses_writes_and_reads_go_on)
{
	static uint8_t text[KP_STORE_MAX_TEXT_LEN];
	const struct kp_store_change large = { "Cluster", "b",
		{ text, sizeof(text) } };
	struct kp_error err = { 0 };
	struct fixture f;
	uint64_t number;

	set_up(&f);
	(void)commit(&f, 0, put("a", "A"));
	(void)signal(SIGXFSZ, SIG_IGN);
	limit_files(256 * 1024);
	cr_assert_eq(
	    kp_store_commit(f.store, 1, &note, &large, 1, &number, &err),
	    KP_STORE_FAILED);
	cr_assert_eq(err.kind, KP_ERR_UNAVAILABLE);
	expect_state(&f, 1, "Cluster/a@1=A ");
	limit_files(RLIM_INFINITY);
	(void)commit(&f, 1, put("b", "B"));
	open_again(&f);
	expect_state(&f, 2, "Cluster/a@1=A Cluster/b@2=B ");
	tear_down(&f);
}

/* Commits for ever, and says of each to fd that it is acknowledged. */
static _Noreturn void
commit_until_killed(const char *path, int fd)
{
	struct kp_error err = { 0 };
	struct kp_store *store = kp_sqlite_open(path, &err);
	struct kp_store_range range;

	if (store == NULL || kp_store_range(store, &range, &err) != KP_STORE_OK)
		_exit(1);
	for (uint64_t base = range.newest;; base++) {
		struct kp_store_change change = put("a", "some text");
		uint64_t number;

		if (kp_store_commit(store, base, &note, &change, 1, &number,
			&err) != KP_STORE_OK ||
		    write(fd, &number, sizeof(number)) != sizeof(number))
			_exit(1);
	}
}

/* Kills it after num commits; returns the last one that was acknowledged. */
static uint64_t
kill_after(const char *path, int num)
{
	uint64_t number = 0, last = 0;
	int fds[2], status;
	pid_t child;

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	child = fork();
	if (child == 0)
		commit_until_killed(path, fds[1]);
	(void)close(fds[1]);
	for (; num > 0; num--)
		cr_assert_eq(
		    read(fds[0], &number, sizeof(number)), sizeof(number));
	cr_assert_eq(kill(child, SIGKILL), 0);
	do
		last = number;
	while (read(fds[0], &number, sizeof(number)) == sizeof(number));
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status), "it failed before it was killed");
	(void)close(fds[0]);
	return last;
}

Test(sqlite, nothing_acknowledged_is_lost_when_it_is_killed)
{
	struct fixture f;

	set_up(&f);
	for (int i = 1; i <= 20; i++) {
		struct kp_store_range range;
		uint64_t last;

		kp_store_close(f.store);
		last = kill_after(f.path, i);
		f.store = open_at(f.path);
		range = range_of(&f);
		/* one more may have been written, but not said */
		cr_assert(range.newest == last || range.newest == last + 1);
		expect_state(&f, 1, "Cluster/a@1=some text ");
	}
	tear_down(&f);
}
