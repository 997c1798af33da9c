/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the parser and the macros that it expands. */
#ifndef KP_RULES_CEL_PARSE_PRIV_H
#define KP_RULES_CEL_PARSE_PRIV_H

#include "rules/cel/lexer.h"
#include "rules/cel/syntax.h"

struct kp_cel_parser {
	struct kp_cel_lexer lexer;
	struct kp_cel_token token; /* the next one, not yet taken */
	struct kp_arena *arena;
	struct kp_cel_fault *fault;
	uint32_t nesting, num_nodes;
};

/* kp_cel_take_token goes to the next word. */
bool kp_cel_take_token(struct kp_cel_parser *parser) KP_MUST_CHECK;
bool kp_cel_is_sign(const struct kp_cel_parser *parser, const char *sign);

/* kp_cel_try_sign takes the sign if it is the next word. *out says whether. */
bool kp_cel_try_sign(
    struct kp_cel_parser *parser, const char *sign, bool *out) KP_MUST_CHECK;

/* kp_cel_need_sign takes it or says that what was expected. */
bool kp_cel_need_sign(struct kp_cel_parser *parser, const char *sign,
    const char *what) KP_MUST_CHECK;

/* kp_cel_expected: the next word is not what had to come. Returns false. */
bool kp_cel_expected(struct kp_cel_parser *parser, const char *what);

/* kp_cel_enter counts brackets; who entered takes one off nesting. */
bool kp_cel_enter(struct kp_cel_parser *parser) KP_MUST_CHECK;

/* Whole expressions, and operands: is_negative if a minus stood in front of a
 * number. NULL and the fault if there is none. */
struct kp_cel_node *kp_cel_parse_expression(struct kp_cel_parser *parser);
struct kp_cel_node *kp_cel_parse_member(
    struct kp_cel_parser *parser, bool is_negative);

/* Nodes of which it is not known yet how many there will be; in the arena. */
struct kp_cel_nodes {
	struct kp_cel_node **list;
	uint32_t num, capacity;
};

bool kp_cel_nodes_add(struct kp_cel_parser *parser, struct kp_cel_nodes *nodes,
    struct kp_cel_node *node) KP_MUST_CHECK;

/* kp_cel_node_new returns NULL and sets the fault at a limit. */
struct kp_cel_node *kp_cel_node_new(
    struct kp_cel_parser *parser, enum kp_cel_node_kind kind, uint32_t pos);

/* kp_cel_node_close gives node its parts; NULL and the fault if too deep. */
struct kp_cel_node *kp_cel_node_close(struct kp_cel_parser *parser,
    struct kp_cel_node *node, const struct kp_cel_nodes *parts);

/*
 * kp_cel_macro_expand replaces a call by what it stands for, if it is one of a
 * macro. NULL and the fault if it is one with wrong arguments.
 */
struct kp_cel_node *kp_cel_macro_expand(
    struct kp_cel_parser *parser, struct kp_cel_node *call);

#endif
