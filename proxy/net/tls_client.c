/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/net/tls_priv.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "base/alloc.h"
#include "proxy/net/address.h"

struct kp_tls_client {
	atomic_uint refs;
	SSL_CTX *ctx;
	bool is_hostname_verified;
};

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
	if (build(client, cluster, err))
		return client;
	kp_tls_client_unref(client);
	(void)kp_error_prefix(err, "cluster \"%s\"", cluster->name);
	return NULL;
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
	SSL_set_connect_state(ssl);
	return ssl;
}
