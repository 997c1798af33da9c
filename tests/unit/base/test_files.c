/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/files.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/folder.h"

Test(files, only_whole_regular_files_within_bounds_are_read)
{
	char folder[KP_TEST_PATH_LEN], path[KP_TEST_PATH_LEN];
	struct kp_error err = { 0 };
	struct kp_buf out;

	kp_test_folder(folder);
	kp_test_write(folder, "ten", "0123456789");
	kp_test_path(path, folder, "ten");
	kp_buf_init(&out, 10);
	cr_assert(kp_file_read(&out, path, &err), "%s", err.text);
	cr_assert(
	    kp_bytes_equal(kp_buf_bytes(&out), kp_bytes_of("0123456789")));
	kp_buf_fini(&out);
	kp_buf_init(&out, 9);
	cr_assert(!kp_file_read(&out, path, &err));
	cr_assert_eq(err.kind, KP_ERR_LIMIT);
	kp_buf_fini(&out);
	kp_buf_init(&out, 100);
	cr_assert(!kp_file_read(&out, folder, &err));
	cr_assert_eq(err.kind, KP_ERR_CONFIG);
	kp_test_path(path, folder, "pipe");
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert(!kp_file_read(&out, path, &err));
	kp_test_path(path, folder, "missing");
	cr_assert(!kp_file_read(&out, path, &err));
	cr_assert_eq(err.kind, KP_ERR_SYSTEM);
	kp_buf_fini(&out);
	kp_test_folder_remove(folder);
}

Test(files, a_reason_has_no_path)
{
	struct kp_error err = { .text = "a/b: gone" };

	cr_assert_str_eq(kp_file_reason(&err, "a/b"), "gone");
	cr_assert_str_eq(kp_file_reason(&err, "a"), "a/b: gone");
	cr_assert_str_eq(kp_file_reason(&err, "a/b: gone"), "a/b: gone");
}

Test(files, a_stream_is_read_to_its_end_and_not_beyond_the_room)
{
	struct kp_error err = { 0 };
	struct kp_buf out;
	int ends[2];

	for (size_t room = 9; room <= 10; room++) {
		cr_assert_eq(pipe(ends), 0);
		cr_assert_eq(write(ends[1], "0123456789", 10), 10);
		(void)close(ends[1]);
		kp_buf_init(&out, room);
		cr_assert_eq(
		    kp_file_read_stream(&out, ends[0], &err), room == 10);
		(void)close(ends[0]);
		if (room == 10)
			cr_assert_eq(out.len, 10);
		else
			cr_assert_eq(err.kind, KP_ERR_LIMIT);
		kp_buf_fini(&out);
	}
	kp_buf_init(&out, 10);
	cr_assert(!kp_file_read_stream(&out, -1, &err));
	cr_assert_eq(err.kind, KP_ERR_SYSTEM);
	kp_buf_fini(&out);
}

Test(files, want_of_memory_is_not_a_file_that_is_too_long)
{
	char folder[KP_TEST_PATH_LEN], path[KP_TEST_PATH_LEN];
	struct kp_error err = { 0 };
	struct kp_buf out;
	int ends[2];

	kp_test_folder(folder);
	kp_test_path(path, folder, "a");
	kp_test_write(folder, "a", "text");
	kp_buf_init(&out, 10);
	kp_alloc_fail_after(1);
	cr_assert(!kp_file_read(&out, path, &err));
	cr_assert_str_eq(kp_file_reason(&err, path), "no memory");
	kp_buf_clear(&out);
	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], "0123456789", 10), 10);
	kp_alloc_fail_after(1);
	cr_assert(!kp_file_read_stream(&out, ends[0], &err));
	cr_assert_str_eq(err.text, "no memory");
	(void)close(ends[0]);
	(void)close(ends[1]);
	kp_buf_fini(&out);
	kp_test_folder_remove(folder);
}

static void
check_content(const char *path, const char *expected)
{
	struct kp_error err = { 0 };
	struct stat st;
	struct kp_buf out;

	kp_buf_init(&out, 100);
	cr_assert(kp_file_read(&out, path, &err), "%s", err.text);
	cr_assert(kp_bytes_equal(kp_buf_bytes(&out), kp_bytes_of(expected)));
	kp_buf_fini(&out);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
}

/* A temporary name that is cut off would be the file's own. */
Test(files, the_longest_name_is_replaced_in_one_step_or_not_at_all)
{
	char folder[KP_TEST_PATH_LEN], path[KP_TEST_PATH_LEN], name[256];
	struct kp_error err = { 0 };
	int fd;

	kp_test_folder(folder);
	fd = open(folder, O_RDONLY | O_DIRECTORY);
	cr_assert(fd >= 0);
	(void)memset(name, 'n', sizeof(name) - 1);
	name[255] = '\0';
	cr_assert(!kp_file_replace(fd, name, kp_bytes_of("a"), &err));
	cr_assert_eq(err.kind, KP_ERR_LIMIT);
	for (size_t len = 251; len > 58; len -= 4) {
		name[len] = '\0';
		kp_test_path(path, folder, name);
		cr_assert(kp_file_replace(fd, name, kp_bytes_of("a"), &err),
		    "%s", err.text);
		cr_assert(kp_file_replace(fd, name, kp_bytes_of("b"), &err));
		check_content(path, "b");
	}
	(void)close(fd);
	kp_test_folder_remove(folder);
}
