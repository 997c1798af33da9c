/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protobuf from a peer, in bounded memory: a short message can unfold to many
 * small objects, so all that a message takes is counted against a budget. What
 * is given back is wiped, keys may have been in it. @thread any
 */
#ifndef KP_PROTO_CONTROL_UNPACK_H
#define KP_PROTO_CONTROL_UNPACK_H

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "base/bytes.h"
#include "base/error.h"

/*
 * Memory of one message. It must not move while allocator is in use, which
 * refers to it; messages may outlive it.
 */
struct kp_budget {
	ProtobufCAllocator allocator;
	size_t left;           /* bytes */
	bool is_out_of_memory; /* the machine had none, once */
};

void kp_budget_init(struct kp_budget *budget, size_t max_len);

/*
 * kp_budget_alloc returns memory that is not initialized, or NULL when the
 * budget or the machine has none. It is freed with the allocator, or as part of
 * a message with kp_unpacked_free.
 */
void *kp_budget_alloc(struct kp_budget *budget, size_t size);

/*
 * kp_unpack reads a message, NULL with KP_ERR_PROTOCOL if the bytes are not one
 * or it takes more than max_len bytes of memory, with KP_ERR_LIMIT if the
 * machine has no memory: that says nothing of the bytes. The descriptor must be
 * bounded (below).
 */
ProtobufCMessage *kp_unpack(const ProtobufCMessageDescriptor *descriptor,
    struct kp_bytes packed, size_t max_len, struct kp_error *err) KP_MUST_CHECK;

/* kp_unpacked_free frees a message, NULL or whose memory is of any budget. */
void kp_unpacked_free(ProtobufCMessage *message);

/*
 * kp_is_depth_bounded: do messages of this kind nest no deeper than
 * KP_MAX_MESSAGE_DEPTH, whatever the bytes say? protobuf-c recurses for each
 * level, so a message that contains its own kind could exhaust the stack.
 */
#define KP_MAX_MESSAGE_DEPTH 16
bool kp_is_depth_bounded(const ProtobufCMessageDescriptor *descriptor);

#endif
