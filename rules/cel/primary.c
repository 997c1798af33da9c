/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operators stand between: literals, names, calls, brackets, and what is
 * chained behind them.
 */
#include <string.h>

#include "rules/cel/parse_priv.h"

static bool
is_text(struct kp_bytes bytes, const char *text)
{
	return kp_bytes_equal(bytes, kp_bytes_of(text));
}

static struct kp_cel_node *
refuse_at(struct kp_cel_parser *p, uint32_t pos, const char *text)
{
	(void)kp_cel_fault_set(p->fault, KP_CEL_FAULT_SYNTAX, pos, "%s", text);
	return NULL;
}

static bool
is_word_of(struct kp_bytes text, const char *const *words)
{
	for (size_t i = 0; words[i] != NULL; i++)
		if (is_text(text, words[i]))
			return true;
	return false;
}

/* Never a name, not even that of a field. */
static bool
is_keyword(struct kp_bytes text)
{
	static const char *const words[] = { "true", "false", "null", "in",
		NULL };

	return is_word_of(text, words);
}

static bool
is_reserved(struct kp_bytes text)
{
	static const char *const words[] = { "as", "break", "const", "continue",
		"else", "for", "function", "if", "import", "let", "loop",
		"package", "namespace", "return", "var", "void", "while",
		NULL };

	return is_word_of(text, words);
}

/* Elements up to a closing sign; maybe: "?" may stand in front of one. */
static bool
parse_elements(struct kp_cel_parser *p, const char *close, bool maybe,
    struct kp_cel_nodes *out)
{
	bool is_maybe = false, has_comma = true;

	while (has_comma && !kp_cel_is_sign(p, close)) {
		uint32_t pos = p->token.pos;
		struct kp_cel_node *node;

		if (maybe && !kp_cel_try_sign(p, "?", &is_maybe))
			return false;
		node = kp_cel_parse_expression(p);
		if (node != NULL && is_maybe) {
			struct kp_cel_nodes parts = { &node, 1, 1 };

			node = kp_cel_node_close(
			    p, kp_cel_node_new(p, KP_CEL_MAYBE, pos), &parts);
		}
		if (node == NULL || !kp_cel_nodes_add(p, out, node) ||
		    !kp_cel_try_sign(p, ",", &has_comma))
			return false;
		if (has_comma && !maybe && kp_cel_is_sign(p, close))
			return kp_cel_expected(p, "another argument");
	}
	return kp_cel_need_sign(p, close,
	    strcmp(close, "]") == 0 ? "\",\" or \"]\"" : "\",\" or \")\"");
}

static struct kp_cel_node *
parse_list(struct kp_cel_parser *p)
{
	struct kp_cel_node *node =
	    kp_cel_node_new(p, KP_CEL_LIST_OF, p->token.pos);
	struct kp_cel_nodes parts = { .num = 0 };

	if (node == NULL || !kp_cel_take_token(p) ||
	    !parse_elements(p, "]", true, &parts))
		return NULL;
	return kp_cel_node_close(p, node, &parts);
}

static bool
parse_entry(struct kp_cel_parser *p, struct kp_cel_nodes *parts)
{
	uint32_t pos = p->token.pos;
	struct kp_cel_node *key, *value;
	bool is_maybe;

	if (!kp_cel_try_sign(p, "?", &is_maybe))
		return false;
	key = kp_cel_parse_expression(p);
	if (key == NULL || !kp_cel_need_sign(p, ":", "\":\" and a value"))
		return false;
	value = kp_cel_parse_expression(p);
	if (value != NULL && is_maybe) {
		struct kp_cel_nodes one = { &value, 1, 1 };

		value = kp_cel_node_close(
		    p, kp_cel_node_new(p, KP_CEL_MAYBE, pos), &one);
	}
	return value != NULL && kp_cel_nodes_add(p, parts, key) &&
	       kp_cel_nodes_add(p, parts, value);
}

static struct kp_cel_node *
parse_map(struct kp_cel_parser *p)
{
	struct kp_cel_node *node =
	    kp_cel_node_new(p, KP_CEL_MAP_OF, p->token.pos);
	struct kp_cel_nodes parts = { .num = 0 };
	bool has_comma = true;

	if (node == NULL || !kp_cel_take_token(p))
		return NULL;
	while (has_comma && !kp_cel_is_sign(p, "}"))
		if (!parse_entry(p, &parts) ||
		    !kp_cel_try_sign(p, ",", &has_comma))
			return NULL;
	if (!kp_cel_need_sign(p, "}", "\",\" or \"}\""))
		return NULL;
	return kp_cel_node_close(p, node, &parts);
}

static struct kp_cel_node *
constant_node(struct kp_cel_parser *p, struct kp_cel_value value, uint32_t pos)
{
	struct kp_cel_node *node = kp_cel_node_new(p, KP_CEL_CONSTANT, pos);

	if (node != NULL)
		node->constant = value;
	return node;
}

/* A number, which may have a minus in front, or a text. */
static struct kp_cel_node *
parse_literal(struct kp_cel_parser *p, bool is_negative)
{
	uint32_t pos = p->token.pos;
	struct kp_cel_value value;

	if (!kp_cel_literal(
		&p->token, is_negative, p->arena, &value, p->fault) ||
	    !kp_cel_take_token(p))
		return NULL;
	return constant_node(p, value, pos);
}

/* true, false, null; "in" cannot begin anything. */
static struct kp_cel_node *
parse_keyword(struct kp_cel_parser *p)
{
	struct kp_bytes text = p->token.text;
	struct kp_cel_value value = kp_cel_null();
	uint32_t pos = p->token.pos;

	if (is_text(text, "in")) {
		(void)kp_cel_expected(p, "an expression");
		return NULL;
	}
	if (!is_text(text, "null"))
		value = kp_cel_bool(is_text(text, "true"));
	return kp_cel_take_token(p) ? constant_node(p, value, pos) : NULL;
}

/* The arguments behind name; target is the receiver or NULL. */
static struct kp_cel_node *
parse_call(struct kp_cel_parser *p, struct kp_cel_token name,
    struct kp_cel_node *target, bool is_absolute)
{
	struct kp_cel_node *node = kp_cel_node_new(p, KP_CEL_CALL, name.pos);
	struct kp_cel_nodes parts = { .num = 0 };

	if (node == NULL || !kp_cel_enter(p) || !kp_cel_take_token(p))
		return NULL;
	node->name = name.text;
	node->is_member = target != NULL;
	node->is_absolute = is_absolute;
	if ((target != NULL && !kp_cel_nodes_add(p, &parts, target)) ||
	    !parse_elements(p, ")", false, &parts))
		return NULL;
	p->nesting--;
	if (parts.num > KP_CEL_MAX_ARGS) {
		(void)kp_cel_fault_set(p->fault, KP_CEL_FAULT_LIMIT, name.pos,
		    "more than %d arguments", KP_CEL_MAX_ARGS);
		return NULL;
	}
	node = kp_cel_node_close(p, node, &parts);
	return node == NULL ? NULL : kp_cel_macro_expand(p, node);
}

static struct kp_cel_node *
parse_ident(struct kp_cel_parser *p, bool is_absolute)
{
	struct kp_cel_token name = p->token;
	struct kp_cel_node *node;

	if (name.kind != KP_CEL_T_IDENT || is_keyword(name.text)) {
		(void)kp_cel_expected(p, "a name");
		return NULL;
	}
	if (!kp_cel_take_token(p))
		return NULL;
	if (kp_cel_is_sign(p, "("))
		return parse_call(p, name, NULL, is_absolute);
	if (is_reserved(name.text))
		return refuse_at(p, name.pos,
		    "this word is reserved and cannot name anything");
	node = kp_cel_node_new(p, KP_CEL_IDENT, name.pos);
	if (node == NULL)
		return NULL;
	node->name = name.text;
	node->is_absolute = is_absolute;
	return node;
}

static struct kp_cel_node *
parse_bracketed(struct kp_cel_parser *p)
{
	struct kp_cel_node *node;

	if (!kp_cel_enter(p))
		return NULL;
	if (kp_cel_is_sign(p, "[")) {
		node = parse_list(p);
	} else if (kp_cel_is_sign(p, "{")) {
		node = parse_map(p);
	} else {
		node = kp_cel_take_token(p) ? kp_cel_parse_expression(p) : NULL;
		if (node != NULL && !kp_cel_need_sign(p, ")", "\")\""))
			node = NULL;
	}
	p->nesting--;
	return node;
}

static struct kp_cel_node *
parse_primary(struct kp_cel_parser *p, bool is_negative)
{
	bool is_absolute;

	if (p->token.kind >= KP_CEL_T_INT && p->token.kind <= KP_CEL_T_TEXT)
		return parse_literal(p, is_negative);
	if (p->token.kind == KP_CEL_T_IDENT && is_keyword(p->token.text))
		return parse_keyword(p);
	if (kp_cel_is_sign(p, "(") || kp_cel_is_sign(p, "[") ||
	    kp_cel_is_sign(p, "{"))
		return parse_bracketed(p);
	if (p->token.kind != KP_CEL_T_IDENT && !kp_cel_is_sign(p, ".")) {
		(void)kp_cel_expected(p, "an expression");
		return NULL;
	}
	if (!kp_cel_try_sign(p, ".", &is_absolute))
		return NULL;
	return parse_ident(p, is_absolute);
}

/* Behind a ".": a field, or a call with target as its receiver. */
static struct kp_cel_node *
parse_select(struct kp_cel_parser *p, struct kp_cel_node *target, uint32_t pos)
{
	struct kp_cel_nodes parts = { &target, 1, 1 };
	struct kp_cel_node *node;
	struct kp_cel_token name;
	bool is_optional;

	if (!kp_cel_try_sign(p, "?", &is_optional))
		return NULL;
	name = p->token;
	if ((name.kind != KP_CEL_T_IDENT && name.kind != KP_CEL_T_QUOTED) ||
	    is_keyword(name.text)) {
		(void)kp_cel_expected(p, "the name of a field");
		return NULL;
	}
	if (!kp_cel_take_token(p))
		return NULL;
	if (kp_cel_is_sign(p, "(") && !is_optional &&
	    name.kind == KP_CEL_T_IDENT)
		return parse_call(p, name, target, false);
	node = kp_cel_node_new(p, KP_CEL_SELECT, pos);
	if (node == NULL)
		return NULL;
	node->name = name.text;
	if (name.kind == KP_CEL_T_QUOTED)
		node->name =
		    (struct kp_bytes){ name.text.data + 1, name.text.len - 2 };
	node->is_optional = is_optional;
	return kp_cel_node_close(p, node, &parts);
}

static struct kp_cel_node *
parse_index(struct kp_cel_parser *p, struct kp_cel_node *target, uint32_t pos)
{
	struct kp_cel_node *both[2] = { target, NULL };
	struct kp_cel_nodes parts = { both, 2, 2 };
	struct kp_cel_node *node = kp_cel_node_new(p, KP_CEL_INDEX, pos);

	if (node == NULL || !kp_cel_enter(p) ||
	    !kp_cel_try_sign(p, "?", &node->is_optional))
		return NULL;
	both[1] = kp_cel_parse_expression(p);
	if (both[1] == NULL || !kp_cel_need_sign(p, "]", "\"]\""))
		return NULL;
	p->nesting--;
	return kp_cel_node_close(p, node, &parts);
}

static bool
is_name_chain(const struct kp_cel_node *node)
{
	while (node->kind == KP_CEL_SELECT)
		node = node->args[0];
	return node->kind == KP_CEL_IDENT;
}

struct kp_cel_node *
kp_cel_parse_member(struct kp_cel_parser *p, bool is_negative)
{
	struct kp_cel_node *node = parse_primary(p, is_negative);

	while (node != NULL) {
		uint32_t pos = p->token.pos;

		if (kp_cel_is_sign(p, "{") && is_name_chain(node))
			return refuse_at(p, pos,
			    "messages cannot be made: there is no type to make "
			    "one of");
		if (kp_cel_is_sign(p, "."))
			node = kp_cel_take_token(p) ? parse_select(p, node, pos)
						    : NULL;
		else if (kp_cel_is_sign(p, "["))
			node = kp_cel_take_token(p) ? parse_index(p, node, pos)
						    : NULL;
		else
			break;
	}
	return node;
}
