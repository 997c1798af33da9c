/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How large a value may be at most, known before it is there: what an estimate
 * of cost works with. A type in the host's words may say it behind its name:
 * "string[249]", "list[100](string[249])", "map[64](string[100], bytes[1000])",
 * "dyn[16]" for what has no parts of its own. What says nothing has no bound.
 * @thread any, one at a time
 */
#ifndef KP_RULES_CEL_BOUND_H
#define KP_RULES_CEL_BOUND_H

#include "base/arena.h"
#include "rules/cel/program.h"
#include "rules/cel/value.h"

/* More than that is not counted: there is no limit. */
#define KP_CEL_NO_BOUND UINT64_MAX
/* Bytes of what string() makes of what is no text. */
#define KP_CEL_PLAIN_TEXT_LEN 48

struct kp_cel_bound {
	uint64_t len; /* bytes of a text, elements, entries; an optional: 1 */
	/* Of elements, or of the values of entries; NULL: it has no parts. */
	const struct kp_cel_bound *value;
	const struct kp_cel_bound *key; /* of entries; has no parts itself */
	const struct kp_cel_object_type *object;
	uint32_t depth;
	bool is_optional;
	bool may_be_real; /* a double, whose text takes long to make */
};

extern const struct kp_cel_bound kp_cel_unbounded, kp_cel_scalar, kp_cel_real;

/* Sums and products that stay at KP_CEL_NO_BOUND. */
uint64_t kp_cel_bound_add(uint64_t a, uint64_t b);
uint64_t kp_cel_bound_mul(uint64_t a, uint64_t b);

/* All of these live in arena, and are kp_cel_unbounded once it is full. */
const struct kp_cel_bound *kp_cel_bound_keep(
    struct kp_arena *arena, struct kp_cel_bound bound);
const struct kp_cel_bound *kp_cel_bound_text(
    struct kp_arena *arena, uint64_t len);
const struct kp_cel_bound *kp_cel_bound_list(
    struct kp_arena *arena, uint64_t len, const struct kp_cel_bound *value);
const struct kp_cel_bound *kp_cel_bound_map(struct kp_arena *arena,
    uint64_t len, const struct kp_cel_bound *key,
    const struct kp_cel_bound *value);
const struct kp_cel_bound *kp_cel_bound_optional(
    struct kp_arena *arena, const struct kp_cel_bound *value);

/* kp_cel_bound_join is of what is one or the other. NULL is nothing at all. */
const struct kp_cel_bound *kp_cel_bound_join(struct kp_arena *arena,
    const struct kp_cel_bound *a, const struct kp_cel_bound *b);

/* kp_cel_bound_declared reads a type of env. */
const struct kp_cel_bound *kp_cel_bound_declared(
    struct kp_arena *arena, const struct kp_cel_env *env, const char *type);

/* kp_cel_bound_value is of a constant. */
const struct kp_cel_bound *kp_cel_bound_value(
    struct kp_arena *arena, struct kp_cel_value value);

#endif
