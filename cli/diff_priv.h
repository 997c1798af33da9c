/* SPDX-License-Identifier: Apache-2.0 */
/* Between diff.c, which shows changes, and diff_lines.c, which finds them. */
#ifndef KP_CLI_DIFF_PRIV_H
#define KP_CLI_DIFF_PRIV_H

#include "cli/diff.h"

/* A text in lines, each with its end if it has one. */
struct kp_diff_lines {
	struct kp_bytes *list;
	bool *is_changed; /* removed from the one, added to the other */
	size_t num;
};

void kp_diff_lines_init(struct kp_diff_lines *out, struct kp_bytes text);
void kp_diff_lines_fini(struct kp_diff_lines *lines);

/* kp_diff_mark fills is_changed of both. */
void kp_diff_mark(struct kp_diff_lines *before, struct kp_diff_lines *after);

#endif
