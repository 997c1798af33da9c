/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An expression made ready once and evaluated often: names are looked up when
 * it is made, against what the host says there is. Immutable afterwards, so
 * that threads may share it. @thread any
 *
 *	program = kp_cel_program_new(source, &env, &fault);
 *	kp_cel_scratch_init(&scratch, &limits);
 *	if (kp_cel_program_run(program, &input, &scratch, &value, &fault)) ...
 */
#ifndef KP_RULES_CEL_PROGRAM_H
#define KP_RULES_CEL_PROGRAM_H

#include "base/arena.h"
#include "rules/cel/source.h"
#include "rules/cel/value.h"

/* Variables of macros that are visible at one place, at most. */
#define KP_CEL_MAX_LOCALS 32
/* Bytes that the tree of an expression may take. */
#define KP_CEL_MAX_TREE_LEN (4 << 20)
/* Digits behind the point that format() writes. */
#define KP_CEL_MAX_PRECISION 100

/* What an object of the host has. */
struct kp_cel_field {
	const char *name, *type;
};

struct kp_cel_object_type {
	const char *name;
	const struct kp_cel_field *fields;
	size_t num_fields;
};

/*
 * What expressions can name. Borrowed until the program is made. Types are
 * texts: bool, int, uint, double, string, bytes, timestamp, duration,
 * null_type, dyn, list(T), map(K, V), optional(T), type(T), or the name of an
 * object. Behind its name, in brackets, a type may say how large a value is at
 * most: "string[249]", "list[100](string[249])" (bound.h).
 */
struct kp_cel_env {
	const char *const *variables; /* names, dots are allowed */
	size_t num_variables;
	/*
	 * The types of the variables, in their order; NULL, as a whole or for
	 * one: dyn, which only evaluation can know. An expression that does not
	 * fit together is refused when it is made, unless is_unchecked.
	 */
	const char *const *types;
	bool is_unchecked;
	const struct kp_cel_object_type *objects;
	size_t num_objects;
	const char *result;    /* the type that is wanted; NULL: any */
	const char *container; /* where names are looked for first, or NULL */
	/* An expression that may take more steps is refused; 0: none is. */
	uint64_t max_steps;
};

/*
 * What an evaluation may cost, in the steps of its meter: never more than max,
 * and never less than min if there is no error. of_worst of them are for the
 * part at pos, more than for any other.
 */
struct kp_cel_estimate {
	uint64_t min, max; /* UINT64_MAX: without a limit */
	uint64_t of_worst;
	uint32_t pos;
};

/* The values of the variables, asked for when they are needed. */
struct kp_cel_input {
	/* An ERROR if there is none. What it borrows outlives the result. */
	struct kp_cel_value (*get)(
	    const struct kp_cel_input *input, size_t variable);
	const void *host;
};

/* Memory and cost of evaluations, one after the other. */
struct kp_cel_scratch {
	struct kp_arena arena;
	struct kp_cel_meter meter;
};

/* Defaults of both limits. */
#define KP_CEL_DEFAULT_STEPS 1000000
#define KP_CEL_DEFAULT_MEMORY (1 << 20)

void kp_cel_scratch_init(
    struct kp_cel_scratch *scratch, uint64_t max_steps, size_t max_len);
void kp_cel_scratch_fini(struct kp_cel_scratch *scratch);

struct kp_cel_program;

/* kp_cel_program_new copies source; NULL and *fault if it is no expression. */
struct kp_cel_program *kp_cel_program_new(struct kp_bytes source,
    const struct kp_cel_env *env, struct kp_cel_fault *fault);
void kp_cel_program_free(struct kp_cel_program *program);

/* The expression, borrowed: for kp_cel_render. */
struct kp_bytes kp_cel_program_source(const struct kp_cel_program *program);

/* The type of its value, as in kp_cel_env; dyn if that was not checked.
 * Borrowed.
 */
const char *kp_cel_program_type(const struct kp_cel_program *program);

/* kp_cel_program_estimate: env is the one that the program was made with. */
struct kp_cel_estimate kp_cel_program_estimate(
    const struct kp_cel_program *program, const struct kp_cel_env *env);

/*
 * kp_cel_program_run evaluates. False and *fault if the value is an error or a
 * limit was reached. *out is valid until scratch is used again; what it borrows
 * may be in the program or the host as well.
 */
bool kp_cel_program_run(const struct kp_cel_program *program,
    const struct kp_cel_input *input, struct kp_cel_scratch *scratch,
    struct kp_cel_value *out, struct kp_cel_fault *fault) KP_MUST_CHECK;

#endif
