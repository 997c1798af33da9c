/* SPDX-License-Identifier: Apache-2.0 */
/* Lists and maps that an expression makes. */
#include "rules/cel/eval_priv.h"

struct kp_cel_value
kp_cel_list_of(
    struct kp_cel_eval *eval, const struct kp_cel_value *items, size_t num)
{
	struct kp_cel_list *list = kp_cel_get(eval, 1, sizeof(*list));

	if (list == NULL)
		return kp_cel_stop(eval, KP_CEL_FAULT_MEMORY);
	*list = (struct kp_cel_list){ .num = num, .items = items };
	return kp_cel_list(list);
}

struct kp_cel_value
kp_cel_map_of(struct kp_cel_eval *eval, const struct kp_cel_entries *entries)
{
	struct kp_cel_map *map = kp_cel_get(eval, 1, sizeof(*map));

	if (map == NULL)
		return kp_cel_stop(eval, KP_CEL_FAULT_MEMORY);
	*map = (struct kp_cel_map){ .num = entries->num,
		.entries = entries->list };
	return kp_cel_map(map);
}

/* Takes an optional element apart; false: there is none. */
static bool
is_there(const struct kp_cel_node *node, struct kp_cel_value *value)
{
	if (node->kind != KP_CEL_MAYBE)
		return true;
	if (value->as.inner == NULL)
		return false;
	*value = *value->as.inner;
	return true;
}

struct kp_cel_value
kp_cel_eval_list(struct kp_cel_eval *eval, const struct kp_cel_node *node)
{
	struct kp_cel_value *items =
	    kp_cel_get(eval, node->num_args, sizeof(*items));
	size_t num = 0;

	if (items == NULL)
		return kp_cel_stop(eval, KP_CEL_FAULT_MEMORY);
	for (uint32_t i = 0; i < node->num_args; i++) {
		items[num] = kp_cel_eval_node(eval, node->args[i]);
		if (items[num].type == KP_CEL_ERROR)
			return items[num];
		num += is_there(node->args[i], &items[num]);
	}
	return kp_cel_list_of(eval, items, num);
}

/* Room for one more. */
static bool
grow(struct kp_cel_eval *eval, struct kp_cel_entries *entries)
{
	size_t capacity = entries->num < 4 ? 4 : 2 * entries->num;
	struct kp_cel_entry *list;

	if (entries->num < entries->capacity)
		return true;
	list = kp_cel_get(eval, capacity, sizeof(*list));
	if (list == NULL)
		return false;
	kp_copy(list, entries->list, entries->num * sizeof(*list));
	entries->list = list;
	entries->capacity = capacity;
	return true;
}

struct kp_cel_value
kp_cel_entries_add(struct kp_cel_eval *eval, struct kp_cel_entries *entries,
    struct kp_cel_value key, struct kp_cel_value value)
{
	const struct kp_cel_map so_far = { .num = entries->num,
		.entries = entries->list };
	struct kp_cel_value ignored;

	if (key.type != KP_CEL_INT && key.type != KP_CEL_UINT &&
	    key.type != KP_CEL_BOOL && key.type != KP_CEL_STRING)
		return kp_cel_fail(eval,
		    "a value of type %s cannot be the key of a map",
		    kp_cel_type_name(key));
	if (kp_cel_map_find(&so_far, key, &ignored, eval->meter))
		return kp_cel_error("a map cannot have the same key twice");
	if (!kp_cel_spend(eval, 0))
		return kp_cel_stop(eval, KP_CEL_FAULT_COST);
	if (!grow(eval, entries))
		return kp_cel_stop(eval, KP_CEL_FAULT_MEMORY);
	entries->list[entries->num++] =
	    (struct kp_cel_entry){ .key = key, .value = value };
	return kp_cel_null();
}

struct kp_cel_value
kp_cel_eval_map(struct kp_cel_eval *eval, const struct kp_cel_node *node)
{
	struct kp_cel_entries entries = { .capacity = node->num_args / 2 };

	entries.list =
	    kp_cel_get(eval, entries.capacity, sizeof(*entries.list));
	if (entries.list == NULL)
		return kp_cel_stop(eval, KP_CEL_FAULT_MEMORY);
	for (uint32_t i = 0; i < node->num_args; i += 2) {
		struct kp_cel_value key, value, result;

		key = kp_cel_eval_node(eval, node->args[i]);
		if (key.type == KP_CEL_ERROR)
			return key;
		value = kp_cel_eval_node(eval, node->args[i + 1]);
		if (value.type == KP_CEL_ERROR)
			return value;
		if (!is_there(node->args[i + 1], &value))
			continue;
		result = kp_cel_entries_add(eval, &entries, key, value);
		if (result.type == KP_CEL_ERROR) {
			result.extra = node->args[i]->pos;
			return result;
		}
	}
	return kp_cel_map_of(eval, &entries);
}
