/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pattern becomes: instructions that look at bytes. The code of a part
 * of a pattern lies in one piece, is entered at its first instruction and left
 * behind its last, and jumps relative to where it is: so it can be moved, and
 * copied where a part is repeated. @thread any
 */
#ifndef KP_RULES_REGEX_CODE_H
#define KP_RULES_REGEX_CODE_H

#include "rules/regex/regex.h"

enum kp_regex_op {
	KP_REGEX_BYTE,  /* one byte from low to high, then go to next */
	KP_REGEX_FORK,  /* both the following instruction and next */
	KP_REGEX_JUMP,  /* next */
	KP_REGEX_TEST,  /* the following one, where all conditions hold */
	KP_REGEX_FOUND, /* the end: a match */
	KP_REGEX_NEVER,
};

/* Conditions of a place between two bytes. */
enum kp_regex_condition {
	KP_REGEX_TEXT_BEGIN = 1,
	KP_REGEX_TEXT_END = 2,
	KP_REGEX_LINE_BEGIN = 4,
	KP_REGEX_LINE_END = 8,
	KP_REGEX_WORD_EDGE = 16,
	KP_REGEX_NO_WORD_EDGE = 32,
};

struct kp_regex_instruction {
	uint8_t op;
	uint8_t low, high; /* BYTE; TEST: low has the conditions */
	uint8_t has_more;  /* BYTE: the following instruction as well */
	int32_t next;      /* relative to this one */
};

/* Code that grows. A failure is sticky, and leaves fault set. */
struct kp_regex_code {
	struct kp_regex_instruction *list;
	uint32_t num, capacity;
	struct kp_regex_meter *meter; /* or NULL */
	struct kp_regex_fault *fault;
	uint32_t pos; /* in the pattern, for faults */
	bool failed;
};

void kp_regex_code_fini(struct kp_regex_code *code);

/* kp_regex_fail sets the fault of code and returns false. */
bool kp_regex_fail(struct kp_regex_code *code, enum kp_regex_fault_kind kind,
    size_t pos, const char *fmt, ...) KP_PRINTF(4, 5);

/* kp_regex_extend adds num instructions, not filled; NULL on failure. */
struct kp_regex_instruction *kp_regex_extend(
    struct kp_regex_code *code, uint32_t num);

bool kp_regex_add(struct kp_regex_code *code,
    struct kp_regex_instruction instruction) KP_MUST_CHECK;

/* kp_regex_insert puts an instruction in front of the code from at on. */
bool kp_regex_insert(struct kp_regex_code *code, uint32_t at,
    struct kp_regex_instruction instruction) KP_MUST_CHECK;

/* kp_regex_repeat makes the code from start on min to max times itself; max
 * KP_REGEX_NO_MAX: as often as you like. */
#define KP_REGEX_NO_MAX UINT32_MAX
bool kp_regex_repeat(struct kp_regex_code *code, uint32_t start, uint32_t min,
    uint32_t max) KP_MUST_CHECK;

#endif
