/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resources of this node as of a revision of the policy server: documents,
 * parsed and checked as a whole. A set never changes; the next one shares with
 * it what did not change (intake.h makes it). @thread any: shares are counted
 */
#ifndef KP_CONTROL_AGENT_HELD_H
#define KP_CONTROL_AGENT_HELD_H

#include "control/api/digest.h"
#include "rules/resource.h"

/* Names and documents of one set together, in bytes. */
#define KP_HELD_MAX_LEN (64u << 20)

/* One resource of one or several sets, by whoever asks for its parts. */
struct kp_held_item {
	char *kind, *name;
	char *document; /* YAML */
	size_t document_len;
	struct kp_digest digest;
};

struct kp_held;

struct kp_held *kp_held_ref(struct kp_held *held);
void kp_held_unref(struct kp_held *held);

uint64_t kp_held_revision(const struct kp_held *held);
/* Of the whole set, as Push.sha256 has it. */
const struct kp_digest *kp_held_digest(const struct kp_held *held);

/* By kind and name; borrowed from the set. */
size_t kp_held_count(const struct kp_held *held);
const struct kp_held_item *kp_held_at(const struct kp_held *held, size_t index);

/* For the compiler. Only a set without problems has them; borrowed from it. */
const struct kp_resources *kp_held_resources(const struct kp_held *held);

/*
 * kp_held_pack adds the set to out as a Push of all of it, which an intake
 * reads again. False if it does not fit.
 */
bool kp_held_pack(const struct kp_held *held, struct kp_buf *out) KP_MUST_CHECK;

#endif
