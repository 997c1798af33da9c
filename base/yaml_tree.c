/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml_tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/yaml_write.h"

static struct kp_yaml *
node_new(enum kp_yaml_kind kind, const char *text)
{
	struct kp_yaml *node = kp_alloc(1, sizeof(*node));

	*node = (struct kp_yaml){ .kind = kind, .line = 1, .column = 1 };
	if (text != NULL)
		node->text = kp_strdup(text);
	return node;
}

struct kp_yaml *
kp_yaml_new_map(void)
{
	return node_new(KP_YAML_MAP, NULL);
}

struct kp_yaml *
kp_yaml_new_list(void)
{
	return node_new(KP_YAML_LIST, NULL);
}

struct kp_yaml *
kp_yaml_new_null(void)
{
	return node_new(KP_YAML_NULL, "null");
}

struct kp_yaml *
kp_yaml_new_text(const char *text)
{
	struct kp_yaml *node = node_new(KP_YAML_SCALAR, text);

	node->is_quoted = true;
	return node;
}

struct kp_yaml *
kp_yaml_new_word(const char *word)
{
	return node_new(KP_YAML_SCALAR, word);
}

struct kp_yaml *
kp_yaml_new_int(int64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, number);
	return kp_yaml_new_word(text);
}

struct kp_yaml *
kp_yaml_new_bool(bool is_true)
{
	return kp_yaml_new_word(is_true ? "true" : "false");
}

/* Capacities are the powers of two. */
static void
reserve(struct kp_yaml ***array, size_t num)
{
	if ((num & (num - 1)) != 0)
		return;
	*array = kp_realloc(*array, num == 0 ? 1 : 2 * num, sizeof(**array));
}

struct kp_yaml *
kp_yaml_put(struct kp_yaml *map, const char *key, struct kp_yaml *value)
{
	kp_assert(map->kind == KP_YAML_MAP && map->memory == NULL);
	reserve(&map->items, map->num_items);
	reserve(&map->keys, map->num_items);
	map->keys[map->num_items] = kp_yaml_new_text(key);
	map->items[map->num_items++] = value;
	return value;
}

struct kp_yaml *
kp_yaml_append(struct kp_yaml *list, struct kp_yaml *item)
{
	kp_assert(list->kind == KP_YAML_LIST && list->memory == NULL);
	reserve(&list->items, list->num_items);
	list->items[list->num_items++] = item;
	return item;
}

static bool
is_string(const struct kp_yaml *scalar)
{
	return scalar->is_quoted || !kp_yaml_is_json_word(scalar->text);
}

bool
kp_yaml_is_same(const struct kp_yaml *a, const struct kp_yaml *b)
{
	if (a->kind != b->kind || a->num_items != b->num_items)
		return false;
	if (a->kind == KP_YAML_SCALAR)
		return strcmp(a->text, b->text) == 0 &&
		       is_string(a) == is_string(b);
	for (size_t i = 0; i < a->num_items; i++) {
		if (a->kind == KP_YAML_MAP &&
		    strcmp(a->keys[i]->text, b->keys[i]->text) != 0)
			return false;
		if (!kp_yaml_is_same(a->items[i], b->items[i]))
			return false;
	}
	return true;
}
