/* SPDX-License-Identifier: Apache-2.0 */
/* gzip (RFC 1952) on ISA-L. */
#include "proto/kafka/records/codec_priv.h"

#include <isa-l/igzip_lib.h>

#define CHUNK_LEN 65536
#define MAX_CHUNK_LEN (1 << 30) /* ISA-L counts in 32 bits */
#define LEVEL 1

struct deflate {
	struct isal_zstream stream;
	uint8_t level_buf[ISAL_DEF_LVL1_SMALL];
};

static const char *
reason(int status)
{
	switch (status) {
	case ISAL_INVALID_WRAPPER:
		return "header is malformed";
	case ISAL_UNSUPPORTED_METHOD:
		return "method is not deflate";
	case ISAL_INCORRECT_CHECKSUM:
		return "checksum does not match";
	case ISAL_INVALID_LOOKBACK:
		return "distance reaches before the start";
	default:
		return "data is malformed";
	}
}

/* How much to ask for next: doubling, within what the limit leaves. */
static size_t
next_room(const struct kp_buf *out)
{
	size_t left = out->max_len - out->len;
	size_t want = out->len > CHUNK_LEN ? out->len : CHUNK_LEN;

	if (want > MAX_CHUNK_LEN)
		want = MAX_CHUNK_LEN;
	return want < left ? want : left;
}

/*
 * At the limit the rest of the stream may still be its checksum, so one more
 * byte is offered outside of the buffer: if it is taken, it was too much.
 */
static bool
inflate_at_limit(
    struct inflate_state *state, const struct kp_buf *out, struct kp_error *err)
{
	uint8_t excess;
	int status;

	state->next_out = &excess;
	state->avail_out = 1;
	status = isal_inflate(state);
	if (state->avail_out == 0)
		return kp_codec_full(out, err);
	if (status < 0)
		return kp_codec_bad(err, "gzip", reason(status));
	if (state->block_state != ISAL_BLOCK_FINISH)
		return kp_codec_bad(err, "gzip", "data is truncated");
	return true;
}

static bool
inflate_step(
    struct inflate_state *state, struct kp_buf *out, struct kp_error *err)
{
	size_t room = next_room(out);
	int status;

	if (room == 0)
		return inflate_at_limit(state, out, err);
	state->next_out = kp_codec_extend(out, room, err);
	if (state->next_out == NULL)
		return false;
	state->avail_out = (uint32_t)room;
	status = isal_inflate(state);
	out->len -= state->avail_out;
	if (status < 0)
		return kp_codec_bad(err, "gzip", reason(status));
	if (state->block_state != ISAL_BLOCK_FINISH && state->avail_out > 0)
		return kp_codec_bad(err, "gzip", "data is truncated");
	return true;
}

bool
kp_gzip_decompress(struct kp_compression *compression, struct kp_buf *out,
    struct kp_bytes in, struct kp_error *err)
{
	struct inflate_state *state =
	    kp_codec_table(&compression->inflate, sizeof(*state), err);

	if (state == NULL)
		return false;
	isal_inflate_init(state);
	state->crc_flag = ISAL_GZIP;
	/* ISA-L only reads, but forgot to say const. */
	state->next_in = (uint8_t *)(uintptr_t)in.data;
	state->avail_in = (uint32_t)in.len;
	do {
		isal_inflate_reset(state);
		while (state->block_state != ISAL_BLOCK_FINISH) {
			if (!inflate_step(state, out, err))
				return false;
		}
	} while (state->avail_in > 0);
	return true;
}

bool
kp_gzip_compress(struct kp_compression *compression, struct kp_buf *out,
    struct kp_bytes in, struct kp_error *err)
{
	struct deflate *deflate =
	    kp_codec_table(&compression->deflate, sizeof(*deflate), err);
	struct isal_zstream *stream;
	size_t room;

	if (deflate == NULL)
		return false;
	stream = &deflate->stream;
	isal_deflate_init(stream);
	stream->level = LEVEL;
	stream->level_buf = deflate->level_buf;
	stream->level_buf_size = sizeof(deflate->level_buf);
	stream->gzip_flag = IGZIP_GZIP;
	stream->end_of_stream = 1;
	stream->flush = NO_FLUSH;
	stream->next_in = (uint8_t *)(uintptr_t)in.data;
	stream->avail_in = (uint32_t)in.len;
	while (stream->internal_state.state != ZSTATE_END) {
		room = next_room(out);
		if (room == 0)
			return kp_codec_full(out, err);
		stream->next_out = kp_codec_extend(out, room, err);
		if (stream->next_out == NULL)
			return false;
		stream->avail_out = (uint32_t)room;
		if (isal_deflate(stream) != COMP_OK)
			return kp_codec_bad(err, "gzip", "could not compress");
		out->len -= stream->avail_out;
	}
	return true;
}
