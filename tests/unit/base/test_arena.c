/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/arena.h"

Test(arena, an_arena_keeps_to_its_limit)
{
	struct kp_arena arena;

	kp_arena_init(&arena, 10000);
	cr_assert_not_null(kp_arena_get(&arena, 1, 5000));
	cr_assert_null(kp_arena_get(&arena, 2, 2504));
	cr_assert_null(kp_arena_get(&arena, 1, 1), "failure is sticky");
	kp_arena_reset(&arena);
	cr_assert_null(kp_arena_get(&arena, SIZE_MAX / 2, 4));
	kp_arena_reset(&arena);
	cr_assert_null(kp_arena_get(&arena, SIZE_MAX / 4 + 2, 4));
	kp_arena_reset(&arena);
	cr_assert_not_null(kp_arena_get(&arena, 1, 10000));
	kp_arena_fini(&arena);
	cr_assert_null(kp_arena_get(&arena, 1, 1));
}

Test(arena, what_was_given_stays_where_it_is)
{
	struct kp_arena arena;
	char *texts[100];

	kp_arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < 100; i++) {
		uint8_t letter[200];

		memset(letter, 'a' + (int)i % 26, sizeof(letter));
		texts[i] = kp_arena_copy(
		    &arena, (struct kp_bytes){ letter, sizeof(letter) });
		cr_assert_not_null(texts[i]);
	}
	for (size_t i = 0; i < 100; i++) {
		cr_assert_eq(texts[i][0], 'a' + (int)i % 26);
		cr_assert_eq(texts[i][199], texts[i][0]);
		cr_assert_eq(texts[i][200], '\0');
	}
	kp_arena_fini(&arena);
}

Test(arena, a_small_beginning_changes_no_limit)
{
	struct kp_arena arena;
	char *first;

	kp_arena_init(&arena, 10000);
	kp_arena_begin(&arena, 32);
	first = kp_arena_copy(&arena, kp_bytes_of("first"));
	for (size_t i = 0; i < 4; i++)
		cr_assert_not_null(kp_arena_get(&arena, 1, 2400));
	cr_assert_str_eq(first, "first");
	cr_assert_null(kp_arena_get(&arena, 1, 2400));
	kp_arena_fini(&arena);
}

Test(arena, a_beginning_that_is_refused_is_a_failure)
{
	struct kp_arena arena;

	kp_arena_init(&arena, 10000);
	kp_alloc_fail_after(1);
	kp_arena_begin(&arena, 2048);
	kp_alloc_fail_after(0);
	cr_assert(arena.failed);
	cr_assert_null(kp_arena_get(&arena, 1, 1));
	kp_arena_fini(&arena);
}
