/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What functions and operators take and give: the overloads of the standard
 * library, of optionals, and of the extensions for strings, mathematics and
 * base64. @thread any
 */
#ifndef KP_RULES_CEL_DECLARE_H
#define KP_RULES_CEL_DECLARE_H

#include "rules/cel/types.h"

/* How a function is called; both: the receiver is the first parameter. */
enum kp_cel_style {
	KP_CEL_GLOBAL = 1, /* f(a, b), and operators */
	KP_CEL_MEMBER = 2, /* a.f(b) */
	KP_CEL_BOTH = 3,
};

/* Types are in the words of kp_cel_static_parse, with A and B for any. */
struct kp_cel_overload {
	const char *name; /* of an operator, its sign */
	enum kp_cel_style style;
	const char *params; /* separated by ", "; "...": or more of the last */
	const char *result;
};

const struct kp_cel_overload *kp_cel_overloads(size_t *out_num);

/* kp_cel_declared_styles: in which the name is declared; 0: it is not. */
unsigned kp_cel_declared_styles(struct kp_bytes name);

/* kp_cel_declared_suggest returns the nearest name of a function, or NULL. */
const char *kp_cel_declared_suggest(const char *name);

/*
 * kp_cel_overload_result is the type that the call of a function gives, dyn if
 * more than one overload would do and they differ. NULL if none does, or at a
 * limit of types.
 */
struct kp_cel_static *kp_cel_overload_result(struct kp_cel_types *types,
    struct kp_bytes name, enum kp_cel_style style,
    struct kp_cel_static *const *args, uint32_t num);

#endif
