/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

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
