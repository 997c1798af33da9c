/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and texts as they are written. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "rules/cel/lexer.h"

#define MAX_NUMBER_LEN 400

static bool
refuse(const struct kp_cel_token *token, size_t offset, const char *text,
    struct kp_cel_fault *fault)
{
	return kp_cel_fault_set(
	    fault, KP_CEL_FAULT_SYNTAX, token->pos + offset, "%s", text);
}

static uint32_t
digit_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - (uint32_t)'0';
	if (c >= 'a' && c <= 'f')
		return c - (uint32_t)'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - (uint32_t)'A' + 10;
	return UINT32_MAX;
}

/* Decimal, or hexadecimal after "0x". False if it does not fit. */
static bool
read_natural(struct kp_bytes text, uint64_t *out)
{
	bool is_hex = text.len > 1 && (text.data[1] | 0x20) == 'x';
	uint32_t base = is_hex ? 16 : 10;

	*out = 0;
	for (size_t i = is_hex ? 2 : 0; i < text.len; i++)
		if (__builtin_mul_overflow(*out, base, out) ||
		    __builtin_add_overflow(*out, digit_of(text.data[i]), out))
			return false;
	return text.len > (is_hex ? 2u : 0u);
}

static bool
read_int(const struct kp_cel_token *token, bool is_negative,
    struct kp_cel_value *out, struct kp_cel_fault *fault)
{
	uint64_t number, max = (uint64_t)INT64_MAX + is_negative;

	if (!read_natural(token->text, &number) || number > max)
		return refuse(token, 0,
		    "this number is no int: it has more than 64 bits, or no "
		    "digits",
		    fault);
	*out = kp_cel_int((int64_t)(is_negative ? 0 - number : number));
	return true;
}

static bool
read_uint(const struct kp_cel_token *token, bool is_negative,
    struct kp_cel_value *out, struct kp_cel_fault *fault)
{
	struct kp_bytes digits = { token->text.data, token->text.len - 1 };
	uint64_t number;

	if (is_negative)
		return refuse(token, 0, "a uint cannot be negative", fault);
	if (!read_natural(digits, &number))
		return refuse(token, 0,
		    "this number is no uint: it has more than 64 bits, or no "
		    "digits",
		    fault);
	*out = kp_cel_uint(number);
	return true;
}

static bool
read_double(const struct kp_cel_token *token, bool is_negative,
    struct kp_cel_value *out, struct kp_cel_fault *fault)
{
	char text[MAX_NUMBER_LEN + 1];
	double number;

	if (token->text.len > MAX_NUMBER_LEN)
		return refuse(token, 0, "this number is too long", fault);
	kp_copy(text, token->text.data, token->text.len);
	text[token->text.len] = '\0';
	number = strtod(text, NULL);
	if (isinf(number))
		return refuse(token, 0, "this number is no double", fault);
	*out = kp_cel_double(is_negative ? -number : number);
	return true;
}

/* A text while it is read: what is left of it, and what came out so far. */
struct text {
	const struct kp_cel_token *token;
	struct kp_cel_fault *fault;
	struct kp_bytes rest;
	uint8_t *out;
	size_t len;
	bool is_bytes, is_raw;
};

static bool
refuse_escape(const struct text *text, const char *what)
{
	return refuse(text->token,
	    (size_t)(text->rest.data - text->token->text.data), what,
	    text->fault);
}

static void
skip(struct text *text, size_t len)
{
	text->rest.data += len;
	text->rest.len -= len;
}

/* Digits of an escape, at offset behind its backslash. */
static bool
read_escape_digits(const struct text *text, size_t offset, size_t num,
    uint32_t base, uint32_t *out)
{
	*out = 0;
	if (text->rest.len < offset + num)
		return false;
	for (size_t i = offset; i < offset + num; i++) {
		uint32_t digit = digit_of(text->rest.data[i]);

		if (digit >= base)
			return false;
		*out = *out * base + digit;
	}
	return true;
}

/* A number of an escape is a character, or in bytes a byte: neither two
 * hexadecimal digits nor \377 are more. */
static bool
put_number(struct text *text, uint32_t number)
{
	size_t len;

	if (text->is_bytes) {
		text->out[text->len++] = (uint8_t)number;
		return true;
	}
	len = kp_utf8_encode(number, text->out + text->len);
	if (len == 0)
		return refuse_escape(text, "no character has this number");
	text->len += len;
	return true;
}

static bool
read_numeric_escape(struct text *text, uint8_t c)
{
	size_t offset = 2, num = 2;
	uint32_t number, base = 16;

	if (c >= '0' && c <= '3') {
		offset = 1;
		num = 3;
		base = 8;
	} else if (c == 'u' || c == 'U') {
		num = c == 'u' ? 4 : 8;
		if (text->is_bytes)
			return refuse_escape(text,
			    "\\u and \\U are for strings, bytes have \\x");
	} else if (c != 'x' && c != 'X') {
		return refuse_escape(
		    text, "no escape; a backslash itself is written as \\\\");
	}
	if (!read_escape_digits(text, offset, num, base, &number))
		return refuse_escape(text,
		    "this escape has \\x and two, \\u and four or \\U and "
		    "eight hexadecimal digits, or three octal ones up to "
		    "\\377");
	if (!put_number(text, number))
		return false;
	skip(text, offset + num);
	return true;
}

static bool
read_escape(struct text *text)
{
	static const char names[] = "abfnrtv\\?\"'`";
	static const char meanings[] = "\a\b\f\n\r\t\v\\?\"'`";
	uint8_t c = text->rest.len > 1 ? text->rest.data[1] : 0;
	const char *name = c == 0 ? NULL : strchr(names, c);

	if (name == NULL)
		return read_numeric_escape(text, c);
	text->out[text->len++] = (uint8_t)meanings[name - names];
	skip(text, 2);
	return true;
}

/* One character. Any end of a line is "\n". */
static bool
read_character(struct text *text)
{
	uint8_t c = text->rest.data[0];

	if (c == '\\' && !text->is_raw)
		return read_escape(text);
	skip(text, 1);
	if (c == '\r') {
		c = '\n';
		if (text->rest.len > 0 && text->rest.data[0] == '\n')
			skip(text, 1);
	}
	text->out[text->len++] = c;
	return true;
}

/* Takes prefix and quotes off. */
static void
unwrap(struct text *text)
{
	const uint8_t *data;
	size_t quotes;

	text->is_bytes = (text->rest.data[0] | 0x20) == 'b';
	skip(text, text->is_bytes);
	text->is_raw = (text->rest.data[0] | 0x20) == 'r';
	skip(text, text->is_raw);
	data = text->rest.data;
	quotes = text->rest.len >= 6 && data[1] == data[0] && data[2] == data[0]
		     ? 3
		     : 1;
	skip(text, quotes);
	text->rest.len -= quotes;
}

static bool
read_text(const struct kp_cel_token *token, struct kp_arena *arena,
    struct kp_cel_value *out, struct kp_cel_fault *fault)
{
	struct text text = {
		.token = token, .fault = fault, .rest = token->text
	};
	struct kp_bytes bytes;

	unwrap(&text);
	/* No escape is shorter than what it stands for. */
	text.out = kp_arena_get(arena, text.rest.len + 4, 1);
	if (text.out == NULL)
		return kp_cel_fault_set(fault, KP_CEL_FAULT_LIMIT, token->pos,
		    "the expression needs too much memory");
	while (text.rest.len > 0)
		if (!read_character(&text))
			return false;
	bytes = (struct kp_bytes){ text.out, text.len };
	*out = text.is_bytes ? kp_cel_bytes(bytes) : kp_cel_string(bytes);
	return true;
}

bool
kp_cel_literal(const struct kp_cel_token *token, bool is_negative,
    struct kp_arena *arena, struct kp_cel_value *out,
    struct kp_cel_fault *fault)
{
	if (token->kind == KP_CEL_T_INT)
		return read_int(token, is_negative, out, fault);
	if (token->kind == KP_CEL_T_UINT)
		return read_uint(token, is_negative, out, fault);
	if (token->kind == KP_CEL_T_DOUBLE)
		return read_double(token, is_negative, out, fault);
	return read_text(token, arena, out, fault);
}
