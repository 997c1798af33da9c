/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/cel/source.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "base/utf8.h"

bool
kp_cel_fault_set(struct kp_cel_fault *fault, enum kp_cel_fault_kind kind,
    size_t pos, const char *fmt, ...)
{
	va_list args;

	fault->kind = kind;
	fault->pos = (uint32_t)pos;
	va_start(args, fmt);
	if (vsnprintf(fault->text, sizeof(fault->text), fmt, args) < 0)
		fault->text[0] = '\0';
	kp_utf8_clean(fault->text);
	va_end(args);
	return false;
}

static size_t
line_start(struct kp_bytes source, size_t pos)
{
	while (pos > 0 && source.data[pos - 1] != '\n')
		pos--;
	return pos;
}

struct kp_cel_place
kp_cel_place_of(struct kp_bytes source, size_t pos)
{
	struct kp_cel_place place = { .line = 1 };
	size_t start;

	if (pos > source.len)
		pos = source.len;
	for (size_t i = 0; i < pos; i++)
		place.line += source.data[i] == '\n';
	start = line_start(source, pos);
	place.column = (uint32_t)kp_utf8_count((struct kp_bytes){
			   source.data + start, pos - start }) +
		       1;
	return place;
}

/* One character of the excerpt; returns its length in the source. */
static size_t
add_character(struct kp_buf *out, struct kp_bytes rest)
{
	size_t len = kp_utf8_decode(rest, NULL);

	if (len == 0 || rest.data[0] < 0x20 || rest.data[0] == 0x7f) {
		kp_buf_add_text(out, rest.data[0] == '\t' ? " " : "?");
		return len == 0 ? 1 : len;
	}
	kp_buf_add(out, rest.data, len);
	return len;
}

/* The line from start on, as far as it is shown. */
static void
add_excerpt(struct kp_buf *out, struct kp_bytes source, size_t start)
{
	size_t at = start;

	for (int i = 0; i < KP_CEL_EXCERPT_LEN; i++) {
		if (at >= source.len || source.data[at] == '\n')
			return;
		at += add_character(out,
		    (struct kp_bytes){ source.data + at, source.len - at });
	}
}

/* A long line begins near the fault. */
static size_t
excerpt_start(struct kp_bytes source, size_t pos)
{
	size_t start = line_start(source, pos);

	if (pos - start < KP_CEL_EXCERPT_LEN * 3 / 4)
		return start;
	start = pos - KP_CEL_EXCERPT_LEN / 2;
	while (start < pos && (source.data[start] & 0xc0) == 0x80)
		start++;
	return start;
}

void
kp_cel_render(struct kp_buf *out, struct kp_bytes source,
    const struct kp_cel_fault *fault)
{
	size_t pos = fault->pos < source.len ? fault->pos : source.len;
	struct kp_cel_place place = kp_cel_place_of(source, pos);
	size_t start = excerpt_start(source, pos), dots;

	kp_buf_printf(
	    out, "%u:%u: %s\n | ", place.line, place.column, fault->text);
	add_excerpt(out, source, start);
	kp_buf_add_text(out, "\n | ");
	dots = kp_utf8_count(
	    (struct kp_bytes){ source.data + start, pos - start });
	while (dots-- > 0)
		kp_buf_add_text(out, ".");
	kp_buf_add_text(out, "^");
}
