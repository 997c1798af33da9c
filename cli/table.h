/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of texts for a terminal: as many columns as it draws of each text,
 * nothing is cut off. The same in a pipe. @thread main
 */
#ifndef KP_CLI_TABLE_H
#define KP_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/bytes.h"

#define KP_TABLE_MAX_COLUMNS 16

struct kp_table_column {
	const char *name; /* NULL ends a list */
	bool is_wide;     /* shown only where wide output was asked for */
};

/* A text as it is drawn. */
struct kp_table_cell {
	const char *text; /* in the table's texts */
	size_t width;     /* in columns of a terminal */
};

/* The zero state with columns is an empty table. */
struct kp_table {
	const struct kp_table_column *columns;
	struct kp_table_cell *cells; /* row by row */
	struct kp_arena texts;       /* of the cells */
	size_t num_rows;
	bool has_no_heading;
};

/*
 * kp_table_add copies one row, a text for each column; "" and NULL are shown as
 * "<none>".
 */
void kp_table_add(struct kp_table *table, const char *const *cells);

/*
 * kp_table_print adds the table with its heading to out; control characters are
 * escaped, and what the locale cannot print. Nothing if it has no rows.
 */
void kp_table_print(
    struct kp_buf *out, const struct kp_table *table, bool is_wide);
void kp_table_fini(struct kp_table *table);

#endif
