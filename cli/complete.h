/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shell completion. The scripts that `kpctl completion` prints ask
 * `kpctl __complete -- WORDS...` what the last word may become; the answer
 * comes from the table of commands, so no script has to be made anew. @thread
 * main
 */
#ifndef KP_CLI_COMPLETE_H
#define KP_CLI_COMPLETE_H

#include "base/bytes.h"
#include "cli/args.h"

/* What the last word may become. */
struct kp_candidates {
	struct kp_buf lines;
	const char *begun;  /* only what begins so is added */
	const char *prefix; /* stands in front of every one: "--output=" */
	size_t prefix_len;
	bool is_to_go_on; /* no blank after the word: it may continue */
	bool is_file;     /* names of files, which the shell knows best */
};

/* kp_candidates_add adds word with its help if it fits; says whether it does.
 */
bool kp_candidates_add(
    struct kp_candidates *out, const char *word, const char *help);

/*
 * kp_complete adds to out a line "WORD<tab>HELP" for each candidate, and at
 * last
 * ":files", ":nospace" or ":none". The last of words is the one to complete.
 */
void kp_complete(struct kp_buf *out, const struct kp_command *program,
    const char *const *words, size_t num_words);

#endif
