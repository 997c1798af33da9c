/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

static int saved_stderr = -1, captured = -1;

static void
run_child(void (*function)(void))
{
	const struct rlimit no_core = { 0, 0 };
	int null = open("/dev/null", O_WRONLY);

	if (null >= 0)
		(void)dup2(null, STDERR_FILENO);
	(void)setrlimit(RLIMIT_CORE, &no_core);
	function();
	_exit(0);
}

bool
kp_aborts(void (*function)(void))
{
	pid_t child;
	int status;

	(void)fflush(NULL);
	child = fork();
	kp_assert(child >= 0);
	if (child == 0)
		run_child(function);
	kp_assert(waitpid(child, &status, 0) == child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

void
kp_stderr_begin(void)
{
	captured = memfd_create("stderr", MFD_CLOEXEC);
	saved_stderr = dup(STDERR_FILENO);
	kp_assert(captured >= 0 && saved_stderr >= 0);
	kp_assert(dup2(captured, STDERR_FILENO) >= 0);
}

void
kp_stderr_end(char *out, size_t out_size)
{
	ssize_t len;

	kp_assert(dup2(saved_stderr, STDERR_FILENO) >= 0);
	len = pread(captured, out, out_size - 1, 0);
	kp_assert(len >= 0);
	out[len] = '\0';
	(void)close(captured);
	(void)close(saved_stderr);
}
