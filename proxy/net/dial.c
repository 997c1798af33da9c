/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/net/dial.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "proxy/net/socket.h"

/* What a connect that is under way depends on. */
struct attempt {
	int fd;
	int watch_fd;
	int64_t deadline_ms;
};

/* Waits for the end of connect(2). False with err if it is not a success. */
static bool
wait_connected(const struct attempt *a, struct kp_error *err)
{
	struct pollfd fds[2] = {
		{ .fd = a->fd, .events = POLLOUT },
		{ .fd = a->watch_fd, .events = POLLRDHUP },
	};
	int num, reason = 0;
	socklen_t len = sizeof(reason);

	do {
		num = poll(fds, 2, kp_ms_left(a->deadline_ms));
	} while (num < 0 && errno == EINTR);
	if (num < 0)
		return kp_error_sys(err, "could not wait");
	if (fds[1].revents != 0)
		return kp_error_set(
		    err, KP_ERR_CLOSED, "gave up, whom it was for has gone");
	if (num == 0)
		return kp_error_set(err, KP_ERR_TIMEOUT, "no answer in time");
	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &reason, &len) != 0)
		return kp_error_sys(err, "could not ask a socket");
	if (reason == 0)
		return true;
	errno = reason;
	(void)kp_error_sys(err, "could not connect");
	err->kind = KP_ERR_UNAVAILABLE;
	return false;
}

static bool
connect_in_time(const struct kp_address *address, const struct attempt *a,
    struct kp_error *err)
{
	if (!kp_socket_tune(a->fd, err))
		return false;
	if (connect(a->fd, &address->sa.any, address->len) == 0)
		return true;
	if (errno == EINPROGRESS || errno == EINTR)
		return wait_connected(a, err);
	(void)kp_error_sys(err, "could not connect");
	err->kind = KP_ERR_UNAVAILABLE;
	return false;
}

static int
dial_one(const struct kp_address *address, int64_t deadline_ms, int watch_fd,
    struct kp_error *err)
{
	char text[KP_ADDRESS_TEXT_LEN];
	struct attempt a = { .watch_fd = watch_fd, .deadline_ms = deadline_ms };

	a.fd = socket(address->sa.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (a.fd < 0) {
		(void)kp_error_sys(err, "could not make a socket");
		return -1;
	}
	if (connect_in_time(address, &a, err))
		return a.fd;
	(void)close(a.fd);
	kp_address_format(address, text);
	(void)kp_error_prefix(err, "%s", text);
	return -1;
}

/* An address that is silent may not use up the time of those after it. */
static int64_t
share_of(int64_t deadline_ms, size_t num_left)
{
	int64_t now = kp_now_ms();

	if (deadline_ms == KP_NEVER || deadline_ms <= now)
		return deadline_ms;
	return now + (deadline_ms - now) / (int64_t)num_left;
}

int
kp_dial(size_t *out_index, const struct kp_address *addresses,
    size_t num_addresses, int64_t deadline_ms, int watch_fd,
    struct kp_error *err)
{
	(void)kp_error_set(err, KP_ERR_UNAVAILABLE, "no address is known");
	for (size_t i = 0; i < num_addresses; i++) {
		int fd = dial_one(&addresses[i],
		    share_of(deadline_ms, num_addresses - i), watch_fd, err);

		if (fd >= 0 && out_index != NULL)
			*out_index = i;
		if (fd >= 0 || err->kind == KP_ERR_CLOSED)
			return fd;
	}
	if (num_addresses > 1)
		(void)kp_error_prefix(
		    err, "last of %zu addresses", num_addresses);
	return -1;
}
