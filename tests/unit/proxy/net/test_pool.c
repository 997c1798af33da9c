/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/net/pool.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"

Test(pool, the_budget_is_exact)
{
	struct kp_pool *pool = kp_pool_new(2 * KP_BUFFER_LEN + 10);
	uint8_t *a = kp_pool_get(pool), *b = kp_pool_get(pool);

	cr_assert_not_null(a);
	cr_assert_not_null(b);
	cr_assert(a != b);
	cr_assert_null(kp_pool_get(pool));
	cr_assert(!kp_pool_charge(pool, KP_MEMORY_ANSWERS, 11));
	cr_assert(kp_pool_charge(pool, KP_MEMORY_ANSWERS, 10));
	cr_assert(!kp_pool_charge(pool, KP_MEMORY_ANSWERS, 1));
	cr_assert(kp_pool_charge(pool, KP_MEMORY_ANSWERS, 0));
	cr_assert_eq(kp_pool_in_use(pool), kp_pool_limit(pool));
	kp_pool_put(pool, a);
	cr_assert_eq(kp_pool_in_use(pool), KP_BUFFER_LEN + 10);
	a = kp_pool_get(pool);
	cr_assert_not_null(a);
	kp_pool_put(pool, a);
	kp_pool_put(pool, b);
	kp_pool_put(pool, NULL);
	kp_pool_uncharge(pool, KP_MEMORY_ANSWERS, 10);
	cr_assert_eq(kp_pool_in_use(pool), 0);
	kp_pool_free(pool);
	kp_pool_free(NULL);
}

Test(pool, huge_charges_do_not_wrap)
{
	struct kp_pool *pool = kp_pool_new(1000);

	cr_assert(kp_pool_charge(pool, KP_MEMORY_ANSWERS, 999));
	cr_assert(!kp_pool_charge(pool, KP_MEMORY_ANSWERS, UINT64_MAX));
	cr_assert(!kp_pool_charge(pool, KP_MEMORY_ANSWERS, UINT64_MAX - 998));
	cr_assert_eq(kp_pool_in_use(pool), 999);
	kp_pool_uncharge(pool, KP_MEMORY_ANSWERS, 999);
	kp_pool_free(pool);
}

Test(pool, a_lower_limit_refuses_until_enough_came_back)
{
	struct kp_pool *pool = kp_pool_new(1000);

	cr_assert(kp_pool_charge(pool, KP_MEMORY_ANSWERS, 800));
	kp_pool_set_limit(pool, 500);
	cr_assert_eq(kp_pool_limit(pool), 500);
	cr_assert(!kp_pool_charge(pool, KP_MEMORY_ANSWERS, 1));
	cr_assert(!kp_pool_charge(pool, KP_MEMORY_ANSWERS, 0));
	kp_pool_uncharge(pool, KP_MEMORY_ANSWERS, 400);
	cr_assert(kp_pool_charge(pool, KP_MEMORY_ANSWERS, 100));
	cr_assert(!kp_pool_charge(pool, KP_MEMORY_ANSWERS, 1));
	kp_pool_uncharge(pool, KP_MEMORY_ANSWERS, 500);
	kp_pool_free(pool);
}

Test(pool, a_refused_allocation_is_not_charged)
{
	struct kp_pool *pool = kp_pool_new(10 * KP_BUFFER_LEN);
	uint8_t *buffer;

	kp_alloc_fail_after(1);
	cr_assert_null(kp_pool_get(pool));
	cr_assert_eq(kp_pool_in_use(pool), 0);
	buffer = kp_pool_get(pool);
	cr_assert_not_null(buffer);
	kp_pool_put(pool, buffer);
	/* a kept buffer needs no allocation */
	kp_alloc_fail_after(1);
	buffer = kp_pool_get(pool);
	cr_assert_not_null(buffer);
	kp_alloc_fail_after(0);
	kp_pool_put(pool, buffer);
	kp_pool_free(pool);
}

Test(pool, a_share_has_a_limit_of_its_own)
{
	struct kp_pool *pool = kp_pool_new(3 * KP_BUFFER_LEN);
	struct kp_share small = { .pool = pool, .limit_len = KP_BUFFER_LEN };
	struct kp_share large = { .pool = pool, .limit_len = UINT64_MAX };
	uint8_t *mine = kp_share_get(&small), *others[2];

	cr_assert_not_null(mine);
	cr_assert_null(kp_share_get(&small));
	cr_assert(small.is_exceeded);
	cr_assert(!kp_share_charge(&small, KP_MEMORY_ANSWERS, 1));
	cr_assert_eq(kp_pool_in_use(pool), KP_BUFFER_LEN);
	others[0] = kp_share_get(&large);
	cr_assert_not_null(others[0]);
	cr_assert(kp_share_charge(&large, KP_MEMORY_ANSWERS, KP_BUFFER_LEN));
	cr_assert_null(kp_share_get(&large));
	cr_assert(!large.is_exceeded, "it is the pool that has none");
	cr_assert(!kp_share_charge(&large, KP_MEMORY_ANSWERS, 1));
	cr_assert_eq(large.in_use, 2 * KP_BUFFER_LEN);
	kp_share_uncharge(&large, KP_MEMORY_ANSWERS, KP_BUFFER_LEN);
	others[1] = kp_share_get(&large);
	cr_assert_not_null(others[1]);
	kp_share_put(&small, mine);
	kp_share_put(&small, NULL);
	kp_share_put(&large, others[0]);
	kp_share_put(&large, others[1]);
	cr_assert_eq(small.in_use, 0);
	cr_assert_eq(large.in_use, 0);
	cr_assert(!kp_share_charge(&small, KP_MEMORY_ANSWERS, UINT64_MAX));
	kp_pool_free(pool);
}

/* Whoever makes the proxy hold long frames leaves buffers to the others. */
Test(pool, long_ones_get_a_part_of_the_budget)
{
	const uint64_t quarter = 2 * KP_BUFFER_LEN;
	struct kp_pool *pool = kp_pool_new(4 * quarter);
	uint8_t *buffers[2];

	cr_assert(!kp_pool_charge(pool, KP_MEMORY_REQUESTS, quarter + 1));
	cr_assert(kp_pool_charge(pool, KP_MEMORY_REQUESTS, quarter));
	cr_assert(!kp_pool_charge(pool, KP_MEMORY_REQUESTS, KP_BUFFER_LEN + 1));
	cr_assert(!kp_pool_charge(pool, KP_MEMORY_ANSWERS, 2 * quarter + 1));
	cr_assert(kp_pool_charge(pool, KP_MEMORY_ANSWERS, 2 * quarter));
	cr_assert(!kp_pool_charge(pool, KP_MEMORY_ANSWERS, KP_BUFFER_LEN + 1));
	cr_assert(kp_pool_charge(pool, KP_MEMORY_REQUESTS, 1), "a short one");
	kp_pool_uncharge(pool, KP_MEMORY_REQUESTS, 1);
	for (size_t i = 0; i < 2; i++) {
		buffers[i] = kp_pool_get(pool);
		cr_assert_not_null(buffers[i]);
	}
	cr_assert_null(kp_pool_get(pool), "now there is none");
	kp_pool_uncharge(pool, KP_MEMORY_REQUESTS, quarter);
	cr_assert(!kp_pool_charge(pool, KP_MEMORY_REQUESTS, quarter + 1));
	cr_assert(kp_pool_charge(pool, KP_MEMORY_REQUESTS, quarter));
	kp_pool_uncharge(pool, KP_MEMORY_REQUESTS, quarter);
	kp_pool_uncharge(pool, KP_MEMORY_ANSWERS, 2 * quarter);
	for (size_t i = 0; i < 2; i++)
		kp_pool_put(pool, buffers[i]);
	cr_assert_eq(kp_pool_in_use(pool), 0);
	kp_pool_free(pool);
}

/* What the budget as a whole refuses is not left in the part's account. */
Test(pool, a_refused_long_one_is_not_charged)
{
	const uint64_t len = 2 * KP_BUFFER_LEN;
	struct kp_pool *pool = kp_pool_new(2 * len);
	uint8_t *buffers[3];

	for (size_t i = 0; i < 3; i++) {
		buffers[i] = kp_pool_get(pool);
		cr_assert_not_null(buffers[i]);
	}
	cr_assert(!kp_pool_charge(pool, KP_MEMORY_ANSWERS, len));
	for (size_t i = 0; i < 3; i++)
		kp_pool_put(pool, buffers[i]);
	cr_assert(kp_pool_charge(pool, KP_MEMORY_ANSWERS, len));
	kp_pool_uncharge(pool, KP_MEMORY_ANSWERS, len);
	kp_pool_free(pool);
}

#define MANY 200

Test(pool, more_buffers_than_it_keeps_come_and_go)
{
	struct kp_pool *pool = kp_pool_new(MANY * (uint64_t)KP_BUFFER_LEN);
	static uint8_t *buffers[MANY];

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < MANY; i++) {
			buffers[i] = kp_pool_get(pool);
			cr_assert_not_null(buffers[i]);
			memset(buffers[i], (int)i, KP_BUFFER_LEN);
		}
		cr_assert_null(kp_pool_get(pool));
		for (unsigned i = 0; i < MANY; i++) {
			cr_assert_eq(buffers[i][0], (uint8_t)i);
			cr_assert_eq(buffers[i][KP_BUFFER_LEN - 1], (uint8_t)i);
			kp_pool_put(pool, buffers[i]);
		}
		cr_assert_eq(kp_pool_in_use(pool), 0);
	}
	kp_pool_free(pool);
}

#define NUM_THREADS 4
#define NUM_ROUNDS 5000

static void *
take_and_give(void *arg)
{
	struct kp_pool *pool = arg;
	bool was_shared = false;

	for (unsigned i = 0; i < NUM_ROUNDS; i++) {
		uint8_t *buffer = kp_pool_get(pool), *seen;

		if (buffer == NULL)
			continue;
		kp_copy(buffer, &buffer, sizeof(buffer));
		if (kp_pool_charge(pool, KP_MEMORY_ANSWERS, 100))
			kp_pool_uncharge(pool, KP_MEMORY_ANSWERS, 100);
		kp_copy(&seen, buffer, sizeof(seen));
		was_shared |= seen != buffer;
		kp_pool_put(pool, buffer);
	}
	return was_shared ? pool : NULL;
}

Test(pool, threads_never_share_a_buffer)
{
	/* one buffer less than threads: the budget is reached, too */
	struct kp_pool *pool =
	    kp_pool_new((NUM_THREADS - 1) * (uint64_t)KP_BUFFER_LEN + 50);
	pthread_t threads[NUM_THREADS];
	void *shared;

	for (unsigned i = 0; i < NUM_THREADS; i++)
		kp_must(pthread_create(&threads[i], NULL, take_and_give, pool));
	for (unsigned i = 0; i < NUM_THREADS; i++) {
		kp_must(pthread_join(threads[i], &shared));
		cr_assert_null(shared);
	}
	cr_assert_eq(kp_pool_in_use(pool), 0);
	kp_pool_free(pool);
}
