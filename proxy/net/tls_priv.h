/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files about TLS share. BoringSSL's error queue belongs to the
 * thread: it is cleared before a call and emptied by kp_tls_error after one.
 */
#ifndef KP_PROXY_NET_TLS_PRIV_H
#define KP_PROXY_NET_TLS_PRIV_H

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "proxy/net/tls.h"

struct kp_stream;

/* One certificate chain with its key. The zero state is none. */
struct kp_tls_identity {
	X509 *leaf;
	SSL_CREDENTIAL *credential;
};

bool kp_tls_identity_init(struct kp_tls_identity *out,
    const struct kp_key_pair *pair, struct kp_error *err) KP_MUST_CHECK;
void kp_tls_identity_fini(struct kp_tls_identity *identity);

/* kp_tls_pair_is_same: would both become the same identity? */
bool kp_tls_pair_is_same(
    const struct kp_key_pair *a, const struct kp_key_pair *b);

/* kp_tls_parse_chain returns the certificates of pem in order, at least one. */
STACK_OF(X509) * kp_tls_parse_chain(struct kp_bytes pem, struct kp_error *err);

/* kp_tls_ctx_new makes a context with what both sides have in common. */
SSL_CTX *kp_tls_ctx_new(struct kp_error *err);

/*
 * kp_tls_trust makes every certificate of ca_pem a trust anchor of ctx, an
 * intermediate one too. names, if not NULL, receives their subjects.
 */
bool kp_tls_trust(SSL_CTX *ctx, struct kp_bytes ca_pem,
    STACK_OF(X509_NAME) * names, struct kp_error *err) KP_MUST_CHECK;

/* kp_tls_error sets err to what and the queue's reason in plain words. */
bool kp_tls_error(
    struct kp_error *err, enum kp_error_kind kind, const char *what);

/* kp_tls_handshake_error is kp_tls_error after a handshake of ssl failed. */
bool kp_tls_handshake_error(struct kp_error *err, const SSL *ssl);

/* The AEAD of session tickets, for SSL_CTX_set_ticket_aead_method. */
bool kp_tls_tickets_seal(struct kp_tls_tickets *tickets, uint8_t *out,
    size_t *out_len, size_t max_len, struct kp_bytes in) KP_MUST_CHECK;
bool kp_tls_tickets_open(struct kp_tls_tickets *tickets, uint8_t *out,
    size_t *out_len, size_t max_len, struct kp_bytes in) KP_MUST_CHECK;
size_t kp_tls_tickets_overhead(void);

/* A connection of the context; NULL when memory is short. */
SSL *kp_tls_server_connection(struct kp_tls_server *ctx, struct kp_error *err);
SSL *kp_tls_client_connection(
    struct kp_tls_client *ctx, const char *server_name, struct kp_error *err);

/* kp_tls_transport_new makes the BIO through which TLS uses the socket of s. */
BIO *kp_tls_transport_new(struct kp_stream *s);

#endif
