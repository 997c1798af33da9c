/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipes for splice(2): bytes of one socket reach another through the kernel
 * alone. A pipe has two descriptors and up to KP_PIPE_LEN bytes, so there are
 * few of them, lent for as long as bytes are in them. Whoever gets none copies.
 *
 * A pipe that can be copied has a second one beside it: tee(2) lets that have
 * the same pages, and from there a part of the bytes is read and the rest
 * thrown away, while all of them go on. @thread any
 */
#ifndef KP_PROXY_NET_PIPE_H
#define KP_PROXY_NET_PIPE_H

#include "base/error.h"
#include "proxy/net/pool.h"

/* How much a pipe is asked to hold; the system may allow less. */
#define KP_PIPE_LEN ((size_t)1024 * 1024)

/* How long no copy is made after the system has refused one. */
#define KP_PIPE_RETRY_MS 10000

struct kp_pipe {
	int read_fd, write_fd;
	int copy_read_fd, copy_write_fd; /* -1 until it has to be copied */
	size_t capacity;
	size_t len; /* bytes in it */
};

struct kp_pipes;

/*
 * kp_pipes_prepare opens what bytes are thrown away into: before a sandbox that
 * shuts files. kp_pipes_new would do it.
 */
void kp_pipes_prepare(void);

/* kp_pipes_new allows max pipes at a time. */
struct kp_pipes *kp_pipes_new(unsigned max);
void kp_pipes_free(struct kp_pipes *pipes); /* after all came back */

/*
 * kp_pipes_get returns an empty pipe, or NULL if none is to be had now. What it
 * may hold is charged to share until it comes back; a copy holds nothing of its
 * own.
 */
struct kp_pipe *kp_pipes_get(struct kp_pipes *pipes, struct kp_share *share,
    bool is_copied) KP_MUST_CHECK;

/* kp_pipes_put gives *pipe back (NULL afterwards), with its bytes if any. */
void kp_pipes_put(
    struct kp_pipes *pipes, struct kp_share *share, struct kp_pipe **pipe);

/*
 * kp_pipe_copy makes a copy of all that is in pipe. Then all of the copy is to
 * be read or skipped, in any pieces, before the next one. After a failure the
 * bytes must not go on: what is still in the pipe ends with it.
 */
bool kp_pipe_copy(struct kp_pipe *pipe, struct kp_error *err) KP_MUST_CHECK;
bool kp_pipe_read(struct kp_pipe *pipe, void *buf, size_t len,
    struct kp_error *err) KP_MUST_CHECK;
bool kp_pipe_skip(
    struct kp_pipe *pipe, size_t len, struct kp_error *err) KP_MUST_CHECK;

#endif
