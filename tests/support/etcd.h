/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A real etcd on loopback, of one node, that ends with the test's process at
 * the latest. A failure ends the test.
 */
#ifndef KP_TESTS_SUPPORT_ETCD_H
#define KP_TESTS_SUPPORT_ETCD_H

#include <stdint.h>
#include <sys/types.h>

#include "control/server/etcd_priv.h"
#include "tests/support/folder.h"

struct kp_test_etcd {
	char folder[KP_TEST_PATH_LEN];
	int port, peer_port;
	char endpoint[64]; /* "http://127.0.0.1:port" */
	pid_t pid;         /* 0: not running */
};

/* kp_test_etcd_start starts one without content, and waits until it serves. */
void kp_test_etcd_start(struct kp_test_etcd *out);

/* kp_test_etcd_kill ends it at once; kp_test_etcd_again starts it with what it
 * had, on the same ports. */
void kp_test_etcd_kill(struct kp_test_etcd *etcd);
void kp_test_etcd_again(struct kp_test_etcd *etcd);

/* kp_test_etcd_freeze returns when none of its threads runs any more: until
 * kp_test_etcd_thaw it takes what is sent, and answers nothing. */
void kp_test_etcd_freeze(const struct kp_test_etcd *etcd);
void kp_test_etcd_thaw(const struct kp_test_etcd *etcd);

void kp_test_etcd_stop(struct kp_test_etcd *etcd);

/* kp_test_etcd_span is the keys of a family from a number on, without values.
 */
struct kp_etcd_span kp_test_etcd_span(
    const char *prefix, enum kp_etcd_family family, uint64_t from);

/* kp_test_etcd_count is how many keys of a family there are. */
size_t kp_test_etcd_count(struct kp_etcd *etcd, enum kp_etcd_family family);

/* kp_test_etcd_pause: until a condition is looked at again; what has not come
 * by the deadline (of kp_now_ms) is a failure. */
void kp_test_etcd_pause(int64_t deadline_ms);

#endif
