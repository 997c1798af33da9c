/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command line, parsed as a table of commands says, in the GNU manner:
 * --flag=value, --flag value (not where the value may be left out), -f value,
 * -fvalue, -f=value, switches of one letter together, flags and operands in any
 * order, "--" before operands that look like flags. @thread main
 */
#ifndef KP_CLI_ARGS_H
#define KP_CLI_ARGS_H

#include "base/error.h"
#include "cli/command.h"

/* Commands within commands. */
#define KP_ARGS_MAX_DEPTH 4

struct kp_said_flag {
	const struct kp_flag *flag;
	const char *text; /* of a switch "true" or "false" */
};

/* Texts are borrowed from the command line. */
struct kp_args {
	/* From the program to the command that was named. */
	const struct kp_command *path[KP_ARGS_MAX_DEPTH];
	size_t depth;
	struct kp_said_flag *flags;
	size_t num_flags;
	const char **operands;
	size_t num_operands;
	bool is_help; /* --help was said: nothing else need be right */
};

/*
 * kp_args_parse reads words, without the program's name. On failure err is a
 * sentence with a suggestion, and out tells as far as it was understood. To be
 * ended with kp_args_fini either way.
 */
bool kp_args_parse(struct kp_args *out, const struct kp_command *program,
    const char *const *words, size_t num_words,
    struct kp_error *err) KP_MUST_CHECK;
void kp_args_fini(struct kp_args *args);

/* kp_args_command is the innermost command that was named. */
const struct kp_command *kp_args_command(const struct kp_args *args);

/* kp_args_find_flag finds a flag of the command or of what it is part of. */
const struct kp_flag *kp_args_find_flag(
    const struct kp_args *args, const char *name, size_t len);
const struct kp_flag *kp_args_find_letter(
    const struct kp_args *args, char letter);

/*
 * kp_args_text is what the flag called name was said to be, or its fallback, or
 * NULL. There must be such a flag, here and below.
 */
const char *kp_args_text(const struct kp_args *args, const char *name);

/* kp_args_is: was the switch called name set? */
bool kp_args_is(const struct kp_args *args, const char *name);

/*
 * kp_args_next is for flags that are repeated: it returns the next text from
 * *at on, which starts at 0, and NULL after the last.
 */
const char *kp_args_next(
    const struct kp_args *args, const char *name, size_t *at);

#endif
