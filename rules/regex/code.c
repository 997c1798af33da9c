/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/regex/code.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/text.h"
#include "rules/regex/meter.h"

#define FIRST_CAPACITY 64

void
kp_regex_code_fini(struct kp_regex_code *code)
{
	free(code->list);
	code->list = NULL;
	code->num = code->capacity = 0;
}

bool
kp_regex_fail(struct kp_regex_code *code, enum kp_regex_fault_kind kind,
    size_t pos, const char *fmt, ...)
{
	struct kp_regex_fault *fault = code->fault;
	va_list args;

	code->failed = true;
	fault->kind = kind;
	fault->pos = (uint32_t)pos;
	va_start(args, fmt);
	if (vsnprintf(fault->text, sizeof(fault->text), fmt, args) < 0)
		fault->text[0] = '\0';
	va_end(args);
	kp_utf8_clean(fault->text);
	return false;
}

static bool
grow(struct kp_regex_code *code, uint32_t wanted)
{
	uint32_t capacity = code->capacity;
	struct kp_regex_instruction *list;

	if (capacity == 0)
		capacity = FIRST_CAPACITY;
	while (capacity < wanted)
		capacity *= 2;
	list = kp_try_realloc(code->list, capacity * sizeof(*list));
	if (list == NULL)
		return kp_regex_fail(code, KP_REGEX_FAULT_MEMORY, code->pos,
		    "there is no memory for the pattern");
	code->list = list;
	code->capacity = capacity;
	return true;
}

/* Has the pattern cost too much? */
static bool
spend(struct kp_regex_code *code, uint64_t steps)
{
	if (!kp_regex_spend(code->meter, steps))
		return kp_regex_fail(code, KP_REGEX_FAULT_COST, code->pos,
		    "the pattern takes too long to be read");
	return true;
}

struct kp_regex_instruction *
kp_regex_extend(struct kp_regex_code *code, uint32_t num)
{
	if (code->failed)
		return NULL;
	if (num > KP_REGEX_MAX_INSTRUCTIONS - code->num) {
		(void)kp_regex_fail(code, KP_REGEX_FAULT_LIMIT, code->pos,
		    "the pattern is too large: it needs more than %d "
		    "instructions",
		    KP_REGEX_MAX_INSTRUCTIONS);
		return NULL;
	}
	if (!spend(code, num) ||
	    (code->num + num > code->capacity && !grow(code, code->num + num)))
		return NULL;
	code->num += num;
	return code->list + code->num - num;
}

bool
kp_regex_add(
    struct kp_regex_code *code, struct kp_regex_instruction instruction)
{
	struct kp_regex_instruction *added = kp_regex_extend(code, 1);

	if (added != NULL)
		*added = instruction;
	return added != NULL;
}

bool
kp_regex_insert(struct kp_regex_code *code, uint32_t at,
    struct kp_regex_instruction instruction)
{
	uint32_t len = code->num - at;

	if (kp_regex_extend(code, 1) == NULL || !spend(code, len))
		return false;
	kp_move(
	    code->list + at + 1, code->list + at, len * sizeof(*code->list));
	code->list[at] = instruction;
	return true;
}

/* One more copy of the len instructions at start. */
static bool
copy(struct kp_regex_code *code, uint32_t start, uint32_t len)
{
	struct kp_regex_instruction *to = kp_regex_extend(code, len);

	if (to == NULL)
		return false;
	kp_copy(to, code->list + start, len * sizeof(*to));
	return true;
}

/* From start on as often as you like; not at all as well, if so wanted. */
static bool
loop(struct kp_regex_code *code, uint32_t start, bool is_once_at_least)
{
	int32_t len = (int32_t)(code->num - start);

	if (is_once_at_least)
		return kp_regex_add(
		    code, (struct kp_regex_instruction){
			      .op = KP_REGEX_FORK, .next = -len });
	return kp_regex_insert(code, start,
		   (struct kp_regex_instruction){
		       .op = KP_REGEX_FORK, .next = len + 2 }) &&
	       kp_regex_add(code, (struct kp_regex_instruction){
				      .op = KP_REGEX_JUMP, .next = -len - 1 });
}

/* num copies of what has len instructions, each of which may end them all;
 * the first is there already, at start. */
static bool
choose(struct kp_regex_code *code, uint32_t start, uint32_t len, uint32_t num)
{
	struct kp_regex_instruction fork = { .op = KP_REGEX_FORK };

	fork.next = (int32_t)((len + 1) * num);
	if (!kp_regex_insert(code, start, fork))
		return false;
	for (uint32_t left = num - 1; left > 0; left--) {
		fork.next = (int32_t)((len + 1) * left);
		if (!kp_regex_add(code, fork) || !copy(code, start + 1, len))
			return false;
	}
	return true;
}

bool
kp_regex_repeat(
    struct kp_regex_code *code, uint32_t start, uint32_t min, uint32_t max)
{
	uint32_t len = code->num - start, last = start;

	if (max == 0)
		code->num = start;
	/* What is empty stays so, however often. */
	if (max == 0 || len == 0)
		return true;
	/* The last copy is the one that is looped or may be left out. */
	for (uint32_t i = 1; i < min; i++) {
		last = code->num;
		if (!copy(code, start, len))
			return false;
	}
	if (max == KP_REGEX_NO_MAX)
		return loop(code, last, min > 0);
	if (max == min)
		return true;
	if (min > 0) {
		last = code->num;
		if (!copy(code, start, len))
			return false;
	}
	return choose(code, last, len, max - min);
}
