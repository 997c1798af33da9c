/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/cel/bound.h"

#include <string.h>

/* One less than values may be inside each other to be compared. */
#define MAX_DEPTH (KP_CEL_MAX_VALUE_DEPTH - 2)

const struct kp_cel_bound kp_cel_unbounded = {
	.len = KP_CEL_NO_BOUND,
	.value = &kp_cel_unbounded,
	.key = &kp_cel_unbounded,
	.may_be_real = true,
};
const struct kp_cel_bound kp_cel_scalar = { .len = 0 };
const struct kp_cel_bound kp_cel_real = { .may_be_real = true };

uint64_t
kp_cel_bound_add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? KP_CEL_NO_BOUND : sum;
}

uint64_t
kp_cel_bound_mul(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? KP_CEL_NO_BOUND
						      : product;
}

const struct kp_cel_bound *
kp_cel_bound_keep(struct kp_arena *arena, struct kp_cel_bound bound)
{
	struct kp_cel_bound *out;

	if (bound.value != NULL)
		bound.depth = bound.value->depth + 1;
	if (bound.depth > MAX_DEPTH)
		return &kp_cel_unbounded;
	out = kp_arena_get(arena, 1, sizeof(*out));
	if (out == NULL)
		return &kp_cel_unbounded;
	*out = bound;
	return out;
}

const struct kp_cel_bound *
kp_cel_bound_text(struct kp_arena *arena, uint64_t len)
{
	return kp_cel_bound_keep(arena, (struct kp_cel_bound){ .len = len });
}

const struct kp_cel_bound *
kp_cel_bound_list(
    struct kp_arena *arena, uint64_t len, const struct kp_cel_bound *value)
{
	return kp_cel_bound_keep(
	    arena, (struct kp_cel_bound){ .len = len, .value = value });
}

const struct kp_cel_bound *
kp_cel_bound_map(struct kp_arena *arena, uint64_t len,
    const struct kp_cel_bound *key, const struct kp_cel_bound *value)
{
	if (key->value != NULL)
		key = kp_cel_bound_text(arena, key->len);
	return kp_cel_bound_keep(arena,
	    (struct kp_cel_bound){ .len = len, .value = value, .key = key });
}

const struct kp_cel_bound *
kp_cel_bound_optional(struct kp_arena *arena, const struct kp_cel_bound *value)
{
	return kp_cel_bound_keep(
	    arena, (struct kp_cel_bound){
		       .len = 1, .value = value, .is_optional = true });
}

/* Are both lists, maps or optionals? */
static bool
is_alike(const struct kp_cel_bound *a, const struct kp_cel_bound *b)
{
	return a->is_optional == b->is_optional &&
	       (a->key == NULL) == (b->key == NULL);
}

const struct kp_cel_bound *
kp_cel_bound_join(struct kp_arena *arena, const struct kp_cel_bound *a,
    const struct kp_cel_bound *b)
{
	struct kp_cel_bound both = { .len = 0 };

	if (a == NULL || b == NULL || a == b)
		return a == NULL ? b : a;
	if (a == &kp_cel_unbounded || b == &kp_cel_unbounded ||
	    (a->value != NULL && b->value != NULL && !is_alike(a, b)) ||
	    (a->object != NULL && b->object != NULL && a->object != b->object))
		return &kp_cel_unbounded;
	both.len = a->len > b->len ? a->len : b->len;
	both.value = kp_cel_bound_join(arena, a->value, b->value);
	both.key = kp_cel_bound_join(arena, a->key, b->key);
	both.object = a->object != NULL ? a->object : b->object;
	both.is_optional = a->is_optional || b->is_optional;
	both.may_be_real = a->may_be_real || b->may_be_real;
	return kp_cel_bound_keep(arena, both);
}

/* "[249]", or no bound at all. */
static uint64_t
read_len(const char **at)
{
	uint64_t len = 0;

	if (**at != '[')
		return KP_CEL_NO_BOUND;
	for ((*at)++; **at >= '0' && **at <= '9'; (*at)++)
		len = kp_cel_bound_add(
		    kp_cel_bound_mul(len, 10), (uint64_t)(**at - '0'));
	*at += **at == ']';
	return len;
}

struct declaration {
	struct kp_arena *arena;
	const struct kp_cel_env *env;
	const char *at;
	uint32_t depth;
};

static const struct kp_cel_bound *read_type(struct declaration *declaration);

/* "(A, B)": how many there are, of which two are told. */
static void
read_parts(struct declaration *declaration, const struct kp_cel_bound *parts[2])
{
	parts[0] = parts[1] = &kp_cel_unbounded;
	if (*declaration->at != '(')
		return;
	for (int i = 0; i < 2 && *declaration->at != ')'; i++) {
		declaration->at++;
		declaration->at += strspn(declaration->at, " ");
		parts[i] = read_type(declaration);
	}
	declaration->at += *declaration->at == ')';
}

static const struct kp_cel_bound *
find_object(const struct declaration *declaration, struct kp_bytes name)
{
	const struct kp_cel_env *env = declaration->env;

	for (size_t i = 0; i < env->num_objects; i++)
		if (kp_bytes_equal(name, kp_bytes_of(env->objects[i].name)))
			return kp_cel_bound_keep(declaration->arena,
			    (struct kp_cel_bound){
				.object = &env->objects[i] });
	return &kp_cel_unbounded;
}

static bool
is_plain(struct kp_bytes name)
{
	static const char *const names[] = { "bool", "int", "uint", "timestamp",
		"duration", "null_type", "type" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (kp_bytes_equal(name, kp_bytes_of(names[i])))
			return true;
	return false;
}

/* As deep as its brackets, which are counted. */
static const struct kp_cel_bound *
read_type(struct declaration *declaration)
{
	size_t name_len = strcspn(declaration->at, "[](), ");
	struct kp_bytes name = { (const uint8_t *)declaration->at, name_len };
	const struct kp_cel_bound *parts[2];
	uint64_t len;

	if (name_len == 0 || declaration->depth++ == MAX_DEPTH)
		return &kp_cel_unbounded;
	declaration->at += name_len;
	len = read_len(&declaration->at);
	read_parts(declaration, parts);
	declaration->depth--;
	if (kp_bytes_equal(name, kp_bytes_of("list")))
		return kp_cel_bound_list(declaration->arena, len, parts[0]);
	if (kp_bytes_equal(name, kp_bytes_of("map")))
		return kp_cel_bound_map(
		    declaration->arena, len, parts[0], parts[1]);
	if (kp_bytes_equal(name, kp_bytes_of("optional")))
		return kp_cel_bound_optional(declaration->arena, parts[0]);
	if (kp_bytes_equal(name, kp_bytes_of("double")))
		return &kp_cel_real;
	if (is_plain(name))
		return &kp_cel_scalar;
	if (kp_bytes_equal(name, kp_bytes_of("string")) ||
	    kp_bytes_equal(name, kp_bytes_of("bytes")))
		return kp_cel_bound_text(declaration->arena, len);
	if (kp_bytes_equal(name, kp_bytes_of("dyn")) && len != KP_CEL_NO_BOUND)
		return kp_cel_bound_keep(declaration->arena,
		    (struct kp_cel_bound){ .len = len, .may_be_real = true });
	return find_object(declaration, name);
}

const struct kp_cel_bound *
kp_cel_bound_declared(
    struct kp_arena *arena, const struct kp_cel_env *env, const char *type)
{
	struct declaration declaration = {
		.arena = arena, .env = env, .at = type
	};

	return type == NULL ? &kp_cel_unbounded : read_type(&declaration);
}

const struct kp_cel_bound *
kp_cel_bound_value(struct kp_arena *arena, struct kp_cel_value value)
{
	const struct kp_cel_bound *items = &kp_cel_scalar;

	if (value.type == KP_CEL_STRING || value.type == KP_CEL_BYTES)
		return kp_cel_bound_text(arena, value.extra);
	if (value.type == KP_CEL_DOUBLE)
		return &kp_cel_real;
	if (value.type != KP_CEL_LIST)
		return &kp_cel_scalar;
	for (size_t i = 0; i < value.as.list->num; i++)
		items = kp_cel_bound_join(arena, items,
		    kp_cel_bound_value(
			arena, kp_cel_list_at(value.as.list, i)));
	return kp_cel_bound_list(arena, value.as.list->num, items);
}
