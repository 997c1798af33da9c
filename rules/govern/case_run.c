/* SPDX-License-Identifier: Apache-2.0 */
/* What policies make of a case, and whether that was expected. */
#include <stdlib.h>

#include "base/alloc.h"
#include "rules/govern/cases.h"
#include "rules/govern/view.h"

/* What is made of an item while it is looked at: as much as of a request of
 * 1 MiB. */
#define LOOK_MEMORY (16u << 20)

const char *
kp_decision_word(enum kp_decision decision)
{
	static const char *const words[] = {
		[KP_DECISION_ALLOW] = "allow",
		[KP_DECISION_WARN] = "warn",
		[KP_DECISION_DENY] = "deny",
	};

	return words[decision];
}

static void
note(void *ctx, const struct kp_finding *finding)
{
	struct kp_case_result *result = ctx;

	result->findings = kp_realloc(result->findings,
	    result->num_findings + 1, sizeof(*result->findings));
	result->findings[result->num_findings++] = (struct kp_case_finding){
		.policy = finding->policy,
		.text = kp_strdup(finding->text),
		.is_denial = finding->action == KP_POLICY_DENY,
		.is_failure = finding->is_failure,
	};
}

static bool
has_said(const struct kp_case_result *result, const char *policy)
{
	for (size_t i = 0; i < result->num_findings; i++)
		if (strcmp(result->findings[i].policy, policy) == 0)
			return true;
	return false;
}

static bool
is_named(const struct kp_value *list, const char *policy)
{
	for (size_t i = 0; i < list->num_items; i++)
		if (strcmp(list->items[i]->text, policy) == 0)
			return true;
	return false;
}

/* These, and no others. */
static bool
are_policies(
    const struct kp_case_result *result, const struct kp_value *expected)
{
	if (expected == NULL)
		return true;
	for (size_t i = 0; i < expected->num_items; i++)
		if (!has_said(result, expected->items[i]->text))
			return false;
	for (size_t i = 0; i < result->num_findings; i++)
		if (!is_named(expected, result->findings[i].policy))
			return false;
	return true;
}

static bool
is_message(const struct kp_case_result *result, const char *expected)
{
	if (expected == NULL)
		return true;
	for (size_t i = 0; i < result->num_findings; i++)
		if (strstr(result->findings[i].text, expected) != NULL)
			return true;
	return false;
}

/* What one finding after the other comes to. */
struct tally {
	enum kp_decision decision;
	kp_found found;
	void *ctx;
};

static void
count(void *ctx, const struct kp_finding *finding)
{
	struct tally *tally = ctx;

	tally->decision = KP_DECISION_WARN;
	tally->found(tally->ctx, finding);
}

enum kp_decision
kp_case_judge(const struct kp_case *one, const struct kp_policies *policies,
    const struct kp_observer *observer, kp_found found, void *ctx)
{
	struct kp_judge *judge = kp_judge_new(policies, &one->facts);
	struct tally tally = { KP_DECISION_ALLOW, found, ctx };
	struct kp_arena arena;
	struct kp_item item;

	kp_arena_init(&arena, LOOK_MEMORY);
	kp_judge_observe(judge, observer);
	item = kp_items_at(&one->items, one->api, &one->request, 0, &arena);
	if (!kp_judge_item(judge, &item, count, &tally))
		tally.decision = KP_DECISION_DENY;
	kp_arena_fini(&arena);
	kp_judge_free(judge);
	return tally.decision;
}

void
kp_case_run(const struct kp_case *one, const struct kp_policies *policies,
    struct kp_case_result *out)
{
	*out = (struct kp_case_result){ 0 };
	out->found = kp_case_judge(one, policies, NULL, note, out);
	out->is_decision_right =
	    kp_value_number(one->said, "expect") == (int64_t)out->found;
	out->are_policies_right =
	    are_policies(out, kp_value_get(one->said, "policies"));
	out->is_message_right =
	    is_message(out, kp_value_text(one->said, "message"));
}

void
kp_case_result_fini(struct kp_case_result *result)
{
	for (size_t i = 0; i < result->num_findings; i++)
		free(result->findings[i].text);
	free(result->findings);
	*result = (struct kp_case_result){ 0 };
}

bool
kp_case_is_right(const struct kp_case_result *result)
{
	return result->is_decision_right && result->are_policies_right &&
	       result->is_message_right;
}
