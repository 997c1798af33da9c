/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml_write.h"

#include "base/yaml_write_priv.h"

#define STEP 2
/* libyaml wants a longer key to be announced. */
#define MAX_SIMPLE_KEY_LEN 1000

static void write_map(struct kp_buf *out, const struct kp_yaml *map,
    size_t indent, bool is_line_begun);
static void write_list(struct kp_buf *out, const struct kp_yaml *list,
    size_t indent, bool is_line_begun);

static bool
is_inline(const struct kp_yaml *node)
{
	return node->kind == KP_YAML_NULL || node->kind == KP_YAML_SCALAR ||
	       node->num_items == 0;
}

static void
add_inline(struct kp_buf *out, const struct kp_yaml *node)
{
	if (node->kind == KP_YAML_NULL)
		kp_buf_add_text(out, "null");
	else if (node->kind == KP_YAML_LIST)
		kp_buf_add_text(out, "[]");
	else if (node->kind == KP_YAML_MAP)
		kp_buf_add_text(out, "{}");
	else if (kp_yaml_can_be_plain(node->text) &&
		 !(node->is_quoted && kp_yaml_is_ambiguous(node->text)))
		kp_buf_add_text(out, node->text);
	else
		kp_yaml_add_quoted(out, node->text);
}

/* What follows "key:". */
static void
write_value(struct kp_buf *out, const struct kp_yaml *node, size_t indent)
{
	if (is_inline(node)) {
		kp_buf_add_text(out, " ");
		add_inline(out, node);
		kp_buf_add_text(out, "\n");
		return;
	}
	kp_buf_add_text(out, "\n");
	if (node->kind == KP_YAML_LIST)
		write_list(out, node, indent, false);
	else
		write_map(out, node, indent + STEP, false);
}

static bool
is_long_key(const struct kp_yaml *key)
{
	size_t len = strlen(key->text);
	struct kp_buf text;
	bool is_long;

	/* at worst each byte becomes six */
	if (len <= MAX_SIMPLE_KEY_LEN / 6)
		return false;
	/* no memory must not make another key of it */
	kp_buf_init_small(&text, MAX_SIMPLE_KEY_LEN);
	add_inline(&text, key);
	is_long = text.failed;
	kp_buf_fini(&text);
	return is_long;
}

static void
write_key(struct kp_buf *out, const struct kp_yaml *key, size_t indent)
{
	if (is_long_key(key)) {
		kp_buf_add_text(out, "? ");
		add_inline(out, key);
		kp_buf_add_text(out, "\n");
		kp_buf_add_spaces(out, indent);
	} else if (key->kind == KP_YAML_NULL) {
		kp_buf_add_text(out, key->text);
	} else {
		add_inline(out, key);
	}
	kp_buf_add_text(out, ":");
}

static void
write_map(struct kp_buf *out, const struct kp_yaml *map, size_t indent,
    bool is_line_begun)
{
	for (size_t i = 0; i < map->num_items; i++) {
		if (i > 0 || !is_line_begun)
			kp_buf_add_spaces(out, indent);
		write_key(out, map->keys[i], indent);
		write_value(out, map->items[i], indent);
	}
}

static void
write_list(struct kp_buf *out, const struct kp_yaml *list, size_t indent,
    bool is_line_begun)
{
	for (size_t i = 0; i < list->num_items; i++) {
		const struct kp_yaml *item = list->items[i];

		if (i > 0 || !is_line_begun)
			kp_buf_add_spaces(out, indent);
		kp_buf_add_text(out, "- ");
		if (is_inline(item)) {
			add_inline(out, item);
			kp_buf_add_text(out, "\n");
		} else if (item->kind == KP_YAML_LIST) {
			write_list(out, item, indent + STEP, true);
		} else {
			write_map(out, item, indent + STEP, true);
		}
	}
}

void
kp_yaml_write(struct kp_buf *out, const struct kp_yaml *root)
{
	if (is_inline(root)) {
		add_inline(out, root);
		kp_buf_add_text(out, "\n");
	} else if (root->kind == KP_YAML_LIST) {
		write_list(out, root, 0, false);
	} else {
		write_map(out, root, 0, false);
	}
}

static void
write_json(struct kp_buf *out, const struct kp_yaml *node, size_t indent)
{
	bool is_map = node->kind == KP_YAML_MAP;

	if (node->kind == KP_YAML_SCALAR) {
		if (!node->is_quoted && kp_yaml_is_json_word(node->text))
			kp_buf_add_text(out, node->text);
		else
			kp_yaml_add_quoted(out, node->text);
		return;
	}
	if (is_inline(node)) {
		add_inline(out, node);
		return;
	}
	kp_buf_add_text(out, is_map ? "{" : "[");
	for (size_t i = 0; i < node->num_items; i++) {
		kp_buf_add_text(out, i > 0 ? ",\n" : "\n");
		kp_buf_add_spaces(out, indent + STEP);
		if (is_map) {
			kp_yaml_add_quoted(out, node->keys[i]->text);
			kp_buf_add_text(out, ": ");
		}
		write_json(out, node->items[i], indent + STEP);
	}
	kp_buf_add_text(out, "\n");
	kp_buf_add_spaces(out, indent);
	kp_buf_add_text(out, is_map ? "}" : "]");
}

void
kp_yaml_write_json(struct kp_buf *out, const struct kp_yaml *root)
{
	write_json(out, root, 0);
	kp_buf_add_text(out, "\n");
}
