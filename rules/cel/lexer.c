/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/cel/lexer.h"

#include <string.h>

#include "base/utf8.h"

static int
peek(const struct kp_cel_lexer *lexer, size_t ahead)
{
	size_t left = lexer->source.len - lexer->pos;

	return ahead < left ? lexer->source.data[lexer->pos + ahead] : -1;
}

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex(int c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool
is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_one_of(int c, const char *set)
{
	return c > 0 && strchr(set, c) != NULL;
}

static void
skip_blanks(struct kp_cel_lexer *lexer)
{
	for (;;) {
		if (is_one_of(peek(lexer, 0), " \t\r\n\f")) {
			lexer->pos++;
			continue;
		}
		if (peek(lexer, 0) != '/' || peek(lexer, 1) != '/')
			return;
		while (peek(lexer, 0) >= 0 && peek(lexer, 0) != '\n')
			lexer->pos++;
	}
}

static bool
refuse(struct kp_cel_lexer *lexer, size_t pos, const char *text)
{
	return kp_cel_fault_set(
	    lexer->fault, KP_CEL_FAULT_SYNTAX, pos, "%s", text);
}

/* Digits, and what may follow them. */
static bool
scan_number(struct kp_cel_lexer *lexer, enum kp_cel_token_kind *out)
{
	size_t start = lexer->pos;

	*out = KP_CEL_T_INT;
	if (peek(lexer, 0) == '0' && is_one_of(peek(lexer, 1), "xX")) {
		lexer->pos += 2;
		while (is_hex(peek(lexer, 0)))
			lexer->pos++;
	} else {
		while (is_digit(peek(lexer, 0)))
			lexer->pos++;
		if (peek(lexer, 0) == '.' && is_digit(peek(lexer, 1)))
			*out = KP_CEL_T_DOUBLE;
		lexer->pos += *out == KP_CEL_T_DOUBLE;
		while (is_digit(peek(lexer, 0)))
			lexer->pos++;
		if (is_one_of(peek(lexer, 0), "eE")) {
			*out = KP_CEL_T_DOUBLE;
			lexer->pos++;
			lexer->pos += is_one_of(peek(lexer, 0), "+-");
			if (!is_digit(peek(lexer, 0)))
				return refuse(lexer, start,
				    "number without digits in its exponent");
			while (is_digit(peek(lexer, 0)))
				lexer->pos++;
		}
	}
	if (*out == KP_CEL_T_INT && is_one_of(peek(lexer, 0), "uU")) {
		*out = KP_CEL_T_UINT;
		lexer->pos++;
	}
	if (is_letter(peek(lexer, 0)) || is_digit(peek(lexer, 0)))
		return refuse(lexer, lexer->pos,
		    "a number ends here: a blank or an operator is missing");
	return true;
}

/* From the first quote to behind the last one. */
static bool
scan_text(struct kp_cel_lexer *lexer, size_t start, bool is_raw)
{
	int quote = peek(lexer, 0);
	bool is_long = peek(lexer, 1) == quote && peek(lexer, 2) == quote;
	size_t len = is_long ? 3 : 1;

	lexer->pos += len;
	for (;;) {
		int c = peek(lexer, 0);

		if (c < 0 || (!is_long && is_one_of(c, "\r\n")))
			return refuse(lexer, start,
			    "the closing quote of this text is missing");
		if (c == quote && (!is_long || (peek(lexer, 1) == quote &&
						   peek(lexer, 2) == quote)))
			break;
		if (c == '\\' && !is_raw && peek(lexer, 1) >= 0)
			lexer->pos++;
		lexer->pos++;
	}
	lexer->pos += len;
	return true;
}

/* Is there a text here, with what may stand before its quote? */
static bool
is_text_start(const struct kp_cel_lexer *lexer, size_t *prefix, bool *is_raw)
{
	size_t at = 0;

	at += is_one_of(peek(lexer, at), "bB");
	*is_raw = is_one_of(peek(lexer, at), "rR");
	at += *is_raw;
	*prefix = at;
	return is_one_of(peek(lexer, at), "'\"");
}

static bool
scan_quoted_name(struct kp_cel_lexer *lexer)
{
	size_t start = lexer->pos++;

	while (is_letter(peek(lexer, 0)) || is_digit(peek(lexer, 0)) ||
	       is_one_of(peek(lexer, 0), ".-/ "))
		lexer->pos++;
	if (peek(lexer, 0) != '`' || lexer->pos == start + 1)
		return refuse(lexer, start,
		    "between back quotes stands a name of letters, digits, "
		    "\"_\", \".\", \"-\", \"/\" and blanks");
	lexer->pos++;
	return true;
}

static bool
scan_sign(struct kp_cel_lexer *lexer)
{
	static const char *const pairs[] = { "&&", "||",
		"==", "!=", "<=", ">=" };
	int c = peek(lexer, 0), next = peek(lexer, 1);
	uint32_t point = 0;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (c == pairs[i][0] && next == pairs[i][1]) {
			lexer->pos += 2;
			return true;
		}
	if (is_one_of(c, "()[]{}.,:?!<>+-*/%")) {
		lexer->pos++;
		return true;
	}
	(void)kp_utf8_decode((struct kp_bytes){ lexer->source.data + lexer->pos,
				 lexer->source.len - lexer->pos },
	    &point);
	if (is_one_of(c, "&|="))
		return kp_cel_fault_set(lexer->fault, KP_CEL_FAULT_SYNTAX,
		    lexer->pos, "\"%c\" is no operator, \"%c%c\" is", c, c, c);
	return kp_cel_fault_set(lexer->fault, KP_CEL_FAULT_SYNTAX, lexer->pos,
	    "character U+%04X has no meaning here", point);
}

static bool
scan(struct kp_cel_lexer *lexer, enum kp_cel_token_kind *out)
{
	size_t prefix, start = lexer->pos;
	bool is_raw;
	int c = peek(lexer, 0);

	if (is_text_start(lexer, &prefix, &is_raw)) {
		*out = KP_CEL_T_TEXT;
		lexer->pos += prefix;
		return scan_text(lexer, start, is_raw);
	}
	if (is_letter(c)) {
		*out = KP_CEL_T_IDENT;
		while (is_letter(peek(lexer, 0)) || is_digit(peek(lexer, 0)))
			lexer->pos++;
		return true;
	}
	if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1))))
		return scan_number(lexer, out);
	if (c == '`') {
		*out = KP_CEL_T_QUOTED;
		return scan_quoted_name(lexer);
	}
	*out = KP_CEL_T_SIGN;
	return scan_sign(lexer);
}

bool
kp_cel_lexer_next(struct kp_cel_lexer *lexer, struct kp_cel_token *out)
{
	size_t start;

	skip_blanks(lexer);
	start = lexer->pos;
	*out = (struct kp_cel_token){ .kind = KP_CEL_T_END,
		.pos = (uint32_t)start,
		.text = { lexer->source.data + start, 0 } };
	if (start == lexer->source.len)
		return true;
	if (!scan(lexer, &out->kind))
		return false;
	out->text.len = lexer->pos - start;
	return true;
}
