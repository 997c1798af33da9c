/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/alloc.h"

static bool
holds(const struct kp_buf *buf, const char *text)
{
	return kp_bytes_equal(kp_buf_bytes(buf), kp_bytes_of(text));
}

Test(bytes, equal_compares_length_and_content)
{
	const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{ "", "", true },
		{ "a", "a", true },
		{ "a", "b", false },
		{ "a", "ab", false },
		{ "ab", "a", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(kp_bytes_equal(kp_bytes_of(cases[i].a),
				 kp_bytes_of(cases[i].b)),
		    cases[i].equal, "case %zu", i);
}

Test(bytes, null_and_empty_are_equal_and_copy_nothing)
{
	struct kp_bytes null = { NULL, 0 };

	cr_assert(kp_bytes_equal(null, kp_bytes_of("")));
	kp_copy(NULL, NULL, 0);
	kp_move(NULL, NULL, 0);
}

Test(bytes, move_survives_overlap)
{
	char text[] = "abcdef";

	kp_move(text + 2, text, 4);
	cr_assert_str_eq(text, "ababcd");
}

Test(buf, zero_state_has_no_room)
{
	struct kp_buf buf = { 0 };

	kp_buf_add(&buf, "", 0);
	cr_assert(!buf.failed);
	kp_buf_add(&buf, "x", 1);
	cr_assert(buf.failed);
	cr_assert_eq(buf.len, 0);
	kp_buf_fini(&buf);
	kp_buf_fini(&buf);
}

Test(buf, grows_to_its_maximum_and_not_beyond)
{
	struct kp_buf buf;

	kp_buf_init(&buf, 1000);
	for (unsigned i = 0; i < 1000; i++)
		kp_buf_add(&buf, "x", 1);
	cr_assert(!buf.failed);
	cr_assert_eq(buf.len, 1000);
	cr_assert(buf.capacity <= 1000);
	kp_buf_add(&buf, "x", 1);
	cr_assert(buf.failed);
	cr_assert_eq(buf.len, 1000);
	kp_buf_fini(&buf);
}

Test(buf, huge_length_does_not_wrap)
{
	struct kp_buf buf;

	kp_buf_init(&buf, 1000);
	kp_buf_add(&buf, "abc", 3);
	cr_assert_null(kp_buf_extend(&buf, SIZE_MAX));
	cr_assert_null(kp_buf_extend(&buf, SIZE_MAX - 2));
	cr_assert(buf.failed);
	cr_assert(holds(&buf, "abc"));
	kp_buf_fini(&buf);
}

Test(buf, failure_is_sticky_until_cleared)
{
	struct kp_buf buf;

	kp_buf_init(&buf, 4);
	kp_buf_add_text(&buf, "12345");
	kp_buf_add_text(&buf, "1");
	kp_buf_printf(&buf, "%d", 1);
	cr_assert(buf.failed);
	cr_assert_eq(buf.len, 0);
	kp_buf_clear(&buf);
	kp_buf_add_text(&buf, "1234");
	cr_assert(!buf.failed);
	cr_assert(holds(&buf, "1234"));
	kp_buf_fini(&buf);
}

Test(buf, refused_memory_is_a_failure_and_loses_nothing)
{
	struct kp_error err;
	struct kp_buf buf;

	kp_buf_init(&buf, 1000);
	kp_buf_add_text(&buf, "kept");
	kp_alloc_fail_after(1);
	cr_assert_null(kp_buf_extend(&buf, 500));
	kp_alloc_fail_after(0);
	cr_assert(buf.failed);
	cr_assert(buf.is_refused);
	cr_assert(!kp_buf_error(&buf, &err, "too long"));
	cr_assert_str_eq(err.text, "no memory");
	cr_assert(holds(&buf, "kept"));
	kp_buf_clear(&buf);
	cr_assert(!buf.is_refused);
	/* what is too long is no want of memory */
	cr_assert_null(kp_buf_extend(&buf, 1001));
	cr_assert(buf.failed);
	cr_assert(!buf.is_refused);
	cr_assert(!kp_buf_error(&buf, &err, "%d are too many", 1001));
	cr_assert_eq(err.kind, KP_ERR_LIMIT);
	cr_assert_str_eq(err.text, "1001 are too many");
	kp_buf_fini(&buf);
}

Test(buf, what_is_small_has_all_its_memory_at_once)
{
	struct kp_buf buf;

	kp_buf_init_small(&buf, 200);
	kp_alloc_fail_after(1);
	kp_buf_printf(&buf, "%0200d", 1);
	kp_alloc_fail_after(0);
	cr_assert(!buf.failed);
	cr_assert_eq(buf.len, 200);
	kp_buf_add_text(&buf, "2");
	cr_assert(buf.failed && !buf.is_refused);
	kp_buf_fini(&buf);
}

/* Without memory or room the text is what there is, and ends all the same. */
Test(buf, a_text_ends_whatever_failed)
{
	struct kp_buf buf;

	kp_buf_init(&buf, 128);
	cr_assert_str_eq(kp_buf_text(&buf), "");
	kp_alloc_fail_after(1);
	kp_buf_add_text(&buf, "refused");
	cr_assert_str_eq(kp_buf_text(&buf), "");
	kp_buf_clear(&buf);
	kp_buf_printf(&buf, "%063d", 1);
	cr_assert_eq(strlen(kp_buf_text(&buf)), 63);
	kp_buf_add_text(&buf, "2");
	kp_alloc_fail_after(1);
	cr_assert_eq(strlen(kp_buf_text(&buf)), 63);
	kp_alloc_fail_after(0);
	kp_buf_clear(&buf);
	kp_buf_printf(&buf, "%0128d", 3);
	cr_assert_eq(buf.len, buf.max_len);
	cr_assert_eq(strlen(kp_buf_text(&buf)), 127);
	kp_buf_fini(&buf);
}

Test(buf, extend_hands_out_room_that_becomes_content)
{
	struct kp_buf buf;
	uint8_t *room;

	kp_buf_init(&buf, 100);
	kp_buf_add_text(&buf, "a");
	room = kp_buf_extend(&buf, 2);
	cr_assert_not_null(room);
	kp_copy(room, "bc", 2);
	kp_buf_printf(&buf, "-%s-%d", "x", 42);
	cr_assert(holds(&buf, "abc-x-42"));
	kp_buf_fini(&buf);
}

Test(buf, spaces_fill_what_is_asked_for)
{
	struct kp_buf buf;

	kp_buf_init(&buf, 10);
	kp_buf_add_spaces(&buf, 0);
	cr_assert(holds(&buf, ""));
	kp_buf_add_text(&buf, "a");
	kp_buf_add_spaces(&buf, 3);
	kp_buf_add_text(&buf, "b");
	cr_assert(holds(&buf, "a   b"));
	kp_buf_add_spaces(&buf, 6);
	cr_assert(buf.failed);
	cr_assert(holds(&buf, "a   b"));
	kp_buf_fini(&buf);
}
