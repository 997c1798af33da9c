/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/describe.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml_write.h"
#include "cli/escape.h"
#include "cli/history_view.h"
#include "cli/nodes_view.h"
#include "cli/output.h"
#include "cli/view.h"

#define MAX_TEXT_LEN 65536

bool
kp_describe_reaches(
    const struct kp_yaml *document, const Kproxy__Control__V1__Node *node)
{
	const struct kp_yaml *pairs = kp_view_at(document, "spec.nodes");

	if (pairs == NULL || pairs->kind != KP_YAML_MAP)
		return true;
	for (size_t i = 0; i < pairs->num_items; i++) {
		const char *value = pairs->items[i]->text;
		bool is_there = false;

		for (size_t j = 0; j < node->n_labels; j++)
			is_there |= value != NULL &&
				    strcmp(node->labels[j]->name,
					pairs->keys[i]->text) == 0 &&
				    strcmp(node->labels[j]->value, value) == 0;
		if (!is_there)
			return false;
	}
	return true;
}

static void
add_node(struct kp_buf *out, const Kproxy__Control__V1__Node *node,
    const Kproxy__Control__V1__Resource *resource)
{
	bool has_it = node->revision >= resource->resource_version;
	struct kp_buf reason;
	char *text;

	kp_buf_init(&reason, MAX_TEXT_LEN);
	kp_node_reason(&reason, node);
	text = kp_view_dup(&reason);
	kp_buf_add_text(out, "  ");
	kp_escape_add(out, node->name);
	kp_buf_printf(out, "  %s (%s, revision %" PRIu64 ")%s%s\n",
	    has_it ? "has it" : "not yet", kp_node_state(node), node->revision,
	    text[0] != '\0' ? ": " : "", text);
	free(text);
}

void
kp_describe_nodes(struct kp_buf *out,
    const Kproxy__Control__V1__Resource *resource,
    Kproxy__Control__V1__Node *const *list, size_t num)
{
	struct kp_yaml *document = kp_view_tree(resource);
	size_t num_shown = 0;

	kp_buf_add_text(out, "Nodes:\n");
	for (size_t i = 0; i < num; i++) {
		if (!kp_describe_reaches(document, list[i]))
			continue;
		add_node(out, list[i], resource);
		num_shown++;
	}
	if (num_shown == 0)
		kp_buf_add_text(out, "  <none>\n");
	kp_yaml_free(document);
}

/* The document, set in. */
static bool
add_document(struct kp_buf *out, const Kproxy__Control__V1__Resource *resource)
{
	struct kp_yaml *tree = kp_view_tree(resource);
	struct kp_buf text;

	if (tree == NULL)
		return false;
	kp_buf_init(&text, KP_OUTPUT_MAX_LEN);
	kp_yaml_write(&text, tree);
	kp_output_part(&text);
	kp_yaml_free(tree);
	kp_buf_add_text(out, "Document:\n");
	for (size_t at = 0; at < text.len;) {
		const uint8_t *end =
		    memchr(text.data + at, '\n', text.len - at);
		size_t len = end == NULL ? text.len - at
					 : (size_t)(end - (text.data + at)) + 1;

		kp_buf_add_text(out, "  ");
		kp_buf_add(out, text.data + at, len);
		at += len;
	}
	kp_buf_fini(&text);
	return true;
}

bool
kp_describe_resource(struct kp_buf *out,
    const Kproxy__Control__V1__Resource *resource,
    const Kproxy__Control__V1__HistoryResponse *history)
{
	kp_buf_add_text(out, "Name:         ");
	kp_escape_add(out, resource->name);
	kp_buf_add_text(out, "\nKind:         ");
	kp_escape_add(out, resource->kind);
	kp_buf_add_text(out, "\nLabels:       ");
	kp_view_labels(out, resource->labels, resource->n_labels);
	kp_buf_add_text(out, resource->n_labels == 0 ? "<none>\n" : "\n");
	kp_buf_printf(
	    out, "Revision:     %" PRIu64 "\n", resource->resource_version);
	if (history->n_revisions > 0)
		kp_history_describe(out, history->revisions[0]);
	else
		kp_buf_add_text(out, "Last change:  <forgotten>\n");
	return add_document(out, resource);
}
