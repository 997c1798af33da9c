/* SPDX-License-Identifier: Apache-2.0 */
/* What a plain stream promises. */
#include "proxy/net/stream.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/socketpair.h"
#include "tests/support/streams.h"

Test(stream, the_zero_state_is_closed)
{
	struct kp_stream stream = { 0 };

	kp_stream_fini(&stream);
	/* standard input is still there */
	cr_assert(fcntl(0, F_GETFD) >= 0);
}

Test(stream, init_prepares_the_socket_and_fini_closes_it)
{
	struct kp_stream stream;
	struct kp_error err;
	int fds[2], value = 0;
	socklen_t len = sizeof(value);

	kp_test_tcp_pair(fds, 0);
	cr_assert(kp_stream_init_plain(&stream, fds[0], &err));
	cr_assert(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	cr_assert_eq(
	    getsockopt(fds[0], IPPROTO_TCP, TCP_NODELAY, &value, &len), 0);
	cr_assert_eq(value, 1);
	cr_assert_eq(kp_stream_handshake(&stream, &err), KP_IO_DONE);
	kp_stream_fini(&stream);
	cr_assert(fcntl(fds[0], F_GETFD) < 0);
	kp_stream_fini(&stream);
	(void)close(fds[1]);
}

Test(stream, a_bad_descriptor_is_an_error)
{
	struct kp_stream stream;
	struct kp_error err;

	cr_assert(!kp_stream_init_plain(&stream, -1, &err));
	cr_assert_eq(err.kind, KP_ERR_SYSTEM);
	kp_stream_fini(&stream);
}

Test(stream, nothing_there_means_wait)
{
	struct kp_test_streams streams;
	struct kp_error err;
	char byte;
	size_t n = 99;

	kp_test_plain(&streams);
	cr_assert_eq(kp_stream_read(&streams.server, &byte, 1, &n, &err),
	    KP_IO_WANT_READ);
	cr_assert_eq(n, 0);
	cr_assert(kp_stream_is_empty(&streams.server));
	kp_stream_woke(&streams.server, POLLOUT);
	cr_assert(kp_stream_is_empty(&streams.server));
	kp_stream_woke(&streams.server, POLLIN);
	cr_assert(!kp_stream_is_empty(&streams.server));
	cr_assert(kp_test_say(&streams.client, &streams.server, "hello"));
	cr_assert(kp_test_say(&streams.server, &streams.client, "welcome"));
	kp_test_streams_fini(&streams);
}

Test(stream, events_follow_what_is_wanted)
{
	struct kp_stream stream = { 0 };

	cr_assert_eq(kp_stream_events(&stream, false, false), 0);
	cr_assert_eq(kp_stream_events(&stream, true, false), POLLIN);
	cr_assert_eq(kp_stream_events(&stream, false, true), POLLOUT);
	cr_assert_eq(kp_stream_events(&stream, true, true), POLLIN | POLLOUT);
	stream.read_wants_write = true;
	cr_assert_eq(kp_stream_events(&stream, true, false), POLLOUT);
	cr_assert_eq(kp_stream_events(&stream, false, false), 0);
	stream.write_wants_read = true;
	cr_assert_eq(kp_stream_events(&stream, true, true), POLLIN | POLLOUT);
	cr_assert_eq(kp_stream_events(&stream, false, true), POLLIN);
}

Test(stream, a_plain_stream_has_nothing_to_describe)
{
	struct kp_test_streams streams;
	struct kp_stream_info info;

	kp_test_plain(&streams);
	kp_stream_describe(&streams.server, &info);
	cr_assert_str_eq(info.version, "");
	cr_assert_str_eq(info.cipher, "");
	cr_assert_str_eq(info.group, "");
	cr_assert(!info.has_peer_certificate);
	cr_assert_null(kp_stream_sni(&streams.server));
	kp_test_streams_fini(&streams);
}

Test(stream, the_last_bytes_come_before_the_end)
{
	struct kp_test_streams streams;
	struct iovec span = { (void *)(uintptr_t) "last", 4 };
	struct kp_error err;
	char buf[16];
	size_t n;

	kp_test_plain(&streams);
	cr_assert_eq(
	    kp_stream_writev(&streams.client, &span, 1, &n, &err), KP_IO_DONE);
	kp_stream_fini(&streams.client);
	cr_assert_eq(
	    kp_stream_read(&streams.server, buf, sizeof(buf), &n, &err),
	    KP_IO_DONE);
	cr_assert_eq(n, 4);
	for (unsigned i = 0; i < 2; i++) {
		cr_assert_eq(
		    kp_stream_read(&streams.server, buf, sizeof(buf), &n, &err),
		    KP_IO_CLOSED);
		cr_assert_eq(n, 0);
		cr_assert_eq(err.kind, KP_ERR_CLOSED);
	}
	kp_test_streams_fini(&streams);
}

Test(stream, writing_to_nobody_is_an_error_and_no_signal)
{
	struct kp_test_streams streams;
	struct iovec span = { (void *)(uintptr_t) "x", 1 };
	struct kp_error err;
	size_t n;

	kp_test_plain(&streams);
	kp_stream_fini(&streams.client);
	cr_assert_eq(kp_stream_writev(&streams.server, &span, 1, &n, &err),
	    KP_IO_FAILED);
	cr_assert_eq(err.kind, KP_ERR_CLOSED);
	kp_test_streams_fini(&streams);
}

Test(stream, a_reset_is_the_peers_doing)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	struct kp_stream stream;
	struct kp_error err;
	char byte;
	int fds[2];
	size_t n;

	kp_test_tcp_pair(fds, 0);
	cr_assert(kp_stream_init_plain(&stream, fds[0], &err));
	cr_assert_eq(
	    setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	(void)close(fds[1]);
	cr_assert_eq(kp_stream_read(&stream, &byte, 1, &n, &err), KP_IO_FAILED);
	cr_assert_eq(err.kind, KP_ERR_CLOSED);
	kp_stream_fini(&stream);
}

Test(stream, empty_spans_are_nothing)
{
	struct kp_test_streams streams;
	struct iovec spans[] = { { NULL, 0 }, { (void *)(uintptr_t) "ab", 2 },
		{ NULL, 0 }, { (void *)(uintptr_t) "c", 1 }, { NULL, 0 } };
	struct kp_error err;
	char buf[16];
	size_t n = 99;

	kp_test_plain(&streams);
	cr_assert_eq(
	    kp_stream_writev(&streams.client, NULL, 0, &n, &err), KP_IO_DONE);
	cr_assert_eq(n, 0);
	cr_assert_eq(
	    kp_stream_writev(&streams.client, spans, 1, &n, &err), KP_IO_DONE);
	cr_assert_eq(n, 0);
	cr_assert_eq(
	    kp_stream_writev(&streams.client, spans, 5, &n, &err), KP_IO_DONE);
	cr_assert_eq(n, 3);
	cr_assert_eq(
	    kp_stream_read(&streams.server, buf, sizeof(buf), &n, &err),
	    KP_IO_DONE);
	cr_assert_eq(n, 3);
	cr_assert(memcmp(buf, "abc", 3) == 0);
	kp_test_streams_fini(&streams);
}

#define NUM_SPANS 2500 /* more than the kernel takes at once */

Test(stream, more_spans_than_the_kernel_takes_arrive_in_order)
{
	static struct iovec spans[NUM_SPANS];
	static char out[NUM_SPANS], in[NUM_SPANS + 1];
	struct kp_test_streams streams;
	struct kp_error err;
	size_t n, total = 0;

	for (size_t i = 0; i < NUM_SPANS; i++) {
		out[i] = (char)('a' + i % 26);
		spans[i] = (struct iovec){ &out[i], 1 };
	}
	kp_test_plain(&streams);
	cr_assert_eq(
	    kp_stream_writev(&streams.client, spans, NUM_SPANS, &n, &err),
	    KP_IO_DONE);
	cr_assert_eq(n, NUM_SPANS);
	while (kp_stream_read(&streams.server, in + total, sizeof(in) - total,
		   &n, &err) == KP_IO_DONE)
		total += n;
	cr_assert_eq(total, NUM_SPANS);
	cr_assert(memcmp(in, out, NUM_SPANS) == 0);
	kp_test_streams_fini(&streams);
}
