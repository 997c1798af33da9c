/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the supervisor; the whole is in integration/test_processes.py.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "proxy/supervisor/child.h"
#include "proxy/supervisor/sockets.h"
#include "proxy/supervisor/user.h"
#include "tests/support/port.h"

static bool
is_among(char list[][32], unsigned num, const char *address)
{
	unsigned i = 0;

	while (i < num && strcmp(list[i], address) != 0)
		i++;
	return i < num;
}

/* Ports that are free, as "127.0.0.1:N", no two the same. */
static void
find_ports(char out[][32], unsigned num)
{
	for (unsigned i = 0; i < num; i++)
		do
			(void)snprintf(out[i], 32, "127.0.0.1:%u",
			    (unsigned)kp_test_port());
		while (is_among(out, i, out[i]));
}

static size_t
update(struct kp_sockets *sockets, char *const *addresses, size_t num)
{
	char **errors;
	size_t num_errors;
	bool is_ok =
	    kp_sockets_update(sockets, addresses, num, &errors, &num_errors);

	cr_assert_eq(is_ok, num_errors == 0);
	for (size_t i = 0; i < num_errors; i++)
		cr_assert(strlen(errors[i]) > 10);
	kp_sockets_errors_free(errors, num_errors);
	return num_errors;
}

static bool
is_listening(int fd)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len) == 0 &&
	       value == 1;
}

Test(sockets, those_that_stay_are_the_same_and_those_that_go_are_closed)
{
	char ports[3][32];
	char *all[] = { ports[0], ports[1], ports[0] };
	char *others[] = { ports[2], ports[1] };
	struct kp_sockets sockets = { 0 };
	int first, second;

	find_ports(ports, 3);
	cr_assert_eq(update(&sockets, all, 3), 0);
	cr_assert_eq(sockets.num_items, 2, "the same address twice is one");
	first = sockets.items[0].fd;
	second = sockets.items[1].fd;
	cr_assert(is_listening(first) && is_listening(second));
	cr_assert(fcntl(first, F_GETFD) & FD_CLOEXEC);
	cr_assert(fcntl(first, F_GETFL) & O_NONBLOCK);

	cr_assert_eq(update(&sockets, others, 2), 0);
	cr_assert_eq(sockets.num_items, 2);
	cr_assert_eq(sockets.items[1].fd, second);
	cr_assert_str_eq(sockets.items[0].address, ports[2]);

	cr_assert_eq(update(&sockets, NULL, 0), 0);
	cr_assert_eq(sockets.num_items, 0);
	cr_assert(!is_listening(second), "closed");
	kp_sockets_fini(&sockets);
}

Test(sockets, one_failure_leaves_everything_as_it_was)
{
	static char host[] = "broker.example:9092", no_port[] = "127.0.0.1",
		    not_ours[] = "192.0.2.1:9092", empty[] = "";
	char ports[2][32];
	char *before[] = { ports[0] };
	char *bad[] = { ports[1], host, no_port, not_ours, empty };
	struct kp_sockets sockets = { 0 }, again = { 0 };
	int fd;

	find_ports(ports, 2);
	cr_assert_eq(update(&sockets, before, 1), 0);
	fd = sockets.items[0].fd;
	cr_assert_eq(update(&sockets, bad, 5), 4);
	cr_assert_eq(sockets.num_items, 1);
	cr_assert_eq(sockets.items[0].fd, fd);
	cr_assert(is_listening(fd));
	/* what had been bound on the way is free again */
	cr_assert_eq(update(&again, bad, 1), 0);
	kp_sockets_fini(&again);
	kp_sockets_fini(&sockets);
}

Test(sockets, a_port_in_use_is_an_error_with_its_address)
{
	char ports[1][32];
	char *wanted[] = { ports[0] }, **errors;
	struct kp_sockets first = { 0 }, second = { 0 };
	size_t num;

	find_ports(ports, 1);
	cr_assert_eq(update(&first, wanted, 1), 0);
	cr_assert(!kp_sockets_update(&second, wanted, 1, &errors, &num));
	cr_assert_eq(num, 1);
	cr_assert_not_null(strstr(errors[0], ports[0]));
	cr_assert_not_null(strstr(errors[0], "in use"));
	kp_sockets_errors_free(errors, num);
	kp_sockets_fini(&first);
	kp_sockets_fini(&second);
}

Test(child, waits_grow_to_a_limit)
{
	static const int64_t expected_ms[] = { 0, 0, 100, 200, 400, 800, 1600,
		3200, 5000, 5000 };

	for (unsigned i = 0; i < 10; i++)
		cr_expect(kp_child_backoff_ms(i) == expected_ms[i], "%u", i);
	cr_assert_eq(kp_child_backoff_ms(1000000), KP_CHILD_MAX_BACKOFF_MS);
}

/* Starts a shell that can use what a child is given. */
static int
run_shell(struct kp_child *child, const char *script, int metrics_fd)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	struct kp_error err;
	int status;

	*child = (struct kp_child){ .name = "test", .argv = argv };
	cr_assert(kp_child_start(child, metrics_fd, &err), "%s", err.text);
	cr_assert(child->start_at_ms == KP_NEVER);
	cr_assert_eq(waitpid(child->pid, &status, 0), child->pid);
	child->argv = NULL;
	return status;
}

Test(child, it_has_its_two_descriptors_and_no_others)
{
	struct kp_child child;
	int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int metrics = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int status = run_shell(&child,
	    "test -S /proc/self/fd/3 && test -c /proc/self/fd/4 && "
	    "for f in /proc/self/fd/*; do test \"${f##*/}\" -le 4 || "
	    "test ! -e $f || exit 1; done",
	    metrics);

	cr_assert(WIFEXITED(status));
	cr_assert_eq(WEXITSTATUS(status), 0);
	kp_child_ended(&child, status);
	cr_assert(!child.channel.is_open);
	(void)close(metrics);
	(void)close(other);
}

Test(child, it_begins_without_blocked_signals)
{
	struct kp_child child;
	sigset_t set, before;
	int status;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, &before);
	status = run_shell(&child, "kill -TERM $$; exit 1", 0);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	cr_assert(WIFSIGNALED(status));
	cr_assert_eq(WTERMSIG(status), SIGTERM);
	kp_child_ended(&child, status);
}

Test(child, quick_deaths_are_counted)
{
	struct kp_child child;
	int status = run_shell(&child, "exit 5", 0);

	for (unsigned i = 1; i <= 3; i++) {
		child.started_ms = kp_now_ms();
		kp_child_ended(&child, status);
		cr_assert_eq(child.num_quick_deaths, i);
	}
	cr_assert(child.start_at_ms >= child.started_ms + 200);
	child.started_ms = kp_now_ms() - KP_CHILD_QUICK_DEATH_MS;
	kp_child_ended(&child, status);
	cr_assert_eq(child.num_quick_deaths, 0);
	cr_assert(child.start_at_ms <= kp_now_ms(), "at once");
	cr_assert_eq(child.pid, 0);
	kp_child_kill(&child);
}

Test(child, a_program_that_is_not_there_ends_with_its_own_code)
{
	const char *argv[] = { "/nonexistent/program", NULL };
	struct kp_child child = { .name = "test", .argv = argv };
	struct kp_error err;
	int status;

	cr_assert(kp_child_start(&child, 0, &err));
	cr_assert_eq(waitpid(child.pid, &status, 0), child.pid);
	cr_assert(WIFEXITED(status));
	cr_assert_eq(WEXITSTATUS(status), KP_CHILD_NOT_STARTED);
	kp_child_ended(&child, status);
}

Test(user, root_has_its_worker_be_nobody_or_who_is_said)
{
	/* root, and whom the list of users of every system has beside it */
	static const struct {
		const char *wanted;
		bool is_other;
		uid_t uid;
		gid_t gid;
	} cases[] = {
		{ "root", false, 0, 0 },
		{ "0:0", false, 0, 0 },
		{ "daemon", true, 1, 1 },
		{ "1234:77", true, 1234, 77 },
		{ "4294967294:4294967294", true, 4294967294, 4294967294 },
	};
	struct kp_user user;
	struct kp_error err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert(kp_user_choose(&user, cases[i].wanted, 0, &err), "%s",
		    cases[i].wanted);
		cr_expect(user.is_other == cases[i].is_other);
		cr_expect(user.uid == cases[i].uid, "%s", cases[i].wanted);
		cr_expect(!user.is_other || user.gid == cases[i].gid);
	}
}

Test(user, by_default_root_takes_its_own_user_else_nobody)
{
	const struct passwd *expected = getpwnam(KP_USER_OWN);
	struct kp_user user;
	struct kp_error err;

	if (expected == NULL)
		expected = getpwnam(KP_USER_NOBODY);
	cr_assert(kp_user_choose(&user, NULL, 0, &err));
	cr_assert(user.is_other);
	cr_assert_eq(
	    user.uid, expected == NULL ? KP_USER_NOBODY_ID : expected->pw_uid);
	cr_assert(user.uid != 0 && user.gid != 0);
}

Test(user, others_have_their_worker_be_who_they_are)
{
	static const char *const fine[] = { NULL, "daemon", "1:1" };
	static const char *const refused[] = { "root", "0:0", "2:2", "bin" };
	struct kp_user user;
	struct kp_error err;

	for (unsigned i = 0; i < 3; i++) {
		cr_assert(kp_user_choose(&user, fine[i], 1, &err));
		cr_expect(!user.is_other);
	}
	for (unsigned i = 0; i < 4; i++) {
		cr_expect(!kp_user_choose(&user, refused[i], 1, &err));
		cr_expect(strstr(err.text, "only root") != NULL);
	}
}

Test(user, who_is_not_known_is_refused)
{
	static const char *const unknown[] = { "", ":", "no-such-user",
		"1:", ":1", "1:2:3", "-1:1", "1:-1", "4294967295:1",
		"1:4294967295", "18446744073709551616:1",
		"99999999999999999999999999999:1", "a:b", "root:root" };
	struct kp_user user;
	struct kp_error err;

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		cr_expect(!kp_user_choose(&user, unknown[i], 0, &err), "%s",
		    unknown[i]);
		cr_expect(strstr(err.text, "is not known") != NULL);
	}
}
