/* SPDX-License-Identifier: Apache-2.0 */
/* Handshakes: what is agreed on, who is let in and why somebody is not. */
#include "proxy/net/tls.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "tests/support/certs.h"
#include "tests/support/streams.h"
#include "tests/support/tls_world.h"

static bool
contains(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

Test(tls, agrees_on_tls_1_3_and_the_hybrid_group)
{
	struct kp_test_streams streams;
	struct kp_stream_info info;
	struct kp_test_world w;

	kp_test_world_init(&w, &kp_test_broker);
	kp_test_world_start(&w);
	kp_test_tls(&streams, w.server, w.client, "b.example");
	cr_assert(kp_test_handshake(&streams), "%s / %s",
	    streams.client_err.text, streams.server_err.text);
	kp_stream_describe(&streams.server, &info);
	cr_assert_str_eq(info.version, "TLSv1.3");
	cr_assert_str_eq(info.group, "X25519MLKEM768");
	cr_assert(
	    contains(info.cipher, "GCM") || contains(info.cipher, "CHACHA20"));
	cr_assert(!info.is_resumed);
	cr_assert(!info.has_peer_certificate);
	cr_assert_str_eq(info.peer_subject, "");
	cr_assert_str_eq(kp_stream_sni(&streams.server), "b.example");
	kp_stream_describe(&streams.client, &info);
	cr_assert_str_eq(info.version, "TLSv1.3");
	cr_assert_str_eq(info.group, "X25519MLKEM768");
	cr_assert(info.has_peer_certificate);
	cr_assert_str_eq(info.peer_subject, "O=Tests\\, Inc,CN=broker");
	cr_assert_str_eq(info.peer_names, "DNS:b.example, "
					  "DNS:*.wild.example, "
					  "IP:127.0.0.1, IP:::1");
	cr_assert(kp_test_say(&streams.client, &streams.server, "hello"));
	cr_assert(kp_test_say(&streams.server, &streams.client, "welcome"));
	kp_test_streams_fini(&streams);
	kp_test_world_fini(&w);
}

/* What an older client offers, set on its connection before the handshake. */
static void
limit_to(struct kp_stream *client, uint16_t version, const char *groups,
    const char *ciphers)
{
	kp_assert(SSL_set_min_proto_version(client->ssl, TLS1_VERSION) == 1);
	kp_assert(SSL_set_max_proto_version(client->ssl, version) == 1);
	if (groups != NULL)
		kp_assert(SSL_set1_groups_list(client->ssl, groups) == 1);
	if (ciphers != NULL)
		kp_assert(
		    SSL_set_strict_cipher_list(client->ssl, ciphers) == 1);
}

Test(tls, older_clients_get_what_they_can)
{
	static const struct {
		uint16_t version;
		const char *offers, *gets_version, *gets_group;
	} cases[] = {
		{ TLS1_3_VERSION, "X25519", "TLSv1.3", "X25519" },
		{ TLS1_3_VERSION, "P-256", "TLSv1.3", "P-256" },
		{ TLS1_3_VERSION, "P-384", "TLSv1.3", "P-384" },
		{ TLS1_3_VERSION, "X25519:X25519MLKEM768", "TLSv1.3",
		    "X25519MLKEM768" },
		{ TLS1_2_VERSION, "X25519:P-256", "TLSv1.2", "X25519" },
		{ TLS1_2_VERSION, "P-256", "TLSv1.2", "P-256" },
	};
	struct kp_test_world w;

	kp_test_world_init(&w, &kp_test_broker);
	kp_test_world_start(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_test_streams streams;
		struct kp_stream_info info;

		kp_test_tls(&streams, w.server, w.client, "b.example");
		limit_to(
		    &streams.client, cases[i].version, cases[i].offers, NULL);
		cr_assert(kp_test_handshake(&streams), "%zu: %s / %s", i,
		    streams.client_err.text, streams.server_err.text);
		kp_stream_describe(&streams.server, &info);
		cr_assert_str_eq(info.version, cases[i].gets_version);
		cr_assert_str_eq(info.group, cases[i].gets_group);
		cr_assert(
		    kp_test_say(&streams.client, &streams.server, "hello"));
		cr_assert(
		    kp_test_say(&streams.server, &streams.client, "welcome"));
		kp_test_streams_fini(&streams);
		/* no session of one round in the next */
		kp_test_world_start(&w);
	}
	kp_test_world_fini(&w);
}

Test(tls, what_is_too_old_is_refused_with_a_reason)
{
	static const struct {
		uint16_t version;
		const char *ciphers, *server_says;
	} cases[] = {
		{ TLS1_VERSION, "ECDHE-ECDSA-AES128-SHA",
		    "no TLS version in common" },
		{ TLS1_1_VERSION, "ECDHE-ECDSA-AES128-SHA",
		    "no TLS version in common" },
		/* no forward secrecy; no AEAD */
		{ TLS1_2_VERSION, "AES128-GCM-SHA256", "no cipher in common" },
		{ TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA",
		    "no cipher in common" },
	};
	struct kp_test_world w;

	kp_test_world_init(&w, &kp_test_broker);
	kp_test_world_start(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_test_streams streams;

		kp_test_tls(&streams, w.server, w.client, "b.example");
		limit_to(
		    &streams.client, cases[i].version, NULL, cases[i].ciphers);
		cr_assert(!kp_test_handshake(&streams));
		cr_assert_eq(streams.server_err.kind, KP_ERR_TLS);
		cr_assert(
		    contains(streams.server_err.text, cases[i].server_says),
		    "%zu: %s", i, streams.server_err.text);
		cr_assert(contains(streams.client_err.text, "alert"), "%s",
		    streams.client_err.text);
		kp_test_streams_fini(&streams);
	}
	kp_test_world_fini(&w);
}

static const struct {
	struct kp_test_cert cert;
	const char *server_name;
	bool is_other_ca, is_name_ignored;
	const char *client_says; /* NULL: it is content */
} brokers[] = {
	{ { .common_name = "x", .names = "DNS:b.example" }, "b.example", false,
	    false, NULL },
	{ { .common_name = "x", .names = "DNS:b.example" }, "B.EXAMPLE", false,
	    false, NULL },
	{ { .common_name = "x", .names = "DNS:b.example" }, "c.example", false,
	    false, "not for \"c.example\"" },
	{ { .common_name = "x", .names = "DNS:b.example" }, "c.example", false,
	    true, NULL },
	{ { .common_name = "x", .names = "DNS:*.w.example" }, "b.w.example",
	    false, false, NULL },
	{ { .common_name = "x", .names = "DNS:*.w.example" }, "a.b.w.example",
	    false, false, "not for \"a.b.w.example\"" },
	{ { .common_name = "x", .names = "DNS:*.w.example" }, "w.example",
	    false, false, "not for \"w.example\"" },
	{ { .common_name = "x", .names = "IP:127.0.0.1" }, "127.0.0.1", false,
	    false, NULL },
	{ { .common_name = "x", .names = "IP:::1" }, "::1", false, false,
	    NULL },
	{ { .common_name = "x", .names = "IP:127.0.0.2" }, "127.0.0.1", false,
	    false, "not for this address" },
	{ { .common_name = "x", .names = "IP:127.0.0.2" }, "127.0.0.1", false,
	    true, NULL },
	{ { .common_name = "x", .names = "DNS:127.0.0.1" }, "127.0.0.1", false,
	    false, "not for this address" },
	/* a common name is not a host name */
	{ { .common_name = "b.example" }, "b.example", false, false,
	    "not for \"b.example\"" },
	{ { .common_name = "x",
	      .names = "DNS:b.example",
	      .first_day = -10,
	      .last_day = -1 },
	    "b.example", false, false, "expired" },
	{ { .common_name = "x",
	      .names = "DNS:b.example",
	      .first_day = 1,
	      .last_day = 10 },
	    "b.example", false, false, "not valid yet" },
	{ { .common_name = "x",
	      .names = "DNS:b.example",
	      .usage = "clientAuth" },
	    "b.example", false, false, "extended key usage" },
	{ { .common_name = "x",
	      .names = "DNS:b.example",
	      .usage = "serverAuth" },
	    "b.example", false, false, NULL },
	{ { .common_name = "x", .names = "DNS:b.example" }, "b.example", true,
	    false, "authority that is not trusted" },
	/* switching off names does not switch off the rest */
	{ { .common_name = "x", .names = "DNS:b.example" }, "b.example", true,
	    true, "authority that is not trusted" },
	{ { .common_name = "x",
	      .names = "DNS:b.example",
	      .first_day = -10,
	      .last_day = -1 },
	    "b.example", false, true, "expired" },
};

Test(tls, brokers_are_verified)
{
	for (size_t i = 0; i < sizeof(brokers) / sizeof(brokers[0]); i++) {
		struct kp_test_streams streams;
		struct kp_test_world w;
		bool is_done;

		kp_test_world_init(&w, &brokers[i].cert);
		w.cluster.is_hostname_verified = !brokers[i].is_name_ignored;
		if (brokers[i].is_other_ca)
			w.cluster.ca_pem = kp_test_ca_pem(w.other_ca);
		kp_test_world_start(&w);
		kp_test_tls(
		    &streams, w.server, w.client, brokers[i].server_name);
		is_done = kp_test_handshake(&streams);
		cr_assert_eq(is_done, brokers[i].client_says == NULL, "%zu: %s",
		    i, streams.client_err.text);
		if (!is_done) {
			cr_assert_eq(streams.client_err.kind, KP_ERR_TLS);
			cr_assert(contains(streams.client_err.text,
				      brokers[i].client_says),
			    "%zu: %s", i, streams.client_err.text);
			cr_assert(contains(streams.server_err.text,
				      "peer sent alert"),
			    "%zu: %s", i, streams.server_err.text);
		}
		kp_test_streams_fini(&streams);
		kp_test_world_fini(&w);
	}
}

Test(tls, names_are_sent_and_addresses_are_not)
{
	static const struct {
		const char *server_name, *sni;
	} cases[] = { { "b.example", "b.example" }, { "127.0.0.1", NULL },
		{ "::1", NULL } };
	struct kp_test_world w;

	kp_test_world_init(&w, &kp_test_broker);
	kp_test_world_start(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_test_streams streams;
		const char *sni;

		kp_test_tls(&streams, w.server, w.client, cases[i].server_name);
		cr_assert(
		    kp_test_handshake(&streams), "%s", streams.client_err.text);
		sni = kp_stream_sni(&streams.server);
		if (cases[i].sni == NULL)
			cr_assert_null(sni);
		else
			cr_assert_str_eq(sni, cases[i].sni);
		kp_test_streams_fini(&streams);
	}
	kp_test_world_fini(&w);
}

Test(tls, a_name_that_cannot_be_one_is_refused)
{
	struct kp_stream stream;
	struct kp_error err;
	char name[300];
	struct kp_test_world w;

	kp_test_world_init(&w, &kp_test_broker);
	kp_test_world_start(&w);
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	stream = (struct kp_stream){ 0 };
	cr_assert(!kp_stream_start_tls_client(&stream, w.client, name, &err));
	cr_assert_eq(err.kind, KP_ERR_CONFIG);
	cr_assert(!kp_stream_start_tls_client(&stream, w.client, "", &err));
	cr_assert_eq(err.kind, KP_ERR_CONFIG);
	kp_test_world_fini(&w);
}

/* Which of several certificates a client is shown. */
Test(tls, the_certificate_follows_the_name_asked_for)
{
	static const struct {
		const char *sni, *subject;
	} cases[] = {
		{ "a.example", "O=Tests\\, Inc,CN=first" },
		{ "b.example", "O=Tests\\, Inc,CN=second" },
		{ "B.Example", "O=Tests\\, Inc,CN=second" },
		{ "x.wild.example", "O=Tests\\, Inc,CN=third" },
		{ "x.y.wild.example", "O=Tests\\, Inc,CN=first" },
		{ "wild.example", "O=Tests\\, Inc,CN=first" },
		{ "unknown.example", "O=Tests\\, Inc,CN=first" },
		{ "127.0.0.1", "O=Tests\\, Inc,CN=first" }, /* no SNI */
	};
	static const struct kp_test_cert certs[] = {
		{ .common_name = "first", .names = "DNS:a.example" },
		{ .common_name = "second", .names = "DNS:b.example" },
		{ .common_name = "third", .names = "DNS:*.wild.example" },
	};
	struct kp_key_pair pairs[3];
	struct kp_test_world w;

	kp_test_world_init(&w, &kp_test_broker);
	for (size_t i = 0; i < 3; i++)
		kp_test_issue(&pairs[i], w.ca, &certs[i]);
	w.listener.certificates = pairs;
	w.listener.num_certificates = 3;
	w.cluster.is_hostname_verified = false;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_test_streams streams;
		struct kp_stream_info info;

		kp_test_world_start(&w);
		kp_test_tls(&streams, w.server, w.client, cases[i].sni);
		cr_assert(kp_test_handshake(&streams));
		kp_stream_describe(&streams.client, &info);
		cr_assert_str_eq(info.peer_subject, cases[i].subject);
		kp_test_streams_fini(&streams);
	}
	for (size_t i = 0; i < 3; i++)
		kp_test_key_pair_fini(&pairs[i]);
	kp_test_world_fini(&w);
}

Test(tls, one_name_may_have_a_certificate_of_each_key_type)
{
	static const struct kp_test_cert certs[] = {
		{ .common_name = "other", .names = "DNS:a.example" },
		{ .common_name = "ec", .names = "DNS:b.example" },
		{ .common_name = "rsa",
		    .names = "DNS:b.example",
		    .is_rsa = true },
	};
	static const struct {
		const char *algorithms, *subject;
	} cases[] = {
		{ "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256",
		    "O=Tests\\, Inc,CN=ec" },
		{ "rsa_pss_rsae_sha256", "O=Tests\\, Inc,CN=rsa" },
	};
	struct kp_key_pair pairs[3];
	struct kp_test_world w;

	kp_test_world_init(&w, &kp_test_broker);
	for (size_t i = 0; i < 3; i++)
		kp_test_issue(&pairs[i], w.ca, &certs[i]);
	w.listener.certificates = pairs;
	w.listener.num_certificates = 3;
	for (size_t i = 0; i < 2; i++) {
		uint16_t algorithms[2] = { SSL_SIGN_RSA_PSS_RSAE_SHA256,
			SSL_SIGN_ECDSA_SECP256R1_SHA256 };
		struct kp_test_streams streams;
		struct kp_stream_info info;

		kp_test_world_start(&w);
		kp_test_tls(&streams, w.server, w.client, "b.example");
		kp_assert(SSL_set_verify_algorithm_prefs(streams.client.ssl,
			      algorithms, i == 0 ? 2 : 1) == 1);
		/* the CA's own signature is ECDSA; only the handshake's counts
		 */
		(void)kp_test_handshake(&streams);
		kp_stream_describe(&streams.client, &info);
		cr_assert_str_eq(info.peer_subject, cases[i].subject, "%zu: %s",
		    i, streams.client_err.text);
		kp_test_streams_fini(&streams);
	}
	for (size_t i = 0; i < 3; i++)
		kp_test_key_pair_fini(&pairs[i]);
	kp_test_world_fini(&w);
}

/* With TLS 1.3 a client is done before the server has judged it. */
static bool
is_accepted(struct kp_test_streams *streams, char *client_says, size_t size)
{
	char byte;
	size_t n;

	(void)kp_test_handshake(streams);
	if (streams->client_err.kind == KP_ERR_NONE &&
	    streams->server_err.kind != KP_ERR_NONE)
		(void)!kp_stream_read(
		    &streams->client, &byte, 1, &n, &streams->client_err);
	(void)snprintf(client_says, size, "%s", streams->client_err.text);
	return streams->server_err.kind == KP_ERR_NONE;
}

Test(tls, clients_are_verified_as_the_listener_says)
{
	static const struct {
		enum kp_client_auth mode;
		bool has_certificate, is_other_ca;
		struct kp_test_cert cert;
		const char *server_says; /* NULL: let in */
		const char *client_says;
	} cases[] = {
		{ KP_CLIENT_AUTH_NONE, true, true, { .common_name = "c" }, NULL,
		    "" },
		{ KP_CLIENT_AUTH_OPTIONAL, false, false, { 0 }, NULL, "" },
		{ KP_CLIENT_AUTH_OPTIONAL, true, false, { .common_name = "c" },
		    NULL, "" },
		{ KP_CLIENT_AUTH_OPTIONAL, true, true, { .common_name = "c" },
		    "authority that is not trusted", "unknown CA" },
		{ KP_CLIENT_AUTH_REQUIRED, true, false, { .common_name = "c" },
		    NULL, "" },
		{ KP_CLIENT_AUTH_REQUIRED, true, false,
		    { .common_name = "c", .usage = "clientAuth" }, NULL, "" },
		{ KP_CLIENT_AUTH_REQUIRED, false, false, { 0 },
		    "client certificate is required", "certificate required" },
		{ KP_CLIENT_AUTH_REQUIRED, true, true, { .common_name = "c" },
		    "authority that is not trusted", "unknown CA" },
		{ KP_CLIENT_AUTH_REQUIRED, true, false,
		    { .common_name = "c", .first_day = -5, .last_day = -1 },
		    "expired", "certificate expired" },
		{ KP_CLIENT_AUTH_REQUIRED, true, false,
		    { .common_name = "c", .usage = "serverAuth" },
		    "extended key usage", "unsupported certificate" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_test_streams streams;
		struct kp_stream_info info;
		char client_says[256];
		struct kp_test_world w;

		kp_test_world_init(&w, &kp_test_broker);
		w.listener.client_auth = cases[i].mode;
		if (cases[i].has_certificate)
			kp_test_issue(&w.client_pair,
			    cases[i].is_other_ca ? w.other_ca : w.ca,
			    &cases[i].cert);
		w.cluster.client = w.client_pair;
		kp_test_world_start(&w);
		kp_test_tls(&streams, w.server, w.client, "b.example");
		cr_assert_eq(
		    is_accepted(&streams, client_says, sizeof(client_says)),
		    cases[i].server_says == NULL, "%zu: %s", i,
		    streams.server_err.text);
		cr_assert(
		    contains(streams.server_err.text,
			cases[i].server_says != NULL ? cases[i].server_says
						     : ""),
		    "%zu: %s", i, streams.server_err.text);
		cr_assert(contains(client_says, cases[i].client_says),
		    "%zu: %s", i, client_says);
		kp_stream_describe(&streams.server, &info);
		if (cases[i].server_says == NULL)
			cr_assert_eq(info.has_peer_certificate,
			    cases[i].has_certificate &&
				cases[i].mode != KP_CLIENT_AUTH_NONE);
		kp_test_streams_fini(&streams);
		kp_test_world_fini(&w);
	}
}

/* Bytes that are not PEM, or not what is wanted; borrowed from the world. */
static void
break_listener(struct kp_test_world *w, unsigned how)
{
	static const char half[] = "-----BEGIN CERTIFICATE-----\nMIIB\n";
	static const char junk[] = "-----BEGIN CERTIFICATE-----\nMIIB!\n"
				   "-----END CERTIFICATE-----\n";
	static const char locked[] =
	    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n"
	    "-----END ENCRYPTED PRIVATE KEY-----\n";

	w->listener.client_auth = KP_CLIENT_AUTH_REQUIRED;
	switch (how) {
	case 0:
		w->listener.num_certificates = 0;
		break;
	case 1:
		w->pair.certificate_pem = (struct kp_bytes){ NULL, 0 };
		break;
	case 2:
		w->pair.certificate_pem = kp_bytes_of("hello");
		break;
	case 3:
		w->pair.certificate_pem = kp_bytes_of(half);
		break;
	case 4:
		w->pair.certificate_pem = kp_bytes_of(junk);
		break;
	case 5:
		w->pair.certificate_pem = w->pair.key_pem;
		break;
	case 6:
		w->pair.key_pem = (struct kp_bytes){ NULL, 0 };
		break;
	case 7:
		w->pair.key_pem = kp_bytes_of(locked);
		break;
	case 8:
		w->pair.key_pem = w->client_pair.key_pem;
		break;
	case 9:
		w->listener.client_ca_pem = (struct kp_bytes){ NULL, 0 };
		break;
	case 10:
		w->listener.client_ca_pem = kp_bytes_of("hello");
		break;
	default:
		w->listener.client_ca_pem = kp_bytes_of(junk);
		break;
	}
}

Test(tls, a_listener_that_cannot_serve_says_why)
{
	static const char *const reasons[] = {
		"listener \"public\": TLS needs a certificate",
		"certificate \"test.pem\": no certificate in it",
		"certificate \"test.pem\": no certificate in it",
		"certificate \"test.pem\": malformed",
		"certificate \"test.pem\": malformed",
		"certificate \"test.pem\": no certificate in it",
		"key \"test.key\": no key in it",
		"key \"test.key\": malformed or protected by a passphrase",
		"private key does not belong to the certificate",
		"client authentication needs a client CA",
		"client CA \"?\": no certificate in it",
		"client CA \"?\": malformed",
	};

	for (unsigned i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		struct kp_key_pair pair;
		struct kp_test_world w;

		kp_test_world_init(&w, &kp_test_broker);
		kp_test_issue(&w.client_pair, w.ca, &kp_test_broker);
		pair = w.pair;
		break_listener(&w, i);
		w.server = kp_tls_server_new(&w.listener, w.tickets, &w.err);
		cr_assert_null(w.server, "%u", i);
		cr_assert_eq(w.err.kind, KP_ERR_CONFIG);
		cr_assert(
		    contains(w.err.text, reasons[i]), "%u: %s", i, w.err.text);
		w.pair = pair;
		kp_test_world_fini(&w);
	}
}

Test(tls, a_cluster_that_cannot_be_verified_says_why)
{
	struct kp_test_world w;

	kp_test_world_init(&w, &kp_test_broker);
	w.cluster.ca_pem = (struct kp_bytes){ NULL, 0 };
	cr_assert_null(kp_tls_client_new(&w.cluster, &w.err));
	cr_assert_str_eq(
	    w.err.text, "cluster \"prod\": no CA to verify brokers with");
	w.cluster.ca_pem = kp_bytes_of("hello");
	cr_assert_null(kp_tls_client_new(&w.cluster, &w.err));
	cr_assert(contains(w.err.text, "no certificate in it"));
	w.cluster.ca_pem = kp_test_ca_pem(w.ca);
	w.cluster.client = w.pair;
	w.cluster.client.key_pem = kp_bytes_of("hello");
	cr_assert_null(kp_tls_client_new(&w.cluster, &w.err));
	cr_assert(contains(w.err.text,
		      "cluster \"prod\": client: key \"test.key\": no key"),
	    "%s", w.err.text);
	kp_test_world_fini(&w);
}

Test(tls, a_bundle_of_authorities_trusts_each)
{
	struct kp_test_streams streams;
	struct kp_buf bundle;
	struct kp_test_world w;

	kp_test_world_init(&w, &kp_test_broker);
	kp_buf_init(&bundle, 65536);
	kp_buf_add_text(&bundle, "# a comment\n");
	kp_buf_add(&bundle, kp_test_ca_pem(w.other_ca).data,
	    kp_test_ca_pem(w.other_ca).len);
	kp_buf_add(
	    &bundle, kp_test_ca_pem(w.ca).data, kp_test_ca_pem(w.ca).len);
	kp_buf_add(
	    &bundle, kp_test_ca_pem(w.ca).data, kp_test_ca_pem(w.ca).len);
	w.cluster.ca_pem = kp_buf_bytes(&bundle);
	kp_test_world_start(&w);
	kp_test_tls(&streams, w.server, w.client, "b.example");
	cr_assert(kp_test_handshake(&streams));
	kp_test_streams_fini(&streams);
	kp_buf_fini(&bundle);
	kp_test_world_fini(&w);
}

Test(tls, a_peer_with_endless_names_is_cut_short)
{
	static const char start[] = "DNS:b.example,DNS:x";
	struct kp_test_cert cert = { .common_name = "many" };
	struct kp_test_streams streams;
	struct kp_stream_info info;
	struct kp_test_world w;
	struct kp_buf names;

	kp_buf_init(&names, 65536);
	kp_buf_add_text(&names, start);
	for (unsigned i = 0; i < 100; i++)
		kp_buf_printf(&names, ",DNS:host-%u.example", i);
	kp_buf_add(&names, "", 1);
	cert.names = (const char *)names.data;
	kp_test_world_init(&w, &cert);
	kp_test_world_start(&w);
	kp_test_tls(&streams, w.server, w.client, "b.example");
	cr_assert(kp_test_handshake(&streams));
	kp_stream_describe(&streams.client, &info);
	cr_assert_eq(strlen(info.peer_names), sizeof(info.peer_names) - 1);
	cr_assert_str_eq(info.peer_names + sizeof(info.peer_names) - 4, "...");
	cr_assert(
	    contains(info.peer_names, "DNS:b.example, DNS:x, DNS:host-0"));
	kp_test_streams_fini(&streams);
	kp_buf_fini(&names);
	kp_test_world_fini(&w);
}
