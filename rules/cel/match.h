/* SPDX-License-Identifier: Apache-2.0 */
/*
 * matches(): regular expressions (rules/regex/regex.h). A pattern that stands
 * in the expression is compiled with it, others when they are met. @thread any
 */
#ifndef KP_RULES_CEL_MATCH_H
#define KP_RULES_CEL_MATCH_H

#include "rules/cel/eval_priv.h"

/* The patterns of a program; each is one node's. */
struct kp_cel_pattern {
	struct kp_regex *regex;
	struct kp_cel_pattern *next;
};

/*
 * kp_cel_pattern_add compiles the pattern of call, if it is a call of matches()
 * with one that is known; what is made lives in arena and until
 * kp_cel_patterns_free. False and *fault if it is none.
 */
bool kp_cel_pattern_add(struct kp_cel_pattern **patterns,
    struct kp_cel_node *call, struct kp_arena *arena,
    struct kp_cel_fault *fault) KP_MUST_CHECK;
void kp_cel_patterns_free(struct kp_cel_pattern *patterns);

#endif
