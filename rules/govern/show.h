/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as people would write them in an expression, for who wants to see what
 * a policy saw: not more of them than fits onto a few lines. Control characters
 * are escaped, as in a text of CEL. @thread any, one at a time
 */
#ifndef KP_RULES_GOVERN_SHOW_H
#define KP_RULES_GOVERN_SHOW_H

#include "rules/cel/value.h"

/* Bytes of one text, elements of one list or map, and how deep they are shown.
 */
#define KP_SHOW_MAX_TEXT_LEN 200
#define KP_SHOW_MAX_ITEMS 20
#define KP_SHOW_MAX_DEPTH 4
/* Bytes of all of it; what is beyond is left out. */
#define KP_SHOW_MAX_LEN 2000

/*
 * kp_show_value adds value: `["a", "b", … 7 more]`, `"aaaa… 5000 bytes"`, and
 * of an object those fields that are set. An error is its text.
 */
void kp_show_value(struct kp_buf *out, struct kp_cel_value value);

#endif
