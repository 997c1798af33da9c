/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/clock.h"
#include "proto/control/unpack.h"
#include "tests/support/process.h"
#include "tests/support/rpc_raw.h"
#include "tests/support/rpc_world.h"

static const struct kp_test_cert valid = { .common_name = "agent-2" };

/* What one call over a channel of its own comes to. */
static enum kp_rpc_code
code_as(struct kp_test_rpc *world, const struct kp_rpc_identity *identity)
{
	struct kp_rpc_channel *channel =
	    kp_test_rpc_channel_as(world, identity);
	struct kp_rpc_result result;
	enum kp_rpc_code code;

	(void)!kp_test_rpc_ask(channel, &kp_test_echo, &result, "hello");
	code = result.status.code;
	kp_rpc_result_fini(&result);
	kp_rpc_channel_free(channel);
	return code;
}

/* A call of this client fails, and the server's log says why. */
static void
expect_refused(
    const struct kp_test_cert *cert, bool is_of_other_ca, const char *reason)
{
	struct kp_test_rpc world;
	struct kp_rpc_identity identity;
	struct kp_key_pair pair;
	char log[8192];

	kp_test_rpc_init(&world);
	kp_log_init("test", KP_LOG_JSON, KP_LOG_INFO);
	kp_test_rpc_start(&world);
	kp_test_issue(&pair, is_of_other_ca ? world.other_ca : world.ca, cert);
	identity = kp_test_identity(world.ca, &pair);
	kp_stderr_begin();
	cr_expect(code_as(&world, &identity) == KP_RPC_UNAVAILABLE);
	kp_test_rpc_stop(&world, 0);
	kp_stderr_end(log, sizeof(log));
	cr_assert(strstr(log, "\"event\":\"rpc_handshake_failed\"") != NULL);
	cr_assert(strstr(log, reason) != NULL);
	kp_test_key_pair_fini(&pair);
	kp_test_rpc_fini(&world);
}

Test(rpc_tls, certificate_of_another_ca_is_refused)
{
	expect_refused(&valid, true, "certificate verify failed");
}

Test(rpc_tls, expired_certificate_is_refused)
{
	const struct kp_test_cert expired = {
		.common_name = "agent-3", .first_day = -3, .last_day = -1
	};

	expect_refused(&expired, false, "certificate verify failed");
}

Test(rpc_tls, client_without_certificate_is_refused)
{
	struct kp_test_rpc world;
	struct kp_test_raw raw = { .method = kp_test_echo.name };
	char log[8192];

	kp_test_rpc_init(&world);
	kp_log_init("test", KP_LOG_JSON, KP_LOG_INFO);
	kp_test_rpc_start(&world);
	raw.address = world.address;
	raw.identity = kp_test_identity(world.ca, &world.client_pair);
	cr_assert_eq(kp_test_raw_call(&raw), KP_RPC_OK);
	raw.identity.certificate_pem.len = 0;
	raw.identity.key_pem.len = 0;
	kp_stderr_begin();
	cr_expect(kp_test_raw_call(&raw) == KP_RPC_UNAVAILABLE);
	kp_test_rpc_stop(&world, 0);
	kp_stderr_end(log, sizeof(log));
	cr_assert(strstr(log, "peer did not return a certificate") != NULL);
	kp_test_rpc_fini(&world);
}

Test(rpc_tls, certificate_with_too_many_names_is_nobodys)
{
	struct kp_test_rpc world;
	struct kp_rpc_identity identity;
	struct kp_key_pair pair;
	struct kp_buf names;
	struct kp_test_cert cert = { .common_name = "many" };

	kp_buf_init(&names, 4096);
	for (int i = 0; i <= KP_RPC_MAX_NAMES; i++)
		kp_buf_printf(&names, "%sDNS:n%d.example", i > 0 ? "," : "", i);
	kp_buf_add(&names, "", 1);
	cert.names = (const char *)names.data;
	kp_test_rpc_init(&world);
	kp_test_rpc_start(&world);
	kp_test_issue(&pair, world.ca, &cert);
	identity = kp_test_identity(world.ca, &pair);
	cr_assert_eq(code_as(&world, &identity), KP_RPC_UNAUTHENTICATED);
	kp_test_key_pair_fini(&pair);
	kp_buf_fini(&names);
	kp_test_rpc_fini(&world);
}

Test(rpc_tls, client_refuses_a_server_that_it_does_not_trust)
{
	struct kp_test_rpc world;
	struct kp_rpc_identity identity;
	struct kp_key_pair pair;
	const struct kp_test_cert expired = { .common_name = "server",
		.names = "IP:127.0.0.1",
		.first_day = -3,
		.last_day = -1 };

	kp_test_rpc_init(&world);
	kp_test_rpc_start(&world);
	identity = kp_test_identity(world.other_ca, &world.client_pair);
	cr_assert_eq(code_as(&world, &identity), KP_RPC_UNAVAILABLE);
	kp_test_rpc_stop(&world, 0);
	kp_test_issue(&pair, world.ca, &expired);
	world.config.identity = kp_test_identity(world.ca, &pair);
	kp_test_rpc_start(&world);
	identity = kp_test_identity(world.ca, &world.client_pair);
	cr_assert_eq(code_as(&world, &identity), KP_RPC_UNAVAILABLE);
	kp_test_key_pair_fini(&pair);
	kp_test_rpc_fini(&world);
}

Test(rpc_tls, server_must_have_the_name_that_is_asked_for)
{
	static const struct {
		const char *name;
		bool is_good;
	} cases[] = { { "localhost", true }, { "127.0.0.1", true },
		{ "other.example", false }, { NULL, true } };
	struct kp_test_rpc world;
	struct kp_rpc_channel_config config = { .num_addresses = 1 };
	const char *addresses[1];

	kp_test_rpc_init(&world);
	kp_test_rpc_start(&world);
	addresses[0] = world.address;
	config.addresses = addresses;
	config.identity = kp_test_identity(world.ca, &world.client_pair);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_rpc_channel *channel;
		struct kp_error err = { 0 };

		config.server_name = cases[i].name;
		channel = kp_rpc_channel_new(&config, &err);
		cr_assert_eq(kp_rpc_channel_connect(channel,
				 kp_test_in(KP_TEST_PATIENCE_MS), &err),
		    cases[i].is_good);
		cr_assert(cases[i].is_good ||
			  strstr(err.text, cases[i].name) != NULL);
		kp_rpc_channel_free(channel);
	}
	kp_test_rpc_fini(&world);
}

/* New CA, new certificates: everything is replaced while a stream is open. */
Test(rpc_tls, identities_are_replaced_while_connected)
{
	struct kp_test_rpc world;
	struct kp_rpc_channel *channel;
	struct kp_rpc_stream *stream;
	struct kp_rpc_identity old, new_server, new_client;
	struct kp_key_pair server_pair, client_pair;
	const struct kp_test_cert server = { .common_name = "server",
		.names = "IP:127.0.0.1" };
	Kp__Test__Request request;
	ProtobufCMessage *answer;
	struct kp_rpc_result result;
	struct kp_error err = { 0 };

	kp_test_rpc_init(&world);
	kp_test_rpc_start(&world);
	kp_test_issue(&server_pair, world.other_ca, &server);
	kp_test_issue(&client_pair, world.other_ca, &valid);
	old = kp_test_identity(world.ca, &world.client_pair);
	new_server = kp_test_identity(world.other_ca, &server_pair);
	new_client = kp_test_identity(world.other_ca, &client_pair);
	channel = kp_test_rpc_channel(&world);
	stream = kp_rpc_stream_new(channel, &kp_test_chat, KP_NEVER);
	cr_assert(kp_test_reaches(&world.num_opened, 1));

	cr_assert(kp_rpc_server_reload(world.server, &new_server, &err));
	cr_assert_eq(code_as(&world, &old), KP_RPC_UNAVAILABLE);
	cr_assert_eq(code_as(&world, &new_client), KP_RPC_OK);
	/* what was there goes on, on stream and channel */
	kp__test__request__init(&request);
	cr_assert(kp_rpc_stream_write(
	    stream, &request.base, kp_test_in(KP_TEST_PATIENCE_MS), &err));
	cr_assert_eq(kp_rpc_stream_read(
			 stream, &answer, kp_test_in(KP_TEST_PATIENCE_MS)),
	    KP_RPC_READ_MESSAGE);
	kp_unpacked_free(answer);
	cr_assert(kp_test_rpc_ask(channel, &kp_test_echo, &result, "old"));
	kp_rpc_result_fini(&result);

	cr_assert(kp_rpc_channel_reload(channel, &new_client, &err));
	cr_assert(kp_test_rpc_ask(channel, &kp_test_echo, &result, "new"));
	cr_assert_str_eq(
	    ((Kp__Test__Answer *)result.answer)->common_name, "agent-2");
	kp_rpc_result_fini(&result);
	cr_assert(kp_rpc_stream_write(
	    stream, &request.base, kp_test_in(KP_TEST_PATIENCE_MS), &err));
	cr_assert_eq(kp_rpc_stream_read(
			 stream, &answer, kp_test_in(KP_TEST_PATIENCE_MS)),
	    KP_RPC_READ_MESSAGE);
	kp_unpacked_free(answer);

	kp_rpc_stream_free(stream);
	kp_rpc_channel_free(channel);
	kp_test_key_pair_fini(&server_pair);
	kp_test_key_pair_fini(&client_pair);
	kp_test_rpc_fini(&world);
}

Test(rpc_tls, identity_that_cannot_be_used_changes_nothing)
{
	struct kp_test_rpc world;
	struct kp_rpc_identity good, bad[6];
	struct kp_rpc_channel *channel;
	struct kp_rpc_result result;
	struct kp_error err;

	kp_test_rpc_init(&world);
	kp_test_rpc_start(&world);
	channel = kp_test_rpc_channel(&world);
	good = kp_test_identity(world.ca, &world.server_pair);
	for (size_t i = 0; i < 6; i++)
		bad[i] = good;
	bad[0].ca_pem = (struct kp_bytes){ NULL, 0 };
	bad[1].ca_pem = kp_bytes_of("not a certificate");
	bad[2].certificate_pem = (struct kp_bytes){ NULL, 0 };
	bad[3].certificate_pem = good.key_pem;
	bad[4].key_pem = world.client_pair.key_pem;
	bad[5].key_pem.len /= 2;
	for (size_t i = 0; i < 6; i++) {
		err = (struct kp_error){ 0 };
		cr_assert(!kp_rpc_server_reload(world.server, &bad[i], &err));
		cr_assert_eq(err.kind, KP_ERR_TLS);
		cr_assert(err.text[0] != '\0');
		cr_assert(!kp_rpc_channel_reload(channel, &bad[i], &err));
		world.config.identity = bad[i];
		cr_assert_null(kp_rpc_server_new(&world.config, &err));
	}
	good = kp_test_identity(world.ca, &world.client_pair);
	cr_assert_eq(code_as(&world, &good), KP_RPC_OK);
	cr_assert(kp_test_rpc_ask(channel, &kp_test_echo, &result, "old"));
	kp_rpc_result_fini(&result);
	kp_rpc_channel_free(channel);
	kp_test_rpc_fini(&world);
}

Test(rpc_tls, every_address_is_served_and_reloaded)
{
	static const char *const two[] = { "127.0.0.1:0", "127.0.0.1:0" };
	struct kp_test_rpc world;
	struct kp_rpc_identity new_server, new_client;
	struct kp_key_pair server_pair, client_pair;
	const struct kp_test_cert server = { .common_name = "server",
		.names = "IP:127.0.0.1" };
	struct kp_error err = { 0 };

	kp_test_rpc_init(&world);
	world.config.addresses = two;
	world.config.num_addresses = 2;
	kp_test_rpc_start(&world);
	kp_test_issue(&server_pair, world.other_ca, &server);
	kp_test_issue(&client_pair, world.other_ca, &valid);
	new_server = kp_test_identity(world.other_ca, &server_pair);
	new_client = kp_test_identity(world.other_ca, &client_pair);
	cr_assert_neq(kp_rpc_server_port(world.server, 0),
	    kp_rpc_server_port(world.server, 1));
	cr_assert(kp_rpc_server_reload(world.server, &new_server, &err));
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(world.address, sizeof(world.address),
		    "127.0.0.1:%d", kp_rpc_server_port(world.server, i));
		cr_assert_eq(code_as(&world, &new_client), KP_RPC_OK);
	}
	kp_test_key_pair_fini(&server_pair);
	kp_test_key_pair_fini(&client_pair);
	kp_test_rpc_fini(&world);
}

Test(rpc_tls, address_that_is_taken_is_named)
{
	struct kp_test_rpc world;
	struct kp_error err = { 0 };
	const char *addresses[1];

	kp_test_rpc_init(&world);
	kp_test_rpc_start(&world);
	addresses[0] = world.address;
	world.config.addresses = addresses;
	cr_assert_null(kp_rpc_server_new(&world.config, &err));
	cr_assert(strstr(err.text, world.address) != NULL);
	kp_test_rpc_fini(&world);
}

/* A port that nobody listens on: it was a server's a moment ago. */
static void
dead_address(char *out, size_t size)
{
	struct kp_test_rpc other;

	kp_test_rpc_init(&other);
	kp_test_rpc_start(&other);
	(void)snprintf(out, size, "%s", other.address);
	kp_test_rpc_fini(&other);
}

Test(rpc_tls, addresses_are_tried_in_turn)
{
	struct kp_test_rpc world;
	struct kp_rpc_channel_config config = { .num_addresses = 3 };
	struct kp_rpc_channel *channel;
	struct kp_rpc_result result;
	struct kp_error err = { 0 };
	const char *addresses[3];
	char dead[64];

	dead_address(dead, sizeof(dead));
	kp_test_rpc_init(&world);
	kp_test_rpc_start(&world);
	addresses[0] = addresses[2] = dead;
	addresses[1] = world.address;
	config.addresses = addresses;
	config.identity = kp_test_identity(world.ca, &world.client_pair);
	channel = kp_rpc_channel_new(&config, &err);
	cr_assert_str_eq(kp_rpc_channel_address(channel), dead);
	cr_assert(kp_rpc_channel_connect(
	    channel, kp_test_in(KP_TEST_PATIENCE_MS), &err));
	cr_assert_str_eq(kp_rpc_channel_address(channel), world.address);
	cr_assert(kp_test_rpc_ask(channel, &kp_test_echo, &result, "hello"));
	kp_rpc_result_fini(&result);
	kp_test_rpc_stop(&world, 0);
	/* the next call notices */
	cr_assert(!kp_test_rpc_ask(channel, &kp_test_echo, &result, "hello"));
	cr_assert_eq(result.status.code, KP_RPC_UNAVAILABLE);
	kp_rpc_result_fini(&result);
	cr_assert(!kp_rpc_channel_connect(
	    channel, kp_test_in(KP_TEST_PATIENCE_MS), &err));
	cr_assert_eq(err.kind, KP_ERR_UNAVAILABLE);
	cr_assert(strstr(err.text, "Connection refused") != NULL);
	kp_rpc_channel_free(channel);
	kp_test_rpc_fini(&world);
}

Test(rpc_tls, our_server_talks_to_nobody_in_the_clear)
{
	struct kp_test_rpc world;
	struct kp_rpc_channel_config config = { .num_addresses = 1,
		.is_insecure_in_the_clear = true };
	struct kp_rpc_channel *channel;
	struct kp_rpc_result result;
	const char *addresses[1];

	kp_test_rpc_init(&world);
	kp_test_rpc_start(&world);
	addresses[0] = world.address;
	config.addresses = addresses;
	channel = kp_rpc_channel_new(&config, &world.err);
	cr_assert_not_null(channel);
	cr_assert(!kp_test_rpc_ask(channel, &kp_test_echo, &result, "hello"));
	cr_assert_eq(result.status.code, KP_RPC_UNAVAILABLE);
	kp_rpc_result_fini(&result);
	kp_rpc_channel_free(channel);
	kp_test_rpc_fini(&world);
}

Test(rpc_tls, server_of_no_use_is_left_for_the_next)
{
	struct kp_test_rpc world;
	struct kp_rpc_channel_config config = { .num_addresses = 2 };
	struct kp_rpc_channel *channel;
	struct kp_error err = { 0 };
	const char *addresses[2];
	char by_uri[80];

	kp_test_rpc_init(&world);
	kp_test_rpc_start(&world);
	(void)snprintf(by_uri, sizeof(by_uri), "ipv4:%s", world.address);
	addresses[0] = world.address;
	addresses[1] = by_uri;
	config.addresses = addresses;
	config.identity = kp_test_identity(world.ca, &world.client_pair);
	channel = kp_rpc_channel_new(&config, &err);
	cr_assert(kp_rpc_channel_connect(
	    channel, kp_test_in(KP_TEST_PATIENCE_MS), &err));
	for (int i = 1; i <= 4; i++) {
		kp_rpc_channel_move_on(channel);
		cr_assert(kp_rpc_channel_connect(
		    channel, kp_test_in(KP_TEST_PATIENCE_MS), &err));
		cr_assert_str_eq(
		    kp_rpc_channel_address(channel), addresses[i % 2]);
	}
	kp_rpc_channel_free(channel);
	kp_test_rpc_fini(&world);
}

static void *
connect_to_nobody(void *arg)
{
	struct kp_error err = { 0 };
	bool is_there =
	    kp_rpc_channel_connect(arg, kp_test_in(KP_TEST_PATIENCE_MS), &err);

	kp_assert(!is_there && err.kind == KP_ERR_CLOSED);
	return NULL;
}

/* Accepts connections and says nothing: a handshake that never ends. */
static int
listen_silently(char *out, size_t size)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(bind(fd, (const struct sockaddr *)&at, len), 0);
	cr_assert_eq(listen(fd, 16), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	(void)snprintf(out, size, "127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
	return fd;
}

Test(rpc_tls, close_wakes_who_waits_for_a_connection)
{
	struct kp_test_rpc world;
	struct kp_rpc_channel *channel;
	struct kp_error err = { 0 };
	int64_t began_ms;
	pthread_t thread;
	int fd, conn;

	kp_test_rpc_init(&world);
	fd = listen_silently(world.address, sizeof(world.address));
	channel = kp_test_rpc_channel(&world);
	kp_must(pthread_create(&thread, NULL, connect_to_nobody, channel));
	/* it waits once its connection is there */
	conn = accept(fd, NULL, NULL);
	cr_assert(conn >= 0);
	began_ms = kp_now_ms();
	kp_rpc_channel_close(channel);
	kp_must(pthread_join(thread, NULL));
	cr_assert(kp_now_ms() - began_ms < KP_TEST_PATIENCE_MS / 2);
	cr_assert(!kp_rpc_channel_connect(
	    channel, kp_test_in(KP_TEST_PATIENCE_MS), &err));
	cr_assert_eq(err.kind, KP_ERR_CLOSED);
	kp_rpc_channel_free(channel);
	(void)close(conn);
	(void)close(fd);
	kp_test_rpc_fini(&world);
}
