/* SPDX-License-Identifier: Apache-2.0 */
/* How sets are made: for held.c and intake.c. */
#ifndef KP_CONTROL_AGENT_HELD_PRIV_H
#define KP_CONTROL_AGENT_HELD_PRIV_H

#include <stdatomic.h>

#include "control/agent/held.h"
#include "proto/control/v1/types.pb-c.h"

struct kp_held_entry {
	atomic_uint refs;
	struct kp_held_item item;
	const struct kp_resource *resource; /* NULL: the document is none */
};

struct kp_held {
	atomic_uint refs;
	uint64_t revision;
	struct kp_digest digest;
	struct kp_held_entry **list; /* sorted by kind and name */
	size_t num;
	struct kp_resources *resources; /* NULL: they have problems */
};

/*
 * kp_held_entry_new copies a resource; NULL if memory is refused. It is to be
 * parsed once, before it becomes part of a set.
 */
struct kp_held_entry *kp_held_entry_new(
    const Kproxy__Control__V1__Resource *resource);

/*
 * kp_held_entry_parse adds all that is wrong with the document to diagnostics.
 * Paths in it are relative to folder.
 */
void kp_held_entry_parse(struct kp_held_entry *entry, const char *folder,
    struct kp_diagnostics *diagnostics);

void kp_held_entry_ref(struct kp_held_entry *entry);
void kp_held_entry_unref(struct kp_held_entry *entry);

/* By kind, then by name; as strcmp does. */
int kp_held_compare(const struct kp_held_item *a, const struct kp_held_item *b);

/* kp_held_digest_all is that of a sorted list. */
void kp_held_digest_all(
    struct kp_digest *out, struct kp_held_entry *const *list, size_t num);

/*
 * kp_held_new takes the list with its references (*list is NULL afterwards) and
 * checks it as a whole; what is wrong goes to diagnostics, which hold problems
 * of its entries already.
 */
struct kp_held *kp_held_new(uint64_t revision, struct kp_held_entry ***list,
    size_t num, struct kp_diagnostics *diagnostics);

#endif
