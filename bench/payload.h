/* SPDX-License-Identifier: Apache-2.0 */
/* Valid record batches to send about, with contents that do not compress.
 * @thread any */
#ifndef KP_BENCH_PAYLOAD_H
#define KP_BENCH_PAYLOAD_H

#include "base/bytes.h"
#include "base/error.h"

/*
 * kp_payload_add adds batches with offsets from 0 on, each of batch_len bytes
 * at most, total_len bytes in all or a few less. A batch is never shorter than
 * KP_PAYLOAD_MIN_BATCH; what does not fit one is left out.
 */
#define KP_PAYLOAD_MIN_BATCH 96
bool kp_payload_add(struct kp_buf *out, size_t total_len, size_t batch_len,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_payload_check decodes batches and compares their checksums; *out_records
 * is how many records they hold. */
bool kp_payload_check(struct kp_bytes records, uint64_t *out_records,
    struct kp_error *err) KP_MUST_CHECK;

#endif
