/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One item of a request as an object of CEL: nothing is converted before it is
 * asked for, and what comes out borrows from the request. What an expression
 * must not trust (a name that the request does not say, a code without a word,
 * a text that is not UTF-8, a setting that is there twice) is an error, so that
 * the failurePolicy decides. @thread any, one at a time
 */
#ifndef KP_RULES_GOVERN_VIEW_H
#define KP_RULES_GOVERN_VIEW_H

#include "proto/kafka/tree.h"
#include "rules/cel/value.h"
#include "rules/govern/objects.h"

struct kp_item {
	const struct kp_object_api *api;
	const struct kp_tree *request;
	const struct kp_tree_value *value; /* a struct, or a text; NULL: all
					    * that there are, none by name */
	const struct kp_field *fields;     /* of the struct; NULL: a text */
	const struct kp_items_part *part;  /* NULL: the request is the item */
	struct kp_arena *arena;            /* for what is made on the way */
};

/* An array whose elements are items. */
struct kp_items_part {
	struct kp_tree_value *array;   /* null: one item, without a value */
	const struct kp_field *fields; /* as in kp_item */
	/* The struct that holds the array; NULL: the request. */
	const struct kp_tree_value *around;
	const struct kp_field *around_fields;
	uint32_t first; /* index of its first item */
	size_t which;   /* of the API's arrays it is, or is in */
};

/* The items of a request, in order. */
struct kp_items {
	struct kp_items_part *parts; /* none: the request is the one item */
	size_t num_parts;
	uint32_t num;
};

/* kp_items_of takes parts from the request's arena; false: no memory. */
bool kp_items_of(struct kp_items *out, const struct kp_object_api *api,
    const struct kp_tree *request) KP_MUST_CHECK;

/* kp_items_at is item index of them; its values live in arena. */
struct kp_item kp_items_at(const struct kp_items *items,
    const struct kp_object_api *api, const struct kp_tree *request,
    uint32_t index, struct kp_arena *arena);

/* kp_item_object is an ERROR if there is no memory for it. */
struct kp_cel_value kp_item_object(const struct kp_item *item);

/*
 * kp_item_topic is the topic that an item names. False if it names one that is
 * not known; then, and where it names none, *out is empty.
 */
bool kp_item_topic(
    const struct kp_item *item, struct kp_bytes *out) KP_MUST_CHECK;

/* kp_item_name is what it is called in logs; empty if it has no name. */
struct kp_bytes kp_item_name(const struct kp_item *item);

#endif
