/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "base/alloc.h"
#include "rules/cel/program.h"
#include "tests/support/cel_host.h"

/* The host has a list whose second element is broken, and a text that is no
 * UTF-8. */
static const char *const names[] = { "rows", "raw" };
const struct kp_cel_env kp_host_env = {
	.variables = names, .num_variables = 2, .is_unchecked = true
};

static struct kp_cel_value
row_at(const struct kp_cel_list *list, size_t index)
{
	(void)list;
	return index == 0 ? kp_cel_string(kp_bytes_of("a"))
			  : kp_cel_error("it is broken");
}

static const struct kp_cel_list rows = { .num = 2, .at = row_at };

struct kp_cel_value
kp_host_get(const struct kp_cel_input *input, size_t variable)
{
	(void)input;
	return variable == 0 ? kp_cel_list(&rows)
			     : kp_cel_string(kp_bytes_of("\xff\xc3"));
}

Test(cel_ext, texts_are_taken_apart_by_characters)
{
	static const char *const sources[] = {
		"'a\xc3\xa9z'.charAt(1) == '\xc3\xa9' && ''.charAt(0) == ''",
		"'a\xc3\xa9z'.substring(1, 2) == '\xc3\xa9'",
		"'a\xc3\xa9z'.substring(2) == 'z' && ''.substring(0) == ''",
		"'a\xc3\xa9z\xc3\xa9'.indexOf('z') == 2",
		"'a\xc3\xa9z\xc3\xa9'.lastIndexOf('\xc3\xa9') == 3",
		"'aaaa'.lastIndexOf('aa') == 2 && 'aa'.lastIndexOf('aab') == "
		"-1",
		"'abc'.indexOf('', 3) == 3 && 'abc'.indexOf('a', 3) == -1",
		"'abab'.lastIndexOf('ab', 1) == 0 && ''.indexOf('') == 0",
		"'abab'.lastIndexOf('ab', 2) == 2",
		"'a\xc3\xa9z'.reverse() == 'z\xc3\xa9"
		"a' && ''.reverse() == ''",
		"' \xe2\x80\x83 '.trim() == '' && ''.trim() == ''",
		"'\xc2\xa0 a b\\n'.trim() == 'a b' && 'a'.trim() == 'a'",
		"raw.reverse() != raw && raw.trim() == raw && "
		"raw.charAt(1) != ''",
		"raw.split('').size() == 2 && raw.substring(2) == ''",
		"strings.quote(raw) == '\"\\ufffd\\ufffd\"'",
		"strings.quote('\"\\n\\x00') == '\"\\\\\"\\\\n\\x00\"'",
		"'aZ[`@'.lowerAscii() == 'az[`@' && 'az{`'.upperAscii() == "
		"'AZ{`'",
	};
	static const char *const wrong[] = { "'a'.charAt(2)", "'a'.charAt(-1)",
		"'\xc3\xa9'.charAt(2)", "'abc'.substring(2, 1)",
		"'\xc3\xa9'.substring(2)", "'a'.indexOf('a', 2)",
		"'a'.lastIndexOf('a', -1)", "'a'.charAt(1u)", "5.trim()",
		"5.reverse()", "5.lowerAscii()", "5.upperAscii()",
		"strings.quote(b'a')", "'a'.charAt()", "quote('a')",
		"'a'.substring(-9223372036854775808)",
		"'a'.substring(9223372036854775807)" };

	KP_HOST_ALL_TRUE(sources);
	KP_HOST_ALL_WRONG(wrong);
}

Test(cel_ext, texts_are_replaced_split_and_joined)
{
	static const char *const sources[] = {
		"'aXbXc'.replace('X', '--') == 'a--b--c'",
		"'aaaa'.replace('aa', 'b') == 'bb'",
		"'aaa'.replace('a', 'b', 2) == 'bba'",
		"'aaa'.replace('a', 'b', 0) == 'aaa'",
		"'aaa'.replace('a', '', -1) == ''",
		"'\xc3\xa9z'.replace('', '-') == '-\xc3\xa9-z-'",
		"'ab'.replace('', '-', 1) == '-ab'",
		"''.replace('', '-') == '-'",
		"'ab'.replace('', '-', 2) == '-a-b'",
		"'ab'.replace('', '-', 3) == '-a-b-'",
		"'ab'.replace('', '-', 0) == 'ab'",
		"''.replace('a', 'b') == '' && 'a'.replace('ab', 'c') == 'a'",
		"'a,b,'.split(',') == ['a', 'b', '']",
		"'a,b,c'.split(',', 2) == ['a', 'b,c']",
		"'a,b'.split(',', 0) == [] && ''.split(',') == ['']",
		"'\xc3\xa9z'.split('') == ['\xc3\xa9', 'z'] && ''.split('') == "
		"[]",
		"'abc'.split('', 2) == ['a', 'bc'] && 'a'.split('a') == ['', "
		"'']",
		"'1,2,3,4,5,6,7,8,9'.split(',').size() == 9",
		"['a', 'b'].join(', ') == 'a, b' && [''].join('x') == ''",
	};
	static const char *const wrong[] = { "['a', 1].join()", "['a'].join(1)",
		"'a'.join()", "rows.join()", "'a'.split(1)",
		"'a'.split('a', 1u)", "'a'.replace('a', 1)",
		"'a'.replace('a', 'b', 'c')" };

	KP_HOST_ALL_TRUE(sources);
	KP_HOST_ALL_WRONG(wrong);
}

Test(cel_ext, values_are_formatted)
{
	static const char *const sources[] = {
		"'%d %d'.format([-9223372036854775808, "
		"18446744073709551615u]) == "
		"'-9223372036854775808 18446744073709551615'",
		"'%b'.format([-9223372036854775808]) == '-1' + "
		"['0000000', '00000000', '00000000', '00000000', '00000000', "
		"'00000000', '00000000', '00000000'].join()",
		"'%x %X %o %b'.format([-30, 255u, -8, false]) == "
		"'-1e FF -10 0'",
		"'%x%X'.format([b'\\xff\\x00', '']) == 'ff00'",
		"'%.0e %.100f'.format([1.5, 0.0]).size() == 5 + 1 + 102",
		"'%.100f'.format([-1.7976931348623157e308]).size() == 411",
		"'%.100e'.format([-1.7976931348623157e308]).size() == 108",
		"'%s'.format([{'b': {}, 'a': [], 'aa': 1, 'c': 2, 'ab': 3}]) "
		"== '{a: [], aa: 1, ab: 3, b: {}, c: 2}'",
		"[[5, 3, 4, 1, 2, 0], [0, 1, 2, 3, 4, 5], [2, 5, 0, 4, 3, 1], "
		"[1, 0, 5, 2, 4, 3]].all(l, "
		"'%s'.format([l.transformMapEntry(i, v, {v: 'x'})]) == "
		"'{0: x, 1: x, 2: x, 3: x, 4: x, 5: x}')",
		"'%s %s'.format([int, null]) == 'int null'",
		"'%s'.format([1.0 / 0.0]) == 'Infinity'",
		"'%.1f %f %e'.format([-3, 3u, 1500]) == "
		"'-3.0 3.000000 1.500000e+03'",
		"'%.0f'.format([-9223372036854775808]) == "
		"'-9223372036854775808'",
		"'%d %d'.format([1.5, 2.0]) == '1.5 2'",
		"'%s'.format([1e25]) == '10000000000000000000000000'",
		"'%s %s'.format([-2.5e-7, 0.0]) == '-0.00000025 0'",
		"'%s'.format([5e-324]).size() == 2 + 324",
		"'%s'.format([-1.7976931348623157e308]).size() == 1 + 309",
		"'%s'.format([b'a\\xff\\xfe\\xc3b\\xff']) == "
		"'a\\ufffdb\\ufffd'",
		"'%%'.format([]) == '%' && ''.format([]) == ''",
	};
	static const char *const wrong[] = { "'%'.format([1])",
		"'%.'.format([1])", "'%.f'.format([1.5])",
		"'%.101f'.format([1.5])", "'%.99999999999f'.format([1.5])",
		"'%.2d'.format([1])", "'%\xc3\xa9'.format([1])",
		"'%\\x00'.format([1])", "'%.5%'.format([])", "'a'.format([1])",
		"'%s'.format([])", "'%f'.format(['1'])", "'%o'.format([1.5])",
		"'%s'.format([optional.none()])", "'%s %s'.format(rows)",
		"'%s'.format([rows])", "'%s'.format([[optional.none()]])",
		"'%s'.format([{1: optional.none()}])", "1.format([])",
		"'%s'.format(1)" };

	KP_HOST_ALL_TRUE(sources);
	KP_HOST_ALL_WRONG(wrong);
}

Test(cel_ext, numbers_have_their_functions)
{
	static const char *const sources[] = {
		"math.greatest([1, 3.5, 2u]) == 3.5 && math.least(2) == 2",
		"math.least(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, -1) == -1",
		"type(math.greatest(1, 1.0)) == int",
		"math.round(0.5) == 1.0 && math.round(-0.5) == -1.0",
		"math.sqrt(4) == 2.0 && math.sqrt(9u) == 3.0 && "
		"math.sqrt(2.25) == 1.5 && math.isNaN(math.sqrt(-1.0))",
		"math.isNaN(math.sign(0.0 / 0.0))",
		"math.isInf(-1.0 / 0.0) && !math.isFinite(1.0 / 0.0)",
		"math.bitShiftLeft(1, 63) == -9223372036854775808",
		"math.bitShiftRight(-1, 63) == 1",
		"math.bitShiftRight(1u, 64) == 0u",
		"math.abs(-9223372036854775807) == 9223372036854775807",
	};
	static const char *const wrong[] = { "math.greatest()",
		"math.greatest([])", "math.greatest(['a'])",
		"math.greatest(1, 'a')", "math.greatest('a')",
		"math.greatest(1, 0.0 / 0.0)", "math.least(0.0 / 0.0)",
		"math.least([1], 2)", "math.least(rows)",
		"math.abs(-9223372036854775808)", "math.abs('a')",
		"math.sqrt('a')", "math.bitShiftLeft(1, -1)",
		"math.bitShiftRight(1, 1u)", "math.bitAnd(1, 1u)",
		"math.bitOr(1.0, 1.0)", "math.ceil(1)", "greatest(1)",
		"math.none(1)" };

	KP_HOST_ALL_TRUE(sources);
	KP_HOST_ALL_WRONG(wrong);
}

Test(cel_ext, base64_is_written_and_read_strictly)
{
	static const char *const sources[] = {
		"base64.encode(b'') == '' && base64.encode(b'f') == 'Zg=='",
		"base64.encode(b'fo') == 'Zm8=' && base64.encode(b'foo') == "
		"'Zm9v'",
		"base64.encode(b'\\xfb\\xff\\xfe') == '+//+'",
		"base64.decode('Zg') == b'f' && base64.decode('Zg==') == b'f'",
		"base64.decode('') == b'' && base64.decode('+//+') == "
		"b'\\xfb\\xff\\xfe'",
		"base64.decode('Zm9vYmFy') == b'foobar'",
	};
	static const char *const wrong[] = { "base64.decode('Z')",
		"base64.decode('A')", "base64.decode('AAAAA')",
		"base64.decode('Zh==')", "base64.decode('Zg=')",
		"base64.decode('Zg===')", "base64.decode('=')",
		"base64.decode('====')", "base64.decode('Zm9=v')",
		"base64.decode('Zm9v\\n')", "base64.decode('-__-')",
		"base64.decode('\xc3\xa9\xc3\xa9')", "base64.decode(b'Zg')",
		"base64.encode('f')", "encode(b'f')" };

	KP_HOST_ALL_TRUE(sources);
	KP_HOST_ALL_WRONG(wrong);
}

Test(cel_ext, a_call_of_another_shape_says_so)
{
	cr_assert_str_eq(kp_host_fault("'a'.charAt(1, 2)").text,
	    "\"charAt\" is not called like this: its receiver or the number "
	    "of its arguments is wrong");
	cr_assert_str_eq(kp_host_fault("math.greatests(1)").text,
	    "there is no function \"greatests\" with these arguments");
	cr_assert_str_eq(kp_host_fault("'ab'.charAt(3)").text,
	    "the index 3 is outside of the "
	    "text");
}

/* What every function is once used for. */
static const char *const everything =
    "['b', 'a'].join(', ').replace('a', 'xyz').split('').size() == 6 && "
    "'%s %d %f %x'.format([{'b': [1], 'a': 2.5}, 7, 1.5, b'abc']) == "
    "'{a: 2.5, b: [1]} 7 1.500000 616263' && "
    "strings.quote(' Abc '.trim().reverse().lowerAscii()) == '\"cba\"' && "
    "'abcabc'.lastIndexOf('bc') == 4 && 'abcabc'.indexOf('bc', 2) == 4 && "
    "'abc'.substring(1, 2) == 'abc'.charAt(1) && "
    "base64.decode(base64.encode(b'abc')) == b'abc' && "
    "math.greatest([1, 2, 3]) == 3";

/* Every limit of steps and of memory, from none at all: no error is absorbed.
 */
Test(cel_ext, limits_end_a_function_wherever_it_is)
{
	struct kp_cel_value value;
	struct kp_cel_fault fault;
	uint64_t steps = 0;
	size_t len = 0;

	while (!kp_host_run(
	    everything, steps, KP_CEL_DEFAULT_MEMORY, &value, &fault)) {
		cr_assert_eq(fault.kind, KP_CEL_FAULT_COST, "%s", fault.text);
		cr_assert_lt(steps++, 2000);
	}
	cr_assert(value.as.truth);
	cr_assert_gt(steps, 200);
	while (!kp_host_run(everything, steps, len, &value, &fault)) {
		cr_assert_eq(fault.kind, KP_CEL_FAULT_MEMORY, "%s", fault.text);
		cr_assert_str_eq(
		    fault.text, "the evaluation used up its memory");
		cr_assert_lt(len++, 10000);
	}
	cr_assert(value.as.truth);
	cr_assert_gt(len, 200);
}

/* Each chunk of the memory that texts of 4 KiB and more need is refused once.
 */
Test(cel_ext, memory_that_is_refused_ends_a_function)
{
	static const char *const sources[] = {
		"('%.100f'.format([0.5]) + '%.100f'.format([0.5]))"
		".split('').map(c, '%.100f'.format([0.5])).join().size() == "
		"102 * 204",
		"'%100s' == 'a' || [1].map(a, '%.100f'.format([0.5])).map(a, "
		"a + a + a + a + a + a + a + a + a + a).map(a, "
		"[a + a + a + a + a].map(b, strings.quote(b) + b.reverse() + "
		"b.upperAscii() + b.replace('0', '1') + b.split('0').join() + "
		"base64.encode(bytes(b)))[0]).size() == 1",
	};
	const struct kp_cel_input input = { .get = kp_host_get };
	struct kp_cel_value value;
	struct kp_cel_fault fault;
	struct kp_cel_program *program;
	unsigned n;

	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		program = kp_cel_program_new(
		    kp_bytes_of(sources[i]), &kp_host_env, &fault);
		cr_assert_not_null(program, "%s", fault.text);
		for (n = 1; n < 1000; n++) {
			bool ok;

			kp_cel_scratch_init(&kp_host_scratch,
			    KP_CEL_DEFAULT_STEPS, KP_CEL_DEFAULT_MEMORY);
			kp_alloc_fail_after(n);
			ok = kp_cel_program_run(
			    program, &input, &kp_host_scratch, &value, &fault);
			kp_alloc_fail_after(0);
			kp_cel_scratch_fini(&kp_host_scratch);
			if (ok)
				break;
			cr_assert_eq(fault.kind, KP_CEL_FAULT_MEMORY,
			    "%zu %u %s", i, n, fault.text);
		}
		cr_expect(n > 4 && n < 1000, "%zu: %u", i, n);
		kp_cel_program_free(program);
	}
}

/* A text of 2^num letters "a", in a variable of the name t of source. */
static bool
run_with_text(unsigned num, const char *source, struct kp_cel_fault *fault)
{
	struct kp_cel_value value;
	struct kp_buf text;
	bool ok;

	kp_buf_init(&text, 1 << 16);
	kp_buf_add_text(&text, "['a']");
	for (unsigned i = 0; i < num; i++)
		kp_buf_add_text(&text, ".map(t, t + t)");
	kp_buf_printf(&text, ".all(t, %s)", source);
	ok = kp_host_run(kp_buf_text(&text), KP_CEL_DEFAULT_STEPS,
	    KP_CEL_DEFAULT_MEMORY, &value, fault);
	kp_buf_fini(&text);
	return ok;
}

Test(cel_ext, what_takes_long_is_counted)
{
	static const struct {
		unsigned num;
		const char *source;
		enum kp_cel_fault_kind kind;
	} cases[] = {
		/* 2^16 places, at each of which 2^15 bytes are compared. */
		{ 16,
		    "t.lastIndexOf('b' + t.substring(32768)) == 0 || "
		    "t.lastIndexOf(t.substring(32769) + 'b') == 0",
		    KP_CEL_FAULT_COST },
		/* 2^17 searches. */
		{ 17, "t.replace('a', '') == ''", KP_CEL_FAULT_COST },
		{ 16, "t.replace('a', t) == '' || true", KP_CEL_FAULT_MEMORY },
		{ 16, "t.split('') == [] || true", KP_CEL_FAULT_MEMORY },
		{ 12, "t.split('').join(t) == '' || true",
		    KP_CEL_FAULT_MEMORY },
		{ 12,
		    "[t, t, t, t, t, t, t, t].map(u, [t, t, t, t, t, t, t, t])"
		    ".map(u, [u, u, u, u, u, u, u, u])"
		    ".all(u, '%s'.format([u]) == '' || true)",
		    KP_CEL_FAULT_MEMORY },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kp_cel_fault fault = { .kind = KP_CEL_FAULT_NONE };

		cr_assert(!run_with_text(cases[i].num, cases[i].source, &fault),
		    "%s", cases[i].source);
		cr_assert_eq(fault.kind, cases[i].kind, "%s: %s",
		    cases[i].source, fault.text);
		cr_assert_leq(kp_host_scratch.meter.used,
		    KP_CEL_DEFAULT_STEPS + KP_CEL_DEFAULT_STEPS / 10);
	}
}

/* What an evaluation takes beside the steps that make its text of 64 KiB. */
static uint64_t
steps_of(const char *source)
{
	struct kp_cel_fault fault;

	cr_assert(
	    run_with_text(16, source, &fault), "%s: %s", source, fault.text);
	return kp_host_scratch.meter.used;
}

Test(cel_ext, what_is_looked_at_and_made_is_counted)
{
	static const struct {
		const char *source;
		uint64_t steps; /* at least, for each byte of 16 */
	} cases[] = {
		{ "[t.upperAscii()] != []", 1 },
		{ "[t.lowerAscii()] != []", 1 },
		{ "[t.reverse()] != []", 5 },
		{ "[t.trim()] != []", 4 },
		{ "[strings.quote(t)] != []", 5 },
		{ "[t.replace('b', 'c')] != []", 2 },
		{ "t.split('b') != []", 1 },
		{ "[[t, t].join()] != []", 2 },
		{ "[t.charAt(1)] != []", 1 },
		{ "[t.substring(1)] != []", 2 },
		{ "t.indexOf('b') == -1", 2 },
		{ "t.lastIndexOf('b') == -1", 4 },
		{ "['%s'.format([t])] != []", 1 },
		{ "[t.format([])] != []", 2 },
		{ "['%x'.format([t])] != []", 2 },
		{ "[base64.encode(bytes(t))] != []", 1 },
		{ "[base64.decode(t)] != []", 1 },
	};
	uint64_t before = steps_of("[t] != []");

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		cr_assert_geq(steps_of(cases[i].source) - before,
		    cases[i].steps * ((1 << 16) / KP_CEL_BYTES_A_STEP), "%s",
		    cases[i].source);
}

Test(cel_ext, values_too_deep_to_format_are_an_error)
{
	struct kp_buf source;
	struct kp_cel_value value;
	struct kp_cel_fault fault;

	kp_buf_init(&source, 1 << 16);
	kp_buf_add_text(&source, "'%s'.format([[1]");
	for (int i = 0; i < KP_CEL_MAX_VALUE_DEPTH - 2; i++)
		kp_buf_add_text(&source, ".map(a, [a])");
	kp_buf_add_text(&source, "]).size() > 0");
	cr_assert(kp_host_run(kp_buf_text(&source), KP_CEL_DEFAULT_STEPS,
		      KP_CEL_DEFAULT_MEMORY, &value, &fault),
	    "%s", fault.text);
	source.len -= strlen("]).size() > 0");
	kp_buf_add_text(&source, ".map(a, [a])]).size() > 0");
	cr_assert_str_eq(kp_host_fault(kp_buf_text(&source)).text,
	    "the value is too deep to be formatted");
	kp_buf_fini(&source);
}
