/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cursor over borrowed bytes that decodes Kafka's primitive types. One bounds
 * check, sticky failure: a read past the end or of a malformed value gives zero
 * or null and so does every read after it, so that decoding reads like the
 * specification and the only way out is kp_reader_finish. It knows no messages
 * and no tables. @thread any
 */
#ifndef KP_PROTO_KAFKA_READER_H
#define KP_PROTO_KAFKA_READER_H

#include "base/bytes.h"
#include "base/error.h"

#define KP_UUID_LEN 16

struct kp_reader {
	const uint8_t *pos, *end;
	bool failed;
	bool is_short; /* it failed for want of bytes, not for a bad value */
};

/* What is read by reference borrows from bytes. */
void kp_reader_init(struct kp_reader *reader, struct kp_bytes bytes);

/* Bytes not read yet; 0 after a failure. */
size_t kp_reader_left(const struct kp_reader *reader);

/* kp_reader_fail is for values that the caller finds to be impossible. */
void kp_reader_fail(struct kp_reader *reader);

/*
 * kp_reader_finish returns false with KP_ERR_PROTOCOL if a read failed or bytes
 * are left over.
 */
bool kp_reader_finish(
    const struct kp_reader *reader, struct kp_error *err) KP_MUST_CHECK;

/* kp_number_get is the big-endian number in len bytes that are known to be
 * there. */
uint64_t kp_number_get(const uint8_t *bytes, size_t len);

bool kp_read_bool(struct kp_reader *reader);
int8_t kp_read_int8(struct kp_reader *reader);
int16_t kp_read_int16(struct kp_reader *reader);
uint16_t kp_read_uint16(struct kp_reader *reader);
int32_t kp_read_int32(struct kp_reader *reader);
uint32_t kp_read_uint32(struct kp_reader *reader);
int64_t kp_read_int64(struct kp_reader *reader);
double kp_read_float64(struct kp_reader *reader);

/*
 * Variable-length numbers: 7 bits a byte, lowest first. More bytes than the
 * type can have, bits beyond its width and encodings longer than needed are
 * malformed. varint and varlong are zigzag (record batches).
 */
uint32_t kp_read_uvarint(struct kp_reader *reader);
int32_t kp_read_varint(struct kp_reader *reader);
int64_t kp_read_varlong(struct kp_reader *reader);

/* kp_read_raw reads len bytes; data is NULL only on failure. */
struct kp_bytes kp_read_raw(struct kp_reader *reader, size_t len);
/* kp_read_uuid reads KP_UUID_LEN bytes. */
struct kp_bytes kp_read_uuid(struct kp_reader *reader);

/*
 * Lengths and counts: -1 is null, less is malformed; whether null is allowed is
 * the caller's to judge. kp_read_length16 and 32 read the fixed forms, compact
 * the one of flexible versions: uvarint of length + 1 (KIP-482).
 */
int32_t kp_read_length16(struct kp_reader *reader);
int32_t kp_read_length32(struct kp_reader *reader);
int32_t kp_read_compact_length(struct kp_reader *reader);

/*
 * Strings and bytes: a length and its content; data is NULL for null and on
 * failure. A string of old versions has an int16 length, bytes an int32 one; in
 * flexible versions both are compact.
 */
struct kp_bytes kp_read_string(struct kp_reader *reader);
struct kp_bytes kp_read_bytes(struct kp_reader *reader);
struct kp_bytes kp_read_compact(struct kp_reader *reader);

/*
 * kp_reader_sub makes sub a reader over the next len bytes and passes over
 * them. If there are not as many both have failed.
 */
void kp_reader_sub(struct kp_reader *reader, struct kp_reader *sub, size_t len);

#endif
