/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/certificate.h"

#include <limits.h>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static int
no_password(char *out, int size, int is_writing, void *ctx)
{
	(void)out;
	(void)size;
	(void)is_writing;
	(void)ctx;
	return -1;
}

static X509 *
parse(struct kp_bytes pem)
{
	BIO *bio;
	X509 *found;

	if (pem.len > INT_MAX)
		return NULL;
	bio = BIO_new_mem_buf(pem.data, (ossl_ssize_t)pem.len);
	if (bio == NULL)
		return NULL;
	found = PEM_read_bio_X509(bio, NULL, no_password, NULL);
	BIO_free(bio);
	return found;
}

bool
kp_api_certificate_read(struct kp_api_certificate *out, struct kp_bytes pem)
{
	X509 *x509 = parse(pem);
	bool is_ok;

	*out = (struct kp_api_certificate){ 0 };
	if (x509 == NULL)
		return false;
	(void)X509_NAME_get_text_by_NID(X509_get_subject_name(x509),
	    NID_commonName, out->common_name, sizeof(out->common_name));
	is_ok =
	    ASN1_TIME_to_posix(X509_get0_notBefore(x509), &out->not_before) ==
		1 &&
	    ASN1_TIME_to_posix(X509_get0_notAfter(x509), &out->not_after) == 1;
	X509_free(x509);
	return is_ok;
}
