/* SPDX-License-Identifier: Apache-2.0 */
/* Between policy.c, which makes policies ready, and judge.c, which asks them.
 */
#ifndef KP_RULES_GOVERN_POLICY_PRIV_H
#define KP_RULES_GOVERN_POLICY_PRIV_H

#include <stdatomic.h>

#include "rules/cel/program.h"
#include "rules/govern/judge.h"
#include "rules/govern/override.h"
#include "rules/govern/policy.h"

/* What expressions can name beside the item and the policy's variables. */
struct kp_fact {
	const char *name, *type;
	struct kp_cel_value (*get)(const struct kp_facts *facts);
};
extern const struct kp_fact kp_facts_table[];
extern const size_t kp_num_facts;

/* Variables of a rule's expressions: facts, then the item, then its own. */
#define KP_RULE_ITEM kp_num_facts
#define KP_RULE_FIRST_VARIABLE (kp_num_facts + 1)

struct kp_rule_validation {
	struct kp_cel_program *expression;
	struct kp_cel_program *message; /* NULL: none */
	const char *text;               /* of the policy; NULL: none */
};

struct kp_rule_override {
	struct kp_override_target target;
	struct kp_cel_program *expression;
	struct kp_cel_program *when; /* NULL: always */
};

/* A policy for one of its APIs. */
struct kp_rule {
	const struct kp_tables_policy *policy;
	struct kp_cel_program **variables;
	struct kp_rule_validation *validations;
	struct kp_rule_override *overrides;
};

struct kp_rules {
	struct kp_rule *list;
	size_t num;
	size_t num_overrides; /* of all of them */
};

struct kp_policies {
	atomic_uint refs;
	struct kp_tables_policy *policies; /* a copy of our own */
	size_t num_policies;
	struct kp_rules of_api[KP_MAX_API_KEY + 1];
};

#endif
