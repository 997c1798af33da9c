/* SPDX-License-Identifier: Apache-2.0 */
/* BoringSSL's reasons in words that help whoever reads the log. */
#include "proxy/net/tls_priv.h"

#include <stdio.h>

#include <openssl/err.h>

struct meaning {
	long code;
	const char *text;
};

static const struct meaning reasons[] = {
	{ SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE,
	    "client certificate is required, the client sent none" },
	{ SSL_R_WRONG_VERSION_NUMBER, "peer does not speak TLS" },
	{ SSL_R_HTTP_REQUEST, "peer speaks HTTP, not TLS" },
	{ SSL_R_HTTPS_PROXY_REQUEST, "peer speaks HTTP, not TLS" },
	{ SSL_R_UNEXPECTED_RECORD, "peer broke the TLS protocol" },
	{ SSL_R_UNSUPPORTED_PROTOCOL,
	    "no TLS version in common (TLS 1.2 and 1.3 are allowed)" },
	{ SSL_R_NO_SHARED_CIPHER, "no cipher in common" },
	{ SSL_R_NO_SHARED_GROUP, "no key exchange group in common" },
	{ SSL_R_NO_COMMON_SIGNATURE_ALGORITHMS,
	    "no signature algorithm in common" },
	{ SSL_R_KEY_USAGE_BIT_INCORRECT,
	    "certificate's key usage does not allow this use" },
};

static const struct meaning verdicts[] = {
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
	    "issued by an authority that is not trusted" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
	    "issued by an authority that is not trusted" },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
	    "issued by an authority that is not trusted" },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
	    "issued by an authority that is not trusted" },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
	    "self-signed and not trusted" },
	{ X509_V_ERR_CERT_HAS_EXPIRED, "expired" },
	{ X509_V_ERR_CERT_NOT_YET_VALID, "not valid yet" },
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE, "signature is wrong" },
	{ X509_V_ERR_INVALID_PURPOSE,
	    "extended key usage does not allow this use" },
	{ X509_V_ERR_INVALID_CA, "issuer is not a certificate authority" },
	{ X509_V_ERR_IP_ADDRESS_MISMATCH, "not for this address" },
};

static const char *
find(const struct meaning *meanings, size_t num_meanings, long code)
{
	for (size_t i = 0; i < num_meanings; i++) {
		if (meanings[i].code == code)
			return meanings[i].text;
	}
	return NULL;
}

#define FIND(meanings, code) \
	find((meanings), sizeof(meanings) / sizeof((meanings)[0]), (code))

static char
lower(char c)
{
	if (c == '_')
		return ' ';
	if (c < 'A' || c > 'Z')
		return c;
	return (char)(c + ('a' - 'A'));
}

/* BoringSSL's names look like BAD_DECRYPT or Certificate verify failed. */
static void
set_lower(struct kp_error *err, enum kp_error_kind kind, const char *what,
    const char *reason)
{
	char words[128];

	(void)snprintf(words, sizeof(words), "%s", reason);
	for (char *c = words; *c != '\0'; c++)
		*c = lower(*c);
	(void)kp_error_set(err, kind, "%s: %s", what, words);
}

static void
set_alert(
    struct kp_error *err, enum kp_error_kind kind, const char *what, int alert)
{
	(void)kp_error_set(err, kind, "%s: peer sent alert \"%s\"", what,
	    SSL_alert_desc_string_long(alert));
}

static void
set_code(struct kp_error *err, enum kp_error_kind kind, const char *what,
    uint32_t code)
{
	const char *text = NULL, *name = ERR_reason_error_string(code);
	int reason = ERR_GET_REASON(code);

	if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
		if (reason >= SSL_AD_REASON_OFFSET) {
			set_alert(
			    err, kind, what, reason - SSL_AD_REASON_OFFSET);
			return;
		}
		text = FIND(reasons, reason);
	}
	if (text != NULL)
		(void)kp_error_set(err, kind, "%s: %s", what, text);
	else
		set_lower(err, kind, what, name != NULL ? name : "failed");
}

bool
kp_tls_error(struct kp_error *err, enum kp_error_kind kind, const char *what)
{
	uint32_t code = ERR_peek_error();

	if (code == 0)
		(void)kp_error_set(err, kind, "%s", what);
	else
		set_code(err, kind, what, code);
	ERR_clear_error();
	return false;
}

static void
set_verdict(struct kp_error *err, const SSL *ssl, long verdict)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const char *text = FIND(verdicts, verdict);

	if (verdict == X509_V_ERR_HOSTNAME_MISMATCH && name != NULL)
		(void)kp_error_set(err, KP_ERR_TLS,
		    "TLS handshake: peer's certificate: not for \"%s\"", name);
	else if (text != NULL)
		(void)kp_error_set(err, KP_ERR_TLS,
		    "TLS handshake: peer's certificate: %s", text);
	else
		set_lower(err, KP_ERR_TLS, "TLS handshake: peer's certificate",
		    X509_verify_cert_error_string(verdict));
}

bool
kp_tls_handshake_error(struct kp_error *err, const SSL *ssl)
{
	uint32_t code = ERR_peek_error();
	long verdict = SSL_get_verify_result(ssl);

	if (ERR_GET_LIB(code) != ERR_LIB_SSL ||
	    ERR_GET_REASON(code) != SSL_R_CERTIFICATE_VERIFY_FAILED)
		return kp_tls_error(err, KP_ERR_TLS, "TLS handshake");
	set_verdict(err, ssl, verdict);
	ERR_clear_error();
	return false;
}
