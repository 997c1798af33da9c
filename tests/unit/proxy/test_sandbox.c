/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who the worker is in its sandbox, and the walls that are seen only in log
 * mode: otherwise the list of calls (test_calls.c) stands before them.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/inside.h"

static int
run_in_log_mode(kp_inside_fn *function)
{
	const struct kp_sandbox sandbox = kp_inside_usual(true);

	return kp_inside_run(&sandbox, function);
}

/* The kernel's version of Landlock, below 1 if it has none. */
static long version;

/* A folder that may go, if Landlock lets it. */
static char folder[] = "/tmp/kproxy-sandbox-XXXXXX";

/* An abstract address that a socket of this test listens on. */
static struct sockaddr_un abstract = { .sun_family = AF_UNIX };
static const socklen_t abstract_len =
    offsetof(struct sockaddr_un, sun_path) + 16;

static void
prepare_landlock(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	(void)snprintf(abstract.sun_path + 1, 15, "kp-%ld", (long)getpid());
	cr_assert_eq(bind(fd, (struct sockaddr *)&abstract, abstract_len), 0);
	cr_assert_eq(listen(fd, 1), 0);
	kp_inside_listen();
	cr_assert_not_null(mkdtemp(folder));
}

/* Is what was tried denied, if and only if this version of Landlock can? */
static bool
is_denied_since(long since, long result)
{
	if (version < since)
		return result >= 0;
	return result < 0 && (errno == EACCES || errno == EPERM);
}

static int
reach_out(void)
{
	int any = socket(AF_INET, SOCK_STREAM, 0);
	int local = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_in address = { .sin_family = AF_INET };

	if (!is_denied_since(1, open("/etc/passwd", O_RDONLY)) ||
	    !is_denied_since(1, open("/tmp", O_RDONLY | O_DIRECTORY)) ||
	    !is_denied_since(1, rmdir(folder)) ||
	    (version >= 1 &&
		!is_denied_since(1, execl("/bin/true", "true", NULL))))
		return 1;
	if (!is_denied_since(
		4, bind(any, (struct sockaddr *)&address, sizeof(address))))
		return 2;
	if (!is_denied_since(
		6, connect(local, (struct sockaddr *)&abstract, abstract_len)))
		return 3;
	if (!is_denied_since(6, kill(getppid(), 0)))
		return 4;
	/* connect stays possible */
	return kp_inside_connect() >= 0 ? 0 : 5;
}

Test(sandbox, what_log_mode_lets_through_is_stopped_by_landlock)
{
	/* the same user, who could signal the parent */
	const struct kp_sandbox stays = { .is_log_only = true };

	prepare_landlock();
	cr_assert_eq(kp_inside_run(&stays, reach_out), 0);
	(void)rmdir(folder);
}

static bool
is_without_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) != 0)
		return false;
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		if (data[i].effective != 0 || data[i].permitted != 0 ||
		    data[i].inheritable != 0)
			return false;
	}
	return true;
}

/* Who started it, and who it is to be. */
static uid_t tester, expected;

static bool
is_expected_user(void)
{
	uid_t real, effective, saved;
	gid_t group, effective_group, saved_group;

	if (getresuid(&real, &effective, &saved) != 0 ||
	    getresgid(&group, &effective_group, &saved_group) != 0 ||
	    real != expected || effective != expected || saved != expected)
		return false;
	return expected == tester ||
	       (group == KP_NOBODY && effective_group == KP_NOBODY &&
		   saved_group == KP_NOBODY && getgroups(0, NULL) == 0 &&
		   setuid(0) != 0);
}

static int
look_at_identity(void)
{
	struct rlimit core = { 1, 1 };

	if (!is_expected_user())
		return 1;
	if (!is_without_capabilities() ||
	    (tester == 0 && prctl(PR_CAPBSET_READ, CAP_SETUID) != 0))
		return 2;
	if (prctl(PR_GET_DUMPABLE) != 0 ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 ||
	    prctl(PR_GET_SECCOMP) != 2)
		return 3;
	return getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0 ? 0 : 4;
}

Test(sandbox, whoever_starts_it_has_no_privileges_inside)
{
	const struct kp_sandbox stays = { .is_log_only = true };

	static const gid_t group = 12;

	tester = geteuid();
	cr_assert(tester != 0 || setgroups(1, &group) == 0);
	expected = tester == 0 ? KP_NOBODY : tester;
	cr_assert_eq(run_in_log_mode(look_at_identity), 0);
	expected = tester;
	cr_assert_eq(kp_inside_run(&stays, look_at_identity), 0);
}

Test(sandbox, an_identity_that_cannot_be_taken_is_a_failure)
{
	/* the largest number is nobody's */
	const struct kp_sandbox sandbox = {
		.has_user = true, .uid = (uid_t)-1, .gid = KP_NOBODY
	};

	cr_assert(kp_has_exited_with(
	    kp_inside_run(&sandbox, look_at_identity), KP_NOT_ENTERED));
}

static int
look_at_parent(void)
{
	int number = 0;

	return prctl(PR_GET_PDEATHSIG, &number) == 0 && number == SIGKILL ? 0
									  : 1;
}

Test(sandbox, it_still_dies_with_its_parent)
{
	cr_assert_eq(run_in_log_mode(look_at_parent), 0);
}
