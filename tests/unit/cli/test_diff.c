/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/diff.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define MAX_LEN (64u << 20)

static char *
diff(const char *a, const char *b, bool is_terminal)
{
	const struct kp_diff_side before = { "a", kp_bytes_of(a) };
	const struct kp_diff_side after = { "b", kp_bytes_of(b) };
	struct kp_buf out;
	char *text;

	kp_buf_init(&out, MAX_LEN);
	cr_assert_eq(kp_diff_print(&out, &before, &after, is_terminal),
	    strcmp(a, b) == 0);
	kp_buf_add(&out, "", 1);
	cr_assert(!out.failed);
	text = kp_strdup((const char *)out.data);
	kp_buf_fini(&out);
	return text;
}

Test(diff, changes_stand_in_their_context)
{
	static const struct {
		const char *a, *b;
		const char *diff;
	} cases[] = {
		{ "", "", "" },
		{ "x\n", "x\n", "" },
		{ "", "x\n", "@@ -0,0 +1 @@\n+x\n" },
		{ "x\n", "", "@@ -1 +0,0 @@\n-x\n" },
		{ "x\n", "y\n", "@@ -1 +1 @@\n-x\n+y\n" },
		{ "x", "x\n",
		    "@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+x\n" },
		{ "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
		    "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
		    "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n" },
		{ "1\n2\n3\n4\n5\n6\n7\n8\n", "one\n2\n3\n4\n5\n6\n7\n8th\n",
		    "@@ -1,8 +1,8 @@\n-1\n+one\n 2\n 3\n 4\n 5\n 6\n 7\n"
		    "-8\n+8th\n" },
		{ "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "0\n1\n2\n3\n4\n5\n6\n7\n8\n",
		    "@@ -1,3 +1,4 @@\n+0\n 1\n 2\n 3\n"
		    "@@ -6,4 +7,3 @@\n 6\n 7\n 8\n-9\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = diff(cases[i].a, cases[i].b, false);
		bool has_head = strncmp(text, "--- a\n+++ b\n", 12) == 0;

		cr_assert_str_eq(text + (has_head ? 12 : 0), cases[i].diff);
		free(text);
	}
}

Test(diff, a_terminal_gets_colors_and_no_control_characters)
{
	char *text = diff("a\n\033[2J\n", "a\nb\tc\xc2\x9b\n", true);

	cr_assert_str_eq(text, "\033[1m--- a\033[0m\n\033[1m+++ b\033[0m\n"
			       "\033[36m@@ -1,2 +1,2 @@\033[0m\n"
			       " a\n"
			       "\033[31m-\\x1b[2J\033[0m\n"
			       "\033[32m+b\tc\\xc2\x9b\033[0m\n");
	free(text);
}

/* Applies a diff without regard to context; "" is nothing to do. */
static char *
apply(const char *text, const char *diff)
{
	struct kp_buf out;
	size_t at = 1;
	char *result;

	kp_buf_init(&out, MAX_LEN);
	for (const char *line = diff; *line != '\0';
	     line += strcspn(line, "\n") + 1) {
		unsigned from = 0;
		size_t len = strcspn(line, "\n") + 1;

		if (strncmp(line, "---", 3) == 0 ||
		    strncmp(line, "+++", 3) == 0)
			continue;
		if (sscanf(line, "@@ -%u", &from) == 1) {
			bool is_empty =
			    strncmp(strchr(line, ' ') + 2, "0,0", 3) == 0;

			for (; at < from + is_empty; at++) {
				kp_buf_add(&out, text, strcspn(text, "\n") + 1);
				text += strcspn(text, "\n") + 1;
			}
			continue;
		}
		if (line[0] != '+') {
			cr_assert_eq(strncmp(text, line + 1, len - 1), 0);
			text += len - 1;
			at++;
		}
		if (line[0] != '-')
			kp_buf_add(&out, line + 1, len - 1);
	}
	kp_buf_add(&out, text, strlen(text) + 1);
	result = kp_strdup((const char *)out.data);
	kp_buf_fini(&out);
	return result;
}

static size_t
count_signs(const char *diff)
{
	size_t num = 0;

	for (const char *line = diff; *line != '\0';
	     line += strcspn(line, "\n") + 1)
		num += (line[0] == '-' && line[1] != '-') ||
		       (line[0] == '+' && line[1] != '+');
	return num;
}

/* Length of the longest common subsequence, the slow and sure way. */
static size_t
common(const char *a, const char *b)
{
	static size_t best[64][64];
	size_t num_a = strlen(a) / 2, num_b = strlen(b) / 2;

	for (size_t i = num_a + 1; i-- > 0;) {
		for (size_t j = num_b + 1; j-- > 0;) {
			size_t x = i < num_a ? best[i + 1][j] : 0;
			size_t y = j < num_b ? best[i][j + 1] : 0;

			best[i][j] = x > y ? x : y;
			if (i == num_a || j == num_b)
				best[i][j] = 0;
			else if (a[2 * i] == b[2 * j])
				best[i][j] = 1 + best[i + 1][j + 1];
		}
	}
	return best[0][0];
}

static void
random_lines(char *out, unsigned *seed)
{
	size_t num = (size_t)rand_r(seed) % 40;

	for (size_t i = 0; i < num; i++) {
		out[2 * i] = (char)('a' + rand_r(seed) % 3);
		out[2 * i + 1] = '\n';
	}
	out[2 * num] = '\0';
}

Test(diff, it_leads_from_one_text_to_the_other_in_the_fewest_steps)
{
	unsigned seed = 1;

	for (int i = 0; i < 3000; i++) {
		char a[128], b[128], *text, *applied;
		size_t least;

		random_lines(a, &seed);
		random_lines(b, &seed);
		least = (strlen(a) + strlen(b)) / 2 - 2 * common(a, b);
		text = diff(a, b, false);
		cr_assert_eq(
		    count_signs(text), least, "%s\n%s\n%s", a, b, text);
		applied = apply(a, text);
		cr_assert_str_eq(applied, b);
		free(applied);
		free(text);
	}
}

/* Texts without a common line: beyond the bound, still right. */
Test(diff, very_different_texts_are_replaced)
{
	size_t num = KP_DIFF_MAX_CHANGES;
	struct kp_buf a, b;
	char *text, *applied;

	kp_buf_init(&a, MAX_LEN);
	kp_buf_init(&b, MAX_LEN);
	for (size_t i = 0; i < num; i++) {
		kp_buf_printf(&a, "a%zu\nsame\n", i);
		kp_buf_printf(&b, "b%zu\nsame\n", i);
	}
	kp_buf_add(&a, "", 1);
	kp_buf_add(&b, "", 1);
	text = diff((const char *)a.data, (const char *)b.data, false);
	/* the last line is common */
	cr_assert_eq(count_signs(text), 2 * (2 * num - 1));
	applied = apply((const char *)a.data, text);
	cr_assert_str_eq(applied, (const char *)b.data);
	free(applied);
	free(text);
	kp_buf_fini(&a);
	kp_buf_fini(&b);
}
