/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/messages.h"

#include "proto/kafka/reader.h"
#include "proto/kafka/writer.h"
#include "tests/support/sample.h"

bool
kp_message_input_read(
    struct kp_message_input *out, const uint8_t *data, size_t size)
{
	struct kp_reader reader;
	const struct kp_api *api;

	kp_reader_init(&reader, (struct kp_bytes){ data, size });
	api = kp_api_find((uint8_t)kp_read_int8(&reader));
	out->version = (uint8_t)kp_read_int8(&reader);
	out->is_request = kp_read_bool(&reader);
	out->seed = (uint8_t)kp_read_int8(&reader);
	if (api == NULL || reader.failed)
		return false;
	out->message = out->is_request ? api->request : api->response;
	out->body = (struct kp_bytes){ reader.pos, kp_reader_left(&reader) };
	return out->version >= out->message->min_version &&
	       out->version <= out->message->max_version;
}

void
kp_message_input_make(struct kp_buf *out, const struct kp_message *message,
    int16_t version, bool is_request, uint64_t random)
{
	struct kp_sample sample = { .random = random,
		.has_unknown_tags = random % 2 == 0,
		.is_full = random % 5 == 1,
		.host = random % 3 == 0 ? "kafka-7.secret.internal" : NULL };

	kp_write_int8(out, (int8_t)message->api_key);
	kp_write_int8(out, (int8_t)version);
	kp_write_bool(out, is_request);
	kp_write_int8(out, (int8_t)random);
	kp_sample_body(&sample, out, message, version);
}
