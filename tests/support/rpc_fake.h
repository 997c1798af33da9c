/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls without gRPC, for what is behind it: rpc_fake.c defines what
 * control/rpc/call.h declares. A call is one struct, and what becomes of it is
 * kept there. @thread one at a time for one call
 */
#ifndef KP_TESTS_SUPPORT_RPC_FAKE_H
#define KP_TESTS_SUPPORT_RPC_FAKE_H

#include "control/rpc/server.h"

struct kp_rpc_call {
	const struct kp_rpc_endpoint *endpoint;
	struct kp_rpc_peer peer;
	void *owner, *data;
	bool is_marked;
	int64_t deadline_ms;
	/* how it ended */
	unsigned num_ends; /* only the first one counts */
	enum kp_rpc_code code;
	char sentence[KP_RPC_SENTENCE_SIZE];
	size_t answer_len, num_sent;
	int num_refs;
};

/*
 * kp_fake_call makes a whole call of an endpoint with one packed request; false
 * if the bytes are none. What it ended with is in call.
 */
bool kp_fake_call(struct kp_rpc_call *call, struct kp_bytes packed);

#endif
