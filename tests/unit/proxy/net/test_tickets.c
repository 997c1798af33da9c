/* SPDX-License-Identifier: Apache-2.0 */
/* Resumption: which sessions go on, and which must not. */
#include "proxy/net/tls_priv.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "tests/support/streams.h"
#include "tests/support/tls_world.h"

/* More than a machine that is shared may stop for. */
#define VALID_S 6

/* One connection with a word each way, as tickets come with the first answer.
 */
static bool
connect_once(struct kp_test_world *w, uint16_t version)
{
	struct kp_test_streams streams;
	struct kp_stream_info client, server;

	kp_test_tls(&streams, w->server, w->client, "b.example");
	kp_assert(SSL_set_max_proto_version(streams.client.ssl, version) == 1);
	cr_assert(kp_test_handshake(&streams), "%s / %s",
	    streams.client_err.text, streams.server_err.text);
	cr_assert(kp_test_say(&streams.client, &streams.server, "hello"));
	cr_assert(kp_test_say(&streams.server, &streams.client, "welcome"));
	kp_stream_describe(&streams.client, &client);
	kp_stream_describe(&streams.server, &server);
	cr_assert_eq(client.is_resumed, server.is_resumed);
	cr_assert_str_eq(kp_stream_sni(&streams.server), "b.example");
	kp_test_streams_fini(&streams);
	return client.is_resumed;
}

Test(tickets, a_client_that_comes_back_resumes)
{
	static const uint16_t versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	for (size_t i = 0; i < 2; i++) {
		struct kp_test_world w;

		kp_test_world_init(&w, &kp_test_broker);
		kp_test_world_start(&w);
		cr_assert(!connect_once(&w, versions[i]));
		cr_assert(connect_once(&w, versions[i]));
		kp_test_world_fini(&w);
	}
}

Test(tickets, outlive_a_new_certificate)
{
	struct kp_key_pair renewed, old;
	struct kp_test_world w;

	kp_test_world_init(&w, &kp_test_broker);
	kp_test_world_start(&w);
	cr_assert(!connect_once(&w, TLS1_3_VERSION));
	kp_test_issue(&renewed, w.ca, &kp_test_broker);
	old = w.pair;
	w.pair = renewed;
	kp_test_world_start_server(&w);
	cr_assert(connect_once(&w, TLS1_3_VERSION));
	kp_test_key_pair_fini(&old);
	kp_test_world_fini(&w);
}

Test(tickets, end_with_the_key_after_the_next)
{
	static const struct {
		unsigned num_rotations;
		bool is_resumed;
	} cases[] = { { 0, true }, { 1, true }, { 2, false }, { 3, false } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_test_world w;

		kp_test_world_init(&w, &kp_test_broker);
		kp_test_world_start(&w);
		cr_assert(!connect_once(&w, TLS1_3_VERSION));
		for (unsigned n = 0; n < cases[i].num_rotations; n++)
			kp_tls_tickets_rotate(w.tickets);
		cr_assert_eq(
		    connect_once(&w, TLS1_3_VERSION), cases[i].is_resumed);
		kp_test_world_fini(&w);
	}
}

Test(tickets, are_worth_nothing_to_another_process)
{
	struct kp_test_world w;

	kp_test_world_init(&w, &kp_test_broker);
	kp_test_world_start(&w);
	cr_assert(!connect_once(&w, TLS1_3_VERSION));
	kp_tls_tickets_unref(w.tickets);
	w.tickets = kp_tls_tickets_new();
	kp_test_world_start_server(&w);
	cr_assert(!connect_once(&w, TLS1_3_VERSION));
	kp_test_world_fini(&w);
}

/* Otherwise a ticket from an open listener would open a closed one. */
Test(tickets, do_not_carry_over_to_other_rules_about_clients)
{
	static char other_name[] = "internal";

	for (unsigned i = 0; i < 3; i++) {
		struct kp_test_world w;

		kp_test_world_init(&w, &kp_test_broker);
		kp_test_issue(&w.client_pair, w.ca, &kp_test_broker);
		w.cluster.client = w.client_pair;
		w.listener.client_auth = KP_CLIENT_AUTH_OPTIONAL;
		kp_test_world_start(&w);
		cr_assert(!connect_once(&w, TLS1_3_VERSION));
		if (i == 0)
			w.listener.client_auth = KP_CLIENT_AUTH_REQUIRED;
		if (i == 1)
			w.listener.name = other_name;
		if (i == 2) {
			w.listener.client_auth = KP_CLIENT_AUTH_NONE;
			w.listener.client_ca_pem = kp_test_ca_pem(w.other_ca);
		}
		kp_test_world_start_server(&w);
		cr_assert(!connect_once(&w, TLS1_3_VERSION));
		kp_test_world_fini(&w);
	}
}

Test(tickets, a_resumed_client_is_still_known)
{
	struct kp_test_streams streams;
	struct kp_stream_info info;
	struct kp_test_world w;

	kp_test_world_init(&w, &kp_test_broker);
	kp_test_issue(&w.client_pair, w.ca,
	    &(struct kp_test_cert){ .common_name = "alice" });
	w.cluster.client = w.client_pair;
	w.listener.client_auth = KP_CLIENT_AUTH_REQUIRED;
	kp_test_world_start(&w);
	cr_assert(!connect_once(&w, TLS1_3_VERSION));
	kp_test_tls(&streams, w.server, w.client, "b.example");
	cr_assert(kp_test_handshake(&streams));
	kp_stream_describe(&streams.server, &info);
	cr_assert(info.is_resumed);
	cr_assert_str_eq(info.peer_subject, "O=Tests\\, Inc,CN=alice");
	kp_test_streams_fini(&streams);
	kp_test_world_fini(&w);
}

Test(tickets, an_expired_client_certificate_ends_resumption)
{
	struct kp_test_streams streams;
	int64_t expires_ms;
	struct kp_test_world w;

	kp_test_world_init(&w, &kp_test_broker);
	kp_test_issue(&w.client_pair, w.ca,
	    &(struct kp_test_cert){ .common_name = "alice",
		.first_day = -1,
		.last_second = VALID_S });
	expires_ms = kp_wall_ms() + VALID_S * 1000;
	w.cluster.client = w.client_pair;
	w.listener.client_auth = KP_CLIENT_AUTH_REQUIRED;
	kp_test_world_start(&w);
	cr_assert(!connect_once(&w, TLS1_3_VERSION));
	while (kp_wall_ms() < expires_ms)
		(void)poll(NULL, 0, 10);
	kp_test_tls(&streams, w.server, w.client, "b.example");
	cr_assert(!kp_test_handshake(&streams));
	cr_assert_not_null(strstr(streams.server_err.text, "expired since"),
	    "%s", streams.server_err.text);
	kp_test_streams_fini(&streams);
	kp_test_world_fini(&w);
}

Test(tickets, a_changed_byte_anywhere_is_noticed)
{
	struct kp_tls_tickets *tickets = kp_tls_tickets_new();
	uint8_t ticket[256], out[256];
	struct kp_bytes secret = kp_bytes_of("a session");
	size_t len, out_len;

	cr_assert(
	    kp_tls_tickets_seal(tickets, ticket, &len, sizeof(ticket), secret));
	cr_assert(len <= secret.len + kp_tls_tickets_overhead());
	cr_assert(kp_tls_tickets_open(tickets, out, &out_len, sizeof(out),
	    (struct kp_bytes){ ticket, len }));
	cr_assert(kp_bytes_equal(secret, (struct kp_bytes){ out, out_len }));
	for (size_t i = 0; i < len; i++) {
		ticket[i] ^= 1;
		cr_assert(!kp_tls_tickets_open(tickets, out, &out_len,
			      sizeof(out), (struct kp_bytes){ ticket, len }),
		    "%zu", i);
		ticket[i] ^= 1;
		cr_assert(!kp_tls_tickets_open(tickets, out, &out_len,
			      sizeof(out), (struct kp_bytes){ ticket, i }),
		    "%zu", i);
	}
	kp_tls_tickets_unref(tickets);
}

Test(tickets, do_not_fit_where_there_is_no_room)
{
	struct kp_tls_tickets *tickets = kp_tls_tickets_new();
	struct kp_bytes secret = kp_bytes_of("a session");
	uint8_t ticket[256];
	size_t len, needed = secret.len + kp_tls_tickets_overhead();

	for (size_t room = 0; room < needed; room++)
		cr_assert(
		    !kp_tls_tickets_seal(tickets, ticket, &len, room, secret));
	cr_assert(kp_tls_tickets_seal(tickets, ticket, &len, needed, secret));
	cr_assert_eq(len, needed);
	kp_tls_tickets_unref(tickets);
}

#define NUM_THREADS 3
#define NUM_CONNECTIONS 25

/* Handshakes and a word each way; returns how many were resumed. */
static void *
connect_often(void *arg)
{
	struct kp_test_world *w = arg;
	uintptr_t num_resumed = 0;

	for (unsigned i = 0; i < NUM_CONNECTIONS; i++)
		num_resumed += connect_once(w, TLS1_3_VERSION);
	return (void *)num_resumed;
}

Test(tickets, threads_share_contexts_while_keys_change)
{
	pthread_t threads[NUM_THREADS];
	uintptr_t num_resumed = 0;
	struct kp_test_world w;

	kp_test_world_init(&w, &kp_test_broker);
	kp_test_world_start(&w);
	for (unsigned i = 0; i < NUM_THREADS; i++)
		kp_must(pthread_create(&threads[i], NULL, connect_often, &w));
	for (unsigned i = 0; i < 50; i++) {
		struct kp_error err;
		struct kp_tls_server *other =
		    kp_tls_server_new(&w.listener, w.tickets, &err);

		kp_tls_tickets_rotate(w.tickets);
		kp_tls_server_unref(kp_tls_server_ref(w.server));
		kp_tls_client_unref(kp_tls_client_ref(w.client));
		kp_tls_server_unref(other);
	}
	for (unsigned i = 0; i < NUM_THREADS; i++) {
		void *count;

		kp_must(pthread_join(threads[i], &count));
		num_resumed += (uintptr_t)count;
	}
	cr_assert(num_resumed > 0);
	kp_test_world_fini(&w);
}
