/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An edition: one revision, cut for the nodes that it is for, and packed for
 * their streams. Resources with the same spec.nodes are a group; nodes that the
 * same groups reach see the same cut. Cuts are made when the first node asks
 * for them, and so are pushes: from what was held to a cut, packed once and
 * shared. Only for control/server/hub*.c, node_*.c. @thread any
 */
#ifndef KP_CONTROL_SERVER_EDITION_PRIV_H
#define KP_CONTROL_SERVER_EDITION_PRIV_H

#include "base/mutex.h"
#include "control/rpc/packet.h"
#include "control/server/items.h"
#include "rules/labels.h"

/* What a node holds: zero is nothing. */
struct kp_held {
	uint64_t revision;
	struct kp_digest digest;
};

bool kp_held_equal(const struct kp_held *a, const struct kp_held *b);

/* Packets of one push; immutable but for next and refs. */
struct kp_push {
	atomic_uint refs;
	struct kp_push *next; /* of the cut */
	struct kp_held base;  /* zero: a whole set */
	struct kp_held after;
	bool is_rollback;
	int64_t committed_ms;
	int64_t made_ms; /* of kp_now_ms */
	struct kp_rpc_packet **packets;
	size_t num_packets;
};

struct kp_push *kp_push_ref(struct kp_push *push);
void kp_push_unref(struct kp_push *push);

/* What of an edition reaches some nodes; lives as long as the edition. */
struct kp_cut {
	struct kp_cut *next;
	uint8_t *reached; /* of each group, 0 or 1 */
	const struct kp_item **list;
	size_t num;
	struct kp_held held; /* by whom has it */
	struct kp_push *pushes;
};

struct kp_edition {
	atomic_uint refs;
	struct kp_items items;
	int64_t committed_ms;
	size_t *groups;          /* of each item; 0: it has none */
	struct kp_item **models; /* an item of each group, from 1 on */
	size_t num_groups;       /* 0 counts */
	struct kp_mutex lock;    /* guards cuts and all pushes in them */
	struct kp_cut *cuts;
	atomic_size_t num_cut; /* items in all cuts */
};

/* items is copied. */
struct kp_edition *kp_edition_new(
    const struct kp_items *items, int64_t committed_ms);
struct kp_edition *kp_edition_ref(struct kp_edition *edition);
void kp_edition_unref(struct kp_edition *edition);

/* The last editions: what a delta may be based on. */
#define KP_MAX_EDITIONS 8
struct kp_editions {
	struct kp_edition *list[KP_MAX_EDITIONS];
	size_t num;
};

void kp_editions_copy(struct kp_editions *out, const struct kp_editions *from);
void kp_editions_fini(struct kp_editions *editions);

/* Who is to be brought to an edition. */
struct kp_wanting {
	const struct kp_labels *labels;
	struct kp_held held;
	bool wants_whole; /* whatever it says it holds */
	bool is_rollback;
};

/*
 * kp_edition_push returns what brings a node from what it holds to the edition,
 * NULL if it holds that. The caller has a reference. bases may have editions
 * that are of no use.
 */
struct kp_push *kp_edition_push(struct kp_edition *edition,
    const struct kp_wanting *wanting, const struct kp_editions *bases);

/* kp_edition_trim forgets pushes that nobody has used since that time. */
void kp_edition_trim(struct kp_edition *edition, int64_t before_ms);

/* Packs the way from one list of items to another: push.c. */
struct kp_push *kp_push_new(const struct kp_cut *base, const struct kp_cut *cut,
    const struct kp_push *like);

#endif
