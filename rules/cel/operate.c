/* SPDX-License-Identifier: Apache-2.0 */
/* Operators between two values. What does not fit into 64 bits is an error. */
#include <math.h>

#include "rules/cel/eval_priv.h"
#include "rules/cel/moment.h"

const char *
kp_cel_sign_of(enum kp_cel_operator operation)
{
	static const char *const signs[] = {
		[KP_CEL_EQUALS] = "==",
		[KP_CEL_DIFFERS] = "!=",
		[KP_CEL_BELOW] = "<",
		[KP_CEL_AT_MOST] = "<=",
		[KP_CEL_ABOVE] = ">",
		[KP_CEL_AT_LEAST] = ">=",
		[KP_CEL_IN] = "in",
		[KP_CEL_ADD] = "+",
		[KP_CEL_SUBTRACT] = "-",
		[KP_CEL_MULTIPLY] = "*",
		[KP_CEL_DIVIDE] = "/",
		[KP_CEL_REMAINDER] = "%",
	};

	return signs[operation];
}

static struct kp_cel_value
no_overload(struct kp_cel_eval *eval, enum kp_cel_operator operation,
    struct kp_cel_value a, struct kp_cel_value b)
{
	const struct kp_cel_value both[] = { a, b };

	return kp_cel_no_overload(eval, kp_cel_sign_of(operation), both, 2);
}

static struct kp_cel_value
overflow(void)
{
	return kp_cel_error("the result does not fit into 64 bits");
}

struct kp_cel_value
kp_cel_negate(struct kp_cel_value value)
{
	if (value.type == KP_CEL_DOUBLE)
		return kp_cel_double(-value.as.real);
	if (value.as.number == INT64_MIN)
		return overflow();
	return kp_cel_int(-value.as.number);
}

static struct kp_cel_value
divide_ints(enum kp_cel_operator operation, int64_t a, int64_t b)
{
	if (b == 0)
		return kp_cel_error("division by zero");
	if (a == INT64_MIN && b == -1)
		return overflow();
	return kp_cel_int(operation == KP_CEL_DIVIDE ? a / b : a % b);
}

static struct kp_cel_value
operate_ints(enum kp_cel_operator operation, int64_t a, int64_t b)
{
	bool failed;
	int64_t result;

	if (operation == KP_CEL_DIVIDE || operation == KP_CEL_REMAINDER)
		return divide_ints(operation, a, b);
	if (operation == KP_CEL_ADD)
		failed = __builtin_add_overflow(a, b, &result);
	else if (operation == KP_CEL_SUBTRACT)
		failed = __builtin_sub_overflow(a, b, &result);
	else
		failed = __builtin_mul_overflow(a, b, &result);
	return failed ? overflow() : kp_cel_int(result);
}

static struct kp_cel_value
operate_uints(enum kp_cel_operator operation, uint64_t a, uint64_t b)
{
	bool failed;
	uint64_t result;

	if (operation == KP_CEL_DIVIDE || operation == KP_CEL_REMAINDER) {
		if (b == 0)
			return kp_cel_error("division by zero");
		return kp_cel_uint(operation == KP_CEL_DIVIDE ? a / b : a % b);
	}
	if (operation == KP_CEL_ADD)
		failed = __builtin_add_overflow(a, b, &result);
	else if (operation == KP_CEL_SUBTRACT)
		failed = __builtin_sub_overflow(a, b, &result);
	else
		failed = __builtin_mul_overflow(a, b, &result);
	return failed ? overflow() : kp_cel_uint(result);
}

/* IEEE 754, with its infinities and NaN. */
static struct kp_cel_value
operate_doubles(struct kp_cel_eval *eval, enum kp_cel_operator operation,
    struct kp_cel_value a, struct kp_cel_value b)
{
	if (operation == KP_CEL_ADD)
		return kp_cel_double(a.as.real + b.as.real);
	if (operation == KP_CEL_SUBTRACT)
		return kp_cel_double(a.as.real - b.as.real);
	if (operation == KP_CEL_MULTIPLY)
		return kp_cel_double(a.as.real * b.as.real);
	if (operation == KP_CEL_DIVIDE)
		return kp_cel_double(a.as.real / b.as.real);
	return no_overload(eval, operation, a, b);
}

static struct kp_cel_value
join(struct kp_cel_eval *eval, struct kp_cel_value a, struct kp_cel_value b)
{
	uint64_t len = (uint64_t)a.extra + b.extra;
	uint8_t *joined;
	struct kp_bytes bytes;

	if (!kp_cel_spend(eval, len / KP_CEL_BYTES_A_STEP))
		return kp_cel_stop(eval, KP_CEL_FAULT_COST);
	joined = kp_cel_get(eval, len, 1);
	if (joined == NULL)
		return kp_cel_stop(eval, KP_CEL_FAULT_MEMORY);
	kp_copy(joined, a.as.data, a.extra);
	kp_copy(joined + a.extra, b.as.data, b.extra);
	bytes = (struct kp_bytes){ joined, len };
	return a.type == KP_CEL_STRING ? kp_cel_string(bytes)
				       : kp_cel_bytes(bytes);
}

static struct kp_cel_value
join_lists(struct kp_cel_eval *eval, const struct kp_cel_list *a,
    const struct kp_cel_list *b)
{
	struct kp_cel_value *items;
	size_t num = a->num + b->num;

	if (!kp_cel_spend(eval, num))
		return kp_cel_stop(eval, KP_CEL_FAULT_COST);
	items = kp_cel_get(eval, num, sizeof(*items));
	if (items == NULL)
		return kp_cel_stop(eval, KP_CEL_FAULT_MEMORY);
	for (size_t i = 0; i < a->num; i++)
		items[i] = kp_cel_list_at(a, i);
	for (size_t i = 0; i < b->num; i++)
		items[a->num + i] = kp_cel_list_at(b, i);
	return kp_cel_list_of(eval, items, num);
}

static struct kp_cel_value
move_timestamp(enum kp_cel_operator operation, struct kp_cel_value moment,
    struct kp_cel_value by)
{
	int64_t seconds = by.as.number / 1000000000;
	int64_t nanoseconds = by.as.number % 1000000000;
	struct kp_cel_value out;

	if (operation == KP_CEL_SUBTRACT) {
		seconds = -seconds;
		nanoseconds = -nanoseconds;
	}
	if (!kp_cel_timestamp_make(moment.as.number + seconds,
		(int64_t)moment.extra + nanoseconds, &out))
		return kp_cel_error("outside of the years 1 to 9999");
	return out;
}

static struct kp_cel_value
between(struct kp_cel_value a, struct kp_cel_value b)
{
	int64_t nanoseconds;

	if (__builtin_mul_overflow(
		a.as.number - b.as.number, INT64_C(1000000000), &nanoseconds) ||
	    __builtin_add_overflow(
		nanoseconds, (int64_t)a.extra - (int64_t)b.extra, &nanoseconds))
		return kp_cel_error("a duration has at most 292 years");
	return kp_cel_duration(nanoseconds);
}

static struct kp_cel_value
operate_durations(enum kp_cel_operator operation, struct kp_cel_value a,
    struct kp_cel_value b)
{
	int64_t sum;
	bool failed =
	    operation == KP_CEL_ADD
		? __builtin_add_overflow(a.as.number, b.as.number, &sum)
		: __builtin_sub_overflow(a.as.number, b.as.number, &sum);

	if (failed)
		return kp_cel_error("a duration has at most 292 years");
	return kp_cel_duration(sum);
}

static bool
are(struct kp_cel_value a, enum kp_cel_type left, struct kp_cel_value b,
    enum kp_cel_type right)
{
	return a.type == left && b.type == right;
}

/* "+" and "-" of what is no number. */
static struct kp_cel_value
operate_others(struct kp_cel_eval *eval, enum kp_cel_operator operation,
    struct kp_cel_value a, struct kp_cel_value b)
{
	bool is_sum = operation == KP_CEL_ADD;

	if (is_sum && a.type == b.type &&
	    (a.type == KP_CEL_STRING || a.type == KP_CEL_BYTES))
		return join(eval, a, b);
	if (is_sum && are(a, KP_CEL_LIST, b, KP_CEL_LIST))
		return join_lists(eval, a.as.list, b.as.list);
	if (!is_sum && operation != KP_CEL_SUBTRACT)
		return no_overload(eval, operation, a, b);
	if (are(a, KP_CEL_DURATION, b, KP_CEL_DURATION))
		return operate_durations(operation, a, b);
	if (are(a, KP_CEL_TIMESTAMP, b, KP_CEL_DURATION))
		return move_timestamp(operation, a, b);
	if (is_sum && are(a, KP_CEL_DURATION, b, KP_CEL_TIMESTAMP))
		return move_timestamp(operation, b, a);
	if (!is_sum && are(a, KP_CEL_TIMESTAMP, b, KP_CEL_TIMESTAMP))
		return between(a, b);
	return no_overload(eval, operation, a, b);
}

static struct kp_cel_value
calculate(struct kp_cel_eval *eval, enum kp_cel_operator operation,
    struct kp_cel_value a, struct kp_cel_value b)
{
	if (are(a, KP_CEL_INT, b, KP_CEL_INT))
		return operate_ints(operation, a.as.number, b.as.number);
	if (are(a, KP_CEL_UINT, b, KP_CEL_UINT))
		return operate_uints(operation, a.as.natural, b.as.natural);
	if (are(a, KP_CEL_DOUBLE, b, KP_CEL_DOUBLE))
		return operate_doubles(eval, operation, a, b);
	return operate_others(eval, operation, a, b);
}

static struct kp_cel_value
equals(struct kp_cel_eval *eval, struct kp_cel_value a, struct kp_cel_value b)
{
	bool is_equal = kp_cel_equal(a, b, eval->meter);

	if (!kp_cel_spend(eval, 0))
		return kp_cel_stop(eval, KP_CEL_FAULT_COST);
	return kp_cel_bool(is_equal);
}

static struct kp_cel_value
is_in(struct kp_cel_eval *eval, struct kp_cel_value a, struct kp_cel_value b)
{
	struct kp_cel_value ignored;
	bool is_found = false;

	if (b.type == KP_CEL_MAP) {
		is_found = kp_cel_map_find(b.as.map, a, &ignored, eval->meter);
	} else if (b.type == KP_CEL_LIST) {
		for (size_t i = 0; i < b.as.list->num && !is_found; i++) {
			if (!kp_cel_spend(eval, 0))
				break;
			is_found = kp_cel_equal(
			    a, kp_cel_list_at(b.as.list, i), eval->meter);
		}
	} else {
		return no_overload(eval, KP_CEL_IN, a, b);
	}
	if (!kp_cel_spend(eval, 0))
		return kp_cel_stop(eval, KP_CEL_FAULT_COST);
	return kp_cel_bool(is_found);
}

static struct kp_cel_value
compare(struct kp_cel_eval *eval, enum kp_cel_operator operation,
    struct kp_cel_value a, struct kp_cel_value b)
{
	enum kp_cel_order order = kp_cel_compare(a, b);
	bool is_same = order == KP_CEL_SAME;

	if (order == KP_CEL_NO_ORDER)
		return no_overload(eval, operation, a, b);
	if (!kp_cel_spend(eval, kp_cel_content_steps(a)))
		return kp_cel_stop(eval, KP_CEL_FAULT_COST);
	if (operation == KP_CEL_BELOW || operation == KP_CEL_AT_MOST)
		return kp_cel_bool(order == KP_CEL_LESS ||
				   (is_same && operation == KP_CEL_AT_MOST));
	return kp_cel_bool(order == KP_CEL_GREATER ||
			   (is_same && operation == KP_CEL_AT_LEAST));
}

struct kp_cel_value
kp_cel_operate(struct kp_cel_eval *eval, enum kp_cel_operator operation,
    struct kp_cel_value a, struct kp_cel_value b)
{
	struct kp_cel_value equal;

	if (operation >= KP_CEL_ADD)
		return calculate(eval, operation, a, b);
	if (operation == KP_CEL_IN)
		return is_in(eval, a, b);
	if (operation >= KP_CEL_BELOW)
		return compare(eval, operation, a, b);
	equal = equals(eval, a, b);
	if (operation == KP_CEL_DIFFERS && equal.type == KP_CEL_BOOL)
		equal.as.truth = !equal.as.truth;
	return equal;
}
