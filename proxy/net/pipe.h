/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipes for splice(2): bytes of one socket reach another through the kernel
 * alone. A pipe has two descriptors and up to KP_PIPE_LEN bytes, so there are
 * few of them, lent for as long as bytes are in them. Whoever gets none copies.
 * @thread any
 */
#ifndef KP_PROXY_NET_PIPE_H
#define KP_PROXY_NET_PIPE_H

#include "proxy/net/pool.h"

/* How much a pipe is asked to hold; the system may allow less. */
#define KP_PIPE_LEN ((size_t)1024 * 1024)

struct kp_pipe {
	int read_fd, write_fd;
	size_t capacity;
	size_t len; /* bytes in it */
};

struct kp_pipes;

/* kp_pipes_new allows max pipes at a time. */
struct kp_pipes *kp_pipes_new(unsigned max);
void kp_pipes_free(struct kp_pipes *pipes); /* after all came back */

/*
 * kp_pipes_get returns an empty pipe, or NULL if none is to be had now. What it
 * may hold is charged to share until it comes back.
 */
struct kp_pipe *kp_pipes_get(
    struct kp_pipes *pipes, struct kp_share *share) KP_MUST_CHECK;

/* kp_pipes_put gives *pipe back (NULL afterwards), with its bytes if any. */
void kp_pipes_put(
    struct kp_pipes *pipes, struct kp_share *share, struct kp_pipe **pipe);

#endif
