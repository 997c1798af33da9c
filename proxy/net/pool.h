/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buffers of one size shared by all connections, and the account of all memory
 * that connections use: when the budget is spent, a connection does not get
 * more, and nobody else suffers. A few free buffers are kept, the rest goes
 * back to the system. Buffers are not cleared: what is in them is a former
 * connection's.
 *
 * All of the budget is for buffers and for what is not longer than one. What is
 * longer gets a part of it, so that whoever makes the proxy hold long frames
 * leaves enough for those who do not. @thread any
 */
#ifndef KP_PROXY_NET_POOL_H
#define KP_PROXY_NET_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define KP_BUFFER_LEN ((size_t)64 * 1024)

/* What memory is for. Of the budget, long ones get at most: */
enum kp_memory_part {
	KP_MEMORY_REQUESTS, /* a quarter: clients may be anybody */
	KP_MEMORY_ANSWERS,  /* half, and so do pipes */
	KP_NUM_MEMORY_PARTS
};
#define KP_MEMORY_REQUESTS_DIVISOR 4
#define KP_MEMORY_ANSWERS_DIVISOR 2

struct kp_pool;

struct kp_pool *kp_pool_new(uint64_t limit_len);
void kp_pool_free(struct kp_pool *pool); /* after everything came back */

/* kp_pool_get returns KP_BUFFER_LEN bytes; NULL when the budget is spent. */
uint8_t *kp_pool_get(struct kp_pool *pool) KP_MUST_CHECK;
void kp_pool_put(struct kp_pool *pool, uint8_t *buffer); /* NULL is fine */

/*
 * kp_pool_charge accounts for len bytes that the caller allocates elsewhere;
 * false when the budget, or that part of it, is spent.
 */
bool kp_pool_charge(
    struct kp_pool *pool, enum kp_memory_part part, uint64_t len) KP_MUST_CHECK;
/* kp_pool_uncharge gives back what was charged at once. */
void kp_pool_uncharge(
    struct kp_pool *pool, enum kp_memory_part part, uint64_t len);

/*
 * kp_pool_set_limit: a lower limit takes nothing back, it refuses until enough
 * has come back.
 */
void kp_pool_set_limit(struct kp_pool *pool, uint64_t limit_len);

/*
 * One connection's share of the budget, with a limit of its own. Belongs to the
 * connection's thread. is_exceeded tells which limit refused last.
 */
struct kp_share {
	struct kp_pool *pool;
	uint64_t limit_len, in_use;
	bool is_exceeded;
};

/* The same as of the pool. */
uint8_t *kp_share_get(struct kp_share *share) KP_MUST_CHECK;
void kp_share_put(struct kp_share *share, uint8_t *buffer);
bool kp_share_charge(struct kp_share *share, enum kp_memory_part part,
    uint64_t len) KP_MUST_CHECK;
void kp_share_uncharge(
    struct kp_share *share, enum kp_memory_part part, uint64_t len);

/* Gauges, in bytes. */
uint64_t kp_pool_in_use(const struct kp_pool *pool);
uint64_t kp_pool_limit(const struct kp_pool *pool);

#endif
