/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind "(": names, flags, and what RE2 does not have. */
#include <string.h>

#include "rules/regex/parse_priv.h"

static bool
is_of_name(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || c == '_';
}

static bool
read_name(struct kp_regex_parser *parser, size_t start)
{
	struct kp_bytes name = { parser->pattern.data + parser->pos, 0 };

	while (is_of_name(kp_regex_peek(parser, name.len)))
		name.len++;
	if (name.len == 0 || kp_regex_peek(parser, name.len) != '>')
		return kp_regex_syntax(parser, start,
		    "the name of a group has letters, digits and \"_\", and "
		    "ends with \">\"");
	parser->pos += name.len + 1;
	for (size_t i = 0; i < parser->num_names; i++)
		if (kp_bytes_equal(name, parser->names[i]))
			return kp_regex_syntax(
			    parser, start, "two groups have the same name");
	if (parser->num_names == KP_REGEX_MAX_NAMES)
		return kp_regex_fail(parser->code, KP_REGEX_FAULT_LIMIT, start,
		    "more than %d groups have names", KP_REGEX_MAX_NAMES);
	parser->names[parser->num_names++] = name;
	return true;
}

static unsigned
flag_of(uint8_t c)
{
	switch (c) {
	case 'i':
		return KP_REGEX_FOLDED;
	case 'm':
		return KP_REGEX_LINES;
	case 's':
		return KP_REGEX_DOT_IS_ANY;
	case 'U':
		return KP_REGEX_UNGREEDY;
	default:
		return 0;
	}
}

/* "i-s:" or "i-s)", behind "(?". */
static bool
read_flags(struct kp_regex_parser *parser, size_t start, bool *out_is_group)
{
	bool is_negative = false, is_missing = false;
	unsigned flag;
	uint8_t c;

	for (;; parser->pos++) {
		c = kp_regex_peek(parser, 0);
		flag = flag_of(c);
		if (flag == 0 && (c != '-' || is_negative))
			break;
		is_missing = flag == 0;
		is_negative = is_negative || flag == 0;
		parser->flags =
		    is_negative ? parser->flags & ~flag : parser->flags | flag;
	}
	if (is_missing || (c != ':' && c != ')'))
		return kp_regex_syntax(parser, start,
		    "expected flags of \"imsU\" behind \"(?\", then \":\" or "
		    "\")\"");
	parser->pos++;
	*out_is_group = c == ':';
	return true;
}

bool
kp_regex_open(struct kp_regex_parser *parser, bool *out_is_group)
{
	static const char *const around[] = { "?=", "?!", "?<=", "?<!" };
	size_t start = parser->pos++;

	*out_is_group = true;
	if (!kp_regex_starts(parser, "?"))
		return true;
	for (size_t i = 0; i < sizeof(around) / sizeof(*around); i++)
		if (kp_regex_starts(parser, around[i]))
			return kp_regex_syntax(parser, start,
			    "a pattern cannot look around: that cannot be "
			    "matched in bounded time");
	if (kp_regex_starts(parser, "?P=") || kp_regex_starts(parser, "?P>"))
		return kp_regex_syntax(parser, start,
		    "a pattern cannot refer to a group: that cannot be matched "
		    "in bounded time");
	if (kp_regex_starts(parser, "?P<") || kp_regex_starts(parser, "?<")) {
		parser->pos += kp_regex_peek(parser, 1) == 'P' ? 3 : 2;
		return read_name(parser, start);
	}
	parser->pos++;
	return read_flags(parser, start, out_is_group);
}
