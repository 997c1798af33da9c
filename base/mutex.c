/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mutex.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"

#define MAX_HELD 8

/* What this thread holds, in the order it was taken. */
static _Thread_local struct kp_mutex *held[MAX_HELD];
static _Thread_local unsigned num_held;

static uintptr_t
self(void)
{
	return (uintptr_t)&num_held;
}

static void
remember(struct kp_mutex *mutex)
{
	kp_assert(num_held < MAX_HELD);
	held[num_held++] = mutex;
	atomic_store_explicit(&mutex->owner, self(), memory_order_relaxed);
}

static void
forget(struct kp_mutex *mutex)
{
	kp_mutex_assert_held(mutex);
	kp_assert(num_held > 0 && held[num_held - 1] == mutex);
	num_held--;
	atomic_store_explicit(&mutex->owner, 0, memory_order_relaxed);
}

void
kp_mutex_init(struct kp_mutex *mutex, enum kp_rank rank)
{
	kp_must(pthread_mutex_init(&mutex->lock, NULL));
	mutex->rank = rank;
	atomic_init(&mutex->owner, 0);
}

void
kp_mutex_fini(struct kp_mutex *mutex)
{
	kp_must(pthread_mutex_destroy(&mutex->lock));
}

void
kp_mutex_lock(struct kp_mutex *mutex)
{
	kp_assert(num_held == 0 || held[num_held - 1]->rank < mutex->rank);
	kp_must(pthread_mutex_lock(&mutex->lock));
	remember(mutex);
}

void
kp_mutex_unlock(struct kp_mutex *mutex)
{
	forget(mutex);
	kp_must(pthread_mutex_unlock(&mutex->lock));
}

void
kp_mutex_assert_held(struct kp_mutex *mutex)
{
	kp_assert(atomic_load_explicit(&mutex->owner, memory_order_relaxed) ==
		  self());
}

void
kp_cond_init(struct kp_cond *cond)
{
	pthread_condattr_t attr;

	kp_must(pthread_condattr_init(&attr));
	kp_must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
	kp_must(pthread_cond_init(&cond->cond, &attr));
	kp_must(pthread_condattr_destroy(&attr));
}

void
kp_cond_fini(struct kp_cond *cond)
{
	kp_must(pthread_cond_destroy(&cond->cond));
}

void
kp_cond_broadcast(struct kp_cond *cond)
{
	kp_must(pthread_cond_broadcast(&cond->cond));
}

void
kp_cond_signal(struct kp_cond *cond)
{
	kp_must(pthread_cond_signal(&cond->cond));
}

bool
kp_cond_wait(struct kp_cond *cond, struct kp_mutex *mutex, int64_t deadline_ms)
{
	struct timespec until;
	int result;

	forget(mutex);
	if (deadline_ms == KP_NEVER) {
		result = pthread_cond_wait(&cond->cond, &mutex->lock);
	} else {
		until.tv_sec = deadline_ms / 1000;
		until.tv_nsec = (deadline_ms % 1000) * 1000000;
		result =
		    pthread_cond_timedwait(&cond->cond, &mutex->lock, &until);
	}
	remember(mutex);
	kp_assert(result == 0 || result == ETIMEDOUT);
	return result == 0;
}
