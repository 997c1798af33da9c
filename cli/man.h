/* SPDX-License-Identifier: Apache-2.0 */
/* Manual pages in roff, made from the tables that parse. @thread any */
#ifndef KP_CLI_MAN_H
#define KP_CLI_MAN_H

#include "base/bytes.h"
#include "cli/command.h"

/* kp_man_commands adds the page of a program, section 1. */
void kp_man_commands(struct kp_buf *out, const struct kp_command *program);

/* kp_man_node_config adds kproxy.yaml(5), what node.yaml may say. */
void kp_man_node_config(struct kp_buf *out);

/* kp_man_program adds the page of a program, made of what its --help prints. */
void kp_man_program(
    struct kp_buf *out, const char *name, int section, const char *help);

#endif
