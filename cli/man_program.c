/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page of a program from its help, which is laid out in one way: "usage:"
 * with a line for each form, paragraphs, "heading:" with rows below it, rows
 * that are set in by two blanks and have a term and, after a gap, a text that
 * goes on in lines that are set in further.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/man.h"
#include "cli/man_priv.h"

#define USAGE "usage: "
#define GAP "  "
#define ROW_INDENT 2

struct page {
	struct kp_buf *out;
	bool is_in_row, is_literal;
};

static void
add_heading(struct page *page, const char *text, size_t len)
{
	if (page->is_literal)
		kp_buf_add_text(page->out, ".fi\n");
	kp_buf_add_text(page->out, ".SH ");
	for (size_t i = 0; i < len; i++) {
		char c = (char)toupper((unsigned char)text[i]);

		kp_buf_add(page->out, &c, 1);
	}
	kp_buf_add_text(page->out, "\n");
	/* what is to be typed is shown as it is */
	page->is_literal = len >= 7 && strncmp(text, "example", 7) == 0;
	if (page->is_literal)
		kp_buf_add_text(page->out, ".nf\n");
	page->is_in_row = false;
}

static void
add_line(struct page *page, const char *text)
{
	kp_man_add_text(page->out, text);
	kp_buf_add_text(page->out, "\n");
}

static void
add_row(struct page *page, char *row)
{
	char *gap = strstr(row, GAP);

	kp_buf_add_text(page->out, ".TP\n");
	page->is_in_row = true;
	if (gap == NULL) {
		add_line(page, row);
		return;
	}
	*gap = '\0';
	add_line(page, row);
	add_line(page, gap + 1 + strspn(gap + 1, " "));
}

/* "exit codes: 0 ok": a heading of one or two words with its text, or nothing
 * of that kind. */
static bool
add_headed(struct page *page, const char *line)
{
	size_t len = strspn(line, "abcdefghijklmnopqrstuvwxyz ");
	const char *blank = memchr(line, ' ', len);

	if (len == 0 || line[len] != ':')
		return false;
	if (blank != NULL &&
	    memchr(blank + 1, ' ', len - (size_t)(blank + 1 - line)) != NULL)
		return false;
	add_heading(page, line, len);
	line += len + 1 + strspn(line + len + 1, " ");
	if (*line != '\0')
		add_line(page, line);
	return true;
}

static void
add_body_line(struct page *page, char *line)
{
	size_t indent = strspn(line, " ");
	char *text = line + indent;
	bool is_row = indent == ROW_INDENT || strncmp(text, "--", 2) == 0;

	if (*text == '\0') {
		if (!page->is_literal)
			kp_buf_add_text(page->out, ".PP\n");
		page->is_in_row = false;
	} else if (indent > 0 && !page->is_literal && is_row) {
		add_row(page, text);
	} else if (indent > 0) {
		add_line(page, text);
	} else if (!add_headed(page, line)) {
		add_line(page, line);
	}
}

/* Forms of the command line stand below each other, and end with a blank line;
 * options follow the description. */
static char *
add_usage(struct page *page, char *rest)
{
	char *line;

	kp_buf_add_text(page->out, ".SH SYNOPSIS\n.nf\n");
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		if (strncmp(line, USAGE, sizeof(USAGE) - 1) == 0)
			line += sizeof(USAGE) - 1;
		add_line(page, line + strspn(line, " "));
	}
	kp_buf_add_text(page->out, ".fi\n.SH DESCRIPTION\n");
	return rest;
}

void
kp_man_program(
    struct kp_buf *out, const char *name, int section, const char *help)
{
	char *copy = kp_strdup(help), *rest = copy, *line;
	struct page page = { .out = out };

	kp_man_add_title(out, name, section, "a program of kproxy");
	rest = add_usage(&page, rest);
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (rest != NULL || *line != '\0')
			add_body_line(&page, line);
	}
	if (page.is_literal)
		kp_buf_add_text(out, ".fi\n");
	kp_buf_add_text(out, ".SH SEE ALSO\nkpctl(1), kproxy.yaml(5)\n");
	free(copy);
}
