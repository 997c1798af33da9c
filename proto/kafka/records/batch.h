/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Record batches inside a Records field, without looking into them: magic 2
 * since Kafka 0.11, and the messages of magic 0 and 1 that old logs still hold
 * (KIP-724: brokers return them as they are). A message of magic 0 or 1 counts
 * as a batch here: it has one record, or a compressed set of messages as value.
 * Nothing is decompressed or copied: see record.h to read records and
 * batch_writer.h to write them. @thread any
 */
#ifndef KP_PROTO_KAFKA_RECORDS_BATCH_H
#define KP_PROTO_KAFKA_RECORDS_BATCH_H

#include "base/bytes.h"
#include "base/error.h"
#include "proto/kafka/records/compress.h"

#define KP_BATCH_HEADER_LEN 61 /* of magic 2 */
#define KP_BATCH_MAX_MAGIC 2

/* Bits of the attributes; control and later ones exist in magic 2 only. */
#define KP_BATCH_CODEC_MASK 0x07
#define KP_BATCH_LOG_APPEND_TIME 0x08
#define KP_BATCH_TRANSACTIONAL 0x10
#define KP_BATCH_CONTROL 0x20
#define KP_BATCH_DELETE_HORIZON 0x40

/* Fields that magic 0 and 1 do not have are as in a batch without producer. */
struct kp_batch {
	int64_t base_offset; /* magic 0, 1: of the last message inside */
	int32_t leader_epoch;
	int8_t magic;
	uint32_t crc; /* as found: see kp_batch_check_crc */
	int16_t attributes;
	int32_t last_offset_delta;
	int64_t base_timestamp; /* the horizon if DELETE_HORIZON is set */
	int64_t max_timestamp;  /* magic 1: the timestamp; magic 0: -1 */
	int64_t producer_id;    /* -1 without */
	int16_t producer_epoch;
	int32_t base_sequence;
	int32_t num_records;   /* -1: a compressed set of magic 0 or 1 */
	struct kp_bytes whole; /* borrowed: with the 12 bytes in front */
	struct kp_bytes body;  /* borrowed: records or messages, maybe
				* compressed */
};

enum kp_batch_status {
	KP_BATCH_OK,
	KP_BATCH_END,     /* no bytes are left */
	KP_BATCH_PARTIAL, /* what is left is the beginning of a batch: legal
			   * at the end of a Fetch answer, nowhere else */
	KP_BATCH_FAILED,
};

/*
 * kp_batch_next takes the next batch off rest; on any other status than
 * KP_BATCH_OK rest stays as it is. *out borrows from the same bytes.
 */
enum kp_batch_status kp_batch_next(
    struct kp_batch *out, struct kp_bytes *rest, struct kp_error *err);

/*
 * kp_batch_single reads the records of a partition of a Produce request of
 * version 3 or later: one whole batch of magic 2 with at least one record,
 * which is no control batch (clients may not write these, and we would pass
 * them on unread), and nothing else.
 */
bool kp_batch_single(struct kp_batch *out, struct kp_bytes records,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_batch_check_crc compares the checksum with the bytes. */
bool kp_batch_check_crc(
    const struct kp_batch *batch, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_batch_open makes *out_plain the body without compression: borrowed from
 * the batch, or from plain, which is emptied and filled. plain->max_len bounds
 * how much a batch may claim to hold.
 */
bool kp_batch_open(struct kp_bytes *out_plain, const struct kp_batch *batch,
    struct kp_compression *compression, struct kp_buf *plain,
    struct kp_error *err) KP_MUST_CHECK;

/* The value may be none that we know: 5, 6 or 7. */
static inline enum kp_codec
kp_batch_codec(const struct kp_batch *batch)
{
	return (enum kp_codec)(batch->attributes & KP_BATCH_CODEC_MASK);
}

static inline bool
kp_batch_has(const struct kp_batch *batch, int16_t attribute)
{
	return (batch->attributes & attribute) != 0;
}

/* Never to be changed, dropped or merged: byte-identical or refused. */
static inline bool
kp_batch_is_control(const struct kp_batch *batch)
{
	return kp_batch_has(batch, KP_BATCH_CONTROL);
}

/* kp_batch_last_offset is where a consumer stands behind; it may wrap. */
static inline int64_t
kp_batch_last_offset(const struct kp_batch *batch)
{
	return (int64_t)((uint64_t)batch->base_offset +
			 (uint64_t)(int64_t)batch->last_offset_delta);
}

#endif
