/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store of the one kind or the other, for tests of what both promise, and
 * what such tests ask again and again. Which kind is the linker's choice:
 * store_sqlite.c or store_etcd.c. A failure ends the test.
 */
#ifndef KP_TESTS_SUPPORT_STORE_H
#define KP_TESTS_SUPPORT_STORE_H

#include "control/server/store.h"
#include "tests/support/folder.h"

struct kp_test_store {
	struct kp_store *store;
	void *world; /* what it lives in */
};

/* An empty store. */
void kp_test_store_set_up(struct kp_test_store *out);
/* As another process would find it. */
void kp_test_store_open_again(struct kp_test_store *f);
void kp_test_store_tear_down(struct kp_test_store *f);

/* Of "ada", "because", at 1234. */
extern const struct kp_store_note kp_test_note;

struct kp_store_change kp_test_put(const char *name, const char *text);
struct kp_store_change kp_test_removal(const char *name);

/* One change, which must become base + 1. */
uint64_t kp_test_commit(
    struct kp_store *store, uint64_t base, struct kp_store_change change);

/* "Cluster/a@1=text " for each resource. */
void kp_test_expect_state(
    struct kp_store *store, uint64_t at, const char *wanted);
/* "1 ada because 1234: Cluster/a=text Cluster/b=gone\n" for each revision. */
void kp_test_expect_history(
    struct kp_store *store, uint64_t after, uint64_t last, const char *wanted);

struct kp_store_range kp_test_range(struct kp_store *store);

/* Visitors that nobody may call. */
void kp_test_no_item(void *ctx, const struct kp_store_item *item);
void kp_test_no_revision(void *ctx, const struct kp_store_revision *revision);

#endif
