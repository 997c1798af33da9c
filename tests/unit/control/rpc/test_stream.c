/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "proto/control/unpack.h"
#include "tests/support/rpc_world.h"

#define NUM_MESSAGES 10000
#define LONG 65536
#define STUCK_TRIES 500

struct chat {
	struct kp_test_rpc world;
	struct kp_rpc_channel *channel;
	struct kp_rpc_stream *stream;
	atomic_int num_heard;
};

/* The server with its limits as they are in the world, and one open stream. */
static void
chat_start(struct chat *chat)
{
	kp_test_rpc_start(&chat->world);
	chat->channel = kp_test_rpc_channel(&chat->world);
	chat->stream =
	    kp_rpc_stream_new(chat->channel, &kp_test_chat, KP_NEVER);
	cr_assert(kp_test_reaches(&chat->world.num_opened, 1));
}

static void
chat_fini(struct chat *chat)
{
	kp_rpc_stream_free(chat->stream);
	kp_rpc_channel_free(chat->channel);
	kp_test_rpc_fini(&chat->world);
	cr_assert_eq(atomic_load(&chat->world.num_opened),
	    atomic_load(&chat->world.num_closed));
}

static void
say(struct chat *chat, const char *text)
{
	Kp__Test__Request request;
	struct kp_error err = { 0 };
	char *copy = kp_strdup(text);

	kp__test__request__init(&request);
	request.text = copy;
	cr_assert(kp_rpc_stream_write(chat->stream, &request.base,
	    kp_test_in(KP_TEST_PATIENCE_MS), &err));
	free(copy);
}

/* The next message has that number. */
static void
hear(struct kp_rpc_stream *stream, uint64_t number)
{
	ProtobufCMessage *answer;
	enum kp_rpc_read result = kp_rpc_stream_read(
	    stream, &answer, kp_test_in(KP_TEST_PATIENCE_MS));

	cr_assert_eq(result, KP_RPC_READ_MESSAGE);
	cr_assert_eq(((Kp__Test__Answer *)answer)->number, number);
	kp_unpacked_free(answer);
}

static void
expect_end(struct kp_rpc_stream *stream, enum kp_rpc_code code)
{
	ProtobufCMessage *answer;

	cr_assert_eq(kp_rpc_stream_read(
			 stream, &answer, kp_test_in(KP_TEST_PATIENCE_MS)),
	    KP_RPC_READ_END);
	cr_assert_eq(kp_rpc_stream_status(stream)->code, code);
	/* and again */
	cr_assert_eq(kp_rpc_stream_read(stream, &answer, 0), KP_RPC_READ_END);
}

static struct kp_rpc_packet *
packet_of(uint64_t number, size_t padding_len)
{
	struct kp_rpc_packet *packet;
	Kp__Test__Answer answer;
	struct kp_error err;

	kp__test__answer__init(&answer);
	answer.number = number;
	answer.padding.len = padding_len;
	answer.padding.data = kp_alloc(1, padding_len + 1);
	packet = kp_rpc_packet_new(&answer.base, KP_TEST_MAX_MESSAGE, &err);
	cr_assert_not_null(packet);
	free(answer.padding.data);
	return packet;
}

static void *
write_all(void *arg)
{
	struct chat *chat = arg;

	for (int i = 0; i < NUM_MESSAGES; i++)
		say(chat, "text");
	return NULL;
}

Test(rpc_stream, ten_thousand_messages_go_both_ways_in_order)
{
	struct chat c = { .stream = NULL };
	struct kp_error err = { 0 };
	pthread_t writer;

	kp_test_rpc_init(&c.world);
	c.world.config.limits.queued = NUM_MESSAGES;
	chat_start(&c);
	kp_must(pthread_create(&writer, NULL, write_all, &c));
	for (uint64_t i = 0; i < NUM_MESSAGES; i++)
		hear(c.stream, i);
	kp_must(pthread_join(writer, NULL));
	cr_assert(kp_rpc_stream_half_close(
	    c.stream, kp_test_in(KP_TEST_PATIENCE_MS), &err));
	expect_end(c.stream, KP_RPC_OK);
	cr_assert_eq(atomic_load(&c.world.num_messages), NUM_MESSAGES);
	cr_assert_eq(atomic_load(&c.world.num_half_closed), 1);
	cr_assert(kp_test_reaches(&c.world.num_closed, 1));
	cr_assert(atomic_load(&c.world.num_sent) > 0);
	chat_fini(&c);
}

Test(rpc_stream, reading_has_a_deadline_and_goes_on_after_it)
{
	struct chat c = { .stream = NULL };
	ProtobufCMessage *answer;

	kp_test_rpc_init(&c.world);
	chat_start(&c);
	cr_assert_eq(kp_rpc_stream_read(c.stream, &answer, kp_test_in(20)),
	    KP_RPC_READ_NOTHING);
	cr_assert_null(answer);
	say(&c, "now");
	hear(c.stream, 0);
	say(&c, "end");
	expect_end(c.stream, KP_RPC_OK);
	chat_fini(&c);
}

/*
 * Fills the stream until nothing has moved for a while: what is in the queue
 * now waits for the peer, and not for our writer. Counted in tries, in each of
 * which others had a processor: time also passes where all of us had none.
 */
static void
fill(struct kp_rpc_call *call)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	struct kp_rpc_packet *packet = packet_of(0, 8 * LONG);
	struct kp_error err = { 0 };

	for (unsigned tries = 0; tries < STUCK_TRIES; tries++) {
		if (kp_rpc_call_send(call, packet, &err))
			tries = 0;
		else
			(void)nanosleep(&pause, NULL);
	}
	cr_assert_eq(err.kind, KP_ERR_LIMIT);
	kp_rpc_packet_unref(packet);
}

Test(rpc_stream, queue_for_a_peer_that_does_not_read_is_bounded)
{
	struct chat c = { .stream = NULL };
	struct kp_rpc_packet *packet = packet_of(0, LONG);
	struct kp_rpc_call *call;
	struct kp_rpc_result result;
	struct kp_error err = { 0 };
	size_t num;

	kp_test_rpc_init(&c.world);
	c.world.config.limits.queued = 16;
	chat_start(&c);
	call = kp_test_rpc_stream(&c.world);
	fill(call);
	num = kp_rpc_call_num_queued(call); /* and the one that is written */
	cr_assert(num >= 15 && num <= 17);
	/* nobody else waits for it */
	cr_assert(kp_test_rpc_ask(c.channel, &kp_test_echo, &result, "hello"));
	kp_rpc_result_fini(&result);
	kp_rpc_call_abort(call);
	cr_assert(kp_test_reaches(&c.world.num_closed, 1));
	cr_assert(!kp_rpc_call_send(call, packet, &err));
	cr_assert_eq(err.kind, KP_ERR_CLOSED);
	/* what was being written comes back by itself */
	for (int64_t end_ms = kp_test_in(KP_TEST_PATIENCE_MS);
	     kp_rpc_call_num_queued(call) > 0;)
		cr_assert(kp_now_ms() < end_ms);
	kp_rpc_call_unref(call);
	kp_rpc_packet_unref(packet);
	chat_fini(&c);
}

Test(rpc_stream, queue_is_bounded_in_bytes_too)
{
	struct chat c = { .stream = NULL };
	struct kp_rpc_packet *packet = packet_of(0, LONG);
	struct kp_rpc_call *call;
	struct kp_error err = { 0 };

	kp_test_rpc_init(&c.world);
	c.world.config.limits.queued_len = LONG;
	chat_start(&c);
	call = kp_test_rpc_stream(&c.world);
	cr_assert(!kp_rpc_call_send(call, packet, &err));
	cr_assert_eq(err.kind, KP_ERR_LIMIT);
	kp_rpc_call_unref(call);
	kp_rpc_packet_unref(packet);
	chat_fini(&c);
}

Test(rpc_stream, peer_that_does_not_read_its_status_is_cut_off)
{
	struct chat c = { .stream = NULL };
	struct kp_rpc_call *call;

	kp_test_rpc_init(&c.world);
	c.world.config.limits.queued = 16;
	c.world.config.limits.linger_ms = 100;
	chat_start(&c);
	call = kp_test_rpc_stream(&c.world);
	fill(call);
	kp_rpc_call_end(call, KP_RPC_ABORTED, "too slow");
	kp_rpc_call_unref(call);
	cr_assert(kp_test_reaches(&c.world.num_closed, 1));
	chat_fini(&c);
}

Test(rpc_stream, what_is_queued_comes_before_a_good_end)
{
	struct chat c = { .stream = NULL };
	struct kp_rpc_call *call;
	struct kp_error err = { 0 };

	kp_test_rpc_init(&c.world);
	chat_start(&c);
	call = kp_test_rpc_stream(&c.world);
	for (uint64_t i = 0; i < 50; i++) {
		struct kp_rpc_packet *packet = packet_of(i, 1000);

		cr_assert(kp_rpc_call_send(call, packet, &err));
		kp_rpc_packet_unref(packet);
	}
	kp_rpc_call_end(call, KP_RPC_OK, "%s", "");
	kp_rpc_call_unref(call);
	for (uint64_t i = 0; i < 50; i++)
		hear(c.stream, i);
	expect_end(c.stream, KP_RPC_OK);
	chat_fini(&c);
}

Test(rpc_stream, end_with_a_reason_is_heard)
{
	struct chat c = { .stream = NULL };
	struct kp_rpc_call *call;

	kp_test_rpc_init(&c.world);
	chat_start(&c);
	call = kp_test_rpc_stream(&c.world);
	kp_rpc_call_end(call, KP_RPC_OUT_OF_RANGE, "revision %d is gone", 7);
	kp_rpc_call_end(call, KP_RPC_INTERNAL, "only the first end counts");
	kp_rpc_call_unref(call);
	expect_end(c.stream, KP_RPC_OUT_OF_RANGE);
	cr_assert_str_eq(
	    kp_rpc_stream_status(c.stream)->sentence, "revision 7 is gone");
	chat_fini(&c);
}

#define NUM_STREAMS 50

Test(rpc_stream, one_packet_goes_out_on_many_streams)
{
	struct chat c = { .stream = NULL };
	struct kp_rpc_stream *streams[NUM_STREAMS];
	struct kp_rpc_call *calls[NUM_STREAMS];
	struct kp_rpc_packet *packet = packet_of(42, LONG);
	struct kp_error err = { 0 };

	kp_test_rpc_init(&c.world);
	chat_start(&c);
	for (int i = 0; i < NUM_STREAMS; i++) {
		streams[i] =
		    kp_rpc_stream_new(c.channel, &kp_test_chat, KP_NEVER);
		cr_assert(kp_test_reaches(&c.world.num_opened, i + 2));
		calls[i] = kp_test_rpc_stream(&c.world);
	}
	for (int i = 0; i < NUM_STREAMS; i++)
		cr_assert(kp_rpc_call_send(calls[i], packet, &err));
	kp_rpc_packet_unref(packet);
	for (int i = 0; i < NUM_STREAMS; i++) {
		hear(streams[i], 42);
		kp_rpc_call_unref(calls[i]);
		kp_rpc_stream_free(streams[i]);
	}
	cr_assert(kp_test_reaches(&c.world.num_closed, NUM_STREAMS));
	chat_fini(&c);
}

Test(rpc_stream, cancel_by_the_client_closes_it_at_the_server)
{
	struct chat c = { .stream = NULL };
	Kp__Test__Request request;
	struct kp_error err = { 0 };

	kp_test_rpc_init(&c.world);
	chat_start(&c);
	kp_rpc_stream_cancel(c.stream);
	expect_end(c.stream, KP_RPC_CANCELLED);
	kp__test__request__init(&request);
	cr_assert(!kp_rpc_stream_write(
	    c.stream, &request.base, kp_test_in(KP_TEST_PATIENCE_MS), &err));
	cr_assert_eq(err.kind, KP_ERR_CLOSED);
	cr_assert(kp_test_reaches(&c.world.num_closed, 1));
	cr_assert_null(kp_test_rpc_stream(&c.world));
	chat_fini(&c);
}

Test(rpc_stream, abort_by_the_server_is_heard)
{
	struct chat c = { .stream = NULL };
	struct kp_rpc_call *call;

	kp_test_rpc_init(&c.world);
	chat_start(&c);
	call = kp_test_rpc_stream(&c.world);
	kp_rpc_call_abort(call);
	kp_rpc_call_unref(call);
	expect_end(c.stream, KP_RPC_CANCELLED);
	cr_assert(kp_test_reaches(&c.world.num_closed, 1));
	chat_fini(&c);
}

static void *
cancel_soon(void *arg)
{
	struct chat *chat = arg;

	cr_assert(kp_test_reaches(&chat->num_heard, 1));
	kp_rpc_stream_cancel(chat->stream);
	return NULL;
}

Test(rpc_stream, cancel_wakes_a_thread_that_reads)
{
	struct chat c = { .stream = NULL };
	pthread_t other;

	kp_test_rpc_init(&c.world);
	chat_start(&c);
	kp_must(pthread_create(&other, NULL, cancel_soon, &c));
	say(&c, "hello");
	hear(c.stream, 0);
	atomic_store(&c.num_heard, 1);
	expect_end(c.stream, KP_RPC_CANCELLED);
	kp_must(pthread_join(other, NULL));
	chat_fini(&c);
}

Test(rpc_stream, deadline_of_the_client_ends_it_on_both_sides)
{
	struct chat c = { .stream = NULL };
	struct kp_rpc_stream *hasty;

	kp_test_rpc_init(&c.world);
	chat_start(&c);
	hasty = kp_rpc_stream_new(c.channel, &kp_test_chat, kp_test_in(100));
	expect_end(hasty, KP_RPC_DEADLINE_EXCEEDED);
	kp_rpc_stream_free(hasty);
	say(&c, "the other goes on");
	hear(c.stream, 0);
	chat_fini(&c);
}

Test(rpc_stream, open_streams_are_told_that_the_server_stops)
{
	struct chat c = { .stream = NULL };
	int64_t start_ms;

	kp_test_rpc_init(&c.world);
	chat_start(&c);
	start_ms = kp_now_ms();
	kp_test_rpc_stop(&c.world, KP_TEST_PATIENCE_MS);
	cr_assert(kp_now_ms() - start_ms < KP_TEST_PATIENCE_MS / 2);
	cr_assert_eq(atomic_load(&c.world.num_closed), 1);
	expect_end(c.stream, KP_RPC_UNAVAILABLE);
	cr_assert_str_eq(
	    kp_rpc_stream_status(c.stream)->sentence, "the server is stopping");
	chat_fini(&c);
}

Test(rpc_stream, server_stops_though_a_peer_does_not_read)
{
	struct chat c = { .stream = NULL };
	struct kp_rpc_call *call;
	int64_t start_ms;

	kp_test_rpc_init(&c.world);
	c.world.config.limits.queued = 16;
	chat_start(&c);
	call = kp_test_rpc_stream(&c.world);
	fill(call);
	kp_rpc_call_unref(call);
	start_ms = kp_now_ms();
	kp_test_rpc_stop(&c.world, 100);
	cr_assert(kp_now_ms() - start_ms < KP_TEST_PATIENCE_MS / 2);
	cr_assert_eq(atomic_load(&c.world.num_closed), 1);
	chat_fini(&c);
}

Test(rpc_stream, connection_that_is_lost_closes_it)
{
	struct chat c = { .stream = NULL };

	kp_test_rpc_init(&c.world);
	chat_start(&c);
	kp_rpc_stream_free(c.stream);
	kp_rpc_channel_free(c.channel);
	c.stream = NULL;
	c.channel = NULL;
	cr_assert(kp_test_reaches(&c.world.num_closed, 1));
	chat_fini(&c);
}

/* At whatever moment it ends, what was opened is closed, once. */
Test(rpc_stream, streams_may_end_as_soon_as_they_begin)
{
	struct chat c = { .stream = NULL };

	kp_test_rpc_init(&c.world);
	chat_start(&c);
	for (int i = 0; i < 500; i++) {
		struct kp_rpc_stream *brief =
		    kp_rpc_stream_new(c.channel, &kp_test_chat, KP_NEVER);

		if (i % 2 == 0)
			cr_assert(kp_test_reaches(&c.world.num_opened,
			    atomic_load(&c.world.num_closed) + 1));
		kp_rpc_stream_free(brief);
	}
	say(&c, "still here");
	hear(c.stream, 0);
	chat_fini(&c);
}

/* A client that asks for signs of life as often as gRPC lets it: each second.
 */
static void
lively_start(struct chat *chat, int64_t client_keepalive_ms)
{
	struct kp_rpc_channel_config config = { .num_addresses = 1,
		.keepalive_ms = 50 };
	const char *addresses[1];
	struct kp_error err;

	kp_test_rpc_init(&chat->world);
	chat->world.config.limits.client_keepalive_ms = client_keepalive_ms;
	kp_test_rpc_start(&chat->world);
	addresses[0] = chat->world.address;
	config.addresses = addresses;
	config.identity =
	    kp_test_identity(chat->world.ca, &chat->world.client_pair);
	chat->channel = kp_rpc_channel_new(&config, &err);
	chat->stream =
	    kp_rpc_stream_new(chat->channel, &kp_test_chat, KP_NEVER);
	cr_assert(kp_test_reaches(&chat->world.num_opened, 1));
}

Test(rpc_stream, client_may_ask_for_signs_of_life_as_often_as_the_limit_says)
{
	struct chat allowed = { .stream = NULL },
		    forbidden = { .stream = NULL };
	ProtobufCMessage *answer;

	lively_start(&allowed, 20);
	lively_start(&forbidden, 300000);
	expect_end(forbidden.stream, KP_RPC_UNAVAILABLE);
	cr_assert_eq(kp_rpc_stream_read(allowed.stream, &answer, 0),
	    KP_RPC_READ_NOTHING);
	say(&allowed, "still here");
	hear(allowed.stream, 0);
	chat_fini(&allowed);
	chat_fini(&forbidden);
}
