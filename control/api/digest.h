/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a set of resources is compared by, on both ends: SHA-256 (FIPS 180-4) as
 * Push.sha256 in proto/control/v1/nodes.proto says. @thread any
 */
#ifndef KP_CONTROL_API_DIGEST_H
#define KP_CONTROL_API_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define KP_DIGEST_LEN 32

struct kp_digest {
	uint8_t bytes[KP_DIGEST_LEN];
};

void kp_digest_resource(struct kp_digest *out, const char *kind,
    const char *name, struct kp_bytes document);

/* kp_digest_set is over resources that are sorted by kind and name. */
void kp_digest_set(
    struct kp_digest *out, const struct kp_digest *resources, size_t num);

#endif
