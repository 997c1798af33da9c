/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS with a peer that cannot be trusted, on either side: bytes that pretend to
 * be a handshake, and handshakes of our own whose bytes somebody changes on the
 * way, with and without client certificates, with sessions that are resumed.
 * Nothing that was changed is ever taken for what was said. Tickets and
 * certificates are read here as well. Input: a byte that says what the rest is.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/net/tls_priv.h"
#include "proxy/rename/view.h"
#include "tests/fuzz/middle.h"
#include "tests/support/socketpair.h"
#include "tests/support/tls_world.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum kind {
	TO_SERVER,
	TO_CLIENT,
	BETWEEN,
	BETWEEN_RESUMED,
	TICKET,
	CERTIFICATES,
	NUM_KINDS,
};

/* Both kinds of handshake, one of the two with certificates of the client. */
static struct kp_test_world open_world, strict_world;
static struct kp_key_pair pairs[3];

static void
init_world(struct kp_test_world *world, enum kp_client_auth client_auth)
{
	static const struct kp_test_cert client = { .common_name = "client",
		.names = "DNS:client.example" };

	kp_test_world_init(world, &kp_test_broker);
	kp_test_issue(&world->client_pair, world->ca, &client);
	world->listener.client_auth = client_auth;
	world->cluster.client = world->client_pair;
	kp_test_world_start(world);
}

/* Several certificates to choose from: a name, a wildcard, another key type. */
static void
add_certificates(struct kp_test_world *world)
{
	static const struct kp_test_cert wild = { .common_name = "wild",
		.names = "DNS:*.kafka.example" };
	static const struct kp_test_cert rsa = {
		.common_name = "rsa", .names = "DNS:b.example", .is_rsa = true
	};

	pairs[0] = world->pair;
	kp_test_issue(&pairs[1], world->ca, &wild);
	kp_test_issue(&pairs[2], world->ca, &rsa);
	world->listener.certificates = pairs;
	world->listener.num_certificates = 3;
	kp_test_world_start_server(world);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	init_world(&open_world, KP_CLIENT_AUTH_NONE);
	add_certificates(&open_world);
	init_world(&strict_world, KP_CLIENT_AUTH_REQUIRED);
	return 0;
}

/* As a session does when the handshake is over, or before. */
static void
look_at(const struct kp_stream *stream)
{
	static char bootstrap[] = "kafka.example";
	static char broker[] = "b{node}.kafka.example";
	static const struct kp_tables_listener listener = {
		.strategy = KP_LISTEN_SNI,
		.sni_bootstrap = bootstrap,
		.sni_broker = broker,
	};
	const char *name = kp_stream_sni(stream);
	struct kp_stream_info info;
	int32_t node_id;

	kp_stream_describe(stream, &info);
	if (name != NULL)
		(void)kp_view_node_of_name(&listener, name, &node_id);
}

static void
greet(struct kp_stream *stream, enum kp_io *io)
{
	struct kp_error err;

	if (*io == KP_IO_WANT_READ || *io == KP_IO_WANT_WRITE)
		*io = kp_stream_handshake(stream, &err);
	kp_assert(*io != KP_IO_DONE); /* nobody guesses a key */
	look_at(stream);
}

/* Pieces of step bytes, and then the end. */
static void
feed(struct kp_stream *stream, int fd, struct kp_bytes bytes, size_t step)
{
	enum kp_io io = KP_IO_WANT_READ;

	greet(stream, &io);
	for (size_t at = 0; at < bytes.len && io == KP_IO_WANT_READ;) {
		size_t len = bytes.len - at < step ? bytes.len - at : step;

		(void)send(fd, bytes.data + at, len, MSG_NOSIGNAL);
		at += len;
		greet(stream, &io);
	}
	(void)shutdown(fd, SHUT_WR);
	greet(stream, &io);
	kp_assert(io == KP_IO_FAILED);
}

static void
attack(struct kp_test_world *world, bool is_server, struct kp_reader *script)
{
	size_t step = 1 + (uint8_t)kp_read_int8(script) * 16u;
	struct kp_bytes bytes = kp_read_raw(script, kp_reader_left(script));
	struct kp_stream stream;
	struct kp_error err;
	int fds[2];

	kp_test_socketpair(fds);
	kp_assert(kp_stream_init_plain(&stream, fds[0], &err));
	if (is_server)
		kp_assert(
		    kp_stream_start_tls_server(&stream, world->server, &err));
	else
		kp_assert(kp_stream_start_tls_client(
		    &stream, world->client, "b.example", &err));
	feed(&stream, fds[1], bytes, step);
	kp_stream_fini(&stream);
	(void)close(fds[1]);
}

static void
talk(struct kp_test_world *world, struct kp_tls_client *client,
    struct kp_reader *script, bool *out_is_resumed)
{
	struct kp_middle middle;
	struct kp_stream_info info;
	bool is_done;

	kp_middle_init(&middle, world->server, client, script);
	kp_middle_greet(&middle);
	look_at(&middle.server);
	is_done =
	    middle.client_io == KP_IO_DONE && middle.server_io == KP_IO_DONE;
	kp_assert(is_done || middle.num_edits > 0);
	is_done = is_done &&
		  kp_middle_say(&middle, true, kp_bytes_of("hello")) &&
		  kp_middle_say(&middle, false, kp_bytes_of("good day")) &&
		  kp_middle_say(&middle, true, kp_bytes_of("bye"));
	kp_assert(is_done || middle.num_edits > 0);
	kp_stream_describe(&middle.server, &info);
	*out_is_resumed = info.is_resumed;
	kp_middle_fini(&middle);
}

static void
talk_between(
    struct kp_test_world *world, bool is_resumed, struct kp_reader *script)
{
	struct kp_reader no_edits;
	struct kp_error err;
	struct kp_tls_client *client = kp_tls_client_new(&world->cluster, &err);
	bool was_resumed;

	kp_assert(client != NULL);
	kp_reader_init(&no_edits, (struct kp_bytes){ 0 });
	if (is_resumed) {
		talk(world, client, &no_edits, &was_resumed);
		kp_assert(!was_resumed);
	}
	talk(world, client, script, &was_resumed);
	if (kp_reader_left(script) == 0)
		kp_assert(!was_resumed || is_resumed);
	kp_tls_client_unref(client);
}

/* A ticket that was changed is none. */
static void
open_ticket(struct kp_tls_tickets *tickets, struct kp_reader *script)
{
	size_t at = kp_read_uint16(script);
	uint8_t flips = (uint8_t)kp_read_int8(script), ticket[512], opened[512];
	struct kp_bytes session = kp_read_raw(script, kp_reader_left(script));
	size_t len, opened_len;
	bool is_open;

	if (session.len > 256)
		session.len = 256;
	kp_assert(kp_tls_tickets_seal(
	    tickets, ticket, &len, sizeof(ticket), session));
	ticket[at % len] ^= flips;
	is_open = kp_tls_tickets_open(tickets, opened, &opened_len,
	    sizeof(opened), (struct kp_bytes){ ticket, len });
	kp_assert(is_open == (flips == 0));
	kp_assert(!is_open || kp_bytes_equal(session,
				  (struct kp_bytes){ opened, opened_len }));
	/* what somebody made up, at its own length */
	kp_assert(!kp_tls_tickets_open(
	    tickets, opened, &opened_len, sizeof(opened), session));
}

static void
read_certificates(struct kp_test_world *world, struct kp_bytes pem)
{
	struct kp_tables_listener listener = world->listener;
	struct kp_tables_cluster cluster = world->cluster;
	struct kp_key_pair pair = world->pair;
	struct kp_tls_server *server;
	struct kp_tls_client *client;
	struct kp_error err;

	pair.certificate_pem = pem;
	listener.certificates = &pair;
	server = kp_tls_server_new(&listener, world->tickets, &err);
	kp_tls_server_unref(server);
	listener.certificates = &world->pair;
	listener.client_ca_pem = pem;
	server = kp_tls_server_new(&listener, world->tickets, &err);
	kp_tls_server_unref(server);
	cluster.ca_pem = pem;
	cluster.client.key_pem = pem;
	client = kp_tls_client_new(&cluster, &err);
	kp_tls_client_unref(client);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kp_test_world *world;
	struct kp_reader script;

	if (size == 0)
		return 0;
	world = (data[0] & 0x80) != 0 ? &strict_world : &open_world;
	kp_reader_init(&script, (struct kp_bytes){ data + 1, size - 1 });
	switch ((enum kind)(data[0] % NUM_KINDS)) {
	case TO_SERVER:
	case TO_CLIENT:
		attack(world, data[0] % NUM_KINDS == TO_SERVER, &script);
		break;
	case BETWEEN:
	case BETWEEN_RESUMED:
		talk_between(
		    world, data[0] % NUM_KINDS == BETWEEN_RESUMED, &script);
		break;
	case TICKET:
		open_ticket(world->tickets, &script);
		break;
	case CERTIFICATES:
		read_certificates(
		    world, (struct kp_bytes){ data + 1, size - 1 });
		break;
	case NUM_KINDS:
		break;
	}
	return 0;
}
