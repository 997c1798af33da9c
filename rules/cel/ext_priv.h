/* SPDX-License-Identifier: Apache-2.0 */
/* What functions share that make texts: one that grows while it is made. */
#ifndef KP_RULES_CEL_EXT_PRIV_H
#define KP_RULES_CEL_EXT_PRIV_H

#include "rules/cel/eval_priv.h"

/*
 * A text in the evaluation's memory. Its bytes are counted in the meter before
 * they are made. Once the evaluation is stopped nothing is added any more, so
 * that whoever makes a text asks once, at its end.
 */
struct kp_cel_text {
	struct kp_cel_eval *eval;
	uint8_t *data;
	size_t len, capacity;
};

/* kp_cel_text_extend adds len bytes for the caller to fill. NULL: stopped. The
 * first one takes as much memory as it needs, others make room for more. */
uint8_t *kp_cel_text_extend(struct kp_cel_text *text, size_t len);
void kp_cel_text_add(struct kp_cel_text *text, struct kp_bytes bytes);

/* kp_cel_text_value is the text as a STRING, or the error of the limit. */
struct kp_cel_value kp_cel_text_value(const struct kp_cel_text *text);

#endif
