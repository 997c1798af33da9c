/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which types may stand for which, as the specification's chapter on gradual
 * type checking has it. A variable is bound to the first type that it meets,
 * and to a more general one if it meets that later.
 */
#include "rules/cel/types.h"

struct kp_cel_binding {
	struct kp_cel_binding *before;
	struct kp_cel_static *variable, *old;
};

static bool assign(struct kp_cel_types *types, struct kp_cel_static *from,
    struct kp_cel_static *to, uint32_t depth);

static bool
has_parts(const struct kp_cel_static *type)
{
	return type->kind >= KP_CEL_IS_LIST && type->kind <= KP_CEL_IS_TYPE;
}

struct kp_cel_static *
kp_cel_static_known(struct kp_cel_static *type)
{
	while (type->kind == KP_CEL_IS_VARIABLE && type->bound != NULL)
		type = type->bound;
	return type;
}

static struct kp_cel_static *
settle(struct kp_cel_types *types, struct kp_cel_static *type, uint32_t depth)
{
	struct kp_cel_static *first, *second = NULL;

	if (!kp_cel_types_spend(types, depth))
		return NULL;
	type = kp_cel_static_known(type);
	if (!has_parts(type))
		return type;
	first = settle(types, type->of[0], depth + 1);
	if (type->kind == KP_CEL_IS_MAP)
		second = settle(types, type->of[1], depth + 1);
	if (first == type->of[0] &&
	    (type->kind != KP_CEL_IS_MAP || second == type->of[1]))
		return type;
	return kp_cel_static_of(types, type->kind, first, second);
}

struct kp_cel_static *
kp_cel_static_settle(struct kp_cel_types *types, struct kp_cel_static *type)
{
	return settle(types, type, 0);
}

static bool
is_open(struct kp_cel_types *types, struct kp_cel_static *type, uint32_t depth)
{
	if (!kp_cel_types_spend(types, depth))
		return true;
	type = kp_cel_static_known(type);
	if (type->kind == KP_CEL_IS_DYN || type->kind == KP_CEL_IS_VARIABLE)
		return true;
	return has_parts(type) &&
	       (is_open(types, type->of[0], depth + 1) ||
		   (type->kind == KP_CEL_IS_MAP &&
		       is_open(types, type->of[1], depth + 1)));
}

bool
kp_cel_static_is_open(struct kp_cel_types *types, struct kp_cel_static *type)
{
	return is_open(types, type, 0);
}

/* Would variable be inside of itself? */
static bool
is_inside(struct kp_cel_types *types, const struct kp_cel_static *variable,
    struct kp_cel_static *type, uint32_t depth)
{
	if (!kp_cel_types_spend(types, depth))
		return true;
	if (type == variable)
		return true;
	if (type->kind == KP_CEL_IS_VARIABLE)
		return type->bound != NULL &&
		       is_inside(types, variable, type->bound, depth + 1);
	return has_parts(type) &&
	       (is_inside(types, variable, type->of[0], depth + 1) ||
		   (type->kind == KP_CEL_IS_MAP &&
		       is_inside(types, variable, type->of[1], depth + 1)));
}

static bool
bind(struct kp_cel_types *types, struct kp_cel_static *variable,
    struct kp_cel_static *type)
{
	struct kp_cel_binding *binding =
	    kp_arena_get(&types->arena, 1, sizeof(*binding));

	if (binding == NULL) {
		types->is_stopped = true;
		return false;
	}
	*binding = (struct kp_cel_binding){ types->bindings, variable,
		variable->bound };
	types->bindings = binding;
	variable->bound = type;
	return true;
}

void
kp_cel_types_undo(struct kp_cel_types *types, struct kp_cel_binding *mark)
{
	while (types->bindings != mark) {
		types->bindings->variable->bound = types->bindings->old;
		types->bindings = types->bindings->before;
	}
}

/* null stands for what may be absent. */
static bool
takes_null(const struct kp_cel_static *type)
{
	return type->kind == KP_CEL_IS_NULL || type->kind == KP_CEL_IS_OBJECT ||
	       type->kind == KP_CEL_IS_OPTIONAL ||
	       type->kind == KP_CEL_IS_TIMESTAMP ||
	       type->kind == KP_CEL_IS_DURATION;
}

/* Says a at most what b says? What is dyn says nothing. */
static bool
is_as_general(struct kp_cel_types *types, struct kp_cel_static *a,
    struct kp_cel_static *b, uint32_t depth)
{
	if (!kp_cel_types_spend(types, depth))
		return false;
	a = kp_cel_static_known(a);
	b = kp_cel_static_known(b);
	if (a->kind == KP_CEL_IS_DYN || a->kind == KP_CEL_IS_VARIABLE)
		return true;
	if (b->kind == KP_CEL_IS_NULL)
		return takes_null(a);
	if (a->kind != b->kind || a->object != b->object)
		return false;
	if (!has_parts(a) || a->kind == KP_CEL_IS_TYPE)
		return true;
	return is_as_general(types, a->of[0], b->of[0], depth + 1) &&
	       (a->kind != KP_CEL_IS_MAP ||
		   is_as_general(types, a->of[1], b->of[1], depth + 1));
}

static struct kp_cel_static *
most_general(struct kp_cel_types *types, struct kp_cel_static *a,
    struct kp_cel_static *b)
{
	return is_as_general(types, a, b, 0) ? a : b;
}

bool
kp_cel_static_is_same(struct kp_cel_types *types, struct kp_cel_static *a,
    struct kp_cel_static *b)
{
	return is_as_general(types, a, b, 0) && is_as_general(types, b, a, 0);
}

/* May type be what variable stands for? */
static bool
assign_variable(struct kp_cel_types *types, struct kp_cel_static *type,
    struct kp_cel_static *variable, uint32_t depth)
{
	struct kp_cel_static *bound = variable->bound, *general;

	if (type == variable || type == bound)
		return true;
	if (bound == NULL)
		return !is_inside(types, variable, type, depth) &&
		       bind(types, variable, type);
	if (!assign(types, type, bound, depth + 1))
		return false;
	general = most_general(types, type, bound);
	if (general == bound || is_inside(types, variable, general, depth))
		return !types->is_stopped;
	return bind(types, variable, general);
}

static bool
is_number(struct kp_cel_static *type)
{
	type = kp_cel_static_known(type);
	return type->kind == KP_CEL_IS_INT || type->kind == KP_CEL_IS_UINT ||
	       type->kind == KP_CEL_IS_DOUBLE || type->kind == KP_CEL_IS_DYN ||
	       type->kind == KP_CEL_IS_VARIABLE;
}

/* Neither is a variable. */
static bool
assign_known(struct kp_cel_types *types, struct kp_cel_static *from,
    struct kp_cel_static *to, uint32_t depth)
{
	if (from->kind == KP_CEL_IS_DYN || to->kind == KP_CEL_IS_DYN)
		return true;
	if (from->kind == KP_CEL_IS_NULL)
		return takes_null(to);
	if (to->kind == KP_CEL_IS_NULL)
		return takes_null(from);
	if (from->kind != to->kind || from->object != to->object)
		return false;
	if (!has_parts(from) || from->kind == KP_CEL_IS_TYPE)
		return true;
	return assign(types, from->of[0], to->of[0], depth + 1) &&
	       (from->kind != KP_CEL_IS_MAP ||
		   assign(types, from->of[1], to->of[1], depth + 1));
}

static bool
assign(struct kp_cel_types *types, struct kp_cel_static *from,
    struct kp_cel_static *to, uint32_t depth)
{
	if (!kp_cel_types_spend(types, depth))
		return false;
	if (to->kind == KP_CEL_IS_NUMBER)
		return is_number(from);
	if (to->kind == KP_CEL_IS_VARIABLE) {
		bool is_bound = to->bound != NULL;

		if (assign_variable(types, from, to, depth))
			return true;
		if (is_bound)
			return false;
	}
	if (from->kind == KP_CEL_IS_VARIABLE)
		return assign_variable(types, to, from, depth);
	return assign_known(types, from, to, depth);
}

bool
kp_cel_assign(struct kp_cel_types *types, struct kp_cel_static *from,
    struct kp_cel_static *to)
{
	struct kp_cel_binding *mark = types->bindings;

	if (assign(types, from, to, 0) && !types->is_stopped)
		return true;
	kp_cel_types_undo(types, mark);
	return false;
}

struct kp_cel_static *
kp_cel_static_join(struct kp_cel_types *types, struct kp_cel_static *a,
    struct kp_cel_static *b)
{
	if (kp_cel_assign(types, a, b))
		return most_general(types, a, b);
	return types->is_stopped ? NULL
				 : kp_cel_static_plain(types, KP_CEL_IS_DYN);
}
