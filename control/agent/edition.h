/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One set of rule tables with what the agent has to know of it: what it says,
 * as a hash, and what has to be listened on. @thread main
 */
#ifndef KP_CONTROL_AGENT_EDITION_H
#define KP_CONTROL_AGENT_EDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "control/agent/held.h"
#include "rules/tables.h"

struct kp_edition {
	struct kp_tables *tables; /* generation 0 until it is sent */
	uint64_t content_hash;    /* secrets included, generation not */
	char **addresses;         /* "ip:port", as the supervisor wants them */
	size_t *listeners;        /* of each address, its index in tables */
	size_t num_addresses;
	bool is_last_good;    /* not from the files as they are now */
	struct kp_held *held; /* what it was made of; NULL: files, or unknown */
};

/*
 * kp_edition_new takes tables over (*tables is NULL afterwards) and forgets the
 * nodes that they brought along. Returns NULL with err if they are too large.
 */
struct kp_edition *kp_edition_new(
    struct kp_tables **tables, struct kp_error *err);
void kp_edition_free(struct kp_edition *edition);

/*
 * kp_edition_addresses returns the addresses of both (either may be NULL) in
 * *out, borrowed strings in a list that the caller frees.
 */
size_t kp_edition_addresses(
    char ***out, const struct kp_edition *a, const struct kp_edition *b);

/* Are they the same, in the same order? */
bool kp_edition_same_addresses(
    const struct kp_edition *a, const struct kp_edition *b);

#endif
