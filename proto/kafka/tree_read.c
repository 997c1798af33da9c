/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From bytes to a tree. Nothing is believed: a count is held against what is
 * left before there is memory for its items. Recursion ends with the tables.
 */
#include "proto/kafka/reader.h"
#include "proto/kafka/tree_priv.h"

struct reading {
	struct kp_tree *tree;
	bool is_flexible;
	struct kp_reader *reader; /* of the body or of a tagged field */
	struct kp_error *err;
};

static bool
fail(const struct reading *reading, const struct kp_field *field,
    const char *what)
{
	const struct kp_tree *tree = reading->tree;

	return kp_error_set(reading->err, KP_ERR_PROTOCOL, "%s v%d: %s%s%s",
	    tree->message->name, tree->version,
	    field == NULL ? "" : field->name, field == NULL ? "" : " ", what);
}

static bool
fail_memory(const struct reading *reading)
{
	return kp_error_set(reading->err, KP_ERR_LIMIT,
	    "%s: its values take more than %zu bytes",
	    reading->tree->message->name, reading->tree->arena->max_len);
}

/* Has everything been there so far? */
static bool
check(const struct reading *reading, const struct kp_field *field)
{
	return !reading->reader->failed || fail(reading, field, "is malformed");
}

static int64_t
read_number(struct kp_reader *reader, const struct kp_field *field)
{
	switch ((enum kp_kind)field->kind) {
	case KP_BOOL:
		return kp_read_bool(reader);
	case KP_INT8:
		return kp_read_int8(reader);
	case KP_INT16:
		return kp_read_int16(reader);
	case KP_UINT16:
		return kp_read_uint16(reader);
	case KP_INT32:
		return kp_read_int32(reader);
	case KP_UINT32:
		return kp_read_uint32(reader);
	case KP_INT64:
	case KP_FLOAT64:
		return kp_read_int64(reader);
	case KP_END:
	case KP_UUID:
	case KP_STRING:
	case KP_BYTES:
	case KP_RECORDS:
	case KP_STRUCT:
		break;
	}
	kp_assert(false);
}

static struct kp_bytes
read_text(const struct reading *reading, const struct kp_field *field)
{
	if (field->kind == KP_UUID)
		return kp_read_uuid(reading->reader);
	if (reading->is_flexible)
		return kp_read_compact(reading->reader);
	if (field->kind == KP_STRING)
		return kp_read_string(reading->reader);
	return kp_read_bytes(reading->reader);
}

static bool
read_scalar(const struct reading *reading, const struct kp_field *field,
    struct kp_tree_value *out)
{
	if (kp_field_is_number(field)) {
		out->number = read_number(reading->reader, field);
		return check(reading, field);
	}
	out->text = read_text(reading, field);
	if (!check(reading, field))
		return false;
	if (out->text.data == NULL &&
	    !kp_field_may_be_null(field, reading->tree->version))
		return fail(reading, field, "is null");
	if (!kp_field_holds_len(field, out->text.len))
		return fail(reading, field, "is too long");
	return true;
}

static bool read_struct(const struct reading *reading,
    const struct kp_field *fields, struct kp_tree_value *out);

static bool
read_items(const struct reading *reading, const struct kp_field *field,
    struct kp_tree_value *array)
{
	for (uint32_t i = 0; i < array->num; i++) {
		struct kp_tree_value *item = &array->items[i];
		bool is_read = field->kind == KP_STRUCT
				   ? read_struct(reading, field->fields, item)
				   : read_scalar(reading, field, item);

		if (!is_read)
			return false;
	}
	return true;
}

static bool
read_array(const struct reading *reading, const struct kp_field *field,
    struct kp_tree_value *out)
{
	size_t item_len = kp_field_len(field);
	int32_t num = reading->is_flexible
			  ? kp_read_compact_length(reading->reader)
			  : kp_read_length32(reading->reader);

	if (!check(reading, field))
		return false;
	out->is_null = num < 0;
	if (out->is_null)
		return reading->tree->version >= field->nullable_since ||
		       fail(reading, field, "is null");
	if (num == 0)
		return true;
	/* Whatever an element is, it takes at least one byte. */
	if ((size_t)num >
	    kp_reader_left(reading->reader) / (item_len > 0 ? item_len : 1))
		return fail(reading, field, "counts more than is left");
	if (kp_tree_reserve(reading->tree, out, (size_t)num) == NULL)
		return fail_memory(reading);
	return read_items(reading, field, out);
}

static bool
read_lone_struct(const struct reading *reading, const struct kp_field *field,
    struct kp_tree_value *out)
{
	if (reading->tree->version >= field->nullable_since) {
		out->is_null = kp_read_int8(reading->reader) < 0;
		if (!check(reading, field) || out->is_null)
			return !reading->reader->failed;
	}
	return read_struct(reading, field->fields, out);
}

static bool
read_field(const struct reading *reading, const struct kp_field *field,
    struct kp_tree_value *out)
{
	*out = (struct kp_tree_value){ .num = 0 };
	if (field->is_array)
		return read_array(reading, field, out);
	if (field->kind == KP_STRUCT)
		return read_lone_struct(reading, field, out);
	return read_scalar(reading, field, out);
}

static const struct kp_field *
tagged_field(const struct kp_field *fields, uint32_t tag, int16_t version)
{
	for (const struct kp_field *f = fields; f->kind != KP_END; f++)
		if (f->tag >= 0 && (uint32_t)f->tag == tag &&
		    kp_field_in(f, version) && kp_field_is_tagged(f, version))
			return f;
	return NULL;
}

static bool
read_tag(const struct reading *reading, const struct kp_field *fields,
    int64_t *last_tag, struct kp_tree_value *out)
{
	uint32_t tag = kp_read_uvarint(reading->reader);
	uint32_t len = kp_read_uvarint(reading->reader);
	const struct kp_field *field;
	struct kp_reader content;
	struct reading inner = *reading;

	if (!check(reading, NULL))
		return false;
	if (tag <= *last_tag)
		return fail(reading, NULL, "tagged fields not in order");
	*last_tag = tag;
	kp_reader_sub(reading->reader, &content, len);
	if (reading->reader->failed)
		return fail(reading, NULL, "a tagged field ends early");
	field = tagged_field(fields, tag, reading->tree->version);
	if (field == NULL) {
		reading->tree->has_unknown = true;
		return true;
	}
	inner.reader = &content;
	if (!read_field(&inner, field, &out->items[field - fields]))
		return false;
	return kp_reader_left(&content) == 0 ||
	       fail(reading, field, "is shorter than its tag says");
}

static bool
read_tags(const struct reading *reading, const struct kp_field *fields,
    struct kp_tree_value *out)
{
	uint32_t num = kp_read_uvarint(reading->reader);
	int64_t last_tag = -1;

	if (!check(reading, NULL))
		return false;
	if (num > KP_MAX_TAGS || num > kp_reader_left(reading->reader) / 2)
		return fail(reading, NULL, "too many tagged fields");
	for (; num > 0; num--)
		if (!read_tag(reading, fields, &last_tag, out))
			return false;
	return true;
}

static bool
read_struct(const struct reading *reading, const struct kp_field *fields,
    struct kp_tree_value *out)
{
	int16_t version = reading->tree->version;

	if (!kp_tree_fill(reading->tree, fields, out))
		return fail_memory(reading);
	for (size_t i = 0; fields[i].kind != KP_END; i++)
		if (kp_tree_is_plain(&fields[i], version) &&
		    !read_field(reading, &fields[i], &out->items[i]))
			return false;
	return !reading->is_flexible || read_tags(reading, fields, out);
}

bool
kp_tree_read(struct kp_tree *tree, const struct kp_message *message,
    int16_t version, struct kp_bytes body, struct kp_arena *arena,
    struct kp_error *err)
{
	struct kp_reader reader;
	const struct reading reading = { tree,
		kp_message_is_flexible(message, version), &reader, err };

	*tree = (struct kp_tree){
		.message = message, .version = version, .arena = arena
	};
	kp_reader_init(&reader, body);
	if (!read_struct(&reading, message->fields, &tree->root))
		return false;
	return kp_reader_left(&reader) == 0 ||
	       fail(&reading, NULL, "has bytes left over");
}
