/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests as whole frames, with correlation id 0 for the sender to replace.
 * Each function adds one to out. @thread any
 */
#ifndef KP_BENCH_REQUEST_H
#define KP_BENCH_REQUEST_H

#include "base/bytes.h"

#define KP_BENCH_ACKS 1

void kp_request_api_versions(struct kp_buf *out, int16_t version);

/* topic NULL: all of them. */
void kp_request_metadata(
    struct kp_buf *out, int16_t version, const char *topic);

/* The frame of a Produce request with records for partition 0 of topic. */
void kp_request_produce(struct kp_buf *out, int16_t version, const char *topic,
    struct kp_bytes records);

/* max_bytes is both of the answer and of partition 0. */
void kp_request_fetch(struct kp_buf *out, int16_t version,
    const uint8_t topic_id[16], uint32_t max_bytes);

void kp_request_heartbeat(struct kp_buf *out, int16_t version);

#endif
