/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the seed corpora of fuzz_walker and fuzz_frame: `kp_make_seeds DIR`,
 * DIR being tests/fuzz/corpus. Run it after a change of the tables, and keep
 * what else is in the corpora.
 */
#include <stdio.h>

#include "proto/kafka/writer.h"
#include "tests/support/sample.h"

#define MAX_SEED_LEN 1000

static bool
write_file(const char *dir, const char *corpus, const char *name,
    const struct kp_buf *content)
{
	char path[4096];
	bool ok;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s/%s", dir, corpus, name);
	file = fopen(path, "wb");
	if (file == NULL) {
		perror(path);
		return false;
	}
	ok = fwrite(content->data, 1, content->len, file) == content->len;
	return fclose(file) == 0 && ok;
}

/* The newest version of a message, in the first sample that is not too long. */
static bool
write_body(const char *dir, const struct kp_message *message, bool is_request)
{
	struct kp_sample sample = { .random = 1, .has_unknown_tags = true };
	struct kp_buf seed;
	bool ok;

	kp_buf_init(&seed, KP_SAMPLE_MAX_LEN);
	do {
		kp_buf_clear(&seed);
		kp_write_int8(&seed, (int8_t)message->api_key);
		kp_write_int8(&seed, (int8_t)message->max_version);
		kp_write_bool(&seed, is_request);
		kp_write_int8(&seed, 5);
		kp_sample_body(&sample, &seed, message, message->max_version);
	} while (seed.len > MAX_SEED_LEN);
	ok = write_file(dir, "walker", message->name, &seed);
	kp_buf_fini(&seed);
	return ok;
}

static bool
write_request_header(const char *dir)
{
	struct kp_buf seed;
	bool ok;

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
	ok = write_file(dir, "frame", "request", &seed);
	kp_buf_fini(&seed);
	return ok;
}

static bool
write_response_header(const char *dir)
{
	struct kp_buf seed;
	bool ok;

	kp_buf_init(&seed, MAX_SEED_LEN);
	kp_write_int8(&seed, 1);
	kp_write_int16(&seed, 100);
	kp_write_int8(&seed, 3);
	kp_write_int8(&seed, 12);
	kp_write_int32(&seed, 1);
	kp_write_uvarint(&seed, 0);
	ok = write_file(dir, "frame", "response", &seed);
	kp_buf_fini(&seed);
	return ok;
}

int
main(int argc, char **argv)
{
	bool ok;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: kp_make_seeds DIR\n");
		return 2;
	}
	ok = write_request_header(argv[1]) && write_response_header(argv[1]);
	for (int key = 0; ok && key <= KP_MAX_API_KEY; key++) {
		const struct kp_api *api = kp_api_find((int16_t)key);

		if (api != NULL)
			ok = write_body(argv[1], api->request, true) &&
			     write_body(argv[1], api->response, false);
	}
	return ok ? 0 : 1;
}
