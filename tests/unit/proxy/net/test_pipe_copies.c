/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>

#include "proxy/net/pipe.h"
#include "tests/support/calls.h"

#define MIB ((size_t)1024 * 1024)

Test(pipe_copies, after_a_refusal_they_are_asked_for_again_later)
{
	struct kp_pool *pool = kp_pool_new(100 * MIB);
	struct kp_share share = { .pool = pool, .limit_len = UINT64_MAX };
	struct kp_pipes *pipes = kp_pipes_new(1);
	struct kp_test_calls calls = { .now_ns = 1000000000,
		.fault = {
		    .calls = 1u << KP_CALL_PIPE, .nth = 2, .reason = ENFILE } };
	struct kp_pipe *pipe;

	kp_test_calls_begin(&calls);
	cr_assert_null(kp_pipes_get(pipes, &share, true));
	calls.now_ns += ((int64_t)KP_PIPE_RETRY_MS - 1) * 1000000;
	cr_assert_null(kp_pipes_get(pipes, &share, true));
	cr_assert_eq(calls.num_calls, 2, "nobody was asked meanwhile");
	calls.now_ns += 1000000;
	pipe = kp_pipes_get(pipes, &share, true);
	cr_assert_not_null(pipe);
	kp_pipes_put(pipes, &share, &pipe);
	kp_test_calls_end();
	cr_assert_eq(kp_pool_in_use(pool), 0);
	kp_pipes_free(pipes);
	kp_pool_free(pool);
}
