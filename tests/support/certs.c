/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/certs.h"

#include <stdlib.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/alloc.h"

struct kp_test_ca {
	X509 *certificate;
	EVP_PKEY *key;
	struct kp_bytes pem;
};

static EVP_PKEY *
make_ec_key(void)
{
	EC_KEY *ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
	EVP_PKEY *key = EVP_PKEY_new();

	kp_assert(EC_KEY_generate_key(ec) == 1);
	kp_assert(EVP_PKEY_assign_EC_KEY(key, ec) == 1);
	return key;
}

static EVP_PKEY *
make_rsa_key(void)
{
	RSA *rsa = RSA_new();
	BIGNUM *exponent = BN_new();
	EVP_PKEY *key = EVP_PKEY_new();

	kp_assert(BN_set_word(exponent, RSA_F4) == 1);
	kp_assert(RSA_generate_key_ex(rsa, 2048, exponent, NULL) == 1);
	kp_assert(EVP_PKEY_assign_RSA(key, rsa) == 1);
	BN_free(exponent);
	return key;
}

/* What is in memory, as bytes of our own. */
static struct kp_bytes
take_bytes(BIO *memory)
{
	const uint8_t *data;
	size_t len;
	uint8_t *copy;

	kp_assert(BIO_mem_contents(memory, &data, &len) == 1);
	copy = kp_alloc(1, len);
	kp_copy(copy, data, len);
	BIO_free(memory);
	return (struct kp_bytes){ copy, len };
}

static struct kp_bytes
certificate_pem(X509 *certificate)
{
	BIO *memory = BIO_new(BIO_s_mem());

	kp_assert(PEM_write_bio_X509(memory, certificate) == 1);
	return take_bytes(memory);
}

static struct kp_bytes
key_pem(EVP_PKEY *key)
{
	BIO *memory = BIO_new(BIO_s_mem());

	kp_assert(PEM_write_bio_PrivateKey(
		      memory, key, NULL, NULL, 0, NULL, NULL) == 1);
	return take_bytes(memory);
}

static void
free_bytes(struct kp_bytes *bytes)
{
	free((void *)(uintptr_t)bytes->data);
	*bytes = (struct kp_bytes){ 0 };
}

static void
add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	if (value == NULL)
		return;
	X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_nconf_nid(NULL, &ctx, nid, value);
	kp_assert(extension != NULL);
	kp_assert(X509_add_ext(certificate, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

/* A certificate without issuer, extensions and signature. */
static X509 *
make_certificate(const char *common_name, EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_NAME *name = X509_NAME_new();
	uint64_t serial;

	kp_assert(RAND_bytes((uint8_t *)&serial, sizeof(serial)) == 1);
	kp_assert(X509_set_version(certificate, X509_VERSION_3) == 1);
	kp_assert(ASN1_INTEGER_set_uint64(
		      X509_get_serialNumber(certificate), serial >> 1) == 1);
	kp_assert(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		      (const uint8_t *)common_name, -1, -1, 0) == 1);
	kp_assert(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
		      (const uint8_t *)"Tests, Inc", -1, -1, 0) == 1);
	kp_assert(X509_set_subject_name(certificate, name) == 1);
	kp_assert(X509_set_pubkey(certificate, key) == 1);
	X509_NAME_free(name);
	return certificate;
}

static void
set_validity(X509 *certificate, long from_second, long to_second)
{
	kp_assert(X509_gmtime_adj(
		      X509_getm_notBefore(certificate), from_second) != NULL);
	kp_assert(X509_gmtime_adj(X509_getm_notAfter(certificate), to_second) !=
		  NULL);
}

static void
sign(X509 *certificate, X509 *issuer, EVP_PKEY *issuer_key)
{
	kp_assert(X509_set_issuer_name(
		      certificate, X509_get_subject_name(issuer)) == 1);
	kp_assert(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
}

#define DAY 86400L

struct kp_test_ca *
kp_test_ca_new(const char *common_name)
{
	struct kp_test_ca *ca = kp_alloc(1, sizeof(*ca));

	ca->key = make_ec_key();
	ca->certificate = make_certificate(common_name, ca->key);
	set_validity(ca->certificate, -DAY, DAY);
	add_extension(ca->certificate, ca->certificate, NID_basic_constraints,
	    "critical,CA:TRUE");
	add_extension(ca->certificate, ca->certificate, NID_key_usage,
	    "critical,keyCertSign");
	sign(ca->certificate, ca->certificate, ca->key);
	ca->pem = certificate_pem(ca->certificate);
	return ca;
}

void
kp_test_ca_free(struct kp_test_ca *ca)
{
	X509_free(ca->certificate);
	EVP_PKEY_free(ca->key);
	free_bytes(&ca->pem);
	free(ca);
}

struct kp_bytes
kp_test_ca_pem(const struct kp_test_ca *ca)
{
	return ca->pem;
}

static void
set_days(X509 *certificate, const struct kp_test_cert *cert)
{
	long first = cert->first_day, last = cert->last_day;

	if (first == 0 && last == 0) {
		first = -1;
		last = 1;
	}
	set_validity(certificate, first * DAY,
	    cert->last_second != 0 ? cert->last_second : last * DAY);
}

void
kp_test_issue(struct kp_key_pair *out, const struct kp_test_ca *ca,
    const struct kp_test_cert *cert)
{
	EVP_PKEY *key = cert->is_rsa ? make_rsa_key() : make_ec_key();
	X509 *certificate = make_certificate(cert->common_name, key);

	set_days(certificate, cert);
	add_extension(
	    certificate, ca->certificate, NID_subject_alt_name, cert->names);
	add_extension(
	    certificate, ca->certificate, NID_ext_key_usage, cert->usage);
	sign(certificate, ca->certificate, ca->key);
	*out = (struct kp_key_pair){ .certificate_pem =
					 certificate_pem(certificate),
		.key_pem = key_pem(key),
		.certificate_ref = kp_strdup("test.pem"),
		.key_ref = kp_strdup("test.key") };
	X509_free(certificate);
	EVP_PKEY_free(key);
}

void
kp_test_key_pair_fini(struct kp_key_pair *pair)
{
	free_bytes(&pair->certificate_pem);
	free_bytes(&pair->key_pem);
	free(pair->certificate_ref);
	free(pair->key_ref);
	*pair = (struct kp_key_pair){ 0 };
}
