/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml_write.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/yaml_tree.h"
#include "tests/support/process.h"

#define MAX_LEN (1u << 20)

typedef void (*writer)(struct kp_buf *out, const struct kp_yaml *root);

static char *
write_with(writer write, const struct kp_yaml *root)
{
	struct kp_buf out;
	char *text;

	kp_buf_init(&out, MAX_LEN);
	write(&out, root);
	cr_assert(!out.failed);
	text = kp_strndup((const char *)out.data, out.len);
	kp_buf_fini(&out);
	return text;
}

static void
check_written(writer write, const struct kp_yaml *root, const char *expected)
{
	char *text = write_with(write, root);

	cr_assert_str_eq(text, expected);
	free(text);
}

/* Written by write and parsed again, root is what it was. */
static void
check_way_back(writer write, const struct kp_yaml *root)
{
	char *text = write_with(write, root);
	struct kp_yaml_stream stream;
	struct kp_error err;

	cr_assert(kp_yaml_parse(&stream, kp_bytes_of(text), &err), "%s in\n%s",
	    err.text, text);
	cr_assert_eq(stream.num_documents, 1);
	cr_assert(kp_yaml_is_same(root, stream.documents[0]), "%s", text);
	kp_yaml_stream_fini(&stream);
	free(text);
}

static struct kp_yaml *
resource(void)
{
	struct kp_yaml *root = kp_yaml_new_map(), *spec, *list, *pair;

	kp_yaml_put(root, "kind", kp_yaml_new_text("Listener"));
	spec = kp_yaml_put(root, "spec", kp_yaml_new_map());
	list = kp_yaml_put(spec, "bootstrap", kp_yaml_new_list());
	kp_yaml_append(list, kp_yaml_new_text("127.0.0.1:9092"));
	kp_yaml_append(list, kp_yaml_new_null());
	pair = kp_yaml_append(list, kp_yaml_new_map());
	kp_yaml_put(pair, "first", kp_yaml_new_int(-19093));
	kp_yaml_put(pair, "on", kp_yaml_new_bool(true));
	list = kp_yaml_append(list, kp_yaml_new_list());
	kp_yaml_append(list, kp_yaml_new_text("8080"));
	kp_yaml_append(list, kp_yaml_new_list());
	kp_yaml_put(spec, "tls", kp_yaml_new_map());
	return root;
}

Test(yaml_write, a_tree_is_written_in_block_style_and_as_json)
{
	struct kp_yaml *root = resource();

	check_written(kp_yaml_write, root,
	    "kind: Listener\n"
	    "spec:\n"
	    "  bootstrap:\n"
	    "  - 127.0.0.1:9092\n"
	    "  - null\n"
	    "  - first: -19093\n"
	    "    \"on\": true\n"
	    "  - - \"8080\"\n"
	    "    - []\n"
	    "  tls: {}\n");
	check_written(kp_yaml_write_json, root,
	    "{\n"
	    "  \"kind\": \"Listener\",\n"
	    "  \"spec\": {\n"
	    "    \"bootstrap\": [\n"
	    "      \"127.0.0.1:9092\",\n"
	    "      null,\n"
	    "      {\n"
	    "        \"first\": -19093,\n"
	    "        \"on\": true\n"
	    "      },\n"
	    "      [\n"
	    "        \"8080\",\n"
	    "        []\n"
	    "      ]\n"
	    "    ],\n"
	    "    \"tls\": {}\n"
	    "  }\n"
	    "}\n");
	check_way_back(kp_yaml_write, root);
	check_way_back(kp_yaml_write_json, root);
	kp_yaml_free(root);
}

Test(yaml_write, strings_are_quoted_where_they_would_be_something_else)
{
	static const char *const quoted[] = { "", "~", "null", "NULL", "true",
		"False", "yes", "No", "on", "OFF", "y", "N", "<<", "=", "1",
		"-1", "+1", "010", "0x1F", "0o17", "0b11", "1_000", "1.5", "1.",
		".5", "-.5", "6e7", "6.0E+7", ".inf", "-.INF", ".nan",
		"12:30:45", "1:5", "2001-12-14", "2001-12-14T21:59:43Z",
		"2001-1-4 21:59:43", " a", "a ", "a: b", "a:", "a #b", "# a",
		"- a", "-", "? a", "?", ": a", ":", "[a", "{a", "]", "}", ",a",
		"&a", "*", "!a", "|", ">", "'a", "\"a", "%a", "@a", "`a", "---",
		"--- a", "...", "a\nb", "a\tb", "\x7f", "\xc2\x85",
		"\xe2\x80\xa8", "\xef\xbb\xbf", "\xef\xbf\xbe", "\x1b[31m" };

	for (size_t i = 0; i < sizeof(quoted) / sizeof(quoted[0]); i++) {
		struct kp_yaml *root = kp_yaml_new_list(), *map;
		char *text;

		kp_yaml_append(root, kp_yaml_new_text(quoted[i]));
		text = write_with(kp_yaml_write, root);
		cr_assert_eq(strncmp(text, "- \"", 3), 0, "%s", text);
		free(text);
		map = kp_yaml_append(root, kp_yaml_new_map());
		if (quoted[i][0] != '\0')
			kp_yaml_put(
			    map, quoted[i], kp_yaml_new_text(quoted[i]));
		check_way_back(kp_yaml_write, root);
		check_way_back(kp_yaml_write_json, root);
		kp_yaml_free(root);
	}
}

Test(yaml_write, other_strings_are_not_quoted)
{
	static const char *const plain[] = { "a", "Listener", "127.0.0.1",
		"10.0.0.1:9092", "b{node}.kafka.example.com", "prefix*",
		"/anchored regex/", "team-a.*", "a:b", "a#b", "-a", "?a", ":a",
		"::1", "10:9092", "1:60", "1e", "1.2.3", "0x", "_1",
		"yes it is", "2001-12-14-backup", "20011-1-1", "nul",
		"./tls/key.pem", "$HOME/x", "a,b", "a[0]", "it's", "a\"b",
		"64KiB", "10s", "+", ".", "..", "--", "k\xc3\xa4se",
		"\xf0\x9f\xa7\x80" };

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		struct kp_yaml *root = kp_yaml_new_map();
		struct kp_buf expected;

		kp_yaml_put(root, plain[i], kp_yaml_new_text(plain[i]));
		kp_buf_init(&expected, 1024);
		kp_buf_printf(&expected, "%s: %s\n", plain[i], plain[i]);
		kp_buf_add(&expected, "", 1);
		check_written(kp_yaml_write, root, (const char *)expected.data);
		check_way_back(kp_yaml_write, root);
		check_way_back(kp_yaml_write_json, root);
		kp_buf_fini(&expected);
		kp_yaml_free(root);
	}
}

Test(yaml_write, words_stay_words)
{
	static const struct {
		const char *word;
		const char *json;
	} cases[] = {
		{ "true", "true\n" },
		{ "-0.5e+3", "-0.5e+3\n" },
		{ "0", "0\n" },
		{ "yes", "\"yes\"\n" },
		{ "010", "\"010\"\n" },
		{ "1.", "\"1.\"\n" },
		{ ".5", "\".5\"\n" },
		{ "1e", "\"1e\"\n" },
		{ "-", "\"-\"\n" },
		{ "text", "\"text\"\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_yaml *word = kp_yaml_new_word(cases[i].word);

		check_written(kp_yaml_write_json, word, cases[i].json);
		check_way_back(kp_yaml_write, word);
		check_way_back(kp_yaml_write_json, word);
		kp_yaml_free(word);
	}
}

Test(yaml_write, keys_of_any_length_come_back)
{
	char key[5001];

	for (size_t len = 1; len < sizeof(key); len += 83) {
		for (unsigned fill = 0; fill < 2; fill++) {
			struct kp_yaml *root = kp_yaml_new_list(), *map;

			(void)memset(key, fill == 0 ? 'k' : '\x01', len);
			key[len] = '\0';
			map = kp_yaml_append(root, kp_yaml_new_map());
			kp_yaml_put(map, key, resource());
			map = kp_yaml_append(root, kp_yaml_new_map());
			kp_yaml_put(map, key, kp_yaml_new_list());
			kp_yaml_append(map->items[0], kp_yaml_new_int(1));
			check_way_back(kp_yaml_write, root);
			kp_yaml_free(root);
		}
	}
}

/* A key is not written in another form because there is no memory. */
Test(yaml_write, each_refused_allocation_is_a_failure)
{
	struct kp_yaml *root = kp_yaml_new_map();
	char key[300], *wanted;
	unsigned n = 0, left = 0;

	(void)memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	kp_yaml_put(root, key, kp_yaml_new_text("value"));
	wanted = write_with(kp_yaml_write, root);
	while (left == 0) {
		struct kp_buf out;

		kp_buf_init(&out, MAX_LEN);
		kp_alloc_fail_after(++n);
		kp_yaml_write(&out, root);
		left = kp_alloc_fail_after(0);
		cr_assert_eq(out.failed, left == 0, "%u", n);
		cr_assert_eq(out.is_refused, left == 0, "%u", n);
		if (left > 0)
			cr_assert_str_eq(kp_buf_text(&out), wanted);
		kp_buf_fini(&out);
	}
	cr_assert(n > 2, "%u", n);
	free(wanted);
	kp_yaml_free(root);
}

Test(yaml_write, bytes_that_are_no_text_are_replaced)
{
	static const char *const bad[] = { "\x80", "\xc0\xaf", "\xc3",
		"\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct kp_yaml *root = kp_yaml_new_text(bad[i]);
		char *text = write_with(kp_yaml_write_json, root);

		for (const char *at = text + 1; *at != '"'; at += 3)
			cr_assert_eq(strncmp(at, "\xef\xbf\xbd", 3), 0);
		free(text);
		kp_yaml_free(root);
	}
}

Test(yaml_write, what_does_not_fit_has_failed)
{
	struct kp_yaml *root = resource();
	struct kp_buf out;

	for (size_t max_len = 0; max_len < 80; max_len++) {
		kp_buf_init(&out, max_len);
		kp_yaml_write(&out, root);
		cr_assert(out.failed);
		kp_buf_fini(&out);
	}
	kp_yaml_free(root);
}

Test(yaml_tree, sameness_is_of_what_is_said)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} cases[] = {
		{ "a: 1", "{ \"a\": 1 }", true },
		{ "a: x", "a: 'x'", true },
		{ "a: 1", "a: '1'", false },
		{ "a: true", "a: 'true'", false },
		{ "a: 1", "b: 1", false },
		{ "a: 1", "a: 2", false },
		{ "a: [1]", "a: [1, 2]", false },
		{ "a: []", "a: {}", false },
		{ "a: null", "a: 'null'", false },
		{ "a: ~", "a: null", true },
		{ "{a: 1, b: 2}", "{b: 2, a: 1}", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_yaml_stream a, b;
		struct kp_error err;

		cr_assert(kp_yaml_parse(&a, kp_bytes_of(cases[i].a), &err));
		cr_assert(kp_yaml_parse(&b, kp_bytes_of(cases[i].b), &err));
		cr_assert_eq(kp_yaml_is_same(a.documents[0], b.documents[0]),
		    cases[i].is_same, "%s %s", cases[i].a, cases[i].b);
		kp_yaml_stream_fini(&a);
		kp_yaml_stream_fini(&b);
	}
}

static struct kp_yaml *
parse(const char *text)
{
	struct kp_yaml_stream stream;
	struct kp_yaml *root;
	struct kp_error err;

	cr_assert(
	    kp_yaml_parse(&stream, kp_bytes_of(text), &err), "%s", err.text);
	root = stream.documents[0];
	stream.documents[0] = NULL;
	kp_yaml_stream_fini(&stream);
	return root;
}

/* What kpctl does with documents of a server. */
Test(yaml_tree, parsed_documents_can_be_part_of_a_tree)
{
	struct kp_yaml *root = kp_yaml_new_map();
	struct kp_yaml *list = kp_yaml_put(root, "items", kp_yaml_new_list());

	kp_yaml_append(list, parse("a: [1, {b: 2}]"));
	kp_yaml_append(list, parse("word"));
	kp_yaml_put(root, "object", parse("{c: 3}"));
	check_written(kp_yaml_write, root,
	    "items:\n"
	    "- a:\n"
	    "  - 1\n"
	    "  - b: 2\n"
	    "- word\n"
	    "object:\n"
	    "  c: 3\n");
	kp_yaml_free(root);
}

static void
add_to_parsed_map(void)
{
	kp_yaml_put(parse("a: 1"), "b", kp_yaml_new_int(2));
}

static void
add_to_parsed_list(void)
{
	kp_yaml_append(parse("[1]"), kp_yaml_new_int(2));
}

Test(yaml_tree, nothing_is_added_to_what_was_parsed)
{
	cr_assert(kp_aborts(add_to_parsed_map));
	cr_assert(kp_aborts(add_to_parsed_list));
}
