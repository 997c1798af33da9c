/* SPDX-License-Identifier: Apache-2.0 */
/* Equality and order of values, across the types of numbers. */
#include <math.h>
#include <string.h>

#include "rules/cel/value.h"

static bool same(struct kp_cel_value a, struct kp_cel_value b, int depth,
    struct kp_cel_meter *meter);

static enum kp_cel_order
order_of(int comparison)
{
	if (comparison == 0)
		return KP_CEL_SAME;
	return comparison < 0 ? KP_CEL_LESS : KP_CEL_GREATER;
}

static enum kp_cel_order
turned(enum kp_cel_order order)
{
	if (order == KP_CEL_LESS)
		return KP_CEL_GREATER;
	return order == KP_CEL_GREATER ? KP_CEL_LESS : order;
}

static enum kp_cel_order
compare_doubles(double a, double b)
{
	if (isnan(a) || isnan(b))
		return KP_CEL_UNORDERED;
	return order_of((a > b) - (a < b));
}

static enum kp_cel_order
compare_int_uint(int64_t a, uint64_t b)
{
	if (a < 0)
		return KP_CEL_LESS;
	return order_of(((uint64_t)a > b) - ((uint64_t)a < b));
}

static enum kp_cel_order
compare_int_any(int64_t a, struct kp_cel_value b)
{
	if (b.type == KP_CEL_INT)
		return order_of((a > b.as.number) - (a < b.as.number));
	if (b.type == KP_CEL_UINT)
		return compare_int_uint(a, b.as.natural);
	return compare_doubles((double)a, b.as.real);
}

/* As the specification has it, a number is what it is as a double beside one.
 */
static enum kp_cel_order
compare_numbers(struct kp_cel_value a, struct kp_cel_value b)
{
	if (a.type == KP_CEL_INT)
		return compare_int_any(a.as.number, b);
	if (b.type == KP_CEL_INT)
		return turned(compare_int_any(b.as.number, a));
	if (a.type == KP_CEL_DOUBLE && b.type == KP_CEL_DOUBLE)
		return compare_doubles(a.as.real, b.as.real);
	if (a.type == KP_CEL_DOUBLE)
		return compare_doubles(a.as.real, (double)b.as.natural);
	if (b.type == KP_CEL_DOUBLE)
		return compare_doubles((double)a.as.natural, b.as.real);
	return order_of(
	    (a.as.natural > b.as.natural) - (a.as.natural < b.as.natural));
}

static bool
is_number(struct kp_cel_value value)
{
	return value.type == KP_CEL_INT || value.type == KP_CEL_UINT ||
	       value.type == KP_CEL_DOUBLE;
}

/* UTF-8 in the order of its bytes is in the order of its characters. */
static enum kp_cel_order
compare_contents(struct kp_bytes a, struct kp_bytes b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int comparison = len == 0 ? 0 : memcmp(a.data, b.data, len);

	if (comparison == 0)
		return order_of((a.len > b.len) - (a.len < b.len));
	return order_of(comparison);
}

static enum kp_cel_order
compare_moments(struct kp_cel_value a, struct kp_cel_value b)
{
	if (a.as.number != b.as.number)
		return order_of(a.as.number < b.as.number ? -1 : 1);
	return order_of((a.extra > b.extra) - (a.extra < b.extra));
}

enum kp_cel_order
kp_cel_compare(struct kp_cel_value a, struct kp_cel_value b)
{
	if (is_number(a) && is_number(b))
		return compare_numbers(a, b);
	if (a.type != b.type)
		return KP_CEL_NO_ORDER;
	if (a.type == KP_CEL_STRING || a.type == KP_CEL_BYTES)
		return compare_contents(kp_cel_content(a), kp_cel_content(b));
	if (a.type == KP_CEL_BOOL)
		return order_of(a.as.truth - b.as.truth);
	if (a.type == KP_CEL_TIMESTAMP || a.type == KP_CEL_DURATION)
		return compare_moments(a, b);
	return KP_CEL_NO_ORDER;
}

static bool
same_lists(const struct kp_cel_list *a, const struct kp_cel_list *b, int depth,
    struct kp_cel_meter *meter)
{
	if (a->num != b->num)
		return false;
	for (size_t i = 0; i < a->num; i++)
		if (!same(kp_cel_list_at(a, i), kp_cel_list_at(b, i), depth,
			meter))
			return false;
	return true;
}

static bool
same_maps(const struct kp_cel_map *a, const struct kp_cel_map *b, int depth,
    struct kp_cel_meter *meter)
{
	struct kp_cel_value other;

	if (a->num != b->num)
		return false;
	for (size_t i = 0; i < a->num; i++) {
		struct kp_cel_entry entry = kp_cel_map_at(a, i);

		if (!kp_cel_map_find(b, entry.key, &other, meter) ||
		    !same(entry.value, other, depth, meter))
			return false;
	}
	return true;
}

static bool
same_optionals(const struct kp_cel_value *a, const struct kp_cel_value *b,
    int depth, struct kp_cel_meter *meter)
{
	if (a == NULL || b == NULL)
		return a == b;
	return same(*a, *b, depth, meter);
}

/* What has no order and no parts. */
static bool
same_plain(struct kp_cel_value a, struct kp_cel_value b)
{
	if (a.type == KP_CEL_TYPE)
		return strcmp(a.as.name, b.as.name) == 0;
	if (a.type == KP_CEL_OBJECT)
		return a.as.object->host == b.as.object->host &&
		       strcmp(a.as.object->type_name, b.as.object->type_name) ==
			   0;
	return a.type == KP_CEL_NULL;
}

static bool
same(struct kp_cel_value a, struct kp_cel_value b, int depth,
    struct kp_cel_meter *meter)
{
	enum kp_cel_order order = kp_cel_compare(a, b);

	kp_cel_meter_add(meter, 1 + kp_cel_content_steps(a));
	if (order != KP_CEL_NO_ORDER)
		return order == KP_CEL_SAME;
	if (depth == 0)
		kp_cel_meter_add(meter, UINT64_MAX);
	if (a.type != b.type || kp_cel_meter_is_spent(meter))
		return false;
	if (a.type == KP_CEL_LIST)
		return same_lists(a.as.list, b.as.list, depth - 1, meter);
	if (a.type == KP_CEL_MAP)
		return same_maps(a.as.map, b.as.map, depth - 1, meter);
	if (a.type == KP_CEL_OPTIONAL)
		return same_optionals(a.as.inner, b.as.inner, depth - 1, meter);
	return same_plain(a, b);
}

bool
kp_cel_equal(
    struct kp_cel_value a, struct kp_cel_value b, struct kp_cel_meter *meter)
{
	return same(a, b, KP_CEL_MAX_VALUE_DEPTH, meter);
}

bool
kp_cel_map_find(const struct kp_cel_map *map, struct kp_cel_value key,
    struct kp_cel_value *out, struct kp_cel_meter *meter)
{
	if (map->find != NULL && key.type == KP_CEL_STRING) {
		kp_cel_meter_add(meter, 1);
		return map->find(map, kp_cel_content(key), out);
	}
	for (size_t i = 0; i < map->num; i++) {
		struct kp_cel_entry entry = kp_cel_map_at(map, i);

		kp_cel_meter_add(meter, 1 + kp_cel_content_steps(key));
		if (kp_cel_meter_is_spent(meter))
			return false;
		if (kp_cel_compare(entry.key, key) != KP_CEL_SAME)
			continue;
		*out = entry.value;
		return true;
	}
	return false;
}
