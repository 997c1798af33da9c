/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions in RE2's syntax, matched in time that grows no faster
 *than the text. They say whether there is a match, not where. A compiled
 *pattern is immutable: threads may share it. @thread any
 *
 *	regex = kp_regex_new(pattern, KP_REGEX_WHOLE, NULL, &fault);
 *	if (kp_regex_match(regex, text, NULL, NULL) == KP_REGEX_MATCH) ...
 */
#ifndef KP_RULES_REGEX_REGEX_H
#define KP_RULES_REGEX_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

/* Bytes of a pattern, and groups inside each other. */
#define KP_REGEX_MAX_PATTERN_LEN 4096
#define KP_REGEX_MAX_DEPTH 64
/* The largest count of a repetition, those inside it multiplied: RE2's. */
#define KP_REGEX_MAX_REPEAT 1000
/* Groups with a name. */
#define KP_REGEX_MAX_NAMES 64
/* Separate ranges of one class of characters. */
#define KP_REGEX_MAX_RANGES 512
/* Instructions of 8 bytes that a pattern may become. */
#define KP_REGEX_MAX_INSTRUCTIONS 32768

/* An automaton is made if it stays below all of these. */
#define KP_REGEX_MAX_STATES 1024
#define KP_REGEX_MAX_TABLE 32768 /* entries of two bytes */
#define KP_REGEX_MAX_AUTOMATON_CODE 2048
#define KP_REGEX_MAX_AUTOMATON_STEPS 500000

enum kp_regex_fault_kind {
	KP_REGEX_FAULT_NONE = 0,
	KP_REGEX_FAULT_SYNTAX,
	KP_REGEX_FAULT_LIMIT,  /* too long, too deep, too large */
	KP_REGEX_FAULT_COST,   /* the meter is spent */
	KP_REGEX_FAULT_MEMORY, /* refused by the system */
};

struct kp_regex_fault {
	enum kp_regex_fault_kind kind;
	uint32_t pos; /* in bytes from the beginning of the pattern */
	char text[160];
};

/*
 * What compiling and matching may take, and what they took: one step for each
 * instruction that is made, moved or looked at, or 16 bytes of a text that were
 * only searched. A matching or compiling that finds it spent ends.
 */
struct kp_regex_meter {
	uint64_t used, max;
};

enum kp_regex_flag {
	KP_REGEX_WHOLE = 1, /* the whole text is to match, not a part of it */
	KP_REGEX_ONCE = 2,  /* for one text or two: no automaton is made */
};

enum kp_regex_result {
	KP_REGEX_NO_MATCH,
	KP_REGEX_MATCH,
	KP_REGEX_SPENT, /* the meter */
};

struct kp_regex;

/*
 * kp_regex_new compiles; flags are of enum kp_regex_flag, meter may be NULL.
 * NULL and *fault if the pattern is none or reaches a limit.
 */
struct kp_regex *kp_regex_new(struct kp_bytes pattern, unsigned flags,
    struct kp_regex_meter *meter, struct kp_regex_fault *fault);
void kp_regex_free(struct kp_regex *regex);

/* Bytes that matching needs for itself, aligned for uint16_t: mostly 0, and
 * never more than 10 * KP_REGEX_MAX_INSTRUCTIONS. */
size_t kp_regex_scratch_len(const struct kp_regex *regex);

/* kp_regex_max_steps: what matching a text of this length may take. */
uint64_t kp_regex_max_steps(const struct kp_regex *regex, uint64_t text_len);

/*
 * kp_regex_match works in scratch, of kp_regex_scratch_len() bytes or NULL if
 * that is 0. A byte of the text that belongs to no character in UTF-8 is
 * matched by nothing. meter may be NULL: time is bounded by the product of the
 * lengths of text and code.
 */
enum kp_regex_result kp_regex_match(const struct kp_regex *regex,
    struct kp_bytes text, void *scratch, struct kp_regex_meter *meter);

#endif
