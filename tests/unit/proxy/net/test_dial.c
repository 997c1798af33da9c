/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/net/dial.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/support/socketpair.h"

#define PATIENCE_MS 60000
/* By two addresses: a machine that is shared may take some of it. */
#define SHARED_MS 6000

/* An address that is silent: its backlog is full and nobody accepts. */
static int
listen_full(struct kp_address *out, int fillers[4])
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct kp_error err;

	kp_assert(kp_address_parse(out, "127.0.0.1", 0));
	kp_assert(bind(fd, &out->sa.any, out->len) == 0);
	kp_assert(listen(fd, 0) == 0);
	kp_assert(kp_address_of_local(out, fd, &err));
	for (int i = 0; i < 4; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], &out->sa.any, out->len);
	}
	return fd;
}

static void
close_full(int fd, const int fillers[4])
{
	for (int i = 0; i < 4; i++)
		(void)close(fillers[i]);
	(void)close(fd);
}

Test(dial, connects_and_prepares_the_socket)
{
	struct kp_address address, peer;
	struct kp_error err;
	size_t index = 99;
	int value = 0, fd, listener = kp_test_listen(&address);
	socklen_t len = sizeof(value);

	fd = kp_dial(&index, &address, 1, kp_now_ms() + PATIENCE_MS, -1, &err);
	cr_assert(fd >= 0, "%s", err.text);
	cr_assert_eq(index, 0);
	cr_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	cr_assert_eq(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &len), 0);
	cr_assert_eq(value, 1);
	cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &len), 0);
	cr_assert_eq(value, 1);
	cr_assert(kp_address_of_peer(&peer, fd, &err));
	cr_assert_eq(kp_address_port(&peer), kp_address_port(&address));
	(void)close(fd);
	(void)close(listener);
}

Test(dial, goes_on_to_the_next_address)
{
	struct kp_address addresses[3];
	struct kp_error err;
	size_t index = 99;
	int fd, listener;

	kp_test_dead_address(&addresses[0]);
	kp_test_dead_address(&addresses[1]);
	listener = kp_test_listen(&addresses[2]);
	fd = kp_dial(&index, addresses, 3, kp_now_ms() + PATIENCE_MS, -1, &err);
	cr_assert(fd >= 0, "%s", err.text);
	cr_assert_eq(index, 2);
	(void)close(fd);
	(void)close(listener);
}

Test(dial, says_which_address_refused)
{
	struct kp_address addresses[2];
	char text[KP_ADDRESS_TEXT_LEN];
	struct kp_error err;

	kp_test_dead_address(&addresses[0]);
	kp_test_dead_address(&addresses[1]);
	cr_assert_eq(
	    kp_dial(NULL, addresses, 1, kp_now_ms() + PATIENCE_MS, -1, &err),
	    -1);
	cr_assert_eq(err.kind, KP_ERR_UNAVAILABLE);
	kp_address_format(&addresses[0], text);
	cr_assert_not_null(strstr(err.text, text), "%s", err.text);
	cr_assert_not_null(strstr(err.text, "refused"), "%s", err.text);
	cr_assert_eq(
	    kp_dial(NULL, addresses, 2, kp_now_ms() + PATIENCE_MS, -1, &err),
	    -1);
	kp_address_format(&addresses[1], text);
	cr_assert_not_null(strstr(err.text, text), "%s", err.text);
	cr_assert_not_null(
	    strstr(err.text, "last of 2 addresses"), "%s", err.text);
}

Test(dial, without_addresses_says_so)
{
	struct kp_error err;

	cr_assert_eq(kp_dial(NULL, NULL, 0, KP_NEVER, -1, &err), -1);
	cr_assert_eq(err.kind, KP_ERR_UNAVAILABLE);
}

Test(dial, a_silent_address_ends_at_the_deadline)
{
	struct kp_address address;
	int fillers[4], listener = listen_full(&address, fillers);
	int64_t start = kp_now_ms();
	struct kp_error err;

	cr_assert_eq(kp_dial(NULL, &address, 1, start + 200, -1, &err), -1);
	cr_assert_eq(err.kind, KP_ERR_TIMEOUT, "%s", err.text);
	cr_assert(kp_now_ms() - start >= 200);
	close_full(listener, fillers);
}

Test(dial, a_silent_address_leaves_time_for_the_next)
{
	struct kp_address addresses[2];
	int fillers[4], fd, listener = listen_full(&addresses[0], fillers);
	int live = kp_test_listen(&addresses[1]);
	struct kp_error err;
	size_t index = 99;

	fd = kp_dial(&index, addresses, 2, kp_now_ms() + SHARED_MS, -1, &err);
	cr_assert(fd >= 0, "%s", err.text);
	cr_assert_eq(index, 1);
	(void)close(fd);
	(void)close(live);
	close_full(listener, fillers);
}

Test(dial, gives_up_when_the_client_hangs_up)
{
	struct kp_address addresses[2];
	int fillers[4], client[2], listener;
	int live = kp_test_listen(&addresses[1]);
	struct kp_error err;

	listener = listen_full(&addresses[0], fillers);
	kp_test_tcp_pair(client, 0);
	(void)close(client[0]);
	cr_assert_eq(
	    kp_dial(NULL, addresses, 2, KP_NEVER, client[1], &err), -1);
	cr_assert_eq(err.kind, KP_ERR_CLOSED, "%s", err.text);
	(void)close(client[1]);
	(void)close(live);
	close_full(listener, fillers);
}

Test(dial, no_socket_is_left_open)
{
	struct kp_address addresses[2];
	struct kp_error err;
	int before, after;

	kp_test_dead_address(&addresses[0]);
	kp_test_dead_address(&addresses[1]);
	before = dup(0);
	(void)close(before);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(
		    kp_dial(NULL, addresses, 2, KP_NEVER, -1, &err), -1);
	after = dup(0);
	(void)close(after);
	cr_assert_eq(before, after);
}
