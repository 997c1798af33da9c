/* SPDX-License-Identifier: Apache-2.0 */
/* From a tree to bytes. Recursion ends with the tables. */
#include "proto/kafka/tree_priv.h"
#include "proto/kafka/writer.h"

struct writing {
	const struct kp_tree *tree;
	bool is_flexible;
	struct kp_buf *out;
};

static void
write_number(struct kp_buf *out, const struct kp_field *field, int64_t number)
{
	size_t len = kp_field_len(field);
	uint8_t *bytes;

	if (!kp_field_holds(field, number)) {
		out->failed = true;
		return;
	}
	bytes = kp_buf_extend(out, len);
	if (bytes != NULL)
		kp_number_put(bytes, (uint64_t)number, len);
}

static void
write_text(const struct writing *writing, const struct kp_field *field,
    struct kp_bytes text)
{
	if ((text.data == NULL &&
		!kp_field_may_be_null(field, writing->tree->version)) ||
	    !kp_field_holds_len(field, text.len))
		writing->out->failed = true;
	else if (field->kind == KP_UUID)
		kp_buf_add(writing->out, text.data, text.len);
	else if (writing->is_flexible)
		kp_write_compact(writing->out, text);
	else if (field->kind == KP_STRING)
		kp_write_string(writing->out, text);
	else
		kp_write_bytes(writing->out, text);
}

static void
write_scalar(const struct writing *writing, const struct kp_field *field,
    const struct kp_tree_value *value)
{
	if (kp_field_is_number(field))
		write_number(writing->out, field, value->number);
	else
		write_text(writing, field, value->text);
}

static void write_struct(const struct writing *writing,
    const struct kp_field *fields, const struct kp_tree_value *value);

static void
write_array(const struct writing *writing, const struct kp_field *field,
    const struct kp_tree_value *array)
{
	int64_t count = array->is_null ? -1 : (int64_t)array->num;

	if (array->is_null && writing->tree->version < field->nullable_since)
		writing->out->failed = true;
	if (writing->is_flexible)
		kp_write_compact_length(writing->out, count);
	else
		kp_write_length32(writing->out, count);
	for (int64_t i = 0; i < count; i++) {
		if (field->kind == KP_STRUCT)
			write_struct(writing, field->fields, &array->items[i]);
		else
			write_scalar(writing, field, &array->items[i]);
	}
}

static void
write_lone_struct(const struct writing *writing, const struct kp_field *field,
    const struct kp_tree_value *value)
{
	bool may_be_null = writing->tree->version >= field->nullable_since;

	if (value->is_null && !may_be_null)
		writing->out->failed = true;
	if (may_be_null)
		kp_write_int8(writing->out, value->is_null ? -1 : 1);
	if (!value->is_null)
		write_struct(writing, field->fields, value);
}

static void
write_field(const struct writing *writing, const struct kp_field *field,
    const struct kp_tree_value *value)
{
	if (field->is_array)
		write_array(writing, field, value);
	else if (field->kind == KP_STRUCT)
		write_lone_struct(writing, field, value);
	else
		write_scalar(writing, field, value);
}

/* Is the value written, or does the other side know it anyway? */
static bool
is_written(const struct writing *writing, const struct kp_field *field,
    const struct kp_tree_value *value)
{
	int16_t version = writing->tree->version;

	return kp_field_in(field, version) &&
	       kp_field_is_tagged(field, version) &&
	       !kp_tree_is_default(writing->tree, field, value);
}

/* The length in front of it is known only when it is there. */
static void
write_tag(const struct writing *writing, const struct kp_field *field,
    const struct kp_tree_value *value)
{
	struct kp_buf content;
	struct writing inner = *writing;

	kp_buf_init(&content, writing->out->max_len);
	inner.out = &content;
	write_field(&inner, field, value);
	if (content.failed) {
		writing->out->failed = true;
		writing->out->is_refused |= content.is_refused;
	}
	kp_write_uvarint(writing->out, (uint32_t)field->tag);
	kp_write_uvarint(writing->out, (uint32_t)content.len);
	kp_buf_add(writing->out, content.data, content.len);
	kp_buf_fini(&content);
}

/* The written one with the lowest tag above last; NULL: none. */
static const struct kp_field *
next_tagged(const struct writing *writing, const struct kp_field *fields,
    const struct kp_tree_value *value, int last)
{
	const struct kp_field *next = NULL;

	for (const struct kp_field *f = fields; f->kind != KP_END; f++)
		if (f->tag > last && (next == NULL || f->tag < next->tag) &&
		    is_written(writing, f, &value->items[f - fields]))
			next = f;
	return next;
}

static void
write_tags(const struct writing *writing, const struct kp_field *fields,
    const struct kp_tree_value *value)
{
	const struct kp_field *f;
	uint32_t num = 0;

	for (int last = -1;
	     (f = next_tagged(writing, fields, value, last)) != NULL;
	     last = f->tag)
		num++;
	kp_write_uvarint(writing->out, num);
	for (int last = -1;
	     (f = next_tagged(writing, fields, value, last)) != NULL;
	     last = f->tag)
		write_tag(writing, f, &value->items[f - fields]);
}

static void
write_struct(const struct writing *writing, const struct kp_field *fields,
    const struct kp_tree_value *value)
{
	for (const struct kp_field *f = fields; f->kind != KP_END; f++)
		if (kp_tree_is_plain(f, writing->tree->version))
			write_field(writing, f, &value->items[f - fields]);
	if (writing->is_flexible)
		write_tags(writing, fields, value);
}

void
kp_tree_write(const struct kp_tree *tree, struct kp_buf *out)
{
	const struct writing writing = { tree,
		kp_message_is_flexible(tree->message, tree->version), out };

	write_struct(&writing, tree->message->fields, &tree->root);
}
