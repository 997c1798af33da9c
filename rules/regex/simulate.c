/* SPDX-License-Identifier: Apache-2.0 */
/* Runs code over a text with all its states at once. */
#include "rules/regex/meter.h"
#include "rules/regex/regex_priv.h"

bool
kp_regex_is_word(int byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= 'a' && byte <= 'z') || byte == '_';
}

unsigned
kp_regex_conditions(int before, int after)
{
	unsigned holds = KP_REGEX_NO_WORD_EDGE;

	if (kp_regex_is_word(before) != kp_regex_is_word(after))
		holds = KP_REGEX_WORD_EDGE;
	else if (after >= 0x80 && after < 0xc0)
		holds = 0; /* inside a character */
	if (before == KP_REGEX_NO_BYTE)
		holds |= KP_REGEX_TEXT_BEGIN | KP_REGEX_LINE_BEGIN;
	if (after == KP_REGEX_NO_BYTE)
		holds |= KP_REGEX_TEXT_END | KP_REGEX_LINE_END;
	if (before == '\n')
		holds |= KP_REGEX_LINE_BEGIN;
	if (after == '\n')
		holds |= KP_REGEX_LINE_END;
	return holds;
}

void
kp_regex_walk_init(struct kp_regex_walk *walk, struct kp_regex_places *one,
    struct kp_regex_places *other, const struct kp_regex *regex,
    uint16_t *scratch)
{
	uint32_t num = regex->num;

	*walk = (struct kp_regex_walk){ .code = regex->code,
		.stack = scratch + 4 * num };
	*one = (struct kp_regex_places){ scratch, scratch + num, 0 };
	*other =
	    (struct kp_regex_places){ scratch + 2 * num, scratch + 3 * num, 0 };
}

/* False if it is there already. What sparse has of places that are not there
 * is never believed: dense has to agree. */
static bool
add(struct kp_regex_places *places, uint32_t at)
{
	uint32_t slot = places->sparse[at];

	if (slot < places->num && places->dense[slot] == at)
		return false;
	places->sparse[at] = (uint16_t)places->num;
	places->dense[places->num++] = (uint16_t)at;
	return true;
}

/* Each place is put on the stack by at most one FORK that is new itself. */
void
kp_regex_reach(struct kp_regex_walk *walk, struct kp_regex_places *places,
    uint32_t at, unsigned conditions)
{
	uint32_t num = 0;

	for (;;) {
		const struct kp_regex_instruction *here = &walk->code[at];
		bool goes_on = false;

		if (add(places, at)) {
			uint32_t next = at + (uint32_t)here->next;

			goes_on =
			    here->op == KP_REGEX_FORK ||
			    (here->op == KP_REGEX_BYTE && here->has_more) ||
			    (here->op == KP_REGEX_TEST && !walk->keeps_tests &&
				(here->low & ~conditions) == 0);
			if (here->op == KP_REGEX_FORK)
				walk->stack[num++] = (uint16_t)next;
			if (here->op == KP_REGEX_FOUND)
				walk->is_found = true;
			if (here->op == KP_REGEX_JUMP) {
				at = next;
				continue;
			}
		}
		if (goes_on)
			at++;
		else if (num > 0)
			at = walk->stack[--num];
		else
			return;
	}
}

/* From places over byte to after, where conditions hold. */
static void
step(struct kp_regex_walk *walk, const struct kp_regex_places *places,
    uint8_t byte, struct kp_regex_places *after, unsigned conditions)
{
	for (uint32_t i = 0; i < places->num; i++) {
		uint32_t at = places->dense[i];
		const struct kp_regex_instruction *here = &walk->code[at];

		if (here->op == KP_REGEX_BYTE && byte >= here->low &&
		    byte <= here->high)
			kp_regex_reach(
			    walk, after, at + (uint32_t)here->next, conditions);
	}
}

static int
byte_at(struct kp_bytes text, size_t at)
{
	return at < text.len ? text.data[at] : KP_REGEX_NO_BYTE;
}

enum kp_regex_result
kp_regex_simulate(const struct kp_regex *regex, struct kp_bytes text,
    uint16_t *scratch, struct kp_regex_meter *meter)
{
	struct kp_regex_places here, after;
	struct kp_regex_walk walk;
	int before = KP_REGEX_NO_BYTE;

	kp_regex_walk_init(&walk, &here, &after, regex, scratch);
	for (size_t at = 0;; at++) {
		struct kp_regex_places swapped = here;
		int byte = byte_at(text, at);

		if (at == 0 || !regex->is_begun)
			kp_regex_reach(
			    &walk, &here, 0, kp_regex_conditions(before, byte));
		if (walk.is_found)
			return KP_REGEX_MATCH;
		if (byte == KP_REGEX_NO_BYTE || here.num == 0)
			return KP_REGEX_NO_MATCH;
		if (!kp_regex_spend(meter, 1 + here.num))
			return KP_REGEX_SPENT;
		step(&walk, &here, (uint8_t)byte, &after,
		    kp_regex_conditions(byte, byte_at(text, at + 1)));
		here = after;
		after = swapped;
		after.num = 0;
		before = byte;
	}
}
