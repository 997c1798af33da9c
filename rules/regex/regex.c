/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/regex/regex.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "rules/regex/meter.h"
#include "rules/regex/parse.h"
#include "rules/regex/regex_priv.h"

/* Bytes of a text that are only searched, for the price of one step. */
#define BYTES_A_STEP 16

static bool
make_code(struct kp_bytes pattern, unsigned flags, struct kp_regex_code *code)
{
	struct kp_regex_instruction edge = { .op = KP_REGEX_TEST };
	bool is_whole = (flags & KP_REGEX_WHOLE) != 0;

	edge.low = KP_REGEX_TEXT_BEGIN;
	if (is_whole && !kp_regex_add(code, edge))
		return false;
	if (!kp_regex_parse(pattern, code))
		return false;
	edge.low = KP_REGEX_TEXT_END;
	if (is_whole && !kp_regex_add(code, edge))
		return false;
	return kp_regex_add(
	    code, (struct kp_regex_instruction){ .op = KP_REGEX_FOUND });
}

static bool
is_test(struct kp_regex_instruction instruction, uint8_t condition)
{
	return instruction.op == KP_REGEX_TEST && instruction.low == condition;
}

/* What every match begins with, and whether that is all of the pattern. */
static bool
find_prefix(struct kp_regex *regex)
{
	uint32_t at = 0;

	while (is_test(regex->code[at], KP_REGEX_TEXT_BEGIN))
		at++;
	regex->is_begun = at > 0;
	regex->prefix = kp_try_alloc(regex->num);
	if (regex->prefix == NULL)
		return false;
	for (;
	     regex->code[at].op == KP_REGEX_BYTE && !regex->code[at].has_more &&
	     regex->code[at].low == regex->code[at].high &&
	     regex->code[at].next == 1;
	     at++)
		regex->prefix[regex->prefix_len++] = regex->code[at].low;
	regex->is_ended = is_test(regex->code[at], KP_REGEX_TEXT_END);
	while (is_test(regex->code[at], KP_REGEX_TEXT_END))
		at++;
	regex->is_literal = regex->code[at].op == KP_REGEX_FOUND;
	return true;
}

/* Takes over the code, or what is made of it. */
static bool
finish(struct kp_regex *regex, struct kp_regex_code *code, unsigned flags)
{
	regex->code = code->list;
	regex->num = code->num;
	if (!find_prefix(regex))
		return kp_regex_fail(code, KP_REGEX_FAULT_MEMORY, 0,
		    "there is no memory for the pattern");
	if (!regex->is_literal && (flags & KP_REGEX_ONCE) == 0)
		kp_regex_automaton_make(&regex->automaton, regex);
	if (!regex->is_literal && regex->automaton.table == NULL) {
		code->list = NULL; /* it is the regex's now */
		return true;
	}
	regex->code = NULL;
	regex->num = 0;
	return true;
}

struct kp_regex *
kp_regex_new(struct kp_bytes pattern, unsigned flags,
    struct kp_regex_meter *meter, struct kp_regex_fault *fault)
{
	struct kp_regex_code code = { .meter = meter, .fault = fault };
	struct kp_regex *regex = kp_alloc(1, sizeof(*regex));

	fault->kind = KP_REGEX_FAULT_NONE;
	if (!make_code(pattern, flags, &code) || !finish(regex, &code, flags)) {
		regex->code = NULL;
		kp_regex_free(regex);
		regex = NULL;
	}
	kp_regex_code_fini(&code);
	return regex;
}

void
kp_regex_free(struct kp_regex *regex)
{
	if (regex == NULL)
		return;
	free((void *)(uintptr_t)regex->code);
	free(regex->prefix);
	free(regex->automaton.table);
	free(regex);
}

size_t
kp_regex_scratch_len(const struct kp_regex *regex)
{
	return (size_t)regex->num * KP_REGEX_SCRATCH_OF_ONE * sizeof(uint16_t);
}

/* Where the prefix is first, at the text's end if it is nowhere. */
static size_t
find(const struct kp_regex *regex, struct kp_bytes text)
{
	const uint8_t *at;

	if (regex->prefix_len == 0)
		return 0;
	if (text.len < regex->prefix_len)
		return text.len;
	if (regex->is_begun)
		return memcmp(text.data, regex->prefix, regex->prefix_len) == 0
			   ? 0
			   : text.len;
	at = memmem(text.data, text.len, regex->prefix, regex->prefix_len);
	return at == NULL ? text.len : (size_t)(at - text.data);
}

/* The whole pattern is a literal. */
static bool
match_literal(const struct kp_regex *regex, struct kp_bytes text)
{
	size_t len = regex->prefix_len;

	if (len > text.len ||
	    (regex->is_begun && regex->is_ended && len != text.len))
		return false;
	if (len == 0)
		return true;
	if (regex->is_ended && !regex->is_begun)
		return memcmp(text.data + text.len - len, regex->prefix, len) ==
		       0;
	return find(regex, text) < text.len;
}

uint64_t
kp_regex_max_steps(const struct kp_regex *regex, uint64_t text_len)
{
	uint64_t of_byte = 1 + (uint64_t)regex->num, steps;

	if (regex->is_literal)
		return 1 + text_len / BYTES_A_STEP;
	if (__builtin_mul_overflow(text_len, of_byte, &steps) ||
	    __builtin_add_overflow(steps, 1 + text_len / BYTES_A_STEP, &steps))
		return UINT64_MAX;
	return steps;
}

enum kp_regex_result
kp_regex_match(const struct kp_regex *regex, struct kp_bytes text,
    void *scratch, struct kp_regex_meter *meter)
{
	size_t start;

	if (!kp_regex_spend(meter, 1 + text.len / BYTES_A_STEP))
		return KP_REGEX_SPENT;
	if (regex->is_literal)
		return match_literal(regex, text) ? KP_REGEX_MATCH
						  : KP_REGEX_NO_MATCH;
	/* Nothing that is before the prefix matters to it. */
	start = find(regex, text);
	if (regex->prefix_len > 0 && start == text.len)
		return KP_REGEX_NO_MATCH;
	if (start > 0)
		text = (struct kp_bytes){ text.data + start, text.len - start };
	if (regex->num > 0)
		return kp_regex_simulate(regex, text, scratch, meter);
	if (!kp_regex_spend(meter, text.len / 4))
		return KP_REGEX_SPENT;
	return kp_regex_automaton_run(&regex->automaton, text)
		   ? KP_REGEX_MATCH
		   : KP_REGEX_NO_MATCH;
}
