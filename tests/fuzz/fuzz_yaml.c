/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as YAML: a tree in which every node has a place, or an error. */
#include <stddef.h>
#include <stdint.h>

#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_node(const struct kp_yaml *node, unsigned depth)
{
	kp_assert(depth <= KP_YAML_MAX_DEPTH);
	kp_assert(node->line > 0 && node->column > 0);
	kp_assert((node->kind == KP_YAML_MAP) == (node->keys != NULL) ||
		  node->num_items == 0);
	for (size_t i = 0; i < node->num_items; i++) {
		check_node(node->items[i], depth + 1);
		if (node->kind == KP_YAML_MAP)
			kp_assert(kp_yaml_get(node, node->keys[i]->text) ==
				  node->items[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kp_yaml_stream stream;
	struct kp_error err = { 0 };

	if (!kp_yaml_parse(&stream, (struct kp_bytes){ data, size }, &err)) {
		kp_assert(err.text[0] >= '1' && err.text[0] <= '9');
		return 0;
	}
	for (size_t i = 0; i < stream.num_documents; i++)
		check_node(stream.documents[i], 0);
	kp_yaml_stream_fini(&stream);
	return 0;
}
