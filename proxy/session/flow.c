/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/session/flow.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"

/* Then the other direction has its turn: 16 windows are 1 MiB. */
#define TURNS 16

/* What one step of taking bytes came to. */
enum step {
	STEP_AGAIN, /* took something */
	STEP_MORE,  /* needs bytes that are not there */
	STEP_HELD,
	STEP_FAILED,
};

void
kp_flow_init(struct kp_flow *flow, const struct kp_flow_owner *owner,
    struct kp_stream *from, struct kp_stream *to, struct kp_pool *pool)
{
	*flow = (struct kp_flow){
		.owner = *owner,
		.from = from,
		.to = to,
		.pool = pool,
		.mode = KP_FLOW_BEGIN,
		.max_spans = KP_FLOW_SPANS,
	};
	flow->spans = flow->inline_spans;
}

static size_t
available(const struct kp_flow *flow)
{
	return flow->end - flow->start;
}

/* Where the available bytes begin; never NULL, so that adding 0 is defined. */
static uint8_t *
position(struct kp_flow *flow)
{
	return flow->window == NULL ? flow->head : flow->window + flow->start;
}

static void
release_large(struct kp_flow *flow)
{
	if (flow->large == NULL)
		return;
	free(flow->large);
	kp_pool_uncharge(flow->pool, flow->large_len);
	flow->large = NULL;
	flow->large_len = 0;
	flow->large_have = 0;
}

static void
release_window(struct kp_flow *flow)
{
	kp_pool_put(flow->pool, flow->window);
	flow->window = NULL;
	flow->start = 0;
	flow->end = 0;
}

void
kp_flow_fini(struct kp_flow *flow)
{
	release_large(flow);
	release_window(flow);
	kp_rewrite_fini(&flow->rewrite);
	kp_buf_fini(&flow->answer);
	if (flow->spans != flow->inline_spans)
		free(flow->spans);
}

bool
kp_flow_is_idle(const struct kp_flow *flow)
{
	return flow->mode == KP_FLOW_BEGIN && flow->start == flow->end &&
	       flow->num_spans == 0;
}

void
kp_flow_pass(struct kp_flow *flow, size_t frame_len)
{
	flow->mode = KP_FLOW_PASS;
	flow->frame_left = frame_len;
}

void
kp_flow_discard(struct kp_flow *flow, size_t frame_len)
{
	flow->mode = KP_FLOW_DISCARD;
	flow->frame_left = frame_len;
}

bool
kp_flow_collect(struct kp_flow *flow, size_t frame_len, struct kp_error *err)
{
	size_t have = available(flow);

	flow->mode = KP_FLOW_COLLECT;
	flow->frame_left = frame_len;
	if (frame_len <= KP_BUFFER_LEN)
		return true;
	if (!kp_pool_charge(flow->pool, frame_len))
		return kp_error_set(err, KP_ERR_LIMIT,
		    "no memory within the limit for a frame of %zu bytes",
		    frame_len);
	flow->large = kp_try_alloc(frame_len);
	flow->large_len = frame_len;
	if (flow->large == NULL) {
		kp_pool_uncharge(flow->pool, frame_len);
		flow->large_len = 0;
		return kp_error_set(err, KP_ERR_LIMIT,
		    "no memory for a frame of %zu bytes", frame_len);
	}
	if (have > frame_len)
		have = frame_len;
	kp_copy(flow->large, position(flow), have);
	flow->large_have = have;
	flow->start += have;
	return true;
}

void
kp_flow_take_head(struct kp_flow *flow, size_t head_len, size_t new_len)
{
	kp_assert(head_len <= available(flow) && new_len <= KP_FLOW_HEAD_LEN);
	if (new_len == 0) {
		kp_flow_add(flow, position(flow), head_len);
	} else {
		kp_flow_add(flow, flow->head, new_len);
		flow->is_sealed = true;
	}
	flow->start += head_len;
}

void
kp_flow_pieces(struct kp_flow *flow, size_t body_len,
    const struct kp_message *message, const struct kp_visitor *visitor,
    const struct kp_visitor *tail_visitor)
{
	flow->mode = KP_FLOW_PIECES;
	flow->frame_left = body_len;
	kp_walk_init(
	    &flow->walker, message, flow->api_version, body_len, visitor);
	if (tail_visitor == NULL)
		return;
	flow->tail_visitor = *tail_visitor;
	kp_walk_stop_at_tail(&flow->walker);
}

static void
double_spans(struct kp_flow *flow)
{
	struct iovec *spans = kp_alloc(2 * flow->max_spans, sizeof(*spans));

	kp_copy(spans, flow->spans, flow->num_spans * sizeof(*spans));
	if (flow->spans != flow->inline_spans)
		free(flow->spans);
	flow->spans = spans;
	flow->max_spans *= 2;
}

/* Makes the last span longer if data lies right behind it. */
static bool
extend_last(struct kp_flow *flow, const uint8_t *data, size_t len)
{
	struct iovec *last;

	if (flow->num_spans == 0)
		return false;
	last = &flow->spans[flow->num_spans - 1];
	if ((uint8_t *)last->iov_base + last->iov_len != data)
		return false;
	last->iov_len += len;
	return true;
}

static void
add_span(struct kp_flow *flow, void *data, size_t len)
{
	if (len == 0 || extend_last(flow, data, len))
		return;
	if (flow->num_spans == flow->max_spans)
		double_spans(flow);
	flow->spans[flow->num_spans++] =
	    (struct iovec){ .iov_base = data, .iov_len = len };
}

void
kp_flow_add(struct kp_flow *flow, const void *data, size_t len)
{
	/* writev takes what it only reads without const */
	add_span(flow, (void *)(uintptr_t)data, len);
}

void
kp_flow_add_rewrite(struct kp_flow *flow)
{
	for (unsigned i = 0; i < flow->rewrite.num_spans; i++)
		add_span(flow, flow->rewrite.spans[i].iov_base,
		    flow->rewrite.spans[i].iov_len);
	flow->is_sealed = true;
}

void
kp_flow_add_answer(struct kp_flow *flow, struct kp_buf *buf)
{
	kp_assert(!flow->is_sealed);
	flow->answer = *buf;
	*buf = (struct kp_buf){ 0 };
	add_span(flow, flow->answer.data, flow->answer.len);
	flow->is_sealed = true;
}

static void
end_frame(struct kp_flow *flow)
{
	flow->mode = KP_FLOW_BEGIN;
	flow->is_tail = false;
	flow->progress_len = 0;
	flow->progress_ms = available(flow) == 0 ? 0 : flow->read_ns / 1000000;
}

static enum step
take_begin(struct kp_flow *flow, struct kp_error *err)
{
	switch (flow->owner.begin(
	    flow->owner.session, flow, position(flow), available(flow), err)) {
	case KP_BEGIN_OK:
		return STEP_AGAIN;
	case KP_BEGIN_MORE:
		return STEP_MORE;
	case KP_BEGIN_HOLD:
		return STEP_HELD;
	case KP_BEGIN_FAILED:
		break;
	}
	return STEP_FAILED;
}

static enum step
take_through(struct kp_flow *flow)
{
	size_t len = available(flow);

	if (len == 0)
		return STEP_MORE;
	if (len > flow->frame_left)
		len = flow->frame_left;
	if (flow->mode == KP_FLOW_PASS)
		add_span(flow, position(flow), len);
	flow->start += len;
	flow->frame_left -= len;
	if (flow->frame_left == 0)
		end_frame(flow);
	return STEP_AGAIN;
}

static enum step
take_piece(struct kp_flow *flow, struct kp_error *err)
{
	size_t len = available(flow), used = 0;
	enum kp_walk_status status;

	if (len > flow->frame_left)
		len = flow->frame_left;
	status = kp_walk_feed(&flow->walker, position(flow), len, &used, err);
	if (status == KP_WALK_FAILED)
		return STEP_FAILED;
	add_span(flow, position(flow), used);
	flow->start += used;
	flow->frame_left -= used;
	if (status == KP_WALK_MORE)
		return STEP_MORE;
	if (status == KP_WALK_DONE) {
		end_frame(flow);
		return STEP_AGAIN;
	}
	flow->is_tail = true;
	return kp_flow_collect(flow, flow->frame_left, err) ? STEP_AGAIN
							    : STEP_FAILED;
}

static bool
finish_collected(
    struct kp_flow *flow, struct kp_bytes frame, struct kp_error *err)
{
	if (!flow->is_tail)
		return flow->owner.collected(
		    flow->owner.session, flow, frame, err);
	flow->walker.visitor = flow->tail_visitor;
	if (!kp_walk_tail(&flow->walker, frame, &flow->rewrite, err))
		return false;
	kp_flow_add_rewrite(flow);
	return true;
}

static enum step
take_collected(struct kp_flow *flow, struct kp_error *err)
{
	struct kp_bytes frame = { flow->large, flow->large_len };

	if (flow->large != NULL && flow->large_have < flow->large_len)
		return STEP_MORE;
	if (flow->large == NULL) {
		if (available(flow) < flow->frame_left)
			return STEP_MORE;
		frame.data = position(flow);
		frame.len = flow->frame_left;
		flow->start += frame.len;
	}
	if (!finish_collected(flow, frame, err))
		return STEP_FAILED;
	flow->is_sealed = true;
	end_frame(flow);
	return STEP_AGAIN;
}

static enum step
take_one(struct kp_flow *flow, struct kp_error *err)
{
	switch (flow->mode) {
	case KP_FLOW_BEGIN:
		return take_begin(flow, err);
	case KP_FLOW_PASS:
	case KP_FLOW_DISCARD:
		return take_through(flow);
	case KP_FLOW_PIECES:
		return take_piece(flow, err);
	case KP_FLOW_COLLECT:
		break;
	}
	return take_collected(flow, err);
}

static void
all_written(struct kp_flow *flow)
{
	kp_rewrite_clear(&flow->rewrite);
	kp_buf_fini(&flow->answer);
	if (flow->large != NULL && flow->mode != KP_FLOW_COLLECT)
		release_large(flow);
	if (flow->spans != flow->inline_spans) {
		free(flow->spans);
		flow->spans = flow->inline_spans;
		flow->max_spans = KP_FLOW_SPANS;
	}
	flow->num_spans = 0;
	flow->next_span = 0;
	flow->is_sealed = false;
	flow->blocked_ms = 0;
	if (flow->num_begun > 0)
		flow->added_ns = kp_now_ns() - flow->read_ns;
}

static enum step
take(struct kp_flow *flow, struct kp_error *err)
{
	enum step step = STEP_AGAIN;

	if (flow->is_sealed) /* by something that left nothing to write */
		all_written(flow);
	while (step == STEP_AGAIN && !flow->is_sealed &&
	       flow->num_spans < KP_FLOW_SPANS)
		step = take_one(flow, err);
	return step;
}

static void
count_written(struct kp_flow *flow, size_t len)
{
	flow->written_len += len;
	while (len > 0) {
		struct iovec *span = &flow->spans[flow->next_span];

		if (len < span->iov_len) {
			span->iov_base = (uint8_t *)span->iov_base + len;
			span->iov_len -= len;
			return;
		}
		len -= span->iov_len;
		flow->next_span++;
	}
}

static enum kp_flow_status
write_spans(struct kp_flow *flow, struct kp_error *err)
{
	size_t len = 0;
	enum kp_io io =
	    kp_stream_writev(flow->to, &flow->spans[flow->next_span],
		flow->num_spans - flow->next_span, &len, err);

	if (io == KP_IO_FAILED || io == KP_IO_CLOSED)
		return KP_FLOW_BROKEN;
	if (io == KP_IO_DONE) {
		flow->written_len += len;
		all_written(flow);
		return KP_FLOW_YIELD;
	}
	count_written(flow, len);
	if (len > 0 || flow->blocked_ms == 0)
		flow->blocked_ms = kp_now_ms();
	return KP_FLOW_WANTS_WRITE;
}

/* Makes room behind what is in the window; nothing refers to it now. */
static bool
make_room(struct kp_flow *flow, struct kp_error *err)
{
	size_t needed = flow->start + 1;

	if (flow->window == NULL) {
		flow->window = kp_pool_get(flow->pool);
		if (flow->window == NULL)
			return kp_error_set(err, KP_ERR_LIMIT,
			    "no buffer within the memory limit");
	}
	if (flow->mode == KP_FLOW_COLLECT)
		needed = flow->start + flow->frame_left;
	if (flow->start == flow->end || flow->end == KP_BUFFER_LEN ||
	    needed > KP_BUFFER_LEN) {
		kp_move(
		    flow->window, flow->window + flow->start, available(flow));
		flow->end -= flow->start;
		flow->start = 0;
	}
	if (flow->end == KP_BUFFER_LEN)
		return kp_error_set(err, KP_ERR_LIMIT,
		    "header of more than %zu bytes", (size_t)KP_BUFFER_LEN);
	return true;
}

static void
note_read(struct kp_flow *flow, size_t len)
{
	flow->read_ns = kp_now_ns();
	flow->progress_len += len;
	if (flow->progress_ms == 0 ||
	    flow->progress_len >= KP_FLOW_PROGRESS_LEN) {
		flow->progress_ms = flow->read_ns / 1000000;
		flow->progress_len = 0;
	}
}

static enum kp_flow_status
status_of(struct kp_flow *flow, enum kp_io io)
{
	switch (io) {
	case KP_IO_DONE:
		return KP_FLOW_YIELD;
	case KP_IO_WANT_READ:
	case KP_IO_WANT_WRITE:
		if (available(flow) == 0)
			release_window(flow);
		return KP_FLOW_WANTS_READ;
	case KP_IO_CLOSED:
		return KP_FLOW_CLOSED;
	case KP_IO_FAILED:
		break;
	}
	return KP_FLOW_FAILED;
}

static enum kp_flow_status
fill(struct kp_flow *flow, struct kp_error *err)
{
	size_t len = 0;
	enum kp_io io;

	if (flow->large != NULL) {
		io = kp_stream_read(flow->from, flow->large + flow->large_have,
		    flow->large_len - flow->large_have, &len, err);
		flow->large_have += io == KP_IO_DONE ? len : 0;
	} else {
		if (!make_room(flow, err))
			return KP_FLOW_FAILED;
		io = kp_stream_read(flow->from, flow->window + flow->end,
		    KP_BUFFER_LEN - flow->end, &len, err);
		flow->end += io == KP_IO_DONE ? len : 0;
	}
	if (io == KP_IO_DONE)
		note_read(flow, len);
	return status_of(flow, io);
}

enum kp_flow_status
kp_flow_run(struct kp_flow *flow, struct kp_error *err)
{
	enum kp_flow_status status;

	for (int turn = 0; turn < TURNS; turn++) {
		if (flow->num_spans > 0) {
			status = write_spans(flow, err);
			if (status != KP_FLOW_YIELD)
				return status;
		}
		switch (take(flow, err)) {
		case STEP_AGAIN:
			continue;
		case STEP_HELD:
			if (flow->num_spans > 0)
				continue;
			return KP_FLOW_HELD;
		case STEP_FAILED:
			/* what came before goes on; then it fails again */
			if (flow->num_spans > 0 && flow->mode == KP_FLOW_BEGIN)
				continue;
			return KP_FLOW_FAILED;
		case STEP_MORE:
			break;
		}
		if (flow->num_spans > 0)
			continue;
		status = fill(flow, err);
		if (status != KP_FLOW_YIELD)
			return status;
	}
	return KP_FLOW_YIELD;
}
