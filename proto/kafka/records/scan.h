/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers of the record batches in a Records field that passes by in pieces:
 * what a batch is (magic 2; or a message of magic 0 or 1), how long, how it is
 * compressed, how many records it says to have. Nothing else of a batch is
 * looked at, and nothing is kept but the header that is being read. A batch
 * that is cut off at the end of the field, as Fetch answers may have it, is not
 * reported. @thread connection
 */
#ifndef KP_PROTO_KAFKA_RECORDS_SCAN_H
#define KP_PROTO_KAFKA_RECORDS_SCAN_H

#include "proto/kafka/records/batch.h"

struct kp_batch_head {
	int8_t magic;
	int16_t attributes;  /* as in struct kp_batch */
	int32_t num_records; /* -1: magic 0 or 1 and compressed */
	size_t len;          /* of the whole batch */
};

/* The zero state is the end of a field. */
struct kp_batch_scan {
	size_t field_left; /* bytes of the field that have not come */
	size_t have;       /* of header */
	uint8_t header[KP_BATCH_HEADER_LEN];
};

typedef void (*kp_batch_seen_fn)(
    void *context, const struct kp_batch_head *head);

/* kp_batch_scan_begin: a Records field of field_len bytes comes next. */
void kp_batch_scan_begin(struct kp_batch_scan *scan, size_t field_len);

/*
 * kp_batch_scan_feed looks at the next len bytes of the field and tells seen of
 * each batch. Returns how many of the bytes that follow need not be shown: the
 * next call continues behind them. What is no batch (a length or magic that
 * cannot be) ends the scan of this field: *out_is_bad is set and nothing more
 * of it is asked for. len must not be more than the field has left.
 */
size_t kp_batch_scan_feed(struct kp_batch_scan *scan, const uint8_t *data,
    size_t len, kp_batch_seen_fn seen, void *context, bool *out_is_bad);

#endif
