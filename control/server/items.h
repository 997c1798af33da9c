/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All resources as of one revision, in memory, by kind and name. Copies share
 * their items, which never change: a thread that takes a copy may look at it
 * while others go on. @thread any, one at a time for one struct kp_items
 */
#ifndef KP_CONTROL_SERVER_ITEMS_H
#define KP_CONTROL_SERVER_ITEMS_H

#include <stdatomic.h>

#include "control/api/digest.h"
#include "control/server/store.h"
#include "rules/resource.h"

struct kp_item {
	atomic_uint refs;
	char *kind, *name;
	struct kp_buf text; /* with a NUL behind it */
	uint64_t revision;  /* of its last change */
	struct kp_digest digest;
	/* NULL until somebody asks for it: kp_item_resource */
	_Atomic(const struct kp_resource *) parsed;
};

/* The zero state is empty, as of revision 0. */
struct kp_items {
	struct kp_item **list; /* sorted */
	size_t num;
	uint64_t revision;
};

void kp_items_fini(struct kp_items *items);

/* How a stored resource is named in problems: "Kind/name". */
#define KP_ITEM_FILE_SIZE KP_RESOURCE_TITLE_SIZE
void kp_item_file(const struct kp_item *item, char out[KP_ITEM_FILE_SIZE]);

/*
 * kp_item_resource returns what the text says, parsed when it is asked for the
 * first time. Borrowed while the item is held, with origins in "Kind/name".
 * NULL if it has any problem, which only a newer version sees, or, with
 * *out_is_refused unless that is NULL, if there is no memory for it, which may
 * be there the next time. @thread any
 */
const struct kp_resource *kp_item_resource(
    struct kp_item *item, bool *out_is_refused);

/* kp_items_copy makes out, which is empty, say the same as from. */
void kp_items_copy(struct kp_items *out, const struct kp_items *from);

/*
 * kp_items_load replaces the content by the state at a revision of the store.
 * Items that are the same stay. On failure nothing has changed; also where
 * there is no memory for it: KP_STORE_FAILED.
 */
enum kp_store_result kp_items_load(struct kp_items *items,
    struct kp_store *store, uint64_t at, int64_t deadline_ms,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_items_find returns NULL if there is none; borrowed until a change. */
const struct kp_item *kp_items_find(
    const struct kp_items *items, const char *kind, const char *name);

/*
 * kp_items_next fills out, which is empty, with what that revision makes of
 * items. Without memory for it out stays empty: KP_ERR_LIMIT.
 */
bool kp_items_next(struct kp_items *out, const struct kp_items *items,
    uint64_t revision, const struct kp_store_change *changes,
    size_t num_changes, struct kp_error *err) KP_MUST_CHECK;

/* kp_items_take replaces the content of items by that of *from, then empty. */
void kp_items_take(struct kp_items *items, struct kp_items *from);

/* Compares two names, first by kind; as strcmp does. */
int kp_items_compare(const char *kind, const char *name, const char *other_kind,
    const char *other_name);

#endif
