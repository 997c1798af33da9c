/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walls that are seen only in log mode: otherwise the list of calls
 * (test_calls.c) stands before them.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
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
	prepare_landlock();
	cr_assert_eq(run_in_log_mode(reach_out), 0);
	(void)rmdir(folder);
}

static int
look_at_privileges(void)
{
	struct rlimit core = { 1, 1 };

	if (prctl(PR_GET_DUMPABLE) != 0 ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 ||
	    prctl(PR_GET_SECCOMP) != 2)
		return 1;
	return getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0 ? 0 : 2;
}

Test(sandbox, no_privileges_can_be_gained_inside)
{
	cr_assert_eq(run_in_log_mode(look_at_privileges), 0);
}
