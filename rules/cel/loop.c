/* SPDX-License-Identifier: Apache-2.0 */
/* Macros that go over the elements of a list or the keys of a map. */
#include "rules/cel/eval_priv.h"

struct loop {
	struct kp_cel_eval *eval;
	const struct kp_cel_node *node;
	struct kp_cel_value range;
	size_t num;
	/* What comes out: the parts of a list or map, or so far. */
	struct kp_cel_value *items;
	struct kp_cel_entries entries;
	size_t num_items, num_true;
	struct kp_cel_value error; /* NULL's value: none yet */
};

/* Puts the i-th element into the variables. */
static void
bind(struct loop *loop, size_t i)
{
	struct kp_cel_value *locals = loop->eval->locals + loop->node->slot;
	struct kp_cel_entry entry;

	if (loop->range.type == KP_CEL_LIST) {
		entry.key = kp_cel_int((int64_t)i);
		entry.value = kp_cel_list_at(loop->range.as.list, i);
	} else {
		entry = kp_cel_map_at(loop->range.as.map, i);
	}
	if (loop->node->num_variables == 2) {
		locals[0] = entry.key;
		locals[1] = entry.value;
		return;
	}
	locals[0] = loop->range.type == KP_CEL_LIST ? entry.value : entry.key;
}

/* A condition: a bool or an error. */
static struct kp_cel_value
eval_condition(struct loop *loop, const struct kp_cel_node *node)
{
	struct kp_cel_value value = kp_cel_eval_node(loop->eval, node);

	if (value.type == KP_CEL_BOOL || value.type == KP_CEL_ERROR)
		return value;
	return kp_cel_at(
	    kp_cel_fail(loop->eval, "a condition must be bool, this one is %s",
		kp_cel_type_name(value)),
	    node);
}

/* all() and exists() are "&&" and "||" over all elements. */
static bool
step_logic(struct loop *loop, struct kp_cel_value *out)
{
	bool decisive = loop->node->loop == KP_CEL_EXISTS;
	struct kp_cel_value value = eval_condition(loop, loop->node->args[1]);

	if (loop->eval->stopped != KP_CEL_FAULT_NONE ||
	    (value.type == KP_CEL_BOOL && value.as.truth == decisive)) {
		*out = value;
		return false;
	}
	if (value.type == KP_CEL_ERROR && loop->error.type != KP_CEL_ERROR)
		loop->error = value;
	return true;
}

static bool
step_one(struct loop *loop, struct kp_cel_value *out)
{
	*out = eval_condition(loop, loop->node->args[1]);
	loop->num_true += out->type == KP_CEL_BOOL && out->as.truth;
	return out->type != KP_CEL_ERROR;
}

/* Does the filter let the element through? *out: an error, or no error. */
static bool
passes(struct loop *loop, struct kp_cel_value *out)
{
	*out = kp_cel_bool(true);
	if (loop->node->args[2] != NULL)
		*out = eval_condition(loop, loop->node->args[2]);
	return out->type == KP_CEL_BOOL && out->as.truth;
}

/* The body is a map whose entries are added. */
static bool
add_entries(struct loop *loop, struct kp_cel_value *out)
{
	const struct kp_cel_map *map = out->as.map;

	if (out->type != KP_CEL_MAP) {
		*out = kp_cel_at(
		    kp_cel_error("the body of transformMapEntry() must be "
				 "a map"),
		    loop->node);
		return false;
	}
	for (size_t i = 0; i < map->num; i++) {
		struct kp_cel_entry entry = kp_cel_map_at(map, i);

		*out = kp_cel_at(kp_cel_entries_add(loop->eval, &loop->entries,
				     entry.key, entry.value),
		    loop->node);
		if (out->type == KP_CEL_ERROR)
			return false;
	}
	return true;
}

static bool
step_collect(struct loop *loop, size_t i, struct kp_cel_value *out)
{
	if (!passes(loop, out))
		return out->type != KP_CEL_ERROR;
	*out = kp_cel_eval_node(loop->eval, loop->node->args[1]);
	if (out->type == KP_CEL_ERROR)
		return false;
	if (loop->node->loop == KP_CEL_TO_LIST) {
		loop->items[loop->num_items++] = *out;
		return true;
	}
	if (loop->node->loop == KP_CEL_TO_ENTRIES)
		return add_entries(loop, out);
	*out = kp_cel_at(kp_cel_entries_add(loop->eval, &loop->entries,
			     loop->range.type == KP_CEL_MAP
				 ? kp_cel_map_at(loop->range.as.map, i).key
				 : kp_cel_int((int64_t)i),
			     *out),
	    loop->node);
	return out->type != KP_CEL_ERROR;
}

/* False: *out is the result already. */
static bool
step(struct loop *loop, size_t i, struct kp_cel_value *out)
{
	if (!kp_cel_spend(loop->eval, 1)) {
		*out = kp_cel_at(
		    kp_cel_stop(loop->eval, KP_CEL_FAULT_COST), loop->node);
		return false;
	}
	bind(loop, i);
	if (loop->node->loop == KP_CEL_ALL || loop->node->loop == KP_CEL_EXISTS)
		return step_logic(loop, out);
	if (loop->node->loop == KP_CEL_EXISTS_ONE)
		return step_one(loop, out);
	return step_collect(loop, i, out);
}

static struct kp_cel_value
finish(struct loop *loop)
{
	if (loop->node->loop == KP_CEL_TO_LIST)
		return kp_cel_list_of(loop->eval, loop->items, loop->num_items);
	if (loop->node->loop == KP_CEL_TO_MAP ||
	    loop->node->loop == KP_CEL_TO_ENTRIES)
		return kp_cel_map_of(loop->eval, &loop->entries);
	if (loop->node->loop == KP_CEL_EXISTS_ONE)
		return kp_cel_bool(loop->num_true == 1);
	return kp_cel_bool(loop->node->loop == KP_CEL_ALL);
}

/* Room for as many items as there are elements; that of entries grows. */
static bool
prepare(struct loop *loop)
{
	if (loop->node->loop == KP_CEL_TO_LIST) {
		loop->items =
		    kp_cel_get(loop->eval, loop->num, sizeof(*loop->items));
		return loop->items != NULL;
	}
	return true;
}

/* optMap() and optFlatMap(): the body of what is in an optional, if anything.
 */
static struct kp_cel_value
eval_optional(struct kp_cel_eval *eval, const struct kp_cel_node *node,
    struct kp_cel_value range)
{
	struct kp_cel_value value;

	if (range.type != KP_CEL_OPTIONAL)
		return kp_cel_at(
		    kp_cel_fail(eval, "%.*s() is for an optional",
			(int)node->name.len, (const char *)node->name.data),
		    node);
	if (range.as.inner == NULL)
		return range;
	eval->locals[node->slot] = *range.as.inner;
	value = kp_cel_eval_node(eval, node->args[1]);
	if (value.type == KP_CEL_ERROR)
		return value;
	if (node->loop == KP_CEL_OPT_MAP)
		return kp_cel_some(eval, value);
	if (value.type == KP_CEL_OPTIONAL)
		return value;
	return kp_cel_at(
	    kp_cel_error("the body of optFlatMap() must be optional"), node);
}

struct kp_cel_value
kp_cel_eval_loop(struct kp_cel_eval *eval, const struct kp_cel_node *node)
{
	struct loop loop = { .eval = eval,
		.node = node,
		.range = kp_cel_eval_node(eval, node->args[0]),
		.error = kp_cel_null() };
	struct kp_cel_value result;

	if (loop.range.type == KP_CEL_ERROR)
		return loop.range;
	if (node->loop == KP_CEL_BIND) {
		eval->locals[node->slot] = loop.range;
		return kp_cel_eval_node(eval, node->args[1]);
	}
	if (node->loop == KP_CEL_OPT_MAP || node->loop == KP_CEL_OPT_FLAT_MAP)
		return eval_optional(eval, node, loop.range);
	if (loop.range.type != KP_CEL_LIST && loop.range.type != KP_CEL_MAP)
		return kp_cel_at(
		    kp_cel_fail(eval,
			"%.*s() is for a list or a map, not for %s",
			(int)node->name.len, (const char *)node->name.data,
			kp_cel_type_name(loop.range)),
		    node);
	loop.num = loop.range.type == KP_CEL_LIST ? loop.range.as.list->num
						  : loop.range.as.map->num;
	if (!prepare(&loop))
		return kp_cel_at(kp_cel_stop(eval, KP_CEL_FAULT_MEMORY), node);
	for (size_t i = 0; i < loop.num; i++)
		if (!step(&loop, i, &result))
			return result;
	if (loop.error.type == KP_CEL_ERROR)
		return loop.error;
	return kp_cel_at(finish(&loop), node);
}
