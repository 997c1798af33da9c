/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an evaluation may cost, known before there are values: in the steps that
 * it will count, from how large they can be (bound.h). It is never less than
 * what is counted, whatever the values. @thread any, one at a time
 */
#ifndef KP_RULES_CEL_COST_H
#define KP_RULES_CEL_COST_H

#include "rules/cel/bound.h"
#include "rules/cel/eval_priv.h"

/* A sentence of an error takes as long as so many nodes. */
#define KP_CEL_STEPS_OF_SENTENCE 16
/* What the C library takes for a number, and for each try at a double. */
#define KP_CEL_STEPS_OF_NUMBER 16
#define KP_CEL_STEPS_OF_DOUBLE 64
/* Bytes of a text that may be one. */
#define KP_CEL_MAX_NUMBER_LEN 400
/* Tries, of which a subnormal one needs most. */
#define KP_CEL_DOUBLE_TRIES 17

/* kp_cel_estimate_tree is of a tree whose names are resolved against env. */
struct kp_cel_estimate kp_cel_estimate_tree(
    const struct kp_cel_node *tree, const struct kp_cel_env *env);

/* A call of a function, as cost_call.c sees it. */
struct kp_cel_cost_call {
	struct kp_arena *arena;
	const struct kp_cel_node *node;
	const struct kp_cel_bound *args[KP_CEL_MAX_ARGS];
};

/* kp_cel_cost_of_call is what the call takes beside its arguments; *out is its
 * result. */
uint64_t kp_cel_cost_of_call(
    const struct kp_cel_cost_call *call, const struct kp_cel_bound **out);

/* Steps for the bytes of a text, rows of a map to be looked for, and for texts
 * that are made, as kp_cel_text makes room for them. */
uint64_t kp_cel_cost_of_bytes(uint64_t len, uint64_t bytes_a_step);
uint64_t kp_cel_cost_of_lookup(uint64_t num, uint64_t key_len);
uint64_t kp_cel_cost_of_text(uint64_t len);

#endif
