/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/proto/records/sample.h"

#include <stdio.h>

#include "proto/kafka/records/batch_writer.h"

#define MIXED_RUN 700

static uint8_t
random_byte(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return (uint8_t)(*state >> 24);
}

static void
fill_text(uint8_t *to, size_t len)
{
	char line[64];
	size_t done = 0, piece;

	for (unsigned i = 0; done < len; i++) {
		piece = (size_t)snprintf(line, sizeof(line),
		    "{\"id\":%u,\"name\":\"customer %u\"}", i, i % 17);
		if (piece > len - done)
			piece = len - done;
		kp_copy(to + done, line, piece);
		done += piece;
	}
}

static void
fill_random(uint8_t *to, size_t len)
{
	uint32_t state = 42;

	for (size_t i = 0; i < len; i++)
		to[i] = random_byte(&state);
}

static void
fill_mixed(uint8_t *to, size_t len)
{
	size_t piece;

	for (unsigned i = 0; len > 0; i++) {
		piece = len < MIXED_RUN ? len : MIXED_RUN;
		kp_sample_fill(to, piece, i % KP_SAMPLE_MIXED);
		to += piece;
		len -= piece;
	}
}

void
kp_sample_fill(uint8_t *to, size_t len, enum kp_sample_kind kind)
{
	switch (kind) {
	case KP_SAMPLE_TEXT:
		fill_text(to, len);
		return;
	case KP_SAMPLE_RANDOM:
		fill_random(to, len);
		return;
	case KP_SAMPLE_MIXED:
		fill_mixed(to, len);
		return;
	case KP_SAMPLE_ZEROS:
	case KP_NUM_SAMPLE_KINDS:
		break;
	}
	for (size_t i = 0; i < len; i++)
		to[i] = 0;
}

struct kp_batch
kp_sample_like(void)
{
	return (struct kp_batch){
		.base_offset = 1000,
		.leader_epoch = 7,
		.magic = KP_BATCH_MAX_MAGIC,
		.last_offset_delta = KP_SAMPLE_RECORDS - 1,
		.base_timestamp = INT64_C(1700000000000),
		.max_timestamp = INT64_C(1700000000002),
		.producer_id = 4711,
		.producer_epoch = 3,
		.base_sequence = 99,
		.num_records = KP_SAMPLE_RECORDS,
	};
}

void
kp_sample_batch(
    struct kp_buf *out, const struct kp_batch *like, enum kp_codec codec)
{
	static const char headers[] = "\x02h\x02"
				      "1"
				      "\x02h\x01";
	struct kp_record records[KP_SAMPLE_RECORDS] = {
		{ .key = kp_bytes_of("first"), .value = kp_bytes_of("one") },
		{ .value = kp_bytes_of("") },
		{ .key = kp_bytes_of("") },
	};
	struct kp_compression compression = { 0 };
	struct kp_batch_writer writer;
	struct kp_error err;
	struct kp_buf plain;

	if (like->magic == KP_BATCH_MAX_MAGIC) {
		records[1].headers.data = (const uint8_t *)headers;
		records[1].headers.len = sizeof(headers) - 1;
		records[1].num_headers = 2;
	}
	kp_buf_init(&plain, 65536);
	kp_assert(kp_batch_writer_init(&writer, &plain, like, codec, &err));
	for (int i = 0; i < KP_SAMPLE_RECORDS; i++) {
		records[i].wire_offset = i;
		records[i].wire_timestamp = i;
		kp_assert(kp_batch_writer_add(&writer, &records[i], &err));
	}
	kp_assert(kp_batch_writer_finish(&writer, out, &compression, &err));
	kp_buf_fini(&plain);
	kp_compression_fini(&compression);
}

static bool
nullable_equal(struct kp_bytes a, struct kp_bytes b)
{
	return (a.data == NULL) == (b.data == NULL) && kp_bytes_equal(a, b);
}

bool
kp_sample_records_equal(const struct kp_record *a, const struct kp_record *b)
{
	return a->offset == b->offset && a->timestamp == b->timestamp &&
	       a->wire_offset == b->wire_offset &&
	       a->wire_timestamp == b->wire_timestamp &&
	       a->attributes == b->attributes &&
	       nullable_equal(a->key, b->key) &&
	       nullable_equal(a->value, b->value) &&
	       a->num_headers == b->num_headers &&
	       kp_bytes_equal(a->headers, b->headers);
}
