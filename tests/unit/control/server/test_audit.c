/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/audit.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/files.h"
#include "base/text.h"
#include "control/server/audit_text.h"
#include "tests/support/folder.h"

struct fixture {
	char folder[KP_TEST_PATH_LEN], path[KP_TEST_PATH_LEN];
	struct kp_audit *audit;
	struct kp_error err;
};

static void
set_up(struct fixture *f)
{
	kp_test_folder(f->folder);
	kp_test_path(f->path, f->folder, "audit.jsonl");
	f->audit = kp_audit_open(f->path, &f->err);
	cr_assert_not_null(f->audit, "%s", f->err.text);
}

static void
tear_down(struct fixture *f)
{
	kp_audit_close(f->audit);
	kp_test_folder_remove(f->folder);
}

static char *
content(const struct fixture *f)
{
	struct kp_buf text;
	struct kp_error err;
	char *copy;

	kp_buf_init(&text, 1u << 20);
	cr_assert(kp_file_read(&text, f->path, &err));
	copy = kp_strndup((const char *)text.data, text.len);
	kp_buf_fini(&text);
	return copy;
}

static size_t
num_lines(const struct fixture *f)
{
	char *text = content(f);
	size_t num = 0;

	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		num++;
	free(text);
	return num;
}

Test(audit, a_line_is_written_though_memory_is_refused)
{
	const struct kp_audit_line line = { .identity = "CN:ada",
		.method = "Resources/Apply" };
	struct kp_audit_counts counts;
	struct fixture f;

	set_up(&f);
	cr_assert(kp_audit_reserve(f.audit, &f.err));
	kp_alloc_fail_after(1);
	kp_audit_write(f.audit, &line, true);
	kp_alloc_fail_after(0);
	kp_audit_release(f.audit);
	kp_audit_count(f.audit, &counts);
	cr_assert_eq(counts.written, 1);
	cr_assert_eq(num_lines(&f), 1);
	tear_down(&f);
}

Test(audit, a_line_is_json_whatever_the_texts_are)
{
	const struct kp_audit_name names[] = { { "Cluster", "a\"\\", "new" } };
	const struct kp_audit_line line = {
		.identity = "CN:\x01\x7f\xff\xc3\xa4\xc3",
		.method = "Resources/Apply",
		.code = KP_RPC_OK,
		.revision = 7,
		.reason = "two\nlines",
		.is_dry_run = true,
		.names = names,
		.num_names = 1,
		.took_ms = 12,
	};
	const char *said;
	struct kp_buf out;

	kp_buf_init(&out, KP_AUDIT_MAX_LINE);
	kp_audit_text(&out, &line);
	kp_buf_add(&out, "", 1);
	said = strchr((const char *)out.data, ',');
	cr_assert_str_eq(said,
	    ",\"identity\":\"CN:\\u0001\\u007f\\ufffd\xc3\xa4\\ufffd\""
	    ",\"method\":\"Resources/Apply\",\"code\":\"OK\",\"revision\":7"
	    ",\"dry_run\":true,\"reason\":\"two\\u000alines\""
	    ",\"changes\":[{\"kind\":\"Cluster\",\"name\":\"a\\\"\\\\\","
	    "\"outcome\":\"new\"}],\"ms\":12}\n",
	    "%s", said);
	kp_buf_fini(&out);
}

/* The longest texts there can be, in the form that takes most when escaped. */
Test(audit, no_line_is_longer_than_its_room)
{
	static char text[8192];
	struct kp_audit_name names[100];
	struct kp_audit_line line = { .identity = text,
		.address = text,
		.method = text,
		.event = text,
		.message = text,
		.reason = text,
		.revision = UINT64_MAX,
		.is_dry_run = true,
		.names = names,
		.num_names = 100,
		.num_suppressed = UINT64_MAX,
		.took_ms = INT64_MAX };
	static const char fillers[] = { '\x01', '\xff', '"', 'x' };

	for (size_t i = 0; i < sizeof(fillers); i++) {
		struct kp_buf out;

		memset(text, fillers[i], sizeof(text) - 1);
		for (size_t k = 0; k < 100; k++)
			names[k] = (struct kp_audit_name){ text, text, text };
		kp_buf_init(&out, KP_AUDIT_MAX_LINE);
		kp_audit_text(&out, &line);
		cr_assert(!out.failed);
		cr_assert_eq(out.data[out.len - 1], '\n');
		kp_buf_fini(&out);
	}
}

Test(audit, half_a_line_of_a_server_that_was_cut_off_gets_its_end)
{
	const struct kp_audit_line line = { .method = "m" };
	struct fixture f;
	char *text;

	set_up(&f);
	kp_audit_close(f.audit);
	kp_test_write(f.folder, "audit.jsonl", "{\"half");
	f.audit = kp_audit_open(f.path, &f.err);
	kp_audit_write(f.audit, &line, false);
	text = content(&f);
	cr_assert(strncmp(text, "{\"half\n{\"time\":", 15) == 0, "%s", text);
	free(text);
	tear_down(&f);
}

Test(audit, room_that_was_reserved_is_taken_by_nobody_else)
{
	struct rlimit limit, before_limit;
	const struct kp_audit_line line = { .method = "m" };
	struct kp_audit_counts counts;
	struct fixture f;
	size_t before;

	set_up(&f);
	cr_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before_limit), 0);
	limit = before_limit;
	limit.rlim_cur = 5 * KP_AUDIT_MAX_LINE;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_assert(kp_audit_reserve(f.audit, &f.err), "%s", f.err.text);
	cr_assert(kp_audit_reserve(f.audit, &f.err), "%s", f.err.text);
	for (int i = 0; i < 2000; i++)
		kp_audit_write(f.audit, &line, false);
	kp_audit_count(f.audit, &counts);
	cr_assert(counts.lost > 0);
	before = num_lines(&f);
	cr_assert_eq(before, counts.written);
	cr_assert(!kp_audit_reserve(f.audit, &f.err));
	cr_assert(!kp_audit_is_well(f.audit, &f.err));
	/* the two that were promised */
	kp_audit_write(f.audit, &line, true);
	kp_audit_release(f.audit);
	kp_audit_write(f.audit, &line, true);
	kp_audit_release(f.audit);
	cr_assert_eq(num_lines(&f), before + 2);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before_limit), 0);
	tear_down(&f);
}

Test(audit, a_file_that_was_moved_away_is_left_when_it_is_opened_anew)
{
	const struct kp_audit_line line = { .method = "m" };
	char moved[KP_TEST_PATH_LEN];
	struct fixture f;
	struct stat st;

	set_up(&f);
	kp_audit_write(f.audit, &line, false);
	kp_test_path(moved, f.folder, "audit.1");
	cr_assert_eq(rename(f.path, moved), 0);
	kp_audit_write(f.audit, &line, false);
	cr_assert(kp_audit_reopen(f.audit, &f.err));
	kp_audit_write(f.audit, &line, false);
	cr_assert_eq(num_lines(&f), 1);
	cr_assert_eq(stat(f.path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
	tear_down(&f);
}
