/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "bench/sink.h"

#define READ_LEN ((size_t)16 * 1024)
#define MAX_OUT_LEN ((size_t)64 << 20)
#define MAX_HEAD_LEN ((size_t)256 << 20)
/* Sent bytes are dropped from the front only when they are worth a copy. */
#define MIN_DROP_LEN ((size_t)4096)
#define MIN_DROP_PIECES 64

static void
close_connection(struct kp_sink *sink, struct kp_sink_connection *c)
{
	*c->link = c->next;
	if (c->next != NULL)
		c->next->link = c->link;
	(void)close(c->source.fd);
	kp_buf_fini(&c->head);
	kp_buf_fini(&c->out);
	free(c->pieces);
	free(c);
	sink->num_open--;
}

void
kp_sink_watch(struct kp_sink *sink, struct kp_sink_connection *c)
{
	bool is_waiting =
	    c->first_piece < c->ready_pieces || c->out_sent < c->out_ready;
	uint32_t events =
	    (c->is_stalled ? 0 : EPOLLIN) | (is_waiting ? EPOLLOUT : 0);
	struct epoll_event event = { .events = events, .data.ptr = c };

	if (events == c->events)
		return;
	c->events = events;
	kp_assert(
	    epoll_ctl(sink->epoll, EPOLL_CTL_MOD, c->source.fd, &event) == 0);
}

/* Everything that was read completely may be answered. */
static void
mark_ready(struct kp_sink_connection *c)
{
	c->out_ready = c->out.len;
	c->ready_pieces = c->num_pieces;
}

static bool
is_over_stall(const struct kp_sink *sink, const struct kp_sink_connection *c)
{
	return sink->stall_after != 0 &&
	       c->frame_len - c->skip >= sink->stall_after && c->skip > 0;
}

static void
count_skipped(struct kp_sink *sink, struct kp_sink_connection *c, uint64_t len)
{
	c->skip -= len;
	if (is_over_stall(sink, c) && !c->is_stalled) {
		c->is_stalled = true;
		sink->num_stalled++;
	}
}

static bool
answer(
    struct kp_sink *sink, struct kp_sink_connection *c, struct kp_bytes frame)
{
	struct kp_error err;

	if (kp_sink_answer(sink, c, frame, &err)) {
		if (c->skip == 0)
			mark_ready(c);
		return true;
	}
	(void)fprintf(
	    stderr, "kp_bench_sink: port %u: %s\n", c->peer_port, err.text);
	return false;
}

/* Moves bytes to the head until it has what is wanted of a frame. */
static bool
collect(
    struct kp_sink *sink, struct kp_sink_connection *c, struct kp_bytes *bytes)
{
	size_t wanted = kp_sink_wanted(sink, c->head.data, c->head.len);
	size_t missing = wanted - c->head.len;
	size_t len = missing < bytes->len ? missing : bytes->len;

	kp_buf_add(&c->head, bytes->data, len);
	bytes->data += len;
	bytes->len -= len;
	wanted = kp_sink_wanted(sink, c->head.data, c->head.len);
	if (wanted == 0 || c->head.failed)
		return false;
	if (wanted > c->head.len)
		return true;
	if (!answer(sink, c, kp_buf_bytes(&c->head)))
		return false;
	kp_buf_clear(&c->head);
	return true;
}

/* One step through what was read: the rest of a frame, or a new one. */
static bool
take(struct kp_sink *sink, struct kp_sink_connection *c, struct kp_bytes *bytes)
{
	size_t len;

	if (c->skip > 0) {
		len = c->skip < bytes->len ? (size_t)c->skip : bytes->len;
		count_skipped(sink, c, len);
		if (c->skip == 0)
			mark_ready(c);
	} else {
		len = kp_sink_wanted(sink, bytes->data, bytes->len);
		if (c->head.len > 0 || len > bytes->len)
			return collect(sink, c, bytes);
		if (len == 0 ||
		    !answer(sink, c, (struct kp_bytes){ bytes->data, len }))
			return false;
	}
	bytes->data += len;
	bytes->len -= len;
	return true;
}

/* Payload that nobody looks at does not leave the kernel. */
static ssize_t
discard(struct kp_sink *sink, struct kp_sink_connection *c)
{
	size_t len = c->skip < INT_MAX ? (size_t)c->skip : INT_MAX;
	ssize_t n = recv(c->source.fd, NULL, len, MSG_TRUNC | MSG_DONTWAIT);

	if (n > 0)
		count_skipped(sink, c, (uint64_t)n);
	if (n > 0 && c->skip == 0)
		mark_ready(c);
	return n;
}

static bool
read_some(struct kp_sink *sink, struct kp_sink_connection *c)
{
	static uint8_t scratch[READ_LEN];
	struct kp_bytes bytes = { scratch, 0 };
	ssize_t n;

	if (c->skip > 0) {
		n = discard(sink, c);
	} else {
		n = recv(c->source.fd, scratch, sizeof(scratch), MSG_DONTWAIT);
		bytes.len = n > 0 ? (size_t)n : 0;
	}
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	sink->moved_bytes += (uint64_t)n;
	while (bytes.len > 0) {
		if (!take(sink, c, &bytes))
			return false;
	}
	return true;
}

static ssize_t
send_body(struct kp_sink_connection *c, struct kp_sink_piece *piece)
{
	off_t offset = (off_t)piece->sent;
	ssize_t n = sendfile(c->source.fd, piece->body->fd, &offset,
	    piece->body->len - piece->sent);

	if (n > 0)
		piece->sent += (size_t)n;
	if (piece->sent == piece->body->len)
		c->first_piece++;
	return n;
}

/* Sends the next bytes; 0 when there is nothing to send. */
static ssize_t
send_some(struct kp_sink_connection *c)
{
	struct kp_sink_piece *piece = NULL;
	size_t end = c->out_ready;
	ssize_t n;

	if (c->first_piece < c->ready_pieces) {
		piece = &c->pieces[c->first_piece];
		end = piece->at;
	}
	if (c->out_sent == end)
		return piece != NULL ? send_body(c, piece) : 0;
	n = send(c->source.fd, c->out.data + c->out_sent, end - c->out_sent,
	    MSG_DONTWAIT | MSG_NOSIGNAL | (piece != NULL ? MSG_MORE : 0));
	if (n > 0)
		c->out_sent += (size_t)n;
	return n;
}

/* Under load the queue is never empty: what was sent is dropped on the way. */
static void
drop_sent(struct kp_sink_connection *c)
{
	uint32_t gone = c->first_piece;
	size_t len = c->out_sent;

	if (len >= MIN_DROP_LEN || len == c->out.len) {
		kp_move(c->out.data, c->out.data + len, c->out.len - len);
		c->out.len -= len;
		c->out_ready -= len;
		c->out_sent = 0;
		for (uint32_t i = gone; i < c->num_pieces; i++)
			c->pieces[i].at -= len;
	}
	if (gone < MIN_DROP_PIECES && gone < c->num_pieces)
		return;
	kp_move(c->pieces, c->pieces + gone,
	    (c->num_pieces - gone) * sizeof(*c->pieces));
	c->num_pieces -= gone;
	c->ready_pieces -= gone;
	c->first_piece = 0;
}

bool
kp_sink_flush(struct kp_sink *sink, struct kp_sink_connection *c)
{
	ssize_t n;

	while ((n = send_some(c)) > 0)
		sink->moved_bytes += (uint64_t)n;
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	drop_sent(c);
	kp_sink_watch(sink, c);
	return true;
}

static bool
on_event(struct kp_sink *sink, struct kp_sink_source *source, uint32_t events)
{
	struct kp_sink_connection *c = (struct kp_sink_connection *)source;
	bool is_ok = true;

	if ((events & (EPOLLERR | EPOLLHUP)) != 0 && c->is_stalled)
		is_ok = false;
	if (is_ok && !c->is_stalled &&
	    (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
		is_ok = read_some(sink, c);
	if (is_ok && kp_sink_flush(sink, c))
		return true;
	close_connection(sink, c);
	return false;
}

static uint16_t
port_of(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET
		   ? ntohs(((const struct sockaddr_in *)address)->sin_port)
		   : 0;
}

bool
kp_sink_accept(
    struct kp_sink *sink, struct kp_sink_source *listener, uint32_t events)
{
	static const int on = 1;

	(void)events;
	for (;;) {
		struct sockaddr_storage peer = { .ss_family = 0 };
		socklen_t peer_len = sizeof(peer);
		struct kp_sink_connection *c;
		struct epoll_event event = { .events = EPOLLIN };
		int fd = accept4(listener->fd, (struct sockaddr *)&peer,
		    &peer_len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return true;
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		c = kp_alloc(1, sizeof(*c));
		c->source = (struct kp_sink_source){ on_event, fd };
		c->peer_port = port_of(&peer);
		c->events = event.events;
		kp_buf_init(&c->head, MAX_HEAD_LEN);
		kp_buf_init(&c->out, MAX_OUT_LEN);
		c->next = sink->connections;
		c->link = &sink->connections;
		if (c->next != NULL)
			c->next->link = &c->next;
		sink->connections = c;
		sink->num_accepted++;
		sink->num_open++;
		event.data.ptr = c;
		kp_assert(
		    epoll_ctl(sink->epoll, EPOLL_CTL_ADD, fd, &event) == 0);
	}
}
