/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recursive descent. Chains of operators are loops, so that the stack is as
 * deep as brackets are nested, which is limited.
 */
#include "rules/cel/parse_priv.h"

#include "base/utf8.h"

static bool
is_text(struct kp_bytes bytes, const char *text)
{
	return kp_bytes_equal(bytes, kp_bytes_of(text));
}

/* Two of the same cancel each other only for what they are meant for, so one
 * pair is kept. */
static struct kp_cel_node *
wrap(struct kp_cel_parser *p, enum kp_cel_node_kind kind, uint32_t pos,
    uint32_t times, struct kp_cel_node *node)
{
	if (times > 2)
		times = 2 - times % 2;
	while (times-- > 0 && node != NULL) {
		struct kp_cel_nodes parts = { &node, 1, 1 };

		node =
		    kp_cel_node_close(p, kp_cel_node_new(p, kind, pos), &parts);
	}
	return node;
}

static bool
is_number(const struct kp_cel_token *token)
{
	return token->kind == KP_CEL_T_INT || token->kind == KP_CEL_T_UINT ||
	       token->kind == KP_CEL_T_DOUBLE;
}

/* "!" and "-" in front, each as often as it likes, but not mixed. */
static struct kp_cel_node *
parse_unary(struct kp_cel_parser *p)
{
	const char *sign = kp_cel_is_sign(p, "!") ? "!" : "-";
	uint32_t pos = p->token.pos, times = 0;
	bool is_negative;

	while (kp_cel_is_sign(p, sign)) {
		if (!kp_cel_take_token(p))
			return NULL;
		times++;
	}
	if (sign[0] == '!')
		return wrap(
		    p, KP_CEL_NOT, pos, times, kp_cel_parse_member(p, false));
	/* The last minus is part of a number: there is no int 2^63. */
	is_negative = times > 0 && is_number(&p->token);
	return wrap(p, KP_CEL_NEGATE, pos, times - is_negative,
	    kp_cel_parse_member(p, is_negative));
}

struct binary {
	const char *sign;
	int level;
	enum kp_cel_operator operation;
};

#define LOWEST_LEVEL 1

static const struct binary *
find_binary(const struct kp_cel_parser *p)
{
	static const struct binary list[] = {
		{ "==", 1, KP_CEL_EQUALS },
		{ "!=", 1, KP_CEL_DIFFERS },
		{ "<", 1, KP_CEL_BELOW },
		{ "<=", 1, KP_CEL_AT_MOST },
		{ ">", 1, KP_CEL_ABOVE },
		{ ">=", 1, KP_CEL_AT_LEAST },
		{ "in", 1, KP_CEL_IN },
		{ "+", 2, KP_CEL_ADD },
		{ "-", 2, KP_CEL_SUBTRACT },
		{ "*", 3, KP_CEL_MULTIPLY },
		{ "/", 3, KP_CEL_DIVIDE },
		{ "%", 3, KP_CEL_REMAINDER },
	};

	if (p->token.kind != KP_CEL_T_SIGN && p->token.kind != KP_CEL_T_IDENT)
		return NULL;
	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++)
		if (is_text(p->token.text, list[i].sign))
			return &list[i];
	return NULL;
}

/* Operators of this level and above; at most three levels deep. */
static struct kp_cel_node *
parse_binary(struct kp_cel_parser *p, int level)
{
	struct kp_cel_node *both[2] = { parse_unary(p), NULL };
	struct kp_cel_nodes parts = { both, 2, 2 };

	while (both[0] != NULL) {
		const struct binary *binary = find_binary(p);
		struct kp_cel_node *node;

		if (binary == NULL || binary->level < level)
			break;
		node = kp_cel_node_new(p, KP_CEL_BINARY, p->token.pos);
		if (node == NULL || !kp_cel_take_token(p))
			return NULL;
		node->operation = binary->operation;
		both[1] = parse_binary(p, binary->level + 1);
		if (both[1] == NULL)
			return NULL;
		both[0] = kp_cel_node_close(p, node, &parts);
	}
	return both[0];
}

/* "&&" and "||" with all their operands in one node. */
static struct kp_cel_node *
parse_logic(struct kp_cel_parser *p, bool is_or)
{
	const char *sign = is_or ? "||" : "&&";
	struct kp_cel_nodes parts = { .num = 0 };
	struct kp_cel_node *node;
	uint32_t pos = 0;
	bool has_more = true;

	while (has_more) {
		node = is_or ? parse_logic(p, false)
			     : parse_binary(p, LOWEST_LEVEL);
		if (node == NULL || !kp_cel_nodes_add(p, &parts, node))
			return NULL;
		if (parts.num == 1)
			pos = p->token.pos;
		if (!kp_cel_try_sign(p, sign, &has_more))
			return NULL;
	}
	if (parts.num == 1)
		return parts.list[0];
	node = kp_cel_node_new(p, is_or ? KP_CEL_OR : KP_CEL_AND, pos);
	return kp_cel_node_close(p, node, &parts);
}

struct kp_cel_node *
kp_cel_parse_expression(struct kp_cel_parser *p)
{
	struct kp_cel_node *three[3] = { parse_logic(p, true), NULL, NULL };
	struct kp_cel_nodes parts = { three, 3, 3 };
	uint32_t pos = p->token.pos;
	bool is_conditional;

	if (three[0] == NULL || !kp_cel_try_sign(p, "?", &is_conditional))
		return NULL;
	if (!is_conditional)
		return three[0];
	if (!kp_cel_enter(p))
		return NULL;
	three[1] = parse_logic(p, true);
	if (three[1] == NULL || !kp_cel_need_sign(p, ":", "\":\""))
		return NULL;
	three[2] = kp_cel_parse_expression(p);
	if (three[2] == NULL)
		return NULL;
	p->nesting--;
	return kp_cel_node_close(
	    p, kp_cel_node_new(p, KP_CEL_CONDITIONAL, pos), &parts);
}

static bool
check_source(struct kp_bytes source, struct kp_cel_fault *fault)
{
	if (source.len > KP_CEL_MAX_SOURCE_LEN)
		return kp_cel_fault_set(fault, KP_CEL_FAULT_LIMIT, 0,
		    "the expression has %zu bytes, at most %d are allowed",
		    source.len, KP_CEL_MAX_SOURCE_LEN);
	if (!kp_utf8_is_valid(source))
		return kp_cel_fault_set(fault, KP_CEL_FAULT_SYNTAX, 0,
		    "the expression is not in UTF-8");
	return true;
}

struct kp_cel_node *
kp_cel_parse(
    struct kp_bytes source, struct kp_arena *arena, struct kp_cel_fault *fault)
{
	struct kp_cel_parser parser = {
		.lexer = { .source = source, .fault = fault },
		.arena = arena,
		.fault = fault,
	};
	struct kp_cel_node *node;

	*fault = (struct kp_cel_fault){ .kind = KP_CEL_FAULT_NONE };
	if (!check_source(source, fault) || !kp_cel_take_token(&parser))
		return NULL;
	node = kp_cel_parse_expression(&parser);
	if (node == NULL)
		return NULL;
	if (parser.token.kind != KP_CEL_T_END) {
		(void)kp_cel_expected(&parser, "an operator or the end");
		return NULL;
	}
	return node;
}
