/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "proxy/session/flow_priv.h"

/* Below this, copying costs less than two more system calls. */
#define MIN_SPLICE_LEN ((size_t)64 * 1024)
/* What is read of a copy at once: the header of a batch, or some small ones. */
#define LOOK_LEN ((size_t)4096)

size_t
kp_flow_available(const struct kp_flow *flow)
{
	return flow->end - flow->start;
}

uint8_t *
kp_flow_position(struct kp_flow *flow)
{
	return flow->window == NULL ? flow->head : flow->window + flow->start;
}

static void
release_large(struct kp_flow *flow)
{
	if (flow->large == NULL)
		return;
	free(flow->large);
	kp_share_uncharge(flow->share, flow->owner.part, flow->large_len);
	flow->large = NULL;
	flow->large_len = 0;
	flow->large_have = 0;
}

static void
release_window(struct kp_flow *flow)
{
	kp_share_put(flow->share, flow->window);
	flow->window = NULL;
	flow->start = 0;
	flow->end = 0;
}

static void
release_rewrite(struct kp_flow *flow)
{
	kp_rewrite_clear(&flow->rewrite);
	if (flow->charged_len == 0)
		return;
	kp_share_uncharge(flow->share, flow->owner.part, flow->charged_len);
	flow->charged_len = 0;
}

static void
release_spans(struct kp_flow *flow)
{
	if (flow->spans == flow->inline_spans)
		return;
	free(flow->spans);
	flow->spans = flow->inline_spans;
	flow->max_spans = KP_FLOW_SPANS;
}

void
kp_flow_release(struct kp_flow *flow)
{
	release_large(flow);
	release_window(flow);
	release_rewrite(flow);
	kp_rewrite_fini(&flow->rewrite);
	release_spans(flow);
	kp_pipes_put(flow->pipes, flow->share, &flow->pipe);
}

static bool
can_splice(const struct kp_flow *flow)
{
	return kp_stream_can_splice(flow->from) &&
	       kp_stream_can_splice(flow->to);
}

/*
 * Large parts of a frame that nobody changes need not come into this process,
 * if both sides are plain and nothing is in front of them.
 */
static bool
wants_splice(const struct kp_flow *flow)
{
	return kp_flow_available(flow) == 0 &&
	       kp_flow_passing(flow) >= MIN_SPLICE_LEN && can_splice(flow);
}

/* Does somebody want to see some of what a pipe may carry? */
static bool
is_looked_at(const struct kp_flow *flow)
{
	return kp_flow_passing(flow) > kp_flow_unseen(flow);
}

bool
kp_flow_has_unwritten(const struct kp_flow *flow)
{
	return flow->num_spans > 0 ||
	       (flow->pipe != NULL && flow->pipe->len > 0);
}

void
kp_flow_written(struct kp_flow *flow)
{
	release_rewrite(flow);
	kp_buf_fini(&flow->kept);
	if (flow->large != NULL && flow->mode != KP_FLOW_COLLECT)
		release_large(flow);
	release_spans(flow);
	flow->num_spans = 0;
	flow->next_span = 0;
	flow->is_sealed = false;
	flow->blocked_ms = 0;
	flow->blocked_len = 0;
	if (flow->num_begun > 0)
		flow->added_ns = kp_now_ns() - flow->read_ns;
}

static void
count_written(struct kp_flow *flow, size_t len)
{
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

static enum kp_io
write_spans(struct kp_flow *flow, size_t *len, struct kp_error *err)
{
	enum kp_io io =
	    kp_stream_writev(flow->to, &flow->spans[flow->next_span],
		flow->num_spans - flow->next_span, len, err);

	if (io == KP_IO_WANT_WRITE || io == KP_IO_WANT_READ)
		count_written(flow, *len);
	return io;
}

static enum kp_io
write_pipe(struct kp_flow *flow, size_t *len, struct kp_error *err)
{
	size_t before = flow->pipe->len;
	enum kp_io io = kp_stream_from_pipe(flow->to, flow->pipe, err);

	*len = before - flow->pipe->len;
	if (io == KP_IO_DONE && !wants_splice(flow))
		kp_pipes_put(flow->pipes, flow->share, &flow->pipe);
	return io;
}

static void
note_blocked(struct kp_flow *flow, size_t len)
{
	flow->blocked_len += len;
	if (flow->blocked_ms == 0 ||
	    flow->blocked_len >= KP_FLOW_PROGRESS_LEN) {
		flow->blocked_ms = kp_now_ms();
		flow->blocked_len = 0;
	}
}

enum kp_flow_status
kp_flow_write(struct kp_flow *flow, struct kp_error *err)
{
	size_t len = 0;
	enum kp_io io;

	if (kp_stream_is_full(flow->to))
		return KP_FLOW_WANTS_WRITE;
	io = flow->num_spans > 0 ? write_spans(flow, &len, err)
				 : write_pipe(flow, &len, err);
	flow->written_len += len;
	switch (io) {
	case KP_IO_DONE:
		kp_flow_written(flow);
		return KP_FLOW_YIELD;
	case KP_IO_WANT_READ:
	case KP_IO_WANT_WRITE:
		note_blocked(flow, len);
		return KP_FLOW_WANTS_WRITE;
	case KP_IO_CLOSED:
	case KP_IO_FAILED:
		break;
	}
	return KP_FLOW_BROKEN;
}

/* Makes room behind what is in the window; nothing refers to it now. */
static bool
make_room(struct kp_flow *flow, struct kp_error *err)
{
	size_t needed = flow->start + 1;

	if (flow->window == NULL) {
		flow->window = kp_share_get(flow->share);
		if (flow->window == NULL)
			return kp_error_set(err, KP_ERR_LIMIT,
			    "no buffer within the memory limit");
	}
	if (flow->mode == KP_FLOW_COLLECT)
		needed = flow->start + flow->frame_left;
	if (flow->start == flow->end || flow->end == KP_BUFFER_LEN ||
	    needed > KP_BUFFER_LEN) {
		kp_move(flow->window, flow->window + flow->start,
		    kp_flow_available(flow));
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
	flow->read_ns = *flow->now_ns;
	flow->progress_len += len;
	if (flow->begun_ms == 0)
		flow->begun_ms = flow->read_ns / 1000000;
	if (flow->progress_ms == 0 ||
	    flow->progress_len >= KP_FLOW_PROGRESS_LEN) {
		flow->progress_ms = flow->read_ns / 1000000;
		flow->progress_len = 0;
	}
}

/* Nothing is held while nothing is there. */
static enum kp_flow_status
wait_for_more(struct kp_flow *flow)
{
	if (kp_flow_available(flow) == 0) {
		release_window(flow);
		kp_rewrite_fini(&flow->rewrite);
	}
	kp_pipes_put(flow->pipes, flow->share, &flow->pipe);
	return KP_FLOW_WANTS_READ;
}

static enum kp_flow_status
status_of(struct kp_flow *flow, enum kp_io io)
{
	switch (io) {
	case KP_IO_DONE:
		return KP_FLOW_YIELD;
	case KP_IO_WANT_READ:
	case KP_IO_WANT_WRITE:
		return wait_for_more(flow);
	case KP_IO_CLOSED:
		return KP_FLOW_CLOSED;
	case KP_IO_FAILED:
		break;
	}
	return KP_FLOW_FAILED;
}

static enum kp_flow_status
fill_large(struct kp_flow *flow, struct kp_error *err)
{
	size_t len = 0;
	enum kp_io io =
	    kp_stream_read(flow->from, flow->large + flow->large_have,
		flow->large_len - flow->large_have, &len, err);

	if (io == KP_IO_DONE) {
		flow->large_have += len;
		note_read(flow, len);
	}
	return status_of(flow, io);
}

/*
 * At the beginning of a frame as long as the last one, its header will do, with
 * what is left of that.
 */
static size_t
room_to_read(const struct kp_flow *flow)
{
	size_t room = KP_BUFFER_LEN - flow->end;
	bool is_at_begin =
	    flow->mode == KP_FLOW_BEGIN || flow->frame_left < KP_FLOW_PEEK_LEN;

	if (is_at_begin && flow->is_bulky && room > KP_FLOW_PEEK_LEN &&
	    can_splice(flow))
		return KP_FLOW_PEEK_LEN;
	return room;
}

static enum kp_flow_status
fill_window(struct kp_flow *flow, struct kp_error *err)
{
	size_t len = 0;
	enum kp_io io;

	if (!make_room(flow, err))
		return KP_FLOW_FAILED;
	io = kp_stream_read(flow->from, flow->window + flow->end,
	    room_to_read(flow), &len, err);
	if (io == KP_IO_DONE) {
		flow->end += len;
		note_read(flow, len);
	}
	return status_of(flow, io);
}

/* The next len bytes of the copy; nothing is in the window. */
static bool
look(struct kp_flow *flow, size_t len, struct kp_error *err)
{
	return make_room(flow, err) &&
	       kp_pipe_read(flow->pipe, flow->window, len, err) &&
	       kp_flow_show(flow, flow->window, len, err);
}

/* Lets len bytes that are in the pipe go on, after all have seen of them what
 * they want to. */
static bool
pass_piped(struct kp_flow *flow, size_t len, struct kp_error *err)
{
	bool is_copied = len > kp_flow_unseen(flow);

	if (is_copied && !kp_pipe_copy(flow->pipe, err))
		return false;
	while (len > 0) {
		size_t unseen = kp_flow_unseen(flow);
		size_t wanted = unseen > 0 ? unseen : LOOK_LEN;
		size_t n = wanted < len ? wanted : len;

		if (unseen == 0 && !look(flow, n, err))
			return false;
		if (unseen > 0) {
			if (is_copied && !kp_pipe_skip(flow->pipe, n, err))
				return false;
			kp_flow_pass_unseen(flow, n);
		}
		len -= n;
	}
	return true;
}

/* What goes into the pipe is written before anything else is done. */
static enum kp_flow_status
splice(struct kp_flow *flow, struct kp_error *err)
{
	size_t len = 0;
	enum kp_io io = kp_stream_to_pipe(
	    flow->from, flow->pipe, kp_flow_passing(flow), &len, err);

	if (io == KP_IO_DONE) {
		note_read(flow, len);
		if (!pass_piped(flow, len, err))
			return KP_FLOW_FAILED;
		release_window(flow);
	}
	return status_of(flow, io);
}

enum kp_flow_status
kp_flow_read(struct kp_flow *flow, struct kp_error *err)
{
	if (kp_stream_is_empty(flow->from))
		return wait_for_more(flow);
	if (flow->large != NULL)
		return fill_large(flow, err);
	if (wants_splice(flow) && flow->pipe == NULL)
		flow->pipe =
		    kp_pipes_get(flow->pipes, flow->share, is_looked_at(flow));
	return flow->pipe != NULL ? splice(flow, err) : fill_window(flow, err);
}
