/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "control/api/digest.h"
#include "control/api/methods.h"
#include "control/api/problems.h"
#include "proto/control/unpack.h"

static const struct kp_rpc_method *const methods[] = {
	&kp_api_apply,
	&kp_api_validate,
	&kp_api_get,
	&kp_api_list,
	&kp_api_delete,
	&kp_api_watch,
	&kp_api_history,
	&kp_api_diff,
	&kp_api_rollback,
	&kp_api_sync,
	&kp_api_list_nodes,
	&kp_api_get_node,
	&kp_api_cordon,
	&kp_api_health_check,
	&kp_api_health_watch,
};

Test(api, methods_are_bounded)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		const struct kp_rpc_method *m = methods[i];

		cr_assert(kp_is_depth_bounded(m->request), "%s", m->name);
		cr_assert(kp_is_depth_bounded(m->response), "%s", m->name);
		cr_assert_leq(m->max_request_len, KP_RPC_MAX_MESSAGE);
		cr_assert_leq(m->max_response_len, KP_RPC_MAX_MESSAGE);
		cr_assert((m->timeout_ms == 0) == (m->kind == KP_RPC_STREAM),
		    "%s", m->name);
	}
}

static void
expect_hex(const struct kp_digest *digest, const char *hex)
{
	char text[2 * KP_DIGEST_LEN + 1];

	for (size_t i = 0; i < KP_DIGEST_LEN; i++)
		(void)snprintf(
		    text + 2 * i, 3, "%02x", (unsigned)digest->bytes[i]);
	cr_assert_str_eq(text, hex);
}

/* Made with hashlib of Python, so that others can do it too. */
Test(api, digest_is_as_documented)
{
	struct kp_digest all[2], set;

	kp_digest_resource(&all[0], "Cluster", "a", kp_bytes_of("x: 1\n"));
	kp_digest_resource(&all[1], "Listener", "b", kp_bytes_of(""));
	expect_hex(&all[0],
	    "e23a4b7c1e1ffb20230c485acaa31528b7e64db61d65e144e64558eed342f26c");
	kp_digest_set(&set, all, 2);
	expect_hex(&set,
	    "19b82991d94e57fc24e138516e10cd305c8f4fab06eb6b35c8e6de92cde3b994");
	kp_digest_set(&set, NULL, 0);
	expect_hex(&set,
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void
add_problem(struct kp_diagnostics *diagnostics, unsigned line)
{
	const struct kp_origin at = { "a.yaml", line, 3 };

	kp_diagnostics_add_about(diagnostics, &at, "Cluster \"a\"",
	    "spec.bootstrap", "spec.bootstrap: is missing");
}

Test(api, problems_fit_or_are_counted)
{
	struct kp_diagnostics diagnostics = { .num_lines = 0 };
	struct kp_api_problems problems;

	for (unsigned i = 1; i <= 100; i++)
		add_problem(&diagnostics, i);
	kp_api_problems_init(&problems, &diagnostics, 1000);
	cr_assert_gt(problems.message.n_problems, 5);
	cr_assert_eq(
	    problems.message.n_problems + problems.message.left_out, 100);
	cr_assert_leq(
	    kproxy__control__v1__problems__get_packed_size(&problems.message),
	    1000);
	cr_assert_str_eq(problems.message.problems[0]->kind, "Cluster");
	cr_assert_str_eq(problems.message.problems[0]->field, "spec.bootstrap");
	cr_assert_eq(problems.message.problems[4]->line, 5);
	kp_api_problems_fini(&problems);

	kp_api_problems_init(&problems, &diagnostics, 100000);
	cr_assert_eq(problems.message.n_problems, 100);
	cr_assert_eq(problems.message.left_out, 0);
	kp_api_problems_fini(&problems);
	kp_diagnostics_fini(&diagnostics);
}
