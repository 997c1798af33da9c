/* SPDX-License-Identifier: Apache-2.0 */
/* kpctl explain: what the tables say. */
#include "cli/complete.h"
#include "cli/output.h"
#include "cli/run.h"
#include "rules/explain.h"

enum kp_exit
kp_run_explain(const struct kp_args *args)
{
	const char *path = args->num_operands > 0 ? args->operands[0] : "";
	struct kp_error err;
	struct kp_buf out;
	bool is_known;

	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	is_known = kp_args_is(args, "recursive")
		       ? kp_explain_tree(&out, path, &err)
		       : kp_explain(&out, path, &err);
	kp_output_write(&out);
	if (is_known)
		return KP_EXIT_OK;
	kp_output_problem("%s", err.text);
	return KP_EXIT_FAILED;
}

static void
add_name(void *ctx, const char *path, const char *help, bool has_fields)
{
	struct kp_candidates *out = ctx;

	if (kp_candidates_add(out, path, help) && has_fields)
		out->is_to_go_on = true;
}

void
kp_complete_explain(
    struct kp_candidates *out, const struct kp_args *args, const char *begun)
{
	if (args->num_operands == 0)
		kp_explain_names(begun, add_name, out);
}
