/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of characters, and the code that reads one of them. @thread any */
#ifndef KP_RULES_REGEX_CLASS_H
#define KP_RULES_REGEX_CLASS_H

#include "rules/regex/code.h"

#define KP_REGEX_LAST_POINT 0x10ffff

struct kp_regex_range {
	uint32_t low, high;
};

/* Ranges in any order, until kp_regex_class_normalize. The zero state has
 * none. */
struct kp_regex_class {
	struct kp_regex_range list[KP_REGEX_MAX_RANGES];
	uint32_t num;
	bool failed; /* there are more than KP_REGEX_MAX_RANGES */
};

void kp_regex_class_add(
    struct kp_regex_class *set, uint32_t low, uint32_t high);

/* kp_regex_class_fold adds the other case of what is from first on in the list,
 * of ASCII's letters. */
void kp_regex_class_fold(struct kp_regex_class *set, uint32_t first);

/* kp_regex_class_negate leaves the list in order. */
void kp_regex_class_negate(struct kp_regex_class *set);

/* kp_regex_class_add_named: the group is named as in [:alpha:], or by the
 * letter of \d. False if there is none of that name. */
bool kp_regex_class_add_named(struct kp_regex_class *set, struct kp_bytes name,
    bool is_negated, bool is_folded) KP_MUST_CHECK;

/* kp_regex_class_emit adds the code that reads one character of the set. */
bool kp_regex_class_emit(
    struct kp_regex_class *set, struct kp_regex_code *code) KP_MUST_CHECK;

#endif
