/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pair of functions per codec, called by compress.c only, and what they
 * share. All behave as kp_compress and kp_decompress say. @thread any
 */
#ifndef KP_PROTO_KAFKA_RECORDS_CODEC_PRIV_H
#define KP_PROTO_KAFKA_RECORDS_CODEC_PRIV_H

#include "proto/kafka/records/compress.h"

/* kp_codec_extend is kp_buf_extend that says why not. */
uint8_t *kp_codec_extend(
    struct kp_buf *out, size_t len, struct kp_error *err) KP_MUST_CHECK;

/* kp_codec_table returns *slot, made of len bytes first if it is NULL. */
void *kp_codec_table(
    void **slot, size_t len, struct kp_error *err) KP_MUST_CHECK;

bool kp_codec_full(const struct kp_buf *out, struct kp_error *err);
bool kp_codec_no_memory(struct kp_error *err);
bool kp_codec_bad(struct kp_error *err, const char *codec, const char *what);

bool kp_gzip_decompress(struct kp_compression *compression, struct kp_buf *out,
    struct kp_bytes in, struct kp_error *err) KP_MUST_CHECK;
bool kp_gzip_compress(struct kp_compression *compression, struct kp_buf *out,
    struct kp_bytes in, struct kp_error *err) KP_MUST_CHECK;

bool kp_snappy_decompress(
    struct kp_buf *out, struct kp_bytes in, struct kp_error *err) KP_MUST_CHECK;
bool kp_snappy_compress(struct kp_compression *compression, struct kp_buf *out,
    struct kp_bytes in, struct kp_error *err) KP_MUST_CHECK;
/* One block of snappy's raw format, without framing; up to 64 KiB to write. */
bool kp_snappy_block_decompress(
    struct kp_buf *out, struct kp_bytes in, struct kp_error *err) KP_MUST_CHECK;
#define KP_SNAPPY_MAX_BLOCK 65536
bool kp_snappy_block_compress(struct kp_compression *compression,
    struct kp_buf *out, struct kp_bytes in, struct kp_error *err) KP_MUST_CHECK;

bool kp_lz4_decompress(struct kp_buf *out, int8_t magic, struct kp_bytes in,
    struct kp_error *err) KP_MUST_CHECK;
bool kp_lz4_compress(struct kp_compression *compression, struct kp_buf *out,
    int8_t magic, struct kp_bytes in, struct kp_error *err) KP_MUST_CHECK;

bool kp_zstd_decompress(struct kp_compression *compression, struct kp_buf *out,
    struct kp_bytes in, struct kp_error *err) KP_MUST_CHECK;
bool kp_zstd_compress(struct kp_compression *compression, struct kp_buf *out,
    struct kp_bytes in, struct kp_error *err) KP_MUST_CHECK;
void kp_zstd_fini(struct kp_compression *compression);

#endif
