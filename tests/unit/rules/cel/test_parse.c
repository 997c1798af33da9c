/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "rules/cel/syntax.h"

/* The tree as a text with all its parentheses. */
static void
print_tree(struct kp_buf *out, const struct kp_cel_node *node)
{
	static const char *const kinds[] = { "", "", ".", "[]", "", "list",
		"map", "?", "!", "-", "", "&&", "||", "?:", "" };
	static const char *const operators[] = { "==", "!=", "<", "<=", ">",
		">=", "in", "+", "-", "*", "/", "%" };

	if (node == NULL) {
		kp_buf_add_text(out, "none");
		return;
	}
	if (node->kind == KP_CEL_CONSTANT) {
		kp_buf_add_text(out, kp_cel_type_name(node->constant));
		return;
	}
	if (node->kind != KP_CEL_IDENT)
		kp_buf_add_text(out, "(");
	if (node->is_absolute)
		kp_buf_add_text(out, ".");
	kp_buf_add_text(out, kinds[node->kind]);
	if (node->kind == KP_CEL_BINARY)
		kp_buf_add_text(out, operators[node->operation]);
	if (node->is_optional)
		kp_buf_add_text(out, "?");
	if (node->is_test)
		kp_buf_add_text(out, "has ");
	if (node->is_member)
		kp_buf_add_text(out, "member ");
	kp_buf_add(out, node->name.data, node->name.len);
	for (uint32_t i = 0; i < node->num_variables; i++)
		kp_buf_printf(out, " %.*s:", (int)node->variables[i].len,
		    (const char *)node->variables[i].data);
	for (uint32_t i = 0; i < node->num_args; i++) {
		kp_buf_add_text(out, " ");
		print_tree(out, node->args[i]);
	}
	if (node->kind != KP_CEL_IDENT)
		kp_buf_add_text(out, ")");
}

static void
expect_tree(const char *source, const char *wanted)
{
	struct kp_arena arena;
	struct kp_cel_fault fault;
	struct kp_cel_node *node;
	struct kp_buf out;

	kp_arena_init(&arena, 1 << 20);
	kp_buf_init(&out, 1 << 16);
	node = kp_cel_parse(kp_bytes_of(source), &arena, &fault);
	cr_assert_not_null(node, "%s: %s", source, fault.text);
	print_tree(&out, node);
	cr_assert_str_eq(
	    kp_buf_text(&out), wanted, "%s: %s", source, kp_buf_text(&out));
	kp_buf_fini(&out);
	kp_arena_fini(&arena);
}

static struct kp_cel_fault
refused(struct kp_bytes source)
{
	struct kp_arena arena;
	struct kp_cel_fault fault;

	kp_arena_init(&arena, 4 << 20);
	cr_assert_null(kp_cel_parse(source, &arena, &fault), "%.40s",
	    (const char *)source.data);
	kp_arena_fini(&arena);
	return fault;
}

static void
expect_fault(const char *source, const char *wanted)
{
	struct kp_cel_fault fault = refused(kp_bytes_of(source));
	struct kp_buf out;

	kp_buf_init(&out, 4096);
	kp_cel_render(&out, kp_bytes_of(source), &fault);
	cr_assert_str_eq(kp_buf_text(&out), wanted, "%s", kp_buf_text(&out));
	kp_buf_fini(&out);
}

/* "(((1)))", num times, and so on. */
static char *
repeat(const char *before, const char *middle, const char *after, size_t num)
{
	struct kp_buf out;
	char *text;

	kp_buf_init(&out, 1 << 20);
	for (size_t i = 0; i < num; i++)
		kp_buf_add_text(&out, before);
	kp_buf_add_text(&out, middle);
	for (size_t i = 0; i < num; i++)
		kp_buf_add_text(&out, after);
	text = kp_strdup(kp_buf_text(&out));
	kp_buf_fini(&out);
	return text;
}

static void
expect_limit(const char *before, const char *after, size_t num)
{
	char *text = repeat(before, "1", after, num);

	cr_assert_eq(refused(kp_bytes_of(text)).kind, KP_CEL_FAULT_LIMIT,
	    "%s%zu", before, num);
	free(text);
}

Test(cel_parse, operators_bind_as_in_the_specification)
{
	static const char *const cases[][2] = {
		{ "a + b * c", "(+ a (* b c))" },
		{ "a - b - c", "(- (- a b) c)" },
		{ "a < b + c == d", "(== (< a (+ b c)) d)" },
		{ "a || b && c || d", "(|| a (&& b c) d)" },
		{ "a ? b : c ? d : e", "(?: a b (?: c d e))" },
		{ "!a.b", "(! (.b a))" },
		{ "-a[1]", "(- ([] a int))" },
		{ "x in [a, b,]", "(in x (list a b))" },
		{ "!!!a", "(! a)" },
		{ "!!a", "(! (! a))" },
		{ "---1", "(- (- int))" },
		{ "a -1", "(- a int)" },
		{ "(a)", "a" },
		{ ".a.b(c)", "(member b .a c)" },
		{ "a.as", "(.as a)" },
		{ "a.`b-c`", "(.b-c a)" },
		{ "{1: a, ?'b': c}", "(map int a string (? c))" },
		{ "[?a, b]", "(list (? a) b)" },
		{ "a.?b[?c]", "([]? (.?b a) c)" },
		{ "a // b\n + c", "(+ a c)" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_tree(cases[i][0], cases[i][1]);
}

Test(cel_parse, macros_become_loops)
{
	static const char *const cases[][2] = {
		{ "has(a.b)", "(.has b a)" },
		{ "a.all(x, x > b)", "(all x: a (> x b) none)" },
		{ "a.exists(k, v, k == v)", "(exists k: v: a (== k v) none)" },
		{ "a.existsOne(x, x)", "(existsOne x: a x none)" },
		{ "a.map(x, -x)", "(map x: a (- x) none)" },
		{ "a.map(x, b, -x)", "(map x: a (- x) b)" },
		{ "a.filter(x, b)", "(filter x: a x b)" },
		{ "a.transformList(i, v, b, v)",
		    "(transformList i: v: a v b)" },
		{ "a.transformMap(k, v, v)", "(transformMap k: v: a v none)" },
		{ "a.optMap(x, x)", "(optMap x: a x none)" },
		{ "a.all(x)", "(member all a x)" },
		{ "all(a, x, x)", "(all a x x)" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_tree(cases[i][0], cases[i][1]);
}

Test(cel_parse, faults_show_where)
{
	expect_fault("topic.name)",
	    "1:11: expected an operator or the end, found \")\"\n"
	    " | topic.name)\n"
	    " | ..........^");
	expect_fault("a +\n  ", "2:3: expected an expression, found the end\n"
				" |   \n"
				" | ..^");
	expect_fault("'\xc3\xa9' + * 2",
	    "1:7: expected an expression, found \"*\"\n"
	    " | '\xc3\xa9' + * 2\n"
	    " | ......^");
	expect_fault("a = b", "1:3: \"=\" is no operator, \"==\" is\n"
			      " | a = b\n"
			      " | ..^");
	expect_fault("a.map(1, x)",
	    "1:7: expected the name of a variable of the macro\n"
	    " | a.map(1, x)\n"
	    " | ......^");
	expect_fault("google.T{a: 1}",
	    "1:9: messages cannot be made: there is no type to make one of\n"
	    " | google.T{a: 1}\n"
	    " | ........^");
}

/* What was found is cut after a number of bytes, here within a character. */
Test(cel_parse, a_fault_is_a_text_though_it_was_cut)
{
	char *text = repeat("", "a 'bb", "\xc3\xa9", 40);
	char *whole = repeat("", text, "'", 1);
	struct kp_cel_fault fault = refused(kp_bytes_of(whole));

	cr_assert_not_null(strstr(fault.text, "'bb\xc3\xa9"));
	cr_assert(kp_is_utf8(fault.text), "%s", fault.text);
	free(text);
	free(whole);
}

Test(cel_parse, what_is_no_expression_is_refused)
{
	static const char *const sources[] = { "", " ", "a b", "a.", "a..b",
		"f(a,)", "[,]", "{a}", "{a:}", "a ? b", "1 2", "1a", "0x", "1e",
		"'a", "'''a''", "'a\nb'", "\"\\q\"", "'\\x4'", "'\\400'",
		"'\\ud800'", "'\\U00110000'", "b'\\u0041'", "if", "a.in", "in",
		"has(a)", "has(a[0])", "has(has(a.b))", "a.all(x.y, x)",
		"a.exists(x, x, x)", "9223372036854775808", "-1u",
		"18446744073709551616u", "1e999", "a & b", "#", "`a`", "a.``",
		"a.?b()", "!-a", "-!a", "a.`b`()", "T{}", "rb'a'" };

	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++)
		cr_assert_eq(refused(kp_bytes_of(sources[i])).kind,
		    KP_CEL_FAULT_SYNTAX, "%s", sources[i]);
}

Test(cel_parse, bytes_that_are_no_text_are_refused)
{
	static const uint8_t bad[] = { '1', '+', 0xff };
	static const uint8_t nul[] = { '1', 0, '1' };

	cr_assert_eq(refused((struct kp_bytes){ bad, sizeof(bad) }).kind,
	    KP_CEL_FAULT_SYNTAX);
	cr_assert_eq(refused((struct kp_bytes){ nul, sizeof(nul) }).kind,
	    KP_CEL_FAULT_SYNTAX);
}

Test(cel_parse, depth_and_size_are_limited)
{
	char *deep = repeat("(", "1", ")", KP_CEL_MAX_NESTING);

	expect_tree(deep, "int");
	free(deep);
	expect_limit("(", ")", KP_CEL_MAX_NESTING + 1);
	expect_limit("[", "]", 10000);
	expect_limit("f(", ")", 10000);
	expect_limit("a[", "]", 10000);
	expect_limit("{1:", "}", 8000);
	expect_limit("a ? a : ", "", 4000);
	expect_limit("1+", "", KP_CEL_MAX_DEPTH);
	expect_limit("", ".a", KP_CEL_MAX_DEPTH);
	expect_limit("a||", "", KP_CEL_MAX_ELEMENTS);
	expect_limit("1,", "", KP_CEL_MAX_SOURCE_LEN);
}

Test(cel_parse, long_chains_are_no_deep_trees)
{
	char *text = repeat("a||", "a", "", 1000);
	char *nots = repeat("!", "a", "", 1001);
	struct kp_arena arena;
	struct kp_cel_fault fault;
	struct kp_cel_node *node;

	kp_arena_init(&arena, 1 << 20);
	node = kp_cel_parse(kp_bytes_of(text), &arena, &fault);
	cr_assert_not_null(node);
	cr_assert_eq(node->num_args, 1001);
	cr_assert_eq(node->depth, 2);
	node = kp_cel_parse(kp_bytes_of(nots), &arena, &fault);
	cr_assert_not_null(node);
	cr_assert_eq(node->depth, 2);
	kp_arena_fini(&arena);
	free(text);
	free(nots);
}

Test(cel_parse, memory_is_limited_at_any_size)
{
	const char *source = "a.all(x, [x, 'text', {1: f(x)}] == b && c || d)";

	for (size_t len = 0;; len += 16) {
		struct kp_arena arena;
		struct kp_cel_fault fault;
		struct kp_cel_node *node;

		kp_arena_init(&arena, len);
		node = kp_cel_parse(kp_bytes_of(source), &arena, &fault);
		kp_arena_fini(&arena);
		if (node != NULL)
			break;
		cr_assert_eq(fault.kind, KP_CEL_FAULT_LIMIT, "%s", fault.text);
	}
}

Test(cel_parse, every_prefix_is_a_tree_or_a_fault)
{
	const char *source =
	    "a.map(x, x > -1.5e3u0 ? \"\\u00e9\\n\" : b'''c''')"
	    " // d\n || {?`e`: [1u]}.?f[?0x1f].g(h,) in .i";

	for (size_t len = 0; len < strlen(source); len++) {
		struct kp_bytes part = { (const uint8_t *)source, len };
		struct kp_arena arena;
		struct kp_cel_fault fault;

		kp_arena_init(&arena, 1 << 20);
		if (kp_cel_parse(part, &arena, &fault) == NULL) {
			cr_assert_neq(fault.kind, KP_CEL_FAULT_NONE);
			cr_assert_leq(fault.pos, len);
		}
		kp_arena_fini(&arena);
	}
}
