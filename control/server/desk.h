/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalog, shared by threads. Changes are judged one after the other, in
 * turn; readers take the newest resources without waiting for them. A thread of
 * the desk's own follows what other servers commit to the same store. @thread
 * any
 */
#ifndef KP_CONTROL_SERVER_DESK_H
#define KP_CONTROL_SERVER_DESK_H

#include "control/server/catalog.h"

/* Old states that are kept in memory, for those who read one page by page. */
#define KP_DESK_OLD_STATES 4

struct kp_desk;

struct kp_desk_config {
	struct kp_store *store; /* borrowed, longer than the desk */
	size_t max_changes;     /* judged, or waiting for their turn */
	/*
	 * After each new revision, in their order and never two at a time: of
	 * this server before the change is answered, of others when they are
	 * heard of, where several may have become one. items are borrowed
	 * during the call, which must not wait; NULL: nobody. @thread any
	 */
	void (*changed)(
	    void *ctx, const struct kp_items *items, int64_t committed_ms);
	void *ctx;
};

/* kp_desk_new reads the newest state. */
struct kp_desk *kp_desk_new(
    const struct kp_desk_config *config, struct kp_error *err);

/* kp_desk_start tells changed of it, and begins to follow other servers. */
void kp_desk_start(struct kp_desk *desk);

/* kp_desk_stop ends that, and wakes all that wait for the store. */
void kp_desk_stop(struct kp_desk *desk);
void kp_desk_free(struct kp_desk *desk);

/* kp_desk_items fills out, which is empty, with the newest resources. */
void kp_desk_items(struct kp_desk *desk, struct kp_items *out);
uint64_t kp_desk_revision(struct kp_desk *desk);

/*
 * kp_desk_items_at does so with those at a revision; at 0 there are none.
 * KP_STORE_COMPACTED if it is forgotten, KP_STORE_INVALID if it is not there
 * yet.
 */
enum kp_store_result kp_desk_items_at(struct kp_desk *desk, uint64_t revision,
    struct kp_items *out, int64_t deadline_ms,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_desk_range and kp_desk_history are those of the store, whose newest
 * revision may be newer than what the desk has taken over.
 */
enum kp_store_result kp_desk_range(struct kp_desk *desk,
    struct kp_store_range *out, int64_t deadline_ms,
    struct kp_error *err) KP_MUST_CHECK;
enum kp_store_result kp_desk_history(struct kp_desk *desk, uint64_t after,
    uint64_t last, kp_visit_revision visit, void *ctx, int64_t deadline_ms,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * As of the catalog, in turn; KP_VERDICT_BUSY if too many are waiting,
 * KP_VERDICT_LATE also if the turn did not come before deadline_ms. out ends
 * with kp_catalog_result_fini in any case.
 */
enum kp_verdict kp_desk_apply(struct kp_desk *desk,
    const struct kp_catalog_wish *wish, int64_t deadline_ms,
    struct kp_catalog_result *out, struct kp_error *err) KP_MUST_CHECK;
enum kp_verdict kp_desk_rollback(struct kp_desk *desk,
    const struct kp_catalog_return *back, int64_t deadline_ms,
    struct kp_catalog_result *out, struct kp_error *err) KP_MUST_CHECK;

/* kp_desk_validate says what apply would, without waiting for a turn. */
enum kp_verdict kp_desk_validate(struct kp_desk *desk,
    const struct kp_catalog_wish *wish, struct kp_catalog_result *out,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * What is known of the store without asking it, for those who must not wait:
 * kp_desk_is_well is false, with the reason, while it fails; one that did is
 * tried again every second. kp_desk_range_seen is its range a second after
 * somebody asked last; false if none has been seen yet.
 */
bool kp_desk_is_well(struct kp_desk *desk, struct kp_error *err);
bool kp_desk_range_seen(struct kp_desk *desk, struct kp_store_range *out);

#endif
