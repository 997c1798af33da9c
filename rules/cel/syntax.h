/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The syntax tree of an expression, macros already expanded: a loop is a node
 * of its own. The tree is as deep as KP_CEL_MAX_DEPTH at most, so that whoever
 * walks it may recurse. @thread any
 */
#ifndef KP_RULES_CEL_SYNTAX_H
#define KP_RULES_CEL_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "rules/cel/source.h"
#include "rules/cel/value.h"

/* Bytes of an expression, nodes of its tree, and how deep it is. */
#define KP_CEL_MAX_SOURCE_LEN 32768
#define KP_CEL_MAX_NODES 8192
#define KP_CEL_MAX_DEPTH 200
/* Calls, brackets and parentheses inside each other. */
#define KP_CEL_MAX_NESTING 64
/* Arguments of a call, its receiver among them. */
#define KP_CEL_MAX_ARGS 16
/* Elements of one list, entries of one map, operands of "&&" and "||". */
#define KP_CEL_MAX_ELEMENTS 4096

enum kp_cel_node_kind {
	KP_CEL_CONSTANT,    /* constant */
	KP_CEL_IDENT,       /* name; is_absolute: ".name" */
	KP_CEL_SELECT,      /* args[0].name, or has() of it, or args[0].?name */
	KP_CEL_INDEX,       /* args[0][args[1]], or [?...] */
	KP_CEL_CALL,        /* name(args), or args[0].name(args[1]...) */
	KP_CEL_LIST_OF,     /* [args...] */
	KP_CEL_MAP_OF,      /* {args[0]: args[1], ...} */
	KP_CEL_MAYBE,       /* ?args[0], an element or the value of an entry */
	KP_CEL_NOT,         /* !args[0] */
	KP_CEL_NEGATE,      /* -args[0] */
	KP_CEL_BINARY,      /* args[0] operator args[1] */
	KP_CEL_AND,         /* args[0] && ..., two or more */
	KP_CEL_OR,          /* args[0] || ..., two or more */
	KP_CEL_CONDITIONAL, /* args[0] ? args[1] : args[2] */
	KP_CEL_LOOP,        /* over args[0]; see enum kp_cel_loop */
};

enum kp_cel_operator {
	KP_CEL_EQUALS,
	KP_CEL_DIFFERS,
	KP_CEL_BELOW,
	KP_CEL_AT_MOST,
	KP_CEL_ABOVE,
	KP_CEL_AT_LEAST,
	KP_CEL_IN,
	KP_CEL_ADD,
	KP_CEL_SUBTRACT,
	KP_CEL_MULTIPLY,
	KP_CEL_DIVIDE,
	KP_CEL_REMAINDER,
};

/* For each element, args[1] is the body and args[2] a filter or NULL. */
enum kp_cel_loop {
	KP_CEL_ALL,
	KP_CEL_EXISTS,
	KP_CEL_EXISTS_ONE,
	KP_CEL_TO_LIST,    /* map, filter, transformList */
	KP_CEL_TO_MAP,     /* transformMap */
	KP_CEL_TO_ENTRIES, /* transformMapEntry */
	KP_CEL_BIND,       /* cel.bind: over the one value args[0] */
	KP_CEL_OPT_MAP,    /* over none or the one value of an optional */
	KP_CEL_OPT_FLAT_MAP,
};

struct kp_cel_function;
struct kp_regex;

struct kp_cel_node {
	enum kp_cel_node_kind kind;
	uint32_t pos;   /* where a fault of this node is shown */
	uint32_t depth; /* 1 + that of its deepest part */
	uint32_t num_args;
	struct kp_cel_node **args;
	struct kp_bytes name;
	struct kp_cel_value constant;
	enum kp_cel_operator operation;
	enum kp_cel_loop loop;
	struct kp_bytes variables[2]; /* of a LOOP: names, one or two */
	uint32_t num_variables;
	bool is_absolute, is_member, is_test, is_optional;
	/* Filled by kp_cel_program: what names stand for. */
	int32_t slot;
	const struct kp_cel_function *function;
	const struct kp_regex *regex; /* of matches() with a known pattern */
};

/*
 * kp_cel_parse returns the tree, in arena and with names and texts that are
 * borrowed from source or arena; NULL and *fault if there is none. A text that
 * is no UTF-8 is refused.
 */
struct kp_cel_node *kp_cel_parse(
    struct kp_bytes source, struct kp_arena *arena, struct kp_cel_fault *fault);

#endif
