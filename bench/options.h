/* SPDX-License-Identifier: Apache-2.0 */
/* Long options of the form --name=value, from a table. @thread main */
#ifndef KP_BENCH_OPTIONS_H
#define KP_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kp_option_kind {
	KP_OPTION_TEXT,     /* const char *, borrowed from argv */
	KP_OPTION_COUNT,    /* uint64_t */
	KP_OPTION_SIZE,     /* uint64_t: 1100, 64KiB, 1MiB */
	KP_OPTION_DURATION, /* int64_t, ms: 500ms, 4s */
	KP_OPTION_FLAG,     /* bool, without a value */
};

struct kp_option {
	const char *name;
	enum kp_option_kind kind;
	void *value;
	const char *help;
};

/*
 * kp_options_parse fills the values of the table, which ends with a NULL name.
 * It ends the process with 2 after saying what is wrong, and with 0 after
 * --help.
 */
void kp_options_parse(
    const struct kp_option *options, const char *about, int argc, char **argv);

#endif
