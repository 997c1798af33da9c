/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that are no functions: they decide themselves what is evaluated. */
#include "rules/cel/parse_priv.h"

struct macro {
	const char *name;
	uint32_t num_args; /* without the receiver */
	enum kp_cel_loop loop;
	uint32_t num_variables;
	bool has_filter; /* between variables and body */
};

static const struct macro macros[] = {
	{ "all", 2, KP_CEL_ALL, 1, false },
	{ "all", 3, KP_CEL_ALL, 2, false },
	{ "exists", 2, KP_CEL_EXISTS, 1, false },
	{ "exists", 3, KP_CEL_EXISTS, 2, false },
	{ "exists_one", 2, KP_CEL_EXISTS_ONE, 1, false },
	{ "exists_one", 3, KP_CEL_EXISTS_ONE, 2, false },
	{ "existsOne", 2, KP_CEL_EXISTS_ONE, 1, false },
	{ "existsOne", 3, KP_CEL_EXISTS_ONE, 2, false },
	{ "map", 2, KP_CEL_TO_LIST, 1, false },
	{ "map", 3, KP_CEL_TO_LIST, 1, true },
	{ "filter", 2, KP_CEL_TO_LIST, 1, true },
	{ "transformList", 3, KP_CEL_TO_LIST, 2, false },
	{ "transformList", 4, KP_CEL_TO_LIST, 2, true },
	{ "transformMap", 3, KP_CEL_TO_MAP, 2, false },
	{ "transformMap", 4, KP_CEL_TO_MAP, 2, true },
	{ "transformMapEntry", 3, KP_CEL_TO_ENTRIES, 2, false },
	{ "transformMapEntry", 4, KP_CEL_TO_ENTRIES, 2, true },
	{ "optMap", 2, KP_CEL_OPT_MAP, 1, false },
	{ "optFlatMap", 2, KP_CEL_OPT_FLAT_MAP, 1, false },
};

static const struct macro *
find_macro(const struct kp_cel_node *call)
{
	for (size_t i = 0; i < sizeof(macros) / sizeof(*macros); i++)
		if (macros[i].num_args + 1 == call->num_args &&
		    kp_bytes_equal(call->name, kp_bytes_of(macros[i].name)))
			return &macros[i];
	return NULL;
}

static struct kp_cel_node *
refuse(
    struct kp_cel_parser *p, const struct kp_cel_node *node, const char *text)
{
	(void)kp_cel_fault_set(
	    p->fault, KP_CEL_FAULT_SYNTAX, node->pos, "%s", text);
	return NULL;
}

static struct kp_cel_node *
expand_has(struct kp_cel_parser *p, struct kp_cel_node *call)
{
	struct kp_cel_node *select = call->args[0];

	if (select->kind != KP_CEL_SELECT || select->is_test)
		return refuse(p, select,
		    "has() asks for a field: has(a.b), of what is written "
		    "there");
	select->is_test = true;
	return select;
}

/* The arguments in front are the variables' names. */
static bool
take_variables(struct kp_cel_parser *p, const struct kp_cel_node *call,
    struct kp_cel_node *loop)
{
	for (uint32_t i = 0; i < loop->num_variables; i++) {
		const struct kp_cel_node *name = call->args[i + 1];

		if (name->kind != KP_CEL_IDENT || name->is_absolute)
			return refuse(p, name,
				   "expected the name of a variable of the "
				   "macro") != NULL;
		loop->variables[i] = name->name;
	}
	if (loop->num_variables == 2 &&
	    kp_bytes_equal(loop->variables[0], loop->variables[1]))
		return refuse(p, call->args[2],
			   "both variables of the macro have this name") !=
		       NULL;
	return true;
}

/* filter() has no body: it keeps the element, the last variable. */
static struct kp_cel_node *
body_of(struct kp_cel_node *call, const struct macro *macro)
{
	uint32_t at = 1 + macro->num_variables + macro->has_filter;

	return call->args[at < call->num_args ? at : macro->num_variables];
}

static struct kp_cel_node *
expand_loop(struct kp_cel_parser *p, struct kp_cel_node *call,
    const struct macro *macro)
{
	struct kp_cel_node *three[3] = { call->args[0], body_of(call, macro),
		NULL };
	struct kp_cel_nodes parts = { three, 3, 3 };
	struct kp_cel_node *loop = kp_cel_node_new(p, KP_CEL_LOOP, call->pos);

	if (loop == NULL)
		return NULL;
	loop->loop = macro->loop;
	loop->name = call->name;
	loop->num_variables = macro->num_variables;
	if (macro->has_filter)
		three[2] = call->args[1 + macro->num_variables];
	if (!take_variables(p, call, loop))
		return NULL;
	return kp_cel_node_close(p, loop, &parts);
}

/* cel.bind(name, value, expression): "cel" is no receiver, but part of a name.
 */
static struct kp_cel_node *
expand_bind(struct kp_cel_parser *p, struct kp_cel_node *call)
{
	struct kp_cel_node *three[3] = { call->args[2], call->args[3], NULL };
	struct kp_cel_nodes parts = { three, 3, 3 };
	struct kp_cel_node *loop = kp_cel_node_new(p, KP_CEL_LOOP, call->pos);

	if (loop == NULL)
		return NULL;
	loop->loop = KP_CEL_BIND;
	loop->name = call->name;
	loop->num_variables = 1;
	if (!take_variables(p, call, loop))
		return NULL;
	return kp_cel_node_close(p, loop, &parts);
}

static bool
is_bind(const struct kp_cel_node *call)
{
	return call->num_args == 4 && call->args[0]->kind == KP_CEL_IDENT &&
	       kp_bytes_equal(call->args[0]->name, kp_bytes_of("cel")) &&
	       kp_bytes_equal(call->name, kp_bytes_of("bind"));
}

struct kp_cel_node *
kp_cel_macro_expand(struct kp_cel_parser *p, struct kp_cel_node *call)
{
	const struct macro *macro;

	if (!call->is_member)
		return call->num_args == 1 &&
			       kp_bytes_equal(call->name, kp_bytes_of("has"))
			   ? expand_has(p, call)
			   : call;
	if (is_bind(call))
		return expand_bind(p, call);
	macro = find_macro(call);
	return macro == NULL ? call : expand_loop(p, call, macro);
}
