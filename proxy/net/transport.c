/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket as BoringSSL sees it. BoringSSL asks for five bytes of a record's
 * head and then for its body: two system calls for each record. Here one call
 * fetches what BoringSSL asks for and, into a side buffer that exists only
 * while it holds something, what comes after it.
 */
#include "proxy/net/tls_priv.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <openssl/bio.h>

#include "base/alloc.h"
#include "proxy/net/stream.h"

/* The longest record of TLS 1.3 and the head of the next. */
#define AHEAD_LEN ((size_t)16 * 1024 + 256 + 5 + 5)

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static int
take_ahead(struct kp_stream *s, char *out, size_t len)
{
	size_t there = s->ahead_len - s->ahead_pos;
	size_t n = len < there ? len : there;

	kp_copy(out, s->ahead + s->ahead_pos, n);
	s->ahead_pos += n;
	return (int)n;
}

/* Fills out first, then the side buffer. As recv(2), but never interrupted. */
static ssize_t
receive(struct kp_stream *s, char *out, size_t len)
{
	size_t room = s->ahead != NULL ? AHEAD_LEN : 0;
	struct iovec spans[2] = { { out, len }, { s->ahead, room } };
	struct msghdr message = { .msg_iov = spans, .msg_iovlen = 2 };
	ssize_t n;

	do {
		n = recvmsg(s->fd, &message, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	s->is_drained = n >= 0 && (size_t)n < len + room;
	return n;
}

static int
transport_read(BIO *bio, char *out, int len)
{
	struct kp_stream *s = BIO_get_data(bio);
	size_t wanted = (size_t)len;
	ssize_t n;

	BIO_clear_retry_flags(bio);
	if (s->ahead_pos < s->ahead_len)
		return take_ahead(s, out, wanted);
	if (s->is_drained) {
		BIO_set_retry_read(bio);
		return -1;
	}
	if (s->ahead == NULL) /* without it, it takes longer */
		s->ahead = kp_try_alloc(AHEAD_LEN);
	s->ahead_pos = s->ahead_len = 0;
	n = receive(s, out, wanted);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		BIO_set_retry_read(bio);
	else if (n < 0)
		s->io_errno = errno;
	if (n == 0)
		s->is_at_end = true;
	if (n <= (ssize_t)wanted)
		return (int)n;
	s->ahead_len = (size_t)n - wanted;
	return len;
}

static int
transport_write(BIO *bio, const char *in, int len)
{
	struct kp_stream *s = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	do {
		n = send(s->fd, in, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		BIO_set_retry_write(bio);
	else if (n < 0)
		s->io_errno = errno;
	return (int)n;
}

/* Nothing is held back, so a flush has nothing to do. */
static long
transport_ctrl(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

/* Lives as long as the process. */
static void
make_method(void)
{
	method = BIO_meth_new(BIO_get_new_index(), "kproxy socket");
	kp_assert(method != NULL);
	kp_assert(BIO_meth_set_read(method, transport_read) == 1);
	kp_assert(BIO_meth_set_write(method, transport_write) == 1);
	kp_assert(BIO_meth_set_ctrl(method, transport_ctrl) == 1);
}

BIO *
kp_tls_transport_new(struct kp_stream *s)
{
	BIO *bio;

	kp_must(pthread_once(&method_once, make_method));
	bio = BIO_new(method);
	if (bio == NULL)
		return NULL;
	BIO_set_data(bio, s);
	BIO_set_init(bio, 1);
	return bio;
}
