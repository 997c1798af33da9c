/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes and batches that several tests of record batches need. @thread main */
#ifndef KP_TESTS_PROTO_RECORDS_SAMPLE_H
#define KP_TESTS_PROTO_RECORDS_SAMPLE_H

#include "base/bytes.h"
#include "proto/kafka/records/batch.h"
#include "proto/kafka/records/record.h"

enum kp_sample_kind {
	KP_SAMPLE_ZEROS,
	KP_SAMPLE_TEXT,   /* compresses well */
	KP_SAMPLE_RANDOM, /* does not compress; the same in each run */
	KP_SAMPLE_MIXED,  /* some of each */
	KP_NUM_SAMPLE_KINDS,
};

void kp_sample_fill(uint8_t *to, size_t len, enum kp_sample_kind kind);

#define KP_SAMPLE_RECORDS 3

/*
 * kp_sample_batch adds a batch of KP_SAMPLE_RECORDS small records: with and
 * without key, value and headers. like gives magic and the kept fields.
 */
void kp_sample_batch(
    struct kp_buf *out, const struct kp_batch *like, enum kp_codec codec);

/* A batch of magic 2 of an idempotent producer with its first offset at 1000.
 */
struct kp_batch kp_sample_like(void);

/* kp_sample_records_equal compares content and position, not addresses. */
bool kp_sample_records_equal(
    const struct kp_record *a, const struct kp_record *b);

#endif
