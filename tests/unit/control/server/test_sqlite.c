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
#include "tests/support/store.h"

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

Test(sqlite, a_new_store_is_for_its_owner)
{
	struct fixture f;
	struct stat st;

	set_up(&f);
	cr_assert_eq(stat(f.path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
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
		(void)kp_test_commit(f.store, 0, kp_test_put("a", "A"));
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
	(void)kp_test_commit(f.store, 0, kp_test_put("a", "A"));
	(void)kp_test_commit(f.store, 1, kp_test_put("a", "A2"));
	kp_test_path(copy.path, f.folder, "copy.db");
	cr_assert(kp_sqlite_backup(f.store, copy.path, &err), "%s", err.text);
	(void)kp_test_commit(f.store, 2, kp_test_put("a", "A3"));
	/* never over something that is there */
	cr_assert(!kp_sqlite_backup(f.store, copy.path, &err));
	cr_assert_not_null(
	    strstr(err.text, "copy.db: File exists"), "%s", err.text);
	copy.store = open_at(copy.path);
	kp_test_expect_state(copy.store, 1, "Cluster/a@1=A ");
	kp_test_expect_state(copy.store, 2, "Cluster/a@2=A2 ");
	(void)kp_test_commit(copy.store, 2, kp_test_put("b", "B"));
	kp_store_close(copy.store);
	tear_down(&f);
}

Test(sqlite, a_backup_that_was_cut_short_is_in_nobodys_way)
{
	struct fixture f, copy;
	struct kp_error err = { 0 };

	set_up(&f);
	(void)kp_test_commit(f.store, 0, kp_test_put("a", "A"));
	kp_test_write(f.folder, "copy.db.part", "a torn page");
	kp_test_path(copy.path, f.folder, "copy.db");
	cr_assert(kp_sqlite_backup(f.store, copy.path, &err), "%s", err.text);
	copy.store = open_at(copy.path);
	kp_test_expect_state(copy.store, 1, "Cluster/a@1=A ");
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
		{ text, sizeof(text) }, true };
	struct kp_error err = { 0 };
	struct fixture f;
	uint64_t number;

	set_up(&f);
	(void)kp_test_commit(f.store, 0, kp_test_put("a", "A"));
	(void)signal(SIGXFSZ, SIG_IGN);
	limit_files(256 * 1024);
	cr_assert_eq(kp_store_commit(
			 f.store, 1, &kp_test_note, &large, 1, &number, &err),
	    KP_STORE_FAILED);
	cr_assert_eq(err.kind, KP_ERR_UNAVAILABLE);
	kp_test_expect_state(f.store, 1, "Cluster/a@1=A ");
	limit_files(RLIM_INFINITY);
	(void)kp_test_commit(f.store, 1, kp_test_put("b", "B"));
	open_again(&f);
	kp_test_expect_state(f.store, 2, "Cluster/a@1=A Cluster/b@2=B ");
	tear_down(&f);
}

/* Commits for ever, and says of each to fd that it is acknowledged. */
static _Noreturn void
commit_until_killed(const char *path, int fd)
{
	struct kp_error err = { 0 };
	struct kp_store *store = kp_sqlite_open(path, &err);
	struct kp_store_range range;

	if (store == NULL ||
	    kp_store_range(store, &range, KP_NEVER, &err) != KP_STORE_OK)
		_exit(1);
	for (uint64_t base = range.newest;; base++) {
		struct kp_store_change change = kp_test_put("a", "some text");
		uint64_t number;

		if (kp_store_commit(store, base, &kp_test_note, &change, 1,
			&number, &err) != KP_STORE_OK ||
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
		range = kp_test_range(f.store);
		/* one more may have been written, but not said */
		cr_assert(range.newest == last || range.newest == last + 1);
		kp_test_expect_state(f.store, 1, "Cluster/a@1=some text ");
	}
	tear_down(&f);
}
