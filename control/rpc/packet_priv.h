/* SPDX-License-Identifier: Apache-2.0 */
/* Between packets, messages and the byte buffers of gRPC. @thread any */
#ifndef KP_CONTROL_RPC_PACKET_PRIV_H
#define KP_CONTROL_RPC_PACKET_PRIV_H

#include <grpc/byte_buffer.h>

#include "base/bytes.h"
#include "control/rpc/packet.h"

/* kp_rpc_packet_buffer shares the packet's bytes; the caller destroys it. */
grpc_byte_buffer *kp_rpc_packet_buffer(const struct kp_rpc_packet *packet);

/*
 * kp_rpc_decode reads a message of at most max_len packed bytes, NULL with
 * KP_ERR_LIMIT if it is longer and with KP_ERR_PROTOCOL if it is none. Free it
 * with kp_unpacked_free; buffer stays the caller's.
 */
ProtobufCMessage *kp_rpc_decode(grpc_byte_buffer *buffer,
    const ProtobufCMessageDescriptor *kind, size_t max_len,
    struct kp_error *err) KP_MUST_CHECK;

/* The same for bytes in one piece. */
ProtobufCMessage *kp_rpc_decode_bytes(struct kp_bytes packed,
    const ProtobufCMessageDescriptor *kind, size_t max_len,
    struct kp_error *err) KP_MUST_CHECK;

#endif
