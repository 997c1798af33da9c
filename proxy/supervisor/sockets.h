/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listening sockets of the node. They belong to the supervisor and outlive
 * any worker: while there is none, connections wait in their queues.
 * @thread main
 */
#ifndef KP_PROXY_SUPERVISOR_SOCKETS_H
#define KP_PROXY_SUPERVISOR_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Listeners with all their ports. */
#define KP_SOCKETS_MAX 8192
#define KP_SOCKETS_BACKLOG 4096

struct kp_socket {
	char *address; /* "ip:port" or "[ip6]:port" */
	int fd;
};

/* The zero state is an empty list. */
struct kp_sockets {
	struct kp_socket *items;
	size_t num_items;
};

/*
 * kp_sockets_update makes the list what addresses say: it binds what is new and
 * closes what is not wanted any more. If anything fails nothing has changed,
 * and there is one message for each failure in *out_errors, which the caller
 * frees with kp_sockets_errors_free.
 */
bool kp_sockets_update(struct kp_sockets *sockets, char *const *addresses,
    size_t num_addresses, char ***out_errors, size_t *out_num) KP_MUST_CHECK;
void kp_sockets_errors_free(char **errors, size_t num_errors);

/* kp_sockets_fini closes all. */
void kp_sockets_fini(struct kp_sockets *sockets);

#endif
