/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/inside.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/net/socket.h"

int kp_inside_listener = -1;
struct sockaddr_in kp_inside_address;

struct kp_sandbox
kp_inside_usual(bool is_log_only)
{
	return (struct kp_sandbox){ .is_log_only = is_log_only,
		.has_user = geteuid() == 0,
		.uid = KP_NOBODY,
		.gid = KP_NOBODY };
}

static int
enter_and_run(const struct kp_sandbox *sandbox, kp_inside_fn *function)
{
	struct kp_error err;

	if (kp_sandbox_enter(sandbox, &err))
		return function();
	(void)fprintf(stderr, "%s\n", err.text);
	return KP_NOT_ENTERED;
}

int
kp_inside_run(const struct kp_sandbox *sandbox, kp_inside_fn *function)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(enter_and_run(sandbox, function));
	kp_assert(child > 0);
	kp_assert(waitpid(child, &status, 0) == child);
	return status;
}

bool
kp_has_exited_with(int status, int code)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

bool
kp_was_killed_by(int status, int number)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == number;
}

void
kp_inside_listen(void)
{
	struct sockaddr_in *address = &kp_inside_address;
	socklen_t len = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	kp_assert(bind(fd, (struct sockaddr *)address, len) == 0);
	kp_assert(listen(fd, 8) == 0);
	kp_assert(getsockname(fd, (struct sockaddr *)address, &len) == 0);
	kp_inside_listener = fd;
}

int
kp_inside_connect(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd item = { .fd = fd, .events = POLLOUT };
	int reason = -1;
	socklen_t len = sizeof(reason);
	struct kp_error err;

	if (fd < 0 || !kp_socket_tune(fd, &err))
		return -1;
	if (connect(fd, (struct sockaddr *)&kp_inside_address,
		sizeof(kp_inside_address)) != 0 &&
	    errno != EINPROGRESS)
		return -1;
	if (poll(&item, 1, 5000) != 1 ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &len) != 0)
		return -1;
	return reason == 0 ? fd : -1;
}
