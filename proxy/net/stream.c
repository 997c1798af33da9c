/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/net/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/net/pipe.h"
#include "proxy/net/socket.h"
#include "proxy/net/stream_priv.h"

/* The kernel takes no more at once (IOV_MAX). */
#define MAX_SPANS 1024
#define SEND_HOW (MSG_NOSIGNAL | MSG_DONTWAIT)
#define SPLICE_HOW (SPLICE_F_MOVE | SPLICE_F_NONBLOCK)

bool
kp_stream_init_plain(struct kp_stream *s, int fd, struct kp_error *err)
{
	*s = (struct kp_stream){ .fd = fd };
	if (!kp_socket_tune(fd, err)) {
		(void)close(fd);
		return false;
	}
	s->is_open = true;
	return true;
}

void
kp_stream_fini(struct kp_stream *s)
{
	if (!s->is_open)
		return;
	kp_stream_tls_fini(s);
	(void)close(s->fd);
	*s = (struct kp_stream){ 0 };
}

enum kp_io
kp_stream_handshake(struct kp_stream *s, struct kp_error *err)
{
	if (s->ssl == NULL)
		return KP_IO_DONE;
	return kp_stream_tls_handshake(s, err);
}

enum kp_io
kp_stream_io_error(struct kp_error *err, int reason)
{
	errno = reason;
	(void)kp_error_sys(err, "connection broke");
	if (reason == ECONNRESET || reason == EPIPE)
		err->kind = KP_ERR_CLOSED;
	return KP_IO_FAILED;
}

/* What a receiving call that returned n (<= 0) came to. */
static enum kp_io
nothing_came(struct kp_stream *s, ssize_t n, struct kp_error *err)
{
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		s->is_empty = true;
		return KP_IO_WANT_READ;
	}
	if (n < 0)
		return kp_stream_io_error(err, errno);
	(void)kp_error_set(err, KP_ERR_CLOSED, "peer closed the connection");
	return KP_IO_CLOSED;
}

static enum kp_io
read_plain(struct kp_stream *s, void *buf, size_t len, size_t *out_n,
    struct kp_error *err)
{
	ssize_t n;

	do {
		n = recv(s->fd, buf, len, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		*out_n = (size_t)n;
		s->is_empty = (size_t)n < len;
		return KP_IO_DONE;
	}
	return nothing_came(s, n, err);
}

enum kp_io
kp_stream_read(struct kp_stream *s, void *buf, size_t len, size_t *out_n,
    struct kp_error *err)
{
	kp_assert(len > 0);
	*out_n = 0;
	if (s->ssl == NULL)
		return read_plain(s, buf, len, out_n, err);
	return kp_stream_tls_read(s, buf, len, out_n, err);
}

bool
kp_stream_has_ahead(const struct kp_stream *s)
{
	return s->ahead_pos < s->ahead_len;
}

bool
kp_stream_is_empty(const struct kp_stream *s)
{
	return s->is_empty;
}

bool
kp_stream_is_full(const struct kp_stream *s)
{
	return s->is_full;
}

/* TLS may have to write in order to read, and to read in order to write. */
void
kp_stream_woke(struct kp_stream *s, short revents)
{
	short ends = POLLERR | POLLHUP | POLLNVAL;
	short reads = s->ssl == NULL ? POLLIN : POLLIN | POLLOUT;
	short writes = s->ssl == NULL ? POLLOUT : POLLIN | POLLOUT;

	if ((revents & (reads | ends)) != 0)
		s->is_empty = false;
	if ((revents & (writes | ends)) != 0)
		s->is_full = false;
}

bool
kp_stream_can_splice(const struct kp_stream *s)
{
	return s->ssl == NULL;
}

enum kp_io
kp_stream_to_pipe(struct kp_stream *s, struct kp_pipe *pipe, size_t len,
    size_t *out_n, struct kp_error *err)
{
	ssize_t n;

	kp_assert(len > 0 && pipe->len < pipe->capacity);
	*out_n = 0;
	do {
		n = splice(s->fd, NULL, pipe->write_fd, NULL, len, SPLICE_HOW);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return nothing_came(s, n, err);
	pipe->len += (size_t)n;
	*out_n = (size_t)n;
	return KP_IO_DONE;
}

enum kp_io
kp_stream_from_pipe(
    struct kp_stream *s, struct kp_pipe *pipe, struct kp_error *err)
{
	ssize_t n;

	while (pipe->len > 0) {
		n = splice(
		    pipe->read_fd, NULL, s->fd, NULL, pipe->len, SPLICE_HOW);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n <= 0)
			return kp_stream_io_error(err, n < 0 ? errno : EPIPE);
		pipe->len -= (size_t)n;
	}
	s->is_full = pipe->len > 0;
	return s->is_full ? KP_IO_WANT_WRITE : KP_IO_DONE;
}

/* One sendmsg; a short one means that the socket's buffer is full. */
static enum kp_io
send_spans(struct kp_stream *s, const struct iovec *iov, size_t num_iov,
    size_t *out_n, struct kp_error *err)
{
	/* msghdr has no const; sendmsg does not write to the spans */
	struct iovec *spans = (struct iovec *)(uintptr_t)iov;
	struct msghdr message = { .msg_iov = spans, .msg_iovlen = num_iov };
	size_t len = 0;
	ssize_t n;

	for (size_t i = 0; i < num_iov; i++)
		len += iov[i].iov_len;
	if (len == 0)
		return KP_IO_DONE;
	do {
		/* the usual case costs the kernel less */
		n = num_iov == 1 ? send(s->fd, iov->iov_base, len, SEND_HOW)
				 : sendmsg(s->fd, &message, SEND_HOW);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return KP_IO_WANT_WRITE;
	if (n < 0)
		return kp_stream_io_error(err, errno);
	*out_n += (size_t)n;
	return (size_t)n == len ? KP_IO_DONE : KP_IO_WANT_WRITE;
}

static enum kp_io
writev_plain(struct kp_stream *s, const struct iovec *iov, size_t num_iov,
    size_t *out_n, struct kp_error *err)
{
	enum kp_io result = KP_IO_DONE;

	while (num_iov > 0 && result == KP_IO_DONE) {
		size_t num = num_iov < MAX_SPANS ? num_iov : MAX_SPANS;

		result = send_spans(s, iov, num, out_n, err);
		iov += num;
		num_iov -= num;
	}
	return result;
}

enum kp_io
kp_stream_writev(struct kp_stream *s, const struct iovec *iov, size_t num_iov,
    size_t *out_n, struct kp_error *err)
{
	enum kp_io result;

	*out_n = 0;
	result = s->ssl == NULL
		     ? writev_plain(s, iov, num_iov, out_n, err)
		     : kp_stream_tls_writev(s, iov, num_iov, out_n, err);
	s->is_full = result == KP_IO_WANT_WRITE || result == KP_IO_WANT_READ;
	return result;
}

short
kp_stream_events(const struct kp_stream *s, bool wants_read, bool wants_write)
{
	short events = 0;

	if (wants_read)
		events |= s->read_wants_write ? POLLOUT : POLLIN;
	if (wants_write)
		events |= s->write_wants_read ? POLLIN : POLLOUT;
	return events;
}
