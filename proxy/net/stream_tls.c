/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/net/stream_priv.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "base/alloc.h"
#include "proxy/net/tls_priv.h"

#define MAX_RECORD_LEN ((size_t)16 * 1024)

static bool
attach(struct kp_stream *s, SSL *ssl, struct kp_error *err)
{
	BIO *transport;

	if (ssl == NULL)
		return false;
	transport = kp_tls_transport_new(s);
	if (transport == NULL) {
		SSL_free(ssl);
		return kp_tls_error(err, KP_ERR_LIMIT, "could not start TLS");
	}
	SSL_set_bio(ssl, transport, transport);
	SSL_set_shed_handshake_config(ssl, 1);
	s->ssl = ssl;
	return true;
}

bool
kp_stream_start_tls_server(
    struct kp_stream *s, struct kp_tls_server *ctx, struct kp_error *err)
{
	if (!attach(s, kp_tls_server_connection(ctx, err), err))
		return false;
	s->server = kp_tls_server_ref(ctx);
	return true;
}

bool
kp_stream_start_tls_client(struct kp_stream *s, struct kp_tls_client *ctx,
    const char *server_name, struct kp_error *err)
{
	if (!attach(s, kp_tls_client_connection(ctx, server_name, err), err))
		return false;
	s->client = kp_tls_client_ref(ctx);
	return true;
}

static void
release_ahead(struct kp_stream *s)
{
	if (s->ahead_pos < s->ahead_len)
		return;
	free(s->ahead);
	s->ahead = NULL;
	s->ahead_pos = s->ahead_len = 0;
}

void
kp_stream_tls_fini(struct kp_stream *s)
{
	if (s->ssl != NULL && !s->has_failed && !SSL_in_init(s->ssl))
		(void)SSL_shutdown(s->ssl);
	ERR_clear_error();
	SSL_free(s->ssl);
	free(s->ahead);
	kp_tls_server_unref(s->server);
	kp_tls_client_unref(s->client);
}

static enum kp_io
closed(struct kp_error *err, const char *how)
{
	(void)kp_error_set(
	    err, KP_ERR_CLOSED, "peer closed the connection%s", how);
	return KP_IO_CLOSED;
}

/* What a call that returned result (<= 0) came to. */
static enum kp_io
outcome(struct kp_stream *s, int result, struct kp_error *err)
{
	int code = SSL_get_error(s->ssl, result);

	if (code == SSL_ERROR_WANT_READ)
		return KP_IO_WANT_READ;
	if (code == SSL_ERROR_WANT_WRITE)
		return KP_IO_WANT_WRITE;
	if (code == SSL_ERROR_ZERO_RETURN)
		return closed(err, "");
	s->has_failed = true;
	if (s->io_errno != 0)
		return kp_stream_io_error(err, s->io_errno);
	if (s->is_at_end && ERR_peek_error() == 0)
		return closed(err, " without TLS close_notify");
	(void)kp_tls_error(err, KP_ERR_TLS, "TLS");
	return KP_IO_FAILED;
}

/*
 * A resumed session was verified when it began. A client's certificate may have
 * expired since.
 */
static bool
is_peer_still_valid(const struct kp_stream *s)
{
	X509 *certificate;
	bool is_valid;

	if (s->server == NULL || !SSL_session_reused(s->ssl))
		return true;
	certificate = SSL_get_peer_certificate(s->ssl);
	is_valid = certificate == NULL ||
		   X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
	X509_free(certificate);
	return is_valid;
}

static enum kp_io
handshake_failed(struct kp_stream *s, struct kp_error *err)
{
	s->has_failed = true;
	if (ERR_peek_error() != 0)
		(void)kp_tls_handshake_error(err, s->ssl);
	else if (s->io_errno != 0)
		(void)kp_stream_io_error(err, s->io_errno);
	else
		(void)kp_error_set(err, KP_ERR_CLOSED,
		    "peer closed the connection during the TLS handshake%s",
		    s->server != NULL ? "" : "; does it speak TLS?");
	return KP_IO_FAILED;
}

enum kp_io
kp_stream_tls_handshake(struct kp_stream *s, struct kp_error *err)
{
	int result, code;

	s->is_drained = false;
	ERR_clear_error();
	result = SSL_do_handshake(s->ssl);
	release_ahead(s);
	if (result == 1 && is_peer_still_valid(s))
		return KP_IO_DONE;
	if (result == 1) {
		s->has_failed = true;
		(void)kp_error_set(err, KP_ERR_TLS,
		    "TLS handshake: peer's certificate: expired since the "
		    "session began");
		return KP_IO_FAILED;
	}
	code = SSL_get_error(s->ssl, result);
	if (code == SSL_ERROR_WANT_READ)
		return KP_IO_WANT_READ;
	if (code == SSL_ERROR_WANT_WRITE)
		return KP_IO_WANT_WRITE;
	return handshake_failed(s, err);
}

enum kp_io
kp_stream_tls_read(struct kp_stream *s, void *buf, size_t len, size_t *out_n,
    struct kp_error *err)
{
	enum kp_io result = KP_IO_DONE;
	uint8_t *to = buf;

	s->is_drained = false;
	ERR_clear_error();
	while (*out_n < len && result == KP_IO_DONE) {
		size_t left = len - *out_n;
		int n = SSL_read(
		    s->ssl, to + *out_n, left < INT_MAX ? (int)left : INT_MAX);

		if (n > 0)
			*out_n += (size_t)n;
		else
			result = outcome(s, n, err);
	}
	release_ahead(s);
	s->read_wants_write = result == KP_IO_WANT_WRITE;
	s->is_empty = result == KP_IO_WANT_READ;
	/* an end or a failure stays: the next read meets it again */
	return *out_n > 0 ? KP_IO_DONE : result;
}

/* Where the next byte to write is. */
struct cursor {
	const struct iovec *iov;
	size_t num_iov;
	size_t pos;      /* in the first span */
	uint8_t *gather; /* NULL until spans must be joined */
};

static void
skip_empty(struct cursor *c)
{
	while (c->num_iov > 0 && c->pos == c->iov->iov_len) {
		c->iov++;
		c->num_iov--;
		c->pos = 0;
	}
}

static void
advance(struct cursor *c, size_t len)
{
	while (len > 0) {
		size_t left = c->iov->iov_len - c->pos;
		size_t n = len < left ? len : left;

		c->pos += n;
		len -= n;
		skip_empty(c);
	}
}

/* Joins spans until a record is full; the cursor stays where it is. */
static size_t
join(const struct cursor *c)
{
	size_t len = 0, pos = c->pos;

	for (size_t i = 0; i < c->num_iov && len < MAX_RECORD_LEN; i++) {
		size_t n = c->iov[i].iov_len - pos;

		if (n > MAX_RECORD_LEN - len)
			n = MAX_RECORD_LEN - len;
		kp_copy(c->gather + len,
		    (const uint8_t *)c->iov[i].iov_base + pos, n);
		len += n;
		pos = 0;
	}
	return len;
}

/*
 * The plaintext of the next record: as long as a record may be or as there are
 * bytes, however they are cut into spans, so that a repeated call offers
 * BoringSSL what it has already encrypted. Empty when memory is short.
 */
static struct kp_bytes
next_record(struct cursor *c)
{
	struct kp_bytes record = { (const uint8_t *)c->iov->iov_base + c->pos,
		c->iov->iov_len - c->pos };

	if (record.len >= MAX_RECORD_LEN || c->num_iov == 1) {
		if (record.len > MAX_RECORD_LEN)
			record.len = MAX_RECORD_LEN;
		return record;
	}
	if (c->gather == NULL)
		c->gather = kp_try_alloc(MAX_RECORD_LEN);
	record.data = c->gather;
	record.len = c->gather != NULL ? join(c) : 0;
	return record;
}

static enum kp_io
write_record(
    struct kp_stream *s, struct cursor *c, size_t *out_n, struct kp_error *err)
{
	struct kp_bytes record = next_record(c);
	int n;

	if (record.len == 0) {
		s->has_failed = true;
		(void)kp_error_set(
		    err, KP_ERR_LIMIT, "no memory for a TLS record");
		return KP_IO_FAILED;
	}
	n = SSL_write(s->ssl, record.data, (int)record.len);
	if (n <= 0)
		return outcome(s, n, err);
	advance(c, (size_t)n);
	*out_n += (size_t)n;
	return KP_IO_DONE;
}

enum kp_io
kp_stream_tls_writev(struct kp_stream *s, const struct iovec *iov,
    size_t num_iov, size_t *out_n, struct kp_error *err)
{
	struct cursor cursor = { .iov = iov, .num_iov = num_iov };
	enum kp_io result = KP_IO_DONE;

	ERR_clear_error();
	skip_empty(&cursor);
	while (cursor.num_iov > 0 && result == KP_IO_DONE)
		result = write_record(s, &cursor, out_n, err);
	free(cursor.gather);
	s->write_wants_read = result == KP_IO_WANT_READ;
	return result;
}
