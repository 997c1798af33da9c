/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/far.h"

#include "proxy/net/tls.h"

#define READ_LEN 65536

void
kp_far_init(struct kp_far *far)
{
	*far = (struct kp_far){ 0 };
	kp_buf_init(&far->to_send, KP_FAR_MAX_LEN);
	kp_buf_init(&far->received, KP_FAR_MAX_LEN);
}

void
kp_far_fini(struct kp_far *far)
{
	kp_far_close(far);
	kp_buf_fini(&far->to_send);
	kp_buf_fini(&far->received);
}

void
kp_far_reset(struct kp_far *far)
{
	struct kp_buf to_send = far->to_send, received = far->received;

	kp_far_close(far);
	kp_buf_clear(&to_send);
	kp_buf_clear(&received);
	*far = (struct kp_far){ .to_send = to_send, .received = received };
}

void
kp_far_connect(struct kp_far *far, int fd, struct kp_tls_server *server,
    struct kp_tls_client *client)
{
	struct kp_error err;

	kp_assert(kp_stream_init_plain(&far->stream, fd, &err));
	if (server != NULL)
		kp_assert(
		    kp_stream_start_tls_server(&far->stream, server, &err));
	if (client != NULL)
		kp_assert(kp_stream_start_tls_client(
		    &far->stream, client, "b.example", &err));
	far->is_connected = true;
}

void
kp_far_send(struct kp_far *far, struct kp_bytes bytes)
{
	kp_buf_add(&far->to_send, bytes.data, bytes.len);
	kp_assert(!far->to_send.failed);
}

static void
note(struct kp_far *far, enum kp_io io)
{
	if (io == KP_IO_CLOSED || io == KP_IO_FAILED)
		far->has_ended = true;
}

static bool
greet(struct kp_far *far)
{
	enum kp_io io = kp_stream_handshake(&far->stream, &far->err);

	far->is_greeted = io == KP_IO_DONE;
	note(far, io);
	return far->is_greeted;
}

static bool
send_some(struct kp_far *far)
{
	struct iovec span = { .iov_len = far->to_send.len - far->sent_len };
	size_t len;
	enum kp_io io;

	if (span.iov_len == 0)
		return false;
	span.iov_base = far->to_send.data + far->sent_len;
	io = kp_stream_writev(&far->stream, &span, 1, &len, &far->err);
	far->sent_len += len;
	if (io == KP_IO_FAILED) /* what came before that can still be read */
		far->sent_len = far->to_send.len;
	return len > 0;
}

static bool
receive_all(struct kp_far *far)
{
	static uint8_t data[READ_LEN];
	size_t len, before = far->received.len;
	enum kp_io io = KP_IO_DONE;

	while (io == KP_IO_DONE) {
		io = kp_stream_read(
		    &far->stream, data, sizeof(data), &len, &far->err);
		kp_buf_add(&far->received, data, len);
	}
	kp_assert(!far->received.failed);
	note(far, io);
	return far->received.len > before || far->has_ended;
}

bool
kp_far_pump(struct kp_far *far)
{
	bool has_moved = false;

	if (!far->is_connected || far->has_ended)
		return false;
	if (!far->is_greeted && !greet(far))
		return false;
	has_moved = send_some(far);
	if (!far->has_ended && !far->is_deaf)
		has_moved = receive_all(far) || has_moved;
	return has_moved;
}

struct kp_bytes
kp_far_heard(const struct kp_far *far, size_t pos)
{
	size_t len = far->received.len - pos;

	if (len == 0)
		return (struct kp_bytes){ 0 };
	return (struct kp_bytes){ far->received.data + pos, len };
}

void
kp_far_close(struct kp_far *far)
{
	kp_stream_fini(&far->stream);
	far->is_connected = false;
	far->has_ended = true;
}
