/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First flights of real handshakes, as other clients than ours send them too;
 * places at which to change one; certificates.
 */
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/net/stream.h"
#include "tests/fuzz/seeds.h"
#include "tests/support/socketpair.h"
#include "tests/support/tls_world.h"

#define MAX_LEN (32u << 10)

/* First bytes of inputs: without and with certificates of clients. */
#define TO_SERVER 0
#define TO_CLIENT 1
#define BETWEEN 2
#define BETWEEN_RESUMED 3
#define TICKET 4
#define CERTIFICATES 5
#define STRICT_TO_SERVER 132
#define STRICT_BETWEEN 128
#define STRICT_RESUMED 129

static void
seed(const char *name, uint8_t first, uint8_t second, struct kp_bytes content)
{
	struct kp_buf out;

	kp_buf_init(&out, MAX_LEN);
	kp_buf_add(&out, &first, 1);
	kp_buf_add(&out, &second, 1);
	kp_buf_add(&out, content.data, content.len);
	kp_seed("tls", name, kp_buf_bytes(&out));
	kp_buf_fini(&out);
}

/* What a client sends that is set up by change. */
static void
seed_client_hello(const char *name, void (*change)(SSL *ssl))
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	SSL *ssl = SSL_new(ctx);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	const uint8_t *data;
	char strict[40];
	size_t len;

	SSL_set_bio(ssl, in, out);
	SSL_set_connect_state(ssl);
	change(ssl);
	kp_assert(SSL_do_handshake(ssl) <= 0);
	kp_assert(BIO_mem_contents(out, &data, &len) == 1);
	seed(name, TO_SERVER, 0xff, (struct kp_bytes){ data, len });
	(void)snprintf(strict, sizeof(strict), "strict-%s", name);
	seed(strict, STRICT_TO_SERVER, 0, (struct kp_bytes){ data, len });
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

static void
change_nothing(SSL *ssl)
{
	(void)ssl;
}

static void
ask_for_a_name(SSL *ssl)
{
	kp_assert(SSL_set_tlsext_host_name(ssl, "b7.kafka.example") == 1);
}

static void
offer_protocols(SSL *ssl)
{
	static const uint8_t protocols[] = "\2h2\x08http/1.1";

	ask_for_a_name(ssl);
	kp_assert(
	    SSL_set_alpn_protos(ssl, protocols, sizeof(protocols) - 1) == 0);
}

static void
be_old(SSL *ssl)
{
	ask_for_a_name(ssl);
	kp_assert(SSL_set_max_proto_version(ssl, TLS1_2_VERSION) == 1);
}

static void
be_after_quantum(SSL *ssl)
{
	static const uint16_t groups[] = { SSL_GROUP_X25519_MLKEM768 };

	ask_for_a_name(ssl);
	kp_assert(SSL_set1_group_ids(ssl, groups, 1) == 1);
}

static void
grease(SSL *ssl)
{
	ask_for_a_name(ssl);
	SSL_CTX_set_grease_enabled(SSL_get_SSL_CTX(ssl), 1);
	SSL_set_enable_ech_grease(ssl, 1);
}

/* All that fd has to give now. */
static struct kp_bytes
take(int fd, uint8_t *out)
{
	ssize_t len = recv(fd, out, MAX_LEN, MSG_DONTWAIT);

	kp_assert(len > 0);
	return (struct kp_bytes){ out, (size_t)len };
}

/* Our own client with a session to resume, and what a broker answers. */
static void
seed_flights(struct kp_test_world *world)
{
	static uint8_t hello[MAX_LEN], answer[MAX_LEN];
	struct kp_stream client, server;
	struct kp_bytes flight;
	int near[2], far[2];
	struct kp_error err;

	kp_test_socketpair(near);
	kp_test_socketpair(far);
	kp_assert(kp_stream_init_plain(&client, near[0], &err));
	kp_assert(kp_stream_init_plain(&server, far[0], &err));
	kp_assert(kp_stream_start_tls_client(
	    &client, world->client, "b.example", &err));
	kp_assert(kp_stream_start_tls_server(&server, world->server, &err));
	kp_assert(kp_stream_handshake(&client, &err) == KP_IO_WANT_READ);
	flight = take(near[1], hello);
	seed("own-hello", TO_SERVER, 8, flight);
	kp_assert(
	    send(far[1], flight.data, flight.len, 0) == (ssize_t)flight.len);
	kp_assert(kp_stream_handshake(&server, &err) == KP_IO_WANT_READ);
	seed("answer", TO_CLIENT, 0xff, take(far[1], answer));
	kp_stream_fini(&client);
	kp_stream_fini(&server);
	(void)close(near[1]);
	(void)close(far[1]);
}

/* kind, place and value of changes, four bytes each. */
static void
seed_edits(void)
{
	static const char to_server[] = "\x80\0\x2c\1\x81\1\0\xff\x83\0\x50\5";
	static const char to_client[] = "\1\0\x20\1\2\2\0\x41\3\4\0\x10";
	static const char late[] = "\x81\x08\0\1\x01\x09\0\1";
	static const uint8_t firsts[] = { BETWEEN, BETWEEN_RESUMED,
		STRICT_BETWEEN, STRICT_RESUMED };
	static const char *const names[] = { "between", "resumed",
		"strict-between", "strict-resumed" };

	for (size_t i = 0; i < sizeof(firsts); i++) {
		struct kp_buf edits;
		char name[40];

		(void)snprintf(name, sizeof(name), "%s-edits", names[i]);
		kp_seed("tls", names[i], (struct kp_bytes){ &firsts[i], 1 });
		kp_buf_init(&edits, MAX_LEN);
		kp_buf_add(&edits, &firsts[i], 1);
		kp_buf_add(&edits, to_server, sizeof(to_server) - 1);
		kp_buf_add(&edits, to_client, sizeof(to_client) - 1);
		kp_buf_add(&edits, late, sizeof(late) - 1);
		kp_seed("tls", name, kp_buf_bytes(&edits));
		kp_buf_fini(&edits);
	}
}

void
kp_seed_tls(void)
{
	struct kp_test_world world;

	seed_client_hello("no-name", change_nothing);
	seed_client_hello("name", ask_for_a_name);
	seed_client_hello("protocols", offer_protocols);
	seed_client_hello("old", be_old);
	seed_client_hello("after-quantum", be_after_quantum);
	seed_client_hello("grease", grease);
	kp_test_world_init(&world, &kp_test_broker);
	kp_test_world_start(&world);
	seed_flights(&world);
	seed_edits();
	seed("ticket", TICKET, 0, kp_bytes_of("\1\1a session, or so"));
	seed("ca", CERTIFICATES, '\n', kp_test_ca_pem(world.ca));
	seed("chain", CERTIFICATES, '\n', world.pair.certificate_pem);
	seed("key", CERTIFICATES, '\n', world.pair.key_pem);
	kp_test_world_fini(&world);
}
