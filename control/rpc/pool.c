/* SPDX-License-Identifier: Apache-2.0 */
#include "control/rpc/pool_priv.h"

#include <signal.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mutex.h"

struct kp_rpc_pool {
	struct kp_mutex lock; /* guards first, last, is_stopping */
	struct kp_cond added;
	struct kp_rpc_work *first, *last;
	bool is_stopping;
	unsigned num_threads;
	pthread_t threads[];
};

/* NULL when the pool ends and nothing is left to do. */
static struct kp_rpc_work *
next(struct kp_rpc_pool *pool)
{
	struct kp_rpc_work *work;

	kp_mutex_lock(&pool->lock);
	while (pool->first == NULL && !pool->is_stopping)
		(void)kp_cond_wait(&pool->added, &pool->lock, KP_NEVER);
	work = pool->first;
	if (work != NULL)
		pool->first = work->next;
	if (pool->first == NULL)
		pool->last = NULL;
	kp_mutex_unlock(&pool->lock);
	return work;
}

static void *
run(void *arg)
{
	struct kp_rpc_pool *pool = arg;
	struct kp_rpc_work *work;

	while ((work = next(pool)) != NULL)
		work->run(work->object);
	return NULL;
}

struct kp_rpc_pool *
kp_rpc_pool_new(unsigned num_threads)
{
	struct kp_rpc_pool *pool =
	    kp_alloc(1, sizeof(*pool) + num_threads * sizeof(pool->threads[0]));
	sigset_t all, before;

	kp_mutex_init(&pool->lock, KP_RANK_RPC_POOL);
	kp_cond_init(&pool->added);
	pool->num_threads = num_threads;
	(void)sigfillset(&all);
	kp_must(pthread_sigmask(SIG_SETMASK, &all, &before));
	for (unsigned i = 0; i < num_threads; i++)
		kp_must(pthread_create(&pool->threads[i], NULL, run, pool));
	kp_must(pthread_sigmask(SIG_SETMASK, &before, NULL));
	return pool;
}

void
kp_rpc_pool_free(struct kp_rpc_pool *pool)
{
	if (pool == NULL)
		return;
	kp_mutex_lock(&pool->lock);
	pool->is_stopping = true;
	kp_cond_broadcast(&pool->added);
	kp_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->num_threads; i++)
		kp_must(pthread_join(pool->threads[i], NULL));
	kp_cond_fini(&pool->added);
	kp_mutex_fini(&pool->lock);
	free(pool);
}

void
kp_rpc_pool_add(struct kp_rpc_pool *pool, struct kp_rpc_work *work)
{
	kp_mutex_lock(&pool->lock);
	work->next = NULL;
	if (pool->last == NULL)
		pool->first = work;
	else
		pool->last->next = work;
	pool->last = work;
	kp_cond_signal(&pool->added);
	kp_mutex_unlock(&pool->lock);
}
