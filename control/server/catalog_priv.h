/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A draft: what a wish comes to on top of one state, before it is committed.
 * Only for control/server/.
 */
#ifndef KP_CONTROL_SERVER_CATALOG_PRIV_H
#define KP_CONTROL_SERVER_CATALOG_PRIV_H

#include "control/server/catalog.h"
#include "rules/resource.h"

/* The zero state is empty. */
struct kp_draft {
	struct kp_store_change *changes; /* what follows holds their content */
	size_t num_changes;
	struct kp_resources *set; /* all resources as they would be */
	struct kp_buf *texts;     /* canonical, of the first ones of set */
	size_t num_texts;
};

/*
 * kp_draft_wish judges wish on top of items. Problems go to out, and so do
 * outcomes where there are none.
 */
enum kp_verdict kp_draft_wish(struct kp_draft *draft,
    const struct kp_items *items, const struct kp_catalog_wish *wish,
    struct kp_catalog_result *out, struct kp_error *err) KP_MUST_CHECK;

/* kp_draft_return judges the way from items to the state that was old. */
void kp_draft_return(struct kp_draft *draft, const struct kp_items *items,
    const struct kp_items *old, struct kp_catalog_result *out);

void kp_draft_fini(struct kp_draft *draft);

#endif
