/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/escape.h"

#include "base/alloc.h"
#include "cli/output.h"

/* Of escaped bytes four are made of one. */
#define GROWTH 4

/* How many bytes a character has that begins with c; 0: none does. */
static size_t
len_of(uint8_t c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if (c >= 0xe0 && c <= 0xef)
		return 3;
	return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

/* The length of the character at text if a terminal only draws it, or 0. */
static size_t
harmless_len(const uint8_t *text)
{
	size_t len = len_of(text[0]);

	if (text[0] < 0x20 || text[0] == 0x7f)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	}
	if (text[0] == 0xc2 && text[1] < 0xa0)
		return 0;
	return len;
}

void
kp_escape_add(struct kp_buf *out, const char *text)
{
	const uint8_t *at = (const uint8_t *)text;

	while (*at != '\0') {
		size_t run = 0, len;

		/* a text is mostly one run: adding each character costs more
		 * than looking at it */
		while (at[run] != '\0' && (len = harmless_len(at + run)) > 0)
			run += len;
		kp_buf_add(out, at, run);
		at += run;
		if (*at != '\0')
			kp_buf_printf(out, "\\x%02x", *at++);
	}
}

char *
kp_escape_dup(const char *text)
{
	struct kp_buf out;
	char *copy;

	kp_buf_init(&out, GROWTH * strlen(text) + 1);
	kp_escape_add(&out, text);
	/* there is room for all of it */
	kp_assert(!out.failed || out.is_refused);
	kp_output_part(&out);
	copy = kp_strdup(kp_buf_text(&out));
	kp_buf_fini(&out);
	return copy;
}
