/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/net/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/mutex.h"

struct kp_pipes {
	unsigned max;
	/* The system has refused a copy: it is asked again from then on. */
	_Atomic(int64_t) ask_from_ms;
	struct kp_mutex lock; /* guards free, num_free, num_made */
	struct kp_pipe **free;
	unsigned num_free;
	unsigned num_made; /* lent and free ones */
};

static pthread_once_t nowhere_once = PTHREAD_ONCE_INIT;
static int nowhere = -1; /* what is written there is gone */

static void
open_nowhere(void)
{
	nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
}

void
kp_pipes_prepare(void)
{
	kp_must(pthread_once(&nowhere_once, open_nowhere));
}

struct kp_pipes *
kp_pipes_new(unsigned max)
{
	struct kp_pipes *pipes = kp_alloc(1, sizeof(*pipes));

	kp_pipes_prepare();
	pipes->max = max;
	atomic_init(&pipes->ask_from_ms, nowhere < 0 ? INT64_MAX : 0);
	pipes->free = kp_alloc(max + 1, sizeof(struct kp_pipe *));
	kp_mutex_init(&pipes->lock, KP_RANK_POOL);
	return pipes;
}

static void
close_pipe(struct kp_pipe *pipe)
{
	(void)close(pipe->read_fd);
	(void)close(pipe->write_fd);
	if (pipe->copy_read_fd >= 0) {
		(void)close(pipe->copy_read_fd);
		(void)close(pipe->copy_write_fd);
	}
	free(pipe);
}

void
kp_pipes_free(struct kp_pipes *pipes)
{
	if (pipes == NULL)
		return;
	kp_assert(pipes->num_made == pipes->num_free);
	while (pipes->num_free > 0)
		close_pipe(pipes->free[--pipes->num_free]);
	kp_mutex_fini(&pipes->lock);
	free(pipes->free);
	free(pipes);
}

/* Opens both ends; returns how much it can hold, 0 if there is none. */
static size_t
open_ends(int ends[2])
{
	int capacity;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return 0;
	/* unprivileged users get only so much in all */
	(void)fcntl(ends[1], F_SETPIPE_SZ, (int)KP_PIPE_LEN);
	capacity = fcntl(ends[1], F_GETPIPE_SZ);
	if (capacity > 0)
		return (size_t)capacity;
	(void)close(ends[0]);
	(void)close(ends[1]);
	return 0;
}

static struct kp_pipe *
make_pipe(void)
{
	struct kp_pipe *pipe;
	int ends[2];
	size_t capacity = open_ends(ends);

	if (capacity == 0)
		return NULL;
	pipe = kp_alloc(1, sizeof(*pipe));
	*pipe = (struct kp_pipe){ .read_fd = ends[0],
		.write_fd = ends[1],
		.copy_read_fd = -1,
		.copy_write_fd = -1,
		.capacity = capacity };
	return pipe;
}

/* A copy has to take at once all that the pipe may hold. */
static bool
make_copy(struct kp_pipes *pipes, struct kp_pipe *pipe)
{
	int ends[2];
	size_t capacity;

	if (pipe->copy_read_fd >= 0)
		return true;
	if (kp_now_ms() <
	    atomic_load_explicit(&pipes->ask_from_ms, memory_order_relaxed))
		return false;
	capacity = open_ends(ends);
	if (capacity >= pipe->capacity) {
		pipe->copy_read_fd = ends[0];
		pipe->copy_write_fd = ends[1];
		return true;
	}
	if (capacity > 0) {
		(void)close(ends[0]);
		(void)close(ends[1]);
	}
	atomic_store_explicit(&pipes->ask_from_ms,
	    kp_now_ms() + KP_PIPE_RETRY_MS, memory_order_relaxed);
	return false;
}

/* A free one; or says that a new one may be made. */
static struct kp_pipe *
take_free(struct kp_pipes *pipes, bool *may_make)
{
	struct kp_pipe *pipe = NULL;

	*may_make = false;
	kp_mutex_lock(&pipes->lock);
	if (pipes->num_free > 0) {
		pipe = pipes->free[--pipes->num_free];
	} else if (pipes->num_made < pipes->max) {
		pipes->num_made++;
		*may_make = true;
	}
	kp_mutex_unlock(&pipes->lock);
	return pipe;
}

static void
forget(struct kp_pipes *pipes)
{
	kp_mutex_lock(&pipes->lock);
	pipes->num_made--;
	kp_mutex_unlock(&pipes->lock);
}

struct kp_pipe *
kp_pipes_get(struct kp_pipes *pipes, struct kp_share *share, bool is_copied)
{
	bool may_make;
	struct kp_pipe *pipe = take_free(pipes, &may_make);

	if (pipe == NULL && may_make) {
		pipe = make_pipe();
		if (pipe == NULL)
			forget(pipes);
	}
	if (pipe == NULL)
		return NULL;
	if (!kp_share_charge(share, KP_MEMORY_ANSWERS, pipe->capacity)) {
		close_pipe(pipe);
		forget(pipes);
		return NULL;
	}
	if (is_copied && !make_copy(pipes, pipe))
		kp_pipes_put(pipes, share, &pipe);
	return pipe;
}

void
kp_pipes_put(
    struct kp_pipes *pipes, struct kp_share *share, struct kp_pipe **pipe)
{
	struct kp_pipe *returned = *pipe;

	*pipe = NULL;
	if (returned == NULL)
		return;
	kp_share_uncharge(share, KP_MEMORY_ANSWERS, returned->capacity);
	if (returned->len > 0) {
		close_pipe(returned);
		forget(pipes);
		return;
	}
	kp_mutex_lock(&pipes->lock);
	pipes->free[pipes->num_free++] = returned;
	kp_mutex_unlock(&pipes->lock);
}

bool
kp_pipe_copy(struct kp_pipe *pipe, struct kp_error *err)
{
	ssize_t n;

	do {
		n = tee(pipe->read_fd, pipe->copy_write_fd, pipe->len,
		    SPLICE_F_NONBLOCK);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return kp_error_sys(err, "could not copy a pipe");
	if ((size_t)n < pipe->len)
		return kp_error_set(err, KP_ERR_UNAVAILABLE,
		    "%zd of %zu bytes of a pipe copied", n, pipe->len);
	return true;
}

bool
kp_pipe_read(struct kp_pipe *pipe, void *buf, size_t len, struct kp_error *err)
{
	uint8_t *at = buf;

	while (len > 0) {
		ssize_t n = read(pipe->copy_read_fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return kp_error_sys(err, "could not read a pipe");
		at += n;
		len -= (size_t)n;
	}
	return true;
}

bool
kp_pipe_skip(struct kp_pipe *pipe, size_t len, struct kp_error *err)
{
	while (len > 0) {
		ssize_t n = splice(pipe->copy_read_fd, NULL, nowhere, NULL, len,
		    SPLICE_F_NONBLOCK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return kp_error_sys(err, "could not empty a pipe");
		len -= (size_t)n;
	}
	return true;
}
