/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/kafka/rewrite_priv.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "proto/kafka/writer.h"

#define MIN_CHUNK 16384
#define MAX_KEPT_CHUNK 65536
#define MIN_SPANS 16
#define MAX_KEPT_SPANS 4096
/* Copying this much is cheaper than a span of its own in writev. */
#define MAX_COPIED_RUN 256

/* Memory of new content, the newest chunk first. Never moves. */
struct kp_arena_chunk {
	struct kp_arena_chunk *next;
	size_t used, size;
	uint8_t data[];
};

static void
free_chunks(struct kp_arena_chunk *chunk)
{
	while (chunk != NULL) {
		struct kp_arena_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}

void
kp_rewrite_clear(struct kp_rewrite *rewrite)
{
	struct kp_arena_chunk *chunk = rewrite->arena;

	if (chunk != NULL) {
		free_chunks(chunk->next);
		chunk->next = NULL;
		chunk->used = 0;
	}
	if (chunk != NULL && chunk->size > MAX_KEPT_CHUNK) {
		free(chunk);
		rewrite->arena = NULL;
	}
	if (rewrite->max_spans > MAX_KEPT_SPANS) {
		free(rewrite->spans);
		rewrite->spans = NULL;
		rewrite->max_spans = 0;
	}
	rewrite->num_spans = 0;
	rewrite->total_len = 0;
	rewrite->is_changed = false;
}

void
kp_rewrite_fini(struct kp_rewrite *rewrite)
{
	free_chunks(rewrite->arena);
	free(rewrite->spans);
	*rewrite = (struct kp_rewrite){ 0 };
}

size_t
kp_rewrite_memory(const struct kp_rewrite *rewrite)
{
	size_t len = rewrite->max_spans * sizeof(*rewrite->spans);

	for (const struct kp_arena_chunk *chunk = rewrite->arena; chunk != NULL;
	     chunk = chunk->next)
		len += sizeof(*chunk) + chunk->size;
	return len;
}

void
kp_output_init(
    struct kp_output *output, struct kp_rewrite *rewrite, const uint8_t *input)
{
	kp_rewrite_clear(rewrite);
	output->rewrite = rewrite;
	output->input = input;
	output->flushed = 0;
	output->failed = false;
	output->mute_depth = 0;
	output->num_holes = 0;
	output->num_made = 0;
}

static bool
grow_spans(struct kp_rewrite *rewrite)
{
	unsigned max = rewrite->max_spans * 2;
	struct iovec *spans;

	if (rewrite->max_spans >= KP_REWRITE_MAX_SPANS)
		return false;
	if (max < MIN_SPANS)
		max = MIN_SPANS;
	spans = kp_try_realloc(rewrite->spans, max * sizeof(*spans));
	if (spans == NULL)
		return false;
	rewrite->spans = spans;
	rewrite->max_spans = max;
	return true;
}

static bool
reserve_spans(struct kp_output *output, unsigned num)
{
	struct kp_rewrite *rewrite = output->rewrite;

	while (rewrite->num_spans + num > rewrite->max_spans) {
		if (!grow_spans(rewrite)) {
			output->failed = true;
			return false;
		}
	}
	return true;
}

static void
add_span(struct kp_output *output, const uint8_t *data, size_t len)
{
	struct kp_rewrite *rewrite = output->rewrite;

	if (len == 0 || output->failed || !reserve_spans(output, 1))
		return;
	/* writev's type has no const; nobody writes through a span. */
	rewrite->spans[rewrite->num_spans++] =
	    (struct iovec){ (void *)(uintptr_t)data, len };
	rewrite->total_len += len;
}

/* Room for len bytes in one piece; NULL on failure. */
static uint8_t *
arena_room(struct kp_output *output, size_t len)
{
	struct kp_arena_chunk *chunk = output->rewrite->arena;
	size_t size = len > MIN_CHUNK ? len : MIN_CHUNK;

	if (chunk != NULL && len <= chunk->size - chunk->used)
		return chunk->data + chunk->used;
	if (chunk != NULL && size < MAX_KEPT_CHUNK)
		size = MAX_KEPT_CHUNK; /* it was not a small answer */
	chunk = len <= INT32_MAX ? kp_try_alloc(sizeof(*chunk) + size) : NULL;
	if (chunk == NULL) {
		output->failed = true;
		return NULL;
	}
	*chunk = (struct kp_arena_chunk){ .next = output->rewrite->arena,
		.size = size };
	output->rewrite->arena = chunk;
	return chunk->data;
}

static const uint8_t *
arena_copy(struct kp_output *output, struct kp_bytes content)
{
	uint8_t *room;

	if (output->failed)
		return NULL;
	room = arena_room(output, content.len);
	if (room == NULL)
		return NULL;
	kp_copy(room, content.data, content.len);
	output->rewrite->arena->used += content.len;
	return room;
}

/* Makes the last span longer if data lies right behind it. */
static bool
extend_last(struct kp_rewrite *rewrite, const uint8_t *data, size_t len)
{
	struct iovec *last;

	if (rewrite->num_spans == 0)
		return false;
	last = &rewrite->spans[rewrite->num_spans - 1];
	if ((uint8_t *)last->iov_base + last->iov_len != data)
		return false;
	last->iov_len += len;
	rewrite->total_len += len;
	return true;
}

void
kp_output_append(struct kp_output *output, struct kp_bytes content)
{
	const uint8_t *copy;

	if (content.len == 0)
		return;
	copy = arena_copy(output, content);
	if (copy != NULL && !extend_last(output->rewrite, copy, content.len))
		add_span(output, copy, content.len);
}

/* Writes the input up to at as it is. */
static void
flush(struct kp_output *output, size_t at)
{
	struct kp_bytes run = { output->input + output->flushed,
		at - output->flushed };

	kp_assert(at >= output->flushed);
	if (run.len <= MAX_COPIED_RUN && output->rewrite->num_spans > 0)
		kp_output_append(output, run);
	else
		add_span(output, run.data, run.len);
	output->flushed = at;
}

void
kp_output_make_holes(struct kp_output *output)
{
	for (; output->num_made < output->num_holes; output->num_made++) {
		struct kp_hole *hole = &output->holes[output->num_made];
		struct kp_bytes old = { output->input + hole->at, hole->len };

		flush(output, hole->at);
		kp_output_append(output, old);
		if (output->failed)
			return;
		output->flushed = hole->at + hole->len;
		hole->span = output->rewrite->num_spans - 1;
		hole->offset =
		    output->rewrite->spans[hole->span].iov_len - hole->len;
	}
}

static void
begin_change(struct kp_output *output, size_t at)
{
	output->rewrite->is_changed = true;
	kp_output_make_holes(output);
	flush(output, at);
}

void
kp_output_replace(struct kp_output *output, size_t from, size_t to,
    struct kp_bytes head, struct kp_bytes body)
{
	begin_change(output, from);
	kp_output_append(output, head);
	kp_output_append(output, body);
	output->flushed = to;
}

/* How long the output will be if the input up to at is kept from here. */
static size_t
length_at(const struct kp_output *output, size_t at)
{
	return output->rewrite->total_len + (at - output->flushed);
}

void
kp_output_open(struct kp_output *output, enum kp_hole_kind kind, size_t at,
    size_t len, uint32_t value)
{
	kp_assert(output->num_holes < KP_OUTPUT_MAX_HOLES);
	output->holes[output->num_holes++] = (struct kp_hole){ .kind = kind,
		.at = at,
		.len = len,
		.value = value,
		.kept = value,
		.begin = length_at(output, at + len) };
}

/*
 * Cuts the span with the hole into what is before it, content, and what is
 * behind it.
 */
static void
split_at_hole(struct kp_output *output, const struct kp_hole *hole,
    struct kp_bytes content)
{
	struct kp_rewrite *rewrite = output->rewrite;
	const uint8_t *copy = arena_copy(output, content);
	struct iovec whole, *spans;
	size_t end = hole->offset + hole->len;

	if (copy == NULL || !reserve_spans(output, 2))
		return;
	spans = rewrite->spans + hole->span;
	whole = spans[0];
	kp_move(spans + 3, spans + 1,
	    (rewrite->num_spans - hole->span - 1) * sizeof(*spans));
	spans[0].iov_len = hole->offset;
	spans[1] = (struct iovec){ (void *)(uintptr_t)copy, content.len };
	spans[2] = (struct iovec){ (uint8_t *)whole.iov_base + end,
		whole.iov_len - end };
	rewrite->num_spans += 2;
	rewrite->total_len += content.len - hole->len;
}

static size_t
encode(uint8_t out[KP_UVARINT_MAX_LEN], enum kp_hole_kind kind, uint32_t value)
{
	if (kind == KP_HOLE_COMPACT_COUNT)
		return kp_uvarint_put(out, value + 1);
	if (kind != KP_HOLE_COUNT)
		return kp_uvarint_put(out, value);
	kp_number_put(out, value, sizeof(int32_t));
	return sizeof(int32_t);
}

static void
patch(struct kp_output *output, const struct kp_hole *hole, uint32_t value)
{
	uint8_t text[KP_UVARINT_MAX_LEN];
	struct kp_bytes content = { text, encode(text, hole->kind, value) };
	struct iovec *span = &output->rewrite->spans[hole->span];

	if (content.len != hole->len)
		split_at_hole(output, hole, content);
	else
		kp_copy((uint8_t *)span->iov_base + hole->offset, text,
		    content.len);
}

void
kp_output_close(struct kp_output *output, size_t at)
{
	bool is_made = output->num_made == output->num_holes;
	const struct kp_hole *hole;
	uint32_t value;

	kp_assert(output->num_holes > 0);
	hole = &output->holes[--output->num_holes];
	if (is_made)
		output->num_made--;
	if (output->failed)
		return;
	value = hole->kept;
	if (hole->kind == KP_HOLE_TAG_SIZE)
		value = (uint32_t)(length_at(output, at) - hole->begin);
	if (value == hole->value)
		return;
	kp_assert(is_made);
	patch(output, hole, value);
}

static struct kp_hole *
innermost(struct kp_output *output)
{
	kp_assert(output->num_holes > 0);
	return &output->holes[output->num_holes - 1];
}

void
kp_output_add_tag(struct kp_output *output)
{
	innermost(output)->kept++;
}

size_t
kp_output_closed_len(struct kp_output *output)
{
	const struct kp_hole *hole = innermost(output);

	return output->rewrite->total_len - hole->len +
	       kp_uvarint_len(hole->kept);
}

void
kp_output_remove(struct kp_output *output, size_t from, size_t to)
{
	innermost(output)->kept--;
	begin_change(output, from);
	output->flushed = to;
}

void
kp_output_mark(struct kp_output *output, unsigned depth, size_t at)
{
	struct kp_rewrite *rewrite = output->rewrite;
	unsigned num = rewrite->num_spans;

	output->marks[depth] = (struct kp_output_mark){ .at = at,
		.flushed = output->flushed,
		.num_holes = output->num_holes,
		.num_spans = num,
		.last_span_len = num > 0 ? rewrite->spans[num - 1].iov_len : 0,
		.total_len = rewrite->total_len,
		.chunk = rewrite->arena,
		.chunk_used = rewrite->arena ? rewrite->arena->used : 0 };
}

/* Was the hole, which is an outer one, made only since the mark? */
static bool
is_behind(const struct kp_hole *hole, const struct kp_output_mark *mark)
{
	return hole->span >= mark->num_spans ||
	       (hole->span == mark->num_spans - 1 &&
		   hole->offset >= mark->last_span_len);
}

static void
go_back(struct kp_output *output, const struct kp_output_mark *mark)
{
	struct kp_rewrite *rewrite = output->rewrite;

	rewrite->num_spans = mark->num_spans;
	if (mark->num_spans > 0)
		rewrite->spans[mark->num_spans - 1].iov_len =
		    mark->last_span_len;
	rewrite->total_len = mark->total_len;
	/* Of older chunks nothing is given back: the message is short-lived. */
	if (rewrite->arena != NULL && rewrite->arena == mark->chunk)
		rewrite->arena->used = mark->chunk_used;
	output->flushed = mark->flushed;
	output->num_holes = mark->num_holes;
	if (output->num_made > mark->num_holes)
		output->num_made = mark->num_holes;
	while (output->num_made > 0 &&
	       is_behind(&output->holes[output->num_made - 1], mark))
		output->num_made--;
}

void
kp_output_drop(struct kp_output *output, unsigned depth)
{
	const struct kp_output_mark *mark = &output->marks[depth];

	if (output->failed)
		return;
	go_back(output, mark);
	kp_output_remove(output, mark->at, mark->at);
	output->mute_depth = depth;
	output->mutes_array = false;
}

void
kp_output_clear(struct kp_output *output, unsigned depth, size_t at, size_t len,
    bool is_compact)
{
	static const uint8_t none[] = { 0, 0, 0, 0 }, compact_none[] = { 1 };
	struct kp_bytes count = { none, sizeof(none) };

	if (is_compact)
		count = (struct kp_bytes){ compact_none, sizeof(compact_none) };
	kp_output_replace(output, at, at + len, count, (struct kp_bytes){ 0 });
	output->mute_depth = depth;
	output->mutes_array = true;
}

void
kp_output_resume(struct kp_output *output, size_t at)
{
	output->mute_depth = 0;
	output->flushed = at;
}

bool
kp_output_check(const struct kp_output *output, struct kp_error *err)
{
	if (output->failed)
		return kp_error_set(
		    err, KP_ERR_LIMIT, "no memory for the new message");
	return true;
}

bool
kp_output_finish(
    struct kp_output *output, size_t input_len, struct kp_error *err)
{
	if (!output->rewrite->is_changed) {
		output->rewrite->num_spans = 0;
		output->rewrite->total_len = 0;
		output->flushed = 0;
	}
	flush(output, input_len);
	if (output->rewrite->total_len > INT32_MAX)
		return kp_error_set(err, KP_ERR_LIMIT,
		    "the new message would have %zu bytes",
		    output->rewrite->total_len);
	return kp_output_check(output, err);
}
