/* SPDX-License-Identifier: Apache-2.0 */
/* A method of a service, as server and client both know it. @thread any */
#ifndef KP_CONTROL_RPC_METHOD_H
#define KP_CONTROL_RPC_METHOD_H

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

enum kp_rpc_kind {
	KP_RPC_UNARY,  /* one request, one answer */
	KP_RPC_STREAM, /* any number of messages, each way */
};

/* The largest message that any method may have. */
#define KP_RPC_MAX_MESSAGE (64u << 20)

/*
 * A message may take this many times its permitted length in memory, and
 * KP_RPC_UNFOLD_MIN in any case.
 */
#define KP_RPC_UNFOLD 8u
#define KP_RPC_UNFOLD_MIN (64u << 10)

/*
 * Lengths are of one packed message, in bytes, at most KP_RPC_MAX_MESSAGE. The
 * descriptors must be bounded (proto/control/unpack.h). A method lives as long
 * as what was made with it.
 */
struct kp_rpc_method {
	const char *name; /* "/package.Service/Method" */
	enum kp_rpc_kind kind;
	const ProtobufCMessageDescriptor *request, *response;
	size_t max_request_len, max_response_len;
	/* when the client names no deadline; 0: limits->timeout_ms for a unary
	 * method, none for a stream */
	int64_t timeout_ms;
};

#endif
