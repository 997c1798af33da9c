/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

static const char sample[] = "# a comment\n"
			     "name: edge\n"
			     "list: [1, two, \"3\"]\n"
			     "none:\n"
			     "deep:\n"
			     "  - {a: ~, b: 'null'}\n"
			     "  - |\n"
			     "    two\n"
			     "    lines\n";

static struct kp_yaml_stream
parse(const char *text)
{
	struct kp_yaml_stream stream;
	struct kp_error err;

	cr_assert(
	    kp_yaml_parse(&stream, kp_bytes_of(text), &err), "%s", err.text);
	return stream;
}

Test(yaml, values_know_where_they_stand)
{
	struct kp_yaml_stream stream = parse(sample);
	const struct kp_yaml *root, *list, *deep;

	cr_assert_eq(stream.num_documents, 1);
	root = stream.documents[0];
	cr_assert_eq(root->kind, KP_YAML_MAP);
	cr_assert_eq(root->line, 2);
	cr_assert_eq(root->column, 1);
	cr_assert_str_eq(kp_yaml_get(root, "name")->text, "edge");
	list = kp_yaml_get(root, "list");
	cr_assert_eq(list->kind, KP_YAML_LIST);
	cr_assert_eq(list->num_items, 3);
	cr_assert_eq(list->items[1]->line, 3);
	cr_assert_eq(list->items[1]->column, 11);
	cr_assert(!list->items[0]->is_quoted);
	cr_assert(list->items[2]->is_quoted);
	cr_assert_eq(kp_yaml_get(root, "none")->kind, KP_YAML_NULL);
	deep = kp_yaml_get(root, "deep");
	cr_assert_eq(kp_yaml_get(deep->items[0], "a")->kind, KP_YAML_NULL);
	cr_assert_eq(kp_yaml_get(deep->items[0], "b")->kind, KP_YAML_SCALAR);
	cr_assert_str_eq(deep->items[1]->text, "two\nlines\n");
	cr_assert_null(kp_yaml_get(root, "absent"));
	cr_assert_null(kp_yaml_get(list, "name"));
	kp_yaml_stream_fini(&stream);
}

Test(yaml, empty_documents_are_left_out)
{
	static const struct {
		const char *text;
		size_t num;
	} cases[] = {
		{ "", 0 },
		{ "# only a comment\n", 0 },
		{ "---\n---\n", 0 },
		{ "a: 1\n---\nb: 2\n", 2 },
		{ "---\n---\na: 1\n---\n...\n---\nb: 2\n", 2 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_yaml_stream stream = parse(cases[i].text);

		cr_assert_eq(
		    stream.num_documents, cases[i].num, "%s", cases[i].text);
		kp_yaml_stream_fini(&stream);
	}
}

Test(yaml, what_nobody_should_need_is_refused_with_its_place)
{
	static const struct {
		const char *text;
		const char *problem;
	} cases[] = {
		{ "a: &x 1\n", "1:4: anchors are not allowed" },
		{ "a: &x [1]\n", "1:4: anchors are not allowed" },
		{ "a: &x {b: 1}\n", "1:4: anchors are not allowed" },
		{ "a: *x\n", "1:4: aliases are not allowed" },
		{ "? *x\n: 1\n", "1:3: aliases are not allowed" },
		{ "a:\n  <<: {b: 1}\n", "2:3: merge keys are not allowed" },
		{ "a: !!str 1\n", "1:4: tags are not allowed" },
		{ "a: ! 1\n", "1:4: tags are not allowed" },
		{ "a: !x [1]\n", "1:4: tags are not allowed" },
		{ "!!map {a: 1}\n", "1:1: tags are not allowed" },
		{ "%TAG !e! tag:e,2000:\n---\na: 1\n",
		    "1:1: tags are not allowed" },
		{ "a: 1\nb: 2\na: 3\n",
		    "3:1: duplicate key \"a\", first at line 1" },
		{ "x: {b: 1, \"b\": 2}\n",
		    "1:11: duplicate key \"b\", first at line 1" },
		{ "? [a]\n: 1\n", "1:3: keys must be text" },
		{ "? {a: 1}\n: 1\n", "1:3: keys must be text" },
		{ "\"\": 1\n", "1:1: key is empty" },
		{ "a: \"x\\0y\"\n", "1:4: NUL characters are not allowed" },
		{ "a: [1, 2\n", "2:1: did not find expected ',' or ']'" },
		{ "a: b: c\n",
		    "1:5: mapping values are not allowed in this context" },
		{ "a:\n\t- b\n",
		    "2:1: found character that cannot start any token" },
		{ "a: 1\nb: \xff\n", "2:4: invalid leading UTF-8 octet" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_yaml_stream stream;
		struct kp_error err;

		cr_assert(
		    !kp_yaml_parse(&stream, kp_bytes_of(cases[i].text), &err),
		    "%s", cases[i].text);
		cr_assert_str_eq(err.text, cases[i].problem);
		cr_assert_eq(err.kind, KP_ERR_CONFIG);
		cr_assert_eq(stream.num_documents, 0);
	}
}

Test(yaml, a_quoted_merge_key_is_a_key)
{
	struct kp_yaml_stream stream = parse("\"<<\": 1\n");

	cr_assert_not_null(kp_yaml_get(stream.documents[0], "<<"));
	kp_yaml_stream_fini(&stream);
}

Test(yaml, depth_is_bounded)
{
	char text[2 * KP_YAML_MAX_DEPTH + 3];
	struct kp_yaml_stream stream;
	struct kp_error err;
	size_t depth = KP_YAML_MAX_DEPTH;

	(void)memset(text, '[', depth);
	(void)memset(text + depth, ']', depth);
	text[2 * depth] = '\0';
	stream = parse(text);
	kp_yaml_stream_fini(&stream);
	depth++;
	(void)memset(text, '[', depth);
	(void)memset(text + depth, ']', depth);
	text[2 * depth] = '\0';
	cr_assert(!kp_yaml_parse(&stream, kp_bytes_of(text), &err));
	cr_assert_str_eq(err.text, "1:33: nested too deeply");
}

Test(yaml, nodes_and_bytes_are_bounded)
{
	struct kp_yaml_stream stream;
	struct kp_error err;
	struct kp_buf text;

	kp_buf_init(&text, 2 * KP_YAML_MAX_BYTES);
	for (size_t i = 0; i < KP_YAML_MAX_NODES; i++)
		kp_buf_add_text(&text, "- a\n");
	cr_assert(!kp_yaml_parse(&stream, kp_buf_bytes(&text), &err));
	cr_assert_str_eq(err.text, "500000:3: too many values in one file");
	(void)memset(
	    kp_buf_extend(&text, KP_YAML_MAX_BYTES), ' ', KP_YAML_MAX_BYTES);
	cr_assert(!kp_yaml_parse(&stream, kp_buf_bytes(&text), &err));
	cr_assert_str_eq(
	    err.text, "1:1: file is too long, at most 8 MiB are allowed");
	cr_assert_eq(err.kind, KP_ERR_LIMIT);
	kp_buf_fini(&text);
}

/* A document of many allocations: long lists, maps, texts, then a short one. */
static void
add_documents(struct kp_buf *text)
{
	for (size_t i = 0; i < 400; i++)
		kp_buf_printf(text, "key-%zu: {a: [1, 2, 3, 4, 5], b: x}\n", i);
	kp_buf_add_text(text, "last: \"");
	(void)memset(kp_buf_extend(text, 10000), 'x', 10000);
	kp_buf_printf(text, "\"\n---\n---\n%s", sample);
}

/* Every allocation of ours fails once; nothing leaks, nothing is half built. */
Test(yaml, a_failing_allocation_is_an_error)
{
	struct kp_buf text;
	unsigned n = 1;

	kp_buf_init(&text, 1 << 20);
	add_documents(&text);
	for (;; n++) {
		struct kp_yaml_stream stream;
		struct kp_error err;
		bool ok;

		kp_alloc_fail_after(n);
		ok = kp_yaml_parse(&stream, kp_buf_bytes(&text), &err);
		kp_alloc_fail_after(0);
		if (ok) {
			cr_assert_eq(stream.num_documents, 2);
			kp_yaml_stream_fini(&stream);
			break;
		}
		cr_assert_eq(err.kind, KP_ERR_SYSTEM);
		cr_assert_not_null(strstr(err.text, "out of memory"));
		cr_assert_eq(stream.num_documents, 0);
	}
	cr_assert(n > 20, "%u", n);
	kp_buf_fini(&text);
}

Test(yaml, lists_and_maps_of_all_sizes_keep_their_order)
{
	for (size_t num = 0; num < 70; num++) {
		struct kp_yaml_stream stream;
		const struct kp_yaml *list, *map;
		struct kp_buf text;
		char word[24];

		kp_buf_init(&text, 1 << 16);
		kp_buf_add_text(&text, "list: [");
		for (size_t i = 0; i < num; i++)
			kp_buf_printf(&text, "%zu,", i);
		kp_buf_add_text(&text, "]\nmap: {");
		for (size_t i = 0; i < num; i++)
			kp_buf_printf(&text, "k%zu: %zu,", i, i);
		kp_buf_add_text(&text, "}\n");
		stream = parse(kp_buf_text(&text));
		list = kp_yaml_get(stream.documents[0], "list");
		map = kp_yaml_get(stream.documents[0], "map");
		cr_assert_eq(list->num_items, num);
		cr_assert_eq(map->num_items, num);
		for (size_t i = 0; i < num; i++) {
			(void)snprintf(word, sizeof(word), "k%zu", i);
			cr_assert_str_eq(list->items[i]->text, word + 1);
			cr_assert_str_eq(map->keys[i]->text, word);
			cr_assert_str_eq(map->items[i]->text, word + 1);
		}
		kp_yaml_stream_fini(&stream);
		kp_buf_fini(&text);
	}
}

Test(yaml, a_document_can_be_taken_out_of_its_stream)
{
	struct kp_yaml_stream stream = parse("a: 1\n---\nb: [2]\n");
	struct kp_yaml *taken = stream.documents[1];

	stream.documents[1] = NULL;
	kp_yaml_stream_fini(&stream);
	cr_assert_str_eq(kp_yaml_get(taken, "b")->items[0]->text, "2");
	kp_yaml_free(taken);
}
