/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/sample.h"

#include "proto/kafka/reader.h"
#include "proto/kafka/writer.h"

#define MAX_ITEMS 3
#define MAX_DEEP_ITEMS 2
#define FIRST_UNKNOWN_TAG 60

struct body {
	struct kp_sample *sample;
	int16_t version;
	bool is_flexible;
	unsigned depth;
};

/* splitmix64 */
static uint64_t
next_random(struct kp_sample *sample)
{
	uint64_t z = sample->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint32_t
kp_sample_random(struct kp_sample *sample, uint32_t bound)
{
	return (uint32_t)(next_random(sample) % bound);
}

static bool
is_null(struct body *body, const struct kp_field *field)
{
	return body->version >= field->nullable_since &&
	       !body->sample->is_full && kp_sample_random(body->sample, 4) == 0;
}

static void
write_text(struct body *body, struct kp_buf *out, const struct kp_field *field)
{
	/* Around the lengths at which a uvarint grows, but mostly short. */
	static const uint32_t max_lens[] = { 1, 4, 12, 12, 40, 140 };
	uint32_t max = max_lens[kp_sample_random(body->sample, 6)];
	uint8_t content[140];
	struct kp_bytes text = { content, kp_sample_random(body->sample, max) };

	for (size_t i = 0; i < text.len; i++)
		content[i] =
		    (uint8_t)('a' + kp_sample_random(body->sample, 26));
	if (!field->is_array && is_null(body, field))
		text = (struct kp_bytes){ 0 };
	if (body->is_flexible)
		kp_write_compact(out, text);
	else if (field->kind == KP_STRING)
		kp_write_string(out, text);
	else
		kp_write_bytes(out, text);
}

static void
write_records(struct kp_buf *out, size_t len, bool is_flexible)
{
	static const uint8_t piece[] =
	    "records of no batch, but of that length;";
	size_t num = 0;

	if (is_flexible)
		kp_write_compact_length(out, (int64_t)len);
	else
		kp_write_length32(out, (int64_t)len);
	for (; len > 0; len -= num) {
		num = len < sizeof(piece) ? len : sizeof(piece);
		kp_buf_add(out, piece, num);
	}
}

/* Fields whose content the sample's maker has chosen. */
static bool
write_chosen(
    struct body *body, struct kp_buf *out, const struct kp_field *field)
{
	const struct kp_sample *sample = body->sample;

	if (field->entity == KP_E_RECORDS && sample->records_len > 0) {
		write_records(out, sample->records_len, body->is_flexible);
		return true;
	}
	if (sample->host == NULL || field->is_array)
		return false;
	if (field->entity == KP_E_HOST && body->is_flexible)
		kp_write_compact(out, kp_bytes_of(sample->host));
	else if (field->entity == KP_E_HOST)
		kp_write_string(out, kp_bytes_of(sample->host));
	else if ((field->entity == KP_E_NODE_ID ||
		     field->entity == KP_E_ENDPOINT_NODE) &&
		 field->kind == KP_INT32)
		kp_write_int32(out, (int32_t)kp_sample_random(body->sample, 8));
	else
		return false;
	return true;
}

static void
write_value(struct body *body, struct kp_buf *out, const struct kp_field *field)
{
	uint64_t number = next_random(body->sample);
	uint8_t uuid[KP_UUID_LEN] = { (uint8_t)number, 1, 2, 3 };

	if (write_chosen(body, out, field))
		return;
	switch ((enum kp_kind)field->kind) {
	case KP_BOOL:
		kp_write_bool(out, number % 2 != 0);
		return;
	case KP_INT8:
		kp_write_int8(out, (int8_t)number);
		return;
	case KP_INT16:
	case KP_UINT16:
		kp_write_uint16(out, (uint16_t)number);
		return;
	case KP_INT32:
	case KP_UINT32:
		kp_write_uint32(out, (uint32_t)number);
		return;
	case KP_INT64:
	case KP_FLOAT64:
		kp_write_int64(out, (int64_t)number);
		return;
	case KP_UUID:
		kp_buf_add(out, uuid, sizeof(uuid));
		return;
	case KP_STRING:
	case KP_BYTES:
	case KP_RECORDS:
		write_text(body, out, field);
		return;
	case KP_END:
	case KP_STRUCT:
		break;
	}
	kp_assert(false);
}

static void write_struct(
    struct body *body, struct kp_buf *out, const struct kp_field *fields);

static void
write_array(struct body *body, struct kp_buf *out, const struct kp_field *field)
{
	uint32_t max = body->depth > 2 ? MAX_DEEP_ITEMS : MAX_ITEMS;
	int num = (int)kp_sample_random(body->sample, max + 1);

	if (body->sample->is_full && num == 0)
		num = 1;
	if (is_null(body, field))
		num = -1;
	if (body->is_flexible)
		kp_write_compact_length(out, num);
	else
		kp_write_length32(out, num);
	for (int i = 0; i < num; i++) {
		if (field->kind == KP_STRUCT)
			write_struct(body, out, field->fields);
		else
			write_value(body, out, field);
	}
}

static void
write_field(struct body *body, struct kp_buf *out, const struct kp_field *field)
{
	bool may_be_null = body->version >= field->nullable_since;
	bool is_absent;

	if (field->is_array) {
		write_array(body, out, field);
		return;
	}
	if (field->kind != KP_STRUCT) {
		write_value(body, out, field);
		return;
	}
	is_absent = is_null(body, field);
	if (may_be_null)
		kp_write_int8(out, is_absent ? -1 : 1);
	if (!is_absent)
		write_struct(body, out, field->fields);
}

static void
write_tag(struct kp_buf *out, uint32_t tag, struct kp_bytes content)
{
	kp_write_uvarint(out, tag);
	kp_write_uvarint(out, (uint32_t)content.len);
	kp_buf_add(out, content.data, content.len);
}

/* The field of a tag in this version, NULL if the tag is free. */
static const struct kp_field *
find_tagged(const struct body *body, const struct kp_field *fields, int tag)
{
	for (const struct kp_field *f = fields; f->kind != KP_END; f++)
		if (f->tag == tag && kp_field_in(f, body->version) &&
		    body->version >= f->tagged_since)
			return f;
	return NULL;
}

static void
write_known_tags(struct body *body, struct kp_buf *tags, uint32_t *num,
    const struct kp_field *fields)
{
	for (int tag = 0; tag < FIRST_UNKNOWN_TAG; tag++) {
		const struct kp_field *field = find_tagged(body, fields, tag);
		struct kp_buf content;

		if (field == NULL)
			continue;
		if (!body->sample->is_full &&
		    kp_sample_random(body->sample, 2) == 0)
			continue;
		kp_buf_init(&content, KP_SAMPLE_MAX_LEN);
		write_field(body, &content, field);
		write_tag(tags, (uint32_t)tag, kp_buf_bytes(&content));
		kp_buf_fini(&content);
		(*num)++;
	}
}

static void
write_unknown_tags(struct body *body, struct kp_buf *tags, uint32_t *num)
{
	static const uint8_t secret[] = "broker-7.internal:9092";
	uint32_t tag = FIRST_UNKNOWN_TAG;

	while (kp_sample_random(body->sample, 3) == 0) {
		uint32_t len = kp_sample_random(body->sample, sizeof(secret));

		write_tag(tags, tag, (struct kp_bytes){ secret, len });
		tag += 1 + kp_sample_random(body->sample, 100);
		(*num)++;
	}
}

static void
write_tags(struct body *body, struct kp_buf *out, const struct kp_field *fields)
{
	struct kp_buf tags;
	uint32_t num = 0;

	kp_buf_init(&tags, KP_SAMPLE_MAX_LEN);
	write_known_tags(body, &tags, &num, fields);
	if (body->sample->has_unknown_tags)
		write_unknown_tags(body, &tags, &num);
	kp_write_uvarint(out, num);
	kp_buf_add(out, tags.data, tags.len);
	kp_buf_fini(&tags);
}

static void
write_struct(
    struct body *body, struct kp_buf *out, const struct kp_field *fields)
{
	body->depth++;
	for (const struct kp_field *f = fields; f->kind != KP_END; f++)
		if (kp_field_in(f, body->version) &&
		    body->version < f->tagged_since)
			write_field(body, out, f);
	if (body->is_flexible)
		write_tags(body, out, fields);
	body->depth--;
}

void
kp_sample_body(struct kp_sample *sample, struct kp_buf *out,
    const struct kp_message *message, int16_t version)
{
	struct body body = { sample, version,
		kp_message_is_flexible(message, version), 0 };

	write_struct(&body, out, message->fields);
	kp_assert(!out->failed);
}
