/* SPDX-License-Identifier: Apache-2.0 */
/* The resources of input as tables, in the way of a node. */
#include "cli/input.h"

/*
 * Keys and certificates are on the nodes, not with the operator: something of
 * every kind that the compiler looks for stands in for them.
 */
static bool
read_nothing(void *ctx, const struct kp_secret_ref *ref, struct kp_buf *out,
    struct kp_error *err)
{
	(void)ctx;
	(void)ref;
	(void)err;
	kp_buf_add_text(out, "-----BEGIN CERTIFICATE-----\n"
			     "-----BEGIN PRIVATE KEY-----\n");
	return true;
}

struct kp_tables *
kp_input_compile(struct kp_input *input)
{
	struct kp_limits limits;
	const struct kp_compile_input what = {
		.resources = input->resources,
		.limits = &limits,
		.log_level = KP_LOG_INFO,
		.read_secret = read_nothing,
	};

	if (!kp_resources_check(input->resources, &input->diagnostics))
		return NULL;
	kp_limits_default(&limits);
	return kp_compile(&what, &input->diagnostics);
}
