/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "rules/cel/program.h"
#include "tests/support/cel_host.h"

/*
 * The host: x is 5, n.x is 7, name a text, topic an object, configs a map and
 * rows a list of the host, a.b a name with a dot, broken an error.
 */
static const char *const names[] = { "x", "name", "topic", "configs", "rows",
	"a.b", "broken", "n.x" };

static bool
find_config(
    const struct kp_cel_map *map, struct kp_bytes key, struct kp_cel_value *out)
{
	(void)map;
	if (!kp_bytes_equal(key, kp_bytes_of("retention.ms")))
		return false;
	*out = kp_cel_string(kp_bytes_of("1000"));
	return true;
}

static struct kp_cel_entry
config_at(const struct kp_cel_map *map, size_t index)
{
	(void)map;
	(void)index;
	return (struct kp_cel_entry){
		.key = kp_cel_string(kp_bytes_of("retention.ms")),
		.value = kp_cel_string(kp_bytes_of("1000")),
	};
}

static const struct kp_cel_map configs = {
	.num = 1, .find = find_config, .at = config_at
};

static struct kp_cel_value
row_at(const struct kp_cel_list *list, size_t index)
{
	(void)list;
	return kp_cel_int((int64_t)index * 10);
}

static const struct kp_cel_list rows = { .num = 3, .at = row_at };

static enum kp_cel_presence
topic_field(const struct kp_cel_object *object, struct kp_bytes name,
    struct kp_cel_value *out)
{
	(void)object;
	if (kp_bytes_equal(name, kp_bytes_of("replicationFactor"))) {
		*out = kp_cel_int(3);
		return KP_CEL_SET;
	}
	if (kp_bytes_equal(name, kp_bytes_of("owner"))) {
		*out = kp_cel_string(kp_bytes_of(""));
		return KP_CEL_UNSET;
	}
	return KP_CEL_NO_FIELD;
}

static const struct kp_cel_object topic = { .type_name = "Topic",
	.field = topic_field };

struct kp_cel_value
kp_host_get(const struct kp_cel_input *input, size_t variable)
{
	(void)input;
	switch (variable) {
	case 0:
		return kp_cel_int(5);
	case 1:
		return kp_cel_string(kp_bytes_of("orders.eu"));
	case 2:
		return kp_cel_object(&topic);
	case 3:
		return kp_cel_map(&configs);
	case 4:
		return kp_cel_list(&rows);
	case 5:
		return kp_cel_bool(true);
	case 7:
		return kp_cel_int(7);
	default:
		return kp_cel_error("it is broken");
	}
}

const struct kp_cel_env kp_host_env = { .variables = names,
	.num_variables = sizeof(names) / sizeof(*names),
	.is_unchecked = true,
	.container = "n.m" };

Test(cel_eval, the_host_is_asked_for_what_is_named)
{
	static const char *const sources[] = { "a.b", ".x == 5",
		"topic.replicationFactor >= 3", "has(topic.replicationFactor)",
		"!has(topic.owner)", "topic.owner == ''",
		"configs['retention.ms'] == '1000'", "configs.size() == 1",
		"has(configs.`retention.ms`)", "!('no' in configs)",
		"configs.all(k, k.startsWith('retention'))",
		"configs == {'retention.ms': '1000'}",
		"{'retention.ms': '1000'} == configs", "rows == [0, 10, 20]",
		"rows[2] == 20", "10 in rows", "rows + [1] == [0, 10, 20, 1]",
		"topic == topic", "!topic.?owner.hasValue()",
		"[1].exists(x, x == 1)", "[5].exists(y, y == x - 2)",
		"name.matches('orders.eu')", "type(topic) != int" };
	static const char *const wrong[] = { "topic.none", "has(topic.none)",
		"topic.?none", "broken", "name.matches('(' + '')", "unknown",
		"unknown.field", "f(1)", "configs.none", "rows[3]", "rows[-1]",
		"rows['a']", "x.y", "has(x.y)", "name[0]" };

	/* In the container "n.m", x is n.x before it is x. */
	kp_host_true("x == 7 && n.x == 7 && .x == 5");
	KP_HOST_ALL_TRUE(sources);
	KP_HOST_ALL_WRONG(wrong);
}

Test(cel_eval, errors_are_absorbed_by_what_decides)
{
	static const char *const sources[] = { "true || broken",
		"broken || true", "!(false && broken)", "!(broken && false)",
		"true ? true : broken", "[1, 0, 2].exists(i, 4 / i == 2)",
		"![1, 0, 2].all(i, 4 / i == 4)", "1 || true",
		"broken || 1 || true", "optional.of(1).orValue(broken) == 1",
		"optional.of(1).or(broken).value() == 1",
		"!optional.none()[broken].hasValue()" };
	static const char *const wrong[] = { "broken || false",
		"broken && true", "1 && true", "false || 1", "!1", "1 ? 1 : 2",
		"broken ? true : true", "[0].all(i, 1 / i == 1)",
		"[1].exists(i, i)", "[1, 0].exists_one(i, 1 / i == 1)",
		"[1].filter(i, i)", "[0].map(i, 1 / i)", "5.map(i, i)",
		"[1, 1].transformMapEntry(i, v, {v: i})",
		"[1].transformMapEntry(i, v, v)", "cel.bind(a, broken, a)",
		"optional.none().orValue(broken)", "optional.none().or(1)" };

	KP_HOST_ALL_TRUE(sources);
	KP_HOST_ALL_WRONG(wrong);
}

Test(cel_eval, what_does_not_fit_is_an_error)
{
	static const char *const wrong[] = { "9223372036854775807 + 1",
		"-9223372036854775808 - 1", "5000000000 * 5000000000",
		"-(-9223372036854775808)", "-9223372036854775808 / -1",
		"-9223372036854775808 % -1", "0u - 1u", "1 / 0", "1 % 0",
		"1u / 0u", "18446744073709551615u + 1u",
		"int(9223372036854775808.0)", "int(0.0 / 0.0)", "uint(-1)",
		"uint(-0.5)", "uint('-1')", "int('1 ')", "int('')",
		"int('9223372036854775808')", "double('0x1p3')", "double(' 1')",
		"double('nan')", "string(b'\\xff')", "timestamp(253402300800)",
		"duration('300y')", "1 + 1u", "1 + 1.0", "'a' + 1", "1.5 % 1.0",
		"-(1u)", "-'a'", "{1: 1, 1: 2}", "{1: 1, 1u: 2}", "{1.5: 1}",
		"{[]: 1}", "1 < 'a'", "[1] < [2]", "null < null", "1 in 1",
		"size(1)", "int(true)", "[?1]", "optional.none().value()" };

	KP_HOST_ALL_WRONG(wrong);
}

Test(cel_eval, values_compare_across_types)
{
	static const char *const sources[] = { "1 == 1u && 1u == 1.0",
		"1 < 1.5 && 2u > 1.5 && -1 < 0u", "1 in [1.0]",
		"{1: 'a'}[1u] == 'a'", "{1u: 'a'}[1.0] == 'a'", "1 != '1'",
		"0.0 / 0.0 != 0.0 / 0.0", "!(0.0 / 0.0 < 1)",
		"[1, [2, {3: 4}]] == [1u, [2.0, {3u: 4}]]", "null == null",
		"'a' < 'b' && 'a' < 'aa' && b'a' < b'b'", "false < true",
		"{'a': 1, 'b': 2} == {'b': 2, 'a': 1}", "[1] != [1, 2]",
		"type(1) == int && type(int) == type",
		"optional.of(1) == optional.of(1)",
		"optional.none() != optional.of(1)",
		"optional.ofNonZeroValue(optional.none()).hasValue()" };

	KP_HOST_ALL_TRUE(sources);
}

Test(cel_eval, functions_do_what_the_specification_says)
{
	static const char *const sources[] = {
		"size('\xc3\xa9') == 1 && size(b'\xc3\xa9') == 2",
		"'abc'.contains('') && !''.contains('a')",
		"'abc'.endsWith('bc') && !'c'.endsWith('bc')",
		"string(1.0) == '1' && string(1e100) == '1e+100'",
		"string(0.1) == '0.1' && string(-0.0045) == '-0.0045'",
		"string(123456789012345680.0) == '123456789012345680'",
		"string(9223372036854775807.0) == '9223372036854776000'",
		"string(1.0 / 0.0) == 'Infinity'",
		"string(-1.0 / 0.0) == '-Infinity'",
		"string(true) == 'true' && string(5u) == '5'",
		"double('1e3') == 1000.0 && int('-5') == -5",
		"bool('T') && !bool('0')", "int(-1.9) == -1",
		"'\\x41\\u00e9\\U0001F600\\101\\n' == "
		"'A\xc3\xa9\xf0\x9f\x98\x80"
		"A\\n'",
		"b'\\xff\\377' == b'\\xFF\\xff'", "r'\\n' == '\\\\n'",
		"'''a\r\nb''' == 'a\\nb'", "0x10 == 16 && .5 == 5e-1",
		"duration('90m') == duration('1h') + duration('30m')",
		"timestamp('2026-01-31T00:00:00Z') - duration('24h') == "
		"timestamp('2026-01-30T00:00:00Z')",
		"duration('-90s').getMinutes() == -1",
		"timestamp(0).getHours('+02:00') == 2",
		"{'a': 1}.map(k, k) == ['a']",
		"[3, 4].transformList(i, v, i * v) == [0, 4]",
		"{'a': 1}.transformMap(k, v, v + 1) == {'a': 2}",
		"[5].transformMap(i, v, v) == {0: 5}",
		"[5, 6].transformMapEntry(i, v, v > 5, {v: i}) == {6: 1}",
		"{'a': 1}.transformMapEntry(k, v, {k: 1, v: k, 2: 2, 3: 3, 4: "
		"4, 5: 5}).size() == 6",
		"cel.bind(a, 2, cel.bind(b, a + 1, a * b)) == 6",
		"[1, 2].exists_one(i, v, i + v == 1)",
		"[[1], [2]].all(x, x.all(y, y > 0 && y == x[0]))",
		"[?optional.none(), 1] == [1] && {?1: optional.of(2)} == {1: "
		"2}",
		"{'a': {}}.?a.b.orValue(3) == 3",
		"optional.of(1).optMap(x, x + "
		"1).value() == 2",
		"!has({'a': 1}.b) && has({'a': 1}.a)"
	};

	KP_HOST_ALL_TRUE(sources);
}

Test(cel_eval, a_fault_has_its_place_and_reason)
{
	static const struct {
		const char *source;
		uint32_t pos;
		const char *text;
	} cases[] = {
		{ "1 + 2 / 0", 6, "division by zero" },
		{ "configs.none", 7, "there is no key \"none\"" },
		{ "true && x", 5, "there is no \"&&\" for int" },
		{ "size(5)", 0, "there is no \"size\" for int" },
		{ "1 + '2'", 2, "there is no \"+\" for int and string" },
		{ "[1].all(i, i / 0 == 1)", 13, "division by zero" },
		{ "f(nowhere)", 0,
		    "there is no function \"f\" with these arguments" },
		{ "nowhere", 0, "\"nowhere\" is not known" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kp_cel_fault fault = kp_host_fault(cases[i].source);

		cr_assert_eq(fault.pos, cases[i].pos, "%s: %u", cases[i].source,
		    fault.pos);
		cr_assert_str_eq(fault.text, cases[i].text, "%s", fault.text);
	}
}

Test(cel_eval, no_expression_takes_longer_than_its_budget)
{
	static const char *const sources[] = {
		"[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, "
		"[1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, "
		"[1,2,3,4,5,6,7,8,9].all(e, [1,2,3,4,5,6,7,8,9].all(f, a > "
		"0))))))",
		/* Values that share their parts are larger than their memory.
		 */
		"[[1,1]].map(a, [a,a,a,a,a,a,a,a]).map(a, [a,a,a,a,a,a,a,a])"
		".map(a, [a,a,a,a,a,a,a,a]).map(a, [a,a,a,a,a,a,a,a])"
		".map(a, [a,a,a,a,a,a,a,a]).map(a, [a,a,a,a,a,a,a,a])"
		".map(a, [a,a,a,a,a,a,a,a]).exists(a, a == [a] || a == a)",
	};

	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		cr_assert_eq(kp_host_fault(sources[i]).kind, KP_CEL_FAULT_COST,
		    "%zu", i);
		cr_assert_leq(kp_host_scratch.meter.used,
		    KP_CEL_DEFAULT_STEPS + KP_CEL_DEFAULT_STEPS / 10);
	}
}

Test(cel_eval, no_expression_takes_more_than_its_memory)
{
	const char *source = "[1,2,3,4,5,6,7,8,9].map(a, name + name + name)"
			     ".map(a, a + a + a + a).map(a, a + a + a + a)"
			     ".map(a, a + a + a + a).map(a, a + a + a + a)"
			     ".map(a, a + a + a + a).map(a, a + a + a + a)"
			     ".size() == 9 || true";

	cr_assert_eq(kp_host_fault(source).kind, KP_CEL_FAULT_MEMORY);
}

/* Every limit of steps and of memory, from none at all: no error is absorbed.
 */
Test(cel_eval, limits_end_an_evaluation_wherever_it_is)
{
	const char *source =
	    "broken || ![0, 1].all(i, 1 / i == 1 && [1].map(j, j) == [j]) || "
	    "[1, 2].map(i, string(i) + name).exists(t, t == 'no') || "
	    "{'a': x, 'b': broken == 1 || true}.transformMap(k, v, k)"
	    " == configs || optional.of(x).optMap(y, y + 1).value() == 8";
	struct kp_cel_value value;
	struct kp_cel_fault fault;
	uint64_t steps = 0;
	size_t len = 0;

	while (!kp_host_run(
	    source, steps, KP_CEL_DEFAULT_MEMORY, &value, &fault)) {
		cr_assert_eq(fault.kind, KP_CEL_FAULT_COST, "%s", fault.text);
		cr_assert_str_eq(
		    fault.text, "the evaluation used up its budget");
		cr_assert_lt(steps++, 1000);
	}
	cr_assert_gt(steps, 30);
	while (!kp_host_run(source, steps, len, &value, &fault)) {
		cr_assert_eq(fault.kind, KP_CEL_FAULT_MEMORY, "%s", fault.text);
		cr_assert_str_eq(
		    fault.text, "the evaluation used up its memory");
		cr_assert_lt(len++, 10000);
	}
	cr_assert_gt(len, 100);
}

Test(cel_eval, memory_that_is_refused_ends_an_evaluation)
{
	struct kp_cel_value value;
	struct kp_cel_fault fault;
	const struct kp_cel_input input = { .get = kp_host_get };
	struct kp_cel_program *program = kp_cel_program_new(
	    kp_bytes_of("[x].map(i, i + 1)"), &kp_host_env, &fault);

	cr_assert_not_null(program);
	kp_cel_scratch_init(&kp_host_scratch, 1000, 1 << 20);
	kp_alloc_fail_after(1);
	cr_assert(!kp_cel_program_run(
	    program, &input, &kp_host_scratch, &value, &fault));
	cr_assert_eq(fault.kind, KP_CEL_FAULT_MEMORY);
	cr_expect(kp_cel_program_run(
	    program, &input, &kp_host_scratch, &value, &fault));
	kp_cel_scratch_fini(&kp_host_scratch);
	kp_cel_program_free(program);
}

/* The meter counts time: what the C library does for one node is not one step.
 */
Test(cel_eval, what_takes_longer_costs_more)
{
	static const struct {
		const char *source;
		uint64_t steps; /* at least */
	} cases[] = {
		{ "string(0.1) == '0.1'", 64 },
		{ "string(5e-324) == '5e-324'", 64 },
		{ "string(1.7976931348623157e308) != ''", 64 * 3 },
		{ "double('1') == 1.0", 16 },
		{ "string(1) == '1'", 16 },
		{ "('a' < 1) || true", 16 },
		{ "!('0123456789abcdef0123456789abcdef' < 'a'"
		  " && '0123456789abcdef0123456789abcdef' == 'b')",
		    2 + 2 },
		{ "!('0123456789abcdef0123456789abcdef'"
		  ".contains('0123456789abcdef0123456789abcdefg'))",
		    4 * 3 },
		{ "!('0123456789abcdef0123456789abcdef' in {'a': 1, 'b': 2})",
		    8 + 2 * (1 + 2) },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		kp_host_true(cases[i].source);
		cr_assert_geq(kp_host_scratch.meter.used, cases[i].steps,
		    "%s: %llu", cases[i].source,
		    (unsigned long long)kp_host_scratch.meter.used);
	}
}

/* What is too deep to compare is neither equal nor different. */
Test(cel_eval, values_too_deep_to_compare_end_an_evaluation)
{
	struct kp_buf source;

	kp_buf_init(&source, 1 << 16);
	kp_buf_add_text(&source, "[[x]");
	for (int i = 0; i < KP_CEL_MAX_VALUE_DEPTH - 4; i++)
		kp_buf_add_text(&source, ".map(a, [a])");
	kp_buf_add_text(&source, "].all(v, v == v)");
	kp_host_true(kp_buf_text(&source));
	source.len -= strlen("].all(v, v == v)");
	for (int i = 0; i < 8; i++)
		kp_buf_add_text(&source, ".map(a, [a])");
	kp_buf_add_text(&source, "].all(v, v != v || true)");
	cr_assert_eq(
	    kp_host_fault(kp_buf_text(&source)).kind, KP_CEL_FAULT_COST);
	kp_buf_fini(&source);
}

Test(cel_eval, variables_of_macros_are_limited)
{
	struct kp_cel_fault fault;
	struct kp_buf source;

	kp_buf_init(&source, 1 << 16);
	for (int i = 0; i < 33; i++)
		kp_buf_printf(&source, "[1].all(v%d, ", i);
	kp_buf_add_text(&source, "true");
	for (int i = 0; i < 33; i++)
		kp_buf_add_text(&source, ")");
	cr_assert_null(
	    kp_cel_program_new(kp_buf_bytes(&source), &kp_host_env, &fault));
	cr_assert_eq(fault.kind, KP_CEL_FAULT_LIMIT);
	kp_buf_fini(&source);
}

Test(cel_eval, a_pattern_is_searched_for)
{
	static const char *const right[] = { "'orders.eu'.matches('[.]')",
		"matches('orders.eu', '^orders[.](eu|us)$')",
		"!'orders.eux'.matches('^orders[.](eu|us)$')",
		"'orders.eu'.matches('')",
		"['a', 'b'].exists(p, 'b'.matches(p))",
		"'orders'.matches('(?i)ORD' + 'ERS')" };

	for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++)
		kp_host_true(right[i]);
}

Test(cel_eval, a_pattern_that_is_none_is_refused_with_the_expression)
{
	struct kp_cel_fault fault;

	cr_assert_null(kp_cel_program_new(
	    kp_bytes_of("name.matches('(a')"), &kp_host_env, &fault));
	cr_assert_eq(fault.kind, KP_CEL_FAULT_SYNTAX);
	cr_assert_eq(fault.pos, 13, "%u", fault.pos);
	cr_assert_not_null(strstr(fault.text, "pattern"), "%s", fault.text);
}

/* Neither a text nor a pattern that is met can take longer than it may. */
Test(cel_eval, patterns_are_counted)
{
	static const char *const dear[] = {
		"('aaaaaaaaaaaaaaaaaaaaaaaaaaaa' + "
		"'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa').matches('([ab]?){400}' + "
		"'c')",
		"'a'.matches('([a-z]{100})' + '{9}')",
	};
	struct kp_cel_value value;
	struct kp_cel_fault fault;

	for (size_t i = 0; i < sizeof(dear) / sizeof(*dear); i++) {
		cr_assert(
		    kp_host_run(dear[i], 1000000, 1 << 20, &value, &fault),
		    "%zu", i);
		cr_assert(!kp_host_run(dear[i], 50, 1 << 20, &value, &fault));
		cr_assert_eq(fault.kind, KP_CEL_FAULT_COST, "%zu", i);
	}
}

/* All states of a pattern need room, which is that of the evaluation. */
Test(cel_eval, patterns_keep_to_the_memory_there_is)
{
	const char *source = "'aab'.matches('([ab]?){400}' + 'c')";
	struct kp_cel_value value;
	struct kp_cel_fault fault;

	cr_assert(kp_host_run(source, 1000000, 1 << 20, &value, &fault));
	cr_assert(!kp_host_run(source, 1000000, 1024, &value, &fault));
	cr_assert_eq(fault.kind, KP_CEL_FAULT_MEMORY);
}
