/* SPDX-License-Identifier: Apache-2.0 */
/* Characters and classes of them, as a pattern writes them. */
#include <string.h>

#include "base/utf8.h"
#include "rules/regex/parse_priv.h"

static bool
is_letter_or_digit(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
kp_regex_read_point(struct kp_regex_parser *parser, uint32_t *out)
{
	size_t len = kp_utf8_decode(
	    (struct kp_bytes){ parser->pattern.data + parser->pos,
		parser->pattern.len - parser->pos },
	    out);

	if (len == 0)
		return kp_regex_syntax(
		    parser, parser->pos, "the pattern is not in UTF-8");
	parser->pos += len;
	return true;
}

/* \x7f and \x{10ffff}, behind the x. */
static bool
read_hex(struct kp_regex_parser *parser, size_t start, uint32_t *out)
{
	bool is_long = kp_regex_peek(parser, 0) == '{';
	size_t num = 0;

	*out = 0;
	parser->pos += is_long;
	while (is_long || num < 2) {
		int digit = hex_digit(kp_regex_peek(parser, 0));

		if (digit < 0)
			break;
		*out = *out * 16 + (uint32_t)digit;
		if (*out > KP_REGEX_LAST_POINT)
			break;
		parser->pos++;
		num++;
	}
	if (is_long && num > 0 && kp_regex_peek(parser, 0) == '}')
		parser->pos++;
	else if (is_long || num < 2)
		return kp_regex_syntax(parser, start,
		    "expected \\x7F or \\x{10FFFF}: two digits, or braces");
	return true;
}

/* Up to three octal digits. */
static void
read_octal(struct kp_regex_parser *parser, uint32_t *out)
{
	*out = 0;
	for (int i = 0; i < 3; i++) {
		uint8_t c = kp_regex_peek(parser, 0);

		if (c < '0' || c > '7')
			return;
		*out = *out * 8 + (c - '0');
		parser->pos++;
	}
}

/* Says why an escape is none. */
static bool
refuse_escape(struct kp_regex_parser *parser, size_t start, uint8_t c)
{
	if (c == 'p' || c == 'P')
		return kp_regex_syntax(parser, start,
		    "classes of Unicode (\\p) are not known here: name ranges, "
		    "such as [\\x{400}-\\x{4FF}]");
	if ((c >= '1' && c <= '9') || c == 'k' || c == 'g')
		return kp_regex_syntax(parser, start,
		    "a pattern cannot refer back to a group: that cannot be "
		    "matched in bounded time");
	if (c == 'C')
		return kp_regex_syntax(parser, start,
		    "\\C is not known here: a text has characters, not bytes");
	return kp_regex_syntax(parser, start,
	    "there is no such escape: a backslash stands before punctuation "
	    "or one of its letters");
}

bool
kp_regex_read_escape(struct kp_regex_parser *parser, uint32_t *out)
{
	static const char letters[] = "afnrtv", bytes[] = "\a\f\n\r\t\v";
	size_t start = parser->pos++;
	uint8_t c = kp_regex_peek(parser, 0), next = kp_regex_peek(parser, 1);
	const char *letter = c == '\0' ? NULL : strchr(letters, c);

	if (kp_regex_is_at_end(parser))
		return kp_regex_syntax(
		    parser, start, "a backslash at the end of the pattern");
	if (c == '0' || (c >= '1' && c <= '7' && next >= '0' && next <= '7')) {
		read_octal(parser, out);
		return true;
	}
	if (c == 'x') {
		parser->pos++;
		return read_hex(parser, start, out);
	}
	if (letter == NULL && (c >= 0x80 || is_letter_or_digit(c)))
		return refuse_escape(parser, start, c);
	*out = letter == NULL ? c : (uint8_t)bytes[letter - letters];
	parser->pos++;
	return true;
}

bool
kp_regex_add_points(struct kp_regex_parser *parser, uint32_t low, uint32_t high)
{
	struct kp_regex_class *class = &parser->class;
	uint32_t first = class->num;

	if ((parser->flags & KP_REGEX_FOLDED) && high >= 0x80 &&
	    (low > 0x80 || high < KP_REGEX_LAST_POINT))
		return kp_regex_syntax(parser, parser->code->pos,
		    "(?i) knows the letters of ASCII only: name characters "
		    "beyond it outside of (?i)");
	kp_regex_class_add(class, low, high);
	if (parser->flags & KP_REGEX_FOLDED)
		kp_regex_class_fold(class, first);
	return true;
}

/* "[:name:]" or "[:^name:]" at pos, if it ends at all. */
static bool
read_posix(struct kp_regex_parser *parser)
{
	const uint8_t *text = parser->pattern.data + parser->pos + 2;
	size_t left = parser->pattern.len - parser->pos - 2;
	const uint8_t *end = memmem(text, left, ":]", 2);
	bool is_negated = left > 0 && *text == '^';
	struct kp_bytes name = { text + is_negated, 0 };

	if (end == NULL)
		return false;
	if (end > name.data)
		name.len = (size_t)(end - name.data);
	if (name.len < 2 ||
	    !kp_regex_class_add_named(&parser->class, name, is_negated,
		(parser->flags & KP_REGEX_FOLDED) != 0))
		return kp_regex_syntax(parser, parser->pos,
		    "there is no such class: [:alpha:], [:digit:], [:alnum:] "
		    "are some");
	parser->pos = (size_t)(end + 2 - parser->pattern.data);
	return true;
}

bool
kp_regex_read_group_class(struct kp_regex_parser *parser)
{
	uint8_t c = kp_regex_peek(parser, 1), small = c | 0x20;
	struct kp_bytes name = { &small, 1 };

	if (kp_regex_starts(parser, "[:"))
		return read_posix(parser);
	if (kp_regex_peek(parser, 0) != '\\' ||
	    (small != 'd' && small != 's' && small != 'w'))
		return false;
	if (!kp_regex_class_add_named(&parser->class, name, c != small,
		(parser->flags & KP_REGEX_FOLDED) != 0))
		return false;
	parser->pos += 2;
	return true;
}

static bool
read_class_point(struct kp_regex_parser *parser, uint32_t *out)
{
	if (kp_regex_peek(parser, 0) == '\\')
		return kp_regex_read_escape(parser, out);
	return kp_regex_read_point(parser, out);
}

/* A character or a range of them. */
static bool
read_class_range(struct kp_regex_parser *parser)
{
	size_t start = parser->pos;
	uint32_t low = 0, high;
	uint8_t next;

	if (!read_class_point(parser, &low))
		return false;
	high = low;
	next = kp_regex_peek(parser, 1);
	if (kp_regex_peek(parser, 0) == '-' && next != ']' &&
	    parser->pos + 1 < parser->pattern.len) {
		parser->pos++;
		if (!read_class_point(parser, &high))
			return false;
	}
	if (high < low)
		return kp_regex_syntax(
		    parser, start, "the range ends before it begins");
	parser->code->pos = (uint32_t)start;
	return kp_regex_add_points(parser, low, high);
}

bool
kp_regex_read_class(struct kp_regex_parser *parser)
{
	size_t start = parser->pos++;
	bool is_negated = kp_regex_peek(parser, 0) == '^', is_first = true;

	parser->class.num = 0;
	parser->pos += is_negated;
	while (is_first || kp_regex_peek(parser, 0) != ']') {
		is_first = false;
		if (kp_regex_is_at_end(parser))
			return kp_regex_syntax(
			    parser, start, "the class has no \"]\"");
		if (kp_regex_read_group_class(parser))
			continue;
		if (parser->code->failed || !read_class_range(parser))
			return false;
	}
	parser->pos++;
	parser->code->pos = (uint32_t)start;
	if (is_negated)
		kp_regex_class_negate(&parser->class);
	return true;
}
