/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes one text another, as `diff -u` shows it. The number of changes is
 * the least possible (Myers 1986) up to a bound; beyond it the whole part that
 * differs is shown as replaced. @thread any
 */
#ifndef KP_CLI_DIFF_H
#define KP_CLI_DIFF_H

#include <stdbool.h>

#include "base/bytes.h"

/* Changed lines up to which the shortest way is looked for. */
#define KP_DIFF_MAX_CHANGES 1000

struct kp_diff_side {
	const char *name;
	struct kp_bytes text;
};

/*
 * kp_diff_print adds a unified diff with three lines of context to out; nothing
 * if both are the same, which is returned. For a terminal it has colours, and
 * control characters are escaped.
 */
bool kp_diff_print(struct kp_buf *out, const struct kp_diff_side *before,
    const struct kp_diff_side *after, bool is_terminal);

#endif
