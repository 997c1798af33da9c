/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fixed number of threads and what waits for them, first come, first served.
 * Work is part of the object that it is for: what waits is bounded by what
 * there is, and adding it cannot fail. All signals are blocked in the threads.
 */
#ifndef KP_CONTROL_RPC_POOL_PRIV_H
#define KP_CONTROL_RPC_POOL_PRIV_H

struct kp_rpc_pool;

struct kp_rpc_work {
	void (*run)(void *object);
	void *object;
	struct kp_rpc_work *next;
};

struct kp_rpc_pool *kp_rpc_pool_new(unsigned num_threads);

/* kp_rpc_pool_free ends the threads once nothing waits any more. */
void kp_rpc_pool_free(struct kp_rpc_pool *pool);

/* kp_rpc_pool_add: work must not be waiting already. @thread any */
void kp_rpc_pool_add(struct kp_rpc_pool *pool, struct kp_rpc_work *work);

#endif
