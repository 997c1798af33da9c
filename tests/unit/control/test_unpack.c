/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto/control/unpack.h"
#include "tests/support/rpc_test.pb-c.h"

/* A request with some of everything. */
static struct kp_buf
sample(void)
{
	Kp__Test__Request request;
	Kp__Test__Leaf leaf, *leaves[] = { &leaf, &leaf };
	char text[] = "some text", reason[] = "because";
	struct kp_buf packed;

	kp__test__leaf__init(&leaf);
	kp__test__request__init(&request);
	request.text = text;
	request.code = 7;
	request.reason = reason;
	request.leaves = leaves;
	request.n_leaves = 2;
	kp_buf_init(&packed, 1000);
	(void)kp__test__request__pack(
	    &request, kp_buf_extend(&packed,
			  kp__test__request__get_packed_size(&request)));
	return packed;
}

static ProtobufCMessage *
unpack(const struct kp_buf *packed, size_t max_len, struct kp_error *err)
{
	*err = (struct kp_error){ 0 };
	return kp_unpack(
	    &kp__test__request__descriptor, kp_buf_bytes(packed), max_len, err);
}

Test(unpack, message_is_read)
{
	struct kp_buf packed = sample();
	struct kp_error err;
	ProtobufCMessage *message = unpack(&packed, 4096, &err);

	cr_assert_not_null(message);
	cr_assert_eq(((Kp__Test__Request *)message)->code, 7);
	cr_assert_eq(((Kp__Test__Request *)message)->n_leaves, 2);
	kp_unpacked_free(message);
	kp_unpacked_free(NULL);
	kp_buf_fini(&packed);
}

/* From nothing to enough, each budget either suffices or is refused whole. */
Test(unpack, budget_is_never_exceeded)
{
	struct kp_buf packed = sample();
	size_t enough = 0;

	for (size_t len = 0; len < 4096; len++) {
		struct kp_error err;
		ProtobufCMessage *message = unpack(&packed, len, &err);

		if (message != NULL && enough == 0)
			enough = len;
		cr_assert((message != NULL) == (enough > 0));
		cr_assert(message != NULL || err.kind == KP_ERR_PROTOCOL);
		kp_unpacked_free(message);
	}
	cr_assert(enough > packed.len);
	kp_buf_fini(&packed);
}

Test(unpack, every_refused_allocation_is_survived)
{
	struct kp_buf packed = sample();
	ProtobufCMessage *message = NULL;
	unsigned num_refused = 0;
	struct kp_error err;

	while (message == NULL) {
		kp_alloc_fail_after(++num_refused);
		message = unpack(&packed, 4096, &err);
		cr_assert(num_refused < 100);
		if (message != NULL)
			break;
		cr_assert_eq(err.kind, KP_ERR_LIMIT);
		cr_assert_not_null(strstr(err.text, "no memory"));
	}
	kp_alloc_fail_after(0);
	cr_assert(num_refused > 3);
	kp_unpacked_free(message);
	kp_buf_fini(&packed);
}

Test(unpack, what_is_no_message_is_told_from_want_of_memory)
{
	struct kp_buf packed = sample();
	struct kp_error err;

	packed.len--;
	cr_assert_null(unpack(&packed, 4096, &err));
	cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
	kp_buf_fini(&packed);
}

Test(unpack, budget_is_given_back)
{
	struct kp_budget budget;
	void *a, *b;

	kp_budget_init(&budget, 100);
	a = kp_budget_alloc(&budget, 60);
	cr_assert_not_null(a);
	cr_assert_null(kp_budget_alloc(&budget, 60));
	budget.allocator.free(budget.allocator.allocator_data, a);
	b = kp_budget_alloc(&budget, 100);
	cr_assert_not_null(b);
	cr_assert_eq(budget.left, 0);
	budget.allocator.free(budget.allocator.allocator_data, b);
}

Test(unpack, messages_that_contain_their_own_kind_are_not_bounded)
{
	cr_assert(kp_is_depth_bounded(&kp__test__request__descriptor));
	cr_assert(!kp_is_depth_bounded(&kp__test__tree__descriptor));
}
