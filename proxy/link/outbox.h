/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What connections want the agent to know, until the link thread sends it. The
 * same thing asked twice is kept once; when it is full or nobody listens,
 * things are dropped, since whoever needs them asks again.
 * @thread any @locks takes its own
 */
#ifndef KP_PROXY_LINK_OUTBOX_H
#define KP_PROXY_LINK_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mutex.h"

#define KP_OUTBOX_MAX 4096

struct kp_outbox_item {
	struct kp_outbox_item *next;
	char *cluster; /* NULL: host is wanted; else: node was learned */
	int32_t node_id;
	char *host;
	uint16_t port;
};

struct kp_outbox {
	struct kp_mutex lock; /* guards all below */
	bool is_open;
	struct kp_outbox_item *first, *last;
	size_t num_items;
};

void kp_outbox_init(struct kp_outbox *outbox);
void kp_outbox_fini(struct kp_outbox *outbox);

/* kp_outbox_set_open: a closed outbox is empty and takes nothing. */
void kp_outbox_set_open(struct kp_outbox *outbox, bool is_open);

/*
 * kp_outbox_add copies its arguments into a new item. Returns true if it is the
 * only one, so that whoever empties the box has to be woken.
 */
bool kp_outbox_add(struct kp_outbox *outbox, const char *cluster,
    int32_t node_id, const char *host, uint16_t port);

/* kp_outbox_take returns all items in order and leaves the box empty. */
struct kp_outbox_item *kp_outbox_take(struct kp_outbox *outbox);

/* kp_outbox_item_free frees one item and returns the next. */
struct kp_outbox_item *kp_outbox_item_free(struct kp_outbox_item *item);

#endif
