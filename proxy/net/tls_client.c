/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/net/tls_priv.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "base/alloc.h"
#include "base/mutex.h"
#include "proxy/net/address.h"

/* BoringSSL keeps index 0 free for the application. */
#define APP_DATA 0

/* Sessions to resume: some for each broker of an ordinary cluster. */
#define MAX_SESSIONS 64

struct kp_tls_client {
	atomic_uint refs;
	SSL_CTX *ctx;
	bool is_hostname_verified;
	struct kp_mutex lock;                /* guards what follows */
	SSL_SESSION *sessions[MAX_SESSIONS]; /* NULL where there is none */
	char *names[MAX_SESSIONS];           /* the server of each session */
	unsigned oldest;
};

/* Called when a broker offers a session; true takes it over. */
static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct kp_tls_client *client =
	    SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), APP_DATA);
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	SSL_SESSION *old_session;
	char *old_name, *copy;

	if (name == NULL)
		return false;
	copy = kp_strdup(name);
	kp_mutex_lock(&client->lock);
	old_session = client->sessions[client->oldest];
	old_name = client->names[client->oldest];
	client->sessions[client->oldest] = session;
	client->names[client->oldest] = copy;
	client->oldest = (client->oldest + 1) % MAX_SESSIONS;
	kp_mutex_unlock(&client->lock);
	SSL_SESSION_free(old_session);
	free(old_name);
	return true;
}

/* A session is used once, so that nobody can link two connections by it. */
static SSL_SESSION *
take_session(struct kp_tls_client *client, const char *name)
{
	SSL_SESSION *session = NULL;
	char *old_name = NULL;

	kp_mutex_lock(&client->lock);
	for (unsigned i = 0; i < MAX_SESSIONS && session == NULL; i++) {
		if (client->sessions[i] == NULL ||
		    strcmp(client->names[i], name) != 0)
			continue;
		session = client->sessions[i];
		old_name = client->names[i];
		client->sessions[i] = NULL;
		client->names[i] = NULL;
	}
	kp_mutex_unlock(&client->lock);
	free(old_name);
	return session;
}

static void
offer_session(struct kp_tls_client *client, SSL *ssl, const char *name)
{
	SSL_SESSION *session = take_session(client, name);

	if (session != NULL)
		(void)SSL_set_session(ssl, session);
	SSL_SESSION_free(session);
}

static bool
set_identity(SSL_CTX *ctx, const struct kp_key_pair *pair, struct kp_error *err)
{
	struct kp_tls_identity identity;

	if (pair->certificate_pem.len == 0)
		return true;
	if (!kp_tls_identity_init(&identity, pair, err))
		return kp_error_prefix(err, "client");
	kp_assert(SSL_CTX_add1_credential(ctx, identity.credential) == 1);
	kp_tls_identity_fini(&identity);
	return true;
}

static bool
build(struct kp_tls_client *client, const struct kp_tables_cluster *cluster,
    struct kp_error *err)
{
	if (cluster->ca_pem.len == 0)
		return kp_error_set(
		    err, KP_ERR_CONFIG, "no CA to verify brokers with");
	client->ctx = kp_tls_ctx_new(err);
	if (client->ctx == NULL)
		return false;
	client->is_hostname_verified = cluster->is_hostname_verified;
	kp_assert(SSL_CTX_set_ex_data(client->ctx, APP_DATA, client) == 1);
	(void)SSL_CTX_set_session_cache_mode(
	    client->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(client->ctx, keep_session);
	SSL_CTX_set_verify(client->ctx, SSL_VERIFY_PEER, NULL);
	if (!kp_tls_trust(client->ctx, cluster->ca_pem, NULL, err))
		return kp_error_prefix(err, "CA \"%s\"",
		    cluster->ca_ref != NULL ? cluster->ca_ref : "?");
	return set_identity(client->ctx, &cluster->client, err);
}

struct kp_tls_client *
kp_tls_client_new(const struct kp_tables_cluster *cluster, struct kp_error *err)
{
	struct kp_tls_client *client = kp_alloc(1, sizeof(*client));

	atomic_init(&client->refs, 1);
	kp_mutex_init(&client->lock, KP_RANK_POOL);
	if (build(client, cluster, err))
		return client;
	kp_tls_client_unref(client);
	(void)kp_error_prefix(err, "cluster \"%s\"", cluster->name);
	return NULL;
}

bool
kp_tls_client_is_same(
    const struct kp_tables_cluster *a, const struct kp_tables_cluster *b)
{
	return a->is_hostname_verified == b->is_hostname_verified &&
	       kp_bytes_equal(a->ca_pem, b->ca_pem) &&
	       kp_tls_pair_is_same(&a->client, &b->client);
}

struct kp_tls_client *
kp_tls_client_ref(struct kp_tls_client *ctx)
{
	atomic_fetch_add_explicit(&ctx->refs, 1, memory_order_relaxed);
	return ctx;
}

void
kp_tls_client_unref(struct kp_tls_client *ctx)
{
	if (ctx == NULL ||
	    atomic_fetch_sub_explicit(&ctx->refs, 1, memory_order_acq_rel) != 1)
		return;
	SSL_CTX_free(ctx->ctx);
	for (unsigned i = 0; i < MAX_SESSIONS; i++) {
		SSL_SESSION_free(ctx->sessions[i]);
		free(ctx->names[i]);
	}
	kp_mutex_fini(&ctx->lock);
	free(ctx);
}

static bool
is_literal(const char *name)
{
	struct kp_address ignored;

	return kp_address_parse(&ignored, name, 0);
}

/* Whom we ask for (SNI has no form for addresses) and whom we accept. */
static bool
set_name(SSL *ssl, const char *name, bool is_verified)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (is_literal(name))
		return !is_verified ||
		       X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
	if (SSL_set_tlsext_host_name(ssl, name) != 1)
		return false;
	return !is_verified || SSL_set1_host(ssl, name) == 1;
}

SSL *
kp_tls_client_connection(
    struct kp_tls_client *ctx, const char *server_name, struct kp_error *err)
{
	SSL *ssl;

	ERR_clear_error();
	ssl = SSL_new(ctx->ctx);
	if (ssl == NULL) {
		(void)kp_tls_error(err, KP_ERR_LIMIT, "could not start TLS");
		return NULL;
	}
	if (!set_name(ssl, server_name, ctx->is_hostname_verified)) {
		SSL_free(ssl);
		ERR_clear_error();
		(void)kp_error_set(
		    err, KP_ERR_CONFIG, "not a host name: \"%s\"", server_name);
		return NULL;
	}
	offer_session(ctx, ssl, server_name);
	SSL_set_connect_state(ssl);
	return ssl;
}
