/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "rules/cel/source.h"

static void
expect_render(struct kp_bytes source, uint32_t pos, const char *wanted)
{
	struct kp_cel_fault fault;
	struct kp_buf out;

	(void)kp_cel_fault_set(&fault, KP_CEL_FAULT_SYNTAX, pos, "wrong");
	kp_buf_init(&out, 4096);
	kp_cel_render(&out, source, &fault);
	cr_assert_str_eq(kp_buf_text(&out), wanted, "%s", kp_buf_text(&out));
	kp_buf_fini(&out);
}

Test(cel_source, a_fault_is_shown_in_its_line)
{
	struct kp_bytes source = kp_bytes_of("one\n\ttwo + three\nfour");

	expect_render(source, 0, "1:1: wrong\n | one\n | ^");
	expect_render(source, 9, "2:6: wrong\n |  two + three\n | .....^");
	expect_render(source, 17, "3:1: wrong\n | four\n | ^");
	expect_render(source, 99, "3:5: wrong\n | four\n | ....^");
}

Test(cel_source, a_long_line_is_cut_around_the_fault)
{
	char text[1001];
	struct kp_cel_fault fault;
	struct kp_buf out;

	memset(text, 'a', 1000);
	text[1000] = '\0';
	text[600] = 'b';
	(void)kp_cel_fault_set(&fault, KP_CEL_FAULT_SYNTAX, 600, "wrong");
	kp_buf_init(&out, 4096);
	kp_cel_render(&out, kp_bytes_of(text), &fault);
	cr_assert_lt(out.len, 200);
	/* The caret stands below the b. */
	cr_assert_eq(
	    strchr(kp_buf_text(&out), 'b') - strchr(kp_buf_text(&out), '|'),
	    strchr(kp_buf_text(&out), '^') - strrchr(kp_buf_text(&out), '|'));
	kp_buf_fini(&out);
}

Test(cel_source, what_cannot_be_printed_is_not)
{
	static const uint8_t bytes[] = { 'a', 0x1b, 0xff, 0, 'b' };

	expect_render((struct kp_bytes){ bytes, sizeof(bytes) }, 4,
	    "1:5: wrong\n | a\?\?\?b\n | ....^");
}
