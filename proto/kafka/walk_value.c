/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value: how long it is, what the visitor says to it, and how that is done.
 */
#include "proto/kafka/walk_priv.h"
#include "proto/kafka/writer.h"

/* A value as it lies in the piece, from the run's position on. */
struct value {
	const struct kp_field *field;
	size_t prefix_len; /* of its length; 0 if that is fixed */
	size_t len;        /* of the content */
	bool is_null;
	int64_t number;
};

static bool
is_unsigned(const struct kp_field *field)
{
	return field->kind == KP_UINT16 || field->kind == KP_UINT32;
}

static int64_t
number_at(const uint8_t *bytes, const struct kp_field *field, size_t len)
{
	uint64_t number = kp_number_get(bytes, len);
	unsigned above = 64 - (unsigned)len * 8;

	if (field->kind == KP_BOOL)
		return number != 0;
	if (is_unsigned(field))
		return (int64_t)number;
	return (int64_t)(number << above) >> above; /* the sign */
}

static int32_t
read_length(const struct kp_walk_run *run, struct kp_reader *reader,
    const struct kp_field *field)
{
	if (run->walker->is_flexible)
		return kp_read_compact_length(reader);
	if (field->kind == KP_STRING)
		return kp_read_length16(reader);
	return kp_read_length32(reader);
}

/* Finds out how long the value is; its content may not have come yet. */
static enum kp_step
measure(const struct kp_walk_run *run, struct value *value)
{
	const struct kp_field *field = value->field;
	size_t left = kp_walk_left(run);
	struct kp_reader reader;
	enum kp_step step;
	int32_t len;

	value->len = kp_field_len(field);
	if (value->len > left)
		return kp_walk_fail(run, field, "ends early");
	if (value->len > 0)
		return KP_STEP_ON;
	reader = kp_walk_reader(run);
	len = read_length(run, &reader, field);
	step = kp_walk_judge(run, &reader, field);
	if (step != KP_STEP_ON)
		return step;
	value->prefix_len = (size_t)(reader.pos - (run->data + run->pos));
	value->is_null = len < 0;
	if (value->is_null &&
	    !kp_field_may_be_null(field, run->walker->version))
		return kp_walk_fail(run, field, "is null");
	if (value->is_null)
		return KP_STEP_ON;
	value->len = (size_t)len;
	if (!kp_field_holds_len(field, value->len))
		return kp_walk_fail(run, field, "is too long");
	if (value->len > left - value->prefix_len)
		return kp_walk_fail(run, field, "ends early");
	return KP_STEP_ON;
}

static size_t
put_prefix(const struct kp_walk_run *run, const struct kp_field *field,
    struct kp_bytes content, uint8_t out[KP_UVARINT_MAX_LEN])
{
	size_t len = field->kind == KP_STRING ? 2 : 4;

	if (field->kind == KP_UUID)
		return 0;
	if (run->walker->is_flexible)
		return kp_uvarint_put(
		    out, content.data == NULL ? 0 : (uint32_t)content.len + 1);
	kp_number_put(
	    out, content.data == NULL ? UINT64_MAX : content.len, len);
	return len;
}

static enum kp_step
replace_number(
    struct kp_walk_run *run, const struct value *value, int64_t number)
{
	uint8_t text[sizeof(number)];

	if (number == value->number)
		return KP_STEP_ON;
	if (!kp_field_holds(value->field, number))
		return kp_walk_refuse(run, value->field);
	if (run->mode == KP_WALK_IN_PLACE) {
		kp_number_put(
		    run->data + run->pos, (uint64_t)number, value->len);
		return KP_STEP_ON;
	}
	kp_number_put(text, (uint64_t)number, value->len);
	kp_output_replace(run->output, run->pos, run->pos + value->len,
	    (struct kp_bytes){ text, value->len }, (struct kp_bytes){ 0 });
	return KP_STEP_ON;
}

static enum kp_step
replace_content(
    struct kp_walk_run *run, const struct value *value, struct kp_bytes content)
{
	uint8_t *old = run->data + run->pos + value->prefix_len;
	bool is_null = content.data == NULL;
	bool is_same_len =
	    is_null == value->is_null && content.len == value->len;
	uint8_t prefix[KP_UVARINT_MAX_LEN];
	struct kp_bytes head = { prefix, 0 };

	if (is_same_len &&
	    (is_null || memcmp(old, content.data, content.len) == 0))
		return KP_STEP_ON;
	if (run->mode == KP_WALK_IN_PLACE && !is_same_len)
		return kp_walk_refuse(run, value->field);
	if (is_null ? !kp_field_may_be_null(value->field, run->walker->version)
		    : !kp_field_holds_len(value->field, content.len))
		return kp_walk_refuse(run, value->field);
	if (run->mode == KP_WALK_IN_PLACE) {
		kp_move(old, content.data, content.len);
		return KP_STEP_ON;
	}
	head.len = put_prefix(run, value->field, content, prefix);
	kp_output_replace(run->output, run->pos,
	    run->pos + value->prefix_len + value->len, head, content);
	return KP_STEP_ON;
}

/* Leaves out an item of an array, or the struct of an array it is in. */
static enum kp_step
drop(struct kp_walk_run *run, const struct value *value)
{
	const struct kp_walker *walker = run->walker;

	if (run->mode != KP_WALK_REWRITE)
		return kp_walk_refuse(run, value->field);
	if (kp_walk_top(run)->state == KP_AT_ITEMS) {
		kp_output_remove(run->output, run->pos,
		    run->pos + value->prefix_len + value->len);
		return KP_STEP_ON;
	}
	for (unsigned depth = walker->depth; depth > 0; depth--) {
		if (walker->levels[depth - 1].is_counted) {
			kp_output_drop(run->output, depth);
			return KP_STEP_ON;
		}
	}
	return kp_walk_refuse(run, value->field);
}

/* Shows a value that is there as a whole. */
static enum kp_step
show(struct kp_walk_run *run, struct value *value)
{
	struct kp_replacement replacement = { 0 };
	struct kp_visit visit = { .kind = KP_VISIT_VALUE,
		.field = value->field };

	if (kp_field_is_number(value->field)) {
		value->number =
		    number_at(run->data + run->pos, value->field, value->len);
		visit.number = value->number;
	} else if (!value->is_null) {
		visit.data = run->data + run->pos + value->prefix_len;
		visit.len = value->len;
	}
	switch (kp_walk_ask(run, &visit, &replacement)) {
	case KP_KEEP:
		return KP_STEP_ON;
	case KP_REPLACE:
		if (kp_field_is_number(value->field))
			return replace_number(run, value, replacement.number);
		return replace_content(run, value, replacement.bytes);
	case KP_DROP:
		return drop(run, value);
	case KP_CLEAR:
		return kp_walk_refuse(run, value->field);
	case KP_FAIL:
		break;
	}
	return KP_STEP_FAILED;
}

/* Records may be of any length: they are shown as they come. */
static enum kp_step
begin_records(struct kp_walk_run *run, const struct value *value)
{
	struct kp_replacement unused = { 0 };
	struct kp_visit visit = { .kind = KP_VISIT_RECORDS,
		.field = value->field,
		.number = value->is_null ? -1 : (int64_t)value->len };

	switch (kp_walk_ask(run, &visit, &unused)) {
	case KP_KEEP:
		break;
	case KP_FAIL:
		return KP_STEP_FAILED;
	case KP_REPLACE:
	case KP_DROP:
	case KP_CLEAR:
		return kp_walk_refuse(run, value->field);
	}
	run->pos += value->prefix_len;
	run->walker->skip_len = value->len;
	run->walker->unseen_len = 0;
	if (value->len > 0)
		run->walker->shown_field = value->field;
	return KP_STEP_ON;
}

enum kp_step
kp_walk_value(struct kp_walk_run *run, const struct kp_field *field)
{
	struct value value = { .field = field };
	enum kp_step step = measure(run, &value);
	size_t len = value.prefix_len + value.len;

	if (step != KP_STEP_ON)
		return step;
	if (!kp_walk_wants(run, field)) {
		run->pos += value.prefix_len;
		run->walker->skip_len = value.len;
		return KP_STEP_ON;
	}
	if (run->mode == KP_WALK_IN_PLACE && field->kind == KP_RECORDS)
		return begin_records(run, &value);
	if (run->mode == KP_WALK_IN_PLACE && value.len > KP_WALK_MAX_VALUE) {
		(void)kp_error_set(run->err, KP_ERR_LIMIT,
		    "%s: %s has %zu bytes, the most is %d",
		    run->walker->message->name, field->name, value.len,
		    KP_WALK_MAX_VALUE);
		return KP_STEP_FAILED;
	}
	if (len > run->len - run->pos)
		return KP_STEP_MORE;
	step = show(run, &value);
	run->pos += len;
	return step;
}
