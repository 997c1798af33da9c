/* SPDX-License-Identifier: Apache-2.0 */
/* kpctl help */
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/run.h"

enum kp_exit
kp_run_help(const struct kp_args *args)
{
	struct kp_args named;
	struct kp_error err;
	struct kp_buf out;
	bool is_known = kp_args_parse(
	    &named, &kp_kpctl, args->operands, args->num_operands, &err);

	/* a command without its operands is what is asked about */
	if (!is_known && named.depth != args->num_operands + 1) {
		kp_output_problem("%s\ntry: kpctl help", err.text);
		kp_args_fini(&named);
		return KP_EXIT_USAGE;
	}
	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	kp_help_print(&out, named.path, named.depth);
	kp_output_write(&out);
	kp_args_fini(&named);
	return KP_EXIT_OK;
}

void
kp_complete_help(
    struct kp_candidates *out, const struct kp_args *args, const char *begun)
{
	const struct kp_command *group = &kp_kpctl;

	(void)begun;
	for (size_t i = 0; i < args->num_operands && group != NULL; i++)
		group = kp_command_find(group, args->operands[i]);
	if (group == NULL || group->commands == NULL)
		return;
	for (group = group->commands; group->name != NULL; group++) {
		if (!group->is_hidden)
			(void)kp_candidates_add(
			    out, group->name, group->summary);
	}
}
