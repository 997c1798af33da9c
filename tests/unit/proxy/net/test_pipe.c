/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/net/pipe.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "tests/support/socketpair.h"
#include "tests/support/streams.h"

#define MIB ((size_t)1024 * 1024)

struct world {
	struct kp_pool *pool;
	struct kp_share share;
	struct kp_pipes *pipes;
};

static struct world
new_world(uint64_t limit_len, unsigned max)
{
	struct world w = { .pool = kp_pool_new(limit_len) };

	w.share = (struct kp_share){ .pool = w.pool, .limit_len = UINT64_MAX };
	w.pipes = kp_pipes_new(max);
	return w;
}

static void
end_world(struct world *w)
{
	cr_assert_eq(kp_pool_in_use(w->pool), 0);
	kp_pipes_free(w->pipes);
	kp_pool_free(w->pool);
}

Test(pipe, there_are_so_many_and_no_more)
{
	struct world w = new_world(100 * MIB, 2);
	struct kp_pipe *a = kp_pipes_get(w.pipes, &w.share, false),
		       *b = kp_pipes_get(w.pipes, &w.share, false);
	int fd;

	cr_assert_not_null(a);
	cr_assert_not_null(b);
	cr_assert(a->capacity >= 65536);
	cr_assert_eq(kp_pool_in_use(w.pool), a->capacity + b->capacity);
	cr_assert_null(kp_pipes_get(w.pipes, &w.share, false));
	fd = a->read_fd;
	kp_pipes_put(w.pipes, &w.share, &a);
	cr_assert_null(a);
	a = kp_pipes_get(w.pipes, &w.share, false);
	cr_assert_not_null(a);
	cr_assert_eq(a->read_fd, fd, "it is the same");
	kp_pipes_put(w.pipes, &w.share, &a);
	kp_pipes_put(w.pipes, &w.share, &a); /* none is fine */
	kp_pipes_put(w.pipes, &w.share, &b);
	end_world(&w);
}

Test(pipe, one_with_bytes_in_it_is_closed)
{
	struct world w = new_world(100 * MIB, 1);
	struct kp_pipe *pipe = kp_pipes_get(w.pipes, &w.share, false);
	char byte;

	cr_assert_not_null(pipe);
	cr_assert_eq(write(pipe->write_fd, "secret", 6), 6);
	pipe->len = 6;
	kp_pipes_put(w.pipes, &w.share, &pipe);
	pipe = kp_pipes_get(w.pipes, &w.share, false);
	cr_assert_not_null(pipe);
	cr_assert_eq(pipe->len, 0);
	cr_assert(read(pipe->read_fd, &byte, 1) < 0, "nothing is in it");
	kp_pipes_put(w.pipes, &w.share, &pipe);
	end_world(&w);
}

Test(pipe, the_memory_limit_counts_what_is_lent)
{
	struct world w = new_world(65535, 4);

	for (int i = 0; i < 10; i++)
		cr_assert_null(kp_pipes_get(w.pipes, &w.share, false));
	kp_pool_set_limit(w.pool, 100 * MIB);
	w.share.limit_len = 65535;
	cr_assert_null(kp_pipes_get(w.pipes, &w.share, false));
	cr_assert(w.share.is_exceeded);
	w.share.limit_len = 100 * MIB;
	for (int i = 0; i < 10; i++) {
		struct kp_pipe *pipe = kp_pipes_get(w.pipes, &w.share, false);

		cr_assert_not_null(pipe);
		kp_pipes_put(w.pipes, &w.share, &pipe);
	}
	end_world(&w);
}

Test(pipe, a_copy_is_looked_at_and_the_bytes_stay)
{
	struct world w = new_world(100 * MIB, 1);
	struct kp_pipe *pipe = kp_pipes_get(w.pipes, &w.share, true);
	struct kp_error err;
	char bytes[16];

	cr_assert_not_null(pipe);
	cr_assert_eq(kp_pool_in_use(w.pool), pipe->capacity);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(
		    write(pipe->write_fd, "to be seen, or not", 18), 18);
		pipe->len = 18;
		cr_assert(kp_pipe_copy(pipe, &err));
		cr_assert(kp_pipe_skip(pipe, 6, &err));
		cr_assert(kp_pipe_read(pipe, bytes, 4, &err));
		cr_assert_eq(memcmp(bytes, "seen", 4), 0);
		cr_assert(kp_pipe_skip(pipe, 8, &err));
		cr_assert(!kp_pipe_read(pipe, bytes, 1, &err), "it is empty");
		cr_assert_eq(read(pipe->read_fd, bytes, 9), 9);
		cr_assert_eq(memcmp(bytes, "to be see", 9), 0);
		cr_assert_eq(read(pipe->read_fd, bytes, 9), 9);
		pipe->len = 0;
		kp_pipes_put(w.pipes, &w.share, &pipe);
		pipe = kp_pipes_get(w.pipes, &w.share, true);
		cr_assert_not_null(pipe);
	}
	kp_pipes_put(w.pipes, &w.share, &pipe);
	end_world(&w);
}

/* Of pipes that may not be opened: whoever does not look gets one. */
Test(pipe, one_that_cannot_be_copied_is_still_a_pipe)
{
	struct world w = new_world(100 * MIB, 1);
	struct kp_pipe *pipe = kp_pipes_get(w.pipes, &w.share, false);
	struct rlimit none = { .rlim_max = RLIM_INFINITY };
	struct rlimit before;

	cr_assert_not_null(pipe);
	kp_pipes_put(w.pipes, &w.share, &pipe);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none.rlim_max = before.rlim_max;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	cr_assert_null(kp_pipes_get(w.pipes, &w.share, true));
	cr_assert_eq(kp_pool_in_use(w.pool), 0);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	pipe = kp_pipes_get(w.pipes, &w.share, false);
	cr_assert_not_null(pipe);
	kp_pipes_put(w.pipes, &w.share, &pipe);
	end_world(&w);
}

/* A socket that takes less than the pipe holds, and gives it in pieces. */
Test(pipe, bytes_reach_the_other_socket_as_they_were)
{
	enum { LEN = 3 << 20 };
	struct world w = new_world(100 * MIB, 1);
	struct kp_pipe *pipe = kp_pipes_get(w.pipes, &w.share, false);
	struct kp_stream in, out;
	struct kp_error err;
	int source[2], sink[2];
	uint8_t *bytes = kp_alloc(1, LEN), *got = kp_alloc(1, LEN);
	size_t sent = 0, moved = 0, received = 0;

	cr_assert_not_null(pipe);
	for (size_t i = 0; i < LEN; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251);
	kp_test_tcp_pair(source, 0);
	kp_test_tcp_pair(sink, 4096);
	cr_assert(kp_stream_init_plain(&in, source[0], &err));
	cr_assert(kp_stream_init_plain(&out, sink[0], &err));
	cr_assert(kp_stream_can_splice(&in));
	while (received < LEN) {
		size_t n = 0;
		ssize_t len = send(source[1], bytes + sent, LEN - sent,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		enum kp_io io = KP_IO_WANT_READ;

		sent += len > 0 ? (size_t)len : 0;
		if (moved < LEN && pipe->len < pipe->capacity)
			io =
			    kp_stream_to_pipe(&in, pipe, LEN - moved, &n, &err);
		cr_assert(io == KP_IO_DONE || io == KP_IO_WANT_READ);
		moved += n;
		io = kp_stream_from_pipe(&out, pipe, &err);
		cr_assert_eq(io == KP_IO_DONE, pipe->len == 0);
		cr_assert_eq(kp_stream_is_full(&out), pipe->len > 0);
		len =
		    recv(sink[1], got + received, LEN - received, MSG_DONTWAIT);
		received += len > 0 ? (size_t)len : 0;
	}
	cr_assert(memcmp(bytes, got, LEN) == 0);
	cr_assert_eq(pipe->len, 0);
	kp_pipes_put(w.pipes, &w.share, &pipe);
	kp_stream_fini(&in);
	kp_stream_fini(&out);
	(void)close(source[1]);
	(void)close(sink[1]);
	free(bytes);
	free(got);
	end_world(&w);
}

Test(pipe, ends_and_failures_are_told_as_by_reading_and_writing)
{
	struct world w = new_world(100 * MIB, 1);
	struct kp_pipe *pipe = kp_pipes_get(w.pipes, &w.share, false);
	struct kp_test_streams streams;
	struct kp_error err;
	size_t n;

	cr_assert_not_null(pipe);
	kp_test_plain(&streams);
	cr_assert_eq(kp_stream_to_pipe(&streams.server, pipe, 10, &n, &err),
	    KP_IO_WANT_READ);
	cr_assert(kp_stream_is_empty(&streams.server));
	kp_stream_fini(&streams.client);
	cr_assert_eq(kp_stream_to_pipe(&streams.server, pipe, 10, &n, &err),
	    KP_IO_CLOSED);
	cr_assert_eq(err.kind, KP_ERR_CLOSED);
	/* the worker ignores it, too */
	cr_assert(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	cr_assert_eq(write(pipe->write_fd, "late", 4), 4);
	pipe->len = 4;
	cr_assert_eq(
	    kp_stream_from_pipe(&streams.server, pipe, &err), KP_IO_FAILED);
	cr_assert_eq(err.kind, KP_ERR_CLOSED);
	kp_pipes_put(w.pipes, &w.share, &pipe);
	kp_test_streams_fini(&streams);
	end_world(&w);
}
