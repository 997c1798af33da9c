/* SPDX-License-Identifier: Apache-2.0 */
/* What a JSON Web Token says, unverified: the broker verifies it. @thread any
 */
#ifndef KP_PROXY_ADMIT_JWT_H
#define KP_PROXY_ADMIT_JWT_H

#include "base/bytes.h"

/*
 * kp_jwt_subject decodes the claim "sub" of claims (RFC 7519: a JSON object
 * in base64url, up to the first other byte) to out as UTF-8, not terminated.
 * Returns how long it is, which may be more than out_size: then the rest is not
 * there. 0: no such text, or no JSON. Of several the last one counts, as it
 * does for Kafka, and those within other claims do not.
 */
size_t kp_jwt_subject(struct kp_bytes claims, uint8_t *out, size_t out_size);

#endif
