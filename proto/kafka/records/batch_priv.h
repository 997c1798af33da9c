/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message of magic 0 or 1, as it stands alone, wraps a compressed set, or
 * is part of one. @thread any
 */
#ifndef KP_PROTO_KAFKA_RECORDS_BATCH_PRIV_H
#define KP_PROTO_KAFKA_RECORDS_BATCH_PRIV_H

#include "proto/kafka/reader.h"
#include "proto/kafka/records/batch.h"

/* Offset and length come in front of every batch and message. */
#define KP_BATCH_PREFIX_LEN 12
/* Where the bytes begin that the checksum is over. */
#define KP_BATCH_CRC_START 21
#define KP_LEGACY_CRC_START 16
#define KP_LEGACY_MIN_LEN 14 /* behind the prefix, in magic 0 */
/* Other bits had no meaning then, and must not pass for those of magic 2. */
#define KP_BATCH_LEGACY_ATTRIBUTES \
	(KP_BATCH_CODEC_MASK | KP_BATCH_LOG_APPEND_TIME)
/* Where the count of records of magic 2 is: the end of its header. */
#define KP_BATCH_COUNT_AT (KP_BATCH_HEADER_LEN - 4)
/* Length, attributes, two deltas, three counts: one byte each at least. */
#define KP_RECORD_MIN_LEN 7

struct kp_legacy {
	int64_t offset;
	uint32_t crc;
	int8_t magic;
	int8_t attributes;
	int64_t timestamp; /* -1 in magic 0 */
	struct kp_bytes key, value;
	struct kp_bytes whole;
};

/* kp_legacy_read reads one whole message and leaves reader behind it. */
bool kp_legacy_read(struct kp_legacy *out, struct kp_reader *reader,
    struct kp_error *err) KP_MUST_CHECK;

bool kp_check_crc(
    uint32_t found, uint32_t expected, struct kp_error *err) KP_MUST_CHECK;

/* kp_bytes_from is bytes without the first skipped ones. */
struct kp_bytes kp_bytes_from(struct kp_bytes bytes, size_t skipped);

#endif
