/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KP_CONTROL_RPC_PEER_PRIV_H
#define KP_CONTROL_RPC_PEER_PRIV_H

#include <grpc/grpc.h>

#include "control/rpc/peer.h"

/*
 * kp_rpc_peer_init fills out with who is at the other end of call; false if
 * nobody has proven to be there, or under names that are not to be trusted (too
 * many, too long, with a NUL inside, none). out is freed either way.
 */
bool kp_rpc_peer_init(struct kp_rpc_peer *out, grpc_call *call);
void kp_rpc_peer_fini(struct kp_rpc_peer *peer);

#endif
