/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which versions one connection may use: the intersection of what its broker
 * offers and what the tables know (ApiVersions, KIP-35, KIP-511). Brokers of a
 * cluster differ during a rolling upgrade, so this belongs to the connection
 * and not to the cluster. @thread connection
 */
#ifndef KP_PROXY_FRAME_VERSIONS_H
#define KP_PROXY_FRAME_VERSIONS_H

#include "proto/kafka/schema.h"
#include "proto/kafka/walker.h"

struct kp_versions {
	bool is_known;                  /* an ApiVersions answer has passed */
	int8_t min[KP_MAX_API_KEY + 1]; /* -1: not offered */
	int8_t max[KP_MAX_API_KEY + 1];
	int16_t row_key; /* of the row that is being walked */
	int16_t row_min;
};

void kp_versions_init(struct kp_versions *versions);

/*
 * kp_versions_allow tells whether a request of that version may go to the
 * broker. Before any ApiVersions answer everything in the tables may.
 */
bool kp_versions_allow(
    const struct kp_versions *versions, int16_t key, int16_t version);

/*
 * kp_versions_rewrite narrows the body of an ApiVersions answer to the
 * intersection and remembers it in versions.
 */
bool kp_versions_rewrite(struct kp_versions *versions, int16_t version,
    struct kp_bytes body, struct kp_rewrite *rewrite,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_versions_narrow does that to the answer to a request of a version that the
 * broker does not know: a v0 body with the range of ApiVersions itself and
 * UNSUPPORTED_VERSION (KIP-511). It says nothing of what may be used.
 */
bool kp_versions_narrow(struct kp_bytes body, struct kp_rewrite *rewrite,
    struct kp_error *err) KP_MUST_CHECK;

#endif
