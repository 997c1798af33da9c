/* SPDX-License-Identifier: Apache-2.0 */
/* One evaluation, as its operators, functions and loops see it. */
#ifndef KP_RULES_CEL_EVAL_PRIV_H
#define KP_RULES_CEL_EVAL_PRIV_H

#include "rules/cel/program.h"
#include "rules/cel/syntax.h"

struct kp_cel_program {
	struct kp_bytes source;
	struct kp_arena arena; /* of source and tree */
	struct kp_cel_node *tree;
	const char *type;                /* of its value; in arena, or static */
	struct kp_cel_pattern *patterns; /* match.h */
};

/* IDENT: slots from here on are variables of macros. */
#define KP_CEL_FIRST_LOCAL (1 << 24)
#define KP_CEL_NO_SLOT (-1)

struct kp_cel_eval {
	const struct kp_cel_program *program;
	const struct kp_cel_input *input;
	struct kp_arena *arena;
	struct kp_cel_meter *meter;
	/* Not NONE: a limit was reached; no error may be absorbed any more. */
	enum kp_cel_fault_kind stopped;
	void *match_scratch; /* in arena */
	size_t match_scratch_len;
	struct kp_cel_value locals[KP_CEL_MAX_LOCALS];
};

/* A call of a function: args are no errors. */
struct kp_cel_call {
	struct kp_cel_eval *eval;
	const struct kp_cel_value *args; /* the receiver first */
	uint32_t num;
	int detail;                   /* of the table's row */
	const struct kp_regex *regex; /* of matches(); NULL: not yet known */
};

typedef struct kp_cel_value kp_cel_function_run(const struct kp_cel_call *call);

struct kp_cel_function {
	const char *name;
	bool is_global, is_member;
	uint32_t min_args, max_args; /* with the receiver */
	kp_cel_function_run *run;
	int detail;
};

/* kp_cel_function_find returns NULL if there is none of this shape. */
const struct kp_cel_function *kp_cel_function_find(
    struct kp_bytes name, bool is_member, uint32_t num_args);

/* kp_cel_function_is_known: is there one of this name, whatever its shape? */
bool kp_cel_function_is_known(struct kp_bytes name);

/* What has functions in the table, one file each. */
kp_cel_function_run kp_cel_to_int, kp_cel_to_uint, kp_cel_to_double,
    kp_cel_to_string, kp_cel_to_bytes, kp_cel_to_bool, kp_cel_to_timestamp,
    kp_cel_to_duration;
kp_cel_function_run kp_cel_optional_of, kp_cel_optional_none,
    kp_cel_optional_has_value, kp_cel_optional_value, kp_cel_optional_or,
    kp_cel_optional_or_value;
kp_cel_function_run kp_cel_char_at, kp_cel_substring, kp_cel_index_of,
    kp_cel_change_case, kp_cel_reverse, kp_cel_trim, kp_cel_join,
    kp_cel_replace, kp_cel_split, kp_cel_quote, kp_cel_format;
enum { KP_CEL_FROM_BEGINNING, KP_CEL_FROM_END };
enum { KP_CEL_TO_LOWER, KP_CEL_TO_UPPER };
kp_cel_function_run kp_cel_extreme, kp_cel_rounded, kp_cel_class_of, kp_cel_abs,
    kp_cel_sign, kp_cel_sqrt, kp_cel_bits, kp_cel_bit_not, kp_cel_shift;
enum { KP_CEL_GREATEST, KP_CEL_LEAST };
enum { KP_CEL_CEIL, KP_CEL_FLOOR, KP_CEL_ROUND, KP_CEL_TRUNC };
enum { KP_CEL_IS_NAN, KP_CEL_IS_INF, KP_CEL_IS_FINITE };
enum { KP_CEL_BIT_AND, KP_CEL_BIT_OR, KP_CEL_BIT_XOR };
enum { KP_CEL_SHIFT_LEFT, KP_CEL_SHIFT_RIGHT };
kp_cel_function_run kp_cel_matches;
kp_cel_function_run kp_cel_base64_encode, kp_cel_base64_decode;

/* or() and orValue() ask for the other one only if there is no first. */
static inline bool
kp_cel_function_is_lazy(const struct kp_cel_function *function)
{
	return function->run == kp_cel_optional_or ||
	       function->run == kp_cel_optional_or_value;
}

/* kp_cel_resolve fills what names of the program's tree stand for, and compiles
 * patterns. False and *fault at a limit, and if a pattern is none. */
bool kp_cel_resolve(struct kp_cel_program *program,
    const struct kp_cel_env *env, struct kp_cel_fault *fault) KP_MUST_CHECK;

struct kp_cel_value kp_cel_eval_node(
    struct kp_cel_eval *eval, const struct kp_cel_node *node);
struct kp_cel_value kp_cel_eval_loop(
    struct kp_cel_eval *eval, const struct kp_cel_node *node);
struct kp_cel_value kp_cel_eval_list(
    struct kp_cel_eval *eval, const struct kp_cel_node *node);
struct kp_cel_value kp_cel_eval_map(
    struct kp_cel_eval *eval, const struct kp_cel_node *node);
struct kp_cel_value kp_cel_eval_select(
    struct kp_cel_eval *eval, const struct kp_cel_node *node);
struct kp_cel_value kp_cel_eval_index(
    struct kp_cel_eval *eval, const struct kp_cel_node *node);

struct kp_cel_value kp_cel_operate(struct kp_cel_eval *eval,
    enum kp_cel_operator operation, struct kp_cel_value a,
    struct kp_cel_value b);
struct kp_cel_value kp_cel_negate(struct kp_cel_value value);
const char *kp_cel_sign_of(enum kp_cel_operator operation);

/* kp_cel_at says of an error that node is its place. */
static inline struct kp_cel_value
kp_cel_at(struct kp_cel_value value, const struct kp_cel_node *node)
{
	if (value.type == KP_CEL_ERROR)
		value.extra = node->pos;
	return value;
}

/* kp_cel_fail is an error with a text of its own, in the arena. */
struct kp_cel_value kp_cel_fail(struct kp_cel_eval *eval, const char *fmt, ...)
    KP_PRINTF(2, 3);

/* kp_cel_stop is the error of a limit, which nothing absorbs. */
struct kp_cel_value kp_cel_stop(
    struct kp_cel_eval *eval, enum kp_cel_fault_kind kind);

/* kp_cel_get takes memory for the evaluation; NULL once it is stopped. */
void *kp_cel_get(struct kp_cel_eval *eval, size_t count, size_t size);

/* kp_cel_spend adds to the cost; false once it is stopped. */
bool kp_cel_spend(struct kp_cel_eval *eval, uint64_t steps) KP_MUST_CHECK;

/* kp_cel_search_steps: what memmem() takes to look for a part in a text. */
uint64_t kp_cel_search_steps(uint64_t text_len, uint64_t part_len);

/* kp_cel_no_overload says that an operation is not for these types. */
struct kp_cel_value kp_cel_no_overload(struct kp_cel_eval *eval,
    const char *operation, const struct kp_cel_value *args, uint32_t num);

/*
 * kp_cel_double_print writes what is finite with the fewest digits that read as
 * it again; unless is_plain, what is large or small has an exponent. Returns
 * the length.
 */
#define KP_CEL_DOUBLE_SIZE 352
size_t kp_cel_double_print(struct kp_cel_eval *eval, double number,
    bool is_plain, char out[KP_CEL_DOUBLE_SIZE]);

/* kp_cel_some is the optional that holds value. */
struct kp_cel_value kp_cel_some(
    struct kp_cel_eval *eval, struct kp_cel_value value);

/* Is it the value that a field of its type has when nothing is in it? */
bool kp_cel_is_zero(struct kp_cel_value value);

/* Entries of a map that is being made, with room for more. */
struct kp_cel_entries {
	struct kp_cel_entry *list;
	size_t num, capacity;
};

/* kp_cel_entries_add checks the key and makes room. It returns an ERROR, or
 * NULL's value if all is well. */
struct kp_cel_value kp_cel_entries_add(struct kp_cel_eval *eval,
    struct kp_cel_entries *entries, struct kp_cel_value key,
    struct kp_cel_value value);
struct kp_cel_value kp_cel_map_of(
    struct kp_cel_eval *eval, const struct kp_cel_entries *entries);
struct kp_cel_value kp_cel_list_of(
    struct kp_cel_eval *eval, const struct kp_cel_value *items, size_t num);

#endif
