/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each allocation of a stream, and of a status with details, is refused in
 * turn, on either side. A stream says all that was sent, or ends for want of
 * memory; the next one on the same connection is as good as the first.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "proto/control/unpack.h"
#include "tests/support/rpc_world.h"

#define NUM_MESSAGES 3
/* Nothing here needs as many. */
#define MANY 1000

struct pair {
	struct kp_test_rpc world;
	struct kp_rpc_channel *channel;
	struct kp_error err;
};

static void
set_up(struct pair *pair)
{
	kp_test_rpc_init(&pair->world);
	kp_test_rpc_start(&pair->world);
	pair->channel = kp_test_rpc_channel(&pair->world);
	cr_assert(kp_rpc_channel_connect(
	    pair->channel, kp_test_in(KP_TEST_PATIENCE_MS), &pair->err));
}

static void
tear_down(struct pair *pair)
{
	kp_rpc_channel_free(pair->channel);
	kp_test_rpc_fini(&pair->world);
	cr_assert_eq(atomic_load(&pair->world.num_opened),
	    atomic_load(&pair->world.num_closed));
}

/* False if the stream has ended; reading says how. */
static bool
say(struct kp_rpc_stream *stream, struct pair *pair)
{
	char text[] = "hello";
	Kp__Test__Request request;

	kp__test__request__init(&request);
	request.text = text;
	if (kp_rpc_stream_write(stream, &request.base,
		kp_test_in(KP_TEST_PATIENCE_MS), &pair->err))
		return true;
	cr_assert_eq(pair->err.kind, KP_ERR_CLOSED, "%s", pair->err.text);
	return false;
}

/* False if it has ended instead. */
static bool
hear(struct kp_rpc_stream *stream, uint64_t number)
{
	Kp__Test__Answer *answer;
	ProtobufCMessage *message;
	enum kp_rpc_read result = kp_rpc_stream_read(
	    stream, &message, kp_test_in(KP_TEST_PATIENCE_MS));

	cr_assert_neq(result, KP_RPC_READ_NOTHING);
	if (result == KP_RPC_READ_END)
		return false;
	answer = (Kp__Test__Answer *)message;
	cr_assert_eq(answer->number, number);
	cr_assert_str_eq(answer->text, "hello");
	kp_unpacked_free(message);
	return true;
}

/* A whole conversation; false if it ended for want of memory. */
static bool
chat(struct pair *pair)
{
	struct kp_rpc_stream *stream =
	    kp_rpc_stream_new(pair->channel, &kp_test_chat, KP_NEVER);
	const struct kp_rpc_status *status;
	uint64_t num_heard = 0;
	bool is_ok;

	for (int i = 0; i < NUM_MESSAGES && say(stream, pair); i++)
		continue;
	cr_assert(kp_rpc_stream_half_close(
		      stream, kp_test_in(KP_TEST_PATIENCE_MS), &pair->err) ||
		  pair->err.kind == KP_ERR_CLOSED);
	while (hear(stream, num_heard))
		num_heard++;
	status = kp_rpc_stream_status(stream);
	is_ok = status->code == KP_RPC_OK;
	if (is_ok)
		cr_assert_eq(num_heard, NUM_MESSAGES);
	else
		cr_assert(status->code == KP_RPC_RESOURCE_EXHAUSTED &&
			      strstr(status->sentence, "no memory") != NULL,
		    "%s: %s", kp_rpc_code_name(status->code), status->sentence);
	kp_rpc_stream_free(stream);
	/* nothing of it is read any more: that would be counted, too */
	cr_assert(kp_test_reaches(
	    &pair->world.num_closed, atomic_load(&pair->world.num_opened)));
	return is_ok;
}

Test(rpc_faults, a_stream_says_all_or_ends_for_want_of_memory)
{
	struct pair pair = { .channel = NULL };
	unsigned n = 0, num_ended = 0, left = 0;

	set_up(&pair);
	while (left == 0) {
		bool is_ok;

		cr_assert(++n < MANY);
		kp_alloc_fail_after(n);
		is_ok = chat(&pair);
		left = kp_alloc_fail_after(0);
		cr_assert(is_ok || left == 0);
		num_ended += !is_ok;
		cr_assert(chat(&pair));
	}
	cr_assert(
	    n > 4 * NUM_MESSAGES && num_ended == n - 1, "%u, %u", n, num_ended);
	tear_down(&pair);
}

/* Details may be missing for want of memory; code and sentence may not. */
Test(rpc_faults, a_status_is_told_though_its_details_are_not)
{
	char text[] = "port 1 is taken", field[] = "spec.port";
	struct pair pair = { .channel = NULL };
	Kp__Test__Request request;
	unsigned n = 0, num_without = 0, left = 0;

	set_up(&pair);
	kp__test__request__init(&request);
	request.text = text;
	request.code = KP_RPC_FAILED_PRECONDITION;
	request.reason = field;
	while (left == 0) {
		struct kp_rpc_result result;
		size_t num;

		cr_assert(++n < MANY);
		kp_alloc_fail_after(n);
		cr_assert(
		    !kp_rpc_channel_call(pair.channel, &kp_test_echo, &result,
			&request.base, kp_test_in(KP_TEST_PATIENCE_MS), NULL));
		num = kp_rpc_status_num_details(&result.status);
		left = kp_alloc_fail_after(0);
		if (result.status.code == KP_RPC_FAILED_PRECONDITION)
			cr_assert_str_eq(result.status.sentence, text);
		else
			cr_assert(
			    strstr(result.status.sentence, "no memory") != NULL,
			    "%u: %s", n, result.status.sentence);
		num_without += num == 0;
		cr_assert(left == 0 || num == 1);
		kp_rpc_result_fini(&result);
	}
	cr_assert(n > 5 && num_without > 3, "%u, %u", n, num_without);
	tear_down(&pair);
}
