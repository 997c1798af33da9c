/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/cel/program.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "rules/cel/check.h"
#include "rules/cel/cost.h"
#include "rules/cel/match.h"

void
kp_cel_scratch_init(
    struct kp_cel_scratch *scratch, uint64_t max_steps, size_t max_len)
{
	*scratch = (struct kp_cel_scratch){ .meter = { .max = max_steps } };
	kp_arena_init(&scratch->arena, max_len);
}

void
kp_cel_scratch_fini(struct kp_cel_scratch *scratch)
{
	kp_arena_fini(&scratch->arena);
}

/* Where nothing limits the steps there is no number to tell. */
static bool
is_cheap(const struct kp_cel_program *program, const struct kp_cel_env *env,
    struct kp_cel_fault *fault)
{
	struct kp_cel_estimate estimate;

	if (env->max_steps == 0)
		return true;
	estimate = kp_cel_program_estimate(program, env);
	if (estimate.max <= env->max_steps)
		return true;
	if (estimate.of_worst == KP_CEL_NO_BOUND)
		return kp_cel_fault_set(fault, KP_CEL_FAULT_COST, estimate.pos,
		    "nothing limits how many steps this takes, as it is not "
		    "known how large its values may be");
	return kp_cel_fault_set(fault, KP_CEL_FAULT_COST, estimate.pos,
	    "the expression may take %llu steps, and no more than %llu are "
	    "allowed: up to %llu of them are for this",
	    (unsigned long long)estimate.max,
	    (unsigned long long)env->max_steps,
	    (unsigned long long)estimate.of_worst);
}

static bool
build(struct kp_cel_program *program, struct kp_bytes source,
    const struct kp_cel_env *env, struct kp_cel_fault *fault)
{
	const char *copy = kp_arena_copy(&program->arena, source);

	if (copy == NULL)
		return kp_cel_fault_set(fault, KP_CEL_FAULT_LIMIT, 0,
		    "the expression needs too much memory");
	program->source =
	    (struct kp_bytes){ (const uint8_t *)copy, source.len };
	program->tree = kp_cel_parse(program->source, &program->arena, fault);
	program->type = "dyn";
	if (program->tree == NULL || !kp_cel_resolve(program, env, fault))
		return false;
	return (env->is_unchecked ||
		   kp_cel_check(program->tree, env, &program->arena,
		       &program->type, fault)) &&
	       is_cheap(program, env, fault);
}

struct kp_cel_program *
kp_cel_program_new(struct kp_bytes source, const struct kp_cel_env *env,
    struct kp_cel_fault *fault)
{
	struct kp_cel_program *program = kp_alloc(1, sizeof(*program));

	kp_arena_init(&program->arena, KP_CEL_MAX_TREE_LEN);
	if (build(program, source, env, fault))
		return program;
	kp_cel_program_free(program);
	return NULL;
}

void
kp_cel_program_free(struct kp_cel_program *program)
{
	if (program == NULL)
		return;
	kp_cel_patterns_free(program->patterns);
	kp_arena_fini(&program->arena);
	free(program);
}

struct kp_bytes
kp_cel_program_source(const struct kp_cel_program *program)
{
	return program->source;
}

const char *
kp_cel_program_type(const struct kp_cel_program *program)
{
	return program->type;
}

struct kp_cel_estimate
kp_cel_program_estimate(
    const struct kp_cel_program *program, const struct kp_cel_env *env)
{
	return kp_cel_estimate_tree(program->tree, env);
}

bool
kp_cel_program_run(const struct kp_cel_program *program,
    const struct kp_cel_input *input, struct kp_cel_scratch *scratch,
    struct kp_cel_value *out, struct kp_cel_fault *fault)
{
	struct kp_cel_eval eval KP_UNINITIALIZED;

	kp_arena_reset(&scratch->arena);
	scratch->meter.used = 0;
	eval.program = program;
	eval.input = input;
	eval.arena = &scratch->arena;
	eval.meter = &scratch->meter;
	eval.stopped = KP_CEL_FAULT_NONE;
	eval.match_scratch = NULL;
	eval.match_scratch_len = 0;
	*out = kp_cel_eval_node(&eval, program->tree);
	fault->kind = eval.stopped;
	if (eval.stopped == KP_CEL_FAULT_NONE && out->type != KP_CEL_ERROR)
		return true;
	if (eval.stopped == KP_CEL_FAULT_NONE)
		fault->kind = KP_CEL_FAULT_VALUE;
	return kp_cel_fault_set(
	    fault, fault->kind, out->extra, "%s", out->as.name);
}
