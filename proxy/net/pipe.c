/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/net/pipe.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/mutex.h"

struct kp_pipes {
	unsigned max;
	struct kp_mutex lock; /* guards free, num_free, num_made */
	struct kp_pipe **free;
	unsigned num_free;
	unsigned num_made; /* lent and free ones */
};

struct kp_pipes *
kp_pipes_new(unsigned max)
{
	struct kp_pipes *pipes = kp_alloc(1, sizeof(*pipes));

	pipes->max = max;
	pipes->free = kp_alloc(max + 1, sizeof(struct kp_pipe *));
	kp_mutex_init(&pipes->lock, KP_RANK_POOL);
	return pipes;
}

static void
close_pipe(struct kp_pipe *pipe)
{
	(void)close(pipe->read_fd);
	(void)close(pipe->write_fd);
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

static struct kp_pipe *
make_pipe(void)
{
	struct kp_pipe *pipe;
	int fds[2], capacity;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return NULL;
	/* unprivileged users get only so much in all */
	(void)fcntl(fds[1], F_SETPIPE_SZ, (int)KP_PIPE_LEN);
	capacity = fcntl(fds[1], F_GETPIPE_SZ);
	pipe = kp_alloc(1, sizeof(*pipe));
	pipe->read_fd = fds[0];
	pipe->write_fd = fds[1];
	pipe->capacity = capacity > 0 ? (size_t)capacity : 0;
	return pipe;
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
kp_pipes_get(struct kp_pipes *pipes, struct kp_share *share)
{
	bool may_make;
	struct kp_pipe *pipe = take_free(pipes, &may_make);

	if (pipe == NULL && may_make) {
		pipe = make_pipe();
		if (pipe == NULL)
			forget(pipes);
	}
	if (pipe == NULL ||
	    kp_share_charge(share, KP_MEMORY_ANSWERS, pipe->capacity))
		return pipe;
	close_pipe(pipe);
	forget(pipes);
	return NULL;
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
