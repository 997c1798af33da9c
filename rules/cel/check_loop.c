/* SPDX-License-Identifier: Apache-2.0 */
/* Types of macros: what their variables are, and what comes out. */
#include "rules/cel/check_priv.h"

/* The elements: what a loop with two variables gives to them. */
struct range {
	struct kp_cel_static *key, *value;
	bool is_list;
};

static struct kp_cel_static *
refuse_range(struct kp_cel_checker *checker, const struct kp_cel_node *node,
    const struct kp_cel_static *type, const char *wanted)
{
	char text[KP_CEL_TYPE_TEXT_SIZE];

	kp_cel_static_print(text, type);
	return kp_cel_check_refuse(checker, node,
	    "%.*s() is for %s, not for %s", (int)node->name.len,
	    (const char *)node->name.data, wanted, text);
}

/* A type that is not known yet is dyn from here on. */
static bool
is_dyn(struct kp_cel_checker *checker, struct kp_cel_static *type)
{
	struct kp_cel_static *dyn =
	    kp_cel_static_plain(&checker->types, KP_CEL_IS_DYN);

	return type->kind == KP_CEL_IS_DYN ||
	       (type->kind == KP_CEL_IS_VARIABLE &&
		   kp_cel_assign(&checker->types, dyn, type));
}

static bool
find_range(struct kp_cel_checker *checker, const struct kp_cel_node *node,
    struct range *out)
{
	struct kp_cel_static *type = kp_cel_check_node(checker, node->args[0]);

	if (type == NULL)
		return false;
	type = kp_cel_static_known(type);
	out->key = out->value =
	    kp_cel_static_plain(&checker->types, KP_CEL_IS_DYN);
	if (is_dyn(checker, type))
		return true;
	out->is_list = type->kind == KP_CEL_IS_LIST;
	out->value = type->of[out->is_list ? 0 : 1];
	out->key = out->is_list
		       ? kp_cel_static_plain(&checker->types, KP_CEL_IS_INT)
		       : type->of[0];
	return out->is_list || type->kind == KP_CEL_IS_MAP ||
	       refuse_range(checker, node, type, "a list or a map") != NULL;
}

static void
add_local(struct kp_cel_checker *checker, struct kp_bytes name,
    struct kp_cel_static *type)
{
	checker->locals[checker->num_locals] = type;
	checker->local_names[checker->num_locals++] = name;
}

static struct kp_cel_static *
check_entries(struct kp_cel_checker *checker, const struct kp_cel_node *body)
{
	struct kp_cel_static *type = kp_cel_check_node(checker, body), *wanted;
	char text[KP_CEL_TYPE_TEXT_SIZE];

	if (type == NULL)
		return NULL;
	wanted = kp_cel_check_made(checker, body,
	    kp_cel_static_of(&checker->types, KP_CEL_IS_MAP,
		kp_cel_static_variable(&checker->types),
		kp_cel_static_variable(&checker->types)));
	if (wanted == NULL || kp_cel_assign(&checker->types, type, wanted))
		return wanted;
	kp_cel_static_print(text, type);
	return kp_cel_check_refuse(checker, body,
	    "the body of transformMapEntry() must be a map, this is %s", text);
}

/* What the loop gives, with its variables in sight. */
static struct kp_cel_static *
check_body(struct kp_cel_checker *checker, const struct kp_cel_node *node,
    const struct range *range)
{
	struct kp_cel_types *types = &checker->types;
	const struct kp_cel_node *body = node->args[1];
	struct kp_cel_static *type;

	if (node->args[2] != NULL &&
	    kp_cel_check_condition(checker, node->args[2]) == NULL)
		return NULL;
	if (node->loop == KP_CEL_ALL || node->loop == KP_CEL_EXISTS ||
	    node->loop == KP_CEL_EXISTS_ONE)
		return kp_cel_check_condition(checker, body);
	if (node->loop == KP_CEL_TO_ENTRIES)
		return check_entries(checker, body);
	type = kp_cel_check_node(checker, body);
	if (type == NULL)
		return NULL;
	return kp_cel_check_made(checker, node,
	    node->loop == KP_CEL_TO_LIST
		? kp_cel_static_of(types, KP_CEL_IS_LIST, type, NULL)
		: kp_cel_static_of(types, KP_CEL_IS_MAP, range->key, type));
}

static struct kp_cel_static *
check_elements(struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	struct range range = { .is_list = false };

	if (!find_range(checker, node, &range))
		return NULL;
	if (node->num_variables == 2) {
		add_local(checker, node->variables[0], range.key);
		add_local(checker, node->variables[1], range.value);
	} else {
		add_local(checker, node->variables[0],
		    range.is_list ? range.value : range.key);
	}
	return check_body(checker, node, &range);
}

static struct kp_cel_static *
check_bind(struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	struct kp_cel_static *type = kp_cel_check_node(checker, node->args[0]);

	if (type == NULL)
		return NULL;
	add_local(checker, node->variables[0], type);
	return kp_cel_check_node(checker, node->args[1]);
}

static struct kp_cel_static *
optional_of(struct kp_cel_checker *checker, const struct kp_cel_node *node,
    struct kp_cel_static *inner)
{
	return kp_cel_check_made(checker, node,
	    kp_cel_static_of(&checker->types, KP_CEL_IS_OPTIONAL, inner, NULL));
}

/* optMap() and optFlatMap(). */
static struct kp_cel_static *
check_optional(struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	struct kp_cel_types *types = &checker->types;
	struct kp_cel_static *type = kp_cel_check_node(checker, node->args[0]);
	struct kp_cel_static *inner = kp_cel_static_variable(types), *wanted;

	wanted = type == NULL ? NULL : optional_of(checker, node, inner);
	if (wanted == NULL)
		return NULL;
	if (!kp_cel_assign(types, type, wanted))
		return refuse_range(checker, node, type, "an optional");
	if (is_dyn(checker, kp_cel_static_known(type)))
		inner = kp_cel_static_plain(types, KP_CEL_IS_DYN);
	add_local(checker, node->variables[0], inner);
	type = kp_cel_check_node(checker, node->args[1]);
	if (type == NULL)
		return NULL;
	if (node->loop == KP_CEL_OPT_MAP)
		return optional_of(checker, node, type);
	wanted = optional_of(checker, node, kp_cel_static_variable(types));
	if (wanted == NULL || kp_cel_assign(types, type, wanted))
		return wanted;
	return kp_cel_check_refuse(checker, node->args[1],
	    "the body of optFlatMap() must be optional");
}

struct kp_cel_static *
kp_cel_check_loop(
    struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	uint32_t outside = checker->num_locals;
	struct kp_cel_static *type;

	if (node->loop == KP_CEL_BIND)
		type = check_bind(checker, node);
	else if (node->loop == KP_CEL_OPT_MAP ||
		 node->loop == KP_CEL_OPT_FLAT_MAP)
		type = check_optional(checker, node);
	else
		type = check_elements(checker, node);
	checker->num_locals = outside;
	return type;
}
