/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mutex that knows its owner and its place. Every mutex has a rank (the table
 * is in docs/ARCHITECTURE.md); a thread may only lock a mutex of a higher rank
 * than those it holds. Debug builds assert that, so a possible deadlock is a
 * failing test. Never call out (I/O, another module's callback, the log) with
 * one held. @thread any
 */
#ifndef KP_BASE_MUTEX_H
#define KP_BASE_MUTEX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Ranks: lower ones are taken first. */
enum kp_rank {
	KP_RANK_CHANNEL = 10,    /* one message stream to another process */
	KP_RANK_SNAPSHOT = 20,   /* the current rule tables */
	KP_RANK_TOPOLOGY = 30,   /* node addresses of one cluster */
	KP_RANK_SESSIONS = 40,   /* the list of live connections */
	KP_RANK_POOL = 50,       /* a pool of pipes, tickets */
	KP_RANK_DESK = 51,       /* the newest resources; whose turn it is */
	KP_RANK_WATCHES = 52,    /* who watches resources, or health */
	KP_RANK_GUARD = 53,      /* roles in force, rates of identities */
	KP_RANK_HUB_STORE = 54,  /* what the hub keeps in the store */
	KP_RANK_HUB = 55,        /* nodes and their streams */
	KP_RANK_EDITION = 56,    /* what is packed of one revision */
	KP_RANK_ETCD = 57,       /* the client of etcd, the store's threads */
	KP_RANK_LINK = 58,       /* an agent's link to policy servers */
	KP_RANK_RPC_SERVER = 60, /* the list of calls; one channel's state */
	KP_RANK_RPC_CALL = 61,   /* one call or stream */
	KP_RANK_RPC_POOL = 62,   /* what waits for a thread */
	KP_RANK_AUDIT = 66,      /* the audit file */
	KP_RANK_STORE_USE = 69,  /* the file of a store */
	KP_RANK_STORE = 70,      /* news of a store of resources */
	KP_RANK_TEST = 90,
};

struct kp_mutex {
	pthread_mutex_t lock;
	enum kp_rank rank;
	atomic_uintptr_t owner; /* address inside the owner's thread, or 0 */
};

void kp_mutex_init(struct kp_mutex *mutex, enum kp_rank rank);
void kp_mutex_fini(struct kp_mutex *mutex);
void kp_mutex_lock(struct kp_mutex *mutex);
void kp_mutex_unlock(struct kp_mutex *mutex);
void kp_mutex_assert_held(struct kp_mutex *mutex);

/* A condition on a kp_mutex, on the monotonic clock. */
struct kp_cond {
	pthread_cond_t cond;
};

void kp_cond_init(struct kp_cond *cond);
void kp_cond_fini(struct kp_cond *cond);
void kp_cond_broadcast(struct kp_cond *cond);
/* kp_cond_signal wakes one, where it does not matter which. */
void kp_cond_signal(struct kp_cond *cond);

/*
 * kp_cond_wait releases mutex while it waits. Returns false once deadline_ms
 * (of kp_now_ms) has passed; the caller checks its condition either way.
 */
bool kp_cond_wait(
    struct kp_cond *cond, struct kp_mutex *mutex, int64_t deadline_ms);

#endif
