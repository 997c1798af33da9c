/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/diagnostics.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

/* Length of one line; what is longer is cut. */
#define MAX_LINE_LEN 1024

static void
problem_fini(struct kp_problem *problem)
{
	free(problem->file);
	free(problem->kind);
	free(problem->name);
	free(problem->path);
	free(problem->message);
}

void
kp_diagnostics_fini(struct kp_diagnostics *diagnostics)
{
	for (size_t i = 0; i < diagnostics->num_lines; i++) {
		problem_fini(&diagnostics->problems[i]);
		free(diagnostics->lines[i]);
	}
	free(diagnostics->problems);
	free(diagnostics->lines);
	*diagnostics = (struct kp_diagnostics){ 0 };
}

/*
 * Adds text with control characters as \xNN, those of C1 (C2 80 to C2 9F)
 * included, so that a file cannot play with the reader's terminal.
 */
static void
add_escaped(struct kp_buf *out, const char *text)
{
	for (const char *at = text; *at != '\0'; at++) {
		unsigned char c = (unsigned char)at[0];
		unsigned char next = (unsigned char)at[1];
		bool is_c1 = c == 0xc2 && next >= 0x80 && next <= 0x9f;

		if (c >= 0x20 && c != 0x7f && !is_c1)
			kp_buf_add(out, at, 1);
		else
			kp_buf_printf(out, "\\x%02x", c);
		if (!is_c1)
			continue;
		kp_buf_printf(out, "\\x%02x", next);
		at++;
	}
}

/* Lines of a text stay lines, indented: none of them looks like a problem. */
static void
add_lines(struct kp_buf *out, const char *text)
{
	char *copy = kp_strdup(text), *rest = copy, *line;

	for (bool is_first = true; (line = strsep(&rest, "\n")) != NULL;
	     is_first = false) {
		if (!is_first)
			kp_buf_add_text(out, "\n\t");
		add_escaped(out, line);
	}
	free(copy);
}

/* "text" as far as it goes after quote, or nothing. */
static char *
dup_quoted(const char *quote)
{
	if (quote == NULL)
		return kp_strdup("");
	return kp_strndup(quote + 1, strcspn(quote + 1, "\""));
}

/* What text says apart from where. */
static const char *
without_path(const char *text, const char *path)
{
	size_t len = strlen(path);

	if (len > 0 && strncmp(text, path, len) == 0 &&
	    strncmp(text + len, ": ", 2) == 0)
		return text + len + 2;
	return text;
}

static struct kp_problem
problem_of(const struct kp_origin *at, const char *title, const char *path,
    const char *text)
{
	struct kp_problem problem = {
		.file = kp_strdup(at->file),
		.line = at->line,
		.column = at->column,
		.kind = kp_strndup(title, strcspn(title, " ")),
		.name = dup_quoted(strchr(title, '"')),
		.path = kp_strdup(path),
		.message = kp_strdup(without_path(text, path)),
	};

	/* each may have been cut to its length, through a character */
	kp_utf8_clean(problem.kind);
	kp_utf8_clean(problem.name);
	kp_utf8_clean(problem.path);
	kp_utf8_clean(problem.message);

	return problem;
}

static char *
line_of(const struct kp_origin *at, const char *title, const char *text)
{
	struct kp_buf line;
	char *copy;

	/* Escaping makes text four times as long at worst. */
	kp_buf_init_small(&line, 16 * MAX_LINE_LEN);
	add_escaped(&line, at->file);
	if (at->line > 0)
		kp_buf_printf(&line, ":%u:%u", at->line, at->column);
	kp_buf_add_text(&line, ": ");
	add_escaped(&line, title);
	if (title[0] != '\0')
		kp_buf_add_text(&line, ": ");
	add_lines(&line, text);
	copy = kp_strdup(kp_buf_text(&line));
	kp_buf_fini(&line);
	return copy;
}

void
kp_diagnostics_add_about(struct kp_diagnostics *diagnostics,
    const struct kp_origin *at, const char *title, const char *path,
    const char *text)
{
	size_t num = diagnostics->num_lines;

	if (num == KP_MAX_DIAGNOSTICS) {
		diagnostics->num_left_out++;
		return;
	}
	if (num == 0) {
		diagnostics->lines =
		    kp_alloc(KP_MAX_DIAGNOSTICS, sizeof(char *));
		diagnostics->problems =
		    kp_alloc(KP_MAX_DIAGNOSTICS, sizeof(struct kp_problem));
	}
	diagnostics->lines[num] = line_of(at, title, text);
	diagnostics->problems[num] = problem_of(at, title, path, text);
	diagnostics->num_lines++;
}

void
kp_diagnostics_add(struct kp_diagnostics *diagnostics,
    const struct kp_origin *at, const char *fmt, ...)
{
	char text[MAX_LINE_LEN];
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		text[0] = '\0';
	va_end(args);
	kp_diagnostics_add_about(diagnostics, at, "", "", text);
}

void
kp_diagnostics_add_yaml(struct kp_diagnostics *diagnostics, const char *file,
    const struct kp_error *err)
{
	struct kp_origin at = { .file = file };
	int len = 0;

	diagnostics->is_refused |= err->kind == KP_ERR_SYSTEM;
	if (sscanf(err->text, "%u:%u: %n", &at.line, &at.column, &len) < 2)
		len = 0;
	kp_diagnostics_add(diagnostics, &at, "%s", err->text + len);
}

size_t
kp_diagnostics_count(const struct kp_diagnostics *diagnostics)
{
	return diagnostics->num_lines + diagnostics->num_left_out;
}

void
kp_diagnostics_print(
    const struct kp_diagnostics *diagnostics, struct kp_buf *out)
{
	for (size_t i = 0; i < diagnostics->num_lines; i++) {
		kp_buf_add_text(out, diagnostics->lines[i]);
		kp_buf_add_text(out, "\n");
	}
	if (diagnostics->num_left_out > 0)
		kp_buf_printf(
		    out, "and %zu more problems\n", diagnostics->num_left_out);
}
