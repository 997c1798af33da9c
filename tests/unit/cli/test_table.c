/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <string.h>

static const struct kp_table_column columns[] = {
	{ .name = "NAME" },
	{ .name = "FILE", .is_wide = true },
	{ .name = "AGE" },
	{ .name = NULL },
};

static void
check(const struct kp_table *table, bool is_wide, const char *expected)
{
	struct kp_buf out;

	kp_buf_init(&out, 4096);
	kp_table_print(&out, table, is_wide);
	kp_buf_add(&out, "", 1);
	cr_assert_str_eq((const char *)out.data, expected);
	kp_buf_fini(&out);
}

Test(table, columns_are_as_wide_as_they_must_be)
{
	const char *const first[] = { "a", "x.yaml", "5d" };
	const char *const second[] = { "longer", "", NULL };
	struct kp_table table = { .columns = columns };

	check(&table, false, "");
	kp_table_add(&table, first);
	kp_table_add(&table, second);
	check(&table, false,
	    "NAME     AGE\n"
	    "a        5d\n"
	    "longer   <none>\n");
	check(&table, true,
	    "NAME     FILE     AGE\n"
	    "a        x.yaml   5d\n"
	    "longer   <none>   <none>\n");
	kp_table_fini(&table);
	check(&table, true, "");
}

Test(table, cells_do_not_reach_a_terminal_as_commands)
{
	const char *const cells[] = { "a\033[2Jb", "x\ny", "z" };
	struct kp_table table = { .columns = columns };
	struct kp_buf out;

	kp_table_add(&table, cells);
	kp_buf_init(&out, 4096);
	kp_table_print(&out, &table, true);
	cr_assert_null(memchr(out.data, '\033', out.len));
	kp_buf_fini(&out);
	kp_table_fini(&table);
}

/* What is drawn counts: neither bytes, nor characters, nor what was escaped. */
Test(table, columns_are_counted_as_a_terminal_draws_them)
{
	static const struct {
		const char *locale, *cell, *expected;
	} cases[] = {
		{ "C.UTF-8", "plain", "NAME    AGE\nplain   1\n" },
		{ "C.UTF-8",
		    "gr\xc3\xbc\xc3\x9f"
		    "e",
		    "NAME    AGE\ngr\xc3\xbc\xc3\x9f"
		    "e   1\n" },
		{ "C.UTF-8", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
		    "NAME     AGE\n"
		    "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e   1\n" },
		{ "C.UTF-8", "e\xcc\x81tude",
		    "NAME    AGE\ne\xcc\x81tude   1\n" },
		{ "C.UTF-8", "a\nb", "NAME     AGE\na\\x0ab   1\n" },
		{ "C.UTF-8", "\x9b!!", "NAME     AGE\n\\x9b!!   1\n" },
		{ "C.UTF-8", "\\x1b!", "NAME    AGE\n\\x1b!   1\n" },
		{ "C.UTF-8", "\xef\xbf\xbf",
		    "NAME           AGE\n\\xef\\xbf\\xbf   1\n" },
		/* a surrogate */
		{ "C.UTF-8", "\xed\xa0\x80",
		    "NAME           AGE\n\\xed\\xa0\\x80   1\n" },
		{ "C", "\xc3\xbc", "NAME       AGE\n\\xc3\\xbc   1\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const cells[] = { cases[i].cell, "", "1" };
		struct kp_table table = { .columns = columns };

		cr_assert_not_null(setlocale(LC_CTYPE, cases[i].locale));
		kp_table_add(&table, cells);
		check(&table, false, cases[i].expected);
		kp_table_fini(&table);
	}
}

Test(table, columns_are_the_same_without_a_heading)
{
	const char *const cells[] = { "a", "", "5d" };
	struct kp_table table = { .columns = columns };

	kp_table_add(&table, cells);
	check(&table, false, "NAME   AGE\na      5d\n");
	table.has_no_heading = true;
	check(&table, false, "a      5d\n");
	kp_table_fini(&table);
}

Test(table, many_rows_are_all_there)
{
	struct kp_table table = { .columns = columns };
	struct kp_buf out;
	size_t num = 0;

	for (size_t i = 0; i < 1000; i++)
		kp_table_add(
		    &table, (const char *const[]){ "name", "file", "age" });
	kp_buf_init(&out, 1 << 20);
	kp_table_print(&out, &table, true);
	for (size_t i = 0; i < out.len; i++)
		num += out.data[i] == '\n';
	cr_assert_eq(num, 1001);
	cr_assert_eq(out.len, 1001 * strlen("name   file   age\n"));
	kp_buf_fini(&out);
	kp_table_fini(&table);
}
