/* SPDX-License-Identifier: Apache-2.0 */
/* Types of variables, fields and calls, and what somebody may have meant. */
#include <stdio.h>

#include "base/text.h"
#include "rules/cel/check_priv.h"

#define MAX_SHOWN 64 /* of a name, in a sentence */

/* Names that may have been meant. */
struct words {
	const char **list;
	size_t num;
};

static bool
make_words(struct kp_cel_checker *checker, size_t num, struct words *out)
{
	out->num = 0;
	out->list =
	    kp_arena_get(&checker->types.arena, num + 1, sizeof(*out->list));
	if (out->list == NULL)
		checker->types.is_stopped = true;
	return out->list != NULL;
}

/* `; did you mean "x"?`, or nothing. */
static void
add_hint(char out[MAX_SHOWN * 2], const char *near)
{
	out[0] = '\0';
	if (near != NULL)
		(void)snprintf(
		    out, MAX_SHOWN * 2, "; did you mean \"%.64s\"?", near);
}

static int
shown(struct kp_bytes name)
{
	return name.len < MAX_SHOWN ? (int)name.len : MAX_SHOWN;
}

/* The name as a text of its own; NULL at a limit. */
static char *
text_of(struct kp_cel_checker *checker, struct kp_bytes name)
{
	char *text = kp_arena_copy(&checker->types.arena, name);

	if (text == NULL)
		checker->types.is_stopped = true;
	return text;
}

static struct kp_cel_static *
refuse_ident(struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	const struct kp_cel_env *env = checker->env;
	char hint[MAX_SHOWN * 2] = "";
	const char *text = text_of(checker, node->name);
	struct words words;

	if (text != NULL &&
	    make_words(
		checker, env->num_variables + checker->num_locals, &words)) {
		for (size_t i = 0; i < env->num_variables; i++)
			words.list[words.num++] = env->variables[i];
		for (uint32_t i = 0; i < checker->num_locals; i++) {
			const char *local =
			    text_of(checker, checker->local_names[i]);

			if (local != NULL)
				words.list[words.num++] = local;
		}
		words.list[words.num] = NULL;
		add_hint(hint, kp_suggest(text, words.list));
	}
	return kp_cel_check_refuse(checker, node,
	    "there is no variable \"%.*s\"%s", shown(node->name),
	    (const char *)node->name.data, hint);
}

struct kp_cel_static *
kp_cel_check_declared(struct kp_cel_checker *checker,
    const struct kp_cel_node *node, const char *text)
{
	const char *end = text;
	struct kp_cel_static *type;

	if (text == NULL)
		return kp_cel_static_plain(&checker->types, KP_CEL_IS_DYN);
	type = kp_cel_static_parse(&checker->types, &end, NULL);
	if (type != NULL && *end == '\0')
		return type;
	return kp_cel_check_refuse(
	    checker, node, "the host declares no type \"%.64s\"", text);
}

struct kp_cel_static *
kp_cel_check_ident(
    struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	if (node->slot >= KP_CEL_FIRST_LOCAL)
		return checker->locals[node->slot - KP_CEL_FIRST_LOCAL];
	if (node->slot >= 0)
		return kp_cel_check_declared(checker, node,
		    checker->env->types == NULL
			? NULL
			: checker->env->types[node->slot]);
	return refuse_ident(checker, node);
}

static struct kp_cel_static *
refuse_field(struct kp_cel_checker *checker, const struct kp_cel_node *node,
    const struct kp_cel_object_type *object)
{
	char hint[MAX_SHOWN * 2] = "";
	const char *text = text_of(checker, node->name);
	struct words words;

	if (text != NULL && make_words(checker, object->num_fields, &words)) {
		for (size_t i = 0; i < object->num_fields; i++)
			words.list[words.num++] = object->fields[i].name;
		words.list[words.num] = NULL;
		add_hint(hint, kp_suggest(text, words.list));
	}
	return kp_cel_check_refuse(checker, node,
	    "%.64s has no field \"%.*s\"%s", object->name, shown(node->name),
	    (const char *)node->name.data, hint);
}

static struct kp_cel_static *
field_of(struct kp_cel_checker *checker, const struct kp_cel_node *node,
    const struct kp_cel_object_type *object)
{
	for (size_t i = 0; i < object->num_fields; i++)
		if (kp_bytes_equal(
			node->name, kp_bytes_of(object->fields[i].name)))
			return kp_cel_check_declared(
			    checker, node, object->fields[i].type);
	return refuse_field(checker, node, object);
}

/* The type of of.name, whether it is there or not. */
static struct kp_cel_static *
select_from(struct kp_cel_checker *checker, const struct kp_cel_node *node,
    struct kp_cel_static *of)
{
	struct kp_cel_types *types = &checker->types;
	struct kp_cel_static *dyn = kp_cel_static_plain(types, KP_CEL_IS_DYN);
	struct kp_cel_static *string =
	    kp_cel_static_plain(types, KP_CEL_IS_STRING);
	char text[KP_CEL_TYPE_TEXT_SIZE];

	of = kp_cel_static_known(of);
	if (of->kind == KP_CEL_IS_OBJECT)
		return field_of(checker, node, of->object);
	if (of->kind == KP_CEL_IS_MAP &&
	    kp_cel_assign(types, string, of->of[0]))
		return of->of[1];
	if (of->kind == KP_CEL_IS_DYN ||
	    (of->kind == KP_CEL_IS_VARIABLE && kp_cel_assign(types, dyn, of)))
		return dyn;
	kp_cel_static_print(text, of);
	return kp_cel_check_refuse(
	    checker, node, "a value of type %s has no fields", text);
}

struct kp_cel_static *
kp_cel_check_select(
    struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	struct kp_cel_static *of = kp_cel_check_node(checker, node->args[0]);
	struct kp_cel_static *type;
	bool is_optional = node->is_optional;

	if (of == NULL)
		return NULL;
	of = kp_cel_static_known(of);
	if (of->kind == KP_CEL_IS_OPTIONAL) {
		is_optional = true;
		of = of->of[0];
	}
	type = select_from(checker, node, of);
	if (type == NULL)
		return NULL;
	if (node->is_test)
		return kp_cel_static_plain(&checker->types, KP_CEL_IS_BOOL);
	if (!is_optional)
		return type;
	return kp_cel_check_made(checker, node,
	    kp_cel_static_of(&checker->types, KP_CEL_IS_OPTIONAL, type, NULL));
}
