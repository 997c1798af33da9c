/* SPDX-License-Identifier: Apache-2.0 */
/* The extension "math". */
#include <math.h>

#include "rules/cel/eval_priv.h"

static struct kp_cel_value
wrong_types(const struct kp_cel_call *call, const char *name)
{
	return kp_cel_no_overload(call->eval, name, call->args, call->num);
}

static bool
is_number(struct kp_cel_value value)
{
	return value.type == KP_CEL_INT || value.type == KP_CEL_UINT ||
	       value.type == KP_CEL_DOUBLE;
}

/* Puts a further number in place of *best if it is beyond it; an ERROR, or
 * NULL's value. */
static struct kp_cel_value
consider(const struct kp_cel_call *call, struct kp_cel_value *best,
    struct kp_cel_value value)
{
	const char *name =
	    call->detail == KP_CEL_GREATEST ? "math.greatest" : "math.least";
	enum kp_cel_order order, wanted = call->detail == KP_CEL_GREATEST
					      ? KP_CEL_GREATER
					      : KP_CEL_LESS;

	if (value.type == KP_CEL_ERROR)
		return value;
	if (!is_number(value))
		return kp_cel_no_overload(call->eval, name, &value, 1);
	order = kp_cel_compare(value, *best);
	if (order == KP_CEL_UNORDERED)
		return kp_cel_error("NaN is neither greater nor less than "
				    "anything");
	if (order == wanted)
		*best = value;
	return kp_cel_null();
}

static struct kp_cel_value
extreme_of_list(const struct kp_cel_call *call, const struct kp_cel_list *list)
{
	struct kp_cel_value best, result;

	if (list->num == 0)
		return kp_cel_error("an empty list has neither a greatest nor "
				    "a least number");
	best = kp_cel_list_at(list, 0);
	for (size_t i = 0; i < list->num; i++) {
		if (!kp_cel_spend(call->eval, 1))
			return kp_cel_stop(call->eval, KP_CEL_FAULT_COST);
		result = consider(call, &best, kp_cel_list_at(list, i));
		if (result.type == KP_CEL_ERROR)
			return result;
	}
	return best;
}

/* math.greatest, math.least; detail says which. */
struct kp_cel_value
kp_cel_extreme(const struct kp_cel_call *call)
{
	const struct kp_cel_list args = { .num = call->num,
		.items = call->args };

	if (call->num == 1 && call->args[0].type == KP_CEL_LIST)
		return extreme_of_list(call, call->args[0].as.list);
	return extreme_of_list(call, &args);
}

/* ceil, floor, round (half away from zero), trunc. */
struct kp_cel_value
kp_cel_rounded(const struct kp_cel_call *call)
{
	static const char *const names[] = { "math.ceil", "math.floor",
		"math.round", "math.trunc" };
	static double (*const run[])(double) = { ceil, floor, round, trunc };

	if (call->args[0].type != KP_CEL_DOUBLE)
		return wrong_types(call, names[call->detail]);
	return kp_cel_double(run[call->detail](call->args[0].as.real));
}

struct kp_cel_value
kp_cel_class_of(const struct kp_cel_call *call)
{
	static const char *const names[] = { "math.isNaN", "math.isInf",
		"math.isFinite" };
	double number = call->args[0].as.real;

	if (call->args[0].type != KP_CEL_DOUBLE)
		return wrong_types(call, names[call->detail]);
	if (call->detail == KP_CEL_IS_NAN)
		return kp_cel_bool(isnan(number));
	return kp_cel_bool(
	    call->detail == KP_CEL_IS_INF ? isinf(number) : isfinite(number));
}

struct kp_cel_value
kp_cel_abs(const struct kp_cel_call *call)
{
	struct kp_cel_value value = call->args[0];

	if (value.type == KP_CEL_UINT)
		return value;
	if (value.type == KP_CEL_DOUBLE)
		return kp_cel_double(fabs(value.as.real));
	if (value.type != KP_CEL_INT)
		return wrong_types(call, "math.abs");
	if (value.as.number == INT64_MIN)
		return kp_cel_error("the number is out of the range of int");
	return kp_cel_int(
	    value.as.number < 0 ? -value.as.number : value.as.number);
}

/* -1, 0 or 1, in the type of the number; NaN stays what it is. */
struct kp_cel_value
kp_cel_sign(const struct kp_cel_call *call)
{
	struct kp_cel_value value = call->args[0];
	double real = value.as.real;

	if (value.type == KP_CEL_UINT)
		return kp_cel_uint(value.as.natural > 0);
	if (value.type == KP_CEL_INT)
		return kp_cel_int(
		    (value.as.number > 0) - (value.as.number < 0));
	if (value.type != KP_CEL_DOUBLE)
		return wrong_types(call, "math.sign");
	return isnan(real) ? value : kp_cel_double((real > 0) - (real < 0));
}

struct kp_cel_value
kp_cel_sqrt(const struct kp_cel_call *call)
{
	struct kp_cel_value value = call->args[0];

	if (value.type == KP_CEL_DOUBLE)
		return kp_cel_double(sqrt(value.as.real));
	if (value.type == KP_CEL_INT)
		return kp_cel_double(sqrt((double)value.as.number));
	if (value.type == KP_CEL_UINT)
		return kp_cel_double(sqrt((double)value.as.natural));
	return wrong_types(call, "math.sqrt");
}

/* The bits of an INT or UINT as one of that type. */
static struct kp_cel_value
of_bits(enum kp_cel_type type, uint64_t bits)
{
	return type == KP_CEL_UINT ? kp_cel_uint(bits)
				   : kp_cel_int((int64_t)bits);
}

static uint64_t
bits_of(struct kp_cel_value value)
{
	return value.type == KP_CEL_UINT ? value.as.natural
					 : (uint64_t)value.as.number;
}

static bool
has_bits(struct kp_cel_value value)
{
	return value.type == KP_CEL_INT || value.type == KP_CEL_UINT;
}

struct kp_cel_value
kp_cel_bits(const struct kp_cel_call *call)
{
	static const char *const names[] = { "math.bitAnd", "math.bitOr",
		"math.bitXor" };
	enum kp_cel_type type = call->args[0].type;
	uint64_t a, b;

	if (!has_bits(call->args[0]) || call->args[1].type != type)
		return wrong_types(call, names[call->detail]);
	a = bits_of(call->args[0]);
	b = bits_of(call->args[1]);
	if (call->detail == KP_CEL_BIT_AND)
		return of_bits(type, a & b);
	return of_bits(type, call->detail == KP_CEL_BIT_OR ? a | b : a ^ b);
}

struct kp_cel_value
kp_cel_bit_not(const struct kp_cel_call *call)
{
	if (!has_bits(call->args[0]))
		return wrong_types(call, "math.bitNot");
	return of_bits(call->args[0].type, ~bits_of(call->args[0]));
}

/* Zeros come in from both sides, also for a negative number. */
struct kp_cel_value
kp_cel_shift(const struct kp_cel_call *call)
{
	bool is_left = call->detail == KP_CEL_SHIFT_LEFT;
	uint64_t bits;
	int64_t by;

	if (!has_bits(call->args[0]) || call->args[1].type != KP_CEL_INT)
		return wrong_types(
		    call, is_left ? "math.bitShiftLeft" : "math.bitShiftRight");
	bits = bits_of(call->args[0]);
	by = call->args[1].as.number;
	if (by < 0)
		return kp_cel_error("bits are not shifted by less than none");
	if (by > 63)
		return of_bits(call->args[0].type, 0);
	return of_bits(call->args[0].type, is_left ? bits << by : bits >> by);
}
