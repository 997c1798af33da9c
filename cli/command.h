/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What kpctl can do, as data: one table of commands (commands.c) from which
 * arguments are parsed (args.h), help, manual page and shell completion are
 * made. A new command is a row and a run function. @thread main
 */
#ifndef KP_CLI_COMMAND_H
#define KP_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

struct kp_args;
struct kp_candidates;

/* What kpctl ends with. */
enum kp_exit {
	KP_EXIT_OK = 0,
	KP_EXIT_FAILED = 1,
	KP_EXIT_USAGE = 2,
	KP_EXIT_REFUSED = 3, /* by validation */
	KP_EXIT_NO_SERVER = 4,
};

/* What each means, for people; NULL ends the list. */
extern const char *const kp_exit_meanings[];

enum kp_flag_type {
	KP_FLAG_END = 0, /* closes a table */
	KP_FLAG_SWITCH,  /* there or not; also =true, =false */
	KP_FLAG_TEXT,
	KP_FLAG_WORD,    /* one of words */
	KP_FLAG_FILE,    /* a path */
	KP_FLAG_CONTEXT, /* a name of one */
	KP_FLAG_API,     /* a request that policies judge */
};

struct kp_flag {
	const char *name; /* without dashes */
	char letter;      /* 0: none */
	enum kp_flag_type type;
	bool is_repeated; /* else the last one counts */
	bool is_required;
	const char *value;        /* its name in help: "FILE" */
	const char *const *words; /* ends with NULL */
	const char *fallback;
	/* what it is if it is said without "=VALUE"; NULL: it needs one */
	const char *bare;
	const char *help; /* a sentence */
};

struct kp_example {
	const char *what;    /* NULL ends a table */
	const char *command; /* is run by a test: see docs/kpctl.md */
};

/*
 * Adds what an operand that begins with begun may be (complete.h). args is what
 * was said before it. Where names come from a server, it asks that server: with
 * a deadline, and adds nothing if there is no answer.
 */
typedef void (*kp_complete_operand)(
    struct kp_candidates *out, const struct kp_args *args, const char *begun);

struct kp_command {
	const char *name;     /* NULL ends a table */
	const char *operands; /* in help: "[KIND[.FIELD...]]"; "": none */
	const char *summary;  /* a few words */
	const char *help;     /* sentences */
	bool is_hidden;
	size_t min_operands, max_operands;
	kp_complete_operand complete;      /* NULL: nothing to offer */
	const struct kp_flag *flags;       /* NULL: none of its own */
	const struct kp_example *examples; /* NULL: none */
	const struct kp_command *commands; /* of a group; then no run */
	enum kp_exit (*run)(const struct kp_args *args);
};

/* The program itself: a group of commands with the flags of all. */
extern const struct kp_command kp_kpctl;

/* kp_command_find returns the command called name of a group, or NULL. */
const struct kp_command *kp_command_find(
    const struct kp_command *group, const char *name);

#endif
