/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mutex.h"

#include <criterion/criterion.h>

#include "base/clock.h"
#include "base/error.h"
#include "tests/support/process.h"

#define NUM_THREADS 4
#define NUM_ROUNDS 20000

static struct kp_mutex low, high;
static struct kp_cond changed;

static void
set_up(void)
{
	kp_mutex_init(&low, KP_RANK_SNAPSHOT);
	kp_mutex_init(&high, KP_RANK_POOL);
	kp_cond_init(&changed);
}

static void
tear_down(void)
{
	kp_cond_fini(&changed);
	kp_mutex_fini(&high);
	kp_mutex_fini(&low);
}

static unsigned counter; /* guarded by low */

static void *
count_up(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < NUM_ROUNDS; i++) {
		kp_mutex_lock(&low);
		counter++;
		kp_mutex_unlock(&low);
	}
	return NULL;
}

Test(mutex, lets_one_thread_in_at_a_time)
{
	pthread_t threads[NUM_THREADS];

	set_up();
	counter = 0;
	for (unsigned i = 0; i < NUM_THREADS; i++)
		kp_must(pthread_create(&threads[i], NULL, count_up, NULL));
	for (unsigned i = 0; i < NUM_THREADS; i++)
		kp_must(pthread_join(threads[i], NULL));
	cr_assert_eq(counter, NUM_THREADS * NUM_ROUNDS);
	tear_down();
}

static void
rising_ranks(void)
{
	set_up();
	kp_mutex_lock(&low);
	kp_mutex_lock(&high);
	kp_mutex_assert_held(&low);
	kp_mutex_assert_held(&high);
	kp_mutex_unlock(&high);
	kp_mutex_unlock(&low);
	tear_down();
}

static void
falling_ranks(void)
{
	set_up();
	kp_mutex_lock(&high);
	kp_mutex_lock(&low);
}

static void
equal_ranks(void)
{
	struct kp_mutex other;

	set_up();
	kp_mutex_init(&other, KP_RANK_POOL);
	kp_mutex_lock(&high);
	kp_mutex_lock(&other);
}

static void
same_twice(void)
{
	set_up();
	kp_mutex_lock(&low);
	kp_mutex_lock(&low);
}

static void
unlock_of_what_is_free(void)
{
	set_up();
	kp_mutex_unlock(&low);
}

static void
wrong_order_of_unlock(void)
{
	set_up();
	kp_mutex_lock(&low);
	kp_mutex_lock(&high);
	kp_mutex_unlock(&low);
}

static void
claim_of_what_is_free(void)
{
	set_up();
	kp_mutex_assert_held(&low);
}

static void *
lock_high(void *unused)
{
	(void)unused;
	kp_mutex_lock(&high);
	return NULL;
}

static void
claim_of_what_another_thread_holds(void)
{
	pthread_t thread;

	set_up();
	kp_must(pthread_create(&thread, NULL, lock_high, NULL));
	kp_must(pthread_join(thread, NULL));
	kp_mutex_assert_held(&high);
}

Test(mutex, a_possible_deadlock_aborts)
{
	cr_assert(!kp_aborts(rising_ranks));
	cr_assert(kp_aborts(falling_ranks));
	cr_assert(kp_aborts(equal_ranks));
	cr_assert(kp_aborts(same_twice));
}

Test(mutex, a_wrong_owner_aborts)
{
	cr_assert(kp_aborts(unlock_of_what_is_free));
	cr_assert(kp_aborts(wrong_order_of_unlock));
	cr_assert(kp_aborts(claim_of_what_is_free));
	cr_assert(kp_aborts(claim_of_what_another_thread_holds));
}

Test(cond, waiting_ends_at_the_deadline)
{
	int64_t begun = kp_now_ms();

	set_up();
	kp_mutex_lock(&low);
	cr_assert(!kp_cond_wait(&changed, &low, begun - 1));
	while (kp_cond_wait(&changed, &low, begun + 20))
		;
	cr_assert(kp_now_ms() >= begun + 20);
	kp_mutex_assert_held(&low);
	kp_mutex_unlock(&low);
	tear_down();
}

static bool is_ready; /* guarded by low */

static void *
make_ready(void *unused)
{
	(void)unused;
	kp_mutex_lock(&low);
	is_ready = true;
	kp_cond_broadcast(&changed);
	kp_mutex_unlock(&low);
	return NULL;
}

Test(cond, broadcast_wakes_a_waiter_without_a_deadline)
{
	pthread_t thread;

	set_up();
	is_ready = false;
	kp_mutex_lock(&low);
	kp_must(pthread_create(&thread, NULL, make_ready, NULL));
	while (!is_ready)
		(void)kp_cond_wait(&changed, &low, KP_NEVER);
	kp_mutex_assert_held(&low);
	kp_mutex_unlock(&low);
	kp_must(pthread_join(thread, NULL));
	tear_down();
}
