/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and keys from PEM bytes, and what both kinds of context share.
 */
#include "proxy/net/tls_priv.h"

#include <limits.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pool.h>

/* A chain that a peer sends, in bytes; bounds memory before we know the peer.
 */
#define MAX_PEER_CHAIN_LEN ((size_t)64 * 1024)

/* More than any chain or bundle of authorities needs. */
#define MAX_CERTIFICATES 1000

static const char groups[] = "X25519MLKEM768:X25519:P-256:P-384";
static const char ciphers_of_tls12[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

/* Nobody is there to ask for a passphrase. */
static int
no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return 0;
}

static BIO *
open_pem(struct kp_bytes pem)
{
	ERR_clear_error();
	return BIO_new_mem_buf(pem.data != NULL ? pem.data : (const void *)"",
	    (ossl_ssize_t)pem.len);
}

/* After the last certificate the reader complains that there is no other. */
static bool
is_at_end(void)
{
	uint32_t code = ERR_peek_last_error();

	return ERR_GET_LIB(code) == ERR_LIB_PEM &&
	       ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

static bool
read_all(STACK_OF(X509) * out, BIO *in, struct kp_error *err)
{
	X509 *certificate;

	while ((certificate = PEM_read_bio_X509(
		    in, NULL, no_passphrase, NULL)) != NULL) {
		if (sk_X509_num(out) == MAX_CERTIFICATES ||
		    !sk_X509_push(out, certificate)) {
			X509_free(certificate);
			return kp_error_set(
			    err, KP_ERR_CONFIG, "too many certificates");
		}
	}
	if (!is_at_end())
		return kp_tls_error(err, KP_ERR_CONFIG, "malformed");
	ERR_clear_error();
	if (sk_X509_num(out) == 0)
		return kp_error_set(err, KP_ERR_CONFIG, "no certificate in it");
	return true;
}

STACK_OF(X509) * kp_tls_parse_chain(struct kp_bytes pem, struct kp_error *err)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	BIO *in = open_pem(pem);

	kp_assert(chain != NULL && in != NULL);
	if (!read_all(chain, in, err)) {
		sk_X509_pop_free(chain, X509_free);
		chain = NULL;
	}
	BIO_free(in);
	return chain;
}

static EVP_PKEY *
parse_key(struct kp_bytes pem, struct kp_error *err)
{
	BIO *in = open_pem(pem);
	EVP_PKEY *key;

	kp_assert(in != NULL);
	key = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL);
	BIO_free(in);
	if (key == NULL && is_at_end())
		(void)kp_error_set(err, KP_ERR_CONFIG, "no key in it");
	else if (key == NULL)
		(void)kp_tls_error(err, KP_ERR_CONFIG,
		    "malformed or protected by a passphrase");
	ERR_clear_error();
	return key;
}

static CRYPTO_BUFFER *
encode(const X509 *certificate)
{
	uint8_t *der = NULL;
	int len = i2d_X509(certificate, &der);
	CRYPTO_BUFFER *buffer;

	kp_assert(len > 0);
	buffer = CRYPTO_BUFFER_new(der, (size_t)len, NULL);
	kp_assert(buffer != NULL);
	OPENSSL_free(der);
	return buffer;
}

static bool
set_chain(SSL_CREDENTIAL *credential, const STACK_OF(X509) * chain)
{
	CRYPTO_BUFFER *encoded[16];
	size_t num = sk_X509_num(chain);
	bool is_set;

	if (num > sizeof(encoded) / sizeof(encoded[0]))
		return false;
	for (size_t i = 0; i < num; i++)
		encoded[i] = encode(sk_X509_value(chain, i));
	is_set = SSL_CREDENTIAL_set1_cert_chain(credential, encoded, num) == 1;
	for (size_t i = 0; i < num; i++)
		CRYPTO_BUFFER_free(encoded[i]);
	return is_set;
}

static bool
build(struct kp_tls_identity *out, const STACK_OF(X509) * chain,
    const EVP_PKEY *key, struct kp_error *err)
{
	out->leaf = sk_X509_value(chain, 0);
	X509_up_ref(out->leaf);
	out->credential = SSL_CREDENTIAL_new_x509();
	kp_assert(out->credential != NULL);
	if (!set_chain(out->credential, chain))
		return kp_tls_error(err, KP_ERR_CONFIG,
		    "chain is not usable (16 certificates at most)");
	if (X509_check_private_key(out->leaf, key) != 1) {
		ERR_clear_error();
		return kp_error_set(err, KP_ERR_CONFIG,
		    "private key does not belong to the certificate");
	}
	if (SSL_CREDENTIAL_set1_private_key(out->credential, key) != 1)
		return kp_tls_error(err, KP_ERR_CONFIG, "key is not usable");
	return true;
}

static const char *
ref_of(const char *ref)
{
	return ref != NULL ? ref : "?";
}

bool
kp_tls_identity_init(struct kp_tls_identity *out,
    const struct kp_key_pair *pair, struct kp_error *err)
{
	STACK_OF(X509) *chain = NULL;
	EVP_PKEY *key = NULL;
	bool is_built = false;

	*out = (struct kp_tls_identity){ 0 };
	chain = kp_tls_parse_chain(pair->certificate_pem, err);
	if (chain == NULL) {
		(void)kp_error_prefix(
		    err, "certificate \"%s\"", ref_of(pair->certificate_ref));
		goto out;
	}
	key = parse_key(pair->key_pem, err);
	if (key == NULL) {
		(void)kp_error_prefix(err, "key \"%s\"", ref_of(pair->key_ref));
		goto out;
	}
	is_built = build(out, chain, key, err);
	if (!is_built) {
		(void)kp_error_prefix(
		    err, "certificate \"%s\"", ref_of(pair->certificate_ref));
		kp_tls_identity_fini(out);
	}
out:
	EVP_PKEY_free(key);
	sk_X509_pop_free(chain, X509_free);
	return is_built;
}

void
kp_tls_identity_fini(struct kp_tls_identity *identity)
{
	X509_free(identity->leaf);
	SSL_CREDENTIAL_free(identity->credential);
	*identity = (struct kp_tls_identity){ 0 };
}

bool
kp_tls_pair_is_same(const struct kp_key_pair *a, const struct kp_key_pair *b)
{
	return kp_bytes_equal(a->certificate_pem, b->certificate_pem) &&
	       kp_bytes_equal(a->key_pem, b->key_pem);
}

SSL_CTX *
kp_tls_ctx_new(struct kp_error *err)
{
	SSL_CTX *ctx;

	ERR_clear_error();
	ctx = SSL_CTX_new(TLS_method());
	kp_assert(ctx != NULL);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_strict_cipher_list(ctx, ciphers_of_tls12) != 1 ||
	    SSL_CTX_set1_groups_list(ctx, groups) != 1) {
		(void)kp_tls_error(err, KP_ERR_TLS, "could not set up TLS");
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_max_cert_list(ctx, MAX_PEER_CHAIN_LEN);
	/* a session lives no longer than the key of its ticket */
	(void)SSL_CTX_set_timeout(ctx, KP_TLS_TICKET_KEY_MS / 1000);
	SSL_CTX_set_session_psk_dhe_timeout(ctx, KP_TLS_TICKET_KEY_MS / 1000);
	return ctx;
}

bool
kp_tls_trust(SSL_CTX *ctx, struct kp_bytes ca_pem, STACK_OF(X509_NAME) * names,
    struct kp_error *err)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	STACK_OF(X509) *anchors = kp_tls_parse_chain(ca_pem, err);

	if (anchors == NULL)
		return false;
	/* As Java's trust stores have it: whatever is listed is an anchor. */
	(void)X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	for (size_t i = 0; i < sk_X509_num(anchors); i++) {
		X509 *anchor = sk_X509_value(anchors, i);
		X509_NAME *name;

		kp_assert(X509_STORE_add_cert(store, anchor) == 1);
		if (names == NULL)
			continue;
		name = X509_NAME_dup(X509_get_subject_name(anchor));
		kp_assert(name != NULL && sk_X509_NAME_push(names, name));
	}
	sk_X509_pop_free(anchors, X509_free);
	return true;
}
