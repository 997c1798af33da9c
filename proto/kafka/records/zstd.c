/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zstd (RFC 8878) on libzstd. Kafka's clients rarely write the content size
 * into the frame, so the output is guessed and decoding starts again with four
 * times the room if it was short: at most a third of work on top, and no window
 * buffer of up to 128 MiB as the streaming interface would need it.
 */
#include "proto/kafka/records/codec_priv.h"

#include <zstd.h>
#include <zstd_errors.h>

#define LEVEL 1
#define MIN_ROOM 65536
#define GUESS_RATIO 16
#define GROWTH 4

void
kp_zstd_fini(struct kp_compression *compression)
{
	(void)ZSTD_freeDCtx(compression->zstd_in);
	(void)ZSTD_freeCCtx(compression->zstd_out);
	compression->zstd_in = NULL;
	compression->zstd_out = NULL;
}

/* Room for a first try; the size that a frame names is only a hint. */
static size_t
first_room(struct kp_bytes in)
{
	size_t room = in.len * GUESS_RATIO;
	unsigned long long named = ZSTD_getFrameContentSize(in.data, in.len);

	/* the two largest values mean "not named" and "not a frame" */
	if (named < ZSTD_CONTENTSIZE_ERROR && named > 0 && named < room)
		room = (size_t)named;
	return room > MIN_ROOM ? room : MIN_ROOM;
}

static bool
is_too_small(size_t result)
{
	return ZSTD_isError(result) &&
	       ZSTD_getErrorCode(result) == ZSTD_error_dstSize_tooSmall;
}

static bool
decode(ZSTD_DCtx *context, struct kp_buf *out, struct kp_bytes in,
    struct kp_error *err)
{
	size_t limit = out->max_len - out->len, room = first_room(in), result;
	uint8_t *to;

	for (;; room *= GROWTH) {
		if (room > limit)
			room = limit;
		to = kp_codec_extend(out, room, err);
		if (to == NULL)
			return false;
		result =
		    ZSTD_decompressDCtx(context, to, room, in.data, in.len);
		if (!is_too_small(result))
			break;
		if (room == limit)
			return kp_codec_full(out, err);
		out->len -= room;
	}
	if (ZSTD_isError(result))
		return kp_codec_bad(err, "zstd", ZSTD_getErrorName(result));
	out->len -= room - result;
	return true;
}

bool
kp_zstd_decompress(struct kp_compression *compression, struct kp_buf *out,
    struct kp_bytes in, struct kp_error *err)
{
	if (in.len == 0)
		return kp_codec_bad(err, "zstd", "data is truncated");
	if (compression->zstd_in == NULL)
		compression->zstd_in = ZSTD_createDCtx();
	if (compression->zstd_in == NULL)
		return kp_codec_no_memory(err);
	return decode(compression->zstd_in, out, in, err);
}

bool
kp_zstd_compress(struct kp_compression *compression, struct kp_buf *out,
    struct kp_bytes in, struct kp_error *err)
{
	size_t room = ZSTD_compressBound(in.len), result;
	size_t limit = out->max_len - out->len;
	uint8_t *to;

	if (compression->zstd_out == NULL)
		compression->zstd_out = ZSTD_createCCtx();
	if (compression->zstd_out == NULL)
		return kp_codec_no_memory(err);
	if (room > limit)
		room = limit;
	to = kp_codec_extend(out, room, err);
	if (to == NULL)
		return false;
	result = ZSTD_compressCCtx(
	    compression->zstd_out, to, room, in.data, in.len, LEVEL);
	if (is_too_small(result))
		return kp_codec_full(out, err);
	if (ZSTD_isError(result))
		return kp_codec_bad(err, "zstd", ZSTD_getErrorName(result));
	out->len -= room - result;
	return true;
}
