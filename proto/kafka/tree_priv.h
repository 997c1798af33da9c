/* SPDX-License-Identifier: Apache-2.0 */
/* What reading and writing of trees share. @thread any */
#ifndef KP_PROTO_KAFKA_TREE_PRIV_H
#define KP_PROTO_KAFKA_TREE_PRIV_H

#include "proto/kafka/tree.h"

/* kp_tree_is_plain: does the version have field, and not as a tagged one? */
static inline bool
kp_tree_is_plain(const struct kp_field *field, int16_t version)
{
	return kp_field_in(field, version) &&
	       !kp_field_is_tagged(field, version);
}

/* kp_tree_is_default: is value what those assume who are not told? */
bool kp_tree_is_default(const struct kp_tree *tree,
    const struct kp_field *field, const struct kp_tree_value *value);

#endif
