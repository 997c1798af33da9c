/* SPDX-License-Identifier: Apache-2.0 */
/* Each look into the sandbox is from a child process: there is no way out. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/link/sandbox.h"

static void *
nothing(void *arg)
{
	return arg;
}

/* What the worker needs: threads, random bytes, sockets to brokers, memory. */
static bool
can_work(void)
{
	pthread_t thread;
	char bytes[16];
	void *memory = malloc(8u << 20);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_ok = memory != NULL && fd >= 0 &&
		     pthread_create(&thread, NULL, nothing, NULL) == 0 &&
		     pthread_join(thread, NULL) == 0 &&
		     getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes);

	free(memory);
	return is_ok;
}

static bool
is_denied(long result)
{
	return result < 0 && (errno == EPERM || errno == EACCES);
}

static bool
can_do_harm(void)
{
	static char *const argv[] = { NULL };

	return !is_denied(open("/etc/passwd", O_RDONLY | O_CLOEXEC)) ||
	       !is_denied(openat(AT_FDCWD, "/tmp", O_RDONLY | O_CLOEXEC)) ||
	       !is_denied(creat("/tmp/kproxy-sandbox", 0600)) ||
	       !is_denied(execve("/bin/true", argv, argv)) ||
	       !is_denied(fork()) ||
	       !is_denied(socket(AF_UNIX, SOCK_STREAM, 0)) ||
	       !is_denied(socket(AF_NETLINK, SOCK_RAW, 0)) ||
	       !is_denied(kill(getppid(), 0)) || prctl(PR_GET_DUMPABLE) != 0 ||
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
}

static int
in_sandbox(void)
{
	struct kp_error err;

	if (!kp_sandbox_enter(&err))
		return 1;
	if (!can_work())
		return 2;
	return kp_sandbox_is_built() && can_do_harm() ? 3 : 0;
}

Test(sandbox, work_goes_on_and_files_programs_and_processes_are_denied)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(in_sandbox());
	cr_assert(child > 0);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status));
	cr_assert_eq(WEXITSTATUS(status), 0);
}
