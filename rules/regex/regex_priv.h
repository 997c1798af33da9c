/* SPDX-License-Identifier: Apache-2.0 */
/* A compiled pattern, and how its code is run. */
#ifndef KP_RULES_REGEX_REGEX_PRIV_H
#define KP_RULES_REGEX_REGEX_PRIV_H

#include "rules/regex/code.h"

/*
 * States of a pattern as rows of a table, one column for each kind of byte that
 * no instruction tells apart and one for the end of the text. An entry is where
 * the next state's row begins.
 */
struct kp_regex_automaton {
	uint16_t *table; /* NULL: there is none */
	uint32_t num_states, num_columns;
	uint16_t start;
	uint8_t columns[256]; /* of bytes */
};
/* Rows 0 and 1: nothing can match any more, a match was found. */
#define KP_REGEX_DEAD 0

struct kp_regex {
	const struct kp_regex_instruction *code;
	uint32_t num; /* 0: the automaton does it */
	/* Bytes that every match begins with; is_literal: and that are all. */
	uint8_t *prefix;
	size_t prefix_len;
	bool is_literal;
	bool is_begun; /* a match begins where the text does */
	bool is_ended; /* is_literal: and ends where it ends */
	struct kp_regex_automaton automaton;
};

/* Instructions that were reached, each once. */
struct kp_regex_places {
	uint16_t *dense, *sparse;
	uint32_t num;
};

struct kp_regex_walk {
	const struct kp_regex_instruction *code;
	uint16_t *stack;
	bool is_found;
	bool keeps_tests; /* those are not known yet: TEST ends a way */
};

/* uint16_t for each instruction of a walk with two sets of places. */
#define KP_REGEX_SCRATCH_OF_ONE 5

/* kp_regex_walk_init divides scratch. */
void kp_regex_walk_init(struct kp_regex_walk *walk, struct kp_regex_places *one,
    struct kp_regex_places *other, const struct kp_regex *regex,
    uint16_t *scratch);

/* kp_regex_reach adds what can be reached from at on without a byte. */
void kp_regex_reach(struct kp_regex_walk *walk, struct kp_regex_places *places,
    uint32_t at, unsigned conditions);

/* The conditions that hold between two bytes; KP_REGEX_NO_BYTE: there is none.
 */
#define KP_REGEX_NO_BYTE (-1)
unsigned kp_regex_conditions(int before, int after);
bool kp_regex_is_word(int byte);

enum kp_regex_result kp_regex_simulate(const struct kp_regex *regex,
    struct kp_bytes text, uint16_t *scratch, struct kp_regex_meter *meter);

/* kp_regex_automaton_make leaves table NULL where a limit or memory stops it.
 */
void kp_regex_automaton_make(
    struct kp_regex_automaton *automaton, const struct kp_regex *regex);
bool kp_regex_automaton_run(
    const struct kp_regex_automaton *automaton, struct kp_bytes text);

#endif
