/* SPDX-License-Identifier: Apache-2.0 */
/* The words of an expression, one after the other. @thread any */
#ifndef KP_RULES_CEL_LEXER_H
#define KP_RULES_CEL_LEXER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "rules/cel/source.h"
#include "rules/cel/value.h"

enum kp_cel_token_kind {
	KP_CEL_T_END,
	KP_CEL_T_IDENT,  /* reserved words too */
	KP_CEL_T_QUOTED, /* `name` */
	KP_CEL_T_INT,
	KP_CEL_T_UINT,
	KP_CEL_T_DOUBLE,
	KP_CEL_T_TEXT, /* a string or bytes, with prefix and quotes */
	KP_CEL_T_SIGN, /* punctuation: one or two characters */
};

struct kp_cel_token {
	enum kp_cel_token_kind kind;
	uint32_t pos;
	struct kp_bytes text; /* borrowed from the source */
};

/* *fault is set once the source has something that is no word. */
struct kp_cel_lexer {
	struct kp_bytes source;
	size_t pos;
	struct kp_cel_fault *fault;
};

/* kp_cel_lexer_next is false and sets the fault where there is no word. */
bool kp_cel_lexer_next(
    struct kp_cel_lexer *lexer, struct kp_cel_token *out) KP_MUST_CHECK;

/*
 * kp_cel_literal reads the number or text of a token; is_negative: there is a
 * minus in front. Texts are copied into arena. False and *fault if it is none.
 */
bool kp_cel_literal(const struct kp_cel_token *token, bool is_negative,
    struct kp_arena *arena, struct kp_cel_value *out,
    struct kp_cel_fault *fault) KP_MUST_CHECK;

#endif
