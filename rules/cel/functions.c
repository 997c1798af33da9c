/* SPDX-License-Identifier: Apache-2.0 */
/* The table of all functions, and those on texts, sizes and moments. */
#include <string.h>

#include "base/utf8.h"
#include "rules/cel/eval_priv.h"
#include "rules/cel/moment.h"

static struct kp_cel_value
run_size(const struct kp_cel_call *call)
{
	struct kp_cel_value value = call->args[0];

	if (value.type == KP_CEL_BYTES)
		return kp_cel_int(value.extra);
	if (value.type == KP_CEL_LIST)
		return kp_cel_int((int64_t)value.as.list->num);
	if (value.type == KP_CEL_MAP)
		return kp_cel_int((int64_t)value.as.map->num);
	if (value.type != KP_CEL_STRING)
		return kp_cel_no_overload(call->eval, "size", call->args, 1);
	if (!kp_cel_spend(call->eval, value.extra / KP_CEL_BYTES_A_STEP))
		return kp_cel_stop(call->eval, KP_CEL_FAULT_COST);
	return kp_cel_int((int64_t)kp_utf8_count(kp_cel_content(value)));
}

static struct kp_cel_value
run_type(const struct kp_cel_call *call)
{
	return kp_cel_type(kp_cel_type_name(call->args[0]));
}

static struct kp_cel_value
run_dyn(const struct kp_cel_call *call)
{
	return call->args[0];
}

enum text_test { CONTAINS, STARTS_WITH, ENDS_WITH };

static bool
test_text(enum text_test test, struct kp_bytes text, struct kp_bytes part)
{
	if (part.len > text.len)
		return false;
	if (part.len == 0)
		return true;
	if (test == STARTS_WITH)
		return memcmp(text.data, part.data, part.len) == 0;
	if (test == ENDS_WITH)
		return memcmp(text.data + text.len - part.len, part.data,
			   part.len) == 0;
	return memmem(text.data, text.len, part.data, part.len) != NULL;
}

/* memmem() compares a short part again at many places of a text, at worst. */
uint64_t
kp_cel_search_steps(uint64_t text_len, uint64_t part_len)
{
	uint64_t again = part_len < 256 ? part_len : 256;

	return (text_len + part_len) / KP_CEL_BYTES_A_STEP *
	       (1 + again / KP_CEL_BYTES_A_STEP);
}

/* contains, startsWith, endsWith; detail says which. */
static struct kp_cel_value
run_text_test(const struct kp_cel_call *call)
{
	static const char *const names[] = { "contains", "startsWith",
		"endsWith" };
	struct kp_cel_value text = call->args[0], part = call->args[1];

	if (text.type != KP_CEL_STRING || part.type != KP_CEL_STRING)
		return kp_cel_no_overload(
		    call->eval, names[call->detail], call->args, 2);
	if (!kp_cel_spend(
		call->eval, kp_cel_search_steps(text.extra, part.extra)))
		return kp_cel_stop(call->eval, KP_CEL_FAULT_COST);
	return kp_cel_bool(test_text((enum text_test)call->detail,
	    kp_cel_content(text), kp_cel_content(part)));
}

/* Parts of timestamps, with a time zone if wanted, and of durations. */
static struct kp_cel_value
run_part(const struct kp_cel_call *call)
{
	enum kp_cel_part part = (enum kp_cel_part)call->detail;
	struct kp_cel_value value = call->args[0];
	int32_t zone_seconds = 0;

	if (value.type == KP_CEL_DURATION && part >= KP_CEL_HOURS &&
	    call->num == 1)
		return kp_cel_int(kp_cel_duration_part(value, part));
	if (value.type != KP_CEL_TIMESTAMP ||
	    (call->num == 2 && call->args[1].type != KP_CEL_STRING))
		return kp_cel_no_overload(
		    call->eval, "get...", call->args, call->num);
	if (call->num == 2 &&
	    !kp_cel_zone_parse(kp_cel_content(call->args[1]), &zone_seconds))
		return kp_cel_error("the time zone is not known: \"UTC\" and "
				    "\"+01:00\" are");
	return kp_cel_int(kp_cel_timestamp_part(value, part, zone_seconds));
}

/* clang-format off */
static const struct kp_cel_function table[] = {
	/* name                   global member args   run */
	{ "size",                  true,  true,  1, 1, run_size, 0 },
	{ "type",                  true,  false, 1, 1, run_type, 0 },
	{ "dyn",                   true,  false, 1, 1, run_dyn, 0 },
	{ "int",                   true,  false, 1, 1, kp_cel_to_int, 0 },
	{ "uint",                  true,  false, 1, 1, kp_cel_to_uint, 0 },
	{ "double",                true,  false, 1, 1, kp_cel_to_double, 0 },
	{ "string",                true,  false, 1, 1, kp_cel_to_string, 0 },
	{ "bytes",                 true,  false, 1, 1, kp_cel_to_bytes, 0 },
	{ "bool",                  true,  false, 1, 1, kp_cel_to_bool, 0 },
	{ "timestamp",             true,  false, 1, 1, kp_cel_to_timestamp, 0 },
	{ "duration",              true,  false, 1, 1, kp_cel_to_duration, 0 },
	{ "contains",              false, true,  2, 2, run_text_test, CONTAINS },
	{ "startsWith",            false, true,  2, 2, run_text_test, STARTS_WITH },
	{ "endsWith",              false, true,  2, 2, run_text_test, ENDS_WITH },
	{ "matches",               true,  true,  2, 2, kp_cel_matches, 0 },
	{ "getFullYear",           false, true,  1, 2, run_part, KP_CEL_YEAR },
	{ "getMonth",              false, true,  1, 2, run_part, KP_CEL_MONTH },
	{ "getDate",               false, true,  1, 2, run_part, KP_CEL_DATE },
	{ "getDayOfMonth",         false, true,  1, 2, run_part, KP_CEL_DAY_OF_MONTH },
	{ "getDayOfWeek",          false, true,  1, 2, run_part, KP_CEL_DAY_OF_WEEK },
	{ "getDayOfYear",          false, true,  1, 2, run_part, KP_CEL_DAY_OF_YEAR },
	{ "getHours",              false, true,  1, 2, run_part, KP_CEL_HOURS },
	{ "getMinutes",            false, true,  1, 2, run_part, KP_CEL_MINUTES },
	{ "getSeconds",            false, true,  1, 2, run_part, KP_CEL_SECONDS },
	{ "getMilliseconds",       false, true,  1, 2, run_part, KP_CEL_MILLISECONDS },
	{ "optional.of",           true,  false, 1, 1, kp_cel_optional_of, 0 },
	{ "optional.ofNonZeroValue", true, false, 1, 1, kp_cel_optional_of, 1 },
	{ "optional.none",         true,  false, 0, 0, kp_cel_optional_none, 0 },
	{ "hasValue",              false, true,  1, 1, kp_cel_optional_has_value, 0 },
	{ "value",                 false, true,  1, 1, kp_cel_optional_value, 0 },
	{ "or",                    false, true,  2, 2, kp_cel_optional_or, 0 },
	{ "orValue",               false, true,  2, 2, kp_cel_optional_or_value, 0 },
	/* Extension "strings". */
	{ "charAt",                false, true,  2, 2, kp_cel_char_at, 0 },
	{ "indexOf",               false, true,  2, 3, kp_cel_index_of, KP_CEL_FROM_BEGINNING },
	{ "lastIndexOf",           false, true,  2, 3, kp_cel_index_of, KP_CEL_FROM_END },
	{ "join",                  false, true,  1, 2, kp_cel_join, 0 },
	{ "lowerAscii",            false, true,  1, 1, kp_cel_change_case, KP_CEL_TO_LOWER },
	{ "upperAscii",            false, true,  1, 1, kp_cel_change_case, KP_CEL_TO_UPPER },
	{ "replace",               false, true,  3, 4, kp_cel_replace, 0 },
	{ "split",                 false, true,  2, 3, kp_cel_split, 0 },
	{ "substring",             false, true,  2, 3, kp_cel_substring, 0 },
	{ "trim",                  false, true,  1, 1, kp_cel_trim, 0 },
	{ "reverse",               false, true,  1, 1, kp_cel_reverse, 0 },
	{ "strings.quote",         true,  false, 1, 1, kp_cel_quote, 0 },
	{ "format",                false, true,  2, 2, kp_cel_format, 0 },
	/* Extension "math". */
	{ "math.greatest",         true,  false, 1, KP_CEL_MAX_ARGS, kp_cel_extreme, KP_CEL_GREATEST },
	{ "math.least",            true,  false, 1, KP_CEL_MAX_ARGS, kp_cel_extreme, KP_CEL_LEAST },
	{ "math.ceil",             true,  false, 1, 1, kp_cel_rounded, KP_CEL_CEIL },
	{ "math.floor",            true,  false, 1, 1, kp_cel_rounded, KP_CEL_FLOOR },
	{ "math.round",            true,  false, 1, 1, kp_cel_rounded, KP_CEL_ROUND },
	{ "math.trunc",            true,  false, 1, 1, kp_cel_rounded, KP_CEL_TRUNC },
	{ "math.isNaN",            true,  false, 1, 1, kp_cel_class_of, KP_CEL_IS_NAN },
	{ "math.isInf",            true,  false, 1, 1, kp_cel_class_of, KP_CEL_IS_INF },
	{ "math.isFinite",         true,  false, 1, 1, kp_cel_class_of, KP_CEL_IS_FINITE },
	{ "math.abs",              true,  false, 1, 1, kp_cel_abs, 0 },
	{ "math.sign",             true,  false, 1, 1, kp_cel_sign, 0 },
	{ "math.sqrt",             true,  false, 1, 1, kp_cel_sqrt, 0 },
	{ "math.bitAnd",           true,  false, 2, 2, kp_cel_bits, KP_CEL_BIT_AND },
	{ "math.bitOr",            true,  false, 2, 2, kp_cel_bits, KP_CEL_BIT_OR },
	{ "math.bitXor",           true,  false, 2, 2, kp_cel_bits, KP_CEL_BIT_XOR },
	{ "math.bitNot",           true,  false, 1, 1, kp_cel_bit_not, 0 },
	{ "math.bitShiftLeft",     true,  false, 2, 2, kp_cel_shift, KP_CEL_SHIFT_LEFT },
	{ "math.bitShiftRight",    true,  false, 2, 2, kp_cel_shift, KP_CEL_SHIFT_RIGHT },
	/* Extension "encoders". */
	{ "base64.encode",         true,  false, 1, 1, kp_cel_base64_encode, 0 },
	{ "base64.decode",         true,  false, 1, 1, kp_cel_base64_decode, 0 },
};
/* clang-format on */

const struct kp_cel_function *
kp_cel_function_find(struct kp_bytes name, bool is_member, uint32_t num_args)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const struct kp_cel_function *function = &table[i];

		if ((is_member ? function->is_member : function->is_global) &&
		    num_args >= function->min_args &&
		    num_args <= function->max_args &&
		    kp_bytes_equal(name, kp_bytes_of(function->name)))
			return function;
	}
	return NULL;
}

/* "greatest" is known as "math.greatest" is. */
static bool
ends_with_name(const char *full, struct kp_bytes name)
{
	const char *dot = strchr(full, '.');

	return kp_bytes_equal(name, kp_bytes_of(full)) ||
	       (dot != NULL && kp_bytes_equal(name, kp_bytes_of(dot + 1)));
}

bool
kp_cel_function_is_known(struct kp_bytes name)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (ends_with_name(table[i].name, name))
			return true;
	return false;
}
