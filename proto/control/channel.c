/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/control/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "proto/control/unpack.h"

#define PREFIX_LEN 4
#define READ_LEN 65536

struct kp_channel_frame {
	struct kp_channel_frame *next;
	int fd; /* goes with the first byte */
	size_t len, sent;
	uint8_t data[];
};

/* Room for one descriptor, aligned as the kernel wants it. */
union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

bool
kp_channel_pair(int out_fds[2], struct kp_error *err)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		out_fds) != 0)
		return kp_error_sys(err, "could not make a channel");
	return true;
}

void
kp_channel_init(struct kp_channel *channel, int fd, size_t max_message)
{
	kp_assert(max_message <= KP_CHANNEL_MAX_MESSAGE);
	*channel = (struct kp_channel){
		.is_open = true, .fd = fd, .max_message = max_message
	};
	kp_buf_init(&channel->in, PREFIX_LEN + max_message + READ_LEN);
}

static void
frame_free(struct kp_channel_frame *frame)
{
	if (frame->fd >= 0)
		(void)close(frame->fd);
	free(frame);
}

void
kp_channel_fini(struct kp_channel *channel)
{
	struct kp_channel_frame *frame;

	if (!channel->is_open)
		return;
	(void)close(channel->fd);
	for (unsigned i = 0; i < channel->num_fds; i++)
		(void)close(channel->fds[i]);
	while ((frame = channel->first) != NULL) {
		channel->first = frame->next;
		frame_free(frame);
	}
	kp_buf_fini(&channel->in);
	*channel = (struct kp_channel){ 0 };
}

static void
put_length(uint8_t *out, size_t len)
{
	for (unsigned i = 0; i < PREFIX_LEN; i++)
		out[i] = (uint8_t)(len >> (8 * (PREFIX_LEN - 1 - i)));
}

static size_t
get_length(const uint8_t *in)
{
	size_t len = 0;

	for (unsigned i = 0; i < PREFIX_LEN; i++)
		len = len << 8 | in[i];
	return len;
}

static struct kp_channel_frame *
frame_new(const Kp__Node__Envelope *envelope, size_t packed_len)
{
	struct kp_channel_frame *frame =
	    kp_try_alloc(sizeof(*frame) + PREFIX_LEN + packed_len);

	if (frame == NULL)
		return NULL;
	*frame = (struct kp_channel_frame){ .fd = -1,
		.len = PREFIX_LEN + packed_len };
	put_length(frame->data, packed_len);
	(void)kp__node__envelope__pack(envelope, frame->data + PREFIX_LEN);
	return frame;
}

static void
append(struct kp_channel *channel, struct kp_channel_frame *frame)
{
	if (channel->last == NULL)
		channel->first = frame;
	else
		channel->last->next = frame;
	channel->last = frame;
	channel->queued_len += frame->len;
}

bool
kp_channel_queue(struct kp_channel *channel, const Kp__Node__Envelope *envelope,
    int fd, struct kp_error *err)
{
	Kp__Node__Envelope whole = *envelope;
	struct kp_channel_frame *frame;
	size_t len;

	if (!channel->is_open)
		return kp_error_set(err, KP_ERR_CLOSED, "channel is closed");
	whole.has_fd = fd >= 0;
	len = kp__node__envelope__get_packed_size(&whole);
	if (len > KP_CHANNEL_MAX_MESSAGE ||
	    len > KP_CHANNEL_MAX_QUEUED - channel->queued_len)
		return kp_error_set(err, KP_ERR_LIMIT,
		    "message of %zu bytes does not fit into the channel", len);
	frame = frame_new(&whole, len);
	if (frame == NULL)
		return kp_error_set(err, KP_ERR_LIMIT,
		    "no memory for a message of %zu bytes", len);
	if (fd >= 0 && (frame->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0) {
		frame_free(frame);
		return kp_error_sys(err, "could not duplicate a descriptor");
	}
	append(channel, frame);
	return true;
}

static ssize_t
send_some(int fd, struct kp_channel_frame *frame)
{
	struct iovec iov = { frame->data + frame->sent,
		frame->len - frame->sent };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control = { .space = { 0 } };

	if (frame->fd >= 0 && frame->sent == 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.space);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		kp_copy(CMSG_DATA(&control.header), &frame->fd, sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Waits for events; false with KP_ERR_TIMEOUT when the deadline has passed. */
static bool
wait_for(const struct kp_channel *channel, short events, int64_t deadline_ms,
    struct kp_error *err)
{
	struct pollfd item = { .fd = channel->fd, .events = events };
	int n = poll(&item, 1, kp_ms_left(deadline_ms));

	if (n < 0 && errno != EINTR)
		return kp_error_sys(err, "could not wait for the channel");
	if (n == 0 && kp_ms_left(deadline_ms) == 0)
		return kp_error_set(
		    err, KP_ERR_TIMEOUT, "channel: no progress in time");
	return true;
}

static void
drop_first(struct kp_channel *channel)
{
	struct kp_channel_frame *frame = channel->first;

	channel->first = frame->next;
	if (channel->first == NULL)
		channel->last = NULL;
	channel->queued_len -= frame->len;
	frame_free(frame);
}

bool
kp_channel_flush(
    struct kp_channel *channel, int64_t deadline_ms, struct kp_error *err)
{
	while (channel->first != NULL) {
		struct kp_channel_frame *frame = channel->first;
		ssize_t n = send_some(channel->fd, frame);

		if (n >= 0) {
			frame->sent += (size_t)n;
			if (frame->sent == frame->len)
				drop_first(channel);
			continue;
		}
		if (errno == EPIPE || errno == ECONNRESET)
			return kp_error_set(
			    err, KP_ERR_CLOSED, "channel was closed");
		if (errno != EAGAIN && errno != EINTR)
			return kp_error_sys(err, "could not send");
		if (deadline_ms == 0)
			return true;
		if (!wait_for(channel, POLLOUT, deadline_ms, err))
			return false;
	}
	return true;
}

bool
kp_channel_has_queued(const struct kp_channel *channel)
{
	return channel->first != NULL;
}

/* Keeps descriptors that came along; false if there are too many. */
static bool
keep_fds(struct kp_channel *channel, struct msghdr *msg)
{
	bool is_bounded = true;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR(msg, c)) {
		int fd;

		/* the control buffer has room for a single one */
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
		    c->cmsg_len != CMSG_LEN(sizeof(int)))
			continue;
		kp_copy(&fd, CMSG_DATA(c), sizeof(int));
		is_bounded = channel->num_fds < KP_CHANNEL_MAX_FDS;
		if (is_bounded)
			channel->fds[channel->num_fds++] = fd;
		else
			(void)close(fd);
	}
	return is_bounded && (msg->msg_flags & MSG_CTRUNC) == 0;
}

/* Moves what is left to the front, so that the buffer stays one message long.
 */
static void
compact(struct kp_channel *channel)
{
	struct kp_buf *in = &channel->in;

	if (channel->in_pos == 0)
		return;
	kp_move(
	    in->data, in->data + channel->in_pos, in->len - channel->in_pos);
	in->len -= channel->in_pos;
	channel->in_pos = 0;
	if (in->len == 0 && in->capacity > KP_CHANNEL_SMALL_MESSAGE) {
		size_t max_len = in->max_len;

		kp_buf_fini(in);
		kp_buf_init(in, max_len);
	}
}

static ssize_t
read_at(int fd, uint8_t *to, struct msghdr *msg)
{
	struct iovec iov = { to, READ_LEN };

	msg->msg_iov = &iov;
	msg->msg_iovlen = 1;
	return recvmsg(fd, msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
}

/* One read. *out_has_more is false when there was nothing to read. */
static bool
fill(struct kp_channel *channel, bool *out_has_more, struct kp_error *err)
{
	union control control;
	struct msghdr msg = { .msg_control = &control,
		.msg_controllen = sizeof(control.space) };
	uint8_t *to;
	ssize_t n;

	*out_has_more = false;
	compact(channel);
	to = kp_buf_extend(&channel->in, READ_LEN);
	if (to == NULL)
		return kp_error_set(
		    err, KP_ERR_LIMIT, "no memory to read a message");
	n = read_at(channel->fd, to, &msg);
	channel->in.len -= READ_LEN - (size_t)(n > 0 ? n : 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return kp_error_set(err, KP_ERR_CLOSED, "channel was closed");
	if (n < 0)
		return kp_error_sys(err, "could not read from the channel");
	*out_has_more = true;
	if (!keep_fds(channel, &msg))
		return kp_error_set(
		    err, KP_ERR_PROTOCOL, "channel: too many descriptors");
	return true;
}

static int
take_first_fd(struct kp_channel *channel)
{
	int fd = channel->fds[0];

	channel->num_fds--;
	kp_move(channel->fds, channel->fds + 1,
	    channel->num_fds * sizeof(channel->fds[0]));
	return fd;
}

static bool
unpack(struct kp_channel *channel, struct kp_channel_message *out,
    const uint8_t *packed, size_t len, struct kp_error *err)
{
	Kp__Node__Envelope *envelope =
	    (Kp__Node__Envelope *)kp_unpack(&kp__node__envelope__descriptor,
		(struct kp_bytes){ packed, len }, KP_CHANNEL_MAX_UNPACKED, err);

	if (envelope == NULL)
		return kp_error_prefix(err, "channel");
	if (envelope->has_fd && channel->num_fds == 0) {
		kp_unpacked_free(&envelope->base);
		return kp_error_set(
		    err, KP_ERR_PROTOCOL, "channel: descriptor is missing");
	}
	out->envelope = envelope;
	out->fd = envelope->has_fd ? take_first_fd(channel) : -1;
	return true;
}

static enum kp_channel_result
next(struct kp_channel *channel, struct kp_channel_message *out,
    struct kp_error *err)
{
	const uint8_t *at;
	size_t has = channel->in.len - channel->in_pos, len;

	if (has < PREFIX_LEN)
		return KP_CHANNEL_NOTHING;
	at = channel->in.data + channel->in_pos;
	len = get_length(at);
	if (len > channel->max_message) {
		kp_error_set(err, KP_ERR_PROTOCOL,
		    "channel: message of %zu bytes, at most %zu are allowed",
		    len, channel->max_message);
		return KP_CHANNEL_FAILED;
	}
	if (len > has - PREFIX_LEN)
		return KP_CHANNEL_NOTHING;
	channel->in_pos += PREFIX_LEN + len;
	if (!unpack(channel, out, at + PREFIX_LEN, len, err))
		return KP_CHANNEL_FAILED;
	return KP_CHANNEL_MESSAGE;
}

enum kp_channel_result
kp_channel_receive(struct kp_channel *channel, struct kp_channel_message *out,
    int64_t deadline_ms, struct kp_error *err)
{
	enum kp_channel_result result;
	bool has_more;

	*out = (struct kp_channel_message){ .fd = -1 };
	for (;;) {
		result = next(channel, out, err);
		if (result != KP_CHANNEL_NOTHING)
			return result;
		if (!fill(channel, &has_more, err))
			return KP_CHANNEL_FAILED;
		if (has_more)
			continue;
		if (deadline_ms == 0)
			return KP_CHANNEL_NOTHING;
		if (!wait_for(channel, POLLIN, deadline_ms, err))
			return err->kind == KP_ERR_TIMEOUT ? KP_CHANNEL_NOTHING
							   : KP_CHANNEL_FAILED;
	}
}

void
kp_channel_message_fini(struct kp_channel_message *message)
{
	if (message->envelope != NULL)
		kp_unpacked_free(&message->envelope->base);
	if (message->fd >= 0)
		(void)close(message->fd);
	*message = (struct kp_channel_message){ .fd = -1 };
}

int
kp_channel_message_take_fd(struct kp_channel_message *message)
{
	int fd = message->fd;

	message->fd = -1;
	return fd;
}
