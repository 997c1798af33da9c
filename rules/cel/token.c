/* SPDX-License-Identifier: Apache-2.0 */
/* The parser's way through the words: what is next, and what had to be. */
#include "rules/cel/parse_priv.h"

bool
kp_cel_take_token(struct kp_cel_parser *p)
{
	return kp_cel_lexer_next(&p->lexer, &p->token);
}

static bool
is_text(struct kp_bytes bytes, const char *text)
{
	return kp_bytes_equal(bytes, kp_bytes_of(text));
}

bool
kp_cel_is_sign(const struct kp_cel_parser *p, const char *sign)
{
	return p->token.kind == KP_CEL_T_SIGN && is_text(p->token.text, sign);
}

bool
kp_cel_expected(struct kp_cel_parser *p, const char *what)
{
	struct kp_bytes found = p->token.text;

	if (p->token.kind == KP_CEL_T_END)
		return kp_cel_fault_set(p->fault, KP_CEL_FAULT_SYNTAX,
		    p->token.pos, "expected %s, found the end", what);
	return kp_cel_fault_set(p->fault, KP_CEL_FAULT_SYNTAX, p->token.pos,
	    "expected %s, found %s%.*s%s", what,
	    p->token.kind == KP_CEL_T_TEXT ? "" : "\"",
	    found.len < 40 ? (int)found.len : 40, (const char *)found.data,
	    p->token.kind == KP_CEL_T_TEXT ? "" : "\"");
}

bool
kp_cel_try_sign(struct kp_cel_parser *p, const char *sign, bool *out)
{
	*out = kp_cel_is_sign(p, sign);
	return !*out || kp_cel_take_token(p);
}

bool
kp_cel_need_sign(struct kp_cel_parser *p, const char *sign, const char *what)
{
	if (!kp_cel_is_sign(p, sign))
		return kp_cel_expected(p, what);
	return kp_cel_take_token(p);
}

bool
kp_cel_enter(struct kp_cel_parser *p)
{
	if (++p->nesting <= KP_CEL_MAX_NESTING)
		return true;
	return kp_cel_fault_set(p->fault, KP_CEL_FAULT_LIMIT, p->token.pos,
	    "more than %d brackets inside each other", KP_CEL_MAX_NESTING);
}
