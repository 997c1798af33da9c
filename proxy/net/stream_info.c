/* SPDX-License-Identifier: Apache-2.0 */
/* Who the peer is and what was agreed on. */
#include "proxy/net/stream.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/bytes.h"

/* A text of fixed room that ends in "..." if something did not fit. */
struct text {
	char *out;
	size_t size, len;
};

static void
add(struct text *text, const void *data, size_t data_len)
{
	size_t room = text->size - 1 - text->len;
	size_t n = data_len < room ? data_len : room;

	kp_copy(text->out + text->len, data, n);
	text->len += n;
	text->out[text->len] = '\0';
	if (n < data_len)
		kp_copy(text->out + text->size - 4, "...", 3);
}

static void
add_name(struct text *text, const char *kind, const void *data, size_t len)
{
	if (text->len > 0)
		add(text, ", ", 2);
	add(text, kind, strlen(kind));
	add(text, ":", 1);
	add(text, data, len);
}

static void
add_ip(struct text *text, const ASN1_STRING *bytes)
{
	char name[INET6_ADDRSTRLEN];
	int len = ASN1_STRING_length(bytes);
	int family = len == 4 ? AF_INET : AF_INET6;

	if ((len == 4 || len == 16) &&
	    inet_ntop(family, ASN1_STRING_get0_data(bytes), name,
		sizeof(name)) != NULL)
		add_name(text, "IP", name, strlen(name));
}

static void
add_general_name(struct text *text, const GENERAL_NAME *name)
{
	static const struct {
		int type;
		const char *kind;
	} kinds[] = { { GEN_DNS, "DNS" }, { GEN_URI, "URI" },
		{ GEN_EMAIL, "email" } };
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);

	if (type == GEN_IPADD)
		add_ip(text, value);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].type == type)
			add_name(text, kinds[i].kind,
			    ASN1_STRING_get0_data(value),
			    (size_t)ASN1_STRING_length(value));
	}
}

static void
describe_names(struct text *text, const X509 *certificate)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

	if (names == NULL)
		return;
	for (size_t i = 0; i < sk_GENERAL_NAME_num(names); i++)
		add_general_name(text, sk_GENERAL_NAME_value(names, i));
	GENERAL_NAMES_free(names);
}

static void
describe_subject(struct text *text, const X509 *certificate)
{
	BIO *memory = BIO_new(BIO_s_mem());
	const uint8_t *data;
	size_t len;

	if (memory == NULL)
		return;
	if (X509_NAME_print_ex(memory, X509_get_subject_name(certificate), 0,
		XN_FLAG_RFC2253) >= 0 &&
	    BIO_mem_contents(memory, &data, &len) == 1)
		add(text, data, len);
	BIO_free(memory);
}

static const char *
or_nothing(const char *text)
{
	return text != NULL ? text : "";
}

void
kp_stream_describe(const struct kp_stream *s, struct kp_stream_info *out)
{
	const SSL_CIPHER *cipher;
	X509 *peer;

	*out = (struct kp_stream_info){ "", "", "", .is_resumed = false };
	if (s->ssl == NULL)
		return;
	cipher = SSL_get_current_cipher(s->ssl);
	out->version = SSL_get_version(s->ssl);
	if (cipher != NULL)
		out->cipher = SSL_CIPHER_standard_name(cipher);
	out->group = or_nothing(SSL_get_group_name(SSL_get_group_id(s->ssl)));
	out->is_resumed = SSL_session_reused(s->ssl) == 1;
	peer = SSL_get_peer_certificate(s->ssl);
	if (peer == NULL)
		return;
	out->has_peer_certificate = true;
	describe_subject(
	    &(struct text){ out->peer_subject, sizeof(out->peer_subject), 0 },
	    peer);
	describe_names(
	    &(struct text){ out->peer_names, sizeof(out->peer_names), 0 },
	    peer);
	X509_free(peer);
}

const char *
kp_stream_sni(const struct kp_stream *s)
{
	if (s->ssl == NULL)
		return NULL;
	return SSL_get_servername(s->ssl, TLSEXT_NAMETYPE_host_name);
}
