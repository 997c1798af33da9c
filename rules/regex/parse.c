/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a pattern from left to right and makes its code on the way: there is no
 * tree. What repeats or chooses between parts is put in front of their code.
 */
#include "rules/regex/parse.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "rules/regex/parse_priv.h"

static bool parse_choice(struct kp_regex_parser *parser);

bool
kp_regex_is_at_end(const struct kp_regex_parser *parser)
{
	return parser->pos >= parser->pattern.len;
}

uint8_t
kp_regex_peek(const struct kp_regex_parser *parser, size_t ahead)
{
	if (ahead >= parser->pattern.len - parser->pos)
		return 0;
	return parser->pattern.data[parser->pos + ahead];
}

bool
kp_regex_starts(const struct kp_regex_parser *parser, const char *text)
{
	size_t len = strlen(text);

	return len <= parser->pattern.len - parser->pos &&
	       memcmp(parser->pattern.data + parser->pos, text, len) == 0;
}

bool
kp_regex_syntax(struct kp_regex_parser *parser, size_t pos, const char *text)
{
	return kp_regex_fail(
	    parser->code, KP_REGEX_FAULT_SYNTAX, pos, "%s", text);
}

/* One character that stands for itself. */
static bool
emit_point(struct kp_regex_parser *parser, uint32_t point)
{
	parser->class.num = 0;
	return kp_regex_add_points(parser, point, point) &&
	       kp_regex_class_emit(&parser->class, parser->code);
}

static bool
emit_test(struct kp_regex_parser *parser, uint8_t condition)
{
	return kp_regex_add(
	    parser->code, (struct kp_regex_instruction){
			      .op = KP_REGEX_TEST, .low = condition });
}

static bool
parse_dot(struct kp_regex_parser *parser)
{
	parser->pos++;
	parser->class.num = 0;
	if (!(parser->flags & KP_REGEX_DOT_IS_ANY))
		kp_regex_class_add(&parser->class, '\n', '\n');
	kp_regex_class_negate(&parser->class);
	return kp_regex_class_emit(&parser->class, parser->code);
}

/* "^" and "$". */
static bool
parse_edge(struct kp_regex_parser *parser)
{
	bool is_begin = kp_regex_peek(parser, 0) == '^';

	parser->pos++;
	if (parser->flags & KP_REGEX_LINES)
		return emit_test(
		    parser, is_begin ? KP_REGEX_LINE_BEGIN : KP_REGEX_LINE_END);
	return emit_test(
	    parser, is_begin ? KP_REGEX_TEXT_BEGIN : KP_REGEX_TEXT_END);
}

/* \Q...\E; *item is where the code of its last character begins. */
static bool
parse_quoted(struct kp_regex_parser *parser, uint32_t *item)
{
	uint32_t point;

	parser->pos += 2;
	while (!kp_regex_is_at_end(parser)) {
		if (kp_regex_starts(parser, "\\E")) {
			parser->pos += 2;
			break;
		}
		*item = parser->code->num;
		parser->code->pos = (uint32_t)parser->pos;
		if (!kp_regex_read_point(parser, &point) ||
		    !emit_point(parser, point))
			return false;
	}
	return true;
}

static bool
parse_escape(struct kp_regex_parser *parser)
{
	uint32_t point;
	uint8_t condition = 0;

	switch (kp_regex_peek(parser, 1)) {
	case 'A':
		condition = KP_REGEX_TEXT_BEGIN;
		break;
	case 'z':
		condition = KP_REGEX_TEXT_END;
		break;
	case 'b':
		condition = KP_REGEX_WORD_EDGE;
		break;
	case 'B':
		condition = KP_REGEX_NO_WORD_EDGE;
		break;
	default:
		break;
	}
	if (condition != 0) {
		parser->pos += 2;
		return emit_test(parser, condition);
	}
	parser->class.num = 0;
	if (kp_regex_read_group_class(parser))
		return kp_regex_class_emit(&parser->class, parser->code);
	return kp_regex_read_escape(parser, &point) &&
	       emit_point(parser, point);
}

/* "(" at pos. Flags alone leave *item as it is: they are nothing to repeat. */
static bool
parse_group(struct kp_regex_parser *parser, uint32_t *item)
{
	unsigned flags = parser->flags;
	size_t start = parser->pos;
	uint32_t code_start = parser->code->num;
	bool is_group;

	if (!kp_regex_open(parser, &is_group))
		return false;
	if (!is_group)
		return true;
	if (parser->depth == KP_REGEX_MAX_DEPTH)
		return kp_regex_fail(parser->code, KP_REGEX_FAULT_LIMIT, start,
		    "more than %d groups inside each other",
		    KP_REGEX_MAX_DEPTH);
	parser->depth++;
	if (!parse_choice(parser))
		return false;
	parser->depth--;
	if (kp_regex_peek(parser, 0) != ')')
		return kp_regex_syntax(parser, start, "the \"(\" has no \")\"");
	parser->pos++;
	parser->flags = flags;
	*item = code_start;
	return true;
}

/* Anything that can be repeated. */
static bool
parse_item(struct kp_regex_parser *parser, uint32_t *item)
{
	uint8_t c = kp_regex_peek(parser, 0);
	uint32_t point;

	parser->code->pos = (uint32_t)parser->pos;
	if (kp_regex_starts(parser, "\\Q"))
		return parse_quoted(parser, item);
	if (c == '(')
		return parse_group(parser, item);
	*item = parser->code->num;
	if (c == '\\')
		return parse_escape(parser);
	if (c == '^' || c == '$')
		return parse_edge(parser);
	if (c == '.')
		return parse_dot(parser);
	if (c == '[')
		return kp_regex_read_class(parser) &&
		       kp_regex_class_emit(&parser->class, parser->code);
	return kp_regex_read_point(parser, &point) && emit_point(parser, point);
}

/* Digits as a number, without zeros in front; false if there is none. */
static bool
read_count(struct kp_regex_parser *parser, size_t *at, uint32_t *out)
{
	size_t start = *at;
	uint8_t c = kp_regex_peek(parser, *at);

	*out = 0;
	for (; c >= '0' && c <= '9'; c = kp_regex_peek(parser, ++*at))
		if (*out <= KP_REGEX_MAX_REPEAT)
			*out = *out * 10 + (c - '0');
	return *at > start &&
	       (kp_regex_peek(parser, start) != '0' || *at == start + 1);
}

/* "{2}", "{2,}", "{2,3}" at pos; all else is text. */
static bool
read_braces(struct kp_regex_parser *parser, uint32_t *min, uint32_t *max)
{
	size_t at = 1;

	if (kp_regex_peek(parser, 0) != '{' || !read_count(parser, &at, min))
		return false;
	*max = *min;
	if (kp_regex_peek(parser, at) == ',') {
		at++;
		*max = KP_REGEX_NO_MAX;
		if (kp_regex_peek(parser, at) != '}' &&
		    !read_count(parser, &at, max))
			return false;
	}
	if (kp_regex_peek(parser, at) != '}')
		return false;
	parser->pos += at + 1;
	return true;
}

/* An operator that repeats, if there is one at pos. */
static bool
read_repeat(struct kp_regex_parser *parser, uint32_t *min, uint32_t *max)
{
	uint8_t c = kp_regex_peek(parser, 0);

	if (c != '*' && c != '+' && c != '?')
		return read_braces(parser, min, max);
	*min = c == '+';
	*max = c == '?' ? 1 : KP_REGEX_NO_MAX;
	parser->pos++;
	return true;
}

/* The product of what is repeated inside of what is repeated: as RE2 counts it,
 * "*" and "+" are no counts. */
static uint32_t
multiply(uint32_t inner, uint32_t min, uint32_t max)
{
	uint32_t own = max == KP_REGEX_NO_MAX ? min : max;

	if (max == 0)
		return 1;
	return own > 0 ? inner * own : inner;
}

static bool
check_counts(
    struct kp_regex_parser *parser, size_t start, uint32_t min, uint32_t max)
{
	if (min > KP_REGEX_MAX_REPEAT ||
	    (max > KP_REGEX_MAX_REPEAT && max != KP_REGEX_NO_MAX))
		return kp_regex_syntax(
		    parser, start, "nothing is repeated more than 1000 times");
	if (max < min)
		return kp_regex_syntax(
		    parser, start, "the repetition ends before it begins");
	parser->repeat = multiply(parser->repeat, min, max);
	if (parser->repeat > KP_REGEX_MAX_REPEAT)
		return kp_regex_syntax(parser, start,
		    "nothing is repeated more than 1000 times, repetitions "
		    "inside it multiplied");
	return true;
}

/* What follows an item: at most one operator, which may end with "?". */
static bool
parse_repeat(struct kp_regex_parser *parser, bool has_item, uint32_t item)
{
	size_t start = parser->pos;
	uint32_t min, max;

	if (!read_repeat(parser, &min, &max))
		return true;
	if (!check_counts(parser, start, min, max))
		return false;
	if (!has_item)
		return kp_regex_syntax(
		    parser, start, "there is nothing in front to repeat");
	if (kp_regex_peek(parser, 0) == '?')
		parser->pos++;
	parser->code->pos = (uint32_t)start;
	if (!kp_regex_repeat(parser->code, item, min, max))
		return false;
	start = parser->pos;
	if (read_repeat(parser, &min, &max))
		return kp_regex_syntax(parser, start,
		    "a repetition is repeated: put it into a group");
	return true;
}

/* Items up to "|", ")" or the end. */
static bool
parse_items(struct kp_regex_parser *parser)
{
	uint32_t no_item = UINT32_MAX, item = no_item, repeat = 1;

	parser->repeat = 1;
	if (!parse_repeat(parser, false, 0))
		return false;
	while (!kp_regex_is_at_end(parser)) {
		uint8_t c = kp_regex_peek(parser, 0);
		uint32_t found = no_item, last = parser->repeat;

		if (c == '|' || c == ')')
			break;
		parser->repeat = 1;
		if (!parse_item(parser, &found))
			return false;
		if (found == no_item)
			parser->repeat = last;
		else
			item = found;
		if (!parse_repeat(parser, item != no_item, item))
			return false;
		if (parser->repeat > repeat)
			repeat = parser->repeat;
	}
	parser->repeat = repeat;
	return true;
}

/* Jumps behind the choice; until its end is known, next has the one before. */
static void
join(struct kp_regex_code *code, int32_t last)
{
	while (last >= 0) {
		int32_t before = code->list[last].next;

		code->list[last].next = (int32_t)code->num - last;
		last = before;
	}
}

static bool
parse_choice(struct kp_regex_parser *parser)
{
	struct kp_regex_code *code = parser->code;
	uint32_t start = code->num, repeat = 1;
	int32_t last = -1;

	for (;;) {
		if (!parse_items(parser))
			return false;
		if (parser->repeat > repeat)
			repeat = parser->repeat;
		parser->repeat = repeat;
		if (kp_regex_peek(parser, 0) != '|')
			break;
		parser->pos++;
		if (!kp_regex_insert(code, start,
			(struct kp_regex_instruction){ .op = KP_REGEX_FORK,
			    .next = (int32_t)(code->num - start) + 2 }) ||
		    !kp_regex_add(
			code, (struct kp_regex_instruction){
				  .op = KP_REGEX_JUMP, .next = last }))
			return false;
		last = (int32_t)code->num - 1;
		start = code->num;
	}
	join(code, last);
	return true;
}

bool
kp_regex_parse(struct kp_bytes pattern, struct kp_regex_code *code)
{
	struct kp_regex_parser *parser;
	bool ok;

	if (pattern.len > KP_REGEX_MAX_PATTERN_LEN)
		return kp_regex_fail(code, KP_REGEX_FAULT_LIMIT, 0,
		    "the pattern is longer than %d bytes",
		    KP_REGEX_MAX_PATTERN_LEN);
	parser = kp_try_alloc(sizeof(*parser));
	if (parser == NULL)
		return kp_regex_fail(code, KP_REGEX_FAULT_MEMORY, 0,
		    "there is no memory for the pattern");
	parser->pattern = pattern;
	parser->code = code;
	parser->pos = parser->num_names = 0;
	parser->flags = 0;
	parser->depth = 0;
	parser->class.num = 0;
	parser->class.failed = false;
	ok = parse_choice(parser);
	if (ok && !kp_regex_is_at_end(parser))
		ok = kp_regex_syntax(
		    parser, parser->pos, "the \")\" has no \"(\"");
	free(parser);
	return ok;
}
