/* SPDX-License-Identifier: Apache-2.0 */
/* One check of an expression, as its parts see it. */
#ifndef KP_RULES_CEL_CHECK_PRIV_H
#define KP_RULES_CEL_CHECK_PRIV_H

#include "rules/cel/check.h"
#include "rules/cel/declare.h"
#include "rules/cel/eval_priv.h"

struct kp_cel_checker {
	const struct kp_cel_env *env;
	struct kp_cel_types types;
	struct kp_cel_fault *fault;
	/* Variables of macros that are visible, by their slots. */
	struct kp_cel_static *locals[KP_CEL_MAX_LOCALS];
	struct kp_bytes local_names[KP_CEL_MAX_LOCALS];
	uint32_t num_locals;
};

/* All of these return NULL and set the fault if something does not fit. */
struct kp_cel_static *kp_cel_check_node(
    struct kp_cel_checker *checker, const struct kp_cel_node *node);
struct kp_cel_static *kp_cel_check_loop(
    struct kp_cel_checker *checker, const struct kp_cel_node *node);
struct kp_cel_static *kp_cel_check_ident(
    struct kp_cel_checker *checker, const struct kp_cel_node *node);
struct kp_cel_static *kp_cel_check_select(
    struct kp_cel_checker *checker, const struct kp_cel_node *node);
struct kp_cel_static *kp_cel_check_call(
    struct kp_cel_checker *checker, const struct kp_cel_node *node);

/* kp_cel_check_condition: node must be bool. */
struct kp_cel_static *kp_cel_check_condition(
    struct kp_cel_checker *checker, const struct kp_cel_node *node);

/* kp_cel_check_overload is the result of an operator or function. */
struct kp_cel_static *kp_cel_check_overload(struct kp_cel_checker *checker,
    const struct kp_cel_node *node, struct kp_bytes name,
    enum kp_cel_style style, struct kp_cel_static *const *args, uint32_t num);

/* kp_cel_check_declared is a type in the host's words; NULL is dyn. */
struct kp_cel_static *kp_cel_check_declared(struct kp_cel_checker *checker,
    const struct kp_cel_node *node, const char *text);

/* kp_cel_check_refuse says what does not fit, or that a limit was reached.
 * Returns NULL. */
struct kp_cel_static *kp_cel_check_refuse(struct kp_cel_checker *checker,
    const struct kp_cel_node *node, const char *fmt, ...) KP_PRINTF(3, 4);

/* kp_cel_check_made passes a type on; where it is NULL, a limit was reached. */
struct kp_cel_static *kp_cel_check_made(struct kp_cel_checker *checker,
    const struct kp_cel_node *node, struct kp_cel_static *type);

#endif
