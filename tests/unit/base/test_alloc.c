/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

Test(alloc, memory_of_our_own_is_zeroed)
{
	unsigned char *memory = kp_alloc(16, 8);

	for (size_t i = 0; i < 128; i++)
		cr_assert_eq(memory[i], 0);
	free(memory);
}

Test(alloc, strndup_stops_at_len_and_at_nul)
{
	char *cut = kp_strndup("topic-and-more", 5);
	volatile size_t too_much = 50; /* compilers see through a constant */
	char *whole = kp_strndup("abc", too_much);
	char *copy = kp_strdup("");

	cr_assert_str_eq(cut, "topic");
	cr_assert_str_eq(whole, "abc");
	cr_assert_str_eq(copy, "");
	free(cut);
	free(whole);
	free(copy);
}

Test(alloc, the_nth_attempt_fails_once)
{
	void *first, *third, *grown;

	kp_alloc_fail_after(2);
	first = kp_try_alloc(8);
	cr_assert_not_null(first);
	cr_assert_null(kp_try_realloc(first, 16));
	third = kp_try_alloc(8);
	cr_assert_not_null(third);
	grown = kp_try_realloc(first, 16);
	cr_assert_not_null(grown);
	free(grown);
	free(third);
}

Test(alloc, zero_switches_failures_off)
{
	void *memory;

	kp_alloc_fail_after(1);
	kp_alloc_fail_after(0);
	memory = kp_try_alloc(8);
	cr_assert_not_null(memory);
	free(memory);
}

Test(alloc, what_is_left_until_a_failure_is_known)
{
	kp_alloc_fail_after(2);
	free(kp_try_alloc(8));
	cr_assert_eq(kp_alloc_fail_after(3), 1);
	for (int i = 0; i < 5; i++)
		free(kp_try_alloc(8));
	cr_assert_eq(kp_alloc_fail_after(0), 0);
}

Test(alloc, memory_that_is_short_stays_so)
{
	void *memory;

	kp_alloc_fail_from(2);
	memory = kp_try_alloc(8);
	cr_assert_not_null(memory);
	for (int i = 0; i < 3; i++)
		cr_assert_null(kp_try_realloc(memory, 16));
	cr_assert_eq(kp_alloc_fail_from(2), 0);
	free(kp_try_realloc(memory, 16));
	cr_assert_eq(kp_alloc_fail_after(1), 1);
	cr_assert_null(kp_try_alloc(8));
	memory = kp_try_alloc(8);
	cr_assert_not_null(memory);
	free(memory);
}

#define NUM_THREADS 4
#define NUM_EACH 10000

static void *
count_failures(void *arg)
{
	unsigned *num = arg;

	for (int i = 0; i < NUM_EACH; i++) {
		void *memory = kp_try_alloc(8);

		*num += memory == NULL;
		free(memory);
	}
	return NULL;
}

/* None is counted twice, and none passed over. */
Test(alloc, one_fails_whoever_allocates)
{
	unsigned num[NUM_THREADS] = { 0 };
	pthread_t threads[NUM_THREADS];
	unsigned sum = 0;

	kp_alloc_fail_after(NUM_THREADS * NUM_EACH);
	for (int i = 0; i < NUM_THREADS; i++)
		cr_assert_eq(
		    pthread_create(&threads[i], NULL, count_failures, &num[i]),
		    0);
	for (int i = 0; i < NUM_THREADS; i++) {
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
		sum += num[i];
	}
	cr_assert_eq(sum, 1);
	cr_assert_eq(kp_alloc_fail_after(0), 0);
}

Test(alloc, a_list_that_grows_keeps_what_it_has)
{
	int *list = kp_realloc(NULL, 1, sizeof(*list));

	list[0] = 7;
	list = kp_realloc(list, 1000, sizeof(*list));
	cr_assert_eq(list[0], 7);
	list[999] = 8;
	free(list);
}
