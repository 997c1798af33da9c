/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What policies set in an item before anybody judges it. Each override sees
 * what those before it have set.
 */
#include <stdio.h>

#include "rules/govern/judge_priv.h"
#include "rules/govern/show.h"

/* Bytes of the name of a field, and of a value, in a sentence. */
#define MAX_SHOWN 200

/* What comes of one override. */
struct tried {
	struct kp_override_seen seen;
	struct kp_change change;
	struct kp_finding finding;
	struct kp_cel_fault fault;
	char words[KP_JUDGE_MAX_TEXT_LEN];
};

static void
find(struct kp_judge *judge, bool is_failure, struct tried *out)
{
	kp_judge_find(judge, is_failure, out->words, &out->finding);
	out->seen.finding = &out->finding;
	out->seen.outcome =
	    is_failure ? KP_OVERRIDE_FAILED : KP_OVERRIDE_WOULD_SET;
}

static void
fail(struct kp_judge *judge, const char *why, struct tried *out)
{
	(void)snprintf(out->words, sizeof(out->words), "%.*s cannot be set: %s",
	    MAX_SHOWN, out->change.field, why);
	find(judge, true, out);
}

/* A value of that type; where types are dyn only evaluation tells. */
static bool
evaluate(struct kp_judge *judge, const struct kp_cel_program *program,
    enum kp_cel_type type, struct kp_cel_value *value, struct tried *out)
{
	bool has_value =
	    kp_judge_run(judge, program, &judge->scratch, value, &out->fault);

	if (has_value && value->type == type)
		return true;
	if (has_value)
		(void)kp_cel_fault_set(&out->fault, KP_CEL_FAULT_VALUE, 0,
		    "the value has another type");
	out->seen.fault = &out->fault;
	out->seen.source = kp_cel_program_source(program);
	fail(judge, out->fault.text, out);
	return false;
}

/* The policy is watched before it is enforced. */
static void
warn(struct kp_judge *judge, struct kp_cel_value value, struct tried *out)
{
	struct kp_buf text;

	kp_buf_init_small(&text, 2 * MAX_SHOWN);
	kp_show_value(&text, value);
	(void)snprintf(out->words, sizeof(out->words), "would set %.*s to %s",
	    MAX_SHOWN, out->change.field, kp_buf_text(&text));
	kp_buf_fini(&text);
	find(judge, false, out);
}

static void
note_change(const struct kp_override_plan *plan, struct tried *out)
{
	out->change.before = plan->before;
	out->change.after = plan->after;
	out->seen.change = &out->change;
}

static void
set(struct kp_judge *judge, struct kp_override_plan *plan, struct tried *out)
{
	size_t num_more =
	    kp_judge_rules(judge)->num_overrides - judge->num_tried;

	if (!kp_override_set(
		plan, judge->item, &judge->may_change->room, num_more)) {
		fail(judge, "the request would take more than it may", out);
		out->finding.action = KP_POLICY_DENY;
		return;
	}
	note_change(plan, out);
	out->seen.outcome = KP_OVERRIDE_SET;
	judge->changes[judge->num_changes++] = out->change;
	kp_judge_begin_rule(judge, judge->rule);
	judge->object = kp_item_object(judge->item);
}

/* plan lives until out has been shown. */
static void
try(struct kp_judge *judge, const struct kp_rule_override *override,
    struct kp_override_plan *plan, struct tried *out)
{
	enum kp_cel_type type = kp_object_is_setting(override->target.of)
				    ? KP_CEL_STRING
				    : KP_CEL_INT;
	struct kp_cel_value value;

	if (override->when != NULL) {
		if (!evaluate(judge, override->when, KP_CEL_BOOL, &value, out))
			return;
		out->seen.outcome = KP_OVERRIDE_UNMET;
		if (!value.as.truth)
			return;
	}
	if (!evaluate(judge, override->expression, type, &value, out))
		return;
	kp_override_plan_init(
	    plan, judge->item, judge->object, &override->target, value);
	out->seen.outcome = KP_OVERRIDE_SAME;
	if (plan->is_same)
		return;
	if (judge->may_change == NULL)
		plan->why_not = "a topic that a broker creates by itself has "
				"nothing but its name";
	if (plan->why_not != NULL) {
		fail(judge, plan->why_not, out);
	} else if (judge->rule->policy->action == KP_POLICY_WARN) {
		note_change(plan, out);
		warn(judge, value, out);
	} else {
		set(judge, plan, out);
	}
}

static bool
override_field(struct kp_judge *judge, size_t index, kp_found found, void *ctx)
{
	const struct kp_tables_policy *policy = judge->rule->policy;
	struct kp_override_plan plan;
	struct tried tried = {
		.seen = { .index = index },
		.change = { .policy = policy->name,
		    .field = policy->overrides[index].field },
	};

	judge->num_tried++;
	try(judge, &judge->rule->overrides[index], &plan, &tried);
	if (judge->observer != NULL)
		judge->observer->override(judge->observer->ctx, &tried.seen);
	if (tried.seen.finding == NULL)
		return true;
	found(ctx, &tried.finding);
	return tried.finding.action != KP_POLICY_DENY;
}

bool
kp_judge_override(struct kp_judge *judge, const struct kp_rule *rule,
    kp_found found, void *ctx)
{
	bool may_pass = true;

	kp_judge_begin_rule(judge, rule);
	for (size_t i = 0; i < rule->policy->num_overrides; i++)
		if (!override_field(judge, i, found, ctx))
			may_pass = false;
	return may_pass;
}
