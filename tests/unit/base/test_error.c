/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/support/process.h"

Test(error, set_fills_kind_and_text_and_returns_false)
{
	struct kp_error err = { .sys_errno = 7 };

	cr_assert(!kp_error_set(&err, KP_ERR_LIMIT, "frame of %d bytes", 5));
	cr_assert_eq(err.kind, KP_ERR_LIMIT);
	cr_assert_eq(err.sys_errno, 0);
	cr_assert_str_eq(err.text, "frame of 5 bytes");
}

Test(error, sys_adds_what_errno_means)
{
	struct kp_error err;

	errno = ENOENT;
	cr_assert(!kp_error_sys(&err, "could not open \"%s\"", "x.yaml"));
	cr_assert_eq(err.kind, KP_ERR_SYSTEM);
	cr_assert_eq(err.sys_errno, ENOENT);
	cr_assert_str_eq(
	    err.text, "could not open \"x.yaml\": No such file or directory");
}

Test(error, prefix_says_where_and_keeps_the_kind)
{
	struct kp_error err;

	(void)kp_error_set(&err, KP_ERR_CONFIG, "port is 0");
	cr_assert(!kp_error_prefix(&err, "listener \"%s\"", "public"));
	(void)kp_error_prefix(&err, "node.yaml:14");
	cr_assert_eq(err.kind, KP_ERR_CONFIG);
	cr_assert_str_eq(
	    err.text, "node.yaml:14: listener \"public\": port is 0");
}

Test(error, long_texts_are_cut_not_overrun)
{
	struct kp_error err;
	char word[600];

	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	(void)kp_error_set(&err, KP_ERR_PROTOCOL, "%s", word);
	cr_assert_eq(strlen(err.text), sizeof(err.text) - 1);
	(void)kp_error_prefix(&err, "a");
	cr_assert_eq(strlen(err.text), sizeof(err.text) - 1);
	cr_assert_eq(strncmp(err.text, "a: xxx", 6), 0);
	(void)kp_error_prefix(&err, "%s", word);
	cr_assert_eq(strlen(err.text), sizeof(err.text) - 1);
	errno = EIO;
	(void)kp_error_sys(&err, "%s", word);
	cr_assert_eq(strlen(err.text), sizeof(err.text) - 1);
}

Test(error, every_kind_has_a_name_of_its_own)
{
	for (int a = 0; a < KP_NUM_ERROR_KINDS; a++) {
		const char *name = kp_error_kind_name((enum kp_error_kind)a);

		cr_assert_not_null(name, "kind %d", a);
		for (int b = 0; b < a; b++)
			cr_assert(strcmp(name, kp_error_kind_name(
						   (enum kp_error_kind)b)) != 0,
			    "kinds %d and %d", a, b);
	}
}

static void
fail_an_assertion(void)
{
	kp_assert(1 + 1 == 3);
}

static void
fail_a_must(void)
{
	kp_must(EINVAL);
}

static void
pass_both(void)
{
	kp_assert(1 + 1 == 2);
	kp_must(0);
}

Test(error, assert_and_must_abort_when_broken_only)
{
	cr_assert(kp_aborts(fail_an_assertion));
	cr_assert(kp_aborts(fail_a_must));
	cr_assert(!kp_aborts(pass_both));
}
