/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/items.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static struct kp_item *
item_new(
    const char *kind, const char *name, struct kp_bytes text, uint64_t revision)
{
	struct kp_item *item = kp_alloc(1, sizeof(*item));

	atomic_init(&item->refs, 1);
	atomic_init(&item->parsed, NULL);
	item->kind = kp_strdup(kind);
	item->name = kp_strdup(name);
	item->revision = revision;
	kp_buf_init(&item->text, text.len + 1);
	kp_buf_add(&item->text, text.data, text.len);
	kp_buf_add(&item->text, "", 1);
	kp_assert(!item->text.failed);
	item->text.len--;
	kp_digest_resource(&item->digest, kind, name, text);
	return item;
}

static void
item_unref(struct kp_item *item)
{
	if (atomic_fetch_sub(&item->refs, 1) != 1)
		return;
	kp_resource_unref(atomic_load(&item->parsed));
	kp_buf_fini(&item->text);
	free(item->kind);
	free(item->name);
	free(item);
}

void
kp_item_file(const struct kp_item *item, char out[KP_ITEM_FILE_SIZE])
{
	(void)snprintf(
	    out, KP_ITEM_FILE_SIZE, "%.63s/%.63s", item->kind, item->name);
}

static const struct kp_resource *
parse(const struct kp_item *item)
{
	struct kp_diagnostics problems = { 0 };
	struct kp_resources *set = kp_resources_new();
	const struct kp_resource *resource = NULL;
	char file[KP_ITEM_FILE_SIZE];

	kp_item_file(item, file);
	kp_resources_add_file(set, file, kp_buf_bytes(&item->text), &problems);
	if (kp_diagnostics_count(&problems) == 0 &&
	    kp_resources_count(set) == 1)
		resource = kp_resource_ref(kp_resources_at(set, 0));
	kp_diagnostics_fini(&problems);
	kp_resources_free(set);
	return resource;
}

/* Of two threads that parse at once one wins, and both use its result. */
const struct kp_resource *
kp_item_resource(struct kp_item *item)
{
	const struct kp_resource *known = atomic_load(&item->parsed);
	const struct kp_resource *fresh;

	if (known != NULL)
		return known;
	fresh = parse(item);
	if (fresh == NULL ||
	    atomic_compare_exchange_strong(&item->parsed, &known, fresh))
		return fresh;
	kp_resource_unref(fresh);
	return known;
}

void
kp_items_fini(struct kp_items *items)
{
	for (size_t i = 0; i < items->num; i++)
		item_unref(items->list[i]);
	free(items->list);
	*items = (struct kp_items){ .num = 0 };
}

void
kp_items_copy(struct kp_items *out, const struct kp_items *from)
{
	*out = *from;
	out->list = kp_alloc(from->num, sizeof(*out->list));
	for (size_t i = 0; i < from->num; i++) {
		out->list[i] = from->list[i];
		(void)atomic_fetch_add(&out->list[i]->refs, 1);
	}
}

int
kp_items_compare(const char *kind, const char *name, const char *other_kind,
    const char *other_name)
{
	int order = strcmp(kind, other_kind);

	return order != 0 ? order : strcmp(name, other_name);
}

/* What a load adds to; the list grows by half. */
struct loading {
	struct kp_items *items;
	size_t max;
};

static void
add_loaded(void *ctx, const struct kp_store_item *stored)
{
	struct loading *loading = ctx;
	struct kp_items *items = loading->items;

	if (items->num == loading->max) {
		loading->max += loading->max / 2 + 16;
		items->list = kp_try_realloc(
		    items->list, loading->max * sizeof(struct kp_item *));
		kp_assert(items->list != NULL);
	}
	items->list[items->num++] = item_new(
	    stored->kind, stored->name, stored->text, stored->revision);
}

static bool
is_same(const struct kp_item *a, const struct kp_item *b)
{
	return a->revision == b->revision &&
	       kp_bytes_equal(kp_buf_bytes(&a->text), kp_buf_bytes(&b->text));
}

/* What has been parsed once need not be parsed again. */
static void
keep_known(struct kp_items *fresh, const struct kp_items *known)
{
	for (size_t i = 0, k = 0; i < fresh->num && k < known->num;) {
		struct kp_item *item = fresh->list[i], *old = known->list[k];
		int order = kp_items_compare(
		    item->kind, item->name, old->kind, old->name);

		if (order == 0 && is_same(item, old)) {
			(void)atomic_fetch_add(&old->refs, 1);
			fresh->list[i] = old;
			item_unref(item);
		}
		i += order <= 0;
		k += order >= 0;
	}
}

enum kp_store_result
kp_items_load(struct kp_items *items, struct kp_store *store, uint64_t at,
    struct kp_error *err)
{
	struct kp_items fresh = { .revision = at };
	struct loading loading = { .items = &fresh };
	enum kp_store_result result =
	    kp_store_load(store, at, add_loaded, &loading, err);

	if (result != KP_STORE_OK) {
		kp_items_fini(&fresh);
		return result;
	}
	keep_known(&fresh, items);
	kp_items_fini(items);
	*items = fresh;
	return KP_STORE_OK;
}

/* The place of a name, or where it would be. */
static size_t
place_of(const struct kp_items *items, const char *kind, const char *name)
{
	size_t low = 0, high = items->num;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct kp_item *item = items->list[middle];

		if (kp_items_compare(item->kind, item->name, kind, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
is_at(const struct kp_items *items, size_t place, const char *kind,
    const char *name)
{
	return place < items->num &&
	       kp_items_compare(items->list[place]->kind,
		   items->list[place]->name, kind, name) == 0;
}

const struct kp_item *
kp_items_find(const struct kp_items *items, const char *kind, const char *name)
{
	size_t place = place_of(items, kind, name);

	return is_at(items, place, kind, name) ? items->list[place] : NULL;
}

static void
take_out(struct kp_items *items, size_t place)
{
	item_unref(items->list[place]);
	items->num--;
	kp_move(&items->list[place], &items->list[place + 1],
	    (items->num - place) * sizeof(struct kp_item *));
}

static void
put_in(struct kp_items *items, size_t place, struct kp_item *item)
{
	kp_move(&items->list[place + 1], &items->list[place],
	    (items->num - place) * sizeof(struct kp_item *));
	items->list[place] = item;
	items->num++;
}

void
kp_items_change(struct kp_items *items, uint64_t revision,
    const struct kp_store_change *changes, size_t num_changes)
{
	items->list = kp_try_realloc(items->list,
	    (items->num + num_changes + 1) * sizeof(struct kp_item *));
	kp_assert(items->list != NULL);
	for (size_t i = 0; i < num_changes; i++) {
		const struct kp_store_change *c = &changes[i];
		size_t place = place_of(items, c->kind, c->name);

		if (is_at(items, place, c->kind, c->name))
			take_out(items, place);
		if (c->text.data != NULL)
			put_in(items, place,
			    item_new(c->kind, c->name, c->text, revision));
	}
	items->revision = revision;
}
