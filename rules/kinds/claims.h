/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be taken once on a node: a range of ports, a listener. Two claims
 * clash if their places and ranges meet and one node can have both resources.
 * @thread any, one at a time
 */
#ifndef KP_RULES_KINDS_CLAIMS_H
#define KP_RULES_KINDS_CLAIMS_H

#include "rules/resource.h"

struct kp_claim {
	const struct kp_resource *by;
	size_t position;     /* of by in its set */
	const char *place;   /* such as an address; NULL: every place */
	int64_t first, last; /* both included */
};

/*
 * Called with two that clash, early being the one that begins first or was said
 * first. Returns false if no more is to be heard of late.
 */
typedef bool (*kp_visit_clash)(
    void *ctx, const struct kp_claim *early, const struct kp_claim *late);

/* kp_claims_visit sorts claims and visits what clashes. */
void kp_claims_visit(
    struct kp_claim *claims, size_t num, kp_visit_clash visit, void *ctx);

#endif
