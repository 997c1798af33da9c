/* SPDX-License-Identifier: Apache-2.0 */
/* Between resource.c, one resource, and resources.c, sets of them. */
#ifndef KP_RULES_RESOURCE_PRIV_H
#define KP_RULES_RESOURCE_PRIV_H

#include <stdatomic.h>

#include "rules/resource.h"

#define KP_RESOURCE_MAX_NAME_LEN 63

/* The name of a file; origins in its resources borrow text. */
struct kp_file_name {
	atomic_uint refs;
	char *text;
};

/* What changes of a resource, and what only sets need to know. */
struct kp_resource_share {
	atomic_uint refs;
	struct kp_resource *resource;
	struct kp_file_name *file;
	bool is_sound;    /* has no problem of its own */
	bool has_secrets; /* refers to any */
	const struct kp_value **references;
	size_t num_references;
};

struct kp_file_name *kp_file_name_new(const char *text);
void kp_file_name_unref(struct kp_file_name *file);

/*
 * kp_resource_new parses root and checks what can be said of it alone. Returns
 * NULL if it has no name; with other problems it stays a resource, so that
 * those who refer to it are not reported as well.
 */
const struct kp_resource *kp_resource_new(const struct kp_resource_kind *kind,
    const struct kp_yaml *root, struct kp_file_name *file,
    struct kp_diagnostics *diagnostics);

#endif
