/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "proto/control/channel.h"

#define PATIENCE_MS 60000

struct ends {
	struct kp_channel a, b;
};

static void
open_ends(struct ends *ends, size_t max_message)
{
	struct kp_error err;
	int fds[2];

	cr_assert(kp_channel_pair(fds, &err), "%s", err.text);
	kp_channel_init(&ends->a, fds[0], max_message);
	kp_channel_init(&ends->b, fds[1], max_message);
}

static void
close_ends(struct ends *ends)
{
	kp_channel_fini(&ends->a);
	kp_channel_fini(&ends->b);
}

static bool
queue_tables(struct kp_channel *channel, uint64_t generation, void *data,
    size_t len, int fd, struct kp_error *err)
{
	Kp__Node__Envelope envelope;
	Kp__Node__Tables tables;

	kp__node__envelope__init(&envelope);
	kp__node__tables__init(&tables);
	envelope.body_case = KP__NODE__ENVELOPE__BODY_TABLES;
	envelope.tables = &tables;
	tables.generation = generation;
	tables.packed.data = data;
	tables.packed.len = len;
	return kp_channel_queue(channel, &envelope, fd, err);
}

static void
send_tables(struct kp_channel *channel, uint64_t generation, int fd)
{
	struct kp_error err;

	cr_assert(queue_tables(channel, generation, NULL, 0, fd, &err));
	cr_assert(kp_channel_flush(channel, kp_now_ms() + PATIENCE_MS, &err),
	    "%s", err.text);
}

/* What the other end sends as raw bytes. */
static void
send_raw(struct kp_channel *channel, const void *data, size_t len)
{
	cr_assert_eq(write(channel->fd, data, len), (ssize_t)len);
}

static void
expect_tables(struct kp_channel *channel, uint64_t generation)
{
	struct kp_channel_message message;
	struct kp_error err = { 0 };

	cr_assert_eq(kp_channel_receive(
			 channel, &message, kp_now_ms() + PATIENCE_MS, &err),
	    KP_CHANNEL_MESSAGE, "%s", err.text);
	cr_assert_eq(
	    message.envelope->body_case, KP__NODE__ENVELOPE__BODY_TABLES);
	cr_assert_eq(message.envelope->tables->generation, generation);
	kp_channel_message_fini(&message);
}

static void
expect_failure(struct kp_channel *channel, enum kp_error_kind kind)
{
	struct kp_channel_message message;
	struct kp_error err = { 0 };

	cr_assert_eq(
	    kp_channel_receive(channel, &message, 0, &err), KP_CHANNEL_FAILED);
	cr_assert_eq(err.kind, kind, "%s", err.text);
	cr_assert_null(message.envelope);
	cr_assert_eq(message.fd, -1);
}

static void
expect_nothing(struct kp_channel *channel)
{
	struct kp_channel_message message;
	struct kp_error err = { 0 };

	cr_assert_eq(kp_channel_receive(channel, &message, 0, &err),
	    KP_CHANNEL_NOTHING, "%s", err.text);
}

Test(channel, many_messages_at_once_arrive_one_by_one_in_order)
{
	struct ends ends;

	open_ends(&ends, KP_CHANNEL_SMALL_MESSAGE);
	for (uint64_t i = 1; i <= 100; i++)
		send_tables(&ends.a, i, -1);
	for (uint64_t i = 1; i <= 100; i++)
		expect_tables(&ends.b, i);
	expect_nothing(&ends.b);
	close_ends(&ends);
}

Test(channel, a_message_in_single_bytes_arrives_when_it_is_complete)
{
	static const uint8_t raw[] = { 0, 0, 0, 5, 0x92, 0x03, 2, 8, 9 };
	struct ends ends;

	open_ends(&ends, KP_CHANNEL_SMALL_MESSAGE);
	for (size_t i = 0; i < sizeof(raw); i++) {
		expect_nothing(&ends.b);
		send_raw(&ends.a, raw + i, 1);
	}
	expect_tables(&ends.b, 9);
	close_ends(&ends);
}

Test(channel, every_descriptor_arrives_with_its_message)
{
	struct ends ends;
	struct kp_channel_message message;
	struct kp_error err;
	char text[8];
	int pipes[2];

	open_ends(&ends, KP_CHANNEL_SMALL_MESSAGE);
	for (uint64_t i = 1; i <= 20; i++) {
		cr_assert_eq(pipe2(pipes, O_CLOEXEC), 0);
		(void)snprintf(text, sizeof(text), "%d", (int)i);
		cr_assert_eq(write(pipes[1], text, 3), 3);
		send_tables(&ends.a, i, i % 2 ? pipes[0] : -1);
		(void)close(pipes[0]);
		(void)close(pipes[1]);
	}
	for (uint64_t i = 1; i <= 20; i++) {
		char got[8] = "";

		cr_assert_eq(kp_channel_receive(&ends.b, &message, 0, &err),
		    KP_CHANNEL_MESSAGE);
		cr_assert_eq(message.fd >= 0, i % 2 == 1);
		if (message.fd >= 0) {
			int fd = kp_channel_message_take_fd(&message);

			(void)snprintf(text, sizeof(text), "%d", (int)i);
			cr_assert_eq(read(fd, got, sizeof(got)), 3);
			cr_assert_str_eq(got, text);
			cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
			(void)close(fd);
		}
		kp_channel_message_fini(&message);
	}
	close_ends(&ends);
}

Test(channel, a_length_above_the_limit_ends_it_before_anything_is_read)
{
	static const uint8_t raws[][4] = { { 0, 0, 4, 1 },
		{ 0x7f, 0xff, 0xff, 0xff }, { 0xff, 0xff, 0xff, 0xff } };
	struct ends ends;

	for (size_t i = 0; i < sizeof(raws) / sizeof(raws[0]); i++) {
		open_ends(&ends, 1024);
		send_raw(&ends.a, raws[i], 4);
		expect_failure(&ends.b, KP_ERR_PROTOCOL);
		cr_assert(ends.b.in.capacity < 200000);
		close_ends(&ends);
	}
}

Test(channel, garbage_is_refused)
{
	/* a field that ends too early; one that wants a descriptor */
	static const uint8_t cut[] = { 0, 0, 0, 4, 0x92, 0x03, 9, 8 };
	static const uint8_t wants[] = { 0, 0, 0, 2, 8, 1 };
	struct ends ends;

	open_ends(&ends, 1024);
	send_raw(&ends.a, cut, sizeof(cut));
	expect_failure(&ends.b, KP_ERR_PROTOCOL);
	close_ends(&ends);
	open_ends(&ends, 1024);
	send_raw(&ends.a, wants, sizeof(wants));
	expect_failure(&ends.b, KP_ERR_PROTOCOL);
	close_ends(&ends);
}

/* Sends one byte of an unfinished message with a descriptor. */
static void
send_stray_fd(int to, const uint8_t *byte)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .space = { 0 } };
	uint8_t copy = *byte;
	struct iovec iov = { &copy, 1 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space) };

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	kp_copy(CMSG_DATA(&control.header), &to, sizeof(int));
	cr_assert_eq(sendmsg(to, &msg, 0), 1);
}

Test(channel, stray_descriptors_do_not_pile_up)
{
	static const uint8_t raw[16] = { 0, 0, 1, 0 };
	struct kp_channel_message message;
	struct kp_error err = { 0 };
	enum kp_channel_result result = KP_CHANNEL_NOTHING;
	struct ends ends;
	unsigned num = 0;

	open_ends(&ends, 1024);
	for (size_t i = 0; i < sizeof(raw) && result == KP_CHANNEL_NOTHING;
	     i++) {
		send_stray_fd(ends.a.fd, &raw[i]);
		num++;
		result = kp_channel_receive(&ends.b, &message, 0, &err);
	}
	cr_assert_eq(result, KP_CHANNEL_FAILED);
	cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
	cr_assert_eq(num, KP_CHANNEL_MAX_FDS + 1);
	close_ends(&ends);
}

Test(channel, what_was_sent_before_closing_still_arrives)
{
	struct ends ends;
	struct kp_error err = { 0 };

	open_ends(&ends, 1024);
	send_tables(&ends.a, 1, -1);
	kp_channel_fini(&ends.a);
	expect_tables(&ends.b, 1);
	expect_failure(&ends.b, KP_ERR_CLOSED);
	cr_assert(queue_tables(&ends.b, 1, NULL, 0, -1, &err));
	cr_assert(!kp_channel_flush(&ends.b, 0, &err));
	cr_assert_eq(err.kind, KP_ERR_CLOSED);
	kp_channel_fini(&ends.b);
	cr_assert(!queue_tables(&ends.b, 1, NULL, 0, -1, &err));
	cr_assert_eq(err.kind, KP_ERR_CLOSED);
}

Test(channel, waiting_ends_at_the_deadline)
{
	struct kp_channel_message message;
	struct kp_error err = { 0 };
	struct ends ends;
	int64_t begin_ms = kp_now_ms();

	open_ends(&ends, 1024);
	cr_assert_eq(kp_channel_receive(&ends.b, &message, begin_ms + 20, &err),
	    KP_CHANNEL_NOTHING);
	cr_assert(kp_now_ms() >= begin_ms + 20);
	close_ends(&ends);
}

Test(channel, a_peer_that_does_not_read_stops_nobody)
{
	struct ends ends;
	struct kp_error err = { 0 };
	size_t len = 8u << 20;
	void *data = calloc(1, len);

	cr_assert_not_null(data);
	open_ends(&ends, KP_CHANNEL_MAX_MESSAGE);
	cr_assert(queue_tables(&ends.a, 1, data, len, -1, &err));
	cr_assert(kp_channel_flush(&ends.a, 0, &err), "does not wait");
	cr_assert(kp_channel_has_queued(&ends.a));
	cr_assert(!kp_channel_flush(&ends.a, kp_now_ms() + 10, &err));
	cr_assert_eq(err.kind, KP_ERR_TIMEOUT);
	/* the queue has an end */
	while (queue_tables(&ends.a, 1, data, len, -1, &err))
		;
	cr_assert_eq(err.kind, KP_ERR_LIMIT);
	cr_assert(ends.a.queued_len <= KP_CHANNEL_MAX_QUEUED);
	close_ends(&ends);
	free(data);
}

struct reader {
	struct kp_channel *channel;
	size_t num;
	pthread_t thread;
};

static void *
read_all(void *arg)
{
	struct reader *reader = arg;

	for (size_t i = 0; i < reader->num; i++)
		expect_tables(reader->channel, i);
	return NULL;
}

Test(channel, large_messages_pass_whole)
{
	struct reader reader = { .num = 5 };
	struct kp_error err = { 0 };
	struct ends ends;
	size_t len = 3u << 20;
	void *data = calloc(1, len);

	cr_assert_not_null(data);
	open_ends(&ends, KP_CHANNEL_MAX_MESSAGE);
	reader.channel = &ends.b;
	cr_assert_eq(
	    pthread_create(&reader.thread, NULL, read_all, &reader), 0);
	for (size_t i = 0; i < reader.num; i++) {
		cr_assert(queue_tables(&ends.a, i, data, len, -1, &err));
		cr_assert(
		    kp_channel_flush(&ends.a, kp_now_ms() + PATIENCE_MS, &err),
		    "%s", err.text);
	}
	cr_assert_eq(pthread_join(reader.thread, NULL), 0);
	close_ends(&ends);
	free(data);
}

/* One exchange with a descriptor; true if no allocation was refused. */
static bool
exchange(void)
{
	struct kp_channel_message message = { .fd = -1 };
	struct kp_error err = { 0 };
	struct ends ends;
	bool is_ok;

	open_ends(&ends, 1024);
	is_ok = queue_tables(&ends.a, 1, NULL, 0, ends.a.fd, &err) &&
		kp_channel_flush(&ends.a, 0, &err) &&
		kp_channel_receive(&ends.b, &message, 0, &err) ==
		    KP_CHANNEL_MESSAGE;
	cr_assert(
	    is_ok || err.kind == KP_ERR_LIMIT || err.kind == KP_ERR_PROTOCOL);
	kp_channel_message_fini(&message);
	close_ends(&ends);
	return is_ok;
}

Test(channel, every_refused_allocation_is_survived)
{
	unsigned n = 1;

	for (;; n++) {
		kp_alloc_fail_after(n);
		if (exchange())
			break;
	}
	kp_alloc_fail_after(0);
	cr_assert(n > 3, "only %u allocations", n);
}

Test(channel, the_zero_state_is_closed)
{
	struct kp_channel channel = { 0 };

	cr_assert(!channel.is_open);
	cr_assert(!kp_channel_has_queued(&channel));
	kp_channel_fini(&channel);
}
