/* SPDX-License-Identifier: Apache-2.0 */
/* Types of calls and operators, and the sentences where there are none. */
#include <stdio.h>
#include <string.h>

#include "rules/cel/check_priv.h"

#define MAX_NAME_LEN 64 /* a longer name is that of no function */
#define MAX_TYPES_LEN 160

/* "int, string and dyn", as much of it as there is room for. */
static void
print_args(
    char out[MAX_TYPES_LEN], struct kp_cel_static *const *args, uint32_t num)
{
	char text[KP_CEL_TYPE_TEXT_SIZE];
	size_t len = 0;

	out[0] = '\0';
	for (uint32_t i = 0; i < num && len < MAX_TYPES_LEN; i++) {
		const char *before = i + 1 == num ? " and " : ", ";

		kp_cel_static_print(text, args[i]);
		len += (size_t)snprintf(out + len, MAX_TYPES_LEN - len, "%s%s",
		    i == 0 ? "" : before, text);
	}
}

struct kp_cel_static *
kp_cel_check_overload(struct kp_cel_checker *checker,
    const struct kp_cel_node *node, struct kp_bytes name,
    enum kp_cel_style style, struct kp_cel_static *const *args, uint32_t num)
{
	struct kp_cel_static *type =
	    kp_cel_overload_result(&checker->types, name, style, args, num);
	char text[MAX_TYPES_LEN];

	if (type != NULL)
		return type;
	print_args(text, args, num);
	return kp_cel_check_refuse(checker, node, "there is no \"%.*s\" %s %s",
	    (int)name.len, (const char *)name.data,
	    num == 0 ? "without" : "for", num == 0 ? "arguments" : text);
}

/* The function that a call names: behind a name, or behind its receiver. */
struct called {
	struct kp_bytes name;
	enum kp_cel_style style;
	uint32_t first_arg; /* 1: args[0] is part of the name */
};

/* A call that is none of ours may still name one, with other arguments. */
static struct called
find_called(const struct kp_cel_node *node, char space[MAX_NAME_LEN + 1])
{
	struct called called = { node->name,
		node->is_member ? KP_CEL_MEMBER : KP_CEL_GLOBAL, 0 };
	const struct kp_cel_node *target =
	    node->num_args > 0 ? node->args[0] : NULL;

	if (node->function != NULL &&
	    !kp_bytes_equal(node->name, kp_bytes_of(node->function->name)))
		return (struct called){ kp_bytes_of(node->function->name),
			KP_CEL_GLOBAL, 0 };
	if (node->function != NULL || !node->is_member || target == NULL ||
	    target->kind != KP_CEL_IDENT || target->slot != KP_CEL_NO_SLOT ||
	    target->name.len + node->name.len >= MAX_NAME_LEN)
		return called;
	(void)snprintf(space, MAX_NAME_LEN + 1, "%.*s.%.*s",
	    (int)target->name.len, (const char *)target->name.data,
	    (int)node->name.len, (const char *)node->name.data);
	return (struct called){ kp_bytes_of(space), KP_CEL_GLOBAL, 1 };
}

static struct kp_cel_static *
refuse_call(struct kp_cel_checker *checker, const struct kp_cel_node *node,
    const struct called *called, unsigned styles)
{
	char name[MAX_NAME_LEN + 1];
	const char *near;

	(void)snprintf(name, sizeof(name), "%.*s",
	    called->name.len < MAX_NAME_LEN ? (int)called->name.len
					    : MAX_NAME_LEN,
	    (const char *)called->name.data);
	if ((styles & KP_CEL_MEMBER) != 0)
		return kp_cel_check_refuse(checker, node,
		    "\"%s\" is called on a value: x.%s(...)", name, name);
	if ((styles & KP_CEL_GLOBAL) != 0)
		return kp_cel_check_refuse(checker, node,
		    "\"%s\" is not called on a value: %s(x)", name, name);
	near = kp_cel_declared_suggest(name);
	if (near == NULL || strcmp(near, name) == 0)
		return kp_cel_check_refuse(
		    checker, node, "there is no function \"%s\"", name);
	return kp_cel_check_refuse(checker, node,
	    "there is no function \"%s\"; did you mean \"%s\"?", name, near);
}

/* Does any function begin with "name."? Then that is no receiver. */
static bool
is_namespace(struct kp_bytes name)
{
	size_t num;
	const struct kp_cel_overload *list = kp_cel_overloads(&num);

	for (size_t i = 0; i < num; i++)
		if (strncmp(list[i].name, (const char *)name.data, name.len) ==
			0 &&
		    list[i].name[name.len] == '.')
			return true;
	return false;
}

struct kp_cel_static *
kp_cel_check_call(
    struct kp_cel_checker *checker, const struct kp_cel_node *node)
{
	struct kp_cel_static *args[KP_CEL_MAX_ARGS], *type;
	char space[MAX_NAME_LEN + 1];
	struct called called = find_called(node, space);
	uint32_t num = 0;
	unsigned styles;

	/* An unknown receiver is what is wrong, not what is called on it. */
	if (called.first_arg == 1 && !is_namespace(node->args[0]->name))
		return kp_cel_check_node(checker, node->args[0]);
	styles = kp_cel_declared_styles(called.name);
	if ((styles & called.style) == 0)
		return refuse_call(checker, node, &called, styles);
	for (uint32_t i = called.first_arg; i < node->num_args; i++) {
		args[num] = kp_cel_check_node(checker, node->args[i]);
		if (args[num++] == NULL)
			return NULL;
	}
	type = kp_cel_check_overload(
	    checker, node, called.name, called.style, args, num);
	/* What is declared must be there as well. */
	if (type != NULL && node->function == NULL)
		return refuse_call(checker, node, &called, 0);
	return type;
}
