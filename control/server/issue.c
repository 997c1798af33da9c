/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/issue.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/text.h"

#define DAY 86400L
#define CA_DAYS 3650
#define DAYS 825
#define CA_NAME "kproxy development CA"
#define MAX_FILE (64u << 10)
#define MAX_NAMES_LEN 4096

static bool
failed(struct kp_error *err)
{
	return kp_error_set(
	    err, KP_ERR_TLS, "the certificate could not be made");
}

static EVP_PKEY *
key_new(void)
{
	EC_KEY *ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
	EVP_PKEY *key = EVP_PKEY_new();

	if (ec != NULL && key != NULL && EC_KEY_generate_key(ec) == 1 &&
	    EVP_PKEY_set1_EC_KEY(key, ec) == 1) {
		EC_KEY_free(ec);
		return key;
	}
	EC_KEY_free(ec);
	EVP_PKEY_free(key);
	return NULL;
}

static bool
add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;
	bool is_ok;

	X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_nconf_nid(NULL, &ctx, nid, value);
	is_ok =
	    extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return is_ok;
}

static bool
set_subject(X509 *certificate, const char *common_name)
{
	X509_NAME *name = X509_NAME_new();
	bool is_ok = name != NULL &&
		     X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
			 (const uint8_t *)common_name, -1, -1, 0) == 1 &&
		     X509_set_subject_name(certificate, name) == 1;

	X509_NAME_free(name);
	return is_ok;
}

/* A certificate that lacks an issuer, extensions and a signature. */
static X509 *
certificate_new(const char *common_name, EVP_PKEY *key, long days)
{
	X509 *certificate = X509_new();
	uint64_t serial;

	if (certificate != NULL &&
	    RAND_bytes((uint8_t *)&serial, sizeof(serial)) == 1 &&
	    X509_set_version(certificate, X509_VERSION_3) == 1 &&
	    ASN1_INTEGER_set_uint64(
		X509_get_serialNumber(certificate), (serial >> 1) | 1) == 1 &&
	    set_subject(certificate, common_name) &&
	    X509_set_pubkey(certificate, key) == 1 &&
	    X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(certificate), days * DAY) !=
		NULL)
		return certificate;
	X509_free(certificate);
	return NULL;
}

static bool
sign(X509 *certificate, X509 *issuer, EVP_PKEY *issuer_key)
{
	return X509_set_issuer_name(
		   certificate, X509_get_subject_name(issuer)) == 1 &&
	       X509_sign(certificate, issuer_key, EVP_sha256()) > 0;
}

bool
kp_issue_write(int dir_fd, const char *name, const struct kp_bytes *bytes,
    bool is_secret, struct kp_error *err)
{
	mode_t mode = is_secret ? S_IRUSR | S_IWUSR
				: S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH;
	int fd =
	    openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	bool is_ok;

	if (fd < 0)
		return kp_error_sys(err, "%s", name);
	is_ok = write(fd, bytes->data, bytes->len) == (ssize_t)bytes->len &&
		fsync(fd) == 0;
	if (!is_ok)
		(void)kp_error_sys(err, "%s", name);
	(void)close(fd);
	if (!is_ok)
		(void)unlinkat(dir_fd, name, 0);
	return is_ok;
}

/* Writes what is in memory to FILE + ending. */
static bool
write_memory(int dir_fd, const char *file, const char *ending, BIO *memory,
    struct kp_error *err)
{
	char name[256];
	struct kp_bytes bytes;

	(void)snprintf(name, sizeof(name), "%s%s", file, ending);
	if (BIO_mem_contents(memory, &bytes.data, &bytes.len) != 1)
		return failed(err);
	return kp_issue_write(
	    dir_fd, name, &bytes, strcmp(ending, ".key") == 0, err);
}

static bool
write_pair(int dir_fd, const char *file, X509 *certificate, EVP_PKEY *key,
    struct kp_error *err)
{
	BIO *pem = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_mem());
	bool is_ok = pem != NULL && secret != NULL &&
		     PEM_write_bio_X509(pem, certificate) == 1 &&
		     PEM_write_bio_PrivateKey(
			 secret, key, NULL, NULL, 0, NULL, NULL) == 1;

	is_ok = is_ok ? write_memory(dir_fd, file, ".key", secret, err) &&
			    write_memory(dir_fd, file, ".pem", pem, err)
		      : failed(err);
	BIO_free(pem);
	BIO_free(secret);
	return is_ok;
}

bool
kp_issue_ca(int dir_fd, struct kp_error *err)
{
	EVP_PKEY *key = key_new();
	X509 *ca = key == NULL ? NULL : certificate_new(CA_NAME, key, CA_DAYS);
	bool is_ok =
	    ca != NULL &&
	    add_extension(
		ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
	    add_extension(
		ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	    add_extension(ca, ca, NID_subject_key_identifier, "hash") &&
	    sign(ca, ca, key);

	is_ok = is_ok ? write_pair(dir_fd, "ca", ca, key, err) : failed(err);
	X509_free(ca);
	EVP_PKEY_free(key);
	return is_ok;
}

/* The content of a small file, for the library; NULL with err. */
static BIO *
read_file(int dir_fd, const char *name, struct kp_error *err)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	BIO *memory = BIO_new(BIO_s_mem());
	char buf[4096];
	ssize_t n = -1;
	size_t len = 0;

	while (
	    fd >= 0 && len < MAX_FILE && (n = read(fd, buf, sizeof(buf))) > 0) {
		kp_assert(BIO_write(memory, buf, (int)n) == (int)n);
		len += (size_t)n;
	}
	if (fd < 0 || n != 0) {
		(void)kp_error_sys(err, "%s", name);
		BIO_free(memory);
		memory = NULL;
	}
	if (fd >= 0)
		(void)close(fd);
	return memory;
}

static bool
read_ca(int dir_fd, X509 **out, EVP_PKEY **out_key, struct kp_error *err)
{
	BIO *pem = read_file(dir_fd, "ca.pem", err);
	BIO *secret = pem == NULL ? NULL : read_file(dir_fd, "ca.key", err);
	bool has_both = pem != NULL && secret != NULL;

	if (has_both) {
		*out = PEM_read_bio_X509(pem, NULL, NULL, NULL);
		*out_key = PEM_read_bio_PrivateKey(secret, NULL, NULL, NULL);
		if (*out == NULL || *out_key == NULL)
			(void)kp_error_set(err, KP_ERR_TLS,
			    "ca.pem or ca.key is not what kpserver init "
			    "makes");
	}
	BIO_free(pem);
	BIO_free(secret);
	return has_both && *out != NULL && *out_key != NULL;
}

static bool
add_names(X509 *certificate, X509 *ca, const struct kp_issue *what)
{
	struct kp_buf text;
	bool is_ok;

	if (what->num_names == 0)
		return true;
	kp_buf_init(&text, MAX_NAMES_LEN);
	for (size_t i = 0; i < what->num_names; i++)
		kp_buf_printf(&text, "%s%s:%s", i > 0 ? "," : "",
		    kp_is_address(what->names[i]) ? "IP" : "DNS",
		    what->names[i]);
	kp_buf_add(&text, "", 1);
	is_ok =
	    !text.failed && add_extension(certificate, ca, NID_subject_alt_name,
				(const char *)text.data);
	kp_buf_fini(&text);
	return is_ok;
}

static bool
issue_by(X509 *ca, EVP_PKEY *ca_key, int dir_fd, const char *file,
    const struct kp_issue *what, struct kp_error *err)
{
	EVP_PKEY *key = key_new();
	X509 *made =
	    key == NULL ? NULL : certificate_new(what->common_name, key, DAYS);
	bool is_ok =
	    made != NULL && add_names(made, ca, what) &&
	    add_extension(
		made, ca, NID_key_usage, "critical,digitalSignature") &&
	    add_extension(made, ca, NID_ext_key_usage,
		what->is_server ? "serverAuth,clientAuth" : "clientAuth") &&
	    sign(made, ca, ca_key);

	is_ok = is_ok ? write_pair(dir_fd, file, made, key, err) : failed(err);
	X509_free(made);
	EVP_PKEY_free(key);
	return is_ok;
}

bool
kp_issue(int dir_fd, const char *file, const struct kp_issue *what,
    struct kp_error *err)
{
	EVP_PKEY *ca_key = NULL;
	X509 *ca = NULL;
	bool is_ok = read_ca(dir_fd, &ca, &ca_key, err) &&
		     issue_by(ca, ca_key, dir_fd, file, what, err);

	X509_free(ca);
	EVP_PKEY_free(ca_key);
	return is_ok;
}
