/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end of a call, as its verified certificate says.
 * Immutable. @thread any */
#ifndef KP_CONTROL_RPC_PEER_H
#define KP_CONTROL_RPC_PEER_H

#include <stdbool.h>
#include <stddef.h>

/* A certificate with more names, or longer ones, is nobody's. */
#define KP_RPC_MAX_NAMES 32
#define KP_RPC_MAX_NAME_LEN 255

struct kp_rpc_peer {
	char *address;     /* "ipv4:127.0.0.1:51234"; for the log */
	char *common_name; /* of the subject; "" without */
	/* subject alternative names, with their kind so that one cannot pass
	 * for another: "DNS:a.example", "URI:spiffe://x/y", "IP:10.0.0.1",
	 * "email:a@b.example" */
	char *names[KP_RPC_MAX_NAMES];
	size_t num_names;
};

bool kp_rpc_peer_has_name(const struct kp_rpc_peer *peer, const char *name);

#endif
