/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message packed once, to be sent on any number of streams without another
 * copy. Immutable. @thread any
 */
#ifndef KP_CONTROL_RPC_PACKET_H
#define KP_CONTROL_RPC_PACKET_H

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "base/error.h"

struct kp_rpc_packet;

/*
 * kp_rpc_packet_new packs a message; the caller has one reference. NULL with
 * KP_ERR_LIMIT if it is longer than max_len.
 */
struct kp_rpc_packet *kp_rpc_packet_new(const ProtobufCMessage *message,
    size_t max_len, struct kp_error *err) KP_MUST_CHECK;

struct kp_rpc_packet *kp_rpc_packet_ref(struct kp_rpc_packet *packet);
void kp_rpc_packet_unref(struct kp_rpc_packet *packet);

size_t kp_rpc_packet_len(const struct kp_rpc_packet *packet);

#endif
