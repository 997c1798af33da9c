/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#include <criterion/criterion.h>
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
