/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codecs of record batches, whole buffer to whole buffer. What comes out is
 * bounded by the max_len of the buffer it goes to, so that a small batch cannot
 * claim much memory. No other memory grows with the input: gzip, snappy and
 * lz4 need fixed tables, zstd decodes straight into the output and so needs no
 * window of its own (a frame may name any window size).
 *
 * Read: gzip with any number of members; snappy raw and in xerial framing; lz4
 * frames of independent blocks, as Kafka demands; zstd with any number of
 * frames. Written: one gzip member, xerial framing, one lz4 frame with blocks
 * of 64 KiB, one zstd frame. @thread any, one at a time per kp_compression
 */
#ifndef KP_PROTO_KAFKA_RECORDS_COMPRESS_H
#define KP_PROTO_KAFKA_RECORDS_COMPRESS_H

#include "base/bytes.h"
#include "base/error.h"

/* Values of the low three bits of a batch's attributes. */
enum kp_codec {
	KP_CODEC_NONE = 0,
	KP_CODEC_GZIP = 1,
	KP_CODEC_SNAPPY = 2,
	KP_CODEC_LZ4 = 3,
	KP_CODEC_ZSTD = 4,
};
#define KP_NUM_CODECS 5

/* kp_codec_name is the word of Kafka's compression.type; "unknown" else. */
const char *kp_codec_name(enum kp_codec codec);

/*
 * The tables that codecs work with, made when first needed and kept for the
 * next batch: one per thread, or from a pool. Zero state is empty.
 */
struct kp_compression {
	void *inflate, *deflate;
	void *snappy;
	void *lz4;
	void *zstd_in, *zstd_out;
};

void kp_compression_fini(struct kp_compression *compression);

/*
 * kp_decompress adds what in decompresses to to out. magic is the batch's: lz4
 * frames of magic 0 have a header checksum of their own kind. Fails with
 * KP_ERR_LIMIT if out is full, KP_ERR_PROTOCOL if in is malformed, truncated or
 * has bytes left over, KP_ERR_UNSUPPORTED if codec is none we know,
 * KP_ERR_SYSTEM without memory; then what was added to out is undefined.
 */
bool kp_decompress(struct kp_compression *compression, struct kp_buf *out,
    enum kp_codec codec, int8_t magic, struct kp_bytes in,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_compress is the way back, with the same parameters and failures. */
bool kp_compress(struct kp_compression *compression, struct kp_buf *out,
    enum kp_codec codec, int8_t magic, struct kp_bytes in,
    struct kp_error *err) KP_MUST_CHECK;

#endif
