/* SPDX-License-Identifier: Apache-2.0 */
/* Data over TLS: byte for byte, in pieces of any size, until the end. */
#include "proxy/net/stream.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/alloc.h"
#include "tests/support/socketpair.h"
#include "tests/support/streams.h"
#include "tests/support/tls_world.h"

#define KIB ((size_t)1024)
#define MIB (KIB * KIB)

static void
connect_tls(struct kp_test_streams *streams, struct kp_test_world *w)
{
	kp_test_world_init(w, &kp_test_broker);
	kp_test_world_start(w);
	kp_test_tls(streams, w->server, w->client, "b.example");
	cr_assert(kp_test_handshake(streams));
}

static void
disconnect(struct kp_test_streams *streams, struct kp_test_world *w)
{
	kp_test_streams_fini(streams);
	kp_test_world_fini(w);
}

/* xorshift: the same numbers in every run. */
static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* One direction of a transfer; both ends know what the bytes must be. */
struct flow {
	struct kp_stream *from, *to;
	const uint8_t *bytes;
	size_t len, max_span, max_read;
	uint64_t random;
	size_t sent, received;
	bool is_refused; /* the last write was: offer no less now */
};

#define MAX_SPANS 8

static size_t
cut_spans(struct flow *f, struct iovec *spans, size_t *num)
{
	size_t offered = 0, left = f->len - f->sent;
	const uint8_t *next = f->bytes + f->sent;

	*num = f->is_refused ? 1 : 1 + next_random(&f->random) % MAX_SPANS;
	for (size_t i = 0; i < *num; i++) {
		size_t len = next_random(&f->random) % (f->max_span + 1);

		if (f->is_refused || len > left - offered)
			len = left - offered;
		spans[i] =
		    (struct iovec){ (void *)(uintptr_t)(next + offered), len };
		offered += len;
	}
	return offered;
}

static void
flow_send(struct flow *f)
{
	struct iovec spans[MAX_SPANS];
	size_t n, num, offered = cut_spans(f, spans, &num);
	struct kp_error err;
	enum kp_io io = kp_stream_writev(f->from, spans, num, &n, &err);

	cr_assert(io == KP_IO_DONE || io == KP_IO_WANT_WRITE, "%s", err.text);
	cr_assert_eq(io == KP_IO_DONE, n == offered);
	f->is_refused = io == KP_IO_WANT_WRITE;
	f->sent += n;
}

static void
flow_receive(struct flow *f)
{
	size_t n, len = 1 + next_random(&f->random) % f->max_read;
	uint8_t *buf = kp_alloc(1, len);
	struct kp_error err;
	enum kp_io io = kp_stream_read(f->to, buf, len, &n, &err);

	cr_assert(io == KP_IO_DONE || io == KP_IO_WANT_READ, "%s", err.text);
	cr_assert_eq(io == KP_IO_DONE, n > 0);
	cr_assert(memcmp(buf, f->bytes + f->received, n) == 0);
	f->received += n;
	free(buf);
}

static void
flow_wait(const struct flow *f)
{
	struct pollfd fds[2] = { { .fd = f->from->fd }, { .fd = f->to->fd } };

	fds[0].events = kp_stream_events(f->from, false, f->sent < f->len);
	fds[1].events = kp_stream_events(f->to, true, false);
	if (!kp_stream_is_empty(f->to) ||
	    (f->sent < f->len && !kp_stream_is_full(f->from)))
		return;
	cr_assert(poll(fds, 2, 5000) > 0, "nothing moves");
	kp_stream_woke(f->from, fds[0].revents);
	kp_stream_woke(f->to, fds[1].revents);
}

static void
run(struct flow *f)
{
	while (f->received < f->len) {
		flow_wait(f);
		if (f->sent < f->len)
			flow_send(f);
		flow_receive(f);
	}
	cr_assert_eq(f->received, f->len);
}

static uint8_t *
make_bytes(size_t len)
{
	uint8_t *bytes = kp_alloc(1, len);
	uint64_t random = 88172645463325252u;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)next_random(&random);
	return bytes;
}

Test(stream_tls, megabytes_arrive_whatever_the_pieces)
{
	static const struct {
		size_t len, max_span, max_read;
	} cases[] = {
		{ 4 * MIB, 64 * KIB, 64 * KIB },
		{ 4 * MIB, 200 * KIB, 64 * KIB },
		{ 2 * MIB, 64 * KIB, 100 },
		{ MIB, 40, 64 * KIB },
		{ MIB, 16 * KIB, 16 * KIB },
		{ 64 * KIB, 3, 3 },
	};
	struct kp_test_streams streams;
	struct kp_test_world w;
	uint8_t *bytes = make_bytes(4 * MIB);

	connect_tls(&streams, &w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct flow up = { &streams.client, &streams.server, bytes,
			cases[i].len, cases[i].max_span, cases[i].max_read,
			1234567 + i, 0, 0, false };
		struct flow down = up;

		down.from = &streams.server;
		down.to = &streams.client;
		run(&up);
		run(&down);
	}
	free(bytes);
	disconnect(&streams, &w);
}

/* Both TLS versions over TCP with buffers that hold less than a record. */
Test(stream_tls, tiny_socket_buffers_only_slow_it_down)
{
	static const uint16_t versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	uint8_t *bytes = make_bytes(MIB);

	for (size_t i = 0; i < 2; i++) {
		struct kp_test_streams streams;
		struct kp_test_world w;
		struct flow up;
		int fds[2];

		kp_test_world_init(&w, &kp_test_broker);
		kp_test_world_start(&w);
		kp_test_tcp_pair(fds, 1);
		kp_test_tls_on(&streams, fds, w.server, w.client);
		kp_assert(SSL_set_max_proto_version(
			      streams.client.ssl, versions[i]) == 1);
		while (!kp_test_handshake(&streams))
			cr_assert(!streams.client.has_failed &&
				  !streams.server.has_failed);
		up = (struct flow){ &streams.client, &streams.server, bytes,
			MIB, 50 * KIB, 64 * KIB, 42, 0, 0, false };
		run(&up);
		disconnect(&streams, &w);
	}
	free(bytes);
}

/* Offers the rest from memory of its own, in three cuts. */
static enum kp_io
write_copy(struct kp_stream *s, const uint8_t *rest, size_t len, size_t *out_n)
{
	uint8_t *copy = kp_alloc(1, len);
	size_t first = len / 1000, second = len / 3;
	struct iovec spans[3] = { { copy, first }, { copy + first, second },
		{ copy + first + second, len - first - second } };
	struct kp_error err;
	enum kp_io io;

	kp_copy(copy, rest, len);
	io = kp_stream_writev(s, spans, 3, out_n, &err);
	memset(copy, 0, len);
	free(copy);
	return io;
}

/* A full socket: the record is encrypted already, its bytes may move. */
Test(stream_tls, a_refused_write_goes_on_from_another_buffer)
{
	const size_t len = 2 * MIB;
	static uint8_t in[64 * KIB];
	struct kp_test_streams streams;
	size_t n, sent = 0, received = 0;
	unsigned num_refused = 0;
	struct kp_test_world w;
	struct kp_error err;
	uint8_t *bytes = make_bytes(len);

	connect_tls(&streams, &w);
	while (received < len) {
		if (sent < len) {
			enum kp_io io = write_copy(
			    &streams.client, bytes + sent, len - sent, &n);

			cr_assert(io == KP_IO_DONE || io == KP_IO_WANT_WRITE);
			num_refused += io == KP_IO_WANT_WRITE;
			sent += n;
		}
		cr_assert_eq(
		    kp_stream_read(&streams.server, in, sizeof(in), &n, &err),
		    KP_IO_DONE);
		cr_assert(memcmp(in, bytes + received, n) == 0);
		received += n;
	}
	cr_assert(num_refused > 5);
	free(bytes);
	disconnect(&streams, &w);
}

Test(stream_tls, close_notify_and_a_cut_are_told_apart)
{
	static const char *const texts[] = { "peer closed the connection",
		"peer closed the connection without TLS close_notify" };

	for (unsigned is_cut = 0; is_cut < 2; is_cut++) {
		struct kp_test_streams streams;
		struct kp_test_world w;
		struct kp_error err;
		char buf[16];
		size_t n;

		connect_tls(&streams, &w);
		cr_assert(kp_test_say(&streams.client, &streams.server, "x"));
		streams.client.has_failed = is_cut;
		kp_stream_fini(&streams.client);
		for (unsigned i = 0; i < 2; i++) {
			cr_assert_eq(kp_stream_read(&streams.server, buf,
					 sizeof(buf), &n, &err),
			    KP_IO_CLOSED);
			cr_assert_eq(err.kind, KP_ERR_CLOSED);
			cr_assert_str_eq(err.text, texts[is_cut]);
		}
		disconnect(&streams, &w);
	}
}

Test(stream_tls, the_last_bytes_come_before_the_end)
{
	struct kp_test_streams streams;
	struct iovec span = { (void *)(uintptr_t) "last", 4 };
	struct kp_test_world w;
	struct kp_error err;
	char buf[16];
	size_t n;

	connect_tls(&streams, &w);
	cr_assert_eq(
	    kp_stream_writev(&streams.client, &span, 1, &n, &err), KP_IO_DONE);
	kp_stream_fini(&streams.client);
	cr_assert_eq(
	    kp_stream_read(&streams.server, buf, sizeof(buf), &n, &err),
	    KP_IO_DONE);
	cr_assert_eq(n, 4);
	cr_assert_eq(
	    kp_stream_read(&streams.server, buf, sizeof(buf), &n, &err),
	    KP_IO_CLOSED);
	disconnect(&streams, &w);
}

/* What poll(2) cannot see must not be forgotten. */
Test(stream_tls, bytes_that_were_taken_along_are_pending)
{
	struct kp_test_streams streams;
	struct kp_test_world w;
	struct kp_error err;
	char buf[4];
	size_t n, total = 0;

	connect_tls(&streams, &w);
	for (unsigned i = 0; i < 3; i++) {
		struct iovec span = { (void *)(uintptr_t) "0123456789", 10 };

		cr_assert_eq(
		    kp_stream_writev(&streams.client, &span, 1, &n, &err),
		    KP_IO_DONE);
	}
	while (total < 30) {
		cr_assert_eq(
		    kp_stream_read(&streams.server, buf, sizeof(buf), &n, &err),
		    KP_IO_DONE);
		cr_assert_eq(buf[0], (char)('0' + total % 10));
		total += n;
		cr_assert(total == 30 || !kp_stream_is_empty(&streams.server));
	}
	cr_assert_eq(
	    kp_stream_read(&streams.server, buf, sizeof(buf), &n, &err),
	    KP_IO_WANT_READ);
	cr_assert(kp_stream_is_empty(&streams.server));
	/* and nothing is held while nothing is there */
	cr_assert_null(streams.server.ahead);
	disconnect(&streams, &w);
}

/* A client may send its first request right behind its Finished. */
Test(stream_tls, a_request_behind_the_handshake_is_pending)
{
	struct iovec span = { (void *)(uintptr_t) "request", 7 };
	struct kp_test_streams streams;
	struct kp_test_world w;
	struct kp_error err;
	char buf[16];
	size_t n;

	kp_test_world_init(&w, &kp_test_broker);
	kp_test_world_start(&w);
	kp_test_tls(&streams, w.server, w.client, "b.example");
	cr_assert_eq(
	    kp_stream_handshake(&streams.client, &err), KP_IO_WANT_READ);
	cr_assert_eq(
	    kp_stream_handshake(&streams.server, &err), KP_IO_WANT_READ);
	cr_assert_eq(kp_stream_handshake(&streams.client, &err), KP_IO_DONE);
	cr_assert_eq(
	    kp_stream_writev(&streams.client, &span, 1, &n, &err), KP_IO_DONE);
	cr_assert_eq(kp_stream_handshake(&streams.server, &err), KP_IO_DONE);
	cr_assert(!kp_stream_is_empty(&streams.server));
	cr_assert_eq(
	    kp_stream_read(&streams.server, buf, sizeof(buf), &n, &err),
	    KP_IO_DONE);
	cr_assert_eq(n, 7);
	disconnect(&streams, &w);
}

Test(stream_tls, keys_may_be_renewed_in_the_middle)
{
	struct kp_test_streams streams;
	struct kp_test_world w;

	connect_tls(&streams, &w);
	for (unsigned i = 0; i < 10; i++) {
		cr_assert_eq(SSL_key_update(
				 streams.client.ssl, SSL_KEY_UPDATE_REQUESTED),
		    1);
		cr_assert(kp_test_say(&streams.client, &streams.server, "new"));
		cr_assert(
		    kp_test_say(&streams.server, &streams.client, "keys"));
	}
	disconnect(&streams, &w);
}

Test(stream_tls, a_forged_record_ends_the_connection_for_good)
{
	static const uint8_t forged[] = { 0x17, 3, 3, 0, 17, 1, 2, 3, 4, 5, 6,
		7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17 };
	struct iovec span = { (void *)(uintptr_t) "x", 1 };
	struct kp_test_streams streams;
	struct kp_test_world w;
	struct kp_error err;
	char buf[16];
	size_t n;

	connect_tls(&streams, &w);
	cr_assert_eq(send(streams.client.fd, forged, sizeof(forged), 0),
	    (ssize_t)sizeof(forged));
	for (unsigned i = 0; i < 2; i++) {
		cr_assert_eq(
		    kp_stream_read(&streams.server, buf, sizeof(buf), &n, &err),
		    KP_IO_FAILED);
		cr_assert_eq(err.kind, KP_ERR_TLS);
	}
	cr_assert_eq(kp_stream_writev(&streams.server, &span, 1, &n, &err),
	    KP_IO_FAILED);
	disconnect(&streams, &w);
}

/* What clients do that were given the wrong port or protocol. */
Test(stream_tls, strangers_are_refused_with_a_reason)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *server_says;
	} cases[] = {
		{ "", 0, "closed the connection during the TLS handshake" },
		{ "\0\0\0\x1f\0\x12\0\3", 8, "does not speak TLS" },
		{ "GET / HTTP/1.1\r\n", 16, "HTTP, not TLS" },
		{ "PROXY TCP4 1.1.1.1", 18, "does not speak TLS" },
		{ "\x16\3\1\0\5\1\0\0\1\0", 10, "TLS handshake: " },
		{ "\x16\3\1", 3,
		    "closed the connection during the TLS handshake" },
		{ "\x16\3\1\xff\xff\0", 6, "TLS handshake: " },
	};
	struct kp_test_world w;

	kp_test_world_init(&w, &kp_test_broker);
	kp_test_world_start(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_stream server;
		struct kp_error err;
		enum kp_io io;
		int fds[2];

		kp_test_socketpair(fds);
		cr_assert(kp_stream_init_plain(&server, fds[0], &err));
		cr_assert(kp_stream_start_tls_server(&server, w.server, &err));
		cr_assert_eq(send(fds[1], cases[i].bytes, cases[i].len, 0),
		    (ssize_t)cases[i].len);
		(void)shutdown(fds[1], SHUT_WR);
		do {
			io = kp_stream_handshake(&server, &err);
		} while (io == KP_IO_WANT_READ);
		cr_assert_eq(io, KP_IO_FAILED);
		cr_assert_not_null(strstr(err.text, cases[i].server_says),
		    "%zu: %s", i, err.text);
		kp_stream_fini(&server);
		(void)close(fds[1]);
	}
	kp_test_world_fini(&w);
}

Test(stream_tls, a_broker_without_tls_is_named_as_such)
{
	struct kp_test_world w;
	struct kp_stream client;
	struct kp_error err;
	int fds[2];

	kp_test_world_init(&w, &kp_test_broker);
	kp_test_world_start(&w);
	kp_test_socketpair(fds);
	cr_assert(kp_stream_init_plain(&client, fds[0], &err));
	cr_assert(
	    kp_stream_start_tls_client(&client, w.client, "b.example", &err));
	cr_assert_eq(kp_stream_handshake(&client, &err), KP_IO_WANT_READ);
	/* it takes our hello for the length of a frame, and hangs up */
	(void)shutdown(fds[1], SHUT_RDWR);
	cr_assert_eq(kp_stream_handshake(&client, &err), KP_IO_FAILED);
	cr_assert_eq(err.kind, KP_ERR_CLOSED);
	cr_assert_not_null(
	    strstr(err.text, "does it speak TLS?"), "%s", err.text);
	kp_stream_fini(&client);
	(void)close(fds[1]);
	kp_test_world_fini(&w);
}

Test(stream_tls, starts_behind_bytes_that_came_in_the_clear)
{
	struct kp_test_streams streams;
	struct kp_test_world w;
	struct kp_error err;

	kp_test_world_init(&w, &kp_test_broker);
	kp_test_world_start(&w);
	kp_test_plain(&streams);
	cr_assert(
	    kp_test_say(&streams.client, &streams.server, "PROXY UNKNOWN\r\n"));
	cr_assert(kp_stream_start_tls_client(
	    &streams.client, w.client, "b.example", &err));
	cr_assert(kp_stream_start_tls_server(&streams.server, w.server, &err));
	cr_assert(kp_test_handshake(&streams));
	cr_assert(kp_test_say(&streams.client, &streams.server, "hello"));
	disconnect(&streams, &w);
}

Test(stream_tls, short_memory_is_an_error_or_only_slow)
{
	struct iovec spans[2] = { { (void *)(uintptr_t) "ab", 2 },
		{ (void *)(uintptr_t) "cd", 2 } };
	struct kp_test_streams streams;
	struct kp_test_world w;
	struct kp_error err;
	char buf[16];
	size_t n;

	connect_tls(&streams, &w);
	cr_assert(kp_test_say(&streams.client, &streams.server, "hello"));
	/* without a side buffer for reading */
	cr_assert_eq(
	    kp_stream_writev(&streams.client, spans, 2, &n, &err), KP_IO_DONE);
	kp_alloc_fail_after(1);
	cr_assert_eq(
	    kp_stream_read(&streams.server, buf, sizeof(buf), &n, &err),
	    KP_IO_DONE);
	cr_assert_eq(n, 4);
	cr_assert(memcmp(buf, "abcd", 4) == 0);
	/* without a place to join spans */
	kp_alloc_fail_after(1);
	cr_assert_eq(kp_stream_writev(&streams.client, spans, 2, &n, &err),
	    KP_IO_FAILED);
	cr_assert_eq(err.kind, KP_ERR_LIMIT);
	kp_alloc_fail_after(0);
	disconnect(&streams, &w);
}
