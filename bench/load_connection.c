/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/epoll.h>

#include "base/clock.h"
#include "bench/load.h"
#include "proto/kafka/reader.h"
#include "proto/kafka/writer.h"

#define READ_LEN ((size_t)64 * 1024)
#define MAX_ANSWER_LEN ((uint64_t)256 << 20)
/* Answers up to here are compared with the sample even without --verify. */
#define CHEAP_ANSWER_LEN 512
/* From here on it is cheaper to leave the rest of an answer in the kernel. */
#define MIN_DISCARD_LEN 4096

static void
watch(struct kp_load *load, struct kp_load_connection *c, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = c };

	if (c->events == events)
		return;
	c->events = events;
	kp_assert(
	    epoll_ctl(load->epoll, EPOLL_CTL_MOD, c->link.fd, &event) == 0);
}

/* Not while it is being opened, maybe anew. */
static bool
is_open(const struct kp_load_connection *c)
{
	return c->state == KP_LOAD_SETTING_UP || c->state == KP_LOAD_READY;
}

void
kp_load_open(struct kp_load *load, struct kp_load_connection *c,
    const struct sockaddr_in *address)
{
	struct epoll_event event = { .events = EPOLLOUT, .data.ptr = c };
	struct kp_error err;

	c->opened_ns = kp_now_ns();
	c->state = KP_LOAD_OPENING;
	load->num_opening++;
	if (!kp_link_open(&c->link, address, load->tls, &err)) {
		kp_load_lost(load, c, &err);
		return;
	}
	c->events = event.events;
	kp_assert(
	    epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->link.fd, &event) == 0);
}

void
kp_load_close(struct kp_load *load, struct kp_load_connection *c)
{
	if (c->state == KP_LOAD_OPENING)
		load->num_opening--;
	kp_link_close(&c->link);
	kp_buf_fini(&c->answer);
	c->state = KP_LOAD_CLOSED;
	c->frame = NULL;
	c->head_len = 0;
}

void
kp_load_ask(struct kp_load *load, struct kp_load_connection *c,
    struct kp_buf *frame,
    bool (*on_answer)(struct kp_load *load, struct kp_load_connection *c,
	struct kp_bytes body, struct kp_error *err))
{
	c->state = KP_LOAD_SETTING_UP;
	c->frame = frame;
	c->sent = 0;
	c->correlation_id++;
	c->on_answer = on_answer;
	kp_load_pump(load, c);
}

/* The version of every API that both sides know. */
static bool
on_api_versions(struct kp_load *load, struct kp_load_connection *c,
    struct kp_bytes body, struct kp_error *err)
{
	if (!kp_verdict_api_versions(&load->versions, body, err))
		return false;
	c->state = KP_LOAD_READY;
	kp_load_became_ready(load, c);
	return true;
}

static void
go_on_opening(struct kp_load *load, struct kp_load_connection *c)
{
	struct kp_error err;

	switch (kp_link_finish_open(&c->link, &err)) {
	case KP_LINK_OK:
		load->num_opening--;
		kp_load_ask(load, c, &load->api_versions, on_api_versions);
		return;
	case KP_LINK_AGAIN_READ:
		watch(load, c, EPOLLIN);
		return;
	case KP_LINK_AGAIN_WRITE:
		watch(load, c, EPOLLOUT);
		return;
	case KP_LINK_CLOSED:
		(void)kp_error_set(
		    &err, KP_ERR_CLOSED, "closed while it was opened");
		break;
	case KP_LINK_FAILED:
		break;
	}
	kp_load_lost(load, c, &err);
}

static bool
is_read_whole(const struct kp_load *load, const struct kp_load_connection *c)
{
	return c->state == KP_LOAD_SETTING_UP || load->options.is_verifying ||
	       c->answer_len <= CHEAP_ANSWER_LEN;
}

/* Length and correlation id are here. */
static bool
begin_answer(
    struct kp_load *load, struct kp_load_connection *c, struct kp_error *err)
{
	int32_t id = (int32_t)kp_number_get(c->head + 4, 4);

	c->answer_len = 4 + kp_number_get(c->head, 4);
	if (c->answer_len < sizeof(c->head) || c->answer_len > MAX_ANSWER_LEN)
		return kp_error_set(
		    err, KP_ERR_PROTOCOL, "answer has an impossible length");
	c->left = c->answer_len - sizeof(c->head);
	if (is_read_whole(load, c)) {
		kp_buf_clear(&c->answer);
		c->answer.max_len = (size_t)c->left;
	}
	if (c->state == KP_LOAD_READY)
		return kp_load_check_answer(load, c, err);
	return id == c->correlation_id ||
	       kp_error_set(err, KP_ERR_PROTOCOL, "answer to another request");
}

static bool
is_like_sample(const struct kp_load *load, const struct kp_load_connection *c)
{
	return kp_bytes_equal(
	    kp_buf_bytes(&c->answer), kp_buf_bytes(&load->sample));
}

static bool
end_answer(
    struct kp_load *load, struct kp_load_connection *c, struct kp_error *err)
{
	c->head_len = 0;
	if (c->state == KP_LOAD_SETTING_UP)
		return c->on_answer(load, c, kp_buf_bytes(&c->answer), err);
	if (is_read_whole(load, c) && !is_like_sample(load, c))
		return kp_error_set(
		    err, KP_ERR_PROTOCOL, "answer differs from the first one");
	kp_load_answered(load, c);
	return true;
}

static void
note_stall(struct kp_load *load, struct kp_load_connection *c)
{
	uint64_t limit = load->options.stall_after;

	if (limit == 0 || c->is_stalled || c->state != KP_LOAD_READY ||
	    c->left == 0 || c->answer_len - c->left < limit)
		return;
	c->is_stalled = true;
	load->num_stalled++;
}

static bool
take(struct kp_load *load, struct kp_load_connection *c, struct kp_bytes bytes,
    struct kp_error *err)
{
	while (bytes.len > 0 && is_open(c)) {
		bool is_head = c->head_len < sizeof(c->head);
		uint64_t want =
		    is_head ? sizeof(c->head) - c->head_len : c->left;
		size_t n = want < bytes.len ? (size_t)want : bytes.len;

		if (is_head) {
			kp_copy(c->head + c->head_len, bytes.data, n);
			c->head_len += n;
			if (c->head_len == sizeof(c->head) &&
			    !begin_answer(load, c, err))
				return false;
		} else {
			if (is_read_whole(load, c))
				kp_buf_add(&c->answer, bytes.data, n);
			c->left -= n;
		}
		bytes.data += n;
		bytes.len -= n;
		if (c->head_len == sizeof(c->head) && c->left == 0 &&
		    !end_answer(load, c, err))
			return false;
	}
	return true;
}

static enum kp_link_status
read_some(
    struct kp_load *load, struct kp_load_connection *c, struct kp_error *err)
{
	static uint8_t scratch[READ_LEN];
	bool is_inside = c->head_len == sizeof(c->head);
	enum kp_link_status status;
	size_t n;

	if (is_inside && c->left >= MIN_DISCARD_LEN &&
	    !is_read_whole(load, c)) {
		/* never all of it: what follows is read together with the
		 * end, and the end is seen in one place */
		status =
		    kp_link_discard(&c->link, (size_t)c->left - 1, &n, err);
		c->left -= n;
	} else {
		status =
		    kp_link_read(&c->link, scratch, sizeof(scratch), &n, err);
		if (status == KP_LINK_OK &&
		    !take(load, c, (struct kp_bytes){ scratch, n }, err))
			return KP_LINK_FAILED;
	}
	note_stall(load, c);
	return status;
}

/* TLS holds back what it has read: only "again" says that nothing is left. */
static bool
read_all(
    struct kp_load *load, struct kp_load_connection *c, struct kp_error *err)
{
	enum kp_link_status status;

	do {
		status = read_some(load, c, err);
	} while (status == KP_LINK_OK && c->link.ssl != NULL &&
		 !c->is_stalled && is_open(c));
	if (status == KP_LINK_CLOSED)
		return kp_error_set(err, KP_ERR_CLOSED, "closed by the peer");
	return status != KP_LINK_FAILED;
}

static enum kp_link_status
send_some(struct kp_load_connection *c, struct kp_error *err)
{
	struct kp_bytes rest = { c->frame->data + c->sent,
		c->frame->len - c->sent };
	enum kp_link_status status;
	size_t n;

	/* the frame is everybody's: the id is put in when it goes out */
	if (c->sent < KP_REQUEST_CORRELATION_AT + sizeof(c->correlation_id))
		kp_number_put(c->frame->data + KP_REQUEST_CORRELATION_AT,
		    (uint32_t)c->correlation_id, sizeof(c->correlation_id));
	status = kp_link_write(&c->link, rest, &n, err);
	c->sent += n;
	if (c->sent == c->frame->len)
		c->frame = NULL;
	return status;
}

static bool
has_more_to_send(struct kp_load *load, struct kp_load_connection *c)
{
	if (c->frame == NULL && kp_load_may_begin(load, c))
		kp_load_begin(load, c);
	return c->frame != NULL;
}

void
kp_load_pump(struct kp_load *load, struct kp_load_connection *c)
{
	enum kp_link_status status = KP_LINK_OK;
	struct kp_error err;

	while (status == KP_LINK_OK && has_more_to_send(load, c)) {
		status = send_some(c, &err);
		if (status == KP_LINK_OK)
			load->last_move_ns = kp_now_ns();
	}
	if (status == KP_LINK_FAILED || status == KP_LINK_CLOSED) {
		kp_load_lost(load, c, &err);
		return;
	}
	watch(load, c,
	    (c->is_stalled ? 0 : EPOLLIN) |
		(status == KP_LINK_AGAIN_WRITE ? EPOLLOUT : 0));
}

void
kp_load_handle(
    struct kp_load *load, struct kp_load_connection *c, uint32_t events)
{
	struct kp_error err;

	load->last_move_ns = kp_now_ns();
	if (c->state == KP_LOAD_CLOSED)
		return;
	if (c->state == KP_LOAD_OPENING) {
		go_on_opening(load, c);
		return;
	}
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 &&
	    !read_all(load, c, &err)) {
		kp_load_lost(load, c, &err);
		return;
	}
	if (is_open(c))
		kp_load_pump(load, c);
}
