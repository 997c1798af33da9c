/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/items.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

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

/* NULL if there is no memory for its text. */
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
	/* the NUL behind it is there and not counted */
	if (kp_buf_extend(&item->text, text.len + 1) == NULL) {
		item_unref(item);
		return NULL;
	}
	kp_copy(item->text.data, text.data, text.len);
	item->text.data[--item->text.len] = '\0';
	kp_digest_resource(&item->digest, kind, name, text);
	return item;
}

void
kp_item_file(const struct kp_item *item, char out[KP_ITEM_FILE_SIZE])
{
	(void)snprintf(
	    out, KP_ITEM_FILE_SIZE, "%.63s/%.63s", item->kind, item->name);
}

static const struct kp_resource *
parse(const struct kp_item *item, bool *out_is_refused)
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
	*out_is_refused = problems.is_refused;
	kp_diagnostics_fini(&problems);
	kp_resources_free(set);
	return resource;
}

/* Of two threads that parse at once one wins, and both use its result. */
const struct kp_resource *
kp_item_resource(struct kp_item *item, bool *out_is_refused)
{
	const struct kp_resource *known = atomic_load(&item->parsed);
	const struct kp_resource *fresh = NULL;
	bool is_refused = false;

	if (known == NULL)
		fresh = parse(item, &is_refused);
	if (out_is_refused != NULL)
		*out_is_refused = is_refused;
	if (fresh == NULL)
		return known;
	if (atomic_compare_exchange_strong(&item->parsed, &known, fresh))
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

/* A copy with room for more. */
static void
copy(struct kp_items *out, const struct kp_items *from, size_t num_more)
{
	*out = *from;
	out->list = kp_alloc(from->num + num_more, sizeof(*out->list));
	for (size_t i = 0; i < from->num; i++) {
		out->list[i] = from->list[i];
		(void)atomic_fetch_add(&out->list[i]->refs, 1);
	}
}

void
kp_items_take(struct kp_items *items, struct kp_items *from)
{
	kp_items_fini(items);
	*items = *from;
	*from = (struct kp_items){ .num = 0 };
}

void
kp_items_copy(struct kp_items *out, const struct kp_items *from)
{
	copy(out, from, 0);
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
	bool is_refused; /* there was no memory for all */
};

static void
make_room(struct loading *loading)
{
	struct kp_items *items = loading->items;
	size_t max = loading->max + loading->max / 2 + 16;
	struct kp_item **bigger;

	if (items->num < loading->max)
		return;
	bigger = kp_try_realloc(items->list, max * sizeof(*bigger));
	if (bigger == NULL) {
		loading->is_refused = true;
		return;
	}
	items->list = bigger;
	loading->max = max;
}

static void
add_loaded(void *ctx, const struct kp_store_item *stored)
{
	struct loading *loading = ctx;
	struct kp_item *item;

	make_room(loading);
	if (loading->is_refused)
		return;
	item = item_new(
	    stored->kind, stored->name, stored->text, stored->revision);
	if (item == NULL)
		loading->is_refused = true;
	else
		loading->items->list[loading->items->num++] = item;
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
    int64_t deadline_ms, struct kp_error *err)
{
	struct kp_items fresh = { .revision = at };
	struct loading loading = { .items = &fresh };
	enum kp_store_result result =
	    kp_store_load(store, at, add_loaded, &loading, deadline_ms, err);

	if (result == KP_STORE_OK && loading.is_refused) {
		(void)kp_error_set(
		    err, KP_ERR_LIMIT, "no memory for all resources");
		result = KP_STORE_FAILED;
	}
	if (result != KP_STORE_OK) {
		kp_items_fini(&fresh);
		return result;
	}
	keep_known(&fresh, items);
	kp_items_take(items, &fresh);
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

static bool
change(
    struct kp_items *items, uint64_t revision, const struct kp_store_change *c)
{
	size_t place = place_of(items, c->kind, c->name);
	struct kp_item *item;

	if (is_at(items, place, c->kind, c->name))
		take_out(items, place);
	if (c->text.data == NULL)
		return true;
	item = item_new(c->kind, c->name, c->text, revision);
	if (item != NULL)
		put_in(items, place, item);
	return item != NULL;
}

bool
kp_items_next(struct kp_items *out, const struct kp_items *items,
    uint64_t revision, const struct kp_store_change *changes,
    size_t num_changes, struct kp_error *err)
{
	copy(out, items, num_changes);
	for (size_t i = 0; i < num_changes; i++) {
		if (change(out, revision, &changes[i]))
			continue;
		kp_items_fini(out);
		return kp_error_set(err, KP_ERR_LIMIT,
		    "no memory for revision %llu",
		    (unsigned long long)revision);
	}
	out->revision = revision;
	return true;
}
