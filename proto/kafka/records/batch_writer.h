/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a batch anew with other records: what the proxy must keep is taken
 * from the batch it replaces (offsets, timestamps, producer, sequence,
 * attributes), what follows from the content is computed (length, count,
 * checksum). With the same records and no compression the bytes come out as
 * they were.
 *
 * Who writes must keep count and order of the records of a Produce request. On
 * Fetch records may be left out: wire_offset of the others stays, and with none
 * left the batch is written empty. Control batches are refused: they are passed
 * on as they are. @thread any
 */
#ifndef KP_PROTO_KAFKA_RECORDS_BATCH_WRITER_H
#define KP_PROTO_KAFKA_RECORDS_BATCH_WRITER_H

#include "base/bytes.h"
#include "base/error.h"
#include "proto/kafka/records/batch.h"
#include "proto/kafka/records/record.h"

struct kp_batch_writer {
	struct kp_batch like;
	enum kp_codec codec;
	struct kp_buf *plain; /* borrowed: the records without compression */
	int32_t num_records;
};

/*
 * kp_batch_writer_init begins a batch that replaces like, compressed with
 * codec. plain is emptied and holds the records until kp_batch_writer_finish;
 * its max_len bounds them. It must not be the buffer that the records borrow
 * from. Fails with KP_ERR_UNSUPPORTED for a control batch, and for magic 0 and
 * 1 if the codec is zstd, or if one is compressed and the other is not: one
 * message cannot become a set.
 */
bool kp_batch_writer_init(struct kp_batch_writer *writer, struct kp_buf *plain,
    const struct kp_batch *like, enum kp_codec codec,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_batch_writer_add writes one record: key, value, headers, attributes,
 * wire_offset and wire_timestamp; the other fields are not looked at.
 */
bool kp_batch_writer_add(struct kp_batch_writer *writer,
    const struct kp_record *record, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_batch_writer_finish adds the batch to out, whose max_len is respected. On
 * failure what was added to out is undefined. A batch of magic 0 or 1 without
 * records cannot be written: KP_ERR_UNSUPPORTED.
 */
bool kp_batch_writer_finish(struct kp_batch_writer *writer, struct kp_buf *out,
    struct kp_compression *compression, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_batch_write_empty adds like without its records: consumers go on behind
 * it, while without any batch they would ask for the same offset for ever.
 */
bool kp_batch_write_empty(struct kp_buf *out, const struct kp_batch *like,
    struct kp_error *err) KP_MUST_CHECK;

#endif
