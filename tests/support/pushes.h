/* SPDX-License-Identifier: Apache-2.0 */
/* Pushes of a policy server, made by hand. A failure ends the test. */
#ifndef KP_TESTS_SUPPORT_PUSHES_H
#define KP_TESTS_SUPPORT_PUSHES_H

#include "control/agent/held.h"
#include "proto/control/v1/nodes.pb-c.h"

#define KP_TEST_CLUSTER(name, server) \
	"apiVersion: kproxy/v1\nkind: Cluster\nmetadata: {name: " name "}\n" \
	"spec: {bootstrap: [\"" server "\"]}\n"

/* One whole push, in one part; message may be changed. */
struct kp_test_push {
	Kproxy__Control__V1__Push message;
	uint8_t digest[KP_DIGEST_LEN];
};

void kp_test_push_init(
    struct kp_test_push *out, uint64_t revision, uint64_t based_on);
void kp_test_push_fini(struct kp_test_push *push);

void kp_test_push_add(struct kp_test_push *push, const char *kind,
    const char *name, const char *document);
void kp_test_push_cluster(
    struct kp_test_push *push, const char *name, const char *server);
/* The cluster of that name. */
void kp_test_push_delete(struct kp_test_push *push, const char *name);

/* kp_test_push_digest says the right one, for who holds held (or NULL). */
void kp_test_push_digest(struct kp_test_push *push, const struct kp_held *held);
/* kp_test_push_is says that one. */
void kp_test_push_is(struct kp_test_push *push, const struct kp_digest *digest);

#endif
