/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/socketpair.h"

#include <sys/socket.h>
#include <unistd.h>

void
kp_test_socketpair(int out[2])
{
	kp_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) == 0);
}

int
kp_test_listen(struct kp_address *out)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct kp_error err;

	kp_assert(kp_address_parse(out, "127.0.0.1", 0));
	kp_assert(fd >= 0 && bind(fd, &out->sa.any, out->len) == 0);
	kp_assert(listen(fd, 16) == 0);
	kp_assert(kp_address_of_local(out, fd, &err));
	return fd;
}

void
kp_test_dead_address(struct kp_address *out)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct kp_error err;

	kp_assert(kp_address_parse(out, "127.0.0.1", 0));
	kp_assert(fd >= 0 && bind(fd, &out->sa.any, out->len) == 0);
	kp_assert(kp_address_of_local(out, fd, &err));
}

static void
set_buffers(int fd, int len)
{
	if (len == 0)
		return;
	kp_assert(
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &len, sizeof(len)) == 0);
	kp_assert(
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &len, sizeof(len)) == 0);
}

void
kp_test_tcp_pair(int out[2], int buffer_len)
{
	struct kp_address address;
	int listener = kp_test_listen(&address);

	set_buffers(listener, buffer_len);
	out[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	kp_assert(out[0] >= 0);
	set_buffers(out[0], buffer_len);
	kp_assert(connect(out[0], &address.sa.any, address.len) == 0);
	out[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	kp_assert(out[1] >= 0);
	(void)close(listener);
}
