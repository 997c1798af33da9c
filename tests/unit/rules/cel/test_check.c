/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "rules/cel/check.h"
#include "rules/cel/declare.h"
#include "rules/cel/eval_priv.h"

/* The host: a topic with fields, plain values, and one of each kind. */
static const char *const names[] = { "topic", "count", "name", "configs",
	"rows", "anything", "maybe", "free", "broken", "when" };
static const char *const types[] = { "Topic", "int", "string",
	"map(string, string)", "list(Topic)", "dyn", "optional(Topic)", NULL,
	"list(Tpoic)", "timestamp" };

static const struct kp_cel_field topic_fields[] = {
	{ "name", "string" },
	{ "replicationFactor", "int" },
	{ "tags", "map(string, string)" },
	{ "owner", "optional(User)" },
};
static const struct kp_cel_field user_fields[] = {
	{ "groups", "list(string)" },
};
static const struct kp_cel_object_type objects[] = {
	{ "Topic", topic_fields, 4 },
	{ "User", user_fields, 1 },
};

static struct kp_cel_env
env_of(const char *result)
{
	return (struct kp_cel_env){ .variables = names,
		.num_variables = sizeof(names) / sizeof(*names),
		.types = types,
		.objects = objects,
		.num_objects = sizeof(objects) / sizeof(*objects),
		.result = result };
}

static void
expect_type(const char *source, const char *wanted)
{
	const struct kp_cel_env env = env_of(NULL);
	struct kp_cel_fault fault;
	struct kp_cel_program *program =
	    kp_cel_program_new(kp_bytes_of(source), &env, &fault);

	cr_assert_not_null(program, "%s: %s", source, fault.text);
	cr_assert_str_eq(kp_cel_program_type(program), wanted, "%s: %s", source,
	    kp_cel_program_type(program));
	kp_cel_program_free(program);
}

static struct kp_cel_fault
refused(const char *source, const char *result)
{
	const struct kp_cel_env env = env_of(result);
	struct kp_cel_fault fault;
	struct kp_cel_program *program =
	    kp_cel_program_new(kp_bytes_of(source), &env, &fault);

	cr_assert_null(program, "%s", source);
	return fault;
}

static void
expect_refused(const char *source, uint32_t pos, const char *text)
{
	struct kp_cel_fault fault = refused(source, NULL);

	cr_assert_eq(fault.kind, KP_CEL_FAULT_TYPE, "%s", source);
	cr_assert_eq(fault.pos, pos, "%s: %u", source, fault.pos);
	cr_assert_str_eq(fault.text, text, "%s: %s", source, fault.text);
}

Test(cel_check, each_expression_has_a_type)
{
	static const struct {
		const char *source, *type;
	} cases[] = {
		{ "null", "null_type" },
		{ "1 + 2", "int" },
		{ "topic", "Topic" },
		{ "topic.tags['a']", "string" },
		{ "topic.tags.a", "string" },
		{ "has(topic.owner)", "bool" },
		{ "topic.owner.groups", "optional(list(string))" },
		{ "topic.?owner", "optional(optional(User))" },
		{ "topic.?name.orValue('')", "string" },
		{ "maybe.name", "optional(string)" },
		{ "rows[?0].name", "optional(string)" },
		{ "rows[0].replicationFactor", "int" },
		{ "configs[?'a']", "optional(string)" },
		{ "rows.map(t, t.name)", "list(string)" },
		{ "rows.map(t, t.name != '', t.tags)",
		    "list(map(string, string))" },
		{ "rows.filter(t, t.name == 'a')", "list(Topic)" },
		{ "rows.all(t, t.replicationFactor > 2)", "bool" },
		{ "rows.exists_one(i, t, i > 0 && t.name == '')", "bool" },
		{ "rows.transformList(i, t, i)", "list(int)" },
		{ "rows.transformMap(i, t, t.name)", "map(int, string)" },
		{ "configs.transformMap(k, v, size(v))", "map(string, int)" },
		{ "configs.transformMapEntry(k, v, {v: size(k)})",
		    "map(string, int)" },
		{ "configs.map(k, k)", "list(string)" },
		{ "cel.bind(a, topic.name, [a])", "list(string)" },
		{ "maybe.optMap(t, t.name)", "optional(string)" },
		{ "maybe.optFlatMap(t, t.owner)", "optional(User)" },
		{ "anything.a.b[0] + 1", "int" },
		{ "anything + anything", "dyn" },
		{ "free.x", "dyn" },
		{ "[1, 'a']", "list(dyn)" },
		{ "[count, 'a']", "list(dyn)" },
		{ "[]", "list(dyn)" },
		{ "[[], [1]]", "list(list(int))" },
		{ "{'a': 1, 'b': 'c'}", "map(string, dyn)" },
		{ "{}", "map(dyn, dyn)" },
		{ "[?topic.owner]", "list(User)" },
		{ "{?'a': topic.owner}", "map(string, User)" },
		{ "true ? [] : [count]", "list(int)" },
		{ "count > 1 ? topic : null", "Topic" },
		{ "duration('1s') + null", "dyn" },
		{ "timestamp(0) + null", "timestamp" },
		{ "type(count)", "type(int)" },
		{ "type(anything)", "type" },
		{ "int", "type(int)" },
		{ "type(count) == string", "bool" },
		{ "count < 1.5 && count >= 1u", "bool" },
		{ "-count", "int" },
		{ "!(name in ['a'])", "bool" },
		{ "when - duration('1h')", "timestamp" },
		{ "when - when", "duration" },
		{ "when.getHours('UTC')", "int" },
		{ "dyn(1) == 'a'", "bool" },
		{ "optional.none()", "optional(dyn)" },
		{ "cel.bind(e, [], e[0] + 'a')", "string" },
		{ "rows.all(t, true) && configs.all(k, k == '')", "bool" },
		{ "[optional.of(1), optional.none()]", "list(optional(int))" },
		{ "optional.of(1).or(optional.of(2)).value()", "int" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_type(cases[i].source, cases[i].type);
}

static const struct {
	const char *source;
	uint32_t pos;
	const char *text;
} misfits[] = {
	{ "topic.nmae", 5,
	    "Topic has no field \"nmae\"; did you mean \"name\"?" },
	{ "has(topic.nmae)", 9,
	    "Topic has no field \"nmae\"; did you mean \"name\"?" },
	{ "topic.?nmae", 5,
	    "Topic has no field \"nmae\"; did you mean \"name\"?" },
	{ "maybe.nmae", 5,
	    "Topic has no field \"nmae\"; did you mean \"name\"?" },
	{ "rows.all(t, t.nothingLikeIt)", 13,
	    "Topic has no field \"nothingLikeIt\"" },
	{ "true && topik.name == ''", 8,
	    "there is no variable \"topik\"; did you mean \"topic\"?" },
	{ "rows.map(thing, thinh)", 16,
	    "there is no variable \"thinh\"; did you mean \"thing\"?" },
	{ "zzzzzzzz", 0, "there is no variable \"zzzzzzzz\"" },
	{ "topik.startsWith('a')", 0,
	    "there is no variable \"topik\"; did you mean \"topic\"?" },
	{ "count + name", 6, "there is no \"+\" for int and string" },
	{ "1 + 1.0", 2, "there is no \"+\" for int and double" },
	{ "count == name", 6, "there is no \"==\" for int and string" },
	{ "-name", 0, "there is no \"-\" for string" },
	{ "!count", 0, "there is no \"!\" for int" },
	{ "1 in 2", 2, "there is no \"in\" for int and int" },
	{ "rows['a']", 4, "there is no \"[]\" for list(Topic) and string" },
	{ "topic['name']", 5, "there is no \"[]\" for Topic and string" },
	{ "configs[?1]", 7,
	    "there is no \"[?]\" for map(string, string) and int" },
	{ "count ? 1 : 2", 6, "there is no \"?:\" for int, int and int" },
	{ "true ? count : name", 5,
	    "there is no \"?:\" for bool, int and string" },
	{ "true && count", 8, "a condition must be bool, this one is int" },
	{ "rows.all(t, t.name)", 13,
	    "a condition must be bool, this one is string" },
	{ "rows.filter(t, t)", 15,
	    "a condition must be bool, this one is Topic" },
	{ "count.all(x, true)", 6,
	    "all() is for a list or a map, not for int" },
	{ "count.optMap(x, x)", 6, "optMap() is for an optional, not for int" },
	{ "maybe.optFlatMap(x, x)", 20,
	    "the body of optFlatMap() must be optional" },
	{ "rows.transformMapEntry(i, t, i)", 29,
	    "the body of transformMapEntry() must be a map, this is "
	    "int" },
	{ "[?count]", 2,
	    "what stands behind \"?\" must be optional, this is int" },
	{ "size(count)", 0, "there is no \"size\" for int" },
	{ "name.size(1)", 5, "there is no \"size\" for string and int" },
	{ "optional.of()", 9, "there is no \"optional.of\" without arguments" },
	{ "siez(name)", 0,
	    "there is no function \"siez\"; did you mean \"size\"?" },
	{ "math.gretest(1, 2)", 5,
	    "there is no function \"math.gretest\"; did you mean "
	    "\"math.greatest\"?" },
	{ "startsWith(name, 'a')", 0,
	    "\"startsWith\" is called on a value: x.startsWith(...)" },
	{ "count.string()", 6,
	    "\"string\" is not called on a value: string(x)" },
	{ "count.field", 5, "a value of type int has no fields" },
	{ "[?null]", 2,
	    "what stands behind \"?\" must be optional, this is null_type" },
	{ "broken.size()", 0, "the host declares no type \"list(Tpoic)\"" },
	{ "cel.bind(a, [], a == [a])", 18,
	    "there is no \"==\" for list(dyn) and list(list(dyn))" },
	{ "cel.bind(a, 1, a + 'b')", 17,
	    "there is no \"+\" for int and string" },
};

Test(cel_check, what_does_not_fit_is_refused_with_place_and_reason)
{
	for (size_t i = 0; i < sizeof(misfits) / sizeof(*misfits); i++)
		expect_refused(
		    misfits[i].source, misfits[i].pos, misfits[i].text);
}

Test(cel_check, the_caret_stands_below_what_does_not_fit)
{
	const char *source = "topic.nmae == ''";
	struct kp_cel_fault fault = refused(source, NULL);
	struct kp_buf out;

	kp_buf_init(&out, 4096);
	kp_cel_render(&out, kp_bytes_of(source), &fault);
	cr_assert_str_eq(kp_buf_text(&out),
	    "1:6: Topic has no field \"nmae\"; did you mean \"name\"?\n"
	    " | topic.nmae == ''\n"
	    " | .....^");
	kp_buf_fini(&out);
}

Test(cel_check, the_host_says_which_type_it_wants)
{
	static const char *const good[] = { "count > 1", "anything", "dyn(1)",
		"[true][0]" };
	const struct kp_cel_env env = env_of("bool");
	struct kp_cel_fault fault;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct kp_cel_program *program =
		    kp_cel_program_new(kp_bytes_of(good[i]), &env, &fault);

		cr_assert_not_null(program, "%s: %s", good[i], fault.text);
		kp_cel_program_free(program);
	}
	fault = refused("'a' + name", "bool");
	cr_assert_eq(fault.kind, KP_CEL_FAULT_TYPE);
	cr_assert_str_eq(
	    fault.text, "the expression must be bool, this one is string");
	fault = refused("true", "Boolean");
	cr_assert_str_eq(fault.text, "the host declares no type \"Boolean\"");
}

Test(cel_check, variables_without_types_are_dyn)
{
	struct kp_cel_env env = env_of(NULL);
	struct kp_cel_fault fault;
	struct kp_cel_program *program;

	env.types = NULL;
	cr_assert_null(
	    kp_cel_program_new(kp_bytes_of("1 + 'a'"), &env, &fault));
	cr_assert_eq(fault.kind, KP_CEL_FAULT_TYPE);
	program =
	    kp_cel_program_new(kp_bytes_of("topic.nmae + 1"), &env, &fault);
	cr_assert_not_null(program);
	kp_cel_program_free(program);
}

Test(cel_check, nothing_is_checked_only_if_that_is_said)
{
	struct kp_cel_env env = env_of(NULL);
	struct kp_cel_fault fault;
	struct kp_cel_program *program;

	env.is_unchecked = true;
	program =
	    kp_cel_program_new(kp_bytes_of("topic.nmae + 1"), &env, &fault);
	cr_assert_not_null(program);
	cr_assert_str_eq(kp_cel_program_type(program), "dyn");
	kp_cel_program_free(program);
}

/* What is declared but not there would fail at each evaluation. */
Test(cel_check, a_declared_function_must_be_there)
{
	const struct kp_cel_env env = env_of(NULL);
	struct kp_cel_program program = { .tree = NULL };
	struct kp_arena *arena = &program.arena;
	struct kp_cel_fault fault;
	const char *type;

	kp_arena_init(arena, 1 << 20);
	program.tree = kp_cel_parse(kp_bytes_of("size(name)"), arena, &fault);
	cr_assert_not_null(program.tree);
	cr_assert(kp_cel_resolve(&program, &env, &fault));
	cr_assert(kp_cel_check(program.tree, &env, arena, &type, &fault));
	program.tree->function = NULL;
	cr_assert(!kp_cel_check(program.tree, &env, arena, &type, &fault));
	cr_assert_str_eq(fault.text, "there is no function \"size\"");
	kp_arena_fini(arena);
}

/* The type of a call with arguments of these types, "" if there is none. */
static void
result_of(struct kp_cel_types *all, const char *name, enum kp_cel_style style,
    const char *params, char out[KP_CEL_TYPE_TEXT_SIZE])
{
	struct kp_cel_static *args[KP_CEL_MAX_ARGS], *type;
	uint32_t num = 0;

	while (*params != '\0') {
		args[num] = kp_cel_static_parse(all, &params, NULL);
		cr_assert_not_null(args[num++], "%s: %s", name, params);
		params += strspn(params, ", ");
	}
	type = kp_cel_overload_result(all, kp_bytes_of(name), style, args, num);
	out[0] = '\0';
	if (type != NULL)
		kp_cel_static_print(out, type);
}

Test(cel_check, functions_take_what_their_declarations_say)
{
	static const struct {
		const char *name;
		enum kp_cel_style style;
		const char *params, *result;
	} cases[] = {
		{ "math.greatest", KP_CEL_GLOBAL, "int", "int" },
		{ "math.greatest", KP_CEL_GLOBAL, "int, int, int, int", "int" },
		{ "math.greatest", KP_CEL_GLOBAL, "int, double, uint", "dyn" },
		{ "math.greatest", KP_CEL_GLOBAL, "list(double)", "double" },
		{ "math.greatest", KP_CEL_GLOBAL, "list(dyn)", "dyn" },
		{ "math.greatest", KP_CEL_GLOBAL, "int, dyn", "dyn" },
		{ "math.least", KP_CEL_GLOBAL, "uint, uint", "uint" },
		{ "math.greatest", KP_CEL_GLOBAL, "", "" },
		{ "math.greatest", KP_CEL_GLOBAL, "int, string", "" },
		{ "math.greatest", KP_CEL_GLOBAL, "list(string)", "" },
		{ "math.abs", KP_CEL_GLOBAL, "double", "double" },
		{ "math.ceil", KP_CEL_GLOBAL, "int", "" },
		{ "math.sqrt", KP_CEL_GLOBAL, "uint", "double" },
		{ "math.isNaN", KP_CEL_GLOBAL, "double", "bool" },
		{ "math.bitAnd", KP_CEL_GLOBAL, "uint, uint", "uint" },
		{ "math.bitAnd", KP_CEL_GLOBAL, "uint, int", "" },
		{ "math.bitShiftLeft", KP_CEL_GLOBAL, "uint, int", "uint" },
		{ "format", KP_CEL_MEMBER, "string, list(int)", "string" },
		{ "split", KP_CEL_MEMBER, "string, string", "list(string)" },
		{ "split", KP_CEL_MEMBER, "string, string, int",
		    "list(string)" },
		{ "split", KP_CEL_GLOBAL, "string, string", "" },
		{ "join", KP_CEL_MEMBER, "list(string), string", "string" },
		{ "join", KP_CEL_MEMBER, "list(int)", "" },
		{ "substring", KP_CEL_MEMBER, "string, int, int", "string" },
		{ "substring", KP_CEL_MEMBER, "string", "" },
		{ "indexOf", KP_CEL_MEMBER, "string, string", "int" },
		{ "strings.quote", KP_CEL_GLOBAL, "string", "string" },
		{ "base64.encode", KP_CEL_GLOBAL, "bytes", "string" },
		{ "base64.decode", KP_CEL_GLOBAL, "string", "bytes" },
		{ "base64.encode", KP_CEL_GLOBAL, "string", "" },
	};
	const struct kp_cel_env env = env_of(NULL);
	struct kp_cel_types all;
	char out[KP_CEL_TYPE_TEXT_SIZE];

	kp_cel_types_init(&all, &env);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		result_of(
		    &all, cases[i].name, cases[i].style, cases[i].params, out);
		cr_assert_str_eq(out, cases[i].result, "%s(%s): %s",
		    cases[i].name, cases[i].params, out);
	}
	kp_cel_types_fini(&all);
}

/* Each row of the table is one that its own texts fit. */
Test(cel_check, every_declaration_can_be_read)
{
	const struct kp_cel_env env = env_of(NULL);
	struct kp_cel_static *letters[KP_CEL_NUM_LETTERS];
	struct kp_cel_types all;
	size_t num;
	const struct kp_cel_overload *list = kp_cel_overloads(&num);

	kp_cel_types_init(&all, &env);
	for (size_t i = 0; i < num; i++) {
		const char *params = list[i].params, *result = list[i].result;

		letters[0] = letters[1] = NULL;
		while (*params != '\0' && strcmp(params, "...") != 0) {
			cr_assert_not_null(
			    kp_cel_static_parse(&all, &params, letters), "%s",
			    list[i].name);
			params += strspn(params, ", ");
		}
		cr_assert_not_null(kp_cel_static_parse(&all, &result, letters));
		cr_assert_str_eq(result, "", "%s", list[i].name);
	}
	kp_cel_types_fini(&all);
}

Test(cel_check, an_expression_of_any_allowed_size_is_checked)
{
	struct kp_buf source;

	kp_buf_init(&source, KP_CEL_MAX_SOURCE_LEN);
	kp_buf_add_text(&source, "[");
	for (int i = 0; i < 1300; i++)
		kp_buf_add_text(&source, "topic.tags[name]=='',");
	kp_buf_add_text(&source, "]");
	cr_assert(!source.failed);
	expect_type(kp_buf_text(&source), "list(bool)");
	kp_buf_clear(&source);
	kp_buf_add_text(&source, "[");
	for (int i = 0; i < 2700; i++)
		kp_buf_add_text(&source, "free+free,");
	kp_buf_add_text(&source, "]");
	cr_assert(!source.failed);
	expect_type(kp_buf_text(&source), "list(dyn)");
	kp_buf_fini(&source);
}

Test(cel_check, types_that_grow_reach_a_limit)
{
	struct kp_buf source;
	struct kp_cel_fault fault;

	/* Each level holds the one before twice. */
	kp_buf_init(&source, 1 << 16);
	kp_buf_add_text(&source, "cel.bind(v0, 1, ");
	for (int i = 1; i < 30; i++)
		kp_buf_printf(
		    &source, "cel.bind(v%d, {[v%d]: v%d}, ", i, i - 1, i - 1);
	kp_buf_add_text(&source, "v29 == v29");
	for (int i = 0; i < 30; i++)
		kp_buf_add_text(&source, ")");
	fault = refused(kp_buf_text(&source), NULL);
	cr_assert_eq(fault.kind, KP_CEL_FAULT_LIMIT, "%s", fault.text);

	/* Lists in lists, deeper than types may be. */
	kp_buf_clear(&source);
	kp_buf_add_text(&source, "[1]");
	for (int i = 0; i < KP_CEL_MAX_TYPE_DEPTH; i++)
		kp_buf_add_text(&source, ".map(x, [x])");
	kp_buf_add_text(&source, " == []");
	fault = refused(kp_buf_text(&source), NULL);
	cr_assert_eq(fault.kind, KP_CEL_FAULT_LIMIT, "%s", fault.text);
	kp_buf_fini(&source);
}

Test(cel_check, every_refused_allocation_is_a_fault)
{
	const char *source =
	    "rows.filter(t, t.name == 'a').map(t, [t.tags, {}])[0] + "
	    "[configs.transformMap(k, v, v + k), {'a': topik.name}]";
	const struct kp_cel_env env = env_of(NULL);
	struct kp_cel_fault fault = { .kind = KP_CEL_FAULT_LIMIT };
	unsigned n = 0, num_types = 0;

	while (fault.kind == KP_CEL_FAULT_LIMIT) {
		cr_assert(n < 100);
		kp_alloc_fail_after(++n);
		cr_assert_null(
		    kp_cel_program_new(kp_bytes_of(source), &env, &fault));
		kp_alloc_fail_after(0);
		num_types += strstr(fault.text, "the types") != NULL;
	}
	cr_assert_str_eq(fault.text,
	    "there is no variable \"topik\"; did you mean \"topic\"?");
	cr_expect(num_types > 0);
}
