/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/link/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void
kp_outbox_init(struct kp_outbox *outbox)
{
	*outbox = (struct kp_outbox){ .is_open = false };
	kp_mutex_init(&outbox->lock, KP_RANK_CHANNEL);
}

struct kp_outbox_item *
kp_outbox_item_free(struct kp_outbox_item *item)
{
	struct kp_outbox_item *next = item->next;

	free(item->cluster);
	free(item->host);
	free(item);
	return next;
}

struct kp_outbox_item *
kp_outbox_take(struct kp_outbox *outbox)
{
	struct kp_outbox_item *items;

	kp_mutex_lock(&outbox->lock);
	items = outbox->first;
	outbox->first = outbox->last = NULL;
	outbox->num_items = 0;
	kp_mutex_unlock(&outbox->lock);
	return items;
}

static void
drop_all(struct kp_outbox *outbox)
{
	struct kp_outbox_item *item = kp_outbox_take(outbox);

	while (item != NULL)
		item = kp_outbox_item_free(item);
}

void
kp_outbox_fini(struct kp_outbox *outbox)
{
	drop_all(outbox);
	kp_mutex_fini(&outbox->lock);
}

void
kp_outbox_set_open(struct kp_outbox *outbox, bool is_open)
{
	kp_mutex_lock(&outbox->lock);
	outbox->is_open = is_open;
	kp_mutex_unlock(&outbox->lock);
	drop_all(outbox);
}

static bool
is_same(const struct kp_outbox_item *a, const struct kp_outbox_item *b)
{
	if ((a->cluster == NULL) != (b->cluster == NULL))
		return false;
	if (a->cluster != NULL &&
	    (a->node_id != b->node_id || a->port != b->port ||
		strcmp(a->cluster, b->cluster) != 0))
		return false;
	return strcmp(a->host, b->host) == 0;
}

static bool
takes(const struct kp_outbox *outbox, const struct kp_outbox_item *item)
{
	if (!outbox->is_open || outbox->num_items == KP_OUTBOX_MAX)
		return false;
	for (const struct kp_outbox_item *i = outbox->first; i != NULL;
	     i = i->next) {
		if (is_same(i, item))
			return false;
	}
	return true;
}

static void
append(struct kp_outbox *outbox, struct kp_outbox_item *item)
{
	if (outbox->last == NULL)
		outbox->first = item;
	else
		outbox->last->next = item;
	outbox->last = item;
	outbox->num_items++;
}

static struct kp_outbox_item *
item_new(const char *cluster, int32_t node_id, const char *host, uint16_t port)
{
	struct kp_outbox_item *item = kp_alloc(1, sizeof(*item));

	item->cluster = cluster == NULL ? NULL : kp_strdup(cluster);
	item->node_id = node_id;
	item->host = kp_strdup(host);
	item->port = port;
	return item;
}

bool
kp_outbox_add(struct kp_outbox *outbox, const char *cluster, int32_t node_id,
    const char *host, uint16_t port)
{
	struct kp_outbox_item *item = item_new(cluster, node_id, host, port);
	bool is_taken, is_first;

	kp_mutex_lock(&outbox->lock);
	is_first = outbox->num_items == 0;
	is_taken = takes(outbox, item);
	if (is_taken)
		append(outbox, item);
	kp_mutex_unlock(&outbox->lock);
	if (!is_taken)
		(void)kp_outbox_item_free(item);
	return is_taken && is_first;
}
