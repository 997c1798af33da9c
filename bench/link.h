/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's non-blocking connection, plain or TLS. TLS is narrowed to one
 * version, cipher and key exchange, so that all servers do the same work.
 * @thread main
 */
#ifndef KP_BENCH_LINK_H
#define KP_BENCH_LINK_H

#include <netinet/in.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"

struct kp_link_tls; /* an SSL_CTX */

/* ca is a file of PEM certificates that servers' must lead to. */
struct kp_link_tls *kp_link_tls_new(const char *ca, struct kp_error *err);
void kp_link_tls_free(struct kp_link_tls *tls);

enum kp_link_status {
	KP_LINK_OK,
	KP_LINK_AGAIN_READ,  /* wait until it can be read */
	KP_LINK_AGAIN_WRITE, /* wait until it can be written */
	KP_LINK_CLOSED,      /* the peer closed it */
	KP_LINK_FAILED,
};

/* The zero state is not open. */
struct kp_link {
	int fd;
	bool is_open, is_connected;
	struct ssl_st *ssl; /* NULL: plain */
};

/* kp_link_open begins to connect. tls NULL: plain. */
bool kp_link_open(struct kp_link *link, const struct sockaddr_in *address,
    struct kp_link_tls *tls, struct kp_error *err) KP_MUST_CHECK;
void kp_link_close(struct kp_link *link);

/* kp_link_finish_open goes on with connecting and the TLS handshake. */
enum kp_link_status kp_link_finish_open(
    struct kp_link *link, struct kp_error *err);

enum kp_link_status kp_link_read(struct kp_link *link, uint8_t *out,
    size_t max_len, size_t *out_len, struct kp_error *err);

/* kp_link_discard is kp_link_read for bytes that nobody looks at. */
enum kp_link_status kp_link_discard(struct kp_link *link, size_t max_len,
    size_t *out_len, struct kp_error *err);

enum kp_link_status kp_link_write(struct kp_link *link, struct kp_bytes bytes,
    size_t *out_len, struct kp_error *err);

/* Negotiated version and cipher; "" for a plain link. */
const char *kp_link_tls_version(const struct kp_link *link);
const char *kp_link_tls_cipher(const struct kp_link *link);

/* kp_link_parse_address reads "IPv4:port". */
bool kp_link_parse_address(struct sockaddr_in *out, const char *text,
    struct kp_error *err) KP_MUST_CHECK;

#endif
