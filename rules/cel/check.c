/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks the tree and finds the type of each node from those of its parts. The
 * recursion is as deep as the tree, which the parser limits; the work on types
 * is limited by their steps. The first fault ends it.
 */
#include "rules/cel/check.h"

#include <stdarg.h>
#include <stdio.h>

#include "rules/cel/check_priv.h"

typedef struct kp_cel_static *check_node(
    struct kp_cel_checker *checker, const struct kp_cel_node *node);

struct kp_cel_static *
kp_cel_check_made(struct kp_cel_checker *checker,
    const struct kp_cel_node *node, struct kp_cel_static *type)
{
	if (type == NULL)
		(void)kp_cel_fault_set(checker->fault, KP_CEL_FAULT_LIMIT,
		    node->pos,
		    "the types of the expression need too much memory, or are "
		    "too deep");
	return type;
}

struct kp_cel_static *
kp_cel_check_refuse(struct kp_cel_checker *checker,
    const struct kp_cel_node *node, const char *fmt, ...)
{
	char text[sizeof(checker->fault->text)];
	va_list args;

	if (checker->types.is_stopped)
		return kp_cel_check_made(checker, node, NULL);
	va_start(args, fmt);
	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		text[0] = '\0';
	va_end(args);
	(void)kp_cel_fault_set(
	    checker->fault, KP_CEL_FAULT_TYPE, node->pos, "%s", text);
	return NULL;
}

static struct kp_cel_static *
plain(struct kp_cel_checker *checker, enum kp_cel_kind kind)
{
	return kp_cel_static_plain(&checker->types, kind);
}

static struct kp_cel_static *type_of(
    struct kp_cel_checker *checker, struct kp_cel_value value, uint32_t depth);

/* A list of constants, which was put together when names were resolved. */
static struct kp_cel_static *
type_of_list(struct kp_cel_checker *checker, const struct kp_cel_list *list,
    uint32_t depth)
{
	struct kp_cel_static *joined = NULL, *item;

	if (!kp_cel_types_spend(&checker->types, depth))
		return NULL;
	for (size_t i = 0; i < list->num; i++) {
		item = type_of(checker, list->items[i], depth + 1);
		if (joined != NULL && item != NULL)
			item =
			    kp_cel_static_join(&checker->types, joined, item);
		if (item == NULL)
			return NULL;
		joined = item;
	}
	if (joined == NULL)
		joined = kp_cel_static_variable(&checker->types);
	return kp_cel_static_of(&checker->types, KP_CEL_IS_LIST, joined, NULL);
}

/* As deep as the tree that the lists were made from. */
static struct kp_cel_static *
type_of(
    struct kp_cel_checker *checker, struct kp_cel_value value, uint32_t depth)
{
	static const enum kp_cel_kind kinds[KP_CEL_NUM_TYPES] = {
		[KP_CEL_NULL] = KP_CEL_IS_NULL,
		[KP_CEL_BOOL] = KP_CEL_IS_BOOL,
		[KP_CEL_INT] = KP_CEL_IS_INT,
		[KP_CEL_UINT] = KP_CEL_IS_UINT,
		[KP_CEL_DOUBLE] = KP_CEL_IS_DOUBLE,
		[KP_CEL_STRING] = KP_CEL_IS_STRING,
		[KP_CEL_BYTES] = KP_CEL_IS_BYTES,
	};
	const char *name = value.as.name;

	if (value.type == KP_CEL_LIST)
		return type_of_list(checker, value.as.list, depth);
	if (value.type == KP_CEL_TYPE)
		return kp_cel_static_of(&checker->types, KP_CEL_IS_TYPE,
		    kp_cel_static_parse(&checker->types, &name, NULL), NULL);
	return plain(checker, kinds[value.type]);
}

static struct kp_cel_static *
check_constant(struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	return kp_cel_check_made(
	    checker, node, type_of(checker, node->constant, 0));
}

/* Elements, keys or values that stand together have one type, or dyn. */
static bool
join(struct kp_cel_checker *checker, const struct kp_cel_node *node,
    struct kp_cel_static **joined)
{
	struct kp_cel_static *type = kp_cel_check_node(checker, node);

	if (type == NULL)
		return false;
	if (*joined != NULL)
		type = kp_cel_static_join(&checker->types, *joined, type);
	*joined = kp_cel_check_made(checker, node, type);
	return *joined != NULL;
}

/* What stands in an empty list is not known yet. */
static struct kp_cel_static *
or_variable(struct kp_cel_checker *checker, struct kp_cel_static *joined)
{
	return joined != NULL ? joined
			      : kp_cel_static_variable(&checker->types);
}

static struct kp_cel_static *
check_list(struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	struct kp_cel_static *item = NULL;

	for (uint32_t i = 0; i < node->num_args; i++)
		if (!join(checker, node->args[i], &item))
			return NULL;
	return kp_cel_check_made(checker, node,
	    kp_cel_static_of(&checker->types, KP_CEL_IS_LIST,
		or_variable(checker, item), NULL));
}

static struct kp_cel_static *
check_map(struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	struct kp_cel_static *key = NULL, *value = NULL;

	for (uint32_t i = 0; i < node->num_args; i += 2)
		if (!join(checker, node->args[i], &key) ||
		    !join(checker, node->args[i + 1], &value))
			return NULL;
	return kp_cel_check_made(checker, node,
	    kp_cel_static_of(&checker->types, KP_CEL_IS_MAP,
		or_variable(checker, key), or_variable(checker, value)));
}

/* What stands behind "?" is optional; the element is what is in it. */
static struct kp_cel_static *
check_maybe(struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	struct kp_cel_static *type = kp_cel_check_node(checker, node->args[0]);
	struct kp_cel_static *inner, *wanted;
	char text[KP_CEL_TYPE_TEXT_SIZE];

	if (type == NULL)
		return NULL;
	inner = kp_cel_static_variable(&checker->types);
	wanted = kp_cel_check_made(checker, node,
	    kp_cel_static_of(&checker->types, KP_CEL_IS_OPTIONAL, inner, NULL));
	if (wanted == NULL)
		return NULL;
	if (kp_cel_static_known(type)->kind == KP_CEL_IS_DYN)
		return plain(checker, KP_CEL_IS_DYN);
	if (kp_cel_static_known(type)->kind != KP_CEL_IS_NULL &&
	    kp_cel_assign(&checker->types, type, wanted))
		return inner;
	kp_cel_static_print(text, type);
	return kp_cel_check_refuse(checker, node->args[0],
	    "what stands behind \"?\" must be optional, this is %s", text);
}

static struct kp_cel_static *
check_sign(struct kp_cel_checker *checker, const struct kp_cel_node *node,
    const char *sign)
{
	struct kp_cel_static *args[3];

	for (uint32_t i = 0; i < node->num_args; i++) {
		args[i] = kp_cel_check_node(checker, node->args[i]);
		if (args[i] == NULL)
			return NULL;
	}
	return kp_cel_check_overload(checker, node, kp_bytes_of(sign),
	    KP_CEL_GLOBAL, args, node->num_args);
}

static struct kp_cel_static *
check_not(struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	return check_sign(checker, node, "!");
}

static struct kp_cel_static *
check_negate(struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	return check_sign(checker, node, "-");
}

static struct kp_cel_static *
check_binary(struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	return check_sign(checker, node, kp_cel_sign_of(node->operation));
}

static struct kp_cel_static *
check_index(struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	return check_sign(checker, node, node->is_optional ? "[?]" : "[]");
}

static struct kp_cel_static *
check_conditional(
    struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	return check_sign(checker, node, "?:");
}

struct kp_cel_static *
kp_cel_check_condition(
    struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	struct kp_cel_static *type = kp_cel_check_node(checker, node);
	struct kp_cel_static *wanted = plain(checker, KP_CEL_IS_BOOL);
	char text[KP_CEL_TYPE_TEXT_SIZE];

	if (type == NULL || kp_cel_assign(&checker->types, type, wanted))
		return type == NULL ? NULL : wanted;
	kp_cel_static_print(text, type);
	return kp_cel_check_refuse(
	    checker, node, "a condition must be bool, this one is %s", text);
}

static struct kp_cel_static *
check_logic(struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	for (uint32_t i = 0; i < node->num_args; i++)
		if (kp_cel_check_condition(checker, node->args[i]) == NULL)
			return NULL;
	return plain(checker, KP_CEL_IS_BOOL);
}

struct kp_cel_static *
kp_cel_check_node(
    struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	static check_node *const table[] = {
		[KP_CEL_CONSTANT] = check_constant,
		[KP_CEL_IDENT] = kp_cel_check_ident,
		[KP_CEL_SELECT] = kp_cel_check_select,
		[KP_CEL_INDEX] = check_index,
		[KP_CEL_CALL] = kp_cel_check_call,
		[KP_CEL_LIST_OF] = check_list,
		[KP_CEL_MAP_OF] = check_map,
		[KP_CEL_MAYBE] = check_maybe,
		[KP_CEL_NOT] = check_not,
		[KP_CEL_NEGATE] = check_negate,
		[KP_CEL_BINARY] = check_binary,
		[KP_CEL_AND] = check_logic,
		[KP_CEL_OR] = check_logic,
		[KP_CEL_CONDITIONAL] = check_conditional,
		[KP_CEL_LOOP] = kp_cel_check_loop,
	};

	return table[node->kind](checker, node);
}

/* Is it what the host wants? */
static bool
check_result(struct kp_cel_checker *checker, const struct kp_cel_node *tree,
    struct kp_cel_static *type)
{
	const char *text = checker->env->result;
	char is[KP_CEL_TYPE_TEXT_SIZE];
	struct kp_cel_static *wanted;

	if (text == NULL)
		return true;
	wanted = kp_cel_check_declared(checker, tree, text);
	if (wanted == NULL || kp_cel_assign(&checker->types, type, wanted))
		return wanted != NULL;
	kp_cel_static_print(is, type);
	return kp_cel_check_refuse(checker, tree,
		   "the expression must be %s, this one is %s",
		   checker->env->result, is) != NULL;
}

static bool
check_tree(struct kp_cel_checker *checker, const struct kp_cel_node *tree,
    struct kp_arena *arena, const char **out_type)
{
	struct kp_cel_static *type = kp_cel_check_node(checker, tree);
	char text[KP_CEL_TYPE_TEXT_SIZE];

	if (type == NULL || !check_result(checker, tree, type))
		return false;
	kp_cel_static_print(text, type);
	*out_type = kp_arena_copy(arena, kp_bytes_of(text));
	if (*out_type == NULL)
		return kp_cel_fault_set(checker->fault, KP_CEL_FAULT_LIMIT, 0,
		    "the expression needs too much memory");
	return true;
}

bool
kp_cel_check(const struct kp_cel_node *tree, const struct kp_cel_env *env,
    struct kp_arena *arena, const char **out_type, struct kp_cel_fault *fault)
{
	struct kp_cel_checker checker = { .env = env, .fault = fault };
	bool ok;

	kp_cel_types_init(&checker.types, env);
	ok = check_tree(&checker, tree, arena, out_type);
	kp_cel_types_fini(&checker.types);
	return ok;
}
