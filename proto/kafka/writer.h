/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka's primitive types, written into a kp_buf. The counterpart of reader.h:
 * the buffer's failure is sticky, values that do not fit their field make it
 * fail, and the caller looks at buf->failed once, at the end. @thread any
 */
#ifndef KP_PROTO_KAFKA_WRITER_H
#define KP_PROTO_KAFKA_WRITER_H

#include "base/bytes.h"

void kp_write_bool(struct kp_buf *buf, bool value);
void kp_write_int8(struct kp_buf *buf, int8_t value);
void kp_write_int16(struct kp_buf *buf, int16_t value);
void kp_write_uint16(struct kp_buf *buf, uint16_t value);
void kp_write_int32(struct kp_buf *buf, int32_t value);
void kp_write_uint32(struct kp_buf *buf, uint32_t value);
void kp_write_int64(struct kp_buf *buf, int64_t value);
void kp_write_float64(struct kp_buf *buf, double value);

void kp_write_uvarint(struct kp_buf *buf, uint32_t value);
/* varint and varlong are zigzag. */
void kp_write_varint(struct kp_buf *buf, int32_t value);
void kp_write_varlong(struct kp_buf *buf, int64_t value);

/* Longest encoding of a uint32_t, and how many bytes value takes. */
#define KP_UVARINT_MAX_LEN 5
size_t kp_uvarint_len(uint32_t value);
/* kp_uvarint_put writes value to out and returns its length. */
size_t kp_uvarint_put(uint8_t out[KP_UVARINT_MAX_LEN], uint32_t value);
/* kp_number_put writes the len lowest bytes of value to out, big-endian. */
void kp_number_put(uint8_t *out, uint64_t value, size_t len);

/* len -1 is null; anything else that does not fit makes buf fail. */
void kp_write_length16(struct kp_buf *buf, int64_t len);
void kp_write_length32(struct kp_buf *buf, int64_t len);
void kp_write_compact_length(struct kp_buf *buf, int64_t len);

/* data NULL is null. */
void kp_write_string(struct kp_buf *buf, struct kp_bytes value);
void kp_write_bytes(struct kp_buf *buf, struct kp_bytes value);
void kp_write_compact(struct kp_buf *buf, struct kp_bytes value);

/*
 * kp_write_begin_int32 leaves room for a length and returns where;
 * kp_write_end_int32 fills in how many bytes were written since.
 */
size_t kp_write_begin_int32(struct kp_buf *buf);
void kp_write_end_int32(struct kp_buf *buf, size_t begin);

#endif
