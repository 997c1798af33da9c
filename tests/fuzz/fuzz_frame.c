/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers of requests and answers. Input: a byte that says which, two bytes of
 * frame length, and for answers the key and version of the request; the rest is
 * the frame as far as it has come.
 */
#include <stdlib.h>

#include "proto/kafka/header.h"
#include "proto/kafka/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct frame {
	bool is_request;
	int16_t key, version;
	const uint8_t *data;
	size_t len;
};

static enum kp_header_status
read_header(
    const struct frame *frame, size_t len, size_t frame_len, size_t *out_len)
{
	struct kp_request_header request;
	struct kp_response_header response = { .api_key = frame->key,
		.api_version = frame->version };
	struct kp_error err = { 0 };
	enum kp_header_status status;

	if (frame->is_request) {
		status = kp_request_header_read(
		    &request, frame->data, len, frame_len, &err);
		*out_len = request.len;
	} else {
		status = kp_response_header_read(
		    &response, frame->data, len, frame_len, &err);
		*out_len = response.len;
	}
	kp_assert((status == KP_HEADER_FAILED) == (err.kind != KP_ERR_NONE));
	return status;
}

/* What is read from all of a header is not read from less of it. */
static void
check(const struct frame *frame, size_t frame_len)
{
	size_t header_len, ignored;

	if (read_header(frame, frame->len, frame_len, &header_len) !=
	    KP_HEADER_OK)
		return;
	kp_assert(header_len <= frame->len && header_len <= frame_len);
	for (size_t len = 0; len < header_len; len++) {
		kp_assert(read_header(frame, len, frame_len, &ignored) ==
			  KP_HEADER_MORE);
		kp_assert(read_header(frame, frame->len, len, &ignored) ==
			  KP_HEADER_FAILED);
	}
	kp_assert(read_header(frame, header_len, header_len, &ignored) ==
		  KP_HEADER_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kp_bytes input = { data, size };
	struct kp_reader reader;
	struct frame frame;
	size_t frame_len;

	kp_reader_init(&reader, input);
	frame.is_request = kp_read_int8(&reader) % 2 == 0;
	frame_len = kp_read_uint16(&reader);
	frame.key = frame.is_request ? 0 : kp_read_int8(&reader);
	frame.version = frame.is_request ? 0 : kp_read_int8(&reader);
	frame.data = reader.pos;
	frame.len = kp_reader_left(&reader);
	check(&frame, frame_len);
	return 0;
}
