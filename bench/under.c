/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into kproxy's supervisor, so that the worker, and it alone, runs
 * under another program: the command in KP_BENCH_UNDER, such as "valgrind
 * --tool=callgrind". The supervisor starts the worker as /proc/self/exe, which
 * valgrind cannot follow. For measurements only, and for a build without the
 * worker's sandbox: an instrumented process writes its results to a file when
 * it ends.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORKER "--role=worker"
#define MAX_COMMAND 4096

static bool
is_worker(char *const argv[])
{
	return argv[0] != NULL && argv[1] != NULL &&
	       strcmp(argv[1], WORKER) == 0;
}

/* The C library's calls execvpe, which is not replaced. */
int
execvp(const char *file, char *const argv[])
{
	const char *under = getenv("KP_BENCH_UNDER");
	char command[MAX_COMMAND], program[PATH_MAX] = "", role[] = WORKER;
	char shell[] = "sh", option[] = "-c";
	char *const wrapped[] = { shell, option, command, program, role, NULL };

	if (under == NULL || !is_worker(argv) ||
	    readlink("/proc/self/exe", program, sizeof(program) - 1) < 0 ||
	    snprintf(command, sizeof(command), "exec %s \"$0\" \"$@\"",
		under) >= MAX_COMMAND)
		return execvpe(file, argv, environ);
	return execve("/bin/sh", wrapped, environ);
}
