/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/kafka/records/scan.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/proto/records/sample.h"

#define MAX_LEN 65536
#define MAX_SEEN 16

struct seen {
	struct kp_batch_head heads[MAX_SEEN];
	size_t num;
	size_t num_shown; /* bytes that were fed */
	bool is_bad;
};

static void
note(void *context, const struct kp_batch_head *head)
{
	struct seen *seen = context;

	cr_assert(seen->num < MAX_SEEN);
	seen->heads[seen->num++] = *head;
}

/* Feeds a field in pieces, without what need not be shown. */
static struct seen
scan_all(struct kp_bytes field, size_t piece_len)
{
	struct kp_batch_scan scan;
	struct seen seen = { .num = 0 };
	size_t at = 0;

	kp_batch_scan_begin(&scan, field.len);
	while (at < field.len) {
		size_t len =
		    field.len - at < piece_len ? field.len - at : piece_len;
		uint8_t *copy = malloc(len + 1);
		bool is_bad;
		size_t unseen;

		cr_assert_not_null(copy);
		kp_copy(copy, field.data + at, len);
		unseen =
		    kp_batch_scan_feed(&scan, copy, len, note, &seen, &is_bad);
		free(copy);
		seen.is_bad = seen.is_bad || is_bad;
		seen.num_shown += len;
		cr_assert(unseen <= field.len - at - len);
		at += len + unseen;
	}
	return seen;
}

/* A message of magic 0 without key, with an attribute that had no meaning. */
static const char message_v0[] = "\0\0\0\0\0\0\0\7\0\0\0\17"
				 "crc!\0\x40"
				 "\xff\xff\xff\xff\0\0\0\1v";

/* Batches of all magics, plain and compressed. */
static struct kp_buf
sample_field(void)
{
	struct kp_batch like = kp_sample_like();
	struct kp_buf field;

	kp_buf_init(&field, MAX_LEN);
	kp_sample_batch(&field, &like, KP_CODEC_NONE);
	kp_sample_batch(&field, &like, KP_CODEC_LZ4);
	like.magic = 1;
	like.attributes = KP_CODEC_GZIP;
	kp_sample_batch(&field, &like, KP_CODEC_GZIP);
	kp_buf_add(&field, message_v0, sizeof(message_v0) - 1);
	like.magic = 2;
	like.attributes = KP_BATCH_TRANSACTIONAL;
	kp_sample_batch(&field, &like, KP_CODEC_ZSTD);
	return field;
}

static void
expect_as_batches(const struct seen *seen, struct kp_bytes field)
{
	struct kp_batch batch;
	struct kp_error err;
	size_t num = 0;

	while (kp_batch_next(&batch, &field, &err) == KP_BATCH_OK) {
		const struct kp_batch_head *head = &seen->heads[num++];

		cr_assert(num <= seen->num);
		cr_assert_eq(head->magic, batch.magic);
		cr_assert_eq(head->attributes, batch.attributes);
		cr_assert_eq(head->num_records, batch.num_records);
		cr_assert_eq(head->len, batch.whole.len);
	}
	cr_assert_eq(num, seen->num);
	cr_assert(!seen->is_bad);
}

Test(scan, sees_in_pieces_of_any_length_what_is_there_as_a_whole)
{
	struct kp_buf field = sample_field();

	for (size_t piece = 1; piece <= field.len; piece++) {
		struct seen seen = scan_all(kp_buf_bytes(&field), piece);

		expect_as_batches(&seen, kp_buf_bytes(&field));
	}
	kp_buf_fini(&field);
}

Test(scan, asks_for_headers_only)
{
	static const uint8_t body[30000];
	struct kp_batch like = kp_sample_like();
	struct kp_buf field;
	struct seen seen;

	kp_buf_init(&field, MAX_LEN);
	kp_sample_batch(&field, &like, KP_CODEC_NONE);
	/* the same with 30 000 more bytes */
	kp_buf_add(&field, body, sizeof(body));
	field.data[10] += (uint8_t)(sizeof(body) >> 8);
	field.data[11] += (uint8_t)sizeof(body);
	seen = scan_all(kp_buf_bytes(&field), KP_BATCH_HEADER_LEN);
	cr_assert_eq(seen.num, 1);
	cr_assert_eq(seen.heads[0].len, field.len);
	cr_assert_eq(seen.num_shown, KP_BATCH_HEADER_LEN);
	kp_buf_fini(&field);
}

/* Legal at the end of a Fetch answer: it is not reported. */
Test(scan, a_batch_that_is_cut_off_is_no_batch)
{
	struct kp_buf field = sample_field();

	for (size_t len = 0; len < field.len; len++) {
		struct kp_bytes cut = { field.data, len };
		struct seen seen = scan_all(cut, 40);

		expect_as_batches(&seen, cut);
	}
	kp_buf_fini(&field);
}

Test(scan, what_is_no_batch_ends_the_scan_of_its_field)
{
	static const struct {
		size_t at;
		uint8_t byte;
	} table[] = {
		{ 16, 3 },    /* magic */
		{ 16, 0xff }, /* magic */
		{ 8, 0xff },  /* length */
		{ 11, 13 },   /* length below the least */
		{ 11, 48 },   /* length below a header's */
		{ 57, 0x80 }, /* count of records */
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct kp_batch like = kp_sample_like();
		struct kp_buf field;

		kp_buf_init(&field, MAX_LEN);
		kp_sample_batch(&field, &like, KP_CODEC_NONE);
		kp_sample_batch(&field, &like, KP_CODEC_NONE);
		field.data[table[i].at] = table[i].byte;
		for (size_t piece = 1; piece <= field.len; piece += 7) {
			struct seen seen =
			    scan_all(kp_buf_bytes(&field), piece);

			cr_assert(seen.is_bad, "row %zu", i);
			cr_assert_eq(seen.num, 0);
		}
		kp_buf_fini(&field);
	}
}
