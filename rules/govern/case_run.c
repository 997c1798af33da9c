/* SPDX-License-Identifier: Apache-2.0 */
/* What policies make of a case, and whether that was expected. */
#include <stdlib.h>

#include "base/alloc.h"
#include "rules/govern/cases.h"
#include "rules/govern/view.h"

/* What is made of an item while it is looked at: as much as of a request of
 * 1 MiB. */
#define LOOK_MEMORY (16u << 20)
/* What all overrides of it may set, in bytes. */
#define MAX_GROWTH (1u << 20)

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

static char *
dup_bytes(struct kp_bytes text)
{
	return text.data == NULL
		   ? NULL
		   : kp_strndup((const char *)text.data, text.len);
}

static void
note_change(void *ctx, const struct kp_change *change)
{
	struct kp_case_result *result = ctx;

	result->changes = kp_realloc(
	    result->changes, result->num_changes + 1, sizeof(*result->changes));
	result->changes[result->num_changes++] = (struct kp_case_change){
		.policy = change->policy,
		.field = change->field,
		.before = dup_bytes(change->before),
		.after = dup_bytes(change->after),
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

/* What the field has in the end: a policy may set what another one has set. */
static const char *
value_of(const struct kp_case_result *result, const char *field)
{
	const char *value = NULL;

	for (size_t i = 0; i < result->num_changes; i++)
		if (strcmp(result->changes[i].field, field) == 0)
			value = result->changes[i].after;
	return value;
}

static bool
is_key(const struct kp_value *map, const char *field)
{
	for (size_t i = 0; i < map->num_items; i++)
		if (strcmp(map->keys[i], field) == 0)
			return true;
	return false;
}

/* These fields with these values, and no others. */
static bool
are_overrides(
    const struct kp_case_result *result, const struct kp_value *expected)
{
	if (expected == NULL)
		return true;
	for (size_t i = 0; i < expected->num_items; i++) {
		const char *value = value_of(result, expected->keys[i]);

		if (value == NULL ||
		    strcmp(value, expected->items[i]->text) != 0)
			return false;
	}
	for (size_t i = 0; i < result->num_changes; i++)
		if (!is_key(expected, result->changes[i].field))
			return false;
	return true;
}

/* What one finding after the other comes to. */
struct tally {
	enum kp_decision decision;
	const struct kp_case_sink *sink;
};

static void
count(void *ctx, const struct kp_finding *finding)
{
	struct tally *tally = ctx;

	tally->decision = KP_DECISION_WARN;
	tally->sink->found(tally->sink->ctx, finding);
}

/* The tables of messages are ours: a recursion over them ends. */
static bool
copy_below(struct kp_tree_value *value, struct kp_arena *arena)
{
	struct kp_tree_value *items;

	if (value->num == 0)
		return true;
	items = kp_arena_get(arena, value->num, sizeof(*items));
	if (items == NULL)
		return false;
	kp_copy(items, value->items, value->num * sizeof(*items));
	value->items = items;
	for (uint32_t i = 0; i < value->num; i++)
		if (!copy_below(&items[i], arena))
			return false;
	return true;
}

/* The request may be judged again. */
static bool
copy_request(
    struct kp_case *out, const struct kp_case *one, struct kp_arena *arena)
{
	*out = *one;
	out->request.arena = arena;
	return copy_below(&out->request.root, arena) &&
	       kp_items_of(&out->items, out->api, &out->request);
}

static void
judge(struct tally *tally, const struct kp_case *one,
    const struct kp_policies *policies, struct kp_judge_changes *changes)
{
	struct kp_judge *judge = kp_judge_new(policies, &one->facts);
	struct kp_arena look;
	struct kp_item item;

	kp_arena_init(&look, LOOK_MEMORY);
	kp_judge_observe(judge, tally->sink->observer);
	/* what brokers create by themselves is no item of a request */
	if (kp_object_api_find(one->facts.api_key) == one->api)
		kp_judge_may_change(judge, changes);
	item = kp_items_at(&one->items, one->api, &one->request, 0, &look);
	if (!kp_judge_item(judge, &item, count, tally))
		tally->decision = KP_DECISION_DENY;
	kp_arena_fini(&look);
	kp_judge_free(judge);
}

enum kp_decision
kp_case_judge(const struct kp_case *one, const struct kp_policies *policies,
    const struct kp_case_sink *sink)
{
	struct tally tally = { KP_DECISION_ALLOW, sink };
	struct kp_arena arena;
	struct kp_judge_changes changes = {
		.room = { .arena = &arena, .growth_left = MAX_GROWTH },
		.changed = sink->changed,
		.ctx = sink->ctx,
	};
	struct kp_case copy;
	bool is_copied;

	kp_arena_init(&arena, KP_CASES_MAX_MEMORY + LOOK_MEMORY);
	/* where it is not, nothing has room either */
	is_copied = copy_request(&copy, one, &arena);
	judge(&tally, is_copied ? &copy : one, policies, &changes);
	kp_arena_fini(&arena);
	return tally.decision;
}

void
kp_case_run(const struct kp_case *one, const struct kp_policies *policies,
    struct kp_case_result *out)
{
	const struct kp_case_sink sink = {
		.found = note,
		.changed = note_change,
		.ctx = out,
	};

	*out = (struct kp_case_result){ 0 };
	out->found = kp_case_judge(one, policies, &sink);
	out->is_decision_right =
	    kp_value_number(one->said, "expect") == (int64_t)out->found;
	out->are_policies_right =
	    are_policies(out, kp_value_get(one->said, "policies"));
	out->is_message_right =
	    is_message(out, kp_value_text(one->said, "message"));
	out->are_overrides_right =
	    are_overrides(out, kp_value_get(one->said, "overrides"));
}

void
kp_case_result_fini(struct kp_case_result *result)
{
	for (size_t i = 0; i < result->num_findings; i++)
		free(result->findings[i].text);
	for (size_t i = 0; i < result->num_changes; i++) {
		free(result->changes[i].before);
		free(result->changes[i].after);
	}
	free(result->findings);
	free(result->changes);
	*result = (struct kp_case_result){ 0 };
}

bool
kp_case_is_right(const struct kp_case_result *result)
{
	return result->is_decision_right && result->are_policies_right &&
	       result->is_message_right && result->are_overrides_right;
}
