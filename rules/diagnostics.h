/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that is wrong with the operator's files, not only the first thing: a
 * bounded list of "file:line:column: text". Where a struct kp_error ends one
 * call, diagnostics are collected over many files and printed together.
 * @thread any, one at a time
 */
#ifndef KP_RULES_DIAGNOSTICS_H
#define KP_RULES_DIAGNOSTICS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/error.h"

/* More are counted, not kept. */
#define KP_MAX_DIAGNOSTICS 200

/* Where something was said. file is borrowed; line 0: the file as a whole. */
struct kp_origin {
	const char *file;
	unsigned line, column;
};

/* One problem in its parts, as it was said: nothing is escaped. UTF-8, but for
 * file, which is the caller's. */
struct kp_problem {
	char *file;
	unsigned line, column; /* 0: the file as a whole */
	char *kind, *name;     /* of the resource; "" where there is none */
	char *path;            /* "spec.ports.first"; "": not of one field */
	char *message;
};

/* The zero state is an empty list. */
struct kp_diagnostics {
	/* "file:line:column: text", control characters escaped; what has more
	 * lines than one has all but the first indented */
	char **lines;
	struct kp_problem *problems; /* one for each line */
	size_t num_lines;
	size_t num_left_out; /* beyond KP_MAX_DIAGNOSTICS */
	bool is_refused;     /* there was no memory to read one of the files */
};

void kp_diagnostics_fini(struct kp_diagnostics *diagnostics);

void kp_diagnostics_add(struct kp_diagnostics *diagnostics,
    const struct kp_origin *at, const char *fmt, ...) KP_PRINTF(3, 4);

/*
 * kp_diagnostics_add_about adds a problem of what title (`Kind "name"`, `Kind`
 * or "") names, in the field path ("": in none). text may begin with the path.
 */
void kp_diagnostics_add_about(struct kp_diagnostics *diagnostics,
    const struct kp_origin *at, const char *title, const char *path,
    const char *text);

/* kp_diagnostics_add_yaml adds what kp_yaml_parse said about file. */
void kp_diagnostics_add_yaml(struct kp_diagnostics *diagnostics,
    const char *file, const struct kp_error *err);

/* kp_diagnostics_count is how many there were, kept or not. */
size_t kp_diagnostics_count(const struct kp_diagnostics *diagnostics);

/* kp_diagnostics_print adds one line each to out. */
void kp_diagnostics_print(
    const struct kp_diagnostics *diagnostics, struct kp_buf *out);

#endif
