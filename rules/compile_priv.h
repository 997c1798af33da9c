/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the compile functions of the kinds share. Problems go to the compiler's
 * diagnostics and let kp_compile fail in the end; each function goes on, so
 * that all problems are found.
 */
#ifndef KP_RULES_COMPILE_PRIV_H
#define KP_RULES_COMPILE_PRIV_H

#include "rules/compile.h"

struct kp_compiler {
	const struct kp_compile_input *input;
	struct kp_diagnostics *diagnostics;
	struct kp_tables *tables; /* arrays have room for every resource */
	size_t position;          /* in the set, of what is being compiled */
	uint32_t *index_of;       /* of a cluster in its array, by position */
};

/* What PEM text must hold. */
enum kp_pem { KP_PEM_CERTIFICATE, KP_PEM_KEY };

/*
 * kp_compile_secret reads what value, a secret of resource, refers to. value
 * may be NULL: then nothing is filled.
 */
void kp_compile_secret(struct kp_compiler *compiler,
    const struct kp_resource *resource, const struct kp_value *value,
    enum kp_pem content, struct kp_bytes *out, char **out_ref);

/* The fields certificate and key of object. */
void kp_compile_key_pair(struct kp_compiler *compiler,
    const struct kp_resource *resource, const struct kp_value *object,
    struct kp_key_pair *out);

#endif
