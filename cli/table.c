/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "cli/escape.h"

#define GAP "   "

static size_t
count_columns(const struct kp_table *table)
{
	size_t num = 0;

	while (table->columns[num].name != NULL)
		num++;
	kp_assert(num > 0 && num <= KP_TABLE_MAX_COLUMNS);
	return num;
}

void
kp_table_add(struct kp_table *table, const char *const *cells)
{
	size_t num = count_columns(table);

	table->cells = kp_realloc(
	    table->cells, (table->num_rows + 1) * num, sizeof(*table->cells));
	for (size_t i = 0; i < num; i++) {
		bool is_empty = cells[i] == NULL || cells[i][0] == '\0';

		table->cells[table->num_rows * num + i] =
		    kp_escape_dup(is_empty ? "<none>" : cells[i]);
	}
	table->num_rows++;
}

/* Fails only where memory is refused. */
static void
fill(struct libscols_table *drawn, const struct kp_table *table, bool is_wide)
{
	size_t num = count_columns(table);

	for (size_t i = 0; i < num; i++) {
		struct libscols_column *column;

		if (!is_wide && table->columns[i].is_wide)
			continue;
		column =
		    scols_table_new_column(drawn, table->columns[i].name, 0, 0);
		kp_assert(column != NULL);
		/* cells are escaped already */
		kp_assert(scols_column_set_safechars(column, "\\") == 0);
	}
	for (size_t row = 0; row < table->num_rows; row++) {
		struct libscols_line *line = scols_table_new_line(drawn, NULL);
		size_t at = 0;

		kp_assert(line != NULL);
		for (size_t i = 0; i < num; i++) {
			if (is_wide || !table->columns[i].is_wide)
				kp_assert(
				    scols_line_set_data(line, at++,
					table->cells[row * num + i]) == 0);
		}
	}
}

void
kp_table_print(struct kp_buf *out, const struct kp_table *table, bool is_wide)
{
	struct libscols_table *drawn = scols_new_table();
	char *text = NULL;

	kp_assert(drawn != NULL);
	kp_assert(scols_table_set_column_separator(drawn, GAP) == 0);
	/* the same in a terminal and in a pipe: nothing is cut off */
	kp_assert(scols_table_set_termforce(drawn, SCOLS_TERMFORCE_NEVER) == 0);
	if (table->has_no_heading)
		kp_assert(scols_table_enable_noheadings(drawn, 1) == 0);
	fill(drawn, table, is_wide);
	kp_assert(scols_print_table_to_string(drawn, &text) == 0);
	if (text != NULL && text[0] != '\0') {
		kp_buf_add_text(out, text);
		kp_buf_add_text(out, "\n");
	}
	free(text);
	scols_unref_table(drawn);
}

void
kp_table_fini(struct kp_table *table)
{
	for (size_t i = 0; i < table->num_rows * count_columns(table); i++)
		free(table->cells[i]);
	free(table->cells);
	table->cells = NULL;
	table->num_rows = 0;
}
