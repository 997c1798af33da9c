/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What names stand for: variables of macros first, then those of the host, with
 * the longest chain of names that is one, then types.
 */
#include <string.h>

#include "rules/cel/match.h"

/* A longer name is none that the host could have given. */
#define MAX_NAME_LEN 256

struct scope {
	const struct kp_cel_env *env;
	struct kp_cel_program *program;
	struct kp_cel_fault *fault;
	struct kp_bytes locals[KP_CEL_MAX_LOCALS];
	uint32_t num_locals;
};

static bool resolve(struct scope *scope, struct kp_cel_node *node);

/* "a.b.c" of a chain; false if it is no chain of names, or too long. */
static bool
chain_name(const struct kp_cel_node *node, char *out, size_t *at)
{
	if (node->kind == KP_CEL_SELECT) {
		if (node->is_test || node->is_optional ||
		    !chain_name(node->args[0], out, at) || *at >= MAX_NAME_LEN)
			return false;
		out[(*at)++] = '.';
	} else if (node->kind != KP_CEL_IDENT) {
		return false;
	}
	if (node->name.len > MAX_NAME_LEN - *at)
		return false;
	kp_copy(out + *at, node->name.data, node->name.len);
	*at += node->name.len;
	out[*at] = '\0';
	return true;
}

static const struct kp_cel_node *
root_of(const struct kp_cel_node *node)
{
	while (node->kind == KP_CEL_SELECT)
		node = node->args[0];
	return node;
}

static int32_t
find_local(const struct scope *scope, const struct kp_cel_node *ident)
{
	if (ident->kind != KP_CEL_IDENT || ident->is_absolute)
		return KP_CEL_NO_SLOT;
	for (uint32_t i = scope->num_locals; i-- > 0;)
		if (kp_bytes_equal(scope->locals[i], ident->name))
			return (int32_t)(KP_CEL_FIRST_LOCAL + i);
	return KP_CEL_NO_SLOT;
}

static int32_t
find_variable(const struct kp_cel_env *env, const char *prefix,
    size_t prefix_len, const char *name)
{
	for (size_t i = 0; i < env->num_variables; i++) {
		const char *variable = env->variables[i];

		if (strncmp(variable, prefix, prefix_len) != 0)
			continue;
		variable += prefix_len;
		if (prefix_len > 0 && *variable++ != '.')
			continue;
		if (strcmp(variable, name) == 0)
			return (int32_t)i;
	}
	return KP_CEL_NO_SLOT;
}

/* In the container "a.b": a.b.name, a.name, name. */
static int32_t
find_in_container(const struct kp_cel_env *env, const char *name)
{
	const char *container = env->container == NULL ? "" : env->container;
	size_t len = strlen(container);

	while (len > 0) {
		int32_t slot = find_variable(env, container, len, name);

		if (slot != KP_CEL_NO_SLOT)
			return slot;
		do {
			len--;
		} while (len > 0 && container[len] != '.');
	}
	return find_variable(env, "", 0, name);
}

static const char *
find_type(const char *name)
{
	static const char *const names[] = { "bool", "int", "uint", "double",
		"string", "bytes", "list", "map", "null_type", "type",
		"optional_type", "google.protobuf.Timestamp",
		"google.protobuf.Duration" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], name) == 0)
			return names[i];
	return NULL;
}

/* An IDENT or a chain as a whole; false: it stands for nothing. */
static bool
resolve_name(const struct scope *scope, struct kp_cel_node *node)
{
	char name[MAX_NAME_LEN + 1];
	const struct kp_cel_node *root = root_of(node);
	const char *type;
	size_t len = 0;
	int32_t slot;

	if (find_local(scope, root) != KP_CEL_NO_SLOT ||
	    !chain_name(node, name, &len))
		return false;
	slot = root->is_absolute ? find_variable(scope->env, "", 0, name)
				 : find_in_container(scope->env, name);
	type = find_type(name);
	if (slot == KP_CEL_NO_SLOT && type == NULL)
		return false;
	node->slot = slot;
	node->kind = slot == KP_CEL_NO_SLOT ? KP_CEL_CONSTANT : KP_CEL_IDENT;
	if (slot == KP_CEL_NO_SLOT)
		node->constant = kp_cel_type(type);
	return true;
}

static bool
resolve_args(struct scope *scope, struct kp_cel_node *node)
{
	for (uint32_t i = 0; i < node->num_args; i++)
		if (node->args[i] != NULL && !resolve(scope, node->args[i]))
			return false;
	return true;
}

/* "optional.of(x)" is written like a call with a receiver. */
static bool
resolve_qualified_call(struct kp_cel_node *node)
{
	char name[MAX_NAME_LEN + 1];
	size_t len = 0;

	if (!node->is_member || !chain_name(node->args[0], name, &len) ||
	    node->name.len >= MAX_NAME_LEN - len)
		return false;
	name[len++] = '.';
	kp_copy(name + len, node->name.data, node->name.len);
	node->function = kp_cel_function_find(
	    (struct kp_bytes){ (const uint8_t *)name, len + node->name.len },
	    false, node->num_args - 1);
	if (node->function == NULL)
		return false;
	node->args++;
	node->num_args--;
	return true;
}

static bool
resolve_call(struct scope *scope, struct kp_cel_node *node)
{
	if (!resolve_qualified_call(node))
		node->function = kp_cel_function_find(
		    node->name, node->is_member, node->num_args);
	return resolve_args(scope, node) &&
	       kp_cel_pattern_add(&scope->program->patterns, node,
		   &scope->program->arena, scope->fault);
}

/*
 * A list of constants is one itself, made here and not anew each time that
 * something is looked for in it.
 */
static bool
resolve_list(struct scope *scope, struct kp_cel_node *node)
{
	struct kp_cel_value *items;
	struct kp_cel_list *list;

	if (!resolve_args(scope, node))
		return false;
	for (uint32_t i = 0; i < node->num_args; i++)
		if (node->args[i]->kind != KP_CEL_CONSTANT)
			return true;
	list = kp_arena_get(&scope->program->arena, 1, sizeof(*list));
	items = kp_arena_get(
	    &scope->program->arena, node->num_args, sizeof(*items));
	if (items == NULL)
		return kp_cel_fault_set(scope->fault, KP_CEL_FAULT_LIMIT,
		    node->pos, "the expression needs too much memory");
	for (uint32_t i = 0; i < node->num_args; i++)
		items[i] = node->args[i]->constant;
	*list = (struct kp_cel_list){ .num = node->num_args, .items = items };
	node->kind = KP_CEL_CONSTANT;
	node->constant = kp_cel_list(list);
	return true;
}

/* The range does not see the variables; body and filter do. */
static bool
resolve_loop(struct scope *scope, struct kp_cel_node *node)
{
	uint32_t outside = scope->num_locals;
	bool ok;

	if (!resolve(scope, node->args[0]))
		return false;
	if (outside + node->num_variables > KP_CEL_MAX_LOCALS)
		return kp_cel_fault_set(scope->fault, KP_CEL_FAULT_LIMIT,
		    node->pos, "more than %d variables of macros at one place",
		    KP_CEL_MAX_LOCALS);
	node->slot = (int32_t)outside;
	for (uint32_t i = 0; i < node->num_variables; i++)
		scope->locals[scope->num_locals++] = node->variables[i];
	ok = resolve(scope, node->args[1]) &&
	     (node->args[2] == NULL || resolve(scope, node->args[2]));
	scope->num_locals = outside;
	return ok;
}

/* As deep as the tree, which is limited. */
static bool
resolve(struct scope *scope, struct kp_cel_node *node)
{
	if (node->kind == KP_CEL_LOOP)
		return resolve_loop(scope, node);
	if (node->kind == KP_CEL_CALL)
		return resolve_call(scope, node);
	if (node->kind == KP_CEL_LIST_OF)
		return resolve_list(scope, node);
	if (node->kind == KP_CEL_IDENT) {
		node->slot = find_local(scope, node);
		if (node->slot == KP_CEL_NO_SLOT)
			(void)resolve_name(scope, node);
		return true;
	}
	if (node->kind == KP_CEL_SELECT && resolve_name(scope, node))
		return true;
	return resolve_args(scope, node);
}

bool
kp_cel_resolve(struct kp_cel_program *program, const struct kp_cel_env *env,
    struct kp_cel_fault *fault)
{
	struct scope scope = { .env = env, .program = program, .fault = fault };

	return resolve(&scope, program->tree);
}
