/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The extension "strings", but format(). Positions are those of characters.
 * Parts of a text borrow from it.
 */
#include <string.h>

#include "base/utf8.h"
#include "rules/cel/ext_priv.h"

/* What a search takes before it looks at a byte, at most. */
#define STEPS_OF_SEARCH 16
/* Bytes of a text that is taken apart, for the price of one step. */
#define CHARACTERS_A_STEP 4

static struct kp_bytes
slice(struct kp_bytes text, size_t from, size_t to)
{
	if (from == to)
		return kp_bytes_of("");
	return (struct kp_bytes){ text.data + from, to - from };
}

/* Length of the character at a place that is not the end. */
static size_t
length_at(struct kp_bytes text, size_t at)
{
	size_t len = kp_utf8_decode(slice(text, at, text.len), NULL);

	return len == 0 ? 1 : len;
}

/* Where the character of this index begins; that of the end is there too. */
static bool
place_of(struct kp_bytes text, int64_t index, size_t *out)
{
	size_t at = 0;

	if (index < 0 || (uint64_t)index > text.len)
		return false;
	for (; index > 0; index--) {
		if (at == text.len)
			return false;
		at += length_at(text, at);
	}
	*out = at;
	return true;
}

static struct kp_cel_value
outside(const struct kp_cel_call *call, struct kp_cel_value index)
{
	return kp_cel_fail(call->eval, "the index %lld is outside of the text",
	    (long long)index.as.number);
}

/* Are the arguments num_texts strings, and ints behind them? */
static bool
has_types(const struct kp_cel_call *call, uint32_t num_texts)
{
	for (uint32_t i = 0; i < call->num; i++)
		if (call->args[i].type !=
		    (i < num_texts ? KP_CEL_STRING : KP_CEL_INT))
			return false;
	return true;
}

static struct kp_cel_value
wrong_types(const struct kp_cel_call *call, const char *name)
{
	return kp_cel_no_overload(call->eval, name, call->args, call->num);
}

static struct kp_cel_value
out_of_steps(const struct kp_cel_call *call)
{
	return kp_cel_stop(call->eval, KP_CEL_FAULT_COST);
}

struct kp_cel_value
kp_cel_char_at(const struct kp_cel_call *call)
{
	struct kp_bytes text;
	size_t at;

	if (!has_types(call, 1))
		return wrong_types(call, "charAt");
	if (!kp_cel_spend(call->eval, kp_cel_content_steps(call->args[0])))
		return out_of_steps(call);
	text = kp_cel_content(call->args[0]);
	if (!place_of(text, call->args[1].as.number, &at))
		return outside(call, call->args[1]);
	return kp_cel_string(
	    slice(text, at, at == text.len ? at : at + length_at(text, at)));
}

struct kp_cel_value
kp_cel_substring(const struct kp_cel_call *call)
{
	struct kp_bytes text;
	size_t from, to;

	if (!has_types(call, 1))
		return wrong_types(call, "substring");
	if (!kp_cel_spend(call->eval, 2 * kp_cel_content_steps(call->args[0])))
		return out_of_steps(call);
	text = kp_cel_content(call->args[0]);
	if (!place_of(text, call->args[1].as.number, &from))
		return outside(call, call->args[1]);
	to = text.len;
	if (call->num == 3 && !place_of(text, call->args[2].as.number, &to))
		return outside(call, call->args[2]);
	if (from > to)
		return kp_cel_error("the end of the part is in front of its "
				    "beginning");
	return kp_cel_string(slice(text, from, to));
}

/* The first place from there on; false: none, or the evaluation is stopped. */
static bool
find_first(struct kp_cel_eval *eval, struct kp_bytes text, struct kp_bytes part,
    size_t *at)
{
	const uint8_t *found;
	size_t left = text.len - *at;

	if (!kp_cel_spend(eval, kp_cel_search_steps(left, part.len)) ||
	    part.len > left)
		return false;
	if (part.len == 0)
		return true;
	found = memmem(text.data + *at, left, part.data, part.len);
	if (found != NULL)
		*at = (size_t)(found - text.data);
	return found != NULL;
}

/* The same from there on to the left; a place that begins alike is counted. */
static bool
find_last(struct kp_cel_eval *eval, struct kp_bytes text, struct kp_bytes part,
    size_t *at)
{
	uint64_t steps = 1 + part.len / KP_CEL_BYTES_A_STEP;

	if (!kp_cel_spend(eval, text.len / CHARACTERS_A_STEP) ||
	    part.len > text.len)
		return false;
	if (*at > text.len - part.len)
		*at = text.len - part.len;
	if (part.len == 0)
		return true;
	for (size_t end = *at + 1; end > 0; end--) {
		*at = end - 1;
		if (text.data[*at] != part.data[0])
			continue;
		if (!kp_cel_spend(eval, steps))
			return false;
		if (memcmp(text.data + *at, part.data, part.len) == 0)
			return true;
	}
	return false;
}

/* indexOf, lastIndexOf; detail says which. */
struct kp_cel_value
kp_cel_index_of(const struct kp_cel_call *call)
{
	bool is_last = call->detail == KP_CEL_FROM_END, is_found;
	struct kp_bytes text, part;
	size_t at;

	if (!has_types(call, 2))
		return wrong_types(call, is_last ? "lastIndexOf" : "indexOf");
	if (!kp_cel_spend(call->eval, 2 * kp_cel_content_steps(call->args[0])))
		return out_of_steps(call);
	text = kp_cel_content(call->args[0]);
	part = kp_cel_content(call->args[1]);
	at = is_last ? text.len : 0;
	if (call->num == 3 && !place_of(text, call->args[2].as.number, &at))
		return outside(call, call->args[2]);
	is_found = is_last ? find_last(call->eval, text, part, &at)
			   : find_first(call->eval, text, part, &at);
	if (call->eval->stopped != KP_CEL_FAULT_NONE)
		return out_of_steps(call);
	if (!is_found)
		return kp_cel_int(-1);
	return kp_cel_int((int64_t)kp_utf8_count(slice(text, 0, at)));
}

/* lowerAscii, upperAscii; detail says which. */
struct kp_cel_value
kp_cel_change_case(const struct kp_cel_call *call)
{
	uint8_t first = call->detail == KP_CEL_TO_LOWER ? 'A' : 'a', *to;
	struct kp_cel_text out = { .eval = call->eval };
	struct kp_bytes text;

	if (!has_types(call, 1))
		return wrong_types(call, call->detail == KP_CEL_TO_LOWER
					     ? "lowerAscii"
					     : "upperAscii");
	text = kp_cel_content(call->args[0]);
	to = kp_cel_text_extend(&out, text.len);
	for (size_t i = 0; to != NULL && i < text.len; i++) {
		uint8_t byte = text.data[i];

		to[i] = byte >= first && byte < first + 26 ? byte ^ 0x20 : byte;
	}
	return kp_cel_text_value(&out);
}

struct kp_cel_value
kp_cel_reverse(const struct kp_cel_call *call)
{
	struct kp_cel_text out = { .eval = call->eval };
	struct kp_bytes text;
	uint8_t *to;

	if (!has_types(call, 1))
		return wrong_types(call, "reverse");
	text = kp_cel_content(call->args[0]);
	if (!kp_cel_spend(call->eval, text.len / CHARACTERS_A_STEP))
		return out_of_steps(call);
	to = kp_cel_text_extend(&out, text.len);
	for (size_t at = 0; to != NULL && at < text.len;) {
		size_t len = length_at(text, at);

		at += len;
		kp_copy(to + text.len - at, text.data + at - len, len);
	}
	return kp_cel_text_value(&out);
}

/* Unicode's White_Space. */
static bool
is_space(uint32_t point)
{
	return (point >= 0x09 && point <= 0x0d) || point == 0x20 ||
	       point == 0x85 || point == 0xa0 || point == 0x1680 ||
	       (point >= 0x2000 && point <= 0x200a) || point == 0x2028 ||
	       point == 0x2029 || point == 0x202f || point == 0x205f ||
	       point == 0x3000;
}

/* Length of the space that text begins with, 0 if with none. */
static size_t
space_at(struct kp_bytes text, size_t at)
{
	uint32_t point;
	size_t len = kp_utf8_decode(slice(text, at, text.len), &point);

	return len > 0 && is_space(point) ? len : 0;
}

struct kp_cel_value
kp_cel_trim(const struct kp_cel_call *call)
{
	struct kp_bytes text;
	size_t from = 0, at, len;

	if (!has_types(call, 1))
		return wrong_types(call, "trim");
	text = kp_cel_content(call->args[0]);
	if (!kp_cel_spend(call->eval, text.len / CHARACTERS_A_STEP))
		return out_of_steps(call);
	while ((len = space_at(text, from)) > 0)
		from += len;
	text = slice(text, from, text.len);
	for (;;) {
		at = text.len;
		while (at > 0 && (text.data[--at] & 0xc0) == 0x80)
			;
		if (text.len == 0 || space_at(text, at) != text.len - at)
			return kp_cel_string(text);
		text.len = at;
	}
}

struct kp_cel_value
kp_cel_join(const struct kp_cel_call *call)
{
	struct kp_cel_text out = { .eval = call->eval };
	const struct kp_cel_list *list;

	if (call->args[0].type != KP_CEL_LIST ||
	    (call->num == 2 && call->args[1].type != KP_CEL_STRING))
		return wrong_types(call, "join");
	list = call->args[0].as.list;
	for (size_t i = 0; i < list->num && kp_cel_spend(call->eval, 1); i++) {
		struct kp_cel_value item = kp_cel_list_at(list, i);

		if (item.type == KP_CEL_ERROR)
			return item;
		if (item.type != KP_CEL_STRING)
			return kp_cel_fail(call->eval,
			    "join() is for a list of strings, there is one of "
			    "type %s",
			    kp_cel_type_name(item));
		if (i > 0 && call->num == 2)
			kp_cel_text_add(&out, kp_cel_content(call->args[1]));
		kp_cel_text_add(&out, kp_cel_content(item));
	}
	return kp_cel_text_value(&out);
}

/* A text that is gone through from one place of a part to the next. */
struct finds {
	struct kp_cel_eval *eval;
	struct kp_bytes text, part;
	size_t from; /* behind the last place */
};

/* The whole text is paid for here, as each byte is looked at once. */
static bool
finds_init(struct finds *finds, const struct kp_cel_call *call)
{
	*finds = (struct finds){ .eval = call->eval,
		.text = kp_cel_content(call->args[0]),
		.part = kp_cel_content(call->args[1]) };
	return kp_cel_spend(
	    call->eval, kp_cel_search_steps(finds->text.len, finds->part.len));
}

/* Gives what is in front of the next place and goes behind it. An empty part is
 * found behind each character but the last. False: none, or stopped. */
static bool
finds_next(struct finds *finds, struct kp_bytes *out)
{
	size_t left = finds->text.len - finds->from, len;
	const uint8_t *from, *found;

	if (!kp_cel_spend(finds->eval, STEPS_OF_SEARCH) || left == 0 ||
	    left < finds->part.len)
		return false;
	from = finds->text.data + finds->from;
	found = from + length_at(finds->text, finds->from);
	if (finds->part.len > 0)
		found = memmem(from, left, finds->part.data, finds->part.len);
	if (found == NULL || (finds->part.len == 0 && found == from + left))
		return false;
	len = (size_t)(found - from);
	*out = slice(finds->text, finds->from, finds->from + len);
	finds->from += len + finds->part.len;
	return true;
}

static struct kp_bytes
finds_rest(const struct finds *finds)
{
	return slice(finds->text, finds->from, finds->text.len);
}

/* How often, by the last argument; without it or below 0 always. */
static uint64_t
limit_of(const struct kp_cel_call *call, uint32_t at)
{
	if (call->num <= at || call->args[at].as.number < 0)
		return UINT64_MAX;
	return (uint64_t)call->args[at].as.number;
}

struct kp_cel_value
kp_cel_replace(const struct kp_cel_call *call)
{
	struct kp_cel_text out = { .eval = call->eval };
	struct kp_bytes piece, other;
	struct finds finds;
	uint64_t left;

	if (!has_types(call, 3))
		return wrong_types(call, "replace");
	if (!finds_init(&finds, call))
		return out_of_steps(call);
	other = kp_cel_content(call->args[2]);
	left = limit_of(call, 3);
	if (finds.part.len == 0 && left > 0) {
		kp_cel_text_add(&out, other);
		left--;
	}
	for (; left > 0 && finds_next(&finds, &piece); left--) {
		kp_cel_text_add(&out, piece);
		kp_cel_text_add(&out, other);
	}
	kp_cel_text_add(&out, finds_rest(&finds));
	if (finds.part.len == 0 && finds.text.len > 0 && left > 0)
		kp_cel_text_add(&out, other);
	return kp_cel_text_value(&out);
}

/* The parts of a text so far; false: stopped. */
struct pieces {
	struct kp_cel_eval *eval;
	struct kp_cel_value *list;
	size_t num, capacity;
};

static bool
pieces_add(struct pieces *pieces, struct kp_bytes piece)
{
	size_t capacity = pieces->num < 4 ? 4 : 2 * pieces->num;
	struct kp_cel_value *list;

	if (pieces->num == pieces->capacity) {
		list = kp_cel_get(pieces->eval, capacity, sizeof(*list));
		if (list == NULL)
			return false;
		kp_copy(list, pieces->list, pieces->num * sizeof(*list));
		pieces->list = list;
		pieces->capacity = capacity;
	}
	pieces->list[pieces->num++] = kp_cel_string(piece);
	return true;
}

struct kp_cel_value
kp_cel_split(const struct kp_cel_call *call)
{
	struct pieces pieces = { .eval = call->eval };
	struct finds finds;
	struct kp_bytes piece;
	uint64_t limit;
	bool ok = true;

	if (!has_types(call, 2))
		return wrong_types(call, "split");
	if (!finds_init(&finds, call))
		return out_of_steps(call);
	limit = limit_of(call, 2);
	if (limit == 0 || (finds.text.len == 0 && finds.part.len == 0))
		return kp_cel_list_of(call->eval, NULL, 0);
	for (; ok && limit > 1 && finds_next(&finds, &piece); limit--)
		ok = pieces_add(&pieces, piece);
	if (!ok || !pieces_add(&pieces, finds_rest(&finds)) ||
	    call->eval->stopped != KP_CEL_FAULT_NONE)
		return kp_cel_stop(call->eval, KP_CEL_FAULT_MEMORY);
	return kp_cel_list_of(call->eval, pieces.list, pieces.num);
}

/* What a character is written as between quotes; NULL: as it is. */
static const char *
escape_of(uint8_t byte)
{
	static const char from[] = "\a\b\f\n\r\t\v\\\"";
	static const char *const to[] = { "\\a", "\\b", "\\f", "\\n", "\\r",
		"\\t", "\\v", "\\\\", "\\\"" };
	const char *at = byte == 0 ? NULL : strchr(from, byte);

	return at == NULL ? NULL : to[at - from];
}

struct kp_cel_value
kp_cel_quote(const struct kp_cel_call *call)
{
	struct kp_cel_text out = { .eval = call->eval };
	struct kp_bytes text;

	if (!has_types(call, 1))
		return wrong_types(call, "strings.quote");
	text = kp_cel_content(call->args[0]);
	if (!kp_cel_spend(call->eval, text.len / CHARACTERS_A_STEP))
		return out_of_steps(call);
	kp_cel_text_add(&out, kp_bytes_of("\""));
	for (size_t at = 0; at < text.len;) {
		size_t len = kp_utf8_decode(slice(text, at, text.len), NULL);
		const char *escape = escape_of(text.data[at]);

		if (len == 0) /* what is no character becomes U+FFFD */
			escape = "\xef\xbf\xbd";
		kp_cel_text_add(&out, escape != NULL
					  ? kp_bytes_of(escape)
					  : slice(text, at, at + len));
		at += len == 0 ? 1 : len;
	}
	kp_cel_text_add(&out, kp_bytes_of("\""));
	return kp_cel_text_value(&out);
}
