/* SPDX-License-Identifier: Apache-2.0 */
/* Flags and examples of the commands that talk to a server, for commands.c. */
#ifndef KP_CLI_COMMANDS_SERVER_H
#define KP_CLI_COMMANDS_SERVER_H

#include "cli/command.h"

extern const struct kp_flag kp_apply_flags[], kp_diff_flags[], kp_get_flags[],
    kp_describe_flags[], kp_edit_flags[], kp_delete_flags[], kp_history_flags[],
    kp_rollback_flags[], kp_status_flags[], kp_cordon_flags[],
    kp_uncordon_flags[], kp_trace_flags[];
extern const struct kp_example kp_apply_examples[], kp_diff_examples[],
    kp_get_examples[], kp_describe_examples[], kp_edit_examples[],
    kp_delete_examples[], kp_history_examples[], kp_rollback_examples[],
    kp_status_examples[], kp_cordon_examples[], kp_trace_examples[];

#endif
