/* SPDX-License-Identifier: Apache-2.0 */
/*
 * E. Myers, "An O(ND) difference algorithm and its variations", 1986. With d
 * changes one gets x lines into the first and x - k into the second text; how
 * far is kept for every diagonal k and every d, to find the way back.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "cli/diff_priv.h"

#define MAX KP_DIFF_MAX_CHANGES

/* What is left of both texts without their common beginning and end. */
struct window {
	const struct kp_bytes *a, *b;
	bool *a_changed, *b_changed;
	int32_t num_a, num_b;
	int32_t *reach;    /* by diagonal, -MAX - 1 to MAX + 1 */
	int32_t **history; /* by d: reach of -d to d before that step */
};

static size_t
count_lines(struct kp_bytes text)
{
	size_t num = 0;

	for (size_t i = 0; i < text.len; i++)
		num += text.data[i] == '\n';
	return num + (text.len > 0 && text.data[text.len - 1] != '\n');
}

void
kp_diff_lines_init(struct kp_diff_lines *out, struct kp_bytes text)
{
	size_t at = 0;

	out->num = count_lines(text);
	out->list = kp_alloc(out->num + 1, sizeof(*out->list));
	out->is_changed = kp_alloc(out->num + 1, sizeof(*out->is_changed));
	for (size_t i = 0; i < out->num; i++) {
		const uint8_t *line = text.data + at;
		const uint8_t *end = memchr(line, '\n', text.len - at);
		size_t len =
		    end == NULL ? text.len - at : (size_t)(end - line) + 1;

		out->list[i] = (struct kp_bytes){ line, len };
		at += len;
	}
}

void
kp_diff_lines_fini(struct kp_diff_lines *lines)
{
	free(lines->list);
	free(lines->is_changed);
	*lines = (struct kp_diff_lines){ 0 };
}

/* Does the way to diagonal k, with d changes, come from above (an addition)? */
static bool
is_addition(const int32_t *reach, int32_t d, int32_t k)
{
	if (k == -d)
		return true;
	return k != d && reach[k - 1] < reach[k + 1];
}

/* As far as one gets on diagonal k with one more change, then without any. */
static int32_t
advance(const struct window *w, const int32_t *reach, int32_t d, int32_t k)
{
	int32_t x = is_addition(reach, d, k) ? reach[k + 1] : reach[k - 1] + 1;

	while (x < w->num_a && x - k < w->num_b &&
	       kp_bytes_equal(w->a[x], w->b[x - k]))
		x++;
	return x;
}

static void
keep(struct window *w, int32_t d)
{
	size_t num = 2 * (size_t)d + 1;

	w->history[d] = kp_alloc(num, sizeof(**w->history));
	kp_copy(w->history[d], w->reach + MAX + 1 - d, num * sizeof(int32_t));
}

/* Returns the least number of changes; -1 if that is beyond the bound. */
static int32_t
search(struct window *w)
{
	int32_t *reach = w->reach + MAX + 1;

	for (int32_t d = 0; d <= MAX; d++) {
		keep(w, d);
		for (int32_t k = -d; k <= d; k += 2) {
			/* beyond a text there is nothing to find */
			reach[k] = advance(w, reach, d, k);
			if (reach[k] >= w->num_a && reach[k] - k >= w->num_b)
				return d;
		}
	}
	return -1;
}

/* Goes the way back from the end and marks every change. */
static void
mark_way(struct window *w, int32_t changes)
{
	int32_t k = w->num_a - w->num_b;

	for (int32_t d = changes; d > 0; d--) {
		const int32_t *reach = w->history[d] + d;
		bool is_added = is_addition(reach, d, k);
		int32_t x;

		k += is_added ? 1 : -1;
		x = reach[k];
		if (is_added)
			w->b_changed[x - k] = true;
		else
			w->a_changed[x] = true;
	}
}

static void
mark_all(struct window *w)
{
	for (int32_t i = 0; i < w->num_a; i++)
		w->a_changed[i] = true;
	for (int32_t i = 0; i < w->num_b; i++)
		w->b_changed[i] = true;
}

static void
mark_window(struct window *w)
{
	int32_t changes;

	w->reach = kp_alloc(2 * MAX + 3, sizeof(*w->reach));
	w->history = kp_alloc(MAX + 1, sizeof(*w->history));
	changes = search(w);
	if (changes < 0)
		mark_all(w);
	else
		mark_way(w, changes);
	for (int32_t d = 0; d <= MAX; d++)
		free(w->history[d]);
	free(w->history);
	free(w->reach);
}

void
kp_diff_mark(struct kp_diff_lines *before, struct kp_diff_lines *after)
{
	size_t first = 0, num_a = before->num, num_b = after->num;
	struct window w;

	while (first < num_a && first < num_b &&
	       kp_bytes_equal(before->list[first], after->list[first]))
		first++;
	while (
	    num_a > first && num_b > first &&
	    kp_bytes_equal(before->list[num_a - 1], after->list[num_b - 1])) {
		num_a--;
		num_b--;
	}
	kp_assert(num_a < INT32_MAX / 2 && num_b < INT32_MAX / 2);
	w = (struct window){
		.a = before->list + first,
		.b = after->list + first,
		.a_changed = before->is_changed + first,
		.b_changed = after->is_changed + first,
		.num_a = (int32_t)(num_a - first),
		.num_b = (int32_t)(num_b - first),
	};
	mark_window(&w);
}
