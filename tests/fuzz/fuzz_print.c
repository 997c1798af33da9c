/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any YAML, written as YAML and as JSON, parses to the same tree. Resources are
 * printed in a form that has no problems either and is printed the same.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/yaml_tree.h"
#include "base/yaml_write.h"
#include "rules/print.h"

#define MAX_LEN (64u << 20)
/* The longest key that our parser reads in JSON, each byte escaped. */
#define MAX_JSON_KEY_LEN 160

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_same(const struct kp_yaml *root, const struct kp_buf *text)
{
	struct kp_yaml_stream stream;
	struct kp_error err;

	kp_assert(!text->failed);
	kp_assert(kp_yaml_parse(&stream, kp_buf_bytes(text), &err));
	kp_assert(stream.num_documents == 1);
	kp_assert(kp_yaml_is_same(root, stream.documents[0]));
	kp_yaml_stream_fini(&stream);
}

static bool
has_long_key(const struct kp_yaml *node)
{
	for (size_t i = 0; i < node->num_items; i++) {
		if (node->kind == KP_YAML_MAP &&
		    strlen(node->keys[i]->text) > MAX_JSON_KEY_LEN)
			return true;
		if (has_long_key(node->items[i]))
			return true;
	}
	return false;
}

static void
try_tree(const struct kp_yaml *root)
{
	struct kp_buf text;

	kp_buf_init(&text, MAX_LEN);
	kp_yaml_write(&text, root);
	check_same(root, &text);
	kp_buf_clear(&text);
	kp_yaml_write_json(&text, root);
	if (!has_long_key(root))
		check_same(root, &text);
	kp_buf_fini(&text);
}

static void
try_yaml(struct kp_bytes text)
{
	struct kp_yaml_stream stream;
	struct kp_error err;

	if (!kp_yaml_parse(&stream, text, &err))
		return;
	for (size_t i = 0; i < stream.num_documents; i++)
		try_tree(stream.documents[i]);
	kp_yaml_stream_fini(&stream);
}

/* Prints text's resources to out; false if they have problems. */
static bool
print(struct kp_buf *out, struct kp_bytes text)
{
	struct kp_resources *set = kp_resources_new();
	struct kp_diagnostics diagnostics = { 0 };
	bool is_valid;

	kp_resources_add_file(set, "dir/a.yaml", text, &diagnostics);
	is_valid = kp_resources_check(set, &diagnostics);
	kp_buf_init(out, MAX_LEN);
	if (is_valid)
		kp_print_resources(out, set);
	kp_diagnostics_fini(&diagnostics);
	kp_resources_free(set);
	return is_valid;
}

static void
try_resources(struct kp_bytes text)
{
	struct kp_buf once, twice;

	if (print(&once, text)) {
		kp_assert(!once.failed);
		kp_assert(print(&twice, kp_buf_bytes(&once)));
		kp_assert(
		    kp_bytes_equal(kp_buf_bytes(&once), kp_buf_bytes(&twice)));
		kp_buf_fini(&twice);
	}
	kp_buf_fini(&once);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kp_bytes text = { data, size };

	try_yaml(text);
	try_resources(text);
	return 0;
}
