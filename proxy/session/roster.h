/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is connected: counts against the limits, lets the worker wake every
 * connection's thread, and hands ended threads to whoever joins them. @thread
 * any
 */
#ifndef KP_PROXY_SESSION_ROSTER_H
#define KP_PROXY_SESSION_ROSTER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mutex.h"
#include "proxy/net/address.h"

/* Sent to a connection's thread to end its wait; blocked outside of ppoll. */
#define KP_WAKE_SIGNAL SIGUSR1

/* A place in the roster, part of a session. */
struct kp_roster_entry {
	struct kp_roster_entry *next, *before;
	struct kp_roster_entry *younger, *older; /* while it is opening */
	bool is_opening;
	atomic_bool is_evicted;  /* it made room for others: end soon */
	_Atomic int64_t wake_ms; /* when its wait should end (kp_now_ms) */
	char host[KP_ADDRESS_TEXT_LEN]; /* of the client's socket */
	struct kp_roster_group *group;  /* of its virtual cluster */
	pthread_t thread;
	bool is_running; /* thread is set */
};

/* Connections of one virtual cluster; kept for as long as the roster is. */
struct kp_roster_group {
	struct kp_roster_group *next;
	char *name;
	uint32_t num_live;
};

/* 0: no limit. */
struct kp_roster_limits {
	uint32_t in_all, opening, per_host, per_group;
};

enum kp_roster_verdict {
	KP_ROSTER_IN,
	KP_ROSTER_FULL,
	KP_ROSTER_HOST_FULL,
	KP_ROSTER_GROUP_FULL,
};

#define KP_ROSTER_BUCKETS 4096

struct kp_roster {
	struct kp_mutex list_mutex; /* guards all that follows */
	struct kp_roster_entry *live[KP_ROSTER_BUCKETS]; /* by host */
	struct kp_roster_entry *ended;                   /* to be joined */
	struct kp_roster_group *groups;
	struct kp_roster_entry *oldest, *youngest; /* opening ones */
	uint32_t num_live, num_opening, num_ended;
};

void kp_roster_init(struct kp_roster *roster);
void kp_roster_fini(struct kp_roster *roster);

/*
 * kp_roster_add takes entry (with host set) in, as a connection to the virtual
 * cluster named group, unless a limit is reached. It is opening until
 * kp_roster_opened; if there are too many of those, the oldest one is evicted.
 */
enum kp_roster_verdict kp_roster_add(struct kp_roster *roster,
    struct kp_roster_entry *entry, const char *group,
    const struct kp_roster_limits *limits);
void kp_roster_opened(struct kp_roster *roster, struct kp_roster_entry *entry);

/* kp_roster_started: the calling thread is the entry's. */
void kp_roster_started(struct kp_roster *roster, struct kp_roster_entry *entry);

/* kp_roster_cancel takes out an entry whose thread was never started. */
void kp_roster_cancel(struct kp_roster *roster, struct kp_roster_entry *entry);

/*
 * kp_roster_end moves an entry to the ended ones, which gives up its place. Its
 * thread is about to end, and whoever takes the entry waits for that.
 */
void kp_roster_end(struct kp_roster *roster, struct kp_roster_entry *entry);

/* kp_roster_take_ended takes one ended entry out, to be joined; NULL if none.
 */
struct kp_roster_entry *kp_roster_take_ended(struct kp_roster *roster);

/* Live and ended, not joined yet; those that are opening. */
uint32_t kp_roster_count(struct kp_roster *roster);
uint32_t kp_roster_count_opening(struct kp_roster *roster);

/*
 * kp_roster_wake_all interrupts the wait of every live thread,
 * kp_roster_wake_late that of those whose wake_ms has come.
 */
void kp_roster_wake_all(struct kp_roster *roster);
void kp_roster_wake_late(struct kp_roster *roster, int64_t now_ms);

#endif
