/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields of items that policies set: which one an override names, what setting
 * it would do, and setting it in the request itself. Which fields these are is
 * a table of each API (objects.h). Nothing of an item is changed before it is
 * known that all of the change has room. @thread any, one at a time
 */
#ifndef KP_RULES_GOVERN_OVERRIDE_H
#define KP_RULES_GOVERN_OVERRIDE_H

#include "rules/cel/source.h"
#include "rules/govern/view.h"

/* A field as an override names it: "topic.configs['retention.ms']". */
struct kp_override_target {
	const struct kp_object_override *of;
	char *key; /* of a setting; NULL: it is none */
};

/*
 * kp_override_target_init reads what an override for api names; false and
 * *fault if it is nothing that can be set. End *out with its fini either way.
 */
bool kp_override_target_init(struct kp_override_target *out,
    const struct kp_object_api *api, struct kp_bytes text,
    struct kp_cel_fault *fault) KP_MUST_CHECK;
void kp_override_target_fini(struct kp_override_target *target);

/* kp_override_type is the type of its value, as in kp_cel_env. */
const char *kp_override_type(const struct kp_override_target *target);

/* What all overrides of one request may take. */
struct kp_override_room {
	struct kp_arena *arena; /* as long as the request */
	size_t growth_left;     /* bytes that the request may still grow by */
	/* Rows of an array that there is room for already. */
	const struct kp_tree_value *array;
	uint32_t num_spare;
};

/* Bytes of a value that is no setting's, as it is shown. */
#define KP_OVERRIDE_NUMBER_SIZE 24

/*
 * What setting a field would do. Borrows from item, target and value, and from
 * itself.
 */
struct kp_override_plan {
	const char *why_not; /* it cannot be set; NULL: it can */
	bool is_same;        /* it has the value already */
	/* The value that it has, as people read it; data NULL: none. */
	struct kp_bytes before;
	struct kp_bytes after;
	/* For kp_override_set. */
	const struct kp_override_target *target;
	int64_t number;
	struct kp_tree_value *array;   /* rows of settings; NULL: a number */
	const struct kp_field *fields; /* of a row */
	struct kp_tree_value *to;      /* number, or row; NULL: one is added */
	char texts[2][KP_OVERRIDE_NUMBER_SIZE];
};

/*
 * kp_override_plan_init: object is that of item, which is an element of an
 * array; value has the target's type.
 */
void kp_override_plan_init(struct kp_override_plan *out,
    const struct kp_item *item, struct kp_cel_value object,
    const struct kp_override_target *target, struct kp_cel_value value);

/*
 * kp_override_set does it and makes before and after of the plan as lasting as
 * room->arena; num_more is how many overrides may follow for this item. False:
 * there is no room, and nothing has changed.
 */
bool kp_override_set(struct kp_override_plan *plan, const struct kp_item *item,
    struct kp_override_room *room, size_t num_more) KP_MUST_CHECK;

#endif
