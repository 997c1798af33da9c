/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that accepts connections on all listening sockets, starts a thread
 * for each, and joins those that ended.
 */
#ifndef KP_PROXY_SESSION_ACCEPTOR_H
#define KP_PROXY_SESSION_ACCEPTOR_H

#include "proxy/session/shared.h"

/* A listening socket and what connects through it; immutable. */
struct kp_door {
	int fd;
	int32_t node_id; /* KP_NO_NODE: bootstrap, or said by SNI */
	size_t endpoint; /* index in the snapshot */
};

struct kp_acceptor;

/* kp_acceptor_start starts the thread, with no doors. @thread control */
struct kp_acceptor *kp_acceptor_start(struct kp_shared *shared);

/*
 * kp_acceptor_set_doors replaces what is accepted from, and takes over *doors;
 * snapshot (NULL without doors) is what their endpoints belong to. When it
 * returns the old doors are not used any more. @thread control
 */
void kp_acceptor_set_doors(struct kp_acceptor *acceptor, struct kp_door **doors,
    size_t num_doors, struct kp_snapshot *snapshot);

/*
 * kp_acceptor_stop ends the thread; it joins connections that ended before, not
 * the others. @thread control
 */
void kp_acceptor_stop(struct kp_acceptor *acceptor);

#endif
