/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types as the checker knows them before anything is evaluated, and which of
 * them may stand where another is wanted. Where dyn is one of the two,
 * evaluation decides. All that recurses is bounded by the depth of types and by
 * a number of steps for all of an expression. @thread any, one at a time
 */
#ifndef KP_RULES_CEL_TYPES_H
#define KP_RULES_CEL_TYPES_H

#include "base/arena.h"
#include "rules/cel/program.h"

/* Types inside types. */
#define KP_CEL_MAX_TYPE_DEPTH 64
/* Types that are looked at while an expression is checked, and bytes that
 * they take; both are far beyond what a full tree of calls needs. */
#define KP_CEL_MAX_TYPE_STEPS (4 << 20)
#define KP_CEL_MAX_TYPES_LEN (8 << 20)

enum kp_cel_kind {
	KP_CEL_IS_DYN,
	KP_CEL_IS_NULL,
	KP_CEL_IS_BOOL,
	KP_CEL_IS_INT,
	KP_CEL_IS_UINT,
	KP_CEL_IS_DOUBLE,
	KP_CEL_IS_STRING,
	KP_CEL_IS_BYTES,
	KP_CEL_IS_TIMESTAMP,
	KP_CEL_IS_DURATION,
	KP_CEL_IS_NUMBER, /* only of parameters: int, uint or double */
	KP_CEL_IS_LIST,   /* from here on: of other types, or with a name */
	KP_CEL_IS_MAP,
	KP_CEL_IS_OPTIONAL,
	KP_CEL_IS_TYPE,
	KP_CEL_IS_OBJECT,
	KP_CEL_IS_VARIABLE, /* a type that is not known yet */
};

struct kp_cel_static {
	enum kp_cel_kind kind;
	const struct kp_cel_object_type *object;
	struct kp_cel_static *of[2]; /* MAP: key and value; else one */
	struct kp_cel_static *bound; /* VARIABLE: what it stands for, or NULL */
};

struct kp_cel_binding; /* what a variable stood for before */

/*
 * All types of one expression. Whatever returns NULL or false found no type, or
 * a limit was reached: then is_stopped is true for good.
 */
struct kp_cel_types {
	struct kp_arena arena;
	const struct kp_cel_env *env;
	struct kp_cel_static plain[KP_CEL_IS_LIST];
	struct kp_cel_binding *bindings; /* the newest first */
	uint32_t steps;
	bool is_stopped;
};

/* env is borrowed until fini: its objects give names to types. */
void kp_cel_types_init(
    struct kp_cel_types *types, const struct kp_cel_env *env);
void kp_cel_types_fini(struct kp_cel_types *types);

/* kp_cel_types_spend is one step; false at a limit. */
bool kp_cel_types_spend(
    struct kp_cel_types *types, uint32_t depth) KP_MUST_CHECK;

/* Types live as long as types. first and second are as in of. */
struct kp_cel_static *kp_cel_static_plain(
    struct kp_cel_types *types, enum kp_cel_kind kind);
struct kp_cel_static *kp_cel_static_of(struct kp_cel_types *types,
    enum kp_cel_kind kind, struct kp_cel_static *first,
    struct kp_cel_static *second);
struct kp_cel_static *kp_cel_static_variable(struct kp_cel_types *types);

/*
 * kp_cel_static_parse reads "map(string, list(Topic))" and moves *text behind
 * it. "A" and "B" are letters[0] and [1], made where they are NULL, unless
 * letters is NULL. What has no brackets is of dyn. NULL if there is no such
 * type.
 */
#define KP_CEL_NUM_LETTERS 2
struct kp_cel_static *kp_cel_static_parse(struct kp_cel_types *types,
    const char **text, struct kp_cel_static **letters);

/*
 * kp_cel_static_print writes it as above, cut if it does not fit. What is not
 * known is dyn.
 */
#define KP_CEL_TYPE_TEXT_SIZE 128
void kp_cel_static_print(
    char out[KP_CEL_TYPE_TEXT_SIZE], const struct kp_cel_static *type);

/* kp_cel_static_known follows a variable to what it stands for, if anything. */
struct kp_cel_static *kp_cel_static_known(struct kp_cel_static *type);

/* kp_cel_static_settle has no bound variables in it any more. */
struct kp_cel_static *kp_cel_static_settle(
    struct kp_cel_types *types, struct kp_cel_static *type);

/* Is dyn, or what is not known, anywhere in it? True as well at a limit. */
bool kp_cel_static_is_open(
    struct kp_cel_types *types, struct kp_cel_static *type);

/*
 * kp_cel_assign: may from stand where to is wanted? Variables in both are bound
 * if so, and left as they were if not.
 */
bool kp_cel_assign(struct kp_cel_types *types, struct kp_cel_static *from,
    struct kp_cel_static *to) KP_MUST_CHECK;

/* Back to what variables stood for when types->bindings was mark. */
void kp_cel_types_undo(struct kp_cel_types *types, struct kp_cel_binding *mark);

/* kp_cel_static_join is the type of both, dyn if they have none in common. */
struct kp_cel_static *kp_cel_static_join(struct kp_cel_types *types,
    struct kp_cel_static *a, struct kp_cel_static *b);

bool kp_cel_static_is_same(struct kp_cel_types *types, struct kp_cel_static *a,
    struct kp_cel_static *b);

#endif
