/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "proto/control/unpack.h"
#include "tests/support/rpc_world.h"

struct pair {
	struct kp_test_rpc world;
	struct kp_rpc_channel *channel;
	struct kp_rpc_result result;
};

static void
pair_start(struct pair *pair)
{
	kp_test_rpc_start(&pair->world);
	pair->channel = kp_test_rpc_channel(&pair->world);
}

static void
pair_fini(struct pair *pair)
{
	kp_rpc_channel_free(pair->channel);
	kp_test_rpc_fini(&pair->world);
}

static void
expect_code(struct pair *pair, enum kp_rpc_code code)
{
	cr_assert_eq(pair->result.status.code, code);
	cr_assert_null(pair->result.answer);
	cr_assert(pair->result.status.sentence[0] != '\0');
	kp_rpc_result_fini(&pair->result);
}

static void
expect_echo(struct pair *pair, const char *text)
{
	cr_assert(
	    kp_test_rpc_ask(pair->channel, &kp_test_echo, &pair->result, text));
	cr_assert_str_eq(((Kp__Test__Answer *)pair->result.answer)->text, text);
	kp_rpc_result_fini(&pair->result);
}

Test(rpc_unary, answer_comes_and_the_caller_is_known)
{
	struct pair p = { .channel = NULL };
	Kp__Test__Answer *answer;

	kp_test_rpc_init(&p.world);
	pair_start(&p);
	cr_assert(
	    kp_test_rpc_ask(p.channel, &kp_test_echo, &p.result, "hello"));
	answer = (Kp__Test__Answer *)p.result.answer;
	cr_assert_str_eq(answer->text, "hello");
	cr_assert_str_eq(answer->common_name, "agent-1");
	cr_assert_eq(answer->n_names, 2);
	cr_assert_str_eq(answer->names[0], "DNS:a.example");
	cr_assert_str_eq(answer->names[1], "URI:spiffe://kp/agent-1");
	kp_rpc_result_fini(&p.result);
	pair_fini(&p);
}

Test(rpc_unary, status_has_sentence_and_details)
{
	struct pair p = { .channel = NULL };
	Kp__Test__Request request;
	Kp__Test__Reason *reason;
	struct kp_error err = { 0 };
	char text[] = "port 1 is taken", field[] = "spec.port";

	kp_test_rpc_init(&p.world);
	pair_start(&p);
	kp__test__request__init(&request);
	request.text = text;
	request.code = KP_RPC_FAILED_PRECONDITION;
	request.reason = field;
	cr_assert(!kp_rpc_channel_call(p.channel, &kp_test_echo, &p.result,
	    &request.base, kp_test_in(KP_TEST_PATIENCE_MS), NULL));
	cr_assert_eq(p.result.status.code, KP_RPC_FAILED_PRECONDITION);
	cr_assert_str_eq(p.result.status.sentence, text);
	cr_assert_eq(kp_rpc_status_num_details(&p.result.status), 1);
	reason = (Kp__Test__Reason *)kp_rpc_status_detail(
	    &p.result.status, &kp__test__reason__descriptor, 0);
	cr_assert_not_null(reason);
	cr_assert_str_eq(reason->field, field);
	cr_assert_eq(reason->line, 7);
	kp_unpacked_free(&reason->base);
	cr_assert(!kp_rpc_status_error(&p.result.status, &err));
	cr_assert_eq(err.kind, KP_ERR_CONFIG);
	cr_assert_str_eq(err.text, "FAILED_PRECONDITION: port 1 is taken");
	kp_rpc_result_fini(&p.result);
	pair_fini(&p);
}

Test(rpc_unary, unknown_method_is_unimplemented_at_once)
{
	struct pair p = { .channel = NULL };
	int64_t start_ms;

	kp_test_rpc_init(&p.world);
	pair_start(&p);
	expect_echo(&p, "connected");
	start_ms = kp_now_ms();
	for (int i = 0; i < 3; i++) { /* it is armed again each time */
		cr_assert(!kp_test_rpc_ask(
		    p.channel, &kp_test_unknown, &p.result, ""));
		expect_code(&p, KP_RPC_UNIMPLEMENTED);
	}
	/* it would have been tried again until then */
	cr_assert(kp_now_ms() - start_ms < KP_TEST_PATIENCE_MS / 2);
	pair_fini(&p);
}

Test(rpc_unary, too_long_requests_and_answers_are_refused)
{
	struct pair p = { .channel = NULL };
	struct kp_rpc_method lax = kp_test_short;
	char *text = kp_alloc(1, 2 * KP_TEST_MAX_MESSAGE);
	Kp__Test__Request request;

	kp_test_rpc_init(&p.world);
	pair_start(&p);
	(void)memset(text, 'x', KP_TEST_SHORT_MESSAGE);
	/* by the client itself */
	cr_assert(!kp_test_rpc_ask(p.channel, &kp_test_short, &p.result, text));
	expect_code(&p, KP_RPC_RESOURCE_EXHAUSTED);
	/* by the method's own limit, then by that of the whole server */
	lax.max_request_len = lax.max_response_len = 4 * KP_TEST_MAX_MESSAGE;
	cr_assert(!kp_test_rpc_ask(p.channel, &lax, &p.result, text));
	expect_code(&p, KP_RPC_RESOURCE_EXHAUSTED);
	(void)memset(text, 'x', 2 * KP_TEST_MAX_MESSAGE - 1);
	cr_assert(!kp_test_rpc_ask(p.channel, &lax, &p.result, text));
	expect_code(&p, KP_RPC_RESOURCE_EXHAUSTED);
	/* an answer, by the server and by the client */
	kp__test__request__init(&request);
	request.answer_len = KP_TEST_SHORT_MESSAGE + 1;
	cr_assert(!kp_rpc_channel_call(p.channel, &lax, &p.result,
	    &request.base, kp_test_in(KP_TEST_PATIENCE_MS), NULL));
	expect_code(&p, KP_RPC_RESOURCE_EXHAUSTED);
	lax = kp_test_echo;
	lax.max_response_len = KP_TEST_SHORT_MESSAGE;
	cr_assert(!kp_rpc_channel_call(p.channel, &lax, &p.result,
	    &request.base, kp_test_in(KP_TEST_PATIENCE_MS), NULL));
	expect_code(&p, KP_RPC_RESOURCE_EXHAUSTED);
	expect_echo(&p, "still alive");
	free(text);
	pair_fini(&p);
}

/* On whichever side, and never as if the other one had sent nonsense. */
Test(rpc_unary, a_call_without_memory_is_answered_or_says_so)
{
	struct pair p = { .channel = NULL };
	bool is_ok = false;
	unsigned n = 0;

	kp_test_rpc_init(&p.world);
	pair_start(&p);
	expect_echo(&p, "connected");
	while (!is_ok) {
		cr_assert(++n < 1000);
		kp_alloc_fail_after(n);
		is_ok = kp_test_rpc_ask(
		    p.channel, &kp_test_echo, &p.result, "hello");
		kp_alloc_fail_after(0);
		if (is_ok)
			break;
		cr_assert_not_null(
		    strstr(p.result.status.sentence, "no memory"), "%u: %s", n,
		    p.result.status.sentence);
		expect_code(&p, KP_RPC_RESOURCE_EXHAUSTED);
		expect_echo(&p, "the next one");
	}
	cr_assert(n > 3);
	kp_rpc_result_fini(&p.result);
	pair_fini(&p);
}

Test(rpc_unary, deadline_ends_the_call_on_both_sides)
{
	struct pair p = { .channel = NULL };
	Kp__Test__Request request;
	struct kp_error err = { 0 };

	kp_test_rpc_init(&p.world);
	pair_start(&p);
	cr_assert(kp_rpc_channel_connect(
	    p.channel, kp_test_in(KP_TEST_PATIENCE_MS), &err));
	kp__test__request__init(&request);
	do { /* one may end before the server has heard of it */
		cr_assert(!kp_rpc_channel_call(p.channel, &kp_test_wait,
		    &p.result, &request.base, kp_test_in(100), NULL));
		expect_code(&p, KP_RPC_DEADLINE_EXCEEDED);
	} while (atomic_load(&p.world.num_waiting) == 0);
	cr_assert(kp_test_reaches(&p.world.num_given_up, 1));
	pair_fini(&p);
}

Test(rpc_unary, server_has_a_deadline_when_the_client_has_none)
{
	struct pair p = { .channel = NULL };
	Kp__Test__Request request;

	kp_test_rpc_init(&p.world);
	pair_start(&p);
	kp__test__request__init(&request);
	do { /* one may end before a thread has time for it */
		cr_assert(!kp_rpc_channel_call(p.channel, &kp_test_hasty,
		    &p.result, &request.base, KP_NEVER, NULL));
		expect_code(&p, KP_RPC_DEADLINE_EXCEEDED);
	} while (atomic_load(&p.world.num_waiting) == 0);
	cr_assert(kp_test_reaches(&p.world.num_given_up, 1));
	pair_fini(&p);
}

struct caller {
	pthread_t thread;
	struct pair *pair;
	struct kp_rpc_result result;
	struct kp_rpc_cancel *cancel;
	bool is_ok;
};

static void *
call_wait(void *arg)
{
	struct caller *caller = arg;
	Kp__Test__Request request;

	kp__test__request__init(&request);
	caller->is_ok = kp_rpc_channel_call(caller->pair->channel,
	    &kp_test_wait, &caller->result, &request.base, kp_test_in(30000),
	    caller->cancel);
	return NULL;
}

static void
caller_start(struct caller *caller, struct pair *pair)
{
	caller->pair = pair;
	kp_must(pthread_create(&caller->thread, NULL, call_wait, caller));
}

static void
caller_join(struct caller *caller)
{
	kp_must(pthread_join(caller->thread, NULL));
	kp_rpc_result_fini(&caller->result);
}

Test(rpc_unary, cancel_ends_the_call_on_both_sides)
{
	struct pair p = { .channel = NULL };
	struct caller caller = { .cancel = kp_rpc_cancel_new() };

	kp_test_rpc_init(&p.world);
	pair_start(&p);
	caller_start(&caller, &p);
	cr_assert(kp_test_reaches(&p.world.num_waiting, 1));
	kp_rpc_cancel(caller.cancel);
	kp_must(pthread_join(caller.thread, NULL));
	cr_assert(!caller.is_ok);
	cr_assert_eq(caller.result.status.code, KP_RPC_CANCELLED);
	kp_rpc_result_fini(&caller.result);
	cr_assert(kp_test_reaches(&p.world.num_given_up, 1));
	/* cancelled before it begins */
	(void)call_wait(&caller);
	cr_assert_eq(caller.result.status.code, KP_RPC_CANCELLED);
	kp_rpc_result_fini(&caller.result);
	kp_rpc_cancel_free(caller.cancel);
	pair_fini(&p);
}

#define NUM_PARALLEL 64

Test(rpc_unary, many_calls_are_served_at_the_same_time)
{
	struct pair p = { .channel = NULL };
	static struct caller callers[NUM_PARALLEL];

	kp_test_rpc_init(&p.world);
	p.world.config.limits.threads = NUM_PARALLEL;
	pair_start(&p);
	for (int i = 0; i < NUM_PARALLEL; i++)
		caller_start(&callers[i], &p);
	cr_assert(kp_test_reaches(&p.world.num_waiting, NUM_PARALLEL));
	atomic_store(&p.world.is_gate_open, true);
	for (int i = 0; i < NUM_PARALLEL; i++) {
		caller_join(&callers[i]);
		cr_assert(callers[i].is_ok);
	}
	pair_fini(&p);
}

Test(rpc_unary, handlers_that_block_do_not_stop_others_until_none_is_left)
{
	struct pair p = { .channel = NULL };
	struct caller callers[3] = { { .is_ok = false } };

	kp_test_rpc_init(&p.world);
	p.world.config.limits.threads = 2;
	pair_start(&p);
	caller_start(&callers[0], &p);
	cr_assert(kp_test_reaches(&p.world.num_waiting, 1));
	expect_echo(&p, "by the other thread");
	caller_start(&callers[1], &p);
	cr_assert(kp_test_reaches(&p.world.num_waiting, 2));
	caller_start(&callers[2], &p); /* waits for a thread */
	atomic_store(&p.world.is_gate_open, true);
	for (int i = 0; i < 3; i++) {
		caller_join(&callers[i]);
		cr_assert(callers[i].is_ok);
	}
	pair_fini(&p);
}

Test(rpc_unary, calls_beyond_the_limit_are_refused)
{
	struct pair p = { .channel = NULL };
	struct caller caller = { .is_ok = false };

	kp_test_rpc_init(&p.world);
	p.world.config.limits.calls = 1;
	pair_start(&p);
	caller_start(&caller, &p);
	cr_assert(kp_test_reaches(&p.world.num_waiting, 1));
	cr_assert(!kp_test_rpc_ask(p.channel, &kp_test_echo, &p.result, ""));
	expect_code(&p, KP_RPC_RESOURCE_EXHAUSTED);
	atomic_store(&p.world.is_gate_open, true);
	caller_join(&caller);
	cr_assert(caller.is_ok);
	pair_fini(&p);
}

Test(rpc_unary, call_in_progress_is_answered_while_the_server_stops)
{
	struct pair p = { .channel = NULL };
	struct caller caller = { .is_ok = false };

	kp_test_rpc_init(&p.world);
	pair_start(&p);
	caller_start(&caller, &p);
	cr_assert(kp_test_reaches(&p.world.num_waiting, 1));
	atomic_store(&p.world.is_gate_open, true);
	kp_test_rpc_stop(&p.world, 10000);
	caller_join(&caller);
	cr_assert(caller.is_ok);
	cr_assert(!kp_test_rpc_ask(p.channel, &kp_test_echo, &p.result, ""));
	expect_code(&p, KP_RPC_UNAVAILABLE);
	pair_fini(&p);
}

Test(rpc_unary, call_that_outlasts_the_grace_is_cut_off)
{
	struct pair p = { .channel = NULL };
	struct caller caller = { .is_ok = false };

	kp_test_rpc_init(&p.world);
	pair_start(&p);
	caller_start(&caller, &p);
	cr_assert(kp_test_reaches(&p.world.num_waiting, 1));
	kp_test_rpc_stop(&p.world, 50);
	cr_assert_eq(atomic_load(&p.world.num_given_up), 1);
	caller_join(&caller);
	cr_assert(!caller.is_ok);
	pair_fini(&p);
}

Test(rpc_unary, metadata_from_elsewhere_is_looked_at_first)
{
	static char longest[KP_RPC_MAX_METADATA_LEN + 2];
	const struct {
		struct kp_rpc_metadata metadata;
		enum kp_error_kind kind;
	} cases[] = {
		{ { "token", "abc.1" }, KP_ERR_NONE },
		{ { "token", "" }, KP_ERR_NONE },
		{ { "token", "a\nb" }, KP_ERR_PROTOCOL },
		{ { "token", "\xff" }, KP_ERR_PROTOCOL },
		{ { "To ken", "a" }, KP_ERR_PROTOCOL },
		{ { "", "a" }, KP_ERR_PROTOCOL },
		{ { "token", longest }, KP_ERR_LIMIT },
	};

	(void)memset(longest, 'a', sizeof(longest) - 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_error err = { .kind = KP_ERR_NONE };

		cr_assert_eq(kp_rpc_metadata_check(&cases[i].metadata, &err),
		    cases[i].kind == KP_ERR_NONE, "case %zu", i);
		cr_assert_eq(err.kind, cases[i].kind, "case %zu", i);
	}
}

Test(rpc_unary, metadata_goes_along)
{
	const struct kp_rpc_metadata metadata[] = { { "token", "abc" },
		{ "hasleader", "true" } };
	const struct kp_rpc_options options = {
		.deadline_ms = kp_test_in(KP_TEST_PATIENCE_MS),
		.metadata = metadata,
		.num_metadata = 2,
	};
	struct pair pair;
	Kp__Test__Request request;

	kp_test_rpc_init(&pair.world);
	pair_start(&pair);
	kp__test__request__init(&request);
	request.text = (char *)(uintptr_t) "hello";
	cr_assert(kp_rpc_channel_call_with(pair.channel, &kp_test_echo,
	    &pair.result, &request.base, &options));
	kp_rpc_result_fini(&pair.result);
	pair_fini(&pair);
}
