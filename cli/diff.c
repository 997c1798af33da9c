/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/diff.h"

#include <stdio.h>

#include "cli/color.h"
#include "cli/diff_priv.h"

#define CONTEXT 3

/* A place in both texts. */
struct place {
	size_t a, b;
};

struct printer {
	struct kp_buf *out;
	const struct kp_diff_lines *a, *b;
	bool is_terminal;
};

static void
begin_color(const struct printer *p, const char *color)
{
	if (p->is_terminal)
		kp_buf_add_text(p->out, color);
}

static void
end_color(const struct printer *p)
{
	if (p->is_terminal)
		kp_buf_add_text(p->out, KP_COLOR_OFF);
}

/* A file must not play with the reader's terminal. */
static void
add_line(const struct printer *p, struct kp_bytes line)
{
	for (size_t i = 0; i < line.len; i++) {
		uint8_t c = line.data[i];
		bool is_control =
		    (c < 0x20 && c != '\t') || c == 0x7f ||
		    (c == 0xc2 && i + 1 < line.len && line.data[i + 1] < 0xa0);

		if (p->is_terminal && is_control)
			kp_buf_printf(p->out, "\\x%02x", c);
		else
			kp_buf_add(p->out, &c, 1);
	}
}

static void
print_line(const struct printer *p, char sign, struct kp_bytes line)
{
	bool has_end = line.len > 0 && line.data[line.len - 1] == '\n';

	if (sign != ' ')
		begin_color(p, sign == '-' ? KP_COLOR_RED : KP_COLOR_GREEN);
	kp_buf_printf(p->out, "%c", sign);
	line.len -= has_end;
	add_line(p, line);
	if (sign != ' ')
		end_color(p);
	kp_buf_add_text(
	    p->out, has_end ? "\n" : "\n\\ No newline at end of file\n");
}

static bool
is_change(const struct printer *p, struct place at)
{
	return (at.a < p->a->num && p->a->is_changed[at.a]) ||
	       (at.b < p->b->num && p->b->is_changed[at.b]);
}

static bool
is_end(const struct printer *p, struct place at)
{
	return at.a == p->a->num && at.b == p->b->num;
}

/* The next change from at on, or the end. */
static struct place
next_change(const struct printer *p, struct place at)
{
	while (!is_end(p, at) && !is_change(p, at)) {
		at.a++;
		at.b++;
	}
	return at;
}

static struct place
skip_change(const struct printer *p, struct place at)
{
	while (at.a < p->a->num && p->a->is_changed[at.a])
		at.a++;
	while (at.b < p->b->num && p->b->is_changed[at.b])
		at.b++;
	return at;
}

/* Where the hunk ends that has a change at at: changes that are near join. */
static struct place
end_of_hunk(const struct printer *p, struct place at)
{
	for (;;) {
		struct place next;
		size_t left;

		at = skip_change(p, at);
		next = next_change(p, at);
		left = next.a - at.a;
		if (!is_end(p, next) && left <= 2 * CONTEXT) {
			at = next;
			continue;
		}
		left = left < CONTEXT ? left : CONTEXT;
		return (struct place){ at.a + left, at.b + left };
	}
}

static void
print_range(const struct printer *p, char sign, size_t from, size_t to)
{
	size_t num = to - from;

	/* an empty range names the line before it */
	kp_buf_printf(p->out, " %c%zu", sign, from + (num > 0));
	if (num != 1)
		kp_buf_printf(p->out, ",%zu", num);
}

static void
print_hunk(const struct printer *p, struct place from, struct place to)
{
	begin_color(p, KP_COLOR_CYAN);
	kp_buf_add_text(p->out, "@@");
	print_range(p, '-', from.a, to.a);
	print_range(p, '+', from.b, to.b);
	kp_buf_add_text(p->out, " @@");
	end_color(p);
	kp_buf_add_text(p->out, "\n");
	while (from.a < to.a || from.b < to.b) {
		struct place after = skip_change(p, from);

		for (; from.a < after.a; from.a++)
			print_line(p, '-', p->a->list[from.a]);
		for (; from.b < after.b; from.b++)
			print_line(p, '+', p->b->list[from.b]);
		if (from.a < to.a) {
			print_line(p, ' ', p->a->list[from.a]);
			from.a++;
			from.b++;
		}
	}
}

static void
print_name(const struct printer *p, const char *sign, const char *name)
{
	begin_color(p, KP_COLOR_BOLD);
	kp_buf_printf(p->out, "%s ", sign);
	add_line(p, kp_bytes_of(name));
	end_color(p);
	kp_buf_add_text(p->out, "\n");
}

bool
kp_diff_print(struct kp_buf *out, const struct kp_diff_side *before,
    const struct kp_diff_side *after, bool is_terminal)
{
	struct kp_diff_lines a, b;
	struct printer p = { out, &a, &b, is_terminal };
	struct place at = { 0, 0 };

	if (kp_bytes_equal(before->text, after->text))
		return true;
	kp_diff_lines_init(&a, before->text);
	kp_diff_lines_init(&b, after->text);
	kp_diff_mark(&a, &b);
	print_name(&p, "---", before->name);
	print_name(&p, "+++", after->name);
	at = next_change(&p, at);
	while (!is_end(&p, at)) {
		size_t left = at.a < CONTEXT ? at.a : CONTEXT;
		struct place to = end_of_hunk(&p, at);

		print_hunk(&p, (struct place){ at.a - left, at.b - left }, to);
		at = next_change(&p, to);
	}
	kp_diff_lines_fini(&a);
	kp_diff_lines_fini(&b);
	return false;
}
