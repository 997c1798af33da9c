/* SPDX-License-Identifier: Apache-2.0 */
/* Help on the terminal, made from the table of commands. @thread main */
#ifndef KP_CLI_HELP_H
#define KP_CLI_HELP_H

#include "base/bytes.h"
#include "cli/command.h"

/*
 * kp_help_print adds what there is to say about the command at the end of path,
 * which begins with the program.
 */
void kp_help_print(
    struct kp_buf *out, const struct kp_command *const *path, size_t depth);

/* kp_help_title adds the names of path: "kpctl config view". */
void kp_help_title(
    struct kp_buf *out, const struct kp_command *const *path, size_t depth);

/* kp_help_usage adds the line that shows how it is called. */
void kp_help_usage(
    struct kp_buf *out, const struct kp_command *const *path, size_t depth);

/* kp_help_flag adds a flag as one says it: "-f, --filename FILE". */
void kp_help_flag(struct kp_buf *out, const struct kp_flag *flag);

/* kp_help_flag_text adds what it is for, with its words and its fallback. */
void kp_help_flag_text(struct kp_buf *out, const struct kp_flag *flag);

#endif
