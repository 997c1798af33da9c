/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#include <stdint.h>
#include <stdlib.h>
#include <wchar.h>
#include <wctype.h>

#include "base/alloc.h"
#include "cli/escape.h"
#include "cli/output.h"

/* None of our own: what a table is made of is bounded where it comes from. */
#define MAX_TEXTS_LEN (SIZE_MAX / 2)
/* Between columns. */
#define GAP_WIDTH 3
/* Of bytes that cannot be printed four are made of one. */
#define GROWTH 4

static size_t
count_columns(const struct kp_table *table)
{
	size_t num = 0;

	while (table->columns[num].name != NULL)
		num++;
	kp_assert(num > 0 && num <= KP_TABLE_MAX_COLUMNS);
	return num;
}

/*
 * Adds the character that text begins with, as a terminal of this locale draws
 * it, and its width. Returns its length.
 */
static size_t
draw_character(struct kp_buf *out, size_t *width, const char *text)
{
	mbstate_t state = { 0 };
	wchar_t character;
	size_t max_len = strnlen(text, MB_CUR_MAX);
	size_t len = mbrtowc(&character, text, max_len, &state);
	bool is_one = len != (size_t)-1 && len != (size_t)-2;

	if (is_one && iswprint((wint_t)character)) {
		int columns = wcwidth(character);

		kp_buf_add(out, text, len);
		*width += columns > 0 ? (size_t)columns : 0;
		return len;
	}
	if (!is_one)
		len = 1;
	for (size_t i = 0; i < len; i++)
		kp_buf_printf(out, "\\x%02x", (unsigned char)text[i]);
	*width += len * GROWTH;
	return len;
}

/*
 * The slow way, for any text. It is escaped first: what a locale takes for
 * printable need not be so for the terminal.
 */
static struct kp_table_cell
draw(struct kp_arena *texts, const char *text)
{
	char *escaped = kp_escape_dup(text);
	struct kp_table_cell cell = { .width = 0 };
	struct kp_buf drawn;

	kp_buf_init(&drawn, GROWTH * strlen(escaped) + 1);
	for (const char *at = escaped; *at != '\0';)
		at += draw_character(&drawn, &cell.width, at);
	kp_output_part(&drawn);
	cell.text = kp_arena_copy(texts, kp_buf_bytes(&drawn));
	kp_buf_fini(&drawn);
	free(escaped);
	return cell;
}

/* How many characters text begins with that are one column and byte each. */
static size_t
count_plain(const char *text)
{
	size_t len = 0;

	while (text[len] >= ' ' && text[len] <= '~')
		len++;
	return len;
}

static struct kp_table_cell
cell_of(struct kp_arena *texts, const char *text)
{
	size_t len = count_plain(text);
	struct kp_table_cell cell = { .width = len };

	if (text[len] == '\0')
		cell.text = kp_arena_copy(
		    texts, (struct kp_bytes){ (const uint8_t *)text, len });
	else
		cell = draw(texts, text);
	if (cell.text == NULL) {
		kp_output_refuse();
		return (struct kp_table_cell){ .text = "" };
	}
	return cell;
}

/* Makes room for one more row; capacities are the powers of two. */
static void
reserve(struct kp_table *table, size_t num_columns)
{
	size_t num = table->num_rows;

	if (num == 0)
		kp_arena_init(&table->texts, MAX_TEXTS_LEN);
	if ((num & (num - 1)) == 0)
		table->cells =
		    kp_realloc(table->cells, (num == 0 ? 1 : 2 * num),
			num_columns * sizeof(*table->cells));
}

void
kp_table_add(struct kp_table *table, const char *const *cells)
{
	size_t num = count_columns(table);

	reserve(table, num);
	for (size_t i = 0; i < num; i++) {
		bool is_empty = cells[i] == NULL || cells[i][0] == '\0';

		table->cells[table->num_rows * num + i] =
		    cell_of(&table->texts, is_empty ? "<none>" : cells[i]);
	}
	table->num_rows++;
}

/* What of a table is printed: which of its columns, and how wide they are. */
struct layout {
	size_t columns[KP_TABLE_MAX_COLUMNS], widths[KP_TABLE_MAX_COLUMNS];
	size_t num, num_all;
};

static struct layout
layout_of(const struct kp_table *table, bool is_wide)
{
	struct layout layout = { .num_all = count_columns(table) };

	for (size_t i = 0; i < layout.num_all; i++) {
		size_t width = strlen(table->columns[i].name);

		if (!is_wide && table->columns[i].is_wide)
			continue;
		for (size_t row = 0; row < table->num_rows; row++) {
			const struct kp_table_cell *cell =
			    &table->cells[row * layout.num_all + i];

			if (cell->width > width)
				width = cell->width;
		}
		layout.columns[layout.num] = i;
		layout.widths[layout.num++] = width;
	}
	return layout;
}

/* cells: of all columns, also of those that are not shown */
static void
add_line(struct kp_buf *out, const struct layout *layout,
    const struct kp_table_cell *cells)
{
	for (size_t i = 0; i < layout->num; i++) {
		const struct kp_table_cell *cell = &cells[layout->columns[i]];

		kp_buf_add_text(out, cell->text);
		if (i + 1 < layout->num)
			kp_buf_add_spaces(
			    out, layout->widths[i] - cell->width + GAP_WIDTH);
	}
	kp_buf_add_text(out, "\n");
}

static void
add_heading(struct kp_buf *out, const struct kp_table *table,
    const struct layout *layout)
{
	struct kp_table_cell cells[KP_TABLE_MAX_COLUMNS];

	for (size_t i = 0; i < layout->num_all; i++) {
		cells[i].text = table->columns[i].name;
		cells[i].width = strlen(cells[i].text);
	}
	add_line(out, layout, cells);
}

void
kp_table_print(struct kp_buf *out, const struct kp_table *table, bool is_wide)
{
	struct layout layout = layout_of(table, is_wide);

	if (table->num_rows == 0)
		return;
	if (!table->has_no_heading)
		add_heading(out, table, &layout);
	for (size_t row = 0; row < table->num_rows; row++)
		add_line(out, &layout, table->cells + row * layout.num_all);
}

void
kp_table_fini(struct kp_table *table)
{
	kp_arena_fini(&table->texts);
	free(table->cells);
	table->cells = NULL;
	table->num_rows = 0;
}
