/* SPDX-License-Identifier: Apache-2.0 */
/* Large sets of resources, for tests that measure. @thread any */
#ifndef KP_TESTS_SUPPORT_MANY_H
#define KP_TESTS_SUPPORT_MANY_H

#include "rules/resource.h"

/* How the listeners of a set are kept apart. */
enum kp_test_shape {
	KP_TEST_BY_PORT,
	KP_TEST_BY_ADDRESS, /* all have the same ports */
	KP_TEST_BY_NODE,    /* and addresses, each for a node of its own */
	KP_TEST_CLASHING,   /* all of them, on the same ports */
	KP_TEST_ASTRAY,     /* clashing, and clusters that are not there */
	KP_TEST_NUM_SHAPES,
};

/*
 * kp_test_many_text writes the index-th resource of a set: clusters, listeners
 * and virtual clusters in turn. Ports are enough for 60000 resources.
 */
void kp_test_many_text(
    struct kp_buf *out, enum kp_test_shape shape, size_t index);

/* kp_test_many parses num resources, each a file of its own. */
const struct kp_resource **kp_test_many(enum kp_test_shape shape, size_t num);
void kp_test_many_free(const struct kp_resource **many, size_t num);

/* One of them, without problems of its own. */
const struct kp_resource *kp_test_many_one(
    enum kp_test_shape shape, size_t index);

/* A set that shares all of them; not checked yet. */
struct kp_resources *kp_test_many_set(
    const struct kp_resource *const *many, size_t num);

/* Nanoseconds of processor time that the process has used. */
int64_t kp_test_cpu_ns(void);

#endif
