/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/streams.h"

#include <string.h>

#include "tests/support/socketpair.h"

/* A handshake takes a handful of turns; more means that it hangs. */
#define MAX_TURNS 100

static void
start_plain(struct kp_test_streams *out, const int fds[2])
{
	*out = (struct kp_test_streams){ 0 };
	kp_assert(kp_stream_init_plain(&out->client, fds[0], &out->client_err));
	kp_assert(kp_stream_init_plain(&out->server, fds[1], &out->server_err));
}

static void
start_tls(struct kp_test_streams *out, struct kp_tls_server *server,
    struct kp_tls_client *client, const char *server_name)
{
	kp_assert(kp_stream_start_tls_client(
	    &out->client, client, server_name, &out->client_err));
	kp_assert(
	    kp_stream_start_tls_server(&out->server, server, &out->server_err));
}

void
kp_test_plain(struct kp_test_streams *out)
{
	int fds[2];

	kp_test_socketpair(fds);
	start_plain(out, fds);
}

void
kp_test_tls_on(struct kp_test_streams *out, const int fds[2],
    struct kp_tls_server *server, struct kp_tls_client *client)
{
	start_plain(out, fds);
	start_tls(out, server, client, "b.example");
}

void
kp_test_tls(struct kp_test_streams *out, struct kp_tls_server *server,
    struct kp_tls_client *client, const char *server_name)
{
	kp_test_plain(out);
	start_tls(out, server, client, server_name);
}

void
kp_test_streams_fini(struct kp_test_streams *streams)
{
	kp_stream_fini(&streams->client);
	kp_stream_fini(&streams->server);
}

static bool
is_waiting(enum kp_io io)
{
	return io == KP_IO_WANT_READ || io == KP_IO_WANT_WRITE;
}

bool
kp_test_handshake(struct kp_test_streams *streams)
{
	enum kp_io client = KP_IO_WANT_WRITE, server = KP_IO_WANT_READ;

	for (unsigned i = 0; i < MAX_TURNS; i++) {
		if (is_waiting(client))
			client = kp_stream_handshake(
			    &streams->client, &streams->client_err);
		if (is_waiting(server))
			server = kp_stream_handshake(
			    &streams->server, &streams->server_err);
		if (!is_waiting(client) && !is_waiting(server))
			return client == KP_IO_DONE && server == KP_IO_DONE;
		if (server == KP_IO_FAILED && !streams->server.has_failed)
			break;
	}
	return false;
}

bool
kp_test_say(struct kp_stream *from, struct kp_stream *to, const char *text)
{
	char heard[256];
	size_t len = strlen(text), n;
	struct iovec span = { (void *)(uintptr_t)text, len };
	struct kp_error err;

	kp_assert(len < sizeof(heard));
	return kp_stream_writev(from, &span, 1, &n, &err) == KP_IO_DONE &&
	       n == len &&
	       kp_stream_read(to, heard, sizeof(heard), &n, &err) ==
		   KP_IO_DONE &&
	       n == len && memcmp(heard, text, len) == 0;
}
