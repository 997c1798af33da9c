/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/kafka/records/compress.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "proto/kafka/records/codec_priv.h"

/* The Records field has an int32 length, and so has all that we hand on. */
#define MAX_INPUT ((size_t)INT32_MAX)

const char *
kp_codec_name(enum kp_codec codec)
{
	static const char *const names[KP_NUM_CODECS] = {
		[KP_CODEC_NONE] = "none",
		[KP_CODEC_GZIP] = "gzip",
		[KP_CODEC_SNAPPY] = "snappy",
		[KP_CODEC_LZ4] = "lz4",
		[KP_CODEC_ZSTD] = "zstd",
	};

	return (unsigned)codec < KP_NUM_CODECS ? names[codec] : "unknown";
}

void
kp_compression_fini(struct kp_compression *compression)
{
	kp_zstd_fini(compression);
	free(compression->inflate);
	free(compression->deflate);
	free(compression->snappy);
	free(compression->lz4);
	*compression = (struct kp_compression){ 0 };
}

bool
kp_codec_full(const struct kp_buf *out, struct kp_error *err)
{
	return kp_error_set(err, KP_ERR_LIMIT,
	    "records are longer than the limit of %zu bytes", out->max_len);
}

bool
kp_codec_no_memory(struct kp_error *err)
{
	errno = ENOMEM;
	return kp_error_sys(err, "could not compress or decompress records");
}

bool
kp_codec_bad(struct kp_error *err, const char *codec, const char *what)
{
	return kp_error_set(err, KP_ERR_PROTOCOL, "%s: %s", codec, what);
}

uint8_t *
kp_codec_extend(struct kp_buf *out, size_t len, struct kp_error *err)
{
	bool is_full = len > out->max_len - out->len;
	uint8_t *to = kp_buf_extend(out, len);

	if (to != NULL)
		return to;
	if (is_full)
		(void)kp_codec_full(out, err);
	else
		(void)kp_codec_no_memory(err);
	return NULL;
}

void *
kp_codec_table(void **slot, size_t len, struct kp_error *err)
{
	if (*slot == NULL)
		*slot = kp_try_alloc(len);
	if (*slot == NULL)
		(void)kp_codec_no_memory(err);
	return *slot;
}

static bool
copy(struct kp_buf *out, struct kp_bytes in, struct kp_error *err)
{
	uint8_t *to = kp_codec_extend(out, in.len, err);

	if (to == NULL)
		return false;
	kp_copy(to, in.data, in.len);
	return true;
}

static bool
check_input(enum kp_codec codec, struct kp_bytes in, struct kp_error *err)
{
	if ((unsigned)codec >= KP_NUM_CODECS)
		return kp_error_set(err, KP_ERR_UNSUPPORTED,
		    "compression codec %d is unknown", (int)codec);
	if (in.len > MAX_INPUT)
		return kp_error_set(err, KP_ERR_LIMIT,
		    "%zu bytes are more than a batch can have", in.len);
	return true;
}

bool
kp_decompress(struct kp_compression *compression, struct kp_buf *out,
    enum kp_codec codec, int8_t magic, struct kp_bytes in, struct kp_error *err)
{
	if (!check_input(codec, in, err))
		return false;
	switch (codec) {
	case KP_CODEC_GZIP:
		return kp_gzip_decompress(compression, out, in, err);
	case KP_CODEC_SNAPPY:
		return kp_snappy_decompress(out, in, err);
	case KP_CODEC_LZ4:
		return kp_lz4_decompress(out, magic, in, err);
	case KP_CODEC_ZSTD:
		return kp_zstd_decompress(compression, out, in, err);
	case KP_CODEC_NONE:
		break;
	}
	return copy(out, in, err);
}

bool
kp_compress(struct kp_compression *compression, struct kp_buf *out,
    enum kp_codec codec, int8_t magic, struct kp_bytes in, struct kp_error *err)
{
	if (!check_input(codec, in, err))
		return false;
	switch (codec) {
	case KP_CODEC_GZIP:
		return kp_gzip_compress(compression, out, in, err);
	case KP_CODEC_SNAPPY:
		return kp_snappy_compress(compression, out, in, err);
	case KP_CODEC_LZ4:
		return kp_lz4_compress(compression, out, magic, in, err);
	case KP_CODEC_ZSTD:
		return kp_zstd_compress(compression, out, in, err);
	case KP_CODEC_NONE:
		break;
	}
	return copy(out, in, err);
}
