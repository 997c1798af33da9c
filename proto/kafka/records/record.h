/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records inside a batch, once it is opened (kp_batch_open). Everything borrows
 * from the opened bytes. Headers are an ordered list in which names may repeat,
 * never a map: they stay encoded and are read one by one. @thread any
 */
#ifndef KP_PROTO_KAFKA_RECORDS_RECORD_H
#define KP_PROTO_KAFKA_RECORDS_RECORD_H

#include "base/bytes.h"
#include "base/error.h"
#include "proto/kafka/reader.h"
#include "proto/kafka/records/batch.h"

struct kp_record {
	int64_t offset;    /* in the log */
	int64_t timestamp; /* ms; -1 if it has none */
	/*
	 * As encoded, for the way back: differences to the batch's base in
	 * magic 2, else what the message says.
	 */
	int64_t wire_offset, wire_timestamp;
	struct kp_bytes key, value; /* data NULL is null */
	struct kp_bytes headers;    /* encoded, without their count */
	int32_t num_headers;
	int8_t attributes; /* unused by Kafka, kept */
};

struct kp_record_reader {
	struct kp_reader bytes;
	int8_t magic;
	int32_t num_left;    /* magic 2; -1: until the bytes end */
	int64_t base_offset; /* added to offsets as encoded */
	int64_t base_timestamp;
	bool has_one_timestamp; /* of all records: LogAppendTime */
	int64_t one_timestamp;
};

enum kp_record_status {
	KP_RECORD_OK,
	KP_RECORD_END, /* as many as announced, and no byte left over */
	KP_RECORD_FAILED,
};

/* kp_record_reader_init starts at the first record of batch, opened as plain.
 */
bool kp_record_reader_init(struct kp_record_reader *reader,
    const struct kp_batch *batch, struct kp_bytes plain,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_record_next reads the next record with all of its headers: a record that
 * it returns is well-formed. Messages of magic 0 and 1 have no headers.
 */
enum kp_record_status kp_record_next(struct kp_record *out,
    struct kp_record_reader *reader, struct kp_error *err);

struct kp_record_header {
	struct kp_bytes key;   /* UTF-8 by convention, not checked */
	struct kp_bytes value; /* data NULL is null */
};

/* kp_record_headers_init starts at the first header of a record. */
void kp_record_headers_init(
    struct kp_reader *headers, const struct kp_record *record);

/* kp_record_header_next returns false behind the last header. */
bool kp_record_header_next(
    struct kp_record_header *out, struct kp_reader *headers);

/*
 * kp_record_header_add appends one encoded header to a buffer that can become
 * the headers of a record; headers->failed tells whether it fitted.
 */
void kp_record_header_add(
    struct kp_buf *headers, const struct kp_record_header *header);

/* Types of control records. */
enum kp_control_type {
	KP_CONTROL_ABORT = 0,
	KP_CONTROL_COMMIT = 1,
	KP_CONTROL_LEADER_CHANGE = 2,
	KP_CONTROL_SNAPSHOT_HEADER = 3,
	KP_CONTROL_SNAPSHOT_FOOTER = 4,
	KP_CONTROL_KRAFT_VERSION = 5,
	KP_CONTROL_KRAFT_VOTERS = 6,
};

/* kp_control_type reads the type of a record of a control batch. */
bool kp_control_type(int16_t *out_type, const struct kp_record *record,
    struct kp_error *err) KP_MUST_CHECK;

#endif
