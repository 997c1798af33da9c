/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of walking share. @thread any */
#ifndef KP_TESTS_SUPPORT_WALKS_H
#define KP_TESTS_SUPPORT_WALKS_H

#include "base/bytes.h"
#include "proto/kafka/walker.h"

/* Sees everything and keeps it; context may be a size_t that counts visits. */
extern const struct kp_visitor kp_keep_all;
/* Sees nothing. */
extern const struct kp_visitor kp_see_nothing;

/* kp_rewritten copies the spans into out, which it clears first. */
void kp_rewritten(struct kp_buf *out, const struct kp_rewrite *rewrite);

/* How a body is walked piece by piece. */
struct kp_pieces {
	const struct kp_message *message;
	int16_t version;
	const struct kp_visitor *visitor;
	uint32_t max_len; /* random lengths up to this; 1: each byte alone */
	uint64_t seed;
};

/*
 * kp_walk_in_pieces feeds data[0, len) in pieces, and the tail to kp_walk_tail.
 * What came out is added to out. data is changed. kp_walk_pieces_to_end is the
 * same without stopping at the tail; bytes that nobody looks at are passed
 * without being fed, if there are any.
 */
bool kp_walk_in_pieces(struct kp_buf *out, const struct kp_pieces *pieces,
    uint8_t *data, size_t len, struct kp_error *err) KP_MUST_CHECK;
bool kp_walk_pieces_to_end(struct kp_buf *out, const struct kp_pieces *pieces,
    uint8_t *data, size_t len, struct kp_error *err) KP_MUST_CHECK;

#endif
