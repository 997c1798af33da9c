/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/diagnostics.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

/* Length of one line; what is longer is cut. */
#define MAX_LINE_LEN 1024

void
kp_diagnostics_fini(struct kp_diagnostics *diagnostics)
{
	for (size_t i = 0; i < diagnostics->num_lines; i++)
		free(diagnostics->lines[i]);
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

static void
append(struct kp_diagnostics *diagnostics, const struct kp_buf *line)
{
	if (diagnostics->lines == NULL)
		diagnostics->lines =
		    kp_alloc(KP_MAX_DIAGNOSTICS, sizeof(char *));
	diagnostics->lines[diagnostics->num_lines++] =
	    kp_strndup((const char *)line->data, line->len);
}

void
kp_diagnostics_add(struct kp_diagnostics *diagnostics,
    const struct kp_origin *at, const char *fmt, ...)
{
	char text[MAX_LINE_LEN];
	struct kp_buf line;
	va_list args;

	if (diagnostics->num_lines == KP_MAX_DIAGNOSTICS) {
		diagnostics->num_left_out++;
		return;
	}
	va_start(args, fmt);
	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		text[0] = '\0';
	va_end(args);
	/* Escaping makes text four times as long at worst. */
	kp_buf_init(&line, 16 * MAX_LINE_LEN);
	add_escaped(&line, at->file);
	if (at->line > 0)
		kp_buf_printf(&line, ":%u:%u", at->line, at->column);
	kp_buf_add_text(&line, ": ");
	add_escaped(&line, text);
	append(diagnostics, &line);
	kp_buf_fini(&line);
}

void
kp_diagnostics_add_yaml(struct kp_diagnostics *diagnostics, const char *file,
    const struct kp_error *err)
{
	struct kp_origin at = { .file = file };
	int len = 0;

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
