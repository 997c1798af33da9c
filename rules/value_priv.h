/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between value.c (objects, lists, maps) and value_scalar.c (all that has no
 * fields of its own). @thread any, one at a time
 */
#ifndef KP_RULES_VALUE_PRIV_H
#define KP_RULES_VALUE_PRIV_H

#include "rules/value.h"

#define KP_NAMES_MAX 64

struct kp_parse {
	const char *file;
	const char *what;
	struct kp_diagnostics *diagnostics;
	char path[256]; /* of fields, for problems */
};

/* Fills value from node; false after a problem. */
typedef bool (*kp_read_node)(
    struct kp_parse *p, const struct kp_yaml *node, struct kp_value *value);

/* The reader of a type that has no fields; asserts that it is one. */
kp_read_node kp_scalar_reader(enum kp_setting_type type);

/* kp_parse_problem adds a problem at node's place; returns false. */
bool kp_parse_problem(struct kp_parse *p, const struct kp_yaml *node,
    const char *fmt, ...) KP_PRINTF(3, 4);

/*
 * kp_parse_wrong_type says what is wanted (that of the setting, or wanted
 * instead if not NULL) and what is there, unless that may be a secret in clear
 * text. Returns false.
 */
bool kp_parse_wrong_type(struct kp_parse *p, const struct kp_yaml *node,
    const struct kp_setting *setting, const char *wanted_instead);

/* Names that something may have been meant to be; the zero state is none. */
struct kp_names {
	const char *list[KP_NAMES_MAX + 1];
	size_t num;
};

void kp_names_add(struct kp_names *names, const char *name);

/* Adds `; did you mean "x"?`, or if nothing is near, what there is. */
void kp_names_hint(
    const struct kp_names *names, const char *text, struct kp_buf *out);

#endif
