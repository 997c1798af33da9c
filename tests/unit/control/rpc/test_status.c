/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "control/rpc/backoff.h"
#include "control/rpc/status.h"
#include "proto/control/unpack.h"
#include "tests/support/rpc_test.pb-c.h"

static bool
add(struct kp_rpc_status *status, size_t field_len, uint32_t line)
{
	Kp__Test__Reason reason;
	char *field = kp_alloc(1, field_len + 1);
	bool is_added;

	(void)memset(field, 'x', field_len);
	kp__test__reason__init(&reason);
	reason.field = field;
	reason.line = line;
	is_added = kp_rpc_status_add(status, &reason.base);
	free(field);
	return is_added;
}

/* The line of the index-th reason, 0 if there is none. */
static uint32_t
line_of(const struct kp_rpc_status *status, size_t index)
{
	Kp__Test__Reason *reason = (Kp__Test__Reason *)kp_rpc_status_detail(
	    status, &kp__test__reason__descriptor, index);
	uint32_t line = reason == NULL ? 0 : reason->line;

	if (reason != NULL)
		kp_unpacked_free(&reason->base);
	return line;
}

Test(rpc_status, details_are_found_by_kind_and_index)
{
	struct kp_rpc_status status = { .code = KP_RPC_OK }, copy;
	Kp__Test__Answer other;

	kp__test__answer__init(&other);
	kp_rpc_status_set(&status, KP_RPC_ABORTED, "%d problems", 2);
	cr_assert(add(&status, 3, 11));
	cr_assert(kp_rpc_status_add(&status, &other.base)); /* empty */
	cr_assert(add(&status, 3, 22));
	kp_rpc_status_copy(&copy, &status);
	kp_rpc_status_fini(&status);
	cr_assert_eq(status.code, KP_RPC_OK);
	cr_assert_eq(kp_rpc_status_num_details(&copy), 3);
	cr_assert_eq(line_of(&copy, 0), 11);
	cr_assert_eq(line_of(&copy, 1), 22);
	cr_assert_eq(line_of(&copy, 2), 0);
	cr_assert_str_eq(copy.sentence, "2 problems");
	kp_rpc_status_set(&copy, KP_RPC_ABORTED, "nothing is left");
	cr_assert_eq(kp_rpc_status_num_details(&copy), 0);
	kp_rpc_status_fini(&copy);
}

Test(rpc_status, detail_that_does_not_fit_is_left_out_whole)
{
	struct kp_rpc_status status = { .code = KP_RPC_ABORTED };

	cr_assert(!add(&status, KP_RPC_MAX_DETAILS_LEN, 1));
	cr_assert(add(&status, KP_RPC_MAX_DETAILS_LEN / 2, 2));
	cr_assert(!add(&status, KP_RPC_MAX_DETAILS_LEN / 2, 3));
	cr_assert(add(&status, 10, 4));
	cr_assert_eq(kp_rpc_status_num_details(&status), 2);
	cr_assert_eq(line_of(&status, 0), 2);
	cr_assert_eq(line_of(&status, 1), 4);
	kp_rpc_status_fini(&status);
}

Test(rpc_status, details_of_a_peer_may_be_anything)
{
	struct kp_rpc_status status = { .code = KP_RPC_ABORTED };

	kp_buf_init(&status.details, 100);
	kp_buf_add_text(&status.details, "\x1a\x7fno details");
	cr_assert_eq(kp_rpc_status_num_details(&status), 0);
	cr_assert_eq(line_of(&status, 0), 0);
	kp_buf_clear(&status.details); /* a detail without any field */
	kp_buf_add(&status.details, "\x1a\x00", 2);
	cr_assert_eq(kp_rpc_status_num_details(&status), 1);
	cr_assert_eq(line_of(&status, 0), 0);
	kp_rpc_status_fini(&status);
}

Test(rpc_status, codes_have_names_and_kinds)
{
	struct kp_rpc_status status = { .code = KP_RPC_OK };
	struct kp_error err = { 0 };

	cr_assert(kp_rpc_status_error(&status, &err));
	cr_assert_eq(err.kind, KP_ERR_NONE);
	for (int code = 1; code <= 99; code++) {
		kp_rpc_status_set(&status, (enum kp_rpc_code)code, "why");
		cr_assert(!kp_rpc_status_error(&status, &err));
		cr_assert_neq(err.kind, KP_ERR_NONE);
		cr_assert(kp_rpc_code_name(status.code)[0] != '\0');
	}
	cr_assert_str_eq(kp_rpc_code_name((enum kp_rpc_code)99), "UNKNOWN");
	cr_assert_str_eq(err.text, "UNKNOWN: why");
}

Test(rpc_status, backoff_doubles_up_to_a_maximum_and_is_spread)
{
	struct kp_rpc_backoff b = { .first_ms = 100, .max_ms = 1000 };
	const int64_t whole[] = { 100, 200, 400, 800, 1000, 1000 };
	bool is_spread = false;
	int64_t first;

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		int64_t ms = kp_rpc_backoff_next(&b);

		cr_assert(ms >= whole[i] / 2 && ms <= whole[i]);
	}
	first = kp_rpc_backoff_next(&b);
	for (int i = 0; i < 100; i++)
		is_spread |= kp_rpc_backoff_next(&b) != first;
	cr_assert(is_spread);
	kp_rpc_backoff_reset(&b);
	cr_assert(kp_rpc_backoff_next(&b) <= 100);
}
