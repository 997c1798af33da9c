/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies made ready: what operators wrote as expressions (kind Policy) as
 * programs, for each API that they match. The model is Kubernetes'
 * ValidatingAdmissionPolicy. Immutable once made and counted, so that tables of
 * rules that have the same policies share them. @thread any
 */
#ifndef KP_RULES_GOVERN_POLICY_H
#define KP_RULES_GOVERN_POLICY_H

#include "rules/cel/source.h"
#include "rules/govern/objects.h"
#include "rules/tables.h"

/* Which expression of a policy. */
enum kp_policy_part {
	KP_POLICY_VARIABLE,
	KP_POLICY_VALIDATION,
	KP_POLICY_MESSAGE, /* messageExpression of a validation */
	KP_POLICY_FIELD,   /* of an override */
	KP_POLICY_VALUE,   /* expression of an override */
	KP_POLICY_WHEN,    /* of an override */
};

/* What is wrong with a policy; valid during the call. */
struct kp_policy_fault {
	enum kp_policy_part part;
	size_t index;
	int16_t api_key;
	struct kp_bytes source; /* of the expression */
	const struct kp_cel_fault *fault;
};
typedef void (*kp_policy_complain)(
    void *ctx, const struct kp_policy_fault *fault);

/*
 * kp_policy_check makes all expressions of policy and shows each that is none.
 * One that is wrong for several APIs in the same way is shown once.
 */
bool kp_policy_check(const struct kp_tables_policy *policy,
    kp_policy_complain complain, void *ctx);

struct kp_policies;

/* kp_policies_new copies what it needs; NULL if an expression is none. */
struct kp_policies *kp_policies_new(const struct kp_tables_policy *policies,
    size_t num_policies, struct kp_error *err);
struct kp_policies *kp_policies_ref(struct kp_policies *policies);
void kp_policies_unref(struct kp_policies *policies); /* NULL is fine */

/* kp_policies_are_of: were they made of the same? Then they need not be again.
 */
bool kp_policies_are_of(const struct kp_policies *policies,
    const struct kp_tables_policy *of, size_t num_of);

#endif
