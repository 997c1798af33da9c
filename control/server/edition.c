/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/server/edition_priv.h"
#include "rules/resource.h"

bool
kp_held_equal(const struct kp_held *a, const struct kp_held *b)
{
	return a->revision == b->revision &&
	       memcmp(&a->digest, &b->digest, sizeof(a->digest)) == 0;
}

/*
 * What nobody here can read reaches all: its nodes judge for themselves, and
 * keep what they have rather than lose a part of it.
 */
static const struct kp_labels *
nodes_of(struct kp_item *item)
{
	static const struct kp_labels everywhere = { .num = 0 };
	const struct kp_resource *resource = kp_item_resource(item, NULL);

	return resource == NULL ? &everywhere : &resource->nodes;
}

/* An item that not all nodes get, and its place in the list of all. */
struct chosen {
	struct kp_item *item;
	const struct kp_labels *nodes;
	size_t index;
};

static int
compare_labels(const struct kp_labels *a, const struct kp_labels *b)
{
	int order = (a->num > b->num) - (a->num < b->num);

	for (size_t i = 0; order == 0 && i < a->num; i++) {
		order = strcmp(a->list[i].name, b->list[i].name);
		if (order == 0)
			order = strcmp(a->list[i].value, b->list[i].value);
	}
	return order;
}

static int
compare_chosen(const void *left, const void *right)
{
	const struct chosen *a = left, *b = right;

	return compare_labels(a->nodes, b->nodes);
}

static size_t
find_chosen(const struct kp_items *items, struct chosen *out)
{
	size_t num = 0;

	for (size_t i = 0; i < items->num; i++) {
		struct kp_item *item = items->list[i];
		const struct kp_labels *nodes = nodes_of(item);

		if (nodes->num > 0)
			out[num++] = (struct chosen){ item, nodes, i };
	}
	return num;
}

/* Items with the same spec.nodes are a group. */
static void
make_groups(struct kp_edition *edition)
{
	size_t max = edition->items.num;
	struct chosen *chosen = kp_alloc(max, sizeof(*chosen));
	size_t num = find_chosen(&edition->items, chosen);

	edition->groups = kp_alloc(max, sizeof(*edition->groups));
	edition->models = kp_alloc(num + 1, sizeof(*edition->models));
	edition->num_groups = 1;
	qsort(chosen, num, sizeof(*chosen), compare_chosen);
	for (size_t i = 0; i < num; i++) {
		if (i == 0 || compare_chosen(&chosen[i - 1], &chosen[i]) != 0)
			edition->models[edition->num_groups++] = chosen[i].item;
		edition->groups[chosen[i].index] = edition->num_groups - 1;
	}
	free(chosen);
}

struct kp_edition *
kp_edition_new(const struct kp_items *items, int64_t committed_ms)
{
	struct kp_edition *edition = kp_alloc(1, sizeof(*edition));

	atomic_init(&edition->refs, 1);
	kp_items_copy(&edition->items, items);
	edition->committed_ms = committed_ms;
	kp_mutex_init(&edition->lock, KP_RANK_EDITION);
	make_groups(edition);
	return edition;
}

struct kp_edition *
kp_edition_ref(struct kp_edition *edition)
{
	(void)atomic_fetch_add(&edition->refs, 1);
	return edition;
}

static void
cut_free(struct kp_cut *cut)
{
	struct kp_push *push;

	while ((push = cut->pushes) != NULL) {
		cut->pushes = push->next;
		kp_push_unref(push);
	}
	free(cut->reached);
	free(cut->list);
	free(cut);
}

void
kp_edition_unref(struct kp_edition *edition)
{
	struct kp_cut *cut;

	if (edition == NULL || atomic_fetch_sub(&edition->refs, 1) != 1)
		return;
	while ((cut = edition->cuts) != NULL) {
		edition->cuts = cut->next;
		cut_free(cut);
	}
	kp_mutex_fini(&edition->lock);
	kp_items_fini(&edition->items);
	free(edition->groups);
	free(edition->models);
	free(edition);
}

void
kp_editions_copy(struct kp_editions *out, const struct kp_editions *from)
{
	*out = *from;
	for (size_t i = 0; i < out->num; i++)
		(void)kp_edition_ref(out->list[i]);
}

void
kp_editions_fini(struct kp_editions *editions)
{
	for (size_t i = 0; i < editions->num; i++)
		kp_edition_unref(editions->list[i]);
	editions->num = 0;
}

static void
fill_cut(struct kp_cut *cut, const struct kp_edition *edition)
{
	const struct kp_items *items = &edition->items;
	struct kp_digest *digests = kp_alloc(items->num, sizeof(*digests));

	cut->list = kp_alloc(items->num, sizeof(*cut->list));
	for (size_t i = 0; i < items->num; i++) {
		if (cut->reached[edition->groups[i]] == 0)
			continue;
		digests[cut->num] = items->list[i]->digest;
		cut->list[cut->num++] = items->list[i];
	}
	cut->held.revision = items->revision;
	kp_digest_set(&cut->held.digest, digests, cut->num);
	free(digests);
}

/* The cut for a node with those labels, made if it is not there yet. */
static struct kp_cut *
cut_for_locked(struct kp_edition *edition, const struct kp_labels *labels)
{
	uint8_t *reached = kp_alloc(edition->num_groups, 1);
	struct kp_cut *cut;

	kp_mutex_assert_held(&edition->lock);
	reached[0] = 1;
	for (size_t i = 1; i < edition->num_groups; i++)
		reached[i] = kp_labels_first_missing(
				 nodes_of(edition->models[i]), labels) == NULL;
	for (cut = edition->cuts; cut != NULL; cut = cut->next) {
		if (memcmp(cut->reached, reached, edition->num_groups) != 0)
			continue;
		free(reached);
		return cut;
	}
	cut = kp_alloc(1, sizeof(*cut));
	cut->reached = reached;
	fill_cut(cut, edition);
	(void)atomic_fetch_add(&edition->num_cut, cut->num);
	cut->next = edition->cuts;
	edition->cuts = cut;
	return cut;
}

/* A cut that is just what is held, of those that were made; or NULL. */
static const struct kp_cut *
find_base(const struct kp_editions *bases, const struct kp_held *held)
{
	const struct kp_cut *found = NULL;

	for (size_t i = 0; found == NULL && i < bases->num; i++) {
		struct kp_edition *edition = bases->list[i];

		if (edition->items.revision != held->revision)
			continue;
		kp_mutex_lock(&edition->lock);
		found = edition->cuts;
		while (found != NULL && !kp_held_equal(&found->held, held))
			found = found->next;
		kp_mutex_unlock(&edition->lock);
	}
	return found;
}

static struct kp_push *
find_push_locked(const struct kp_cut *cut, const struct kp_push *like)
{
	for (struct kp_push *push = cut->pushes; push != NULL;
	     push = push->next) {
		if (push->is_rollback == like->is_rollback &&
		    kp_held_equal(&push->base, &like->base))
			return push;
	}
	return NULL;
}

static struct kp_push *
push_for_locked(struct kp_edition *edition, struct kp_cut *cut,
    const struct kp_wanting *wanting, const struct kp_cut *base)
{
	static const struct kp_cut nothing = { .num = 0 };
	struct kp_push like = { .after = cut->held,
		.is_rollback = wanting->is_rollback,
		.committed_ms = edition->committed_ms };
	struct kp_push *push;

	/* it may be the same under another number */
	if (base == NULL && !wanting->wants_whole &&
	    wanting->held.revision != 0 &&
	    memcmp(&wanting->held.digest, &cut->held.digest, KP_DIGEST_LEN) ==
		0)
		base = cut;
	if (base != NULL)
		like.base = wanting->held;
	push = find_push_locked(cut, &like);
	if (push != NULL)
		return kp_push_ref(push);
	push = kp_push_new(base == NULL ? &nothing : base, cut, &like);
	push->next = cut->pushes;
	cut->pushes = push;
	return kp_push_ref(push);
}

struct kp_push *
kp_edition_push(struct kp_edition *edition, const struct kp_wanting *wanting,
    const struct kp_editions *bases)
{
	const struct kp_cut *base = NULL;
	struct kp_push *push = NULL;
	struct kp_cut *cut;

	if (!wanting->wants_whole && wanting->held.revision != 0)
		base = find_base(bases, &wanting->held);
	kp_mutex_lock(&edition->lock);
	cut = cut_for_locked(edition, wanting->labels);
	if (wanting->wants_whole ||
	    (wanting->held.revision | cut->held.revision) != 0)
		push = wanting->wants_whole ||
			       !kp_held_equal(&wanting->held, &cut->held)
			   ? push_for_locked(edition, cut, wanting, base)
			   : NULL;
	kp_mutex_unlock(&edition->lock);
	return push;
}

static void
trim_cut_locked(struct kp_cut *cut, int64_t before_ms)
{
	struct kp_push **at = &cut->pushes;

	while (*at != NULL) {
		struct kp_push *push = *at;

		if (push->made_ms >= before_ms ||
		    atomic_load(&push->refs) > 1) {
			at = &push->next;
			continue;
		}
		*at = push->next;
		kp_push_unref(push);
	}
}

void
kp_edition_trim(struct kp_edition *edition, int64_t before_ms)
{
	kp_mutex_lock(&edition->lock);
	for (struct kp_cut *cut = edition->cuts; cut != NULL; cut = cut->next)
		trim_cut_locked(cut, before_ms);
	kp_mutex_unlock(&edition->lock);
}
