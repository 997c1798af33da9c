/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/net/pool.h"

#include <sanitizer/asan_interface.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"

/* Enough for the threads that run at one moment; 4 MiB. */
#define MAX_FREE 64

struct kp_pool {
	_Atomic uint64_t in_use;                         /* in all */
	_Atomic uint64_t long_ones[KP_NUM_MEMORY_PARTS]; /* of it */
	_Atomic uint64_t limit_len;
	_Atomic(uint8_t *) free[MAX_FREE]; /* NULL: none there */
};

struct kp_pool *
kp_pool_new(uint64_t limit_len)
{
	struct kp_pool *pool = kp_alloc(1, sizeof(*pool));

	atomic_init(&pool->limit_len, limit_len);
	return pool;
}

/*
 * Each place is taken and filled with one atomic operation, from the first one
 * on: the last one put is the first one taken, its bytes are still in the
 * cache. While nobody has it AddressSanitizer, where it is used, reports who
 * touches it.
 */
static uint8_t *
take_free(struct kp_pool *pool)
{
	for (unsigned i = 0; i < MAX_FREE; i++) {
		uint8_t *buffer =
		    atomic_load_explicit(&pool->free[i], memory_order_relaxed);

		if (buffer != NULL)
			buffer = atomic_exchange_explicit(
			    &pool->free[i], NULL, memory_order_acquire);
		if (buffer == NULL)
			continue;
		ASAN_UNPOISON_MEMORY_REGION(buffer, KP_BUFFER_LEN);
		return buffer;
	}
	return NULL;
}

void
kp_pool_free(struct kp_pool *pool)
{
	uint8_t *buffer;

	if (pool == NULL)
		return;
	kp_assert(kp_pool_in_use(pool) == 0);
	while ((buffer = take_free(pool)) != NULL)
		free(buffer);
	free(pool);
}

static bool
add_within(_Atomic uint64_t *account, uint64_t len, uint64_t limit)
{
	uint64_t in_use = atomic_load_explicit(account, memory_order_relaxed);

	do {
		if (in_use > limit || len > limit - in_use)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(account, &in_use,
	    in_use + len, memory_order_relaxed, memory_order_relaxed));
	return true;
}

static void
subtract(_Atomic uint64_t *account, uint64_t len)
{
	uint64_t before =
	    atomic_fetch_sub_explicit(account, len, memory_order_relaxed);

	kp_assert(before >= len);
}

bool
kp_pool_charge(struct kp_pool *pool, enum kp_memory_part part, uint64_t len)
{
	static const uint64_t divisors[KP_NUM_MEMORY_PARTS] = {
		[KP_MEMORY_REQUESTS] = KP_MEMORY_REQUESTS_DIVISOR,
		[KP_MEMORY_ANSWERS] = KP_MEMORY_ANSWERS_DIVISOR,
	};
	uint64_t limit = kp_pool_limit(pool);
	bool is_long = len > KP_BUFFER_LEN;

	if (is_long &&
	    !add_within(&pool->long_ones[part], len, limit / divisors[part]))
		return false;
	if (add_within(&pool->in_use, len, limit))
		return true;
	if (is_long)
		subtract(&pool->long_ones[part], len);
	return false;
}

void
kp_pool_uncharge(struct kp_pool *pool, enum kp_memory_part part, uint64_t len)
{
	if (len > KP_BUFFER_LEN)
		subtract(&pool->long_ones[part], len);
	subtract(&pool->in_use, len);
}

/* False if every place is taken. */
static bool
keep_free(struct kp_pool *pool, uint8_t *buffer)
{
	for (unsigned i = 0; i < MAX_FREE; i++) {
		uint8_t *none = NULL;

		if (atomic_load_explicit(
			&pool->free[i], memory_order_relaxed) == NULL &&
		    atomic_compare_exchange_strong_explicit(&pool->free[i],
			&none, buffer, memory_order_release,
			memory_order_relaxed))
			return true;
	}
	return false;
}

uint8_t *
kp_pool_get(struct kp_pool *pool)
{
	uint8_t *buffer;

	if (!add_within(&pool->in_use, KP_BUFFER_LEN, kp_pool_limit(pool)))
		return NULL;
	buffer = take_free(pool);
	if (buffer == NULL)
		buffer = kp_try_alloc(KP_BUFFER_LEN);
	if (buffer == NULL)
		subtract(&pool->in_use, KP_BUFFER_LEN);
	return buffer;
}

void
kp_pool_put(struct kp_pool *pool, uint8_t *buffer)
{
	if (buffer == NULL)
		return;
	ASAN_POISON_MEMORY_REGION(buffer, KP_BUFFER_LEN);
	if (!keep_free(pool, buffer)) {
		ASAN_UNPOISON_MEMORY_REGION(buffer, KP_BUFFER_LEN);
		free(buffer);
	}
	subtract(&pool->in_use, KP_BUFFER_LEN);
}

void
kp_pool_set_limit(struct kp_pool *pool, uint64_t limit_len)
{
	atomic_store_explicit(
	    &pool->limit_len, limit_len, memory_order_relaxed);
}

uint64_t
kp_pool_in_use(const struct kp_pool *pool)
{
	return atomic_load_explicit(&pool->in_use, memory_order_relaxed);
}

uint64_t
kp_pool_limit(const struct kp_pool *pool)
{
	return atomic_load_explicit(&pool->limit_len, memory_order_relaxed);
}

/* Within the connection's own limit? Counts it if so. */
static bool
take_share(struct kp_share *share, uint64_t len)
{
	share->is_exceeded = share->in_use > share->limit_len ||
			     len > share->limit_len - share->in_use;
	if (!share->is_exceeded)
		share->in_use += len;
	return !share->is_exceeded;
}

uint8_t *
kp_share_get(struct kp_share *share)
{
	uint8_t *buffer;

	if (!take_share(share, KP_BUFFER_LEN))
		return NULL;
	buffer = kp_pool_get(share->pool);
	if (buffer == NULL)
		share->in_use -= KP_BUFFER_LEN;
	return buffer;
}

void
kp_share_put(struct kp_share *share, uint8_t *buffer)
{
	if (buffer == NULL)
		return;
	share->in_use -= KP_BUFFER_LEN;
	kp_pool_put(share->pool, buffer);
}

bool
kp_share_charge(struct kp_share *share, enum kp_memory_part part, uint64_t len)
{
	if (!take_share(share, len))
		return false;
	if (kp_pool_charge(share->pool, part, len))
		return true;
	share->in_use -= len;
	return false;
}

void
kp_share_uncharge(
    struct kp_share *share, enum kp_memory_part part, uint64_t len)
{
	kp_assert(len <= share->in_use);
	share->in_use -= len;
	kp_pool_uncharge(share->pool, part, len);
}
