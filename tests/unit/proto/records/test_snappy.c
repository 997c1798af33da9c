/* SPDX-License-Identifier: Apache-2.0 */
/* Our snappy against Google's, and against bytes written by hand. */
#include <criterion/criterion.h>
#include <snappy-c.h>
#include <stdlib.h>

#include "proto/kafka/records/codec_priv.h"
#include "tests/unit/proto/records/sample.h"

#define MAX_LEN ((size_t)1 << 20)

struct by_hand {
	const char *bytes;
	size_t len;
	const char *content; /* NULL: malformed */
};

#define BYTES(text) text, sizeof(text) - 1

Test(snappy, elements_written_by_hand_are_decoded)
{
	/* clang-format off */
	static const struct by_hand rows[] = {
		{ BYTES("\x00"), "" },
		{ BYTES("\x03\x08" "abc"), "abc" },
		/* literals with 1, 2, 3 and 4 bytes of length */
		{ BYTES("\x03\xf0\x02" "abc"), "abc" },
		{ BYTES("\x03\xf4\x02\x00" "abc"), "abc" },
		{ BYTES("\x03\xf8\x02\x00\x00" "abc"), "abc" },
		{ BYTES("\x03\xfc\x02\x00\x00\x00" "abc"), "abc" },
		/* copies with 1, 2 and 4 bytes of offset, overlapping */
		{ BYTES("\x08\x00" "a" "\x0d\x01"), "aaaaaaaa" },
		{ BYTES("\x08\x04" "ab" "\x16\x02\x00"), "abababab" },
		{ BYTES("\x08\x04" "ab" "\x17\x02\x00\x00\x00"), "abababab" },
		/* a longer way to write the length is not for us */
		{ BYTES("\x83\x00\x08" "abc"), NULL },
		{ BYTES(""), NULL },
		{ BYTES("\x03"), NULL },
		{ BYTES("\x03\x08" "ab"), NULL },
		{ BYTES("\x02\x08" "abc"), NULL },
		{ BYTES("\x04\x08" "abc"), NULL },
		{ BYTES("\xff\xff\xff\xff\x0f\x08" "abc"), NULL },
		{ BYTES("\xff\xff\xff\xff\xff\x01\x08" "abc"), NULL },
		{ BYTES("\x03\xfc\xff\xff\xff\xff" "abc"), NULL },
		/* offset zero, or before the start */
		{ BYTES("\x08\x00" "a" "\x0d\x00"), NULL },
		{ BYTES("\x08\x00" "a" "\x0d\x02"), NULL },
		{ BYTES("\x08\x04" "ab" "\x17\x02\x00\x00\x80"), NULL },
		{ BYTES("\x08\x0d\x01"), NULL },
		/* a copy past the announced length */
		{ BYTES("\x07\x00" "a" "\x0d\x01"), NULL },
		{ BYTES("\x08\x00" "a" "\x0d"), NULL },
		{ BYTES("\x08\x04" "ab" "\x16\x02"), NULL },
		{ BYTES("\x08\x04" "ab" "\x17\x02\x00\x00"), NULL },
	};
	/* clang-format on */
	struct kp_bytes in;
	struct kp_error err;
	struct kp_buf out;
	bool is_good;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		in.data = (const uint8_t *)rows[i].bytes;
		in.len = rows[i].len;
		kp_buf_init(&out, MAX_LEN);
		is_good = kp_snappy_block_decompress(&out, in, &err);
		cr_assert_eq(is_good, rows[i].content != NULL, "row %zu", i);
		cr_assert(!is_good || kp_bytes_equal(kp_buf_bytes(&out),
					  kp_bytes_of(rows[i].content)),
		    "row %zu", i);
		kp_buf_fini(&out);
	}
}

Test(snappy, a_length_that_no_block_can_have_takes_no_memory)
{
	/* 1 MiB announced by four bytes */
	static const char lie[] = "\x80\x80\x40\x00";
	struct kp_bytes in = { (const uint8_t *)lie, 4 };
	struct kp_error err;
	struct kp_buf out;

	kp_buf_init(&out, 2 * MAX_LEN);
	cr_assert(!kp_snappy_block_decompress(&out, in, &err));
	cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
	cr_assert_eq(out.capacity, 0u);
	kp_buf_fini(&out);
}

Test(snappy, a_literal_longer_than_the_content_is_not_copied)
{
	enum { LITERAL_LEN = 50000 };
	struct kp_error err;
	struct kp_buf in, out;

	kp_buf_init(&in, MAX_LEN);
	kp_buf_init(&out, 1);
	/* content of one byte; literal with two bytes of length */
	kp_buf_add(&in, "\x01\xf4\x4f\xc3", 4);
	kp_sample_fill(
	    kp_buf_extend(&in, LITERAL_LEN), LITERAL_LEN, KP_SAMPLE_RANDOM);
	cr_assert(!kp_snappy_block_decompress(&out, kp_buf_bytes(&in), &err));
	cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
	cr_assert_eq(out.capacity, 1u);
	kp_buf_fini(&in);
	kp_buf_fini(&out);
}

static void
cross_check(const uint8_t *plain, size_t len)
{
	struct kp_compression compression = { 0 };
	struct kp_bytes in = { plain, len };
	size_t packed_len = snappy_max_compressed_length(len), back_len = len;
	char *packed = malloc(packed_len), *back = malloc(len + 1);
	struct kp_error err;
	struct kp_buf out;

	/* theirs to ours */
	kp_buf_init(&out, MAX_LEN);
	cr_assert_eq(
	    snappy_compress((const char *)plain, len, packed, &packed_len),
	    SNAPPY_OK);
	cr_assert(kp_snappy_block_decompress(&out,
		      (struct kp_bytes){ (uint8_t *)packed, packed_len }, &err),
	    "%s", err.text);
	cr_assert(kp_bytes_equal(kp_buf_bytes(&out), in));
	/* ours to theirs */
	kp_buf_clear(&out);
	cr_assert(kp_snappy_block_compress(&compression, &out, in, &err));
	cr_assert_eq(
	    snappy_uncompress((const char *)out.data, out.len, back, &back_len),
	    SNAPPY_OK);
	cr_assert_eq(back_len, len);
	cr_assert(memcmp(back, plain, len) == 0);
	kp_buf_fini(&out);
	kp_compression_fini(&compression);
	free(packed);
	free(back);
}

Test(snappy, both_directions_agree_with_the_library)
{
	static uint8_t plain[KP_SNAPPY_MAX_BLOCK];

	for (int kind = 0; kind < KP_NUM_SAMPLE_KINDS; kind++) {
		kp_sample_fill(plain, sizeof(plain), (enum kp_sample_kind)kind);
		for (size_t len = 0; len < 300; len++)
			cross_check(plain, len);
		for (size_t len = 300; len < sizeof(plain); len += 997)
			cross_check(plain, len);
		cross_check(plain, sizeof(plain));
	}
}

/* What one accepts of damaged bytes, the other does too, with one result. */
Test(snappy, damaged_blocks_are_judged_as_the_library_does)
{
	uint8_t plain[600];
	char back[4096];
	size_t back_len;
	struct kp_compression compression = { 0 };
	struct kp_error err;
	struct kp_buf packed, out;
	bool is_good;

	kp_sample_fill(plain, sizeof(plain), KP_SAMPLE_TEXT);
	kp_buf_init(&packed, MAX_LEN);
	kp_buf_init(&out, sizeof(back));
	cr_assert(kp_snappy_block_compress(&compression, &packed,
	    (struct kp_bytes){ plain, sizeof(plain) }, &err));
	/* from the third byte: the first two are the length */
	for (size_t bit = 16; bit < packed.len * 8; bit++) {
		packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		kp_buf_clear(&out);
		back_len = sizeof(back);
		is_good = kp_snappy_block_decompress(
		    &out, kp_buf_bytes(&packed), &err);
		cr_assert_eq(
		    is_good, snappy_uncompress((const char *)packed.data,
				 packed.len, back, &back_len) == SNAPPY_OK);
		cr_assert(
		    !is_good || (out.len == back_len &&
				    memcmp(out.data, back, back_len) == 0));
		packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	kp_buf_fini(&packed);
	kp_buf_fini(&out);
	kp_compression_fini(&compression);
}

Test(snappy, raw_blocks_and_xerial_framing_are_both_read)
{
	static const char raw[] = "\x03\x08"
				  "abc";
	static const char framed[] = "\x82SNAPPY\0\0\0\0\1\0\0\0\1"
				     "\0\0\0\5\x03\x08"
				     "abc"
				     "\0\0\0\1\0"
				     "\0\0\0\4\x02\x04"
				     "de";
	struct kp_error err;
	struct kp_buf out;

	kp_buf_init(&out, 5);
	cr_assert(kp_snappy_decompress(
	    &out, (struct kp_bytes){ (const uint8_t *)raw, 5 }, &err));
	cr_assert(kp_bytes_equal(kp_buf_bytes(&out), kp_bytes_of("abc")));
	kp_buf_clear(&out);
	cr_assert(kp_snappy_decompress(&out,
		      (struct kp_bytes){
			  (const uint8_t *)framed, sizeof(framed) - 1 },
		      &err),
	    "%s", err.text);
	cr_assert(kp_bytes_equal(kp_buf_bytes(&out), kp_bytes_of("abcde")));
	kp_buf_fini(&out);
}

Test(snappy, broken_framing_is_refused)
{
	/* clang-format off */
	static const struct by_hand rows[] = {
		{ BYTES("\x82SNAPPY\0"), NULL },
		{ BYTES("\x82SNAPPY\0\0\0\0\1\0\0\0"), NULL },
		{ BYTES("\x82SNAPPY\0\0\0\0\1\0\0\0\2"), NULL },
		{ BYTES("\x82SNAPPY\0\0\0\0\1\0\0\0\1\0\0"), NULL },
		{ BYTES("\x82SNAPPY\0\0\0\0\1\0\0\0\1\0\0\0\0"), NULL },
		{ BYTES("\x82SNAPPY\0\0\0\0\1\0\0\0\1\0\0\0\6\3\10" "abc"),
		    NULL },
		{ BYTES("\x82SNAPPY\0\0\0\0\1\0\0\0\1\xff\xff\xff\xff"), NULL },
		{ BYTES("\x82SNAPPY\0\0\0\0\1\0\0\0\1\x80\0\0\0"), NULL },
	};
	/* clang-format on */
	struct kp_bytes in;
	struct kp_error err;
	struct kp_buf out;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		in.data = (const uint8_t *)rows[i].bytes;
		in.len = rows[i].len;
		kp_buf_init(&out, MAX_LEN);
		cr_assert(!kp_snappy_decompress(&out, in, &err), "row %zu", i);
		cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
		kp_buf_fini(&out);
	}
}
