/* SPDX-License-Identifier: Apache-2.0 */
/* Each message in each version, and the headers in front of them. */
#include <stdio.h>

#include "proto/kafka/writer.h"
#include "tests/fuzz/messages.h"
#include "tests/fuzz/seeds.h"
#include "tests/support/sample.h"

#define MAX_SEED_LEN 1500

/* The first one that is not too long. */
static void
seed_message(const struct kp_message *message, int16_t version, bool is_request)
{
	char name[100];
	struct kp_buf seed;
	uint64_t random = 0;

	(void)snprintf(name, sizeof(name), "%s-%d", message->name, version);
	kp_buf_init(&seed, KP_SAMPLE_MAX_LEN);
	do {
		kp_buf_clear(&seed);
		kp_message_input_make(
		    &seed, message, version, is_request, ++random);
	} while (seed.len > MAX_SEED_LEN);
	kp_seed("walker", name, kp_buf_bytes(&seed));
	kp_seed("govern", name, kp_buf_bytes(&seed));
	if (!is_request)
		kp_seed("answer", name, kp_buf_bytes(&seed));
	kp_buf_fini(&seed);
}

static void
seed_versions(const struct kp_message *message, bool is_request)
{
	for (int16_t v = message->min_version; v <= message->max_version; v++)
		seed_message(message, v, is_request);
}

static void
seed_request_header(void)
{
	struct kp_buf seed;

	kp_buf_init(&seed, MAX_SEED_LEN);
	kp_write_int8(&seed, 0);
	kp_write_int16(&seed, 100);
	kp_write_int16(&seed, 3);
	kp_write_int16(&seed, 12);
	kp_write_int32(&seed, 1);
	kp_write_string(&seed, kp_bytes_of("client"));
	kp_write_uvarint(&seed, 1);
	kp_write_uvarint(&seed, 0);
	kp_write_compact(&seed, kp_bytes_of("x"));
	kp_seed("frame", "request", kp_buf_bytes(&seed));
	kp_buf_fini(&seed);
}

static void
seed_response_header(void)
{
	struct kp_buf seed;

	kp_buf_init(&seed, MAX_SEED_LEN);
	kp_write_int8(&seed, 1);
	kp_write_int16(&seed, 100);
	kp_write_int8(&seed, 3);
	kp_write_int8(&seed, 12);
	kp_write_int32(&seed, 1);
	kp_write_uvarint(&seed, 0);
	kp_seed("frame", "response", kp_buf_bytes(&seed));
	kp_buf_fini(&seed);
}

void
kp_seed_messages(void)
{
	seed_request_header();
	seed_response_header();
	for (int16_t key = 0; key <= KP_MAX_API_KEY; key++) {
		const struct kp_api *api = kp_api_find(key);

		if (api == NULL)
			continue;
		seed_versions(api->request, true);
		seed_versions(api->response, false);
	}
}
