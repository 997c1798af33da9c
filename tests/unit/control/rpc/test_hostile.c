/* SPDX-License-Identifier: Apache-2.0 */
/* What a client with a good certificate may try. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "proto/control/unpack.h"
#include "tests/support/rpc_raw.h"
#include "tests/support/rpc_world.h"

struct attack {
	struct kp_test_rpc world;
	struct kp_test_raw raw;
};

static void
attack_start(struct attack *attack, const struct kp_rpc_method *method)
{
	kp_test_rpc_init(&attack->world);
	kp_test_rpc_start(&attack->world);
	attack->raw = (struct kp_test_raw){ .address = attack->world.address,
		.method = method->name,
		.identity = kp_test_identity(
		    attack->world.ca, &attack->world.client_pair) };
}

/* The server is alive, and that was not for want of a connection. */
static void
attack_fini(struct attack *attack)
{
	struct kp_rpc_channel *channel = kp_test_rpc_channel(&attack->world);
	struct kp_rpc_result result;

	cr_assert(kp_test_rpc_ask(channel, &kp_test_echo, &result, "alive"));
	kp_rpc_result_fini(&result);
	kp_rpc_channel_free(channel);
	kp_test_rpc_fini(&attack->world);
}

Test(rpc_hostile, bytes_that_are_no_message_are_an_invalid_argument)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{ "\x0a\xff", 2 },         /* longer than what is left */
		{ "\x0a\x05hell", 6 },     /* the same by one */
		{ "\x10", 1 },             /* a number without end */
		{ "\xff\xff\xff\xff", 4 }, /* a tag without end */
		{ "\x12\x01x", 3 },        /* a number of another type */
		{ "\x2a\x02\x08\x80", 4 }, /* a list's element without end */
	};
	struct attack a;

	attack_start(&a, &kp_test_echo);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		a.raw.body.data = (const uint8_t *)cases[i].bytes;
		a.raw.body.len = cases[i].len;
		cr_assert_eq(kp_test_raw_call(&a.raw), KP_RPC_INVALID_ARGUMENT);
	}
	attack_fini(&a);
}

Test(rpc_hostile, call_without_a_request_is_an_invalid_argument)
{
	struct attack a;

	attack_start(&a, &kp_test_echo);
	a.raw.has_no_message = true;
	cr_assert_eq(kp_test_raw_call(&a.raw), KP_RPC_INVALID_ARGUMENT);
	attack_fini(&a);
}

/* Two bytes on the wire make an object each. */
static uint8_t *
make_bomb(size_t len)
{
	uint8_t *bomb = kp_alloc(1, len);

	for (size_t i = 0; i + 1 < len; i += 2)
		bomb[i] = 0x2a; /* field 5, of length 0 */
	return bomb;
}

Test(rpc_hostile, message_that_unfolds_too_far_is_refused)
{
	struct attack a;
	uint8_t *bomb = make_bomb(KP_TEST_MAX_MESSAGE);

	attack_start(&a, &kp_test_echo);
	a.raw.body = (struct kp_bytes){ bomb, 1000 };
	cr_assert_eq(kp_test_raw_call(&a.raw), KP_RPC_OK);
	a.raw.body.len = KP_TEST_MAX_MESSAGE;
	cr_assert_eq(kp_test_raw_call(&a.raw), KP_RPC_INVALID_ARGUMENT);
	free(bomb);
	attack_fini(&a);
}

Test(rpc_hostile, compressed_message_is_never_unfolded)
{
	struct attack a;
	uint8_t *zeros = kp_alloc(1, 4096);
	enum kp_rpc_code code;

	attack_start(&a, &kp_test_echo);
	a.raw.body = (struct kp_bytes){ zeros, 4096 };
	a.raw.is_compressed = true;
	code = kp_test_raw_call(&a.raw);
	cr_assert_eq(code, KP_RPC_UNIMPLEMENTED);
	free(zeros);
	attack_fini(&a);
}

Test(rpc_hostile, too_much_metadata_is_refused)
{
	struct attack a;

	attack_start(&a, &kp_test_echo);
	a.raw.metadata_len = 1000;
	cr_assert_eq(kp_test_raw_call(&a.raw), KP_RPC_OK);
	a.raw.metadata_len = 2 * a.world.config.limits.metadata_len;
	cr_assert_eq(kp_test_raw_call(&a.raw), KP_RPC_RESOURCE_EXHAUSTED);
	attack_fini(&a);
}

Test(rpc_hostile, unknown_method_with_a_message_is_unimplemented)
{
	struct attack a;
	uint8_t *zeros = kp_alloc(1, KP_TEST_MAX_MESSAGE);

	attack_start(&a, &kp_test_unknown);
	a.raw.body = (struct kp_bytes){ zeros, KP_TEST_MAX_MESSAGE };
	cr_assert_eq(kp_test_raw_call(&a.raw), KP_RPC_UNIMPLEMENTED);
	a.raw.method = "no slash at all";
	a.raw.body.len = 0;
	cr_assert_eq(kp_test_raw_call(&a.raw), KP_RPC_UNIMPLEMENTED);
	free(zeros);
	attack_fini(&a);
}

/* What the owner was told of calls that no handler knows of. */
static atomic_int num_refused;
static char told_of[4][128];

static void
note_refused(struct kp_rpc_call *call, const char *method,
    const struct kp_rpc_status *status)
{
	int index = atomic_load(&num_refused);

	cr_assert(index < 4);
	(void)snprintf(told_of[index], sizeof(told_of[index]), "%s %s %s",
	    kp_rpc_call_peer(call)->common_name, method,
	    kp_rpc_code_name(status->code));
	atomic_fetch_add(&num_refused, 1);
}

Test(rpc_hostile, owner_is_told_of_calls_that_no_handler_sees)
{
	struct attack a = { .raw = { .address = NULL } };

	kp_test_rpc_init(&a.world);
	a.world.config.refused = note_refused;
	kp_test_rpc_start(&a.world);
	a.raw = (struct kp_test_raw){ .address = a.world.address,
		.method = kp_test_unknown.name,
		.identity =
		    kp_test_identity(a.world.ca, &a.world.client_pair) };
	cr_assert_eq(kp_test_raw_call(&a.raw), KP_RPC_UNIMPLEMENTED);
	cr_assert(kp_test_reaches(&num_refused, 1));
	cr_assert_str_eq(
	    told_of[0], "agent-1 /kp.test.Test/Unknown UNIMPLEMENTED");
	a.raw.method = kp_test_echo.name;
	a.raw.body = kp_bytes_of("\x0a\xff");
	cr_assert_eq(kp_test_raw_call(&a.raw), KP_RPC_INVALID_ARGUMENT);
	cr_assert(kp_test_reaches(&num_refused, 2));
	cr_assert_str_eq(
	    told_of[1], "agent-1 /kp.test.Test/Echo INVALID_ARGUMENT");
	attack_fini(&a);
	cr_assert_eq(atomic_load(&num_refused), 2);
}

Test(rpc_hostile, message_of_another_kind_ends_a_stream)
{
	struct attack a;
	struct kp_rpc_method other = kp_test_chat;
	struct kp_rpc_channel *channel;
	struct kp_rpc_stream *stream;
	Kp__Test__Answer message;
	ProtobufCMessage *answer;
	struct kp_error err = { 0 };
	char text[] = "a number in the eyes of the server";

	attack_start(&a, &kp_test_chat);
	channel = kp_test_rpc_channel(&a.world);
	other.request = &kp__test__answer__descriptor;
	stream = kp_rpc_stream_new(channel, &other, KP_NEVER);
	kp__test__answer__init(&message);
	message.common_name = text;
	cr_assert(kp_rpc_stream_write(
	    stream, &message.base, kp_test_in(KP_TEST_PATIENCE_MS), &err));
	cr_assert_eq(kp_rpc_stream_read(
			 stream, &answer, kp_test_in(KP_TEST_PATIENCE_MS)),
	    KP_RPC_READ_END);
	cr_assert_eq(
	    kp_rpc_stream_status(stream)->code, KP_RPC_INVALID_ARGUMENT);
	cr_assert(kp_test_reaches(&a.world.num_closed, 1));
	kp_rpc_stream_free(stream);
	kp_rpc_channel_free(channel);
	attack_fini(&a);
}

/* The other way round: a server's answer that is none. */
Test(rpc_hostile, answers_of_another_kind_are_an_error_at_the_client)
{
	struct attack a;
	struct kp_rpc_method unary = kp_test_echo, stream_method = kp_test_chat;
	struct kp_rpc_channel *channel;
	struct kp_rpc_stream *stream;
	struct kp_rpc_result result;
	ProtobufCMessage *answer;
	Kp__Test__Request request;
	struct kp_error err = { 0 };

	attack_start(&a, &kp_test_echo);
	channel = kp_test_rpc_channel(&a.world);
	unary.response = &kp__test__request__descriptor; /* 2 is a number */
	cr_assert(!kp_test_rpc_ask(channel, &unary, &result, "hello"));
	cr_assert_eq(result.status.code, KP_RPC_INTERNAL);
	cr_assert_null(result.answer);
	kp_rpc_result_fini(&result);
	stream_method.response = &kp__test__tree__descriptor; /* 1 is a tree */
	stream = kp_rpc_stream_new(channel, &stream_method, KP_NEVER);
	kp__test__request__init(&request);
	request.text = (char[]){ "hello" };
	cr_assert(kp_rpc_stream_write(
	    stream, &request.base, kp_test_in(KP_TEST_PATIENCE_MS), &err));
	cr_assert_eq(kp_rpc_stream_read(
			 stream, &answer, kp_test_in(KP_TEST_PATIENCE_MS)),
	    KP_RPC_READ_END);
	cr_assert_eq(kp_rpc_stream_status(stream)->code, KP_RPC_INTERNAL);
	kp_rpc_stream_free(stream);
	kp_rpc_channel_free(channel);
	attack_fini(&a);
}

#define NUM_CONNECTIONS 60

/* More connections than there are descriptors; those of the test are opened
 * before the limit is set. */
static void
flood(const struct kp_test_rpc *world)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct rlimit before, low;
	int fds[NUM_CONNECTIONS];
	struct pollfd last;

	to.sin_port = htons((uint16_t)kp_rpc_server_port(world->server, 0));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < NUM_CONNECTIONS; i++)
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert(getrlimit(RLIMIT_NOFILE, &before) == 0);
	low = before;
	low.rlim_cur = (rlim_t)fds[NUM_CONNECTIONS - 1] + 30;
	cr_assert(setrlimit(RLIMIT_NOFILE, &low) == 0);
	for (int i = 0; i < NUM_CONNECTIONS; i++)
		cr_assert(
		    connect(fds[i], (struct sockaddr *)&to, sizeof(to)) == 0);
	/* the last one finds no descriptor left for it */
	last =
	    (struct pollfd){ .fd = fds[NUM_CONNECTIONS - 1], .events = POLLIN };
	cr_expect(poll(&last, 1, 10000) == 1);
	for (int i = 0; i < NUM_CONNECTIONS; i++)
		(void)close(fds[i]);
	cr_assert(setrlimit(RLIMIT_NOFILE, &before) == 0);
}

Test(rpc_hostile, server_listens_on_after_all_descriptors_were_used_up)
{
	struct attack a;

	attack_start(&a, &kp_test_echo);
	flood(&a.world);
	cr_assert_eq(kp_test_raw_call(&a.raw), KP_RPC_OK);
	attack_fini(&a);
}
