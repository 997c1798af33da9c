/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of governed APIs, and policies about them, for tests. @thread any */
#ifndef KP_TESTS_SUPPORT_GOVERNED_H
#define KP_TESTS_SUPPORT_GOVERNED_H

#include "proto/kafka/tree.h"
#include "rules/govern/objects.h"
#include "rules/govern/policy.h"

/*
 * kp_test_marked_field is the field of an api's object by which kp_test_mark
 * tells items apart.
 */
const struct kp_object_field *kp_test_marked_field(
    const struct kp_object_api *api);

/* kp_test_request makes a request of num items (one, if it has none) marked
 * 'a', 'b', … or 0, 1, …; topic ids are of these letters, and partitions, if
 * there are any, the one with the number 0, 1, … */
void kp_test_request(struct kp_tree *out, const struct kp_object_api *api,
    int16_t version, uint32_t num, struct kp_arena *arena);

/* kp_test_policy compiles the spec of one Policy "p", in YAML flow style. */
struct kp_policies *kp_test_policies(const char *spec);

#endif
