/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/session/flow.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "proxy/session/flow_priv.h"

/* Then the other direction has its turn: 16 windows are 1 MiB. */
#define TURNS 16
/* Most of a frame of this length can go on without being seen. */
#define BULKY_LEN ((size_t)256 * 1024)

/* What one step of taking bytes came to. */
enum step {
	STEP_AGAIN, /* took something */
	STEP_MORE,  /* needs bytes that are not there */
	STEP_HELD,
	STEP_FAILED,
};

void
kp_flow_init(struct kp_flow *flow, const struct kp_flow_owner *owner,
    struct kp_stream *from, struct kp_stream *to, struct kp_share *share,
    struct kp_pipes *pipes, const int64_t *now_ns)
{
	*flow = (struct kp_flow){
		.owner = *owner,
		.from = from,
		.to = to,
		.share = share,
		.pipes = pipes,
		.now_ns = now_ns,
		.mode = KP_FLOW_BEGIN,
		.max_spans = KP_FLOW_SPANS,
	};
	flow->spans = flow->inline_spans;
}

void
kp_flow_fini(struct kp_flow *flow)
{
	kp_flow_release(flow);
	kp_buf_fini(&flow->kept);
}

bool
kp_flow_is_idle(const struct kp_flow *flow)
{
	return flow->mode == KP_FLOW_BEGIN && kp_flow_available(flow) == 0 &&
	       !kp_flow_has_unwritten(flow);
}

void
kp_flow_pass(struct kp_flow *flow, size_t frame_len)
{
	flow->mode = KP_FLOW_PASS;
	flow->frame_left = frame_len;
	flow->is_bulky = frame_len >= BULKY_LEN;
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
	size_t have = kp_flow_available(flow);

	flow->mode = KP_FLOW_COLLECT;
	flow->frame_left = frame_len;
	if (frame_len <= KP_BUFFER_LEN)
		return true;
	if (!kp_share_charge(flow->share, flow->owner.part, frame_len))
		return kp_error_set(err, KP_ERR_LIMIT,
		    "no memory within the limit for a frame of %zu bytes",
		    frame_len);
	flow->large = kp_try_alloc(frame_len);
	flow->large_len = frame_len;
	if (flow->large == NULL) {
		kp_share_uncharge(flow->share, flow->owner.part, frame_len);
		flow->large_len = 0;
		return kp_error_set(err, KP_ERR_LIMIT,
		    "no memory for a frame of %zu bytes", frame_len);
	}
	if (have > frame_len)
		have = frame_len;
	kp_copy(flow->large, kp_flow_position(flow), have);
	flow->large_have = have;
	flow->start += have;
	return true;
}

void
kp_flow_take_head(struct kp_flow *flow, size_t head_len, size_t new_len)
{
	kp_assert(
	    head_len <= kp_flow_available(flow) && new_len <= KP_FLOW_HEAD_LEN);
	if (new_len == 0) {
		kp_flow_add(flow, kp_flow_position(flow), head_len);
	} else {
		kp_flow_add_head(flow, new_len);
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
	flow->is_bulky = body_len >= BULKY_LEN;
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
kp_flow_add_head(struct kp_flow *flow, size_t len)
{
	kp_flow_add(flow, flow->head, len);
	flow->is_sealed = true;
}

bool
kp_flow_add_rewrite(struct kp_flow *flow, struct kp_error *err)
{
	size_t len = kp_rewrite_memory(&flow->rewrite);

	if (!kp_share_charge(flow->share, flow->owner.part, len))
		return kp_error_set(err, KP_ERR_LIMIT,
		    "no memory within the limit for %zu bytes of new content",
		    len);
	flow->charged_len = len;
	for (unsigned i = 0; i < flow->rewrite.num_spans; i++)
		add_span(flow, flow->rewrite.spans[i].iov_base,
		    flow->rewrite.spans[i].iov_len);
	flow->is_sealed = true;
	return true;
}

void
kp_flow_add_answer(struct kp_flow *flow, struct kp_buf *buf)
{
	struct kp_bytes bytes = kp_flow_keep(flow, buf);

	kp_flow_add(flow, bytes.data, bytes.len);
}

struct kp_bytes
kp_flow_keep(struct kp_flow *flow, struct kp_buf *buf)
{
	kp_assert(!flow->is_sealed);
	flow->kept = *buf;
	*buf = (struct kp_buf){ 0 };
	flow->is_sealed = true;
	return kp_buf_bytes(&flow->kept);
}

static void
end_frame(struct kp_flow *flow)
{
	flow->mode = KP_FLOW_BEGIN;
	flow->is_tail = false;
	flow->progress_len = 0;
	flow->progress_ms =
	    kp_flow_available(flow) == 0 ? 0 : flow->read_ns / 1000000;
	flow->begun_ms = flow->progress_ms;
}

size_t
kp_flow_unseen(const struct kp_flow *flow)
{
	if (flow->mode == KP_FLOW_PASS)
		return flow->frame_left;
	return flow->mode == KP_FLOW_PIECES ? kp_walk_unseen(&flow->walker) : 0;
}

void
kp_flow_pass_unseen(struct kp_flow *flow, size_t len)
{
	if (flow->mode == KP_FLOW_PIECES)
		kp_walk_pass(&flow->walker, len);
	flow->frame_left -= len;
	if (flow->mode == KP_FLOW_PASS && flow->frame_left == 0)
		end_frame(flow);
}

size_t
kp_flow_passing(const struct kp_flow *flow)
{
	if (flow->mode == KP_FLOW_PIECES)
		return kp_walk_passing(&flow->walker);
	return kp_flow_unseen(flow);
}

bool
kp_flow_show(
    struct kp_flow *flow, uint8_t *copy, size_t len, struct kp_error *err)
{
	if (!kp_walk_show(&flow->walker, copy, len, err))
		return false;
	flow->frame_left -= len;
	return true;
}

static enum step
take_begin(struct kp_flow *flow, struct kp_error *err)
{
	switch (flow->owner.ready(flow->owner.session)) {
	case KP_READY:
		if (kp_flow_available(flow) == 0)
			return STEP_MORE;
		break;
	case KP_READY_DUE:
		break;
	case KP_READY_HOLD:
		return STEP_HELD;
	}
	switch (flow->owner.begin(flow->owner.session, flow,
	    kp_flow_position(flow), kp_flow_available(flow), err)) {
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
	size_t len = kp_flow_available(flow);

	if (len == 0)
		return STEP_MORE;
	if (len > flow->frame_left)
		len = flow->frame_left;
	if (flow->mode == KP_FLOW_PASS)
		add_span(flow, kp_flow_position(flow), len);
	flow->start += len;
	flow->frame_left -= len;
	if (flow->frame_left == 0)
		end_frame(flow);
	return STEP_AGAIN;
}

static enum step
take_piece(struct kp_flow *flow, struct kp_error *err)
{
	size_t len = kp_flow_available(flow), used = 0;
	enum kp_walk_status status;

	if (len > flow->frame_left)
		len = flow->frame_left;
	status = kp_walk_feed(
	    &flow->walker, kp_flow_position(flow), len, &used, err);
	if (status == KP_WALK_FAILED)
		return STEP_FAILED;
	add_span(flow, kp_flow_position(flow), used);
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
	return kp_walk_tail(&flow->walker, frame, &flow->rewrite, err) &&
	       kp_flow_add_rewrite(flow, err);
}

static enum step
take_collected(struct kp_flow *flow, struct kp_error *err)
{
	struct kp_bytes frame = { flow->large, flow->large_len };

	if (flow->large != NULL && flow->large_have < flow->large_len)
		return STEP_MORE;
	if (flow->large == NULL) {
		if (kp_flow_available(flow) < flow->frame_left)
			return STEP_MORE;
		frame.data = kp_flow_position(flow);
		frame.len = flow->frame_left;
		flow->start += frame.len;
	}
	if (!finish_collected(flow, frame, err))
		return STEP_FAILED;
	flow->is_sealed = flow->is_sealed || flow->large != NULL;
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

static enum step
take(struct kp_flow *flow, struct kp_error *err)
{
	enum step step = STEP_AGAIN;

	if (flow->is_sealed) /* by something that left nothing to write */
		kp_flow_written(flow);
	while (step == STEP_AGAIN && !flow->is_sealed &&
	       flow->num_spans < KP_FLOW_SPANS)
		step = take_one(flow, err);
	return step;
}

enum kp_flow_status
kp_flow_run(struct kp_flow *flow, struct kp_error *err)
{
	enum kp_flow_status status;

	for (int turn = 0; turn < TURNS; turn++) {
		if (kp_flow_has_unwritten(flow)) {
			status = kp_flow_write(flow, err);
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
		status = kp_flow_read(flow, err);
		if (status != KP_FLOW_YIELD)
			return status;
	}
	return KP_FLOW_YIELD;
}
