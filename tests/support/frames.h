/* SPDX-License-Identifier: Apache-2.0 */
/* Whole frames, written and cut, for tests. @thread any */
#ifndef KP_TESTS_SUPPORT_FRAMES_H
#define KP_TESTS_SUPPORT_FRAMES_H

#include "proto/kafka/header.h"

/* kp_test_request adds length, header and body; client_id NULL: none. */
void kp_test_request(struct kp_buf *out, const struct kp_request_header *header,
    struct kp_bytes body);

/* kp_test_answer is the same for the answer to such a request. */
void kp_test_answer(struct kp_buf *out, const struct kp_request_header *header,
    struct kp_bytes body);

/*
 * kp_test_next_frame takes the next frame, length included, off rest; false if
 * rest holds no whole one (or a length below 0).
 */
bool kp_test_next_frame(struct kp_bytes *out, struct kp_bytes *rest);

/*
 * kp_test_read_request reads the header of a whole request frame; false if it
 * is none that the tables know.
 */
bool kp_test_read_request(struct kp_request_header *out, struct kp_bytes frame);

#endif
