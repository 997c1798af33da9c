/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes of the tree, and their limits. */
#include "rules/cel/parse_priv.h"

static bool
refuse(struct kp_cel_parser *p, uint32_t pos, const char *text)
{
	return kp_cel_fault_set(p->fault, KP_CEL_FAULT_LIMIT, pos, "%s", text);
}

bool
kp_cel_nodes_add(struct kp_cel_parser *p, struct kp_cel_nodes *nodes,
    struct kp_cel_node *node)
{
	struct kp_cel_node **list = nodes->list;

	if (nodes->num == KP_CEL_MAX_ELEMENTS)
		return refuse(p, node->pos,
		    "too many elements, operands or entries in one place");
	if (nodes->num == nodes->capacity) {
		nodes->capacity =
		    nodes->capacity == 0 ? 4 : 2 * nodes->capacity;
		list = kp_arena_get(
		    p->arena, nodes->capacity, sizeof(struct kp_cel_node *));
		if (list == NULL)
			return refuse(p, node->pos,
			    "the expression needs too much memory");
		kp_copy(list, nodes->list, nodes->num * sizeof(*list));
		nodes->list = list;
	}
	list[nodes->num++] = node;
	return true;
}

struct kp_cel_node *
kp_cel_node_new(
    struct kp_cel_parser *p, enum kp_cel_node_kind kind, uint32_t pos)
{
	struct kp_cel_node *node = NULL;

	if (++p->num_nodes > KP_CEL_MAX_NODES) {
		(void)refuse(p, pos, "the expression has too many parts");
		return NULL;
	}
	node = kp_arena_get(p->arena, 1, sizeof(*node));
	if (node == NULL) {
		(void)refuse(p, pos, "the expression needs too much memory");
		return NULL;
	}
	*node = (struct kp_cel_node){ .kind = kind, .pos = pos, .depth = 1 };
	return node;
}

struct kp_cel_node *
kp_cel_node_close(struct kp_cel_parser *p, struct kp_cel_node *node,
    const struct kp_cel_nodes *parts)
{
	if (node == NULL)
		return NULL;
	node->num_args = parts->num;
	node->args =
	    kp_arena_get(p->arena, parts->num, sizeof(struct kp_cel_node *));
	if (node->args == NULL) {
		(void)refuse(
		    p, node->pos, "the expression needs too much memory");
		return NULL;
	}
	for (uint32_t i = 0; i < parts->num; i++) {
		node->args[i] = parts->list[i];
		if (parts->list[i] != NULL &&
		    parts->list[i]->depth >= node->depth)
			node->depth = parts->list[i]->depth + 1;
	}
	if (node->depth <= KP_CEL_MAX_DEPTH)
		return node;
	(void)refuse(p, node->pos, "the expression is too deep");
	return NULL;
}
