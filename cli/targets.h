/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operands name, as kubectl has it: "KIND", "KIND NAME...", "KIND,KIND",
 * "KIND/NAME...", "all". A kind may be said in lower case, as a plural or by
 * its initials. Nodes are named like resources, though they are none. @thread
 * any
 */
#ifndef KP_CLI_TARGETS_H
#define KP_CLI_TARGETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/error.h"
#include "cli/args.h"

#define KP_KIND_NODE "Node"

struct kp_target {
	const char *kind; /* "Cluster", "Node"; NULL: all kinds of resources */
	const char *name; /* NULL: all of the kind */
};

struct kp_targets {
	struct kp_target *list;
	size_t num;
	char *words; /* what the names are borrowed from */
};

/*
 * kp_targets_parse reads words; on failure err has a suggestion. To be ended
 * with kp_targets_fini either way.
 */
bool kp_targets_parse(struct kp_targets *out, const char *const *words,
    size_t num_words, struct kp_error *err) KP_MUST_CHECK;
void kp_targets_fini(struct kp_targets *targets);

/* kp_kind_of returns the kind that text of len bytes names, or NULL. */
const char *kp_kind_of(const char *text, size_t len);

/* kp_kind_lower writes the kind in lower case, as "KIND/NAME" begins. */
#define KP_KIND_SIZE 64
void kp_kind_lower(char out[KP_KIND_SIZE], const char *kind);

/* kp_kind_title adds "cluster/orders", escaped. */
void kp_kind_title(struct kp_buf *out, const char *kind, const char *name);

#endif
