/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a call ended: a code, a sentence for people, and details for programs,
 * each a message of any kind. Details travel as proto/control/status.proto, in
 * the way of google.rpc.Status. @thread any, one at a time for one status
 */
#ifndef KP_CONTROL_RPC_STATUS_H
#define KP_CONTROL_RPC_STATUS_H

#include <protobuf-c/protobuf-c.h>

#include "base/bytes.h"
#include "base/error.h"

/* As on the wire. */
enum kp_rpc_code {
	KP_RPC_OK = 0,
	KP_RPC_CANCELLED = 1,
	KP_RPC_UNKNOWN = 2,
	KP_RPC_INVALID_ARGUMENT = 3,
	KP_RPC_DEADLINE_EXCEEDED = 4,
	KP_RPC_NOT_FOUND = 5,
	KP_RPC_ALREADY_EXISTS = 6,
	KP_RPC_PERMISSION_DENIED = 7,
	KP_RPC_RESOURCE_EXHAUSTED = 8,
	KP_RPC_FAILED_PRECONDITION = 9,
	KP_RPC_ABORTED = 10,
	KP_RPC_OUT_OF_RANGE = 11,
	KP_RPC_UNIMPLEMENTED = 12,
	KP_RPC_INTERNAL = 13,
	KP_RPC_UNAVAILABLE = 14,
	KP_RPC_DATA_LOSS = 15,
	KP_RPC_UNAUTHENTICATED = 16,
};

#define KP_RPC_SENTENCE_SIZE 1024
/*
 * Trailers are metadata, which peers bound: at 8 KiB where nobody changed it,
 * and details are a third longer there than here.
 */
#define KP_RPC_MAX_DETAILS_LEN 4096

/* The zero state is OK without anything to free. */
struct kp_rpc_status {
	enum kp_rpc_code code;
	char sentence[KP_RPC_SENTENCE_SIZE];
	struct kp_buf details; /* a packed kproxy.rpc.v1.Status */
};

void kp_rpc_status_fini(struct kp_rpc_status *status);

/* kp_rpc_status_set replaces code and sentence and removes all details. */
void kp_rpc_status_set(struct kp_rpc_status *status, enum kp_rpc_code code,
    const char *fmt, ...) KP_PRINTF(3, 4);

/*
 * kp_rpc_status_add adds a detail, whole or not at all: false if all details
 * together would be longer than KP_RPC_MAX_DETAILS_LEN. What can be longer than
 * that belongs into an answer, not into a status.
 */
bool kp_rpc_status_add(
    struct kp_rpc_status *status, const ProtobufCMessage *detail) KP_MUST_CHECK;

/* How many details are there, of all kinds? 0 if they cannot be read. */
size_t kp_rpc_status_num_details(const struct kp_rpc_status *status);

/*
 * kp_rpc_status_detail returns the index-th detail of a kind, NULL if there are
 * fewer. Free it with kp_unpacked_free.
 */
ProtobufCMessage *kp_rpc_status_detail(const struct kp_rpc_status *status,
    const ProtobufCMessageDescriptor *kind, size_t index);

void kp_rpc_status_copy(
    struct kp_rpc_status *out, const struct kp_rpc_status *from);

/*
 * kp_rpc_status_error says the same as an error, for callers that need no code:
 * "NAME: sentence". Returns false, so that they can return it; true for OK.
 */
bool kp_rpc_status_error(
    const struct kp_rpc_status *status, struct kp_error *err);

/* The code in words: "UNAVAILABLE". */
const char *kp_rpc_code_name(enum kp_rpc_code code);

#endif
