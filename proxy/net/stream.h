/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connected socket, plain or TLS, behind the same calls. Nothing here ever
 * blocks: a call that cannot go on says what to wait for, and kp_stream_events
 * turns that into what poll(2) wants. A stream belongs to one thread and must
 * not move in memory between init and fini. It keeps no buffers while idle.
 *
 * A stream starts plain; kp_stream_start_tls_* turns it into TLS, for listeners
 * where a PROXY header comes before the handshake. @thread connection
 */
#ifndef KP_PROXY_NET_STREAM_H
#define KP_PROXY_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/error.h"

struct kp_pipe;
struct kp_tls_server;
struct kp_tls_client;
struct ssl_st;

enum kp_io {
	KP_IO_DONE,
	KP_IO_WANT_READ,  /* wait until the socket can be read, then repeat */
	KP_IO_WANT_WRITE, /* wait until it can be written, then repeat */
	KP_IO_CLOSED,     /* end of the peer's data; err says in which way */
	KP_IO_FAILED,     /* err says why; only kp_stream_fini may follow */
};

/* The fields are the stream's own; the zero state is a closed stream. */
struct kp_stream {
	int fd;
	bool is_open;
	bool has_failed;       /* TLS is beyond saying close_notify */
	bool is_empty;         /* reading is of no use before kp_stream_woke */
	bool is_full;          /* nor is writing */
	bool is_drained;       /* TLS: the last receive emptied the socket */
	bool is_at_end;        /* the peer sends no more */
	bool read_wants_write; /* the last read waits for POLLOUT */
	bool write_wants_read; /* the last write waits for POLLIN */
	int io_errno;       /* why the transport of TLS failed; 0: it did not */
	struct ssl_st *ssl; /* NULL: plain */
	struct kp_tls_server *server;
	struct kp_tls_client *client;
	uint8_t *ahead; /* received, not yet decrypted; NULL if none */
	size_t ahead_pos, ahead_len;
};

/*
 * kp_stream_init_plain takes over the connected socket fd (it is closed on
 * failure too), makes it non-blocking and sets TCP_NODELAY.
 */
bool kp_stream_init_plain(
    struct kp_stream *s, int fd, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_stream_start_tls_server and kp_stream_start_tls_client turn a plain stream
 * into TLS; kp_stream_handshake comes next. The stream holds a reference to
 * ctx. server_name is a host name (sent as SNI) or an address literal (not
 * sent); either is what the certificate must be for. It is copied.
 */
bool kp_stream_start_tls_server(struct kp_stream *s, struct kp_tls_server *ctx,
    struct kp_error *err) KP_MUST_CHECK;
bool kp_stream_start_tls_client(struct kp_stream *s, struct kp_tls_client *ctx,
    const char *server_name, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_stream_fini closes the socket; with TLS it first tries to say
 * close_notify, once and without blocking.
 */
void kp_stream_fini(struct kp_stream *s);

/* kp_stream_handshake is to be repeated until it is done; plain: at once. */
enum kp_io kp_stream_handshake(
    struct kp_stream *s, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_stream_read reads what is there, at most len (> 0) bytes. KP_IO_DONE means
 * *out_n > 0. It may leave bytes in the stream that poll(2) does not see: wait
 * only when it said so, or after kp_stream_is_empty.
 */
enum kp_io kp_stream_read(struct kp_stream *s, void *buf, size_t len,
    size_t *out_n, struct kp_error *err) KP_MUST_CHECK;

/* kp_stream_has_ahead: something was received and is still to be read. */
bool kp_stream_has_ahead(const struct kp_stream *s);

/*
 * kp_stream_is_empty: the last read has taken all there was, so that another
 * would only say KP_IO_WANT_READ; kp_stream_is_full is the same for writing.
 * Both until kp_stream_woke is told what poll(2) had to say.
 */
bool kp_stream_is_empty(const struct kp_stream *s);
bool kp_stream_is_full(const struct kp_stream *s);
void kp_stream_woke(struct kp_stream *s, short revents);

/*
 * kp_stream_writev writes the spans in order. KP_IO_DONE: all of them.
 * Otherwise *out_n bytes are written and the next call must begin with the very
 * next byte; with TLS those bytes may be encrypted already, so they must not
 * change (they may move, and more may follow them).
 */
enum kp_io kp_stream_writev(struct kp_stream *s, const struct iovec *iov,
    size_t num_iov, size_t *out_n, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_stream_to_pipe moves what is there, at most len (> 0) bytes, into pipe,
 * which must have room; kp_stream_from_pipe writes all that is in pipe, as far
 * as it goes. Both are for streams that kp_stream_can_splice: plain ones.
 */
bool kp_stream_can_splice(const struct kp_stream *s);
enum kp_io kp_stream_to_pipe(struct kp_stream *s, struct kp_pipe *pipe,
    size_t len, size_t *out_n, struct kp_error *err) KP_MUST_CHECK;
enum kp_io kp_stream_from_pipe(struct kp_stream *s, struct kp_pipe *pipe,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_stream_events: what to poll the socket for, given what the caller wants.
 */
short kp_stream_events(
    const struct kp_stream *s, bool wants_read, bool wants_write);

/*
 * kp_stream_sni is the host name that the client asked for, as the client wrote
 * it; NULL without. Server side, after the handshake. Borrowed from the stream.
 */
const char *kp_stream_sni(const struct kp_stream *s);

/* For the log, and for who the peer is. Texts that do not fit end in "...". */
struct kp_stream_info {
	const char *version; /* "TLSv1.3"; "" if plain */
	const char *cipher;
	const char *group;
	bool is_resumed;
	bool has_peer_certificate;
	char peer_subject[256]; /* RFC 2253 */
	char peer_names[512];   /* "DNS:a.example, IP:10.0.0.1, URI:..." */
};

/* kp_stream_describe is for after the handshake. */
void kp_stream_describe(const struct kp_stream *s, struct kp_stream_info *out);

#endif
