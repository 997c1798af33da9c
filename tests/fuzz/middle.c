/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/middle.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/socketpair.h"

#define EDIT_LEN 4
#define PIECE_LEN 4096
/* A handshake takes a handful of turns. */
#define MAX_TURNS 50

static void
read_edits(struct kp_middle *middle, struct kp_reader *script)
{
	while (kp_reader_left(script) >= EDIT_LEN &&
	       middle->num_edits < KP_MAX_EDITS) {
		uint8_t first = (uint8_t)kp_read_int8(script);

		middle->edits[middle->num_edits++] = (struct kp_edit){
			.is_to_server = (first & 0x80) != 0,
			.kind = (enum kp_edit_kind)(first % KP_NUM_EDITS),
			.at = kp_read_uint16(script),
			.value = (uint8_t)kp_read_int8(script),
		};
	}
}

void
kp_middle_init(struct kp_middle *out, struct kp_tls_server *server,
    struct kp_tls_client *client, struct kp_reader *script)
{
	struct kp_error err;
	int fds[2];

	*out = (struct kp_middle){ .client_io = KP_IO_WANT_WRITE,
		.server_io = KP_IO_WANT_READ };
	read_edits(out, script);
	kp_test_socketpair(fds);
	kp_assert(kp_stream_init_plain(&out->client, fds[0], &err));
	out->client_fd = fds[1];
	kp_test_socketpair(fds);
	kp_assert(kp_stream_init_plain(&out->server, fds[0], &err));
	out->server_fd = fds[1];
	kp_assert(kp_stream_start_tls_client(
	    &out->client, client, "b.example", &err));
	kp_assert(kp_stream_start_tls_server(&out->server, server, &err));
}

void
kp_middle_fini(struct kp_middle *middle)
{
	kp_stream_fini(&middle->client);
	kp_stream_fini(&middle->server);
	(void)close(middle->client_fd);
	(void)close(middle->server_fd);
}

/* Adds what becomes of the byte at that place; returns what is dropped. */
static size_t
edit_byte(const struct kp_middle *middle, bool is_to_server, size_t at,
    uint8_t byte, struct kp_buf *out)
{
	size_t num_dropped = 0;

	for (unsigned i = 0; i < middle->num_edits; i++) {
		const struct kp_edit *edit = &middle->edits[i];

		if (edit->is_to_server != is_to_server || edit->at != at)
			continue;
		if (edit->kind == KP_EDIT_SET)
			byte = edit->value;
		if (edit->kind == KP_EDIT_FLIP)
			byte ^= edit->value;
		if (edit->kind == KP_EDIT_INSERT)
			kp_buf_add(out, &edit->value, 1);
		if (edit->kind == KP_EDIT_DROP)
			num_dropped = edit->value;
	}
	if (num_dropped == 0)
		kp_buf_add(out, &byte, 1);
	return num_dropped;
}

/* Passes on what is there in one direction; false if that was nothing. */
static bool
pass(struct kp_middle *middle, bool is_to_server)
{
	int from = is_to_server ? middle->client_fd : middle->server_fd;
	int to = is_to_server ? middle->server_fd : middle->client_fd;
	size_t *len =
	    is_to_server ? &middle->to_server_len : &middle->to_client_len;
	uint8_t data[PIECE_LEN];
	ssize_t n = recv(from, data, sizeof(data), MSG_DONTWAIT);
	struct kp_buf out;

	if (n <= 0)
		return false;
	kp_buf_init(&out, 2 * PIECE_LEN);
	for (size_t i = 0; i < (size_t)n; i++) {
		size_t num =
		    edit_byte(middle, is_to_server, *len + i, data[i], &out);

		i += num > 0 ? num - 1 : 0;
	}
	*len += (size_t)n;
	(void)send(to, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	kp_buf_fini(&out);
	return true;
}

static bool
is_waiting(enum kp_io io)
{
	return io == KP_IO_WANT_READ || io == KP_IO_WANT_WRITE;
}

void
kp_middle_greet(struct kp_middle *middle)
{
	struct kp_error err;
	bool has_moved = true;

	for (unsigned i = 0; has_moved; i++) {
		kp_assert(i < MAX_TURNS);
		has_moved = false;
		if (is_waiting(middle->client_io))
			middle->client_io =
			    kp_stream_handshake(&middle->client, &err);
		has_moved |= pass(middle, true);
		if (is_waiting(middle->server_io))
			middle->server_io =
			    kp_stream_handshake(&middle->server, &err);
		has_moved |= pass(middle, false);
	}
}

bool
kp_middle_say(struct kp_middle *middle, bool is_to_server, struct kp_bytes text)
{
	struct kp_stream *from =
	    is_to_server ? &middle->client : &middle->server;
	struct kp_stream *to = is_to_server ? &middle->server : &middle->client;
	struct iovec span = { (void *)(uintptr_t)text.data, text.len };
	enum kp_io io = KP_IO_DONE;
	uint8_t heard[PIECE_LEN];
	struct kp_error err;
	size_t len, at = 0;

	if (kp_stream_writev(from, &span, 1, &len, &err) != KP_IO_DONE)
		return false;
	while (pass(middle, is_to_server) || pass(middle, !is_to_server))
		continue;
	while (io == KP_IO_DONE) {
		io = kp_stream_read(to, heard, sizeof(heard), &len, &err);
		kp_assert(len <= text.len - at &&
			  memcmp(heard, text.data + at, len) == 0);
		at += len;
	}
	return at == text.len;
}
