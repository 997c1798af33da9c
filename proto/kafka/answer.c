/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that the proxy gives itself: a whole message of defaults with an
 * error code. Declared in header.h, since they are frames. @thread any
 */
#include "base/text.h"
#include "proto/kafka/header.h"
#include "proto/kafka/reader.h"
#include "proto/kafka/writer.h"

#define NULL_STRUCT (-1)
#define PRESENT_STRUCT 1

struct answer {
	struct kp_buf *out;
	int16_t version;
	bool is_flexible;
	int16_t error_code;
};

static bool
is_null_by_default(const struct kp_field *field, int16_t version)
{
	return version >= field->nullable_since &&
	       field->default_text != NULL &&
	       strcmp(field->default_text, "null") == 0;
}

/* Of bool 0 or 1. The tables are ours, so what they say is a number. */
static int64_t
default_number(const struct kp_field *field)
{
	int64_t number = 0;
	bool is_number;

	if (field->default_text == NULL)
		return 0;
	if (field->kind == KP_BOOL)
		return strcmp(field->default_text, "true") == 0;
	is_number = kp_parse_int(field->default_text, &number);
	kp_assert(is_number);
	return number;
}

static struct kp_bytes
default_text(const struct kp_field *field, int16_t version)
{
	if (is_null_by_default(field, version))
		return (struct kp_bytes){ 0 };
	if (field->default_text == NULL ||
	    strcmp(field->default_text, "null") == 0)
		return kp_bytes_of("");
	return kp_bytes_of(field->default_text);
}

/* Strings, bytes and records. */
static void
write_text(const struct answer *answer, const struct kp_field *field)
{
	struct kp_bytes text = default_text(field, answer->version);

	if (answer->is_flexible)
		kp_write_compact(answer->out, text);
	else if (field->kind == KP_STRING)
		kp_write_string(answer->out, text);
	else
		kp_write_bytes(answer->out, text);
}

static void
write_array(const struct answer *answer, const struct kp_field *field)
{
	int count = is_null_by_default(field, answer->version) ? -1 : 0;

	if (answer->is_flexible)
		kp_write_compact_length(answer->out, count);
	else
		kp_write_length32(answer->out, count);
}

static void
write_number(struct kp_buf *out, const struct kp_field *field, int64_t number)
{
	static const uint8_t zero_uuid[KP_UUID_LEN];

	switch ((enum kp_kind)field->kind) {
	case KP_BOOL:
		kp_write_bool(out, number != 0);
		return;
	case KP_INT8:
		kp_write_int8(out, (int8_t)number);
		return;
	case KP_INT16:
	case KP_UINT16:
		kp_write_int16(out, (int16_t)number);
		return;
	case KP_INT32:
	case KP_UINT32:
		kp_write_int32(out, (int32_t)number);
		return;
	case KP_INT64:
		kp_write_int64(out, number);
		return;
	case KP_FLOAT64:
		kp_write_float64(out, (double)number);
		return;
	case KP_UUID:
		kp_buf_add(out, zero_uuid, sizeof(zero_uuid));
		return;
	case KP_END:
	case KP_STRING:
	case KP_BYTES:
	case KP_RECORDS:
	case KP_STRUCT:
		break;
	}
	kp_assert(false);
}

static void write_fields(
    const struct answer *answer, const struct kp_field *fields);

static void
write_struct(const struct answer *answer, const struct kp_field *field)
{
	bool is_null = is_null_by_default(field, answer->version);

	if (answer->version >= field->nullable_since)
		kp_write_int8(
		    answer->out, is_null ? NULL_STRUCT : PRESENT_STRUCT);
	if (!is_null)
		write_fields(answer, field->fields);
}

static void
write_field(const struct answer *answer, const struct kp_field *field)
{
	if (field->is_array)
		write_array(answer, field);
	else if (field->kind == KP_STRUCT)
		write_struct(answer, field);
	else if (field->kind == KP_STRING || field->kind == KP_BYTES ||
		 field->kind == KP_RECORDS)
		write_text(answer, field);
	else
		write_number(answer->out, field, default_number(field));
}

/* Is field outside the tagged section? Tagged fields have their defaults, and
 * those are left out. */
static bool
is_plain(const struct kp_field *field, int16_t version)
{
	return kp_field_in(field, version) && version < field->tagged_since;
}

/* Recursion ends with the tables: a struct holds no struct of its own kind. */
static void
write_fields(const struct answer *answer, const struct kp_field *fields)
{
	for (const struct kp_field *f = fields; f->kind != KP_END; f++)
		if (is_plain(f, answer->version))
			write_field(answer, f);
	if (answer->is_flexible)
		kp_write_uvarint(answer->out, 0);
}

static bool
is_error_code(const struct kp_field *field, int16_t version)
{
	return field->entity == KP_E_ERROR_CODE && !field->is_array &&
	       is_plain(field, version);
}

static bool
has_error_code(const struct kp_message *message, int16_t version)
{
	for (const struct kp_field *f = message->fields; f->kind != KP_END; f++)
		if (is_error_code(f, version))
			return true;
	return false;
}

static void
write_body(const struct answer *answer, const struct kp_message *message)
{
	for (const struct kp_field *f = message->fields; f->kind != KP_END;
	     f++) {
		if (is_error_code(f, answer->version))
			write_number(answer->out, f, answer->error_code);
		else if (is_plain(f, answer->version))
			write_field(answer, f);
	}
	if (answer->is_flexible)
		kp_write_uvarint(answer->out, 0);
}

bool
kp_answer_error(struct kp_buf *out, int16_t api_key, int16_t version,
    int32_t correlation_id, int16_t error_code)
{
	const struct kp_message *message;
	struct answer answer;
	size_t begin;

	if (!kp_api_has(api_key, version))
		return false;
	message = kp_api_find(api_key)->response;
	if (!has_error_code(message, version))
		return false;
	answer = (struct answer){ out, version,
		kp_message_is_flexible(message, version), error_code };
	begin = kp_write_begin_int32(out);
	kp_write_int32(out, correlation_id);
	if (kp_response_header_is_flexible(api_key, version))
		kp_write_uvarint(out, 0);
	write_body(&answer, message);
	kp_write_end_int32(out, begin);
	return true;
}
