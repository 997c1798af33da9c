/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do the parts of an expression fit together? Asked when it is made, so that
 * what cannot be evaluated is refused where somebody sees it. @thread any
 */
#ifndef KP_RULES_CEL_CHECK_H
#define KP_RULES_CEL_CHECK_H

#include "rules/cel/program.h"
#include "rules/cel/syntax.h"

/*
 * kp_cel_check takes a tree whose names are resolved against env, which has
 * types. *out_type is the text of its type, in arena. False and *fault if it
 * does not fit, or at a limit.
 */
bool kp_cel_check(const struct kp_cel_node *tree, const struct kp_cel_env *env,
    struct kp_arena *arena, const char **out_type,
    struct kp_cel_fault *fault) KP_MUST_CHECK;

#endif
