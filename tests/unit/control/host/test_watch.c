/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/host/watch.h"
#include "tests/support/folder.h"

struct world {
	char folder[KP_TEST_PATH_LEN];
	struct kp_watch *watch;
};

static void
set_up(struct world *world)
{
	struct kp_error err;

	kp_test_folder(world->folder);
	world->watch = kp_watch_new(&err);
	cr_assert_not_null(world->watch);
}

static void
tear_down(struct world *world)
{
	kp_watch_free(world->watch);
	kp_test_folder_remove(world->folder);
}

static void
watch_folder(struct world *world, const char *path)
{
	kp_watch_begin(world->watch);
	kp_watch_folder(world->watch, path);
	kp_watch_end(world->watch);
}

/* Waits for a change that has settled; false after a minute without any. */
static bool
changes(struct world *world)
{
	int64_t give_up_ms = kp_now_ms() + 60000;

	while (kp_now_ms() < give_up_ms) {
		int64_t due_ms = kp_watch_due_ms(world->watch);
		struct pollfd item = { .fd = kp_watch_fd(world->watch),
			.events = POLLIN };

		(void)poll(&item, 1,
		    kp_ms_left(due_ms < give_up_ms ? due_ms : give_up_ms));
		kp_watch_read(world->watch, kp_now_ms());
		if (kp_watch_take(world->watch, kp_now_ms()))
			return true;
	}
	return false;
}

/* Events are there as soon as the call that caused them has returned. */
static bool
is_quiet(struct world *world)
{
	int64_t now_ms = kp_now_ms();

	kp_watch_read(world->watch, now_ms);
	return !kp_watch_take(
	    world->watch, now_ms + KP_WATCH_MAX_DEBOUNCE_MS + 1);
}

Test(watch, files_written_renamed_removed_and_linked_are_noticed)
{
	char from[KP_TEST_PATH_LEN], to[KP_TEST_PATH_LEN];
	struct world world;

	set_up(&world);
	watch_folder(&world, world.folder);
	cr_assert(is_quiet(&world));
	kp_test_write(world.folder, "a.yaml", "text");
	cr_assert(changes(&world), "written");
	kp_test_path(from, world.folder, "a.yaml");
	kp_test_path(to, world.folder, "b.yaml");
	cr_assert_eq(rename(from, to), 0);
	cr_assert(changes(&world), "renamed");
	cr_assert_eq(link(to, from), 0);
	cr_assert(changes(&world), "hard link");
	cr_assert_eq(unlink(from), 0);
	cr_assert(changes(&world), "removed");
	cr_assert_eq(symlink("b.yaml", from), 0);
	cr_assert(changes(&world), "symbolic link");
	cr_assert(is_quiet(&world));
	tear_down(&world);
}

Test(watch, a_file_that_is_still_empty_is_no_change_yet)
{
	char path[KP_TEST_PATH_LEN];
	struct world world;
	FILE *file;

	set_up(&world);
	watch_folder(&world, world.folder);
	kp_test_path(path, world.folder, "a.yaml");
	file = fopen(path, "we");
	cr_assert_not_null(file);
	cr_assert(is_quiet(&world));
	cr_assert_eq(fclose(file), 0);
	cr_assert(changes(&world));
	tear_down(&world);
}

Test(watch, a_kubernetes_mount_that_is_swapped_is_noticed)
{
	char path[KP_TEST_PATH_LEN], data[KP_TEST_PATH_LEN],
	    fresh[KP_TEST_PATH_LEN], file[KP_TEST_PATH_LEN];
	struct world world;

	set_up(&world);
	for (unsigned i = 1; i <= 2; i++) {
		kp_test_path(path, world.folder, i == 1 ? "..v1" : "..v2");
		cr_assert_eq(mkdir(path, 0700), 0);
		kp_test_write(path, "tls.crt", i == 1 ? "one" : "two");
	}
	kp_test_path(data, world.folder, "..data");
	kp_test_path(file, world.folder, "tls.crt");
	cr_assert_eq(symlink("..v1", data), 0);
	cr_assert_eq(symlink("..data/tls.crt", file), 0);
	kp_watch_begin(world.watch);
	kp_watch_file(world.watch, file);
	kp_watch_end(world.watch);
	cr_assert(is_quiet(&world));
	kp_test_path(fresh, world.folder, "..data_tmp");
	cr_assert_eq(symlink("..v2", fresh), 0);
	cr_assert(changes(&world));
	cr_assert_eq(rename(fresh, data), 0);
	cr_assert(changes(&world), "swapped");
	tear_down(&world);
}

Test(watch, a_link_into_another_folder_is_followed)
{
	char elsewhere[KP_TEST_PATH_LEN], target[KP_TEST_PATH_LEN],
	    file[KP_TEST_PATH_LEN];
	struct world world;

	set_up(&world);
	kp_test_folder(elsewhere);
	kp_test_write(elsewhere, "real.pem", "one");
	kp_test_path(target, elsewhere, "real.pem");
	kp_test_path(file, world.folder, "link.pem");
	cr_assert_eq(symlink(target, file), 0);
	kp_watch_begin(world.watch);
	kp_watch_file(world.watch, file);
	kp_watch_end(world.watch);
	kp_test_write(elsewhere, "real.pem", "two");
	cr_assert(changes(&world));
	kp_test_folder_remove(elsewhere);
	tear_down(&world);
}

Test(watch, a_folder_that_comes_back_is_a_change)
{
	char path[KP_TEST_PATH_LEN];
	struct world world;

	set_up(&world);
	kp_test_path(path, world.folder, "resources");
	watch_folder(&world, path);
	cr_assert(kp_watch_due_ms(world.watch) != KP_NEVER, "looked for");
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert(changes(&world), "appeared");
	cr_assert_eq(rmdir(path), 0);
	cr_assert(changes(&world), "removed");
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert(changes(&world), "back");
	kp_test_write(path, "a.yaml", "");
	cr_assert(changes(&world), "watched again");
	tear_down(&world);
}

Test(watch, what_is_not_named_again_is_forgotten)
{
	char other[KP_TEST_PATH_LEN];
	struct world world;

	set_up(&world);
	kp_test_folder(other);
	watch_folder(&world, world.folder);
	watch_folder(&world, other);
	kp_test_write(world.folder, "a.yaml", "");
	cr_assert(is_quiet(&world));
	kp_test_write(other, "a.yaml", "");
	cr_assert(changes(&world));
	kp_test_folder_remove(other);
	tear_down(&world);
}

Test(watch, many_changes_are_one_but_do_not_wait_for_ever)
{
	struct world world;
	int64_t now_ms = kp_now_ms(), first_ms = now_ms;

	set_up(&world);
	watch_folder(&world, world.folder);
	for (; now_ms < first_ms + KP_WATCH_MAX_DEBOUNCE_MS; now_ms += 10) {
		kp_test_write(world.folder, "a.yaml", "text");
		kp_watch_read(world.watch, now_ms);
		cr_assert(!kp_watch_take(world.watch, now_ms), "%d",
		    (int)(now_ms - first_ms));
	}
	cr_assert(kp_watch_take(world.watch, now_ms));
	cr_assert(!kp_watch_take(world.watch, now_ms + 1000));
	tear_down(&world);
}
