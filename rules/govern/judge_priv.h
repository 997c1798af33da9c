/* SPDX-License-Identifier: Apache-2.0 */
/* Between judge.c, which asks policies, and judge_override.c, which does what
 * they set first. */
#ifndef KP_RULES_GOVERN_JUDGE_PRIV_H
#define KP_RULES_GOVERN_JUDGE_PRIV_H

#include "rules/govern/policy_priv.h"

/* A variable of a policy, evaluated when it is first asked for. */
struct kp_lazy {
	struct kp_cel_scratch scratch; /* holds its value */
	struct kp_cel_value value;
	bool is_known;
	char fault[sizeof(((struct kp_cel_fault *)0)->text)];
};

struct kp_judge {
	struct kp_cel_input input; /* whose host this is */
	const struct kp_policies *policies;
	const struct kp_facts *facts;
	const struct kp_observer *observer; /* NULL: nobody looks */
	uint64_t steps_left;                /* of the request */
	struct kp_cel_scratch scratch;
	struct kp_lazy variables[KP_POLICY_MAX_VARIABLES];
	struct kp_judge_changes *may_change; /* NULL: items cannot be changed */
	struct kp_change *changes; /* of the item; one for each override */
	size_t num_changes;
	size_t num_tried; /* overrides, for the item */
	/* what is judged just now */
	const struct kp_item *item;
	struct kp_cel_value object;
	const struct kp_rule *rule;
};

/* Those for requests of the API, which the item's own is not where a request
 * stands for another. */
static inline const struct kp_rules *
kp_judge_rules(const struct kp_judge *judge)
{
	return &judge->policies->of_api[judge->facts->api_key];
}

/* kp_judge_begin_rule: no variable has been evaluated for it yet. */
void kp_judge_begin_rule(struct kp_judge *judge, const struct kp_rule *rule);

/* kp_judge_run evaluates an expression of judge->rule; see kp_cel_program_run.
 */
bool kp_judge_run(struct kp_judge *judge, const struct kp_cel_program *program,
    struct kp_cel_scratch *scratch, struct kp_cel_value *out,
    struct kp_cel_fault *fault) KP_MUST_CHECK;

/* kp_judge_find makes a finding of what judge->rule says against the item. */
void kp_judge_find(const struct kp_judge *judge, bool is_failure,
    const char *words, struct kp_finding *out);

/*
 * kp_judge_override lets rule set what it wants in the item, shows findings and
 * returns whether the item may pass.
 */
bool kp_judge_override(struct kp_judge *judge, const struct kp_rule *rule,
    kp_found found, void *ctx) KP_MUST_CHECK;

#endif
