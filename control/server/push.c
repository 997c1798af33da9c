/* SPDX-License-Identifier: Apache-2.0 */
/* From two lists of items to the packets that make one of the other. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/api/methods.h"
#include "control/server/edition_priv.h"

/* Tags and lengths of one entry, and of the message around all. */
#define MARGIN 64

/* The part that is being filled. */
struct part {
	struct kp_push *push;
	Kproxy__Control__V1__Push message;
	Kproxy__Control__V1__Resource *changed;
	Kproxy__Control__V1__ResourceName *deleted;
	size_t len, max;
};

static void
part_clear(struct part *part)
{
	kproxy__control__v1__push__init(&part->message);
	part->message.changed = kp_alloc(part->max, sizeof(void *));
	part->message.deleted = kp_alloc(part->max, sizeof(void *));
	part->message.revision = part->push->after.revision;
	part->message.based_on = part->push->base.revision;
	part->message.is_rollback = part->push->is_rollback;
	part->message.committed_ms = part->push->committed_ms;
	part->len = MARGIN;
}

static void
part_free_lists(struct part *part)
{
	free(part->message.changed);
	free(part->message.deleted);
}

static void
part_pack(struct part *part)
{
	struct kp_push *push = part->push;
	Kproxy__Control__V1__SyncResponse response;
	struct kp_error err;

	kproxy__control__v1__sync_response__init(&response);
	response.body_case = KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_PUSH;
	response.push = &part->message;
	push->packets = kp_realloc(push->packets, push->num_packets + 1,
	    sizeof(struct kp_rpc_packet *));
	push->packets[push->num_packets] =
	    kp_rpc_packet_new(&response.base, KP_API_MAX_PUSH, &err);
	/* a document, and a part before the last resource, have a limit */
	kp_assert(push->packets[push->num_packets] != NULL);
	push->num_packets++;
	part_free_lists(part);
}

/* Makes room for an entry of that length. */
static void
part_reserve(struct part *part, size_t len)
{
	if (part->len > MARGIN && part->len + len > KP_API_PUSH_LEN) {
		part_pack(part);
		part_clear(part);
	}
	part->len += len;
}

static void
add_changed(struct part *part, const struct kp_item *item)
{
	size_t len =
	    MARGIN + strlen(item->kind) + strlen(item->name) + item->text.len;
	Kproxy__Control__V1__Resource *resource;

	part_reserve(part, len);
	resource = &part->changed[part->message.n_changed];
	kproxy__control__v1__resource__init(resource);
	resource->kind = item->kind;
	resource->name = item->name;
	resource->document = (char *)item->text.data;
	resource->resource_version = item->revision;
	part->message.changed[part->message.n_changed++] = resource;
}

static void
add_deleted(struct part *part, const struct kp_item *item)
{
	size_t len = MARGIN + strlen(item->kind) + strlen(item->name);
	Kproxy__Control__V1__ResourceName *name;

	part_reserve(part, len);
	name = &part->deleted[part->message.n_deleted];
	kproxy__control__v1__resource_name__init(name);
	name->kind = item->kind;
	name->name = item->name;
	part->message.deleted[part->message.n_deleted++] = name;
}

/* As strcmp does; what is at its end comes last. */
static int
order_of(
    const struct kp_cut *base, size_t i, const struct kp_cut *cut, size_t j)
{
	if (i == base->num || j == cut->num)
		return i == base->num ? 1 : -1;
	return kp_items_compare(base->list[i]->kind, base->list[i]->name,
	    cut->list[j]->kind, cut->list[j]->name);
}

static void
add_differences(
    struct part *part, const struct kp_cut *base, const struct kp_cut *cut)
{
	size_t i = 0, j = 0;

	while (i < base->num || j < cut->num) {
		int order = order_of(base, i, cut, j);

		if (order < 0)
			add_deleted(part, base->list[i++]);
		else if (order > 0)
			add_changed(part, cut->list[j++]);
		else if (memcmp(&base->list[i++]->digest,
			     &cut->list[j++]->digest, KP_DIGEST_LEN) != 0)
			add_changed(part, cut->list[j - 1]);
	}
}

struct kp_push *
kp_push_new(const struct kp_cut *base, const struct kp_cut *cut,
    const struct kp_push *like)
{
	struct kp_push *push = kp_alloc(1, sizeof(*push));
	struct part part = { .push = push, .max = base->num + cut->num + 1 };

	*push = *like;
	atomic_init(&push->refs, 1);
	push->made_ms = kp_now_ms();
	part.changed = kp_alloc(part.max, sizeof(*part.changed));
	part.deleted = kp_alloc(part.max, sizeof(*part.deleted));
	part_clear(&part);
	add_differences(&part, base, cut);
	part.message.is_last = true;
	part.message.sha256.data = push->after.digest.bytes;
	part.message.sha256.len = KP_DIGEST_LEN;
	part_pack(&part);
	free(part.changed);
	free(part.deleted);
	return push;
}

struct kp_push *
kp_push_ref(struct kp_push *push)
{
	(void)atomic_fetch_add(&push->refs, 1);
	return push;
}

void
kp_push_unref(struct kp_push *push)
{
	if (push == NULL || atomic_fetch_sub(&push->refs, 1) != 1)
		return;
	for (size_t i = 0; i < push->num_packets; i++)
		kp_rpc_packet_unref(push->packets[i]);
	free(push->packets);
	free(push);
}
