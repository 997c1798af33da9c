/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/net/tls_priv.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/sha.h>

#include "base/alloc.h"

/* BoringSSL keeps index 0 free for the application. */
#define APP_DATA 0

struct kp_tls_server {
	atomic_uint refs;
	SSL_CTX *ctx;
	struct kp_tls_tickets *tickets;
	struct kp_tls_identity *identities; /* the first is the default */
	size_t num_identities;
};

static struct kp_tls_server *
server_of(const SSL *ssl)
{
	return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), APP_DATA);
}

static bool
is_for(const struct kp_tls_identity *identity, const char *name)
{
	return X509_check_host(identity->leaf, name, strlen(name),
		   X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
}

/*
 * Every certificate for the name is offered, in order, so that a host may have
 * one of each key type; without a match all are, as the context has them.
 */
static enum ssl_select_cert_result_t
select_certificate(const SSL_CLIENT_HELLO *hello)
{
	const struct kp_tls_server *server = server_of(hello->ssl);
	const char *name =
	    SSL_get_servername(hello->ssl, TLSEXT_NAMETYPE_host_name);
	bool is_first = true;

	for (size_t i = 0; name != NULL && i < server->num_identities; i++) {
		if (!is_for(&server->identities[i], name))
			continue;
		if (is_first)
			SSL_certs_clear(hello->ssl);
		is_first = false;
		if (SSL_add1_credential(
			hello->ssl, server->identities[i].credential) != 1)
			return ssl_select_cert_error;
	}
	return ssl_select_cert_success;
}

static size_t
ticket_overhead(SSL *ssl)
{
	(void)ssl;
	return kp_tls_tickets_overhead();
}

static int
ticket_seal(SSL *ssl, uint8_t *out, size_t *out_len, size_t max_out_len,
    const uint8_t *in, size_t in_len)
{
	return kp_tls_tickets_seal(server_of(ssl)->tickets, out, out_len,
	    max_out_len, (struct kp_bytes){ in, in_len });
}

static enum ssl_ticket_aead_result_t
ticket_open(SSL *ssl, uint8_t *out, size_t *out_len, size_t max_out_len,
    const uint8_t *in, size_t in_len)
{
	if (kp_tls_tickets_open(server_of(ssl)->tickets, out, out_len,
		max_out_len, (struct kp_bytes){ in, in_len }))
		return ssl_ticket_aead_success;
	return ssl_ticket_aead_ignore_ticket;
}

static const SSL_TICKET_AEAD_METHOD ticket_method = {
	.max_overhead = ticket_overhead,
	.seal = ticket_seal,
	.open = ticket_open,
};

static void
hash(SHA256_CTX *sha, const void *data, size_t len)
{
	uint64_t prefix = len;

	(void)SHA256_Update(sha, &prefix, sizeof(prefix));
	(void)SHA256_Update(sha, data, len);
}

/*
 * A resumed session is not verified again, so a ticket must not carry an
 * identity to a listener, or into a time, with other rules about clients.
 */
static bool
set_resumption(
    struct kp_tls_server *server, const struct kp_tables_listener *listener)
{
	uint8_t context[SHA256_DIGEST_LENGTH];
	SHA256_CTX sha;

	(void)SHA256_Init(&sha);
	hash(&sha, listener->name, strlen(listener->name));
	hash(&sha, &listener->client_auth, sizeof(listener->client_auth));
	hash(&sha, listener->client_ca_pem.data, listener->client_ca_pem.len);
	(void)SHA256_Final(context, &sha);
	SSL_CTX_set_ticket_aead_method(server->ctx, &ticket_method);
	(void)SSL_CTX_set_session_cache_mode(server->ctx, SSL_SESS_CACHE_OFF);
	return SSL_CTX_set_session_id_context(
		   server->ctx, context, sizeof(context)) == 1;
}

static bool
set_client_auth(SSL_CTX *ctx, const struct kp_tables_listener *listener,
    struct kp_error *err)
{
	int mode = SSL_VERIFY_PEER;
	STACK_OF(X509_NAME) * names;

	if (listener->client_auth == KP_CLIENT_AUTH_NONE)
		return true;
	if (listener->client_ca_pem.len == 0)
		return kp_error_set(err, KP_ERR_CONFIG,
		    "client authentication needs a client CA");
	names = sk_X509_NAME_new_null();
	kp_assert(names != NULL);
	if (!kp_tls_trust(ctx, listener->client_ca_pem, names, err)) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return kp_error_prefix(err, "client CA \"%s\"",
		    listener->client_ca_ref != NULL ? listener->client_ca_ref
						    : "?");
	}
	SSL_CTX_set_client_CA_list(ctx, names);
	if (listener->client_auth == KP_CLIENT_AUTH_REQUIRED)
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_CTX_set_verify(ctx, mode, NULL);
	return true;
}

static bool
load_identities(struct kp_tls_server *server,
    const struct kp_tables_listener *listener, struct kp_error *err)
{
	if (listener->num_certificates == 0)
		return kp_error_set(
		    err, KP_ERR_CONFIG, "TLS needs a certificate");
	server->identities =
	    kp_alloc(listener->num_certificates, sizeof(*server->identities));
	for (size_t i = 0; i < listener->num_certificates; i++) {
		struct kp_tls_identity *identity = &server->identities[i];

		if (!kp_tls_identity_init(
			identity, &listener->certificates[i], err))
			return false;
		server->num_identities++;
		kp_assert(SSL_CTX_add1_credential(
			      server->ctx, identity->credential) == 1);
	}
	return true;
}

static bool
build(struct kp_tls_server *server, const struct kp_tables_listener *listener,
    struct kp_error *err)
{
	server->ctx = kp_tls_ctx_new(err);
	if (server->ctx == NULL)
		return false;
	kp_assert(SSL_CTX_set_ex_data(server->ctx, APP_DATA, server) == 1);
	SSL_CTX_set_select_certificate_cb(server->ctx, select_certificate);
	kp_assert(set_resumption(server, listener));
	return load_identities(server, listener, err) &&
	       set_client_auth(server->ctx, listener, err);
}

struct kp_tls_server *
kp_tls_server_new(const struct kp_tables_listener *listener,
    struct kp_tls_tickets *tickets, struct kp_error *err)
{
	struct kp_tls_server *server = kp_alloc(1, sizeof(*server));

	atomic_init(&server->refs, 1);
	server->tickets = kp_tls_tickets_ref(tickets);
	if (build(server, listener, err))
		return server;
	kp_tls_server_unref(server);
	(void)kp_error_prefix(err, "listener \"%s\"", listener->name);
	return NULL;
}

bool
kp_tls_server_is_same(
    const struct kp_tables_listener *a, const struct kp_tables_listener *b)
{
	if (strcmp(a->name, b->name) != 0 || a->client_auth != b->client_auth ||
	    !kp_bytes_equal(a->client_ca_pem, b->client_ca_pem) ||
	    a->num_certificates != b->num_certificates)
		return false;
	for (size_t i = 0; i < a->num_certificates; i++) {
		if (!kp_tls_pair_is_same(
			&a->certificates[i], &b->certificates[i]))
			return false;
	}
	return true;
}

struct kp_tls_server *
kp_tls_server_ref(struct kp_tls_server *ctx)
{
	atomic_fetch_add_explicit(&ctx->refs, 1, memory_order_relaxed);
	return ctx;
}

void
kp_tls_server_unref(struct kp_tls_server *ctx)
{
	if (ctx == NULL ||
	    atomic_fetch_sub_explicit(&ctx->refs, 1, memory_order_acq_rel) != 1)
		return;
	SSL_CTX_free(ctx->ctx);
	for (size_t i = 0; i < ctx->num_identities; i++)
		kp_tls_identity_fini(&ctx->identities[i]);
	free(ctx->identities);
	kp_tls_tickets_unref(ctx->tickets);
	free(ctx);
}

SSL *
kp_tls_server_connection(struct kp_tls_server *ctx, struct kp_error *err)
{
	SSL *ssl;

	ERR_clear_error();
	ssl = SSL_new(ctx->ctx);
	if (ssl == NULL) {
		(void)kp_tls_error(err, KP_ERR_LIMIT, "could not start TLS");
		return NULL;
	}
	SSL_set_accept_state(ssl);
	return ssl;
}
