/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went wrong with an expression, where, and how it is shown:
 *
 *	1:11: expected an expression, found ")"
 *	 | topic.name)
 *	 | ..........^
 * @thread any
 */
#ifndef KP_RULES_CEL_SOURCE_H
#define KP_RULES_CEL_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

enum kp_cel_fault_kind {
	KP_CEL_FAULT_NONE = 0,
	KP_CEL_FAULT_SYNTAX, /* it is no expression of the language */
	KP_CEL_FAULT_LIMIT,  /* it is one, but too large or too deep */
	KP_CEL_FAULT_TYPE,   /* its types do not fit together */
	KP_CEL_FAULT_VALUE,  /* evaluated to an error */
	KP_CEL_FAULT_COST,   /* evaluation used up its budget */
	KP_CEL_FAULT_MEMORY, /* evaluation used up its memory */
};

struct kp_cel_fault {
	enum kp_cel_fault_kind kind;
	uint32_t pos; /* in bytes from the beginning of the expression */
	char text[256];
};

/* kp_cel_fault_set fills fault, with a text in UTF-8, and returns false. */
bool kp_cel_fault_set(struct kp_cel_fault *fault, enum kp_cel_fault_kind kind,
    size_t pos, const char *fmt, ...) KP_PRINTF(4, 5);

/* Line and column of a position, from 1; columns count characters. */
struct kp_cel_place {
	uint32_t line, column;
};
struct kp_cel_place kp_cel_place_of(struct kp_bytes source, size_t pos);

/* Characters of the line that kp_cel_render shows, at most. */
#define KP_CEL_EXCERPT_LEN 72

/*
 * kp_cel_render adds the fault as above, without a line feed at the end. What
 * could not be printed is shown as a question mark.
 */
void kp_cel_render(struct kp_buf *out, struct kp_bytes source,
    const struct kp_cel_fault *fault);

#endif
