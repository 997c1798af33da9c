/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "proto/kafka/header.h"
#include "proto/kafka/reader.h"
#include "proto/kafka/writer.h"
#include "tests/support/walks.h"

#define METADATA 3
#define PRODUCE 0
#define FETCH 1
#define HEARTBEAT 12
#define OFFSET_DELETE 47
#define STREAMS_GROUP_HEARTBEAT 88

/* A Metadata request header; v9 and later have tagged fields. */
static struct kp_buf
request_of(int16_t version, const char *client_id)
{
	struct kp_bytes null = { 0 };
	struct kp_buf buf;

	kp_buf_init(&buf, 1 << 20);
	kp_write_int16(&buf, METADATA);
	kp_write_int16(&buf, version);
	kp_write_int32(&buf, 77);
	kp_write_string(
	    &buf, client_id == NULL ? null : kp_bytes_of(client_id));
	return buf;
}

static enum kp_header_status
read_request(struct kp_request_header *out, const struct kp_buf *buf,
    size_t len, size_t frame_len, struct kp_error *err)
{
	uint8_t *copy = malloc(len + 1);
	enum kp_header_status status;

	cr_assert_not_null(copy);
	kp_copy(copy, buf->data, len);
	status = kp_request_header_read(out, copy, len, frame_len, err);
	free(copy);
	return status;
}

Test(header, a_request_header_is_read_in_both_forms)
{
	static const int16_t versions[] = { 1, 8, 9, 12 };

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		struct kp_buf buf = request_of(versions[i], "app");
		struct kp_request_header h;
		struct kp_error err;

		if (versions[i] >= 9)
			kp_buf_add(&buf, "\x02\x00\x03xyz\x05\x00", 8);
		cr_assert_eq(kp_request_header_read(
				 &h, buf.data, buf.len, buf.len + 10, &err),
		    KP_HEADER_OK);
		cr_assert_eq(h.len, buf.len);
		cr_assert_eq(h.api_key, METADATA);
		cr_assert_eq(h.api_version, versions[i]);
		cr_assert_eq(h.correlation_id, 77);
		cr_assert(kp_bytes_equal(h.client_id, kp_bytes_of("app")));
		kp_buf_fini(&buf);
	}
}

Test(header, a_null_client_id_is_null)
{
	struct kp_buf buf = request_of(1, NULL);
	struct kp_request_header h;
	struct kp_error err;

	cr_assert_eq(
	    read_request(&h, &buf, buf.len, buf.len, &err), KP_HEADER_OK);
	cr_assert_null(h.client_id.data);
	kp_buf_fini(&buf);
}

Test(header, every_strict_prefix_wants_more_or_is_refused)
{
	struct kp_buf buf = request_of(9, "some-client");
	struct kp_request_header h;
	struct kp_error err;

	kp_buf_add(&buf, "\x01\x07\x03xyz", 6);
	for (size_t len = 0; len < buf.len; len++) {
		cr_assert_eq(read_request(&h, &buf, len, buf.len, &err),
		    KP_HEADER_MORE, "%zu bytes", len);
		cr_assert_eq(read_request(&h, &buf, buf.len, len, &err),
		    KP_HEADER_FAILED, "frame of %zu bytes", len);
		cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
	}
	cr_assert_eq(
	    read_request(&h, &buf, buf.len, buf.len, &err), KP_HEADER_OK);
	kp_buf_fini(&buf);
}

Test(header, unknown_keys_and_versions_are_told_from_failures)
{
	static const struct {
		int16_t key, version;
	} table[] = { { 4, 0 }, { 999, 0 }, { -1, 0 }, { METADATA, 100 },
		{ METADATA, -1 }, { KP_API_VERSIONS, 99 }, { 95, 0 } };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct kp_request_header h;
		struct kp_error err;
		struct kp_buf buf;

		kp_buf_init(&buf, 100);
		kp_write_int16(&buf, table[i].key);
		kp_write_int16(&buf, table[i].version);
		kp_write_int32(&buf, -5);
		cr_assert_eq(
		    read_request(&h, &buf, 8, 8, &err), KP_HEADER_UNKNOWN);
		cr_assert_eq(h.api_key, table[i].key);
		cr_assert_eq(h.api_version, table[i].version);
		cr_assert_eq(h.correlation_id, -5);
		cr_assert_eq(h.len, 0);
		kp_buf_fini(&buf);
	}
}

struct hostile {
	const char *what;
	const char *bytes; /* after the correlation id */
	size_t len;
};

/* In a frame of 1000 bytes, so that nothing of it is merely missing. */
Test(header, hostile_headers_are_refused_before_they_have_come)
{
	static const struct hostile table[] = {
		{ "client id beyond the frame", "\x7f\xff", 2 },
		{ "negative client id", "\xff\xfe", 2 },
		{ "overlong number of tags", "\x00\x00\x80\x00", 4 },
		{ "20 million tags", "\x00\x00\x80\xad\xe2\x04", 6 },
		{ "tag beyond the frame", "\x00\x00\x01\x00\xff\xff\x03", 7 },
		{ "tags not in order", "\x00\x00\x02\x05\x00\x04\x00", 7 },
		{ "the same tag twice", "\x00\x00\x02\x05\x00\x05\x00", 7 },
		{ "six-byte tag", "\x00\x00\x01\xff\xff\xff\xff\xff\x01", 9 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct kp_buf buf = request_of(9, NULL);
		struct kp_request_header h;
		struct kp_error err = { 0 };

		buf.len -= 2;
		kp_buf_add(&buf, table[i].bytes, table[i].len);
		cr_assert_eq(read_request(&h, &buf, buf.len, 1000, &err),
		    KP_HEADER_FAILED, "%s", table[i].what);
		cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
		kp_buf_fini(&buf);
	}
}

Test(header, a_header_over_64_kib_is_refused)
{
	struct kp_buf buf = request_of(9, "x");
	struct kp_request_header h;
	struct kp_error err;
	size_t before = buf.len;
	uint8_t *tag;

	kp_buf_add(&buf, "\x01\x00\xff\xff\x03", 5);
	tag = kp_buf_extend(&buf, 65535);
	cr_assert_not_null(tag);
	memset(tag, 0, 65535);
	cr_assert_eq(read_request(&h, &buf, before + 100, 1 << 20, &err),
	    KP_HEADER_MORE);
	cr_assert_eq(
	    read_request(&h, &buf, buf.len, 1 << 20, &err), KP_HEADER_FAILED);
	cr_assert_str_eq(err.text, "the header is longer than 64 KiB");
	kp_buf_fini(&buf);
}

Test(header, an_answer_header_has_tags_when_its_version_is_flexible)
{
	static const struct {
		int16_t key, version;
		size_t len;
	} table[] = { { METADATA, 8, 4 }, { METADATA, 9, 5 },
		{ KP_API_VERSIONS, 0, 4 }, { KP_API_VERSIONS, 4, 4 },
		{ KP_SASL_HANDSHAKE, 1, 4 }, { OFFSET_DELETE, 0, 4 } };
	static const uint8_t data[] = { 0, 0, 0, 9, 0, 0, 0 };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct kp_response_header header = { .api_key = table[i].key,
			.api_version = table[i].version };
		struct kp_error err;

		for (size_t have = 0; have < table[i].len; have++)
			cr_assert_eq(kp_response_header_read(
					 &header, data, have, 7, &err),
			    KP_HEADER_MORE);
		cr_assert_eq(kp_response_header_read(&header, data, 7, 7, &err),
		    KP_HEADER_OK);
		cr_assert_eq(header.len, table[i].len);
		cr_assert_eq(header.correlation_id, 9);
	}
}

Test(header, an_answer_to_an_unknown_request_is_unknown)
{
	static const uint8_t data[8];
	struct kp_response_header header = { .api_key = METADATA,
		.api_version = 99 };
	struct kp_error err;

	cr_assert_eq(kp_response_header_read(&header, data, 8, 8, &err),
	    KP_HEADER_UNKNOWN);
	header.api_version = 1;
	cr_assert_eq(kp_response_header_read(&header, data, 3, 3, &err),
	    KP_HEADER_FAILED);
}

static enum kp_verdict
find_error(void *context, const struct kp_visit *visit,
    struct kp_replacement *out, struct kp_error *err)
{
	int64_t *found = context;

	(void)out;
	(void)err;
	if (visit->kind == KP_VISIT_VALUE)
		*found = visit->number;
	return KP_KEEP;
}

static void
check_answer(
    const struct kp_buf *answer, const struct kp_api *api, int16_t version)
{
	int64_t found = 0;
	struct kp_visitor visitor = { KP_ENTITY_BIT(KP_E_ERROR_CODE),
		find_error, &found };
	struct kp_bytes body = { answer->data + 4, answer->len - 4 };
	struct kp_error err = { 0 };
	struct kp_response_header header = { .api_key = api->key,
		.api_version = version };
	struct kp_reader reader;

	kp_reader_init(&reader, kp_buf_bytes(answer));
	cr_assert_eq((size_t)kp_read_int32(&reader), answer->len - 4);
	cr_assert_eq(kp_response_header_read(
			 &header, body.data, body.len, body.len, &err),
	    KP_HEADER_OK);
	cr_assert_eq(header.correlation_id, 4711);
	body.data += header.len;
	body.len -= header.len;
	cr_assert(
	    kp_walk_whole(api->response, version, body, &visitor, NULL, &err),
	    "%s", err.text);
	cr_assert_eq(found, 87);
}

Test(header, own_answers_are_valid_and_carry_the_error)
{
	int num = 0;

	for (int key = 0; key <= KP_MAX_API_KEY; key++) {
		const struct kp_api *api = kp_api_find((int16_t)key);

		for (int v = 0; api != NULL && v < 30; v++) {
			struct kp_buf answer;

			kp_buf_init(&answer, 4096);
			if (kp_answer_error(
				&answer, (int16_t)key, (int16_t)v, 4711, 87)) {
				check_answer(&answer, api, (int16_t)v);
				num++;
			} else {
				cr_assert_eq(answer.len, 0);
			}
			kp_buf_fini(&answer);
		}
	}
	cr_assert(num > 150, "%d answers", num);
}

Test(header, answers_without_an_error_code_cannot_be_formed)
{
	struct kp_buf answer;

	kp_buf_init(&answer, 4096);
	cr_assert(!kp_answer_error(&answer, PRODUCE, 9, 1, 87));
	cr_assert(!kp_answer_error(&answer, FETCH, 6, 1, 87));
	cr_assert(!kp_answer_error(&answer, 999, 0, 1, 87));
	cr_assert(!kp_answer_error(&answer, HEARTBEAT, 99, 1, 87));
	cr_assert_eq(answer.len, 0);
	cr_assert(kp_answer_error(&answer, FETCH, 7, 1, 87));
	kp_buf_fini(&answer);
}

Test(header, an_own_answer_has_the_bytes_of_kafka)
{
	/* Heartbeat v4: throttle time, error 25, no tagged fields. */
	static const uint8_t want[] = { 0, 0, 0, 12, 0, 0, 0, 5, 0, 0, 0, 0, 0,
		0, 25, 0 };
	struct kp_bytes bytes = { want, sizeof(want) };
	struct kp_buf answer;

	kp_buf_init(&answer, 100);
	cr_assert(kp_answer_error(&answer, HEARTBEAT, 4, 5, 25));
	cr_assert(kp_bytes_equal(kp_buf_bytes(&answer), bytes));
	kp_buf_fini(&answer);
}

/* StreamsGroupHeartbeat v1: null and empty arrays, a number that is not 0. */
Test(header, an_own_answer_has_the_defaults_of_kafka)
{
	/* clang-format off */
	static const uint8_t want[] = {
		0, 0, 0, 44, 0, 0, 0, 5, 0, /* length, header */
		0, 0, 0, 0, 0, 16, 0, 1,    /* throttle, error, text, member */
		0, 0, 0, 0, 0, 0, 0, 0,     /* epoch, heartbeat interval */
		0, 0, 0, 0,                 /* offset interval */
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* lag */
		1, 0, 0, 0, 0,              /* status, tasks, topology */
		0, 0, 0, 0, 0, 0,           /* epoch, partitions, tags */
	};
	/* clang-format on */
	struct kp_bytes bytes = { want, sizeof(want) };
	struct kp_buf answer;

	kp_buf_init(&answer, 1000);
	cr_assert(kp_answer_error(&answer, STREAMS_GROUP_HEARTBEAT, 1, 5, 16));
	cr_assert(
	    kp_bytes_equal(kp_buf_bytes(&answer), bytes), "%zu", answer.len);
	kp_buf_fini(&answer);
}

Test(header, asks_for_versions_in_a_version_that_nobody_knows)
{
	/* clang-format off */
	static const uint8_t want[KP_EMPTY_REQUEST_LEN] = {
		0, 0, 0, 11,
		0, 18, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xfa, /* correlation id */
		0xff, 0xff, 0, /* client id null, no tagged fields */
	};
	/* clang-format on */
	uint8_t got[KP_EMPTY_REQUEST_LEN];

	kp_request_unknown_versions(got, -6);
	cr_assert(memcmp(got, want, sizeof(want)) == 0);
}
