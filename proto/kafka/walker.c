/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of a walk through structs, arrays and tagged sections. Where it is
 * in the message is a stack of levels in the walker, bounded by the depth of
 * the tables: no recursion.
 */
#include "proto/kafka/walker.h"

#include "proto/kafka/walk_priv.h"

static bool
is_writing(const struct kp_walk_run *run)
{
	return run->output != NULL && run->output->mute_depth == 0;
}

/* Ends what began at the level at work: an element or a whole array left out.
 */
static void
unmute(struct kp_walk_run *run, bool is_array)
{
	struct kp_output *output = run->output;

	if (output != NULL && output->mute_depth == run->walker->depth &&
	    output->mutes_array == is_array)
		kp_output_resume(output, run->pos);
}

static void
begin_element(struct kp_walk_level *level)
{
	level->next = level->fields;
	level->state = KP_AT_FIELDS;
}

/* One that nobody is asked about begins at once. */
static void
next_element(const struct kp_walk_run *run, struct kp_walk_level *level)
{
	level->state = KP_AT_ELEMENT;
	if (level->num_left > 0 &&
	    (level->array == NULL || !kp_walk_wants(run, level->array)))
		begin_element(level);
}

static struct kp_walk_level *
push(struct kp_walk_run *run, const struct kp_field *field, uint32_t num)
{
	struct kp_walker *walker = run->walker;
	struct kp_walk_level *level;

	kp_assert(walker->depth < KP_WALK_MAX_DEPTH);
	level = &walker->levels[walker->depth++];
	level->array = field->is_array ? field : NULL;
	level->fields = field->fields;
	level->num_left = num;
	level->is_in_tag = false;
	level->is_counted = false;
	if (field->kind != KP_STRUCT)
		level->state = KP_AT_ITEMS;
	else
		next_element(run, level);
	return level;
}

static enum kp_step
pop(struct kp_walk_run *run, const struct kp_walk_level *level)
{
	/* What is left out has no counted levels inside. */
	if (level->is_counted)
		kp_output_close(run->output, run->pos);
	unmute(run, true);
	if (--run->walker->depth > 0)
		return KP_STEP_ON;
	if (kp_walk_left(run) > 0)
		return kp_walk_fail(run, NULL, "bytes are left over");
	return KP_STEP_DONE;
}

static enum kp_step
show_element(struct kp_walk_run *run, const struct kp_walk_level *level)
{
	struct kp_replacement replacement = { 0 };
	struct kp_visit visit = { .kind = KP_VISIT_ELEMENT,
		.field = level->array };

	if (level->is_counted)
		kp_output_mark(run->output, run->walker->depth, run->pos);
	switch (kp_walk_ask(run, &visit, &replacement)) {
	case KP_KEEP:
		return KP_STEP_ON;
	case KP_DROP:
		if (!level->is_counted)
			break;
		kp_output_drop(run->output, run->walker->depth);
		return KP_STEP_ON;
	case KP_FAIL:
		return KP_STEP_FAILED;
	case KP_REPLACE:
	case KP_CLEAR:
		break;
	}
	return kp_walk_refuse(run, level->array);
}

static enum kp_step
step_element(struct kp_walk_run *run, struct kp_walk_level *level)
{
	if (level->num_left == 0)
		return pop(run, level);
	begin_element(level);
	if (level->array == NULL || !kp_walk_wants(run, level->array))
		return KP_STEP_ON;
	return show_element(run, level);
}

static enum kp_step
end_element(struct kp_walk_run *run, struct kp_walk_level *level)
{
	unmute(run, false);
	if (--level->num_left == 0)
		return pop(run, level);
	next_element(run, level);
	return KP_STEP_ON;
}

/* What the visitor says to an array of structs before its elements. */
static enum kp_step
show_array(const struct kp_walk_run *run, const struct kp_field *field,
    int32_t num, bool *out_clear)
{
	struct kp_replacement replacement = { 0 };
	struct kp_visit visit = {
		.kind = KP_VISIT_ARRAY, .field = field, .number = num
	};

	switch (kp_walk_ask(run, &visit, &replacement)) {
	case KP_KEEP:
		return KP_STEP_ON;
	case KP_CLEAR:
		if (run->mode != KP_WALK_REWRITE)
			break;
		*out_clear = true;
		return KP_STEP_ON;
	case KP_FAIL:
		return KP_STEP_FAILED;
	case KP_REPLACE:
	case KP_DROP:
		break;
	}
	return kp_walk_refuse(run, field);
}

/* The level of an array whose count is input [at, run->pos). */
static void
push_array(struct kp_walk_run *run, const struct kp_field *field, int32_t num,
    size_t at, bool is_cleared)
{
	bool is_flexible = run->walker->is_flexible;
	bool is_counted = is_writing(run) && kp_walk_wants(run, field);
	struct kp_walk_level *level = push(run, field, (uint32_t)num);
	size_t len = run->pos - at;

	if (is_cleared) {
		kp_output_clear(
		    run->output, run->walker->depth, at, len, is_flexible);
		return;
	}
	if (!is_counted)
		return;
	level->is_counted = true;
	kp_output_open(run->output,
	    is_flexible ? KP_HOLE_COMPACT_COUNT : KP_HOLE_COUNT, at, len,
	    (uint32_t)num);
}

static enum kp_step
read_count(
    struct kp_walk_run *run, const struct kp_field *field, int32_t *out_num)
{
	struct kp_reader reader = kp_walk_reader(run);
	enum kp_step step;

	*out_num = run->walker->is_flexible ? kp_read_compact_length(&reader)
					    : kp_read_length32(&reader);
	step = kp_walk_judge(run, &reader, field);
	if (step != KP_STEP_ON)
		return step;
	if (*out_num < 0 && run->walker->version < field->nullable_since)
		return kp_walk_fail(run, field, "is null");
	run->pos = (size_t)(reader.pos - run->data);
	return KP_STEP_ON;
}

static enum kp_step
begin_array(struct kp_walk_run *run, const struct kp_field *field)
{
	size_t item_len = kp_field_len(field);
	size_t begin = run->pos;
	bool is_cleared = false;
	int32_t num;
	enum kp_step step = read_count(run, field, &num);

	if (step != KP_STEP_ON)
		return step;
	/* Whatever an element is, it takes at least one byte. */
	if (num > 0 &&
	    (size_t)num > kp_walk_left(run) / (item_len > 0 ? item_len : 1))
		return kp_walk_fail(run, field, "counts more than is left");
	if (field->kind == KP_STRUCT && kp_walk_wants(run, field))
		step = show_array(run, field, num, &is_cleared);
	if (step != KP_STEP_ON || num <= 0)
		return step;
	if (item_len > 0 && !kp_walk_wants(run, field)) {
		run->walker->skip_len = (size_t)num * item_len;
		return KP_STEP_ON;
	}
	push_array(run, field, num, begin, is_cleared);
	return KP_STEP_ON;
}

static enum kp_step
begin_struct(struct kp_walk_run *run, const struct kp_field *field)
{
	struct kp_reader reader = kp_walk_reader(run);
	enum kp_step step;
	int8_t marker;

	if (run->walker->version < field->nullable_since) {
		(void)push(run, field, 1);
		return KP_STEP_ON;
	}
	marker = kp_read_int8(&reader);
	step = kp_walk_judge(run, &reader, field);
	if (step != KP_STEP_ON)
		return step;
	run->pos++;
	if (marker >= 0)
		(void)push(run, field, 1);
	return KP_STEP_ON;
}

static enum kp_step
begin_field(struct kp_walk_run *run, const struct kp_field *field)
{
	if (field->is_array)
		return begin_array(run, field);
	if (field->kind == KP_STRUCT)
		return begin_struct(run, field);
	return kp_walk_value(run, field);
}

/* The next field that this version has outside the tagged section, or the end.
 */
static const struct kp_field *
plain_field(const struct kp_walk_run *run, const struct kp_field *field)
{
	while (field->kind != KP_END &&
	       (!kp_field_in(field, run->walker->version) ||
		   kp_field_is_tagged(field, run->walker->version)))
		field++;
	return field;
}

static bool
is_tail(const struct kp_walk_run *run, const struct kp_field *field)
{
	return run->stops_at_tail && run->walker->depth == 1 &&
	       (field->kind == KP_END ? run->walker->is_flexible
				      : field->entity == KP_E_ENDPOINTS);
}

/* May the number of these tagged fields change after the walk? */
static bool
is_left_open(const struct kp_walk_run *run)
{
	return run->leaves_tags_open && run->walker->depth == 1;
}

/* In flexible versions most lengths and counts have one byte: of a string or
 * bytes, or of nothing. */
static size_t
usual_compact_len(uint8_t first, const struct kp_field *field, int16_t version)
{
	if (first == 0) /* null */
		return version >= field->nullable_since ? 1 : 0;
	if (field->is_array)
		return first == 1 ? 1 : 0;
	return first < 0x80 ? first : 0;
}

/* How long a value is with the length in front of it, if that is of the usual
 * kind. Otherwise 0. */
static size_t
usual_len(
    const struct kp_walk_run *run, const struct kp_field *field, size_t have)
{
	const struct kp_walker *walker = run->walker;
	const uint8_t *at = run->data + run->pos;
	size_t prefix_len = field->kind == KP_STRING ? 2 : 4;

	if (have == 0 || (field->kind == KP_STRUCT && !field->is_array))
		return 0;
	if (walker->is_flexible)
		return usual_compact_len(at[0], field, walker->version);
	if (field->is_array || have < prefix_len || (at[0] & 0x80) != 0)
		return 0;
	return prefix_len + (size_t)kp_number_get(at, prefix_len);
}

/*
 * Most values of most messages are of no interest, have the usual form and are
 * there as a whole: how long such a one is, with its length; so is an array of
 * nothing. 0 for all others, which take the long way.
 */
static size_t
passable_len(
    const struct kp_walk_run *run, const struct kp_field *field, size_t have)
{
	size_t len = field->is_array ? 0 : kp_field_len(field);

	if (kp_walk_wants(run, field))
		return 0;
	if (len == 0)
		len = usual_len(run, field, have);
	return len <= have ? len : 0;
}

/* Goes over fields as long as that is short; STEP_ON: up to the next one. */
static enum kp_step
pass_fields(struct kp_walk_run *run, struct kp_walk_level *level)
{
	size_t have = kp_walk_left(run);
	size_t len;

	if (have > run->len - run->pos)
		have = run->len - run->pos;
	for (;;) {
		level->next = plain_field(run, level->next);
		if (is_tail(run, level->next))
			return KP_STEP_TAIL;
		if (level->next->kind == KP_END)
			return KP_STEP_ON;
		len = passable_len(run, level->next, have);
		if (len == 0)
			return KP_STEP_ON;
		run->pos += len;
		have -= len;
		level->next++;
	}
}

/*
 * Begins an array of structs that is of no interest and has the usual count of
 * one byte, as begin_array would do.
 */
static bool
enter_structs(struct kp_walk_run *run, struct kp_walk_level *level)
{
	const struct kp_field *field = level->next;
	uint8_t first;

	if (!field->is_array || field->kind != KP_STRUCT ||
	    !run->walker->is_flexible || run->pos == run->len ||
	    kp_walk_left(run) == 0 || kp_walk_wants(run, field))
		return false;
	first = run->data[run->pos];
	if (first < 2 || first >= 0x80 || first > kp_walk_left(run))
		return false;
	run->pos++;
	level->next++;
	(void)push(run, field, first - 1u);
	return true;
}

/* Nearly no struct has tagged fields. */
static bool
pass_no_tags(struct kp_walk_run *run)
{
	if (kp_walk_left(run) == 0 || run->pos == run->len ||
	    run->data[run->pos] != 0 || is_left_open(run))
		return false;
	run->pos++;
	return true;
}

static enum kp_step
step_fields(struct kp_walk_run *run, struct kp_walk_level *level)
{
	enum kp_step step = pass_fields(run, level);

	if (step != KP_STEP_ON)
		return step;
	if (enter_structs(run, level))
		return KP_STEP_ON;
	if (level->next->kind != KP_END) {
		step = begin_field(run, level->next);
		if (step == KP_STEP_ON)
			level->next++;
		return step;
	}
	if (!run->walker->is_flexible || pass_no_tags(run))
		return end_element(run, level);
	level->state = KP_AT_TAG_COUNT;
	return KP_STEP_ON;
}

static enum kp_step
step_tag_count(struct kp_walk_run *run, struct kp_walk_level *level)
{
	struct kp_reader reader = kp_walk_reader(run);
	uint32_t num = kp_read_uvarint(&reader);
	enum kp_step step = kp_walk_judge(run, &reader, NULL);
	size_t begin = run->pos;

	if (step != KP_STEP_ON)
		return step;
	run->pos = (size_t)(reader.pos - run->data);
	if (num > KP_MAX_TAGS || num > kp_walk_left(run) / 2)
		return kp_walk_fail(run, NULL, "too many tagged fields");
	if (num == 0 && !is_left_open(run))
		return end_element(run, level);
	level->num_tags_left = num;
	level->last_tag = -1;
	level->state = KP_AT_TAGS;
	if (is_writing(run))
		kp_output_open(
		    run->output, KP_HOLE_TAGS, begin, run->pos - begin, num);
	return KP_STEP_ON;
}

static enum kp_step
end_tags(struct kp_walk_run *run, struct kp_walk_level *level)
{
	if (is_writing(run) && !is_left_open(run))
		kp_output_close(run->output, run->pos);
	return end_element(run, level);
}

static enum kp_step
end_tag(struct kp_walk_run *run, struct kp_walk_level *level)
{
	if (kp_walk_left(run) > 0)
		return kp_walk_fail(
		    run, level->next, "is shorter than its tag says");
	if (is_writing(run))
		kp_output_close(run->output, run->pos);
	run->walker->limit = level->outer_limit;
	level->is_in_tag = false;
	return KP_STEP_ON;
}

static const struct kp_field *
tagged_field(const struct kp_walk_run *run, const struct kp_walk_level *level,
    uint32_t tag)
{
	const struct kp_field *field = level->fields;

	for (; field->kind != KP_END; field++)
		if (field->tag >= 0 && (uint32_t)field->tag == tag &&
		    kp_field_in(field, run->walker->version) &&
		    kp_field_is_tagged(field, run->walker->version))
			return field;
	return NULL;
}

/* A field of a later version or of nobody: it could carry anything. */
static void
skip_unknown(struct kp_walk_run *run, size_t begin, uint32_t len)
{
	if (is_writing(run))
		kp_output_remove(run->output, begin, run->pos + len);
	run->walker->skip_len = len;
	run->walker->is_blanking = len > 0;
	run->walker->has_unknown = true;
}

static enum kp_step
begin_tag(struct kp_walk_run *run, struct kp_walk_level *level)
{
	struct kp_reader reader = kp_walk_reader(run);
	uint32_t tag = kp_read_uvarint(&reader);
	const uint8_t *len_at = reader.pos;
	uint32_t len = kp_read_uvarint(&reader);
	enum kp_step step = kp_walk_judge(run, &reader, NULL);
	size_t begin = run->pos;

	if (step != KP_STEP_ON)
		return step;
	if (tag <= level->last_tag)
		return kp_walk_fail(run, NULL, "tagged fields not in order");
	run->pos = (size_t)(reader.pos - run->data);
	if (len > kp_walk_left(run))
		return kp_walk_fail(run, NULL, "a tagged field ends early");
	level->last_tag = tag;
	level->num_tags_left--;
	level->next = tagged_field(run, level, tag);
	if (level->next == NULL) {
		skip_unknown(run, begin, len);
		return KP_STEP_ON;
	}
	if (is_writing(run))
		kp_output_open(run->output, KP_HOLE_TAG_SIZE,
		    (size_t)(len_at - run->data), (size_t)(reader.pos - len_at),
		    len);
	level->outer_limit = run->walker->limit;
	run->walker->limit = run->walker->offset + run->pos + len;
	level->is_in_tag = true;
	level->state = KP_AT_TAG_VALUE;
	return KP_STEP_ON;
}

static enum kp_step
step_tags(struct kp_walk_run *run, struct kp_walk_level *level)
{
	if (level->is_in_tag)
		return end_tag(run, level);
	if (level->num_tags_left == 0)
		return end_tags(run, level);
	return begin_tag(run, level);
}

static enum kp_step
step_tag_value(struct kp_walk_run *run, struct kp_walk_level *level)
{
	enum kp_step step = begin_field(run, level->next);

	if (step == KP_STEP_ON)
		level->state = KP_AT_TAGS;
	return step;
}

static enum kp_step
step_items(struct kp_walk_run *run, struct kp_walk_level *level)
{
	enum kp_step step;

	if (level->num_left == 0)
		return pop(run, level);
	step = kp_walk_value(run, level->array);
	if (step == KP_STEP_ON)
		level->num_left--;
	return step;
}

/* Shows records that pass by; *len is how many there are, and then were. */
static enum kp_step
show_piece(struct kp_walk_run *run, size_t *len)
{
	struct kp_walker *walker = run->walker;
	struct kp_replacement answer = { 0 };
	struct kp_visit visit = { .kind = KP_VISIT_PIECE,
		.field = walker->shown_field,
		.data = run->data + run->pos,
		.len = *len };

	if (walker->unseen_len > 0) {
		if (*len > walker->unseen_len)
			*len = walker->unseen_len;
		walker->unseen_len -= *len;
		return KP_STEP_ON;
	}
	switch (kp_walk_ask(run, &visit, &answer)) {
	case KP_KEEP:
		break;
	case KP_FAIL:
		return KP_STEP_FAILED;
	case KP_REPLACE:
	case KP_DROP:
	case KP_CLEAR:
		return kp_walk_refuse(run, visit.field);
	}
	walker->unseen_len = walker->skip_len - *len;
	if (answer.number < (int64_t)walker->unseen_len)
		walker->unseen_len =
		    answer.number < 0 ? 0 : (size_t)answer.number;
	return KP_STEP_ON;
}

enum kp_step
kp_walk_skip(struct kp_walk_run *run)
{
	struct kp_walker *walker = run->walker;
	size_t len = run->len - run->pos;

	if (len == 0)
		return KP_STEP_MORE;
	if (len > walker->skip_len)
		len = walker->skip_len;
	if (walker->shown_field != NULL &&
	    show_piece(run, &len) == KP_STEP_FAILED)
		return KP_STEP_FAILED;
	if (walker->is_blanking && run->mode == KP_WALK_IN_PLACE)
		memset(run->data + run->pos, 0, len);
	run->pos += len;
	walker->skip_len -= len;
	if (walker->skip_len > 0)
		return KP_STEP_ON;
	walker->is_blanking = false;
	walker->shown_field = NULL;
	return KP_STEP_ON;
}

static enum kp_step
take_step(struct kp_walk_run *run)
{
	struct kp_walk_level *level = kp_walk_top(run);

	if (run->walker->skip_len > 0)
		return kp_walk_skip(run);
	switch ((enum kp_walk_state)level->state) {
	case KP_AT_ELEMENT:
		return step_element(run, level);
	case KP_AT_FIELDS:
		return step_fields(run, level);
	case KP_AT_TAG_COUNT:
		return step_tag_count(run, level);
	case KP_AT_TAGS:
		return step_tags(run, level);
	case KP_AT_TAG_VALUE:
		return step_tag_value(run, level);
	case KP_AT_ITEMS:
		return step_items(run, level);
	}
	kp_assert(false);
}

enum kp_walk_status
kp_walk_run(struct kp_walk_run *run)
{
	enum kp_step step = KP_STEP_ON;

	kp_assert(run->walker->depth > 0);
	while (step == KP_STEP_ON) {
		step = take_step(run);
		if (run->output != NULL &&
		    !kp_output_check(run->output, run->err))
			return KP_WALK_FAILED;
	}
	switch (step) {
	case KP_STEP_MORE:
		return KP_WALK_MORE;
	case KP_STEP_TAIL:
		return KP_WALK_TAIL;
	case KP_STEP_DONE:
		return KP_WALK_DONE;
	case KP_STEP_ON:
	case KP_STEP_FAILED:
		break;
	}
	return KP_WALK_FAILED;
}
