/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All states of a pattern, found beforehand. A state is the set of instructions
 * that wait for a byte, and, where some of them ask for it, what byte was
 * before.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "rules/regex/regex_priv.h"

#define FOUND 1
/* Bits of sets are in words. */
#define WORD_BITS 64

/* Kinds of bytes that conditions tell apart, one byte for each. */
static const int kinds[] = { 'a', ' ', '\n', KP_REGEX_NO_BYTE };
#define KIND_OTHER 1

struct builder {
	const struct kp_regex *regex;
	struct kp_regex_automaton *out;
	struct kp_regex_walk walk;
	struct kp_regex_places one, other;
	uint64_t *sets; /* num_words of each state, and its kind behind them */
	uint32_t num_words;
	uint32_t capacity;         /* states */
	int column_bytes[256 + 1]; /* one byte of each column, then none */
	uint64_t steps;
};

static int
kind_of(int byte)
{
	if (byte == KP_REGEX_NO_BYTE)
		return 3;
	if (byte == '\n')
		return 2;
	return kp_regex_is_word(byte) ? 0 : KIND_OTHER;
}

/* Marks where a new column begins. */
static void
cut(bool begins[257], int low, int high)
{
	begins[low] = begins[high + 1] = true;
}

static void
make_columns(struct builder *builder)
{
	struct kp_regex_automaton *out = builder->out;
	bool begins[257] = { false }, has_tests = false;
	int column = 0;

	for (uint32_t i = 0; i < builder->regex->num; i++) {
		const struct kp_regex_instruction *at =
		    &builder->regex->code[i];

		if (at->op == KP_REGEX_BYTE)
			cut(begins, at->low, at->high);
		has_tests = has_tests || at->op == KP_REGEX_TEST;
	}
	for (int byte = 1; has_tests && byte < 256; byte++)
		if (kind_of(byte) != kind_of(byte - 1))
			begins[byte] = true;
	if (has_tests)
		cut(begins, 0x80, 0xbf);
	for (int byte = 0; byte < 256; byte++) {
		if (byte > 0 && begins[byte])
			column++;
		out->columns[byte] = (uint8_t)column;
		builder->column_bytes[column] = byte;
	}
	builder->column_bytes[column + 1] = KP_REGEX_NO_BYTE;
	out->num_columns = (uint32_t)column + 2;
}

static uint64_t *
set_of(const struct builder *builder, uint32_t state)
{
	return builder->sets + (size_t)state * (builder->num_words + 1);
}

/* Room for one more state. */
static bool
grow(struct builder *builder)
{
	size_t row = (builder->num_words + 1) * sizeof(uint64_t);
	uint32_t num = builder->out->num_states;
	uint64_t *sets;
	uint16_t *table;

	if (num < builder->capacity)
		return true;
	if (num >= KP_REGEX_MAX_STATES)
		return false;
	builder->capacity = num == 0 ? 16 : 2 * num;
	sets = kp_try_realloc(builder->sets, builder->capacity * row);
	if (sets == NULL)
		return false;
	builder->sets = sets;
	table = kp_try_realloc(builder->out->table,
	    builder->capacity * builder->out->num_columns * sizeof(*table));
	if (table == NULL)
		return false;
	builder->out->table = table;
	return true;
}

/* Writes the set that places are behind the last state's; is it a waiting one?
 */
static void
write_set(
    struct builder *builder, const struct kp_regex_places *places, int before)
{
	uint64_t *set = set_of(builder, builder->out->num_states);
	bool has_tests = false;

	for (uint32_t i = 0; i <= builder->num_words; i++)
		set[i] = 0;
	for (uint32_t i = 0; i < places->num; i++) {
		uint32_t at = places->dense[i];
		uint8_t op = builder->walk.code[at].op;

		if (op == KP_REGEX_BYTE || op == KP_REGEX_TEST)
			set[at / WORD_BITS] |= 1ull << at % WORD_BITS;
		has_tests = has_tests || op == KP_REGEX_TEST;
	}
	set[builder->num_words] =
	    (uint64_t)(has_tests ? kind_of(before) : KIND_OTHER);
}

static bool
is_empty(const struct builder *builder, const uint64_t *set)
{
	for (uint32_t i = 0; i < builder->num_words; i++)
		if (set[i] != 0)
			return false;
	return true;
}

/* The state of a set, which may be new. False at a limit. */
static bool
find_state(struct builder *builder, const struct kp_regex_places *places,
    int before, uint32_t *out)
{
	size_t len = (builder->num_words + 1) * sizeof(uint64_t);
	uint32_t num = builder->out->num_states;

	*out = builder->walk.is_found ? FOUND : KP_REGEX_DEAD;
	if (builder->walk.is_found)
		return true;
	if (!grow(builder))
		return false;
	write_set(builder, places, before);
	if (is_empty(builder, set_of(builder, num)))
		return true;
	for (*out = FOUND + 1; *out < num; (*out)++) {
		builder->steps += builder->num_words / 4 + 1;
		if (memcmp(set_of(builder, *out), set_of(builder, num), len) ==
		    0)
			return true;
	}
	builder->out->num_states++;
	return (num + 1) * builder->out->num_columns <= KP_REGEX_MAX_TABLE;
}

/* What waits in a state goes on, now that the next byte is known. */
static void
resume(struct builder *builder, uint32_t state, int byte)
{
	const uint64_t *set = set_of(builder, state);
	unsigned conditions =
	    kp_regex_conditions(kinds[set[builder->num_words]], byte);

	builder->one.num = 0;
	builder->walk.is_found = builder->walk.keeps_tests = false;
	for (uint32_t i = 0; i < builder->num_words; i++)
		for (uint64_t word = set[i]; word != 0; word &= word - 1)
			kp_regex_reach(&builder->walk, &builder->one,
			    i * WORD_BITS + (uint32_t)__builtin_ctzll(word),
			    conditions);
	builder->steps += builder->num_words + builder->one.num;
}

/* Over byte, to what waits behind it. */
static void
advance(struct builder *builder, int byte)
{
	builder->other.num = 0;
	builder->walk.keeps_tests = true;
	for (uint32_t i = 0; i < builder->one.num; i++) {
		uint32_t at = builder->one.dense[i];
		const struct kp_regex_instruction *here =
		    &builder->walk.code[at];

		if (here->op == KP_REGEX_BYTE && byte >= here->low &&
		    byte <= here->high)
			kp_regex_reach(&builder->walk, &builder->other,
			    at + (uint32_t)here->next, 0);
	}
	if (!builder->regex->is_begun)
		kp_regex_reach(&builder->walk, &builder->other, 0, 0);
	builder->steps += builder->other.num;
}

static bool
fill_row(struct builder *builder, uint32_t state)
{
	uint32_t columns = builder->out->num_columns, next;

	for (uint32_t i = 0; i < columns; i++) {
		int byte = builder->column_bytes[i];

		resume(builder, state, byte);
		next = builder->walk.is_found ? FOUND : KP_REGEX_DEAD;
		if (next == KP_REGEX_DEAD && byte != KP_REGEX_NO_BYTE) {
			advance(builder, byte);
			if (!find_state(builder, &builder->other, byte, &next))
				return false;
		}
		builder->out->table[state * columns + i] =
		    (uint16_t)(next * columns);
	}
	return builder->steps <= KP_REGEX_MAX_AUTOMATON_STEPS;
}

static bool
build(struct builder *builder, uint16_t *scratch)
{
	uint32_t start;

	kp_regex_walk_init(&builder->walk, &builder->one, &builder->other,
	    builder->regex, scratch);
	builder->num_words = (builder->regex->num + WORD_BITS - 1) / WORD_BITS;
	make_columns(builder);
	if (!grow(builder))
		return false;
	builder->out->num_states = FOUND + 1;
	builder->walk.keeps_tests = true;
	kp_regex_reach(&builder->walk, &builder->other, 0, 0);
	if (!find_state(builder, &builder->other, KP_REGEX_NO_BYTE, &start))
		return false;
	builder->out->start = (uint16_t)(start * builder->out->num_columns);
	for (uint32_t i = 0; i <= FOUND; i++)
		for (uint32_t c = 0; c < builder->out->num_columns; c++)
			builder->out->table[i * builder->out->num_columns + c] =
			    (uint16_t)(i * builder->out->num_columns);
	for (uint32_t i = FOUND + 1; i < builder->out->num_states; i++)
		if (!fill_row(builder, i))
			return false;
	return true;
}

void
kp_regex_automaton_make(
    struct kp_regex_automaton *automaton, const struct kp_regex *regex)
{
	struct builder builder = { .regex = regex, .out = automaton };
	uint16_t *scratch;

	if (regex->num > KP_REGEX_MAX_AUTOMATON_CODE)
		return;
	scratch = kp_try_alloc(
	    regex->num * KP_REGEX_SCRATCH_OF_ONE * sizeof(*scratch));
	if (scratch == NULL || !build(&builder, scratch)) {
		free(automaton->table);
		automaton->table = NULL;
	}
	free(builder.sets);
	free(scratch);
}

bool
kp_regex_automaton_run(
    const struct kp_regex_automaton *automaton, struct kp_bytes text)
{
	const uint16_t *table = automaton->table;
	uint32_t found = automaton->num_columns, at = automaton->start;

	for (size_t i = 0; i < text.len && at > found; i++)
		at = table[at + automaton->columns[text.data[i]]];
	if (at > found)
		at = table[at + automaton->num_columns - 1];
	return at == found;
}
