/* SPDX-License-Identifier: Apache-2.0 */
/* How answers are written: what -o asks for, to stdout. @thread main */
#ifndef KP_CLI_OUTPUT_H
#define KP_CLI_OUTPUT_H

#include "base/bytes.h"
#include "base/yaml.h"
#include "cli/args.h"

/* The longest answer. */
#define KP_OUTPUT_MAX_LEN (64u << 20)

/* For tables of flags: -o with the words of one command. */
#define KP_OUTPUT_FLAG(the_words, the_fallback) \
	{ \
		.name = "output", .letter = 'o', .type = KP_FLAG_WORD, \
		.value = "FORMAT", .words = (the_words), \
		.fallback = (the_fallback), .help = "Form of the answer." \
	}

/* kp_output_is: was -o said to be word? */
bool kp_output_is(const struct kp_args *args, const char *word);

/* kp_output_add_tree adds tree as -o asks for, json or else YAML. */
void kp_output_add_tree(
    struct kp_buf *out, const struct kp_args *args, const struct kp_yaml *tree);

/*
 * kp_output_write writes out to stdout and ends it. If that fails, or out has
 * failed because there is too much to say, kp_output_finish says so.
 */
void kp_output_write(struct kp_buf *out);

/*
 * kp_output_refuse: there was no memory for a part of the answer. No more of it
 * is written, and kp_output_finish says why.
 */
void kp_output_refuse(void);
bool kp_output_is_refused(void);

/* kp_output_part refuses the answer if there was no memory for that part. */
void kp_output_part(const struct kp_buf *part);

/*
 * kp_output_finish flushes stdout and returns result, or KP_EXIT_FAILED if an
 * answer was not written: one that nobody got is none. It says so once.
 */
enum kp_exit kp_output_finish(enum kp_exit result);

/*
 * kp_output_check does what a write would if nobody can read stdout any more:
 * kpctl dies of SIGPIPE, or KP_EXIT_FAILED is returned, having said why. For
 * who may not write anything for a long time.
 */
enum kp_exit kp_output_check(void);

/* kp_output_problem writes one line to stderr: "kpctl: ...". */
void kp_output_problem(const char *fmt, ...) KP_PRINTF(1, 2);

#endif
