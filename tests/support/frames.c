/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/frames.h"

#include "proto/kafka/reader.h"
#include "proto/kafka/writer.h"

void
kp_test_request(struct kp_buf *out, const struct kp_request_header *header,
    struct kp_bytes body)
{
	const struct kp_api *api = kp_api_find(header->api_key);
	size_t begin = kp_write_begin_int32(out);

	kp_write_int16(out, header->api_key);
	kp_write_int16(out, header->api_version);
	kp_write_int32(out, header->correlation_id);
	kp_write_string(out, header->client_id);
	if (api != NULL &&
	    kp_message_is_flexible(api->request, header->api_version))
		kp_write_uvarint(out, 0);
	kp_buf_add(out, body.data, body.len);
	kp_write_end_int32(out, begin);
}

void
kp_test_answer(struct kp_buf *out, const struct kp_request_header *header,
    struct kp_bytes body)
{
	size_t begin = kp_write_begin_int32(out);

	kp_write_int32(out, header->correlation_id);
	if (kp_response_header_is_flexible(
		header->api_key, header->api_version))
		kp_write_uvarint(out, 0);
	kp_buf_add(out, body.data, body.len);
	kp_write_end_int32(out, begin);
}

bool
kp_test_next_frame(struct kp_bytes *out, struct kp_bytes *rest)
{
	struct kp_reader reader;
	int32_t len;

	kp_reader_init(&reader, *rest);
	len = kp_read_int32(&reader);
	if (reader.failed || len < 0 || (size_t)len > kp_reader_left(&reader))
		return false;
	*out =
	    (struct kp_bytes){ rest->data, KP_FRAME_PREFIX_LEN + (size_t)len };
	rest->data += out->len;
	rest->len -= out->len;
	return true;
}

bool
kp_test_read_request(struct kp_request_header *out, struct kp_bytes frame)
{
	size_t len = frame.len - KP_FRAME_PREFIX_LEN;
	struct kp_error err;

	return kp_request_header_read(out, frame.data + KP_FRAME_PREFIX_LEN,
		   len, len, &err) == KP_HEADER_OK;
}
