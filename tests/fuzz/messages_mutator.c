/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer's own mutations rarely turn one message into another, and nearly
 * always break the first length they meet. So some inputs are made anew here,
 * and the others are changed behind what says which message they are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/fuzz/messages.h"
#include "tests/support/sample.h"

#define MAX_VERSIONS 20
/* A run of fewer inputs looks at some that somebody gave it. */
#define MIN_RUNS 1000

int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(
    uint8_t *data, size_t size, size_t max_size, unsigned seed);

/* Good inputs of each message, by direction. */
static unsigned num_valid[2][KP_MAX_API_KEY + 1][MAX_VERSIONS];
static unsigned num_in_all;

void
kp_message_input_is_valid(const struct kp_message_input *input)
{
	num_in_all++;
	num_valid[input->is_request][input->message->api_key][input->version]++;
}

static unsigned
count_missing(const struct kp_message *message, bool is_request)
{
	unsigned num = 0;

	for (int16_t v = message->min_version; v <= message->max_version; v++) {
		if (num_valid[is_request][message->api_key][v] > 0)
			continue;
		(void)fprintf(
		    stderr, "never reached: %s version %d\n", message->name, v);
		num++;
	}
	return num;
}

static void
check_reach(void)
{
	unsigned num = 0;

	if (num_in_all < MIN_RUNS)
		return;
	for (int16_t key = 0; key <= KP_MAX_API_KEY; key++) {
		const struct kp_api *api = kp_api_find(key);

		if (api == NULL)
			continue;
		if (kp_fuzzes_requests)
			num += count_missing(api->request, true);
		num += count_missing(api->response, false);
	}
	if (num > 0)
		_exit(1);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return atexit(check_reach);
}

static const struct kp_api *
choose_api(struct kp_sample *random)
{
	const struct kp_api *api = NULL;

	while (api == NULL)
		api = kp_api_find(
		    (int16_t)kp_sample_random(random, KP_MAX_API_KEY + 1));
	return api;
}

/* Any message, or another body of the same one. */
static size_t
make_new(uint8_t *data, size_t size, size_t max_size, struct kp_sample *random)
{
	const struct kp_api *api = choose_api(random);
	bool is_request = kp_fuzzes_requests && kp_sample_random(random, 2);
	struct kp_message_input input = {
		.message = is_request ? api->request : api->response,
		.is_request = is_request,
	};
	struct kp_buf made;

	input.version = (int16_t)(input.message->min_version +
				  (int16_t)kp_sample_random(random,
				      (uint32_t)(input.message->max_version -
						 input.message->min_version) +
					  1));
	if (kp_sample_random(random, 2) == 0)
		(void)kp_message_input_read(&input, data, size);
	kp_buf_init(&made, KP_SAMPLE_MAX_LEN);
	kp_message_input_make(&made, input.message, input.version,
	    input.is_request, kp_sample_random(random, UINT32_MAX));
	if (made.len <= max_size) {
		size = made.len;
		kp_copy(data, made.data, size);
	}
	kp_buf_fini(&made);
	return size;
}

/* One byte becomes what a length or a count is interesting at. */
static void
spoil_byte(uint8_t *data, size_t size, struct kp_sample *random)
{
	static const uint8_t values[] = { 0, 1, 2, 3, 0x7f, 0x80, 0xfe, 0xff };

	data[kp_sample_random(random, (uint32_t)size)] =
	    values[kp_sample_random(random, sizeof(values))];
}

size_t
LLVMFuzzerCustomMutator(
    uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	struct kp_sample random = { .random = seed };
	uint8_t *body = data + KP_MESSAGE_HEAD_LEN;
	struct kp_message_input input;

	if (max_size <= KP_MESSAGE_HEAD_LEN)
		return LLVMFuzzerMutate(data, size, max_size);
	if (!kp_message_input_read(&input, data, size) ||
	    kp_sample_random(&random, 4) == 0)
		return make_new(data, size, max_size, &random);
	size -= KP_MESSAGE_HEAD_LEN;
	max_size -= KP_MESSAGE_HEAD_LEN;
	if (size > 0 && kp_sample_random(&random, 2) == 0)
		spoil_byte(body, size, &random);
	else
		size = LLVMFuzzerMutate(body, size, max_size);
	return KP_MESSAGE_HEAD_LEN + size;
}
