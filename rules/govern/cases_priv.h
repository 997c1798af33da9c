/* SPDX-License-Identifier: Apache-2.0 */
/* Between cases.c, which reads files, and case_item.c, which reads items. */
#ifndef KP_RULES_GOVERN_CASES_PRIV_H
#define KP_RULES_GOVERN_CASES_PRIV_H

#include "rules/govern/cases.h"

/* Bytes that the table of any item takes. */
#define KP_CASE_ITEM_MEMORY (64u << 10)

/*
 * kp_case_item_setting makes the table of settings, called name, of an item as
 * a version of an API has it, or of what that stands for. It lives in arena;
 * NULL if there is no memory.
 */
const struct kp_setting *kp_case_item_setting(const struct kp_object_api *api,
    int16_t version, const char *name, struct kp_arena *arena);

/*
 * kp_case_item_fill makes said, which was read with that table, the one item of
 * request, a new message. request->arena->failed tells whether there was memory
 * for it.
 */
void kp_case_item_fill(struct kp_tree *request, const struct kp_object_api *api,
    const struct kp_value *said);

/*
 * kp_case_item_counted is the number in said that is not what policies see,
 * because it is counted from the item's assignments; NULL: none is.
 */
const struct kp_value *kp_case_item_counted(
    const struct kp_object_api *api, const struct kp_value *said);

/*
 * kp_case_item_stray is what said has of a field that items of its operation
 * do not have; NULL: nothing.
 */
const struct kp_value *kp_case_item_stray(const struct kp_object_api *api,
    int16_t version, const struct kp_value *said);

#endif
