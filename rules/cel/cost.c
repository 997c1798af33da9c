/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goes over the tree once. An error ends what it is in, so that its sentence is
 * paid once for the whole expression, and once for each operand and element
 * where it may be absorbed.
 */
#include "rules/cel/cost.h"

#define ADD kp_cel_bound_add
#define MUL kp_cel_bound_mul
/* Bytes that bounds may take; what does not fit has none. */
#define MAX_BOUNDS_LEN KP_CEL_MAX_TREE_LEN

struct walk {
	const struct kp_cel_env *env;
	struct kp_arena arena;
	const struct kp_cel_bound *locals[KP_CEL_MAX_LOCALS];
	uint64_t times; /* that this place is come to */
	struct kp_cel_estimate *out;
};

/* What a part costs, and how large its value is. */
struct part {
	uint64_t min, max;
	const struct kp_cel_bound *bound;
};

static struct part walk(struct walk *w, const struct kp_cel_node *node);

uint64_t
kp_cel_cost_of_bytes(uint64_t len, uint64_t bytes_a_step)
{
	return len == KP_CEL_NO_BOUND ? len : len / bytes_a_step;
}

static uint64_t
bytes(uint64_t len)
{
	return kp_cel_cost_of_bytes(len, KP_CEL_BYTES_A_STEP);
}

uint64_t
kp_cel_cost_of_lookup(uint64_t num, uint64_t key_len)
{
	return ADD(1, MUL(num, ADD(1, bytes(key_len))));
}

/* Room is doubled: all that was ever made is twice the last, which is less than
 * twice the text. */
uint64_t
kp_cel_cost_of_text(uint64_t len)
{
	return kp_cel_cost_of_bytes(len, KP_CEL_BYTES_A_STEP / 4);
}

/* Each entry is looked for among those before it. */
static uint64_t
cost_of_entries(uint64_t num, const struct kp_cel_bound *key)
{
	return MUL(num, kp_cel_cost_of_lookup(num, key->len));
}

/* As same() of compare.c; a is the deeper one where it matters. */
static uint64_t
cost_of_equal(const struct kp_cel_bound *a, const struct kp_cel_bound *b)
{
	uint64_t num = a->len < b->len ? a->len : b->len, each;

	if (a == &kp_cel_unbounded)
		return KP_CEL_NO_BOUND;
	if (a->value == NULL || b->value == NULL)
		return ADD(1, bytes(a->len));
	each = cost_of_equal(a->value, b->value);
	if (a->key != NULL)
		each = ADD(each, kp_cel_cost_of_lookup(b->len, a->key->len));
	return ADD(ADD(1, bytes(a->len)), MUL(num, each));
}

/* Adds what node itself costs, and keeps the place where that is most. */
static void
add_own(struct walk *w, struct part *part, const struct kp_cel_node *node,
    uint64_t own)
{
	uint64_t total = MUL(w->times, own);

	part->max = ADD(part->max, own);
	if (total <= w->out->of_worst)
		return;
	w->out->of_worst = total;
	w->out->pos = node->pos;
}

/* The node, and some of its parts. */
static struct part
begin(void)
{
	return (struct part){ .min = 1, .max = 1, .bound = &kp_cel_scalar };
}

static const struct kp_cel_bound *
add_arg(struct walk *w, struct part *part, const struct kp_cel_node *arg)
{
	struct part other = walk(w, arg);

	part->min = ADD(part->min, other.min);
	part->max = ADD(part->max, other.max);
	return other.bound;
}

static struct part
walk_constant(struct walk *w, const struct kp_cel_node *node)
{
	struct part part = begin();

	part.bound = kp_cel_bound_value(&w->arena, node->constant);
	return part;
}

static struct part
walk_ident(struct walk *w, const struct kp_cel_node *node)
{
	const char *const *types = w->env->types;
	struct part part = begin();

	if (node->slot >= KP_CEL_FIRST_LOCAL)
		part.bound = w->locals[node->slot - KP_CEL_FIRST_LOCAL];
	else if (node->slot >= 0)
		part.bound = kp_cel_bound_declared(&w->arena, w->env,
		    types == NULL ? NULL : types[node->slot]);
	return part;
}

static const struct kp_cel_bound *
field_of(struct walk *w, const struct kp_cel_object_type *object,
    struct kp_bytes name)
{
	for (size_t i = 0; i < object->num_fields; i++)
		if (kp_bytes_equal(name, kp_bytes_of(object->fields[i].name)))
			return kp_cel_bound_declared(
			    &w->arena, w->env, object->fields[i].type);
	return &kp_cel_scalar;
}

/* What is in an optional, or what it is. */
static const struct kp_cel_bound *
inner_of(const struct kp_cel_bound *bound)
{
	return bound->is_optional ? bound->value : bound;
}

static struct part
walk_select(struct walk *w, const struct kp_cel_node *node)
{
	struct part part = begin();
	const struct kp_cel_bound *whole = add_arg(w, &part, node->args[0]);
	const struct kp_cel_bound *of = inner_of(whole);

	if (of->value != NULL && of->object != NULL)
		of = &kp_cel_unbounded;
	if (of->object != NULL)
		part.bound = field_of(w, of->object, node->name);
	else if (of->value != NULL)
		part.bound = of->value;
	add_own(w, &part, node,
	    of->key == NULL ? 0
			    : kp_cel_cost_of_lookup(of->len, node->name.len));
	if (node->is_test)
		part.bound = &kp_cel_scalar;
	else if (whole->is_optional || node->is_optional)
		part.bound = kp_cel_bound_optional(&w->arena, part.bound);
	return part;
}

static struct part
walk_index(struct walk *w, const struct kp_cel_node *node)
{
	struct part part = begin();
	const struct kp_cel_bound *whole = add_arg(w, &part, node->args[0]);
	const struct kp_cel_bound *of = inner_of(whole), *key;
	uint64_t min = part.min;

	key = add_arg(w, &part, node->args[1]);
	if (whole->is_optional) /* of none nothing is asked for */
		part.min = min;
	if (of->value != NULL)
		part.bound = of->value;
	add_own(w, &part, node,
	    of->key == NULL ? 0 : kp_cel_cost_of_lookup(of->len, key->len));
	if (whole->is_optional || node->is_optional)
		part.bound = kp_cel_bound_optional(&w->arena, part.bound);
	return part;
}

static struct part
walk_call(struct walk *w, const struct kp_cel_node *node)
{
	struct kp_cel_cost_call call = { .arena = &w->arena, .node = node };
	struct part part = begin();
	uint64_t min = part.min;

	for (uint32_t i = 0; i < node->num_args; i++) {
		call.args[i] = add_arg(w, &part, node->args[i]);
		min = i == 0 ? part.min : min;
	}
	if (node->function == NULL)
		return part;
	add_own(w, &part, node, kp_cel_cost_of_call(&call, &part.bound));
	if (kp_cel_function_is_lazy(node->function))
		part.min = min;
	return part;
}

/* What an element behind "?" leaves. */
static const struct kp_cel_bound *
add_item(struct walk *w, struct part *part, const struct kp_cel_node *item)
{
	const struct kp_cel_bound *bound = add_arg(w, part, item);

	return item->kind == KP_CEL_MAYBE ? inner_of(bound) : bound;
}

static struct part
walk_list(struct walk *w, const struct kp_cel_node *node)
{
	struct part part = begin();
	const struct kp_cel_bound *items = &kp_cel_scalar;

	for (uint32_t i = 0; i < node->num_args; i++)
		items = kp_cel_bound_join(
		    &w->arena, items, add_item(w, &part, node->args[i]));
	part.bound = kp_cel_bound_list(&w->arena, node->num_args, items);
	return part;
}

static struct part
walk_map(struct walk *w, const struct kp_cel_node *node)
{
	struct part part = begin();
	const struct kp_cel_bound *keys = &kp_cel_scalar;
	const struct kp_cel_bound *values = &kp_cel_scalar;

	for (uint32_t i = 0; i < node->num_args; i += 2) {
		keys = kp_cel_bound_join(
		    &w->arena, keys, add_arg(w, &part, node->args[i]));
		values = kp_cel_bound_join(
		    &w->arena, values, add_item(w, &part, node->args[i + 1]));
	}
	add_own(w, &part, node, cost_of_entries(node->num_args / 2, keys));
	part.bound =
	    kp_cel_bound_map(&w->arena, node->num_args / 2, keys, values);
	return part;
}

/* !, -, and what stands behind "?". */
static struct part
walk_single(struct walk *w, const struct kp_cel_node *node)
{
	struct part part = begin();

	part.bound = add_arg(w, &part, node->args[0]);
	return part;
}

static struct part
walk_binary(struct walk *w, const struct kp_cel_node *node)
{
	struct part part = begin();
	const struct kp_cel_bound *a = add_arg(w, &part, node->args[0]);
	const struct kp_cel_bound *b = add_arg(w, &part, node->args[1]);
	struct kp_cel_bound sum;
	uint64_t own = 0;

	if (node->operation == KP_CEL_EQUALS ||
	    node->operation == KP_CEL_DIFFERS)
		own = cost_of_equal(a, b);
	else if (node->operation == KP_CEL_IN && b->key != NULL)
		own = kp_cel_cost_of_lookup(b->len, a->len);
	else if (node->operation == KP_CEL_IN && b->value != NULL)
		own = MUL(b->len, cost_of_equal(a, b->value));
	else if (node->operation < KP_CEL_IN)
		own = bytes(a->len);
	if (node->operation >= KP_CEL_ADD) {
		sum = *kp_cel_bound_join(&w->arena, a, b);
		sum.len = ADD(a->len, b->len);
		own = sum.value == NULL ? bytes(sum.len) : sum.len;
		part.bound = kp_cel_bound_keep(&w->arena, sum);
	}
	add_own(w, &part, node, own);
	return part;
}

/*
 * One operand may decide, the others be errors that nobody hears of: the first
 * one decides, or there are two of one step at least.
 */
static struct part
walk_logic(struct walk *w, const struct kp_cel_node *node)
{
	struct part part = begin();
	uint64_t min = 1 + 2;

	for (uint32_t i = 0; i < node->num_args; i++) {
		(void)add_arg(w, &part, node->args[i]);
		min = part.min < min ? part.min : min;
	}
	add_own(w, &part, node,
	    (node->num_args + UINT64_C(1)) * KP_CEL_STEPS_OF_SENTENCE);
	part.min = min;
	return part;
}

static struct part
walk_conditional(struct walk *w, const struct kp_cel_node *node)
{
	struct part part = begin(), first, second;

	(void)add_arg(w, &part, node->args[0]);
	first = walk(w, node->args[1]);
	second = walk(w, node->args[2]);
	part.min =
	    ADD(part.min, first.min < second.min ? first.min : second.min);
	part.max =
	    ADD(part.max, first.max > second.max ? first.max : second.max);
	part.bound = kp_cel_bound_join(&w->arena, first.bound, second.bound);
	return part;
}

static struct part
walk_bind(struct walk *w, const struct kp_cel_node *node)
{
	struct part part = begin();
	const struct kp_cel_bound *range = add_arg(w, &part, node->args[0]);
	uint64_t min = part.min;

	w->locals[node->slot] =
	    node->loop == KP_CEL_BIND ? range : inner_of(range);
	part.bound = add_arg(w, &part, node->args[1]);
	if (node->loop != KP_CEL_BIND) /* there may be nothing in it */
		part.min = min;
	if (node->loop == KP_CEL_OPT_MAP)
		part.bound = kp_cel_bound_optional(&w->arena, part.bound);
	return part;
}

static void
bind_elements(struct walk *w, const struct kp_cel_node *node,
    const struct kp_cel_bound *range)
{
	const struct kp_cel_bound **locals = w->locals + node->slot;
	const struct kp_cel_bound *key =
	    range->key == NULL ? &kp_cel_scalar : range->key;
	const struct kp_cel_bound *value =
	    range->value == NULL ? &kp_cel_scalar : range->value;

	if (node->num_variables == 2) {
		locals[0] = key;
		locals[1] = value;
		return;
	}
	locals[0] = range->key == NULL ? value : key;
}

/* What comes out of num elements whose body is this, and what that costs. */
static uint64_t
collect(struct walk *w, const struct kp_cel_node *node,
    const struct kp_cel_bound *range, struct part *part)
{
	const struct kp_cel_bound *body = part->bound;
	const struct kp_cel_bound *key =
	    range->key == NULL ? &kp_cel_scalar : range->key;
	uint64_t num = range->len;

	part->bound = &kp_cel_scalar;
	if (node->loop == KP_CEL_ALL || node->loop == KP_CEL_EXISTS)
		return MUL(num, 1 + KP_CEL_STEPS_OF_SENTENCE);
	if (node->loop == KP_CEL_EXISTS_ONE)
		return num;
	if (node->loop == KP_CEL_TO_LIST) {
		part->bound = kp_cel_bound_list(&w->arena, num, body);
		return num;
	}
	if (node->loop == KP_CEL_TO_MAP) {
		part->bound = kp_cel_bound_map(&w->arena, num, key, body);
		return ADD(num, cost_of_entries(num, key));
	}
	if (body->key == NULL)
		return num;
	part->bound = kp_cel_bound_map(
	    &w->arena, MUL(num, body->len), body->key, body->value);
	return ADD(num, cost_of_entries(MUL(num, body->len), body->key));
}

static struct part
walk_loop(struct walk *w, const struct kp_cel_node *node)
{
	struct part part = begin(), body = { .min = 0 };
	const struct kp_cel_bound *range;
	uint64_t times = w->times;

	if (node->loop == KP_CEL_BIND || node->loop == KP_CEL_OPT_MAP ||
	    node->loop == KP_CEL_OPT_FLAT_MAP)
		return walk_bind(w, node);
	range = add_arg(w, &part, node->args[0]);
	bind_elements(w, node, range);
	w->times = MUL(times, range->len);
	if (node->args[2] != NULL)
		(void)add_arg(w, &body, node->args[2]);
	body.bound = add_arg(w, &body, node->args[1]);
	w->times = times;
	part.max = ADD(part.max, MUL(range->len, body.max));
	add_own(w, &part, node, collect(w, node, range, &body));
	part.bound = body.bound;
	return part;
}

/* As deep as the tree, which is limited. */
static struct part
walk(struct walk *w, const struct kp_cel_node *node)
{
	static struct part (*const table[])(
	    struct walk *, const struct kp_cel_node *) = {
		[KP_CEL_CONSTANT] = walk_constant,
		[KP_CEL_IDENT] = walk_ident,
		[KP_CEL_SELECT] = walk_select,
		[KP_CEL_INDEX] = walk_index,
		[KP_CEL_CALL] = walk_call,
		[KP_CEL_LIST_OF] = walk_list,
		[KP_CEL_MAP_OF] = walk_map,
		[KP_CEL_MAYBE] = walk_single,
		[KP_CEL_NOT] = walk_single,
		[KP_CEL_NEGATE] = walk_single,
		[KP_CEL_BINARY] = walk_binary,
		[KP_CEL_AND] = walk_logic,
		[KP_CEL_OR] = walk_logic,
		[KP_CEL_CONDITIONAL] = walk_conditional,
		[KP_CEL_LOOP] = walk_loop,
	};

	return table[node->kind](w, node);
}

struct kp_cel_estimate
kp_cel_estimate_tree(
    const struct kp_cel_node *tree, const struct kp_cel_env *env)
{
	struct kp_cel_estimate out = { .pos = tree->pos };
	struct walk w = { .env = env, .times = 1, .out = &out };
	struct part part;

	kp_arena_init(&w.arena, MAX_BOUNDS_LEN);
	part = walk(&w, tree);
	kp_arena_fini(&w.arena);
	out.min = part.min;
	out.max = ADD(part.max, KP_CEL_STEPS_OF_SENTENCE);
	return out;
}
