/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/kafka/records/compress.h"

#include <criterion/criterion.h>
#include <lz4frame.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/alloc.h"
#include "proto/kafka/records/xxh32.h"
#include "tests/unit/proto/records/sample.h"

#define MAX_LEN ((size_t)1 << 24)
#define MIB ((size_t)1 << 20)

/* clang-format off */
static const size_t lengths[] = { 0, 1, 2, 3, 4, 5, 15, 16, 17, 59, 60, 61, 62,
	255, 256, 257, 1000, 4095, 32767, 32768, 32769, 65535, 65536, 65537,
	200000, 1048576 };
/* clang-format on */
#define NUM_LENGTHS (sizeof(lengths) / sizeof(lengths[0]))

static struct kp_bytes
sample(size_t len, enum kp_sample_kind kind)
{
	struct kp_bytes bytes = { malloc(len + 1), len };

	kp_sample_fill((uint8_t *)(uintptr_t)bytes.data, len, kind);
	return bytes;
}

static void
release(struct kp_bytes bytes)
{
	free((void *)(uintptr_t)bytes.data);
}

static void
compress(struct kp_buf *out, enum kp_codec codec, int8_t magic,
    struct kp_bytes plain)
{
	struct kp_compression compression = { 0 };
	struct kp_error err = { 0 };

	kp_buf_init(out, MAX_LEN);
	cr_assert(kp_compress(&compression, out, codec, magic, plain, &err),
	    "%s", err.text);
	kp_compression_fini(&compression);
}

static void
check_round_trip(struct kp_compression *compression, enum kp_codec codec,
    int8_t magic, struct kp_bytes plain)
{
	struct kp_error err = { 0 };
	struct kp_buf packed, back;

	kp_buf_init(&packed, MAX_LEN);
	/* exactly as much as is needed must be enough */
	kp_buf_init(&back, plain.len + 1);
	kp_buf_add(&back, "x", 1);
	cr_assert(kp_compress(compression, &packed, codec, magic, plain, &err),
	    "%s: %s", kp_codec_name(codec), err.text);
	cr_assert(kp_decompress(compression, &back, codec, magic,
		      kp_buf_bytes(&packed), &err),
	    "%s, %zu bytes: %s", kp_codec_name(codec), plain.len, err.text);
	cr_assert_eq(back.len, plain.len + 1);
	cr_assert_eq(back.data[0], 'x');
	cr_assert(memcmp(back.data + 1, plain.data, plain.len) == 0);
	kp_buf_fini(&packed);
	kp_buf_fini(&back);
}

Test(compress, every_codec_brings_back_every_length_and_kind)
{
	struct kp_compression compression = { 0 };
	struct kp_bytes plain;

	for (int kind = 0; kind < KP_NUM_SAMPLE_KINDS; kind++) {
		for (size_t i = 0; i < NUM_LENGTHS; i++) {
			plain = sample(lengths[i], (enum kp_sample_kind)kind);
			for (int c = 0; c < KP_NUM_CODECS; c++)
				check_round_trip(
				    &compression, (enum kp_codec)c, 2, plain);
			check_round_trip(&compression, KP_CODEC_LZ4, 0, plain);
			release(plain);
		}
	}
	kp_compression_fini(&compression);
}

Test(compress, text_becomes_smaller)
{
	struct kp_bytes plain = sample(100000, KP_SAMPLE_TEXT);
	struct kp_buf packed;

	for (int c = 1; c < KP_NUM_CODECS; c++) {
		compress(&packed, (enum kp_codec)c, 2, plain);
		cr_assert(packed.len < plain.len / 3, "%s: %zu",
		    kp_codec_name((enum kp_codec)c), packed.len);
		kp_buf_fini(&packed);
	}
	release(plain);
}

/* Decompresses into at most max_len bytes and says how that went. */
static enum kp_error_kind
try(enum kp_codec codec, int8_t magic, struct kp_bytes packed, size_t max_len,
    size_t *out_len)
{
	struct kp_compression compression = { 0 };
	struct kp_error err = { 0 };
	struct kp_buf out;
	bool is_done;

	kp_buf_init(&out, max_len);
	is_done = kp_decompress(&compression, &out, codec, magic, packed, &err);
	cr_assert(out.len <= max_len);
	cr_assert(out.capacity <= max_len);
	cr_assert_eq(is_done, err.kind == KP_ERR_NONE);
	cr_assert(is_done || err.text[0] != '\0');
	*out_len = out.len;
	kp_buf_fini(&out);
	kp_compression_fini(&compression);
	return err.kind;
}

Test(compress, every_strict_prefix_is_refused)
{
	struct kp_bytes plain = sample(1500, KP_SAMPLE_MIXED), prefix;
	enum kp_error_kind kind;
	struct kp_buf packed;
	size_t len;

	for (int c = 1; c < KP_NUM_CODECS; c++) {
		compress(&packed, (enum kp_codec)c, 2, plain);
		for (size_t i = 0; i < packed.len; i++) {
			/* a header of xerial without blocks is empty content */
			if (c == KP_CODEC_SNAPPY && i == 16)
				continue;
			prefix.data = packed.data;
			prefix.len = i;
			kind = try((enum kp_codec)c, 2, prefix, MIB, &len);
			cr_assert_eq(kind, KP_ERR_PROTOCOL, "%s %zu of %zu",
			    kp_codec_name((enum kp_codec)c), i, packed.len);
		}
		kp_buf_fini(&packed);
	}
	release(plain);
}

Test(compress, bytes_behind_the_end_are_refused)
{
	struct kp_bytes plain = sample(500, KP_SAMPLE_TEXT);
	struct kp_buf packed;
	size_t len;

	for (int c = 1; c < KP_NUM_CODECS; c++) {
		compress(&packed, (enum kp_codec)c, 2, plain);
		kp_buf_add(&packed, "\x01", 1);
		cr_assert_eq(
		    try((enum kp_codec)c, 2, kp_buf_bytes(&packed), MIB, &len),
		    KP_ERR_PROTOCOL, "%s", kp_codec_name((enum kp_codec)c));
		kp_buf_fini(&packed);
	}
	release(plain);
}

Test(compress, a_byte_less_than_needed_is_over_the_limit)
{
	struct kp_bytes plain;
	struct kp_buf packed;
	size_t len;

	for (size_t i = 1; i < NUM_LENGTHS; i++) {
		plain = sample(lengths[i], KP_SAMPLE_TEXT);
		for (int c = 0; c < KP_NUM_CODECS; c++) {
			compress(&packed, (enum kp_codec)c, 2, plain);
			cr_assert_eq(
			    try((enum kp_codec)c, 2, kp_buf_bytes(&packed),
				plain.len - 1, &len),
			    KP_ERR_LIMIT, "%s %zu",
			    kp_codec_name((enum kp_codec)c), plain.len);
			kp_buf_fini(&packed);
		}
		release(plain);
	}
}

Test(compress, bombs_stop_at_the_limit)
{
	struct kp_bytes zeros = { calloc(100, MIB), 100 * MIB };
	struct kp_buf packed;
	size_t len;

	for (int c = 1; c < KP_NUM_CODECS; c++) {
		compress(&packed, (enum kp_codec)c, 2, zeros);
		cr_assert(packed.len < 6 * MIB);
		cr_assert_eq(
		    try((enum kp_codec)c, 2, kp_buf_bytes(&packed), MIB, &len),
		    KP_ERR_LIMIT);
		cr_assert(len <= MIB);
		kp_buf_fini(&packed);
	}
	release(zeros);
}

Test(compress, unknown_codecs_are_refused)
{
	struct kp_compression compression = { 0 };
	struct kp_bytes in = kp_bytes_of("text");
	struct kp_error err;
	struct kp_buf out;

	kp_buf_init(&out, MIB);
	for (int c = KP_NUM_CODECS; c < 8; c++) {
		cr_assert(!kp_decompress(
		    &compression, &out, (enum kp_codec)c, 2, in, &err));
		cr_assert_eq(err.kind, KP_ERR_UNSUPPORTED);
		cr_assert(!kp_compress(
		    &compression, &out, (enum kp_codec)c, 2, in, &err));
		cr_assert_eq(err.kind, KP_ERR_UNSUPPORTED);
		cr_assert_str_eq(kp_codec_name((enum kp_codec)c), "unknown");
	}
	kp_buf_fini(&out);
}

/* One flipped bit never reads out of bounds; checksums catch it with gzip. */
Test(compress, flipped_bits_are_survived)
{
	struct kp_bytes plain = sample(700, KP_SAMPLE_MIXED);
	struct kp_buf packed;
	size_t len;

	for (int c = 1; c < KP_NUM_CODECS; c++) {
		compress(&packed, (enum kp_codec)c, 2, plain);
		for (size_t bit = 0; bit < packed.len * 8; bit++) {
			packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
			(void)try((enum kp_codec)c, 2, kp_buf_bytes(&packed),
			    8192, &len);
			cr_assert(len <= 8192);
			packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		kp_buf_fini(&packed);
	}
	release(plain);
}

Test(compress, gzip_members_and_zstd_frames_in_a_row_are_one_content)
{
	static const enum kp_codec codecs[] = { KP_CODEC_GZIP, KP_CODEC_ZSTD };
	struct kp_compression compression = { 0 };
	struct kp_error err;
	struct kp_buf packed, back;

	for (size_t i = 0; i < 2; i++) {
		compress(&packed, codecs[i], 2, kp_bytes_of("one, "));
		for (int part = 0; part < 3; part++)
			cr_assert(kp_compress(&compression, &packed, codecs[i],
			    2, kp_bytes_of("two, "), &err));
		kp_buf_init(&back, 20);
		cr_assert(kp_decompress(&compression, &back, codecs[i], 2,
			      kp_buf_bytes(&packed), &err),
		    "%s", err.text);
		cr_assert(kp_bytes_equal(
		    kp_buf_bytes(&back), kp_bytes_of("one, two, two, two, ")));
		kp_buf_fini(&back);
		kp_buf_fini(&packed);
	}
	kp_compression_fini(&compression);
}

/* A frame as other clients write it: options differ from ours. */
static void
lz4_frame(struct kp_buf *out, struct kp_bytes plain,
    const LZ4F_preferences_t *preferences)
{
	size_t len = LZ4F_compressFrameBound(plain.len, preferences);
	uint8_t *to;

	kp_buf_init(out, MAX_LEN);
	to = kp_buf_extend(out, len);
	out->len =
	    LZ4F_compressFrame(to, len, plain.data, plain.len, preferences);
	cr_assert(!LZ4F_isError(out->len));
}

Test(compress, frames_of_the_lz4_library_are_read)
{
	struct kp_bytes plain = sample(300000, KP_SAMPLE_MIXED);
	LZ4F_preferences_t options;
	struct kp_buf packed;
	size_t len;

	for (unsigned i = 0; i < 32; i++) {
		options = (LZ4F_preferences_t){ 0 };
		options.frameInfo.blockMode = LZ4F_blockIndependent;
		options.frameInfo.blockSizeID =
		    (LZ4F_blockSizeID_t)(LZ4F_max64KB + (i & 3u));
		options.frameInfo.contentChecksumFlag =
		    (LZ4F_contentChecksum_t)(i >> 2 & 1u);
		options.frameInfo.blockChecksumFlag =
		    (LZ4F_blockChecksum_t)(i >> 3 & 1u);
		options.frameInfo.contentSize = (i & 16u) != 0 ? plain.len : 0;
		lz4_frame(&packed, plain, &options);
		cr_assert_eq(try(KP_CODEC_LZ4, 2, kp_buf_bytes(&packed),
				 plain.len, &len),
		    KP_ERR_NONE);
		cr_assert_eq(len, plain.len);
		/* the last bytes are the end mark or a checksum */
		packed.data[packed.len - 1] ^= 1;
		cr_assert_eq(try(KP_CODEC_LZ4, 2, kp_buf_bytes(&packed),
				 plain.len, &len),
		    KP_ERR_PROTOCOL);
		kp_buf_fini(&packed);
	}
	release(plain);
}

Test(compress, the_lz4_library_reads_our_frames)
{
	struct kp_bytes plain = sample(300000, KP_SAMPLE_MIXED);
	size_t len = plain.len, packed_len;
	uint8_t *back = malloc(plain.len);
	LZ4F_dctx *context;
	struct kp_buf packed;

	compress(&packed, KP_CODEC_LZ4, 2, plain);
	packed_len = packed.len;
	cr_assert(!LZ4F_isError(
	    LZ4F_createDecompressionContext(&context, LZ4F_VERSION)));
	cr_assert_eq(LZ4F_decompress(
			 context, back, &len, packed.data, &packed_len, NULL),
	    0u);
	cr_assert_eq(len, plain.len);
	cr_assert_eq(packed_len, packed.len);
	cr_assert(memcmp(back, plain.data, len) == 0);
	(void)LZ4F_freeDecompressionContext(context);
	kp_buf_fini(&packed);
	free(back);
	release(plain);
}

Test(compress, dependent_lz4_blocks_are_refused_as_kafka_does)
{
	struct kp_bytes plain = sample(300000, KP_SAMPLE_TEXT);
	LZ4F_preferences_t options = { 0 };
	struct kp_buf packed;
	size_t len;

	options.frameInfo.blockMode = LZ4F_blockLinked;
	lz4_frame(&packed, plain, &options);
	cr_assert_eq(try(KP_CODEC_LZ4, 2, kp_buf_bytes(&packed), MIB, &len),
	    KP_ERR_PROTOCOL);
	kp_buf_fini(&packed);
	release(plain);
}

/* Makes the checksum of a header right again that was changed on purpose. */
static void
sign_lz4_header(struct kp_buf *frame, size_t checksum_at)
{
	struct kp_bytes descriptor = { frame->data + 4, checksum_at - 4 };

	frame->data[checksum_at] = (uint8_t)(kp_xxh32(descriptor) >> 8);
}

Test(compress, each_promise_of_an_lz4_header_is_checked)
{
	static const struct {
		size_t at;
		uint8_t bits; /* of the byte there to flip */
	} rows[] = {
		{ 0, 0x01 },  /* magic */
		{ 4, 0x80 },  /* version */
		{ 4, 0x20 },  /* independent blocks */
		{ 4, 0x01 },  /* dictionary */
		{ 4, 0x02 },  /* reserved */
		{ 5, 0x40 },  /* largest block of 256 bytes */
		{ 5, 0x80 },  /* reserved */
		{ 5, 0x01 },  /* reserved */
		{ 6, 0x01 },  /* content size, lowest byte */
		{ 13, 0x80 }, /* highest */
	};
	struct kp_bytes plain = sample(3000, KP_SAMPLE_TEXT);
	LZ4F_preferences_t options = { 0 };
	struct kp_buf packed;
	size_t len;

	options.frameInfo.blockMode = LZ4F_blockIndependent;
	options.frameInfo.contentSize = plain.len;
	lz4_frame(&packed, plain, &options);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		packed.data[rows[i].at] ^= rows[i].bits;
		sign_lz4_header(&packed, 14);
		cr_assert_eq(
		    try(KP_CODEC_LZ4, 2, kp_buf_bytes(&packed), MIB, &len),
		    KP_ERR_PROTOCOL, "row %zu", i);
		packed.data[rows[i].at] ^= rows[i].bits;
	}
	sign_lz4_header(&packed, 14);
	cr_assert_eq(try(KP_CODEC_LZ4, 2, kp_buf_bytes(&packed), MIB, &len),
	    KP_ERR_NONE);
	kp_buf_fini(&packed);
	release(plain);
}

Test(compress, checksums_of_lz4_blocks_are_checked)
{
	struct kp_bytes plain = sample(3000, KP_SAMPLE_RANDOM);
	LZ4F_preferences_t options = { 0 };
	struct kp_buf packed;
	size_t len;

	options.frameInfo.blockMode = LZ4F_blockIndependent;
	options.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled;
	lz4_frame(&packed, plain, &options);
	cr_assert_eq(try(KP_CODEC_LZ4, 2, kp_buf_bytes(&packed), MIB, &len),
	    KP_ERR_NONE);
	packed.data[100] ^= 1;
	cr_assert_eq(try(KP_CODEC_LZ4, 2, kp_buf_bytes(&packed), MIB, &len),
	    KP_ERR_PROTOCOL);
	kp_buf_fini(&packed);
	release(plain);
}

Test(compress, lz4_blocks_longer_than_announced_are_refused)
{
	/* header of 64 KiB blocks, one stored block of 65537 bytes */
	static const uint8_t begin[] = { 0x04, 0x22, 0x4d, 0x18, 0x60, 0x40,
		0x82, 0x01, 0x00, 0x01, 0x80 };
	struct kp_buf packed;
	size_t len;

	kp_buf_init(&packed, MIB);
	kp_buf_add(&packed, begin, sizeof(begin));
	kp_sample_fill(
	    kp_buf_extend(&packed, 65537 + 4), 65537 + 4, KP_SAMPLE_ZEROS);
	cr_assert_eq(try(KP_CODEC_LZ4, 2, kp_buf_bytes(&packed), MIB, &len),
	    KP_ERR_PROTOCOL);
	/* one less is as long as announced: the end mark follows */
	packed.data[7] = 0;
	packed.len--;
	cr_assert_eq(try(KP_CODEC_LZ4, 2, kp_buf_bytes(&packed), MIB, &len),
	    KP_ERR_NONE);
	cr_assert_eq(len, 65536u);
	kp_buf_fini(&packed);
}

Test(compress, lz4_block_sizes_that_do_not_exist_are_refused)
{
	struct kp_buf packed;
	size_t len;

	compress(&packed, KP_CODEC_LZ4, 2, kp_bytes_of(""));
	for (unsigned id = 0; id < 8; id++) {
		packed.data[5] = (uint8_t)(id << 4);
		sign_lz4_header(&packed, 6);
		cr_assert_eq(
		    try(KP_CODEC_LZ4, 2, kp_buf_bytes(&packed), MIB, &len),
		    id < 4 ? KP_ERR_PROTOCOL : KP_ERR_NONE);
	}
	kp_buf_fini(&packed);
}

Test(compress, more_than_a_batch_can_have_is_not_looked_at)
{
	struct kp_bytes in = { (const uint8_t *)"", (size_t)INT32_MAX + 1 };
	struct kp_compression compression = { 0 };
	struct kp_error err;
	struct kp_buf out;

	kp_buf_init(&out, MIB);
	for (int c = 0; c < KP_NUM_CODECS; c++) {
		cr_assert(!kp_decompress(
		    &compression, &out, (enum kp_codec)c, 2, in, &err));
		cr_assert_eq(err.kind, KP_ERR_LIMIT);
		cr_assert(!kp_compress(
		    &compression, &out, (enum kp_codec)c, 2, in, &err));
		cr_assert_eq(err.kind, KP_ERR_LIMIT);
		cr_assert_eq(out.capacity, 0u);
	}
	kp_buf_fini(&out);
}

Test(compress, the_lz4_header_checksum_of_magic_0_is_good_there_only)
{
	struct kp_bytes plain = sample(3000, KP_SAMPLE_TEXT);
	struct kp_buf old, new;
	size_t len;

	compress(&old, KP_CODEC_LZ4, 0, plain);
	compress(&new, KP_CODEC_LZ4, 2, plain);
	cr_assert(old.data[6] != new.data[6]);
	cr_assert_eq(
	    try(KP_CODEC_LZ4, 0, kp_buf_bytes(&old), MIB, &len), KP_ERR_NONE);
	cr_assert_eq(
	    try(KP_CODEC_LZ4, 0, kp_buf_bytes(&new), MIB, &len), KP_ERR_NONE);
	cr_assert_eq(try(KP_CODEC_LZ4, 1, kp_buf_bytes(&old), MIB, &len),
	    KP_ERR_PROTOCOL);
	cr_assert_eq(try(KP_CODEC_LZ4, 2, kp_buf_bytes(&old), MIB, &len),
	    KP_ERR_PROTOCOL);
	kp_buf_fini(&old);
	kp_buf_fini(&new);
	release(plain);
}

/* Streams like Kafka's do not say how long they are; levels differ. */
Test(compress, zstd_streams_of_any_window_are_read_within_the_limit)
{
	struct kp_bytes plain = sample(3 * MIB, KP_SAMPLE_TEXT);
	size_t room = ZSTD_compressBound(plain.len), len;
	ZSTD_CCtx *context = ZSTD_createCCtx();
	ZSTD_inBuffer in = { plain.data, plain.len, 0 };
	ZSTD_outBuffer out = { malloc(room), room, 0 };
	struct kp_bytes packed;

	(void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 3);
	(void)ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 27);
	cr_assert(ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush) == 0);
	cr_assert(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end) == 0);
	packed.data = out.dst;
	packed.len = out.pos;
	cr_assert_eq(ZSTD_getFrameContentSize(packed.data, packed.len),
	    ZSTD_CONTENTSIZE_UNKNOWN);
	cr_assert_eq(
	    try(KP_CODEC_ZSTD, 2, packed, plain.len, &len), KP_ERR_NONE);
	cr_assert_eq(len, plain.len);
	cr_assert_eq(try(KP_CODEC_ZSTD, 2, packed, MIB, &len), KP_ERR_LIMIT);
	(void)ZSTD_freeCCtx(context);
	free(out.dst);
	release(plain);
}

Test(compress, memory_refused_at_any_point_is_an_error_and_no_leak)
{
	struct kp_bytes plain = sample(200000, KP_SAMPLE_MIXED);
	struct kp_compression compression;
	struct kp_error err;
	struct kp_buf packed, back;
	unsigned n;
	bool is_done;

	for (int c = 0; c < KP_NUM_CODECS; c++) {
		is_done = false;
		for (n = 1; !is_done; n++) {
			compression = (struct kp_compression){ 0 };
			err = (struct kp_error){ 0 };
			kp_buf_init(&packed, MAX_LEN);
			kp_buf_init(&back, MAX_LEN);
			kp_alloc_fail_after(n);
			is_done =
			    kp_compress(&compression, &packed, (enum kp_codec)c,
				2, plain, &err) &&
			    kp_decompress(&compression, &back, (enum kp_codec)c,
				2, kp_buf_bytes(&packed), &err);
			kp_alloc_fail_after(0);
			cr_assert(is_done || err.kind == KP_ERR_SYSTEM);
			kp_compression_fini(&compression);
			kp_buf_fini(&packed);
			kp_buf_fini(&back);
		}
		cr_assert(n > 3);
	}
	release(plain);
}

/* Output that does not fit its limit is refused on the way in as well. */
Test(compress, compressed_bytes_have_a_limit_too)
{
	struct kp_bytes plain = sample(10000, KP_SAMPLE_RANDOM);
	struct kp_compression compression = { 0 };
	struct kp_error err;
	struct kp_buf out;

	for (int c = 0; c < KP_NUM_CODECS; c++) {
		for (size_t max_len = 0; max_len < 10000; max_len += 97) {
			kp_buf_init(&out, max_len);
			cr_assert(!kp_compress(&compression, &out,
			    (enum kp_codec)c, 2, plain, &err));
			cr_assert_eq(err.kind, KP_ERR_LIMIT);
			kp_buf_fini(&out);
		}
	}
	kp_compression_fini(&compression);
	release(plain);
}
