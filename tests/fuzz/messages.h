/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs that are the body of a message: which one, and its bytes. New ones are
 * made from the tables (tests/support/sample.h) or are good ones changed, so
 * that every message of every API in every version is gone through again and
 * again. A run that did not reach all of them fails. @thread main
 */
#ifndef KP_TESTS_FUZZ_MESSAGES_H
#define KP_TESTS_FUZZ_MESSAGES_H

#include "base/bytes.h"
#include "proto/kafka/schema.h"

/* An input begins with key, version, direction and seed, a byte each. */
#define KP_MESSAGE_HEAD_LEN 4

struct kp_message_input {
	const struct kp_message *message;
	int16_t version;
	bool is_request;
	uint8_t seed; /* of whatever the target does at random */
	struct kp_bytes body;
};

/* kp_message_input_read is false if the input names no message. */
bool kp_message_input_read(
    struct kp_message_input *out, const uint8_t *data, size_t size);

/* kp_message_input_is_valid: that one was well-formed and went through. */
void kp_message_input_is_valid(const struct kp_message_input *input);

/*
 * kp_message_input_make adds an input with a good body to out; equal randoms
 * make equal ones.
 */
void kp_message_input_make(struct kp_buf *out, const struct kp_message *message,
    int16_t version, bool is_request, uint64_t random);

/* What this target is about; defined by each that uses the mutator. */
extern const bool kp_fuzzes_requests;

#endif
