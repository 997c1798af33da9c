/* SPDX-License-Identifier: Apache-2.0 */
/* One pattern being read; code is made as it is read. */
#ifndef KP_RULES_REGEX_PARSE_PRIV_H
#define KP_RULES_REGEX_PARSE_PRIV_H

#include "rules/regex/class.h"
#include "rules/regex/parse.h"

/* Flags of the syntax. */
#define KP_REGEX_FOLDED 1u     /* i */
#define KP_REGEX_LINES 2u      /* m */
#define KP_REGEX_DOT_IS_ANY 4u /* s */
#define KP_REGEX_UNGREEDY 8u   /* U: no matter here */

struct kp_regex_parser {
	struct kp_bytes pattern;
	size_t pos;
	struct kp_regex_code *code;
	struct kp_regex_class class; /* of the character being read */
	unsigned flags;              /* of the syntax, where pos is */
	int depth;
	/* How often the last part read, or a part of it, is repeated. */
	uint32_t repeat;
	struct kp_bytes names[KP_REGEX_MAX_NAMES];
	size_t num_names;
};

bool kp_regex_is_at_end(const struct kp_regex_parser *parser);

/* The byte at pos + ahead, 0 behind the end. */
uint8_t kp_regex_peek(const struct kp_regex_parser *parser, size_t ahead);

bool kp_regex_starts(const struct kp_regex_parser *parser, const char *text);

/* kp_regex_syntax is kp_regex_fail for a pattern that is none. */
bool kp_regex_syntax(
    struct kp_regex_parser *parser, size_t pos, const char *text);

/* kp_regex_read_point reads a character as it stands. */
bool kp_regex_read_point(
    struct kp_regex_parser *parser, uint32_t *out) KP_MUST_CHECK;

/* kp_regex_read_escape reads one behind a backslash, which is at pos. */
bool kp_regex_read_escape(
    struct kp_regex_parser *parser, uint32_t *out) KP_MUST_CHECK;

/* kp_regex_read_class reads from the "[" at pos on into parser->class. */
bool kp_regex_read_class(struct kp_regex_parser *parser) KP_MUST_CHECK;

/* kp_regex_read_group_class adds what "\d" or "[:alpha:]" at pos stands for.
 * False without a fault (code->failed) if there is no such thing. */
bool kp_regex_read_group_class(struct kp_regex_parser *parser) KP_MUST_CHECK;

/* kp_regex_add_points adds a range of characters as the pattern names it. */
bool kp_regex_add_points(
    struct kp_regex_parser *parser, uint32_t low, uint32_t high) KP_MUST_CHECK;

/* kp_regex_open reads what stands behind the "(" at pos. *out_is_group: a part
 * follows, and ")"; else the flags hold from here on. */
bool kp_regex_open(
    struct kp_regex_parser *parser, bool *out_is_group) KP_MUST_CHECK;

#endif
