/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/kafka/header.h"

#include "proto/kafka/reader.h"
#include "proto/kafka/writer.h"

/*
 * A header is read again from its start when more of it has come, so its size
 * and the number of its tagged fields have limits of their own. No version of
 * Kafka defines a tagged field in a header.
 */
#define MAX_HEADER_LEN 65536
#define MAX_HEADER_TAGS 256

static enum kp_header_status
fail(struct kp_error *err, const char *what)
{
	(void)kp_error_set(err, KP_ERR_PROTOCOL, "%s", what);
	return KP_HEADER_FAILED;
}

/* The bytes of the frame that are there, as far as a header may reach. */
static struct kp_bytes
header_bytes(const uint8_t *data, size_t len, size_t frame_len)
{
	struct kp_bytes bytes = { data, len < frame_len ? len : frame_len };

	if (bytes.len > MAX_HEADER_LEN)
		bytes.len = MAX_HEADER_LEN;
	return bytes;
}

/* Why the reader failed: the rest has not come yet, or it never will do. */
static enum kp_header_status
judge_failure(const struct kp_reader *reader, struct kp_bytes bytes,
    size_t frame_len, struct kp_error *err)
{
	if (!reader->is_short)
		return fail(err, "a length in the header is malformed");
	if (bytes.len == frame_len)
		return fail(err, "the frame ends inside its header");
	if (bytes.len == MAX_HEADER_LEN)
		return fail(err, "the header is longer than 64 KiB");
	return KP_HEADER_MORE;
}

/* A value that reaches beyond the frame is refused before it has all come. */
static bool
fits_frame(const struct kp_reader *reader, struct kp_bytes bytes,
    size_t frame_len, size_t len)
{
	return len <= frame_len - (size_t)(reader->pos - bytes.data);
}

static struct kp_bytes
read_client_id(
    struct kp_reader *reader, struct kp_bytes bytes, size_t frame_len)
{
	int32_t len = kp_read_length16(reader);

	if (reader->failed || len < 0)
		return (struct kp_bytes){ 0 };
	if (!fits_frame(reader, bytes, frame_len, (size_t)len)) {
		kp_reader_fail(reader);
		return (struct kp_bytes){ 0 };
	}
	return kp_read_raw(reader, (size_t)len);
}

static void
skip_tags(struct kp_reader *reader, struct kp_bytes bytes, size_t frame_len)
{
	uint32_t num_tags = kp_read_uvarint(reader);
	int64_t last_tag = -1;

	if (num_tags > MAX_HEADER_TAGS)
		kp_reader_fail(reader);
	for (uint32_t i = 0; i < num_tags && !reader->failed; i++) {
		uint32_t tag = kp_read_uvarint(reader);
		uint32_t len = kp_read_uvarint(reader);

		if (reader->failed)
			return;
		if (tag <= last_tag ||
		    !fits_frame(reader, bytes, frame_len, len)) {
			kp_reader_fail(reader);
			return;
		}
		last_tag = tag;
		(void)kp_read_raw(reader, len);
	}
}

enum kp_header_status
kp_request_header_read(struct kp_request_header *out, const uint8_t *data,
    size_t len, size_t frame_len, struct kp_error *err)
{
	struct kp_bytes bytes = header_bytes(data, len, frame_len);
	const struct kp_api *api;
	struct kp_reader reader;

	*out = (struct kp_request_header){ 0 };
	kp_reader_init(&reader, bytes);
	out->api_key = kp_read_int16(&reader);
	out->api_version = kp_read_int16(&reader);
	out->correlation_id = kp_read_int32(&reader);
	if (reader.failed)
		return judge_failure(&reader, bytes, frame_len, err);
	if (!kp_api_has(out->api_key, out->api_version))
		return KP_HEADER_UNKNOWN;
	api = kp_api_find(out->api_key);
	out->client_id = read_client_id(&reader, bytes, frame_len);
	if (kp_message_is_flexible(api->request, out->api_version))
		skip_tags(&reader, bytes, frame_len);
	if (reader.failed)
		return judge_failure(&reader, bytes, frame_len, err);
	out->len = (size_t)(reader.pos - bytes.data);
	return KP_HEADER_OK;
}

enum kp_header_status
kp_response_header_read(struct kp_response_header *header, const uint8_t *data,
    size_t len, size_t frame_len, struct kp_error *err)
{
	struct kp_bytes bytes = header_bytes(data, len, frame_len);
	struct kp_reader reader;

	header->len = 0;
	kp_reader_init(&reader, bytes);
	header->correlation_id = kp_read_int32(&reader);
	if (reader.failed)
		return judge_failure(&reader, bytes, frame_len, err);
	if (!kp_api_has(header->api_key, header->api_version))
		return KP_HEADER_UNKNOWN;
	if (kp_response_header_is_flexible(
		header->api_key, header->api_version))
		skip_tags(&reader, bytes, frame_len);
	if (reader.failed)
		return judge_failure(&reader, bytes, frame_len, err);
	header->len = (size_t)(reader.pos - bytes.data);
	return KP_HEADER_OK;
}

bool
kp_response_header_is_flexible(int16_t api_key, int16_t version)
{
	const struct kp_api *api = kp_api_find(api_key);

	return api != NULL && api_key != KP_API_VERSIONS &&
	       kp_message_is_flexible(api->response, version);
}

void
kp_request_unknown_versions(
    uint8_t out[KP_EMPTY_REQUEST_LEN], int32_t correlation_id)
{
	uint8_t *at = out;

	kp_number_put(at, KP_EMPTY_REQUEST_LEN - KP_FRAME_PREFIX_LEN, 4);
	kp_number_put(at += 4, KP_API_VERSIONS, 2);
	kp_number_put(at += 2, INT16_MAX, 2);
	kp_number_put(at += 2, (uint32_t)correlation_id, 4);
	kp_number_put(at += 4, UINT16_MAX, 2); /* client id null */
	kp_number_put(at + 2, 0, 1);           /* no tagged fields */
}
