/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/cel/match.h"

#include "rules/regex/regex.h"

/* One step of CEL is 16 bytes of a text; one of a match is an instruction. */
#define REGEX_STEPS 8

static bool
is_match(const struct kp_cel_node *call)
{
	return call->function != NULL &&
	       call->function->run == kp_cel_matches && call->num_args == 2;
}

bool
kp_cel_pattern_add(struct kp_cel_pattern **patterns, struct kp_cel_node *call,
    struct kp_arena *arena, struct kp_cel_fault *fault)
{
	const struct kp_cel_node *arg;
	struct kp_cel_pattern *pattern;
	struct kp_regex_fault problem;

	if (!is_match(call))
		return true;
	arg = call->args[1];
	if (arg->kind != KP_CEL_CONSTANT || arg->constant.type != KP_CEL_STRING)
		return true;
	pattern = kp_arena_get(arena, 1, sizeof(*pattern));
	if (pattern == NULL)
		return kp_cel_fault_set(fault, KP_CEL_FAULT_LIMIT, arg->pos,
		    "the expression needs too much memory");
	pattern->regex =
	    kp_regex_new(kp_cel_content(arg->constant), 0, NULL, &problem);
	if (pattern->regex == NULL)
		return kp_cel_fault_set(fault,
		    problem.kind == KP_REGEX_FAULT_SYNTAX ? KP_CEL_FAULT_SYNTAX
							  : KP_CEL_FAULT_LIMIT,
		    arg->pos, "the pattern is not valid: %s", problem.text);
	pattern->next = *patterns;
	*patterns = pattern;
	call->regex = pattern->regex;
	return true;
}

void
kp_cel_patterns_free(struct kp_cel_pattern *patterns)
{
	for (; patterns != NULL; patterns = patterns->next)
		kp_regex_free(patterns->regex);
}

/* What is left of the evaluation's budget, in steps of a match. */
static struct kp_regex_meter
meter_left(const struct kp_cel_meter *meter)
{
	uint64_t left = meter->used < meter->max ? meter->max - meter->used : 0;

	return (struct kp_regex_meter){
		.max = left > UINT64_MAX / REGEX_STEPS ? UINT64_MAX
						       : left * REGEX_STEPS,
	};
}

/* One for all matches of an evaluation, as long as the longest wants it. */
static void *
scratch(struct kp_cel_eval *eval, size_t len)
{
	if (len > eval->match_scratch_len) {
		eval->match_scratch = kp_cel_get(eval, 1, len);
		eval->match_scratch_len = eval->match_scratch == NULL ? 0 : len;
	}
	return eval->match_scratch;
}

static struct kp_cel_value
run(struct kp_cel_eval *eval, const struct kp_regex *regex,
    struct kp_bytes text, struct kp_regex_meter *meter)
{
	size_t len = kp_regex_scratch_len(regex);
	void *room = len == 0 ? NULL : scratch(eval, len);
	enum kp_regex_result result;

	if (len > 0 && room == NULL)
		return kp_cel_stop(eval, KP_CEL_FAULT_MEMORY);
	result = kp_regex_match(regex, text, room, meter);
	if (result == KP_REGEX_SPENT ||
	    !kp_cel_spend(eval, meter->used / REGEX_STEPS))
		return kp_cel_stop(eval, KP_CEL_FAULT_COST);
	return kp_cel_bool(result == KP_REGEX_MATCH);
}

static struct kp_cel_value
run_once(struct kp_cel_eval *eval, struct kp_bytes pattern,
    struct kp_bytes text, struct kp_regex_meter *meter)
{
	struct kp_regex_fault problem;
	struct kp_regex *regex =
	    kp_regex_new(pattern, KP_REGEX_ONCE, meter, &problem);
	struct kp_cel_value value;

	if (regex == NULL && problem.kind == KP_REGEX_FAULT_COST)
		return kp_cel_stop(eval, KP_CEL_FAULT_COST);
	if (regex == NULL && problem.kind == KP_REGEX_FAULT_MEMORY)
		return kp_cel_stop(eval, KP_CEL_FAULT_MEMORY);
	if (regex == NULL)
		return kp_cel_fail(
		    eval, "the pattern is not valid: %s", problem.text);
	value = run(eval, regex, text, meter);
	kp_regex_free(regex);
	return value;
}

struct kp_cel_value
kp_cel_matches(const struct kp_cel_call *call)
{
	struct kp_cel_value text = call->args[0], pattern = call->args[1];
	struct kp_regex_meter meter = meter_left(call->eval->meter);

	if (text.type != KP_CEL_STRING || pattern.type != KP_CEL_STRING)
		return kp_cel_no_overload(call->eval, "matches", call->args, 2);
	if (call->regex != NULL)
		return run(
		    call->eval, call->regex, kp_cel_content(text), &meter);
	return run_once(
	    call->eval, kp_cel_content(pattern), kp_cel_content(text), &meter);
}
