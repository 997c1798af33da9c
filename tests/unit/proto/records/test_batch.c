/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/kafka/records/batch.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "proto/kafka/records/crc32c.h"
#include "tests/unit/proto/records/sample.h"

#define MAX_LEN 65536

#define BYTES_OF(array) \
	((struct kp_bytes){ (const uint8_t *)(array), sizeof(array) - 1 })

/* Two records; the checksum was computed by another implementation. */
static const char batch_v2[] =
    "\x00\x00\x00\x00\x00\x00\x01\xf4" /* base offset 500 */
    "\x00\x00\x00\x4a"                 /* length 74 */
    "\x00\x00\x00\x03"                 /* leader epoch 3 */
    "\x02"                             /* magic */
    "\xf4\xd7\xe9\x83"                 /* checksum */
    "\x00\x10"                         /* transactional */
    "\x00\x00\x00\x01"                 /* last offset delta */
    "\x00\x00\x00\x00\x00\x00\x03\xe8" /* base timestamp 1000 */
    "\x00\x00\x00\x00\x00\x00\x03\xed" /* max timestamp 1005 */
    "\x00\x00\x00\x00\x00\x00\x00\x4d" /* producer 77 */
    "\x00\x02"                         /* epoch 2 */
    "\x00\x00\x00\x05"                 /* sequence 5 */
    "\x00\x00\x00\x02"                 /* two records */
    "\x22\x00\x0a\x00\x06key\x0avalue\x02\x02h\x01"
    "\x0c\x00\x01\x02\x01\x01\x00";

static const char message_v0[] =
    "\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x0f" /* offset, length */
    "\x90\x82\x04\xf6\x00\x00" /* checksum, magic, attributes */
    "\x00\x00\x00\x01k\xff\xff\xff\xff";

static const char message_v1[] =
    "\x00\x00\x00\x00\x00\x00\x00\x08\x00\x00\x00\x17"
    "\x5f\x5c\x6b\xd8\x01\x00"
    "\x00\x00\x00\x00\x00\x00\x04\xd2" /* timestamp 1234 */
    "\xff\xff\xff\xff\x00\x00\x00\x01v";

static void
put_int32(uint8_t *to, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* A copy of batch_v2 that may be written to. */
static uint8_t *
copy_v2(void)
{
	size_t len = sizeof(batch_v2);
	uint8_t *copy = malloc(len);

	kp_copy(copy, batch_v2, len);
	return copy;
}

Test(batch, every_header_field_of_magic_2_is_read)
{
	struct kp_bytes rest = BYTES_OF(batch_v2);
	struct kp_batch batch;
	struct kp_error err;

	cr_assert_eq(kp_batch_next(&batch, &rest, &err), KP_BATCH_OK);
	cr_assert_eq(batch.base_offset, 500);
	cr_assert_eq(batch.leader_epoch, 3);
	cr_assert_eq(batch.magic, 2);
	cr_assert_eq(batch.crc, 0xf4d7e983u);
	cr_assert_eq(batch.attributes, KP_BATCH_TRANSACTIONAL);
	cr_assert_eq(batch.last_offset_delta, 1);
	cr_assert_eq(batch.base_timestamp, 1000);
	cr_assert_eq(batch.max_timestamp, 1005);
	cr_assert_eq(batch.producer_id, 77);
	cr_assert_eq(batch.producer_epoch, 2);
	cr_assert_eq(batch.base_sequence, 5);
	cr_assert_eq(batch.num_records, 2);
	cr_assert_eq(batch.whole.len, sizeof(batch_v2) - 1);
	cr_assert_eq(batch.body.len, sizeof(batch_v2) - 1 - 61);
	cr_assert_eq(kp_batch_codec(&batch), KP_CODEC_NONE);
	cr_assert_eq(kp_batch_last_offset(&batch), 501);
	cr_assert(!kp_batch_is_control(&batch));
	cr_assert(kp_batch_check_crc(&batch, &err), "%s", err.text);
	cr_assert_eq(rest.len, 0u);
	cr_assert_eq(kp_batch_next(&batch, &rest, &err), KP_BATCH_END);
}

Test(batch, messages_of_magic_0_and_1_are_batches_of_one)
{
	struct kp_bytes rest = BYTES_OF(message_v0);
	struct kp_batch batch;
	struct kp_error err;

	cr_assert_eq(kp_batch_next(&batch, &rest, &err), KP_BATCH_OK);
	cr_assert_eq(batch.base_offset, 7);
	cr_assert_eq(batch.magic, 0);
	cr_assert_eq(batch.max_timestamp, -1);
	cr_assert_eq(batch.num_records, 1);
	cr_assert_eq(batch.producer_id, -1);
	cr_assert(kp_batch_check_crc(&batch, &err), "%s", err.text);
	cr_assert_eq(rest.len, 0u);
	rest = BYTES_OF(message_v1);
	cr_assert_eq(kp_batch_next(&batch, &rest, &err), KP_BATCH_OK);
	cr_assert_eq(batch.magic, 1);
	cr_assert_eq(batch.max_timestamp, 1234);
	cr_assert(kp_batch_check_crc(&batch, &err), "%s", err.text);
}

/* Bits that mean "control" in magic 2 must not let a message pass unread. */
Test(batch, later_attributes_do_not_exist_in_magic_1)
{
	char copy[sizeof(message_v1)];
	struct kp_bytes rest = BYTES_OF(copy);
	struct kp_batch batch;
	struct kp_error err;

	kp_copy(copy, message_v1, sizeof(copy));
	copy[17] = (char)0xf8;
	cr_assert_eq(kp_batch_next(&batch, &rest, &err), KP_BATCH_OK);
	cr_assert_eq(batch.attributes, KP_BATCH_LOG_APPEND_TIME);
}

Test(batch, every_strict_prefix_is_partial_and_nothing_is_taken)
{
	const struct kp_bytes all[] = { BYTES_OF(batch_v2),
		BYTES_OF(message_v0), BYTES_OF(message_v1) };
	struct kp_batch batch;
	struct kp_bytes rest;
	struct kp_error err;

	for (size_t i = 0; i < 3; i++) {
		for (size_t len = 1; len < all[i].len; len++) {
			/* a heap copy shows reads behind the end */
			rest.data = malloc(len);
			rest.len = len;
			kp_copy(
			    (uint8_t *)(uintptr_t)rest.data, all[i].data, len);
			cr_assert_eq(kp_batch_next(&batch, &rest, &err),
			    KP_BATCH_PARTIAL);
			cr_assert_eq(rest.len, len);
			cr_assert(!kp_batch_single(&batch, rest, &err));
			cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
			free((uint8_t *)(uintptr_t)rest.data);
		}
	}
}

Test(batch, batches_in_a_row_end_in_a_partial_one)
{
	struct kp_batch batch, like = kp_sample_like();
	struct kp_bytes rest;
	struct kp_error err;
	struct kp_buf all;
	size_t len;

	kp_buf_init(&all, MAX_LEN);
	for (int c = 0; c < KP_NUM_CODECS; c++)
		kp_sample_batch(&all, &like, (enum kp_codec)c);
	kp_buf_add(&all, message_v0, sizeof(message_v0) - 1);
	kp_buf_add(&all, batch_v2, sizeof(batch_v2) - 2);
	rest = kp_buf_bytes(&all);
	for (int c = 0; c < KP_NUM_CODECS; c++) {
		cr_assert_eq(kp_batch_next(&batch, &rest, &err), KP_BATCH_OK);
		cr_assert_eq((int)kp_batch_codec(&batch), c);
		cr_assert_eq(batch.producer_id, like.producer_id);
		cr_assert(kp_batch_check_crc(&batch, &err));
	}
	cr_assert_eq(kp_batch_next(&batch, &rest, &err), KP_BATCH_OK);
	len = rest.len;
	cr_assert_eq(kp_batch_next(&batch, &rest, &err), KP_BATCH_PARTIAL);
	cr_assert_eq(len, sizeof(batch_v2) - 2);
	cr_assert_eq(rest.len, len);
	kp_buf_fini(&all);
}

static enum kp_batch_status
next_of(const uint8_t *bytes, struct kp_error *err)
{
	struct kp_bytes rest = { bytes, sizeof(batch_v2) - 1 };
	struct kp_batch batch;

	return kp_batch_next(&batch, &rest, err);
}

Test(batch, lengths_and_counts_that_lie_are_refused)
{
	static const uint32_t lengths[] = { 0, 1, 13, 14, 48, 0x80000000u,
		0xffffffffu };
	static const uint32_t counts[] = { 4, 1000000, 0x7fffffffu, 0x80000000u,
		0xffffffffu };
	uint8_t *bytes = copy_v2();
	struct kp_error err = { 0 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		put_int32(bytes + 8, lengths[i]);
		cr_assert_eq(next_of(bytes, &err), KP_BATCH_FAILED, "%zu", i);
		cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
	}
	put_int32(bytes + 8, 0x7fffffffu);
	cr_assert_eq(next_of(bytes, &err), KP_BATCH_PARTIAL);
	put_int32(bytes + 8, 74);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		put_int32(bytes + 57, counts[i]);
		cr_assert_eq(next_of(bytes, &err), KP_BATCH_FAILED, "%zu", i);
		cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
	}
	free(bytes);
}

Test(batch, lengths_inside_a_message_that_lie_are_refused)
{
	/* offset of the length, its value */
	static const uint32_t rows[][2] = { { 18, 2 }, { 18, 0x7fffffffu },
		{ 18, 0xfffffffeu }, { 18, 0x80000000u }, { 23, 0 }, { 23, 1 },
		{ 18, 0 } };
	char copy[sizeof(message_v0)];
	struct kp_bytes rest;
	struct kp_batch batch;
	struct kp_error err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kp_copy(copy, message_v0, sizeof(copy));
		put_int32((uint8_t *)copy + rows[i][0], rows[i][1]);
		rest = BYTES_OF(copy);
		/* a value of length 0 is well-formed, unlike the others */
		cr_assert_eq(kp_batch_next(&batch, &rest, &err),
		    rows[i][0] == 23 && rows[i][1] == 0 ? KP_BATCH_OK
							: KP_BATCH_FAILED,
		    "row %zu", i);
	}
}

Test(batch, other_magics_are_unsupported)
{
	uint8_t *bytes = copy_v2();
	struct kp_error err = { 0 };

	for (unsigned magic = 3; magic < 256; magic++) {
		bytes[16] = (uint8_t)magic;
		cr_assert_eq(next_of(bytes, &err), KP_BATCH_FAILED);
		cr_assert_eq(err.kind, KP_ERR_UNSUPPORTED);
	}
	free(bytes);
}

Test(batch, any_flipped_bit_that_the_checksum_covers_is_noticed)
{
	uint8_t *bytes = copy_v2();
	struct kp_bytes rest;
	struct kp_batch batch;
	struct kp_error err;

	for (size_t bit = 17 * 8; bit < (sizeof(batch_v2) - 1) * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		rest.data = bytes;
		rest.len = sizeof(batch_v2) - 1;
		cr_assert(kp_batch_next(&batch, &rest, &err) != KP_BATCH_OK ||
			  !kp_batch_check_crc(&batch, &err));
		cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free(bytes);
}

Test(batch, a_produce_request_has_exactly_one_batch_of_magic_2)
{
	struct kp_batch batch, like = kp_sample_like();
	struct kp_bytes nothing = { 0 };
	struct kp_error err;
	struct kp_buf records;
	uint8_t *bytes = copy_v2();

	kp_buf_init(&records, MAX_LEN);
	kp_sample_batch(&records, &like, KP_CODEC_LZ4);
	cr_assert(kp_batch_single(&batch, kp_buf_bytes(&records), &err));
	kp_sample_batch(&records, &like, KP_CODEC_LZ4);
	cr_assert(!kp_batch_single(&batch, kp_buf_bytes(&records), &err));
	cr_assert(!kp_batch_single(&batch, nothing, &err));
	cr_assert(!kp_batch_single(&batch, BYTES_OF(message_v1), &err));
	bytes[22] |= KP_BATCH_CONTROL;
	cr_assert(!kp_batch_single(
	    &batch, (struct kp_bytes){ bytes, sizeof(batch_v2) - 1 }, &err));
	bytes[22] = 0;
	put_int32(bytes + 57, 0);
	cr_assert(!kp_batch_single(
	    &batch, (struct kp_bytes){ bytes, sizeof(batch_v2) - 1 }, &err));
	cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
	kp_buf_fini(&records);
	free(bytes);
}

Test(batch, opening_is_bounded_and_refuses_what_cannot_be)
{
	struct kp_batch batch, like = kp_sample_like();
	struct kp_compression compression = { 0 };
	struct kp_bytes rest, plain;
	struct kp_error err;
	struct kp_buf all, out;

	kp_buf_init(&all, MAX_LEN);
	for (int c = 1; c < KP_NUM_CODECS; c++) {
		kp_buf_clear(&all);
		kp_sample_batch(&all, &like, (enum kp_codec)c);
		rest = kp_buf_bytes(&all);
		cr_assert_eq(kp_batch_next(&batch, &rest, &err), KP_BATCH_OK);
		kp_buf_init(&out, 10);
		cr_assert(
		    !kp_batch_open(&plain, &batch, &compression, &out, &err));
		cr_assert_eq(err.kind, KP_ERR_LIMIT);
		kp_buf_fini(&out);
		kp_buf_init(&out, MAX_LEN);
		cr_assert(
		    kp_batch_open(&plain, &batch, &compression, &out, &err));
		cr_assert(plain.len >= 3 * 7);
		batch.magic = 1;
		batch.attributes = KP_CODEC_ZSTD;
		cr_assert(
		    !kp_batch_open(&plain, &batch, &compression, &out, &err));
		cr_assert_eq(err.kind, KP_ERR_UNSUPPORTED);
		kp_buf_fini(&out);
	}
	kp_buf_fini(&all);
	kp_compression_fini(&compression);
}

/* Kafka marks empty batches as not compressed; others may not. */
Test(batch, nothing_is_opened_as_nothing_whatever_the_codec)
{
	struct kp_compression compression = { 0 };
	struct kp_bytes plain;
	struct kp_batch batch = { .magic = 2, .body = kp_bytes_of("") };
	struct kp_error err;
	struct kp_buf out;

	kp_buf_init(&out, MAX_LEN);
	for (int16_t c = 0; c < KP_NUM_CODECS; c++) {
		batch.attributes = c;
		batch.num_records = 0;
		cr_assert(
		    kp_batch_open(&plain, &batch, &compression, &out, &err));
		cr_assert_eq(plain.len, 0u);
		batch.num_records = 1;
		cr_assert(c == KP_CODEC_NONE || !kp_batch_open(&plain, &batch,
						    &compression, &out, &err));
	}
	kp_buf_fini(&out);
	kp_compression_fini(&compression);
}
