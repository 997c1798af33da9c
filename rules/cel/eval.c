/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks the tree. The recursion is as deep as the tree, which the parser
 * limits; how long it takes is limited by the meter, asked at every node.
 */
#include <stdarg.h>
#include <stdio.h>

#include "rules/cel/cost.h"

typedef struct kp_cel_value eval_node(
    struct kp_cel_eval *eval, const struct kp_cel_node *node);

#define MAX_FAIL_LEN 200

struct kp_cel_value
kp_cel_stop(struct kp_cel_eval *eval, enum kp_cel_fault_kind kind)
{
	if (eval->stopped == KP_CEL_FAULT_NONE)
		eval->stopped = kind;
	return kp_cel_error(eval->stopped == KP_CEL_FAULT_COST
				? "the evaluation used up its budget"
				: "the evaluation used up its memory");
}

void *
kp_cel_get(struct kp_cel_eval *eval, size_t count, size_t size)
{
	void *memory = kp_arena_get(eval->arena, count, size);

	if (memory == NULL)
		(void)kp_cel_stop(eval, KP_CEL_FAULT_MEMORY);
	return memory;
}

bool
kp_cel_spend(struct kp_cel_eval *eval, uint64_t steps)
{
	kp_cel_meter_add(eval->meter, steps);
	if (kp_cel_meter_is_spent(eval->meter))
		(void)kp_cel_stop(eval, KP_CEL_FAULT_COST);
	return eval->stopped == KP_CEL_FAULT_NONE;
}

struct kp_cel_value
kp_cel_fail(struct kp_cel_eval *eval, const char *fmt, ...)
{
	char text[MAX_FAIL_LEN];
	const char *copy;
	va_list args;

	if (!kp_cel_spend(eval, KP_CEL_STEPS_OF_SENTENCE))
		return kp_cel_stop(eval, KP_CEL_FAULT_COST);
	va_start(args, fmt);
	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		text[0] = '\0';
	va_end(args);
	copy = kp_arena_copy(eval->arena, kp_bytes_of(text));
	if (copy == NULL)
		return kp_cel_stop(eval, KP_CEL_FAULT_MEMORY);
	return kp_cel_error(copy);
}

struct kp_cel_value
kp_cel_no_overload(struct kp_cel_eval *eval, const char *operation,
    const struct kp_cel_value *args, uint32_t num)
{
	if (num == 0)
		return kp_cel_fail(
		    eval, "there is no \"%s\" without arguments", operation);
	if (num == 1)
		return kp_cel_fail(eval, "there is no \"%s\" for %s", operation,
		    kp_cel_type_name(args[0]));
	return kp_cel_fail(eval, "there is no \"%s\" for %s and %s", operation,
	    kp_cel_type_name(args[0]), kp_cel_type_name(args[1]));
}

static struct kp_cel_value
eval_constant(struct kp_cel_eval *eval, const struct kp_cel_node *node)
{
	(void)eval;
	return node->constant;
}

static struct kp_cel_value
eval_ident(struct kp_cel_eval *eval, const struct kp_cel_node *node)
{
	if (node->slot >= KP_CEL_FIRST_LOCAL)
		return eval->locals[node->slot - KP_CEL_FIRST_LOCAL];
	if (node->slot >= 0)
		return kp_cel_at(
		    eval->input->get(eval->input, (size_t)node->slot), node);
	return kp_cel_at(kp_cel_fail(eval, "\"%.*s\" is not known",
			     node->name.len < 100 ? (int)node->name.len : 100,
			     (const char *)node->name.data),
	    node);
}

/* The name of a function that is there with other arguments is no mistake. */
static struct kp_cel_value
no_function(struct kp_cel_eval *eval, const struct kp_cel_node *node)
{
	return kp_cel_fail(eval,
	    kp_cel_function_is_known(node->name)
		? "\"%.*s\" is not called like this: its receiver or the "
		  "number of its arguments is wrong"
		: "there is no function \"%.*s\" with these arguments",
	    node->name.len < 60 ? (int)node->name.len : 60,
	    (const char *)node->name.data);
}

static bool
is_settled(const struct kp_cel_function *function, struct kp_cel_value first)
{
	return first.type == KP_CEL_OPTIONAL && first.as.inner != NULL &&
	       kp_cel_function_is_lazy(function);
}

static struct kp_cel_value
eval_call(struct kp_cel_eval *eval, const struct kp_cel_node *node)
{
	struct kp_cel_value args[KP_CEL_MAX_ARGS] KP_UNINITIALIZED;
	struct kp_cel_call call = {
		.eval = eval, .args = args, .num = node->num_args
	};

	if (node->function == NULL)
		return kp_cel_at(no_function(eval, node), node);
	for (uint32_t i = 0; i < node->num_args; i++) {
		args[i] = kp_cel_eval_node(eval, node->args[i]);
		if (args[i].type == KP_CEL_ERROR)
			return args[i];
		if (i == 0 && is_settled(node->function, args[0]))
			break;
	}
	call.detail = node->function->detail;
	call.regex = node->regex;
	return kp_cel_at(node->function->run(&call), node);
}

static struct kp_cel_value
eval_not(struct kp_cel_eval *eval, const struct kp_cel_node *node)
{
	struct kp_cel_value value = kp_cel_eval_node(eval, node->args[0]);

	if (value.type == KP_CEL_BOOL)
		return kp_cel_bool(!value.as.truth);
	if (value.type == KP_CEL_ERROR)
		return value;
	return kp_cel_at(kp_cel_no_overload(eval, "!", &value, 1), node);
}

static struct kp_cel_value
eval_negate(struct kp_cel_eval *eval, const struct kp_cel_node *node)
{
	struct kp_cel_value value = kp_cel_eval_node(eval, node->args[0]);

	if (value.type == KP_CEL_ERROR)
		return value;
	if (value.type != KP_CEL_INT && value.type != KP_CEL_DOUBLE)
		return kp_cel_at(
		    kp_cel_no_overload(eval, "-", &value, 1), node);
	return kp_cel_at(kp_cel_negate(value), node);
}

static struct kp_cel_value
eval_binary(struct kp_cel_eval *eval, const struct kp_cel_node *node)
{
	struct kp_cel_value a = kp_cel_eval_node(eval, node->args[0]), b;

	if (a.type == KP_CEL_ERROR)
		return a;
	b = kp_cel_eval_node(eval, node->args[1]);
	if (b.type == KP_CEL_ERROR)
		return b;
	return kp_cel_at(kp_cel_operate(eval, node->operation, a, b), node);
}

/*
 * One operand that decides is enough, whatever errors the others are: the order
 * of operands has no meaning.
 */
static struct kp_cel_value
eval_logic(struct kp_cel_eval *eval, const struct kp_cel_node *node)
{
	bool decisive = node->kind == KP_CEL_OR;
	struct kp_cel_value result = kp_cel_bool(!decisive);

	for (uint32_t i = 0; i < node->num_args; i++) {
		struct kp_cel_value value =
		    kp_cel_eval_node(eval, node->args[i]);

		if (eval->stopped != KP_CEL_FAULT_NONE)
			return value;
		if (value.type == KP_CEL_BOOL && value.as.truth == decisive)
			return value;
		if (value.type == KP_CEL_BOOL || result.type == KP_CEL_ERROR)
			continue;
		result = value;
		if (value.type != KP_CEL_ERROR)
			result =
			    kp_cel_at(kp_cel_no_overload(eval,
					  decisive ? "||" : "&&", &value, 1),
				node);
	}
	return result;
}

static struct kp_cel_value
eval_conditional(struct kp_cel_eval *eval, const struct kp_cel_node *node)
{
	struct kp_cel_value value = kp_cel_eval_node(eval, node->args[0]);

	if (value.type == KP_CEL_ERROR)
		return value;
	if (value.type != KP_CEL_BOOL)
		return kp_cel_at(
		    kp_cel_no_overload(eval, "?:", &value, 1), node);
	return kp_cel_eval_node(eval, node->args[value.as.truth ? 1 : 2]);
}

/* An element behind "?" is one of a list or map, which take it apart. */
static struct kp_cel_value
eval_maybe(struct kp_cel_eval *eval, const struct kp_cel_node *node)
{
	struct kp_cel_value value = kp_cel_eval_node(eval, node->args[0]);

	if (value.type == KP_CEL_ERROR || value.type == KP_CEL_OPTIONAL)
		return value;
	return kp_cel_at(
	    kp_cel_error("what stands behind \"?\" is not optional"), node);
}

struct kp_cel_value
kp_cel_eval_node(struct kp_cel_eval *eval, const struct kp_cel_node *node)
{
	static eval_node *const table[] = {
		[KP_CEL_CONSTANT] = eval_constant,
		[KP_CEL_IDENT] = eval_ident,
		[KP_CEL_SELECT] = kp_cel_eval_select,
		[KP_CEL_INDEX] = kp_cel_eval_index,
		[KP_CEL_CALL] = eval_call,
		[KP_CEL_LIST_OF] = kp_cel_eval_list,
		[KP_CEL_MAP_OF] = kp_cel_eval_map,
		[KP_CEL_MAYBE] = eval_maybe,
		[KP_CEL_NOT] = eval_not,
		[KP_CEL_NEGATE] = eval_negate,
		[KP_CEL_BINARY] = eval_binary,
		[KP_CEL_AND] = eval_logic,
		[KP_CEL_OR] = eval_logic,
		[KP_CEL_CONDITIONAL] = eval_conditional,
		[KP_CEL_LOOP] = kp_cel_eval_loop,
	};

	if (!kp_cel_spend(eval, 1))
		return kp_cel_at(kp_cel_stop(eval, eval->stopped), node);
	return table[node->kind](eval, node);
}
