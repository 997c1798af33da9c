/* SPDX-License-Identifier: Apache-2.0 */
/* What a store is made of. Only for control/server/store*.c. */
#ifndef KP_CONTROL_SERVER_STORE_PRIV_H
#define KP_CONTROL_SERVER_STORE_PRIV_H

#include "base/mutex.h"
#include "control/server/store.h"

/*
 * What a kind of store does; arguments are as of the functions of store.h and
 * have been checked against the limits.
 */
struct kp_store_ops {
	enum kp_store_result (*commit)(struct kp_store *store, uint64_t base,
	    const struct kp_store_note *note,
	    const struct kp_store_change *changes, size_t num_changes,
	    uint64_t *out_number, struct kp_error *err);
	enum kp_store_result (*range)(struct kp_store *store,
	    struct kp_store_range *out, int64_t deadline_ms,
	    struct kp_error *err);
	enum kp_store_result (*load)(struct kp_store *store, uint64_t at,
	    kp_visit_item visit, void *ctx, int64_t deadline_ms,
	    struct kp_error *err);
	enum kp_store_result (*history)(struct kp_store *store, uint64_t after,
	    uint64_t last, kp_visit_revision visit, void *ctx,
	    int64_t deadline_ms, struct kp_error *err);
	enum kp_store_result (*compact)(
	    struct kp_store *store, uint64_t oldest, struct kp_error *err);
	/* these two while another thread is in one of the others */
	enum kp_store_result (*put_records)(struct kp_store *store,
	    const struct kp_store_record *records, size_t num_records,
	    struct kp_error *err);
	enum kp_store_result (*each_record)(struct kp_store *store,
	    const char *bucket, kp_visit_record visit, void *ctx,
	    struct kp_error *err);
	bool (*leads)(struct kp_store *store); /* NULL: it always does */
	/* Ends threads that may announce; may be NULL. Then comes close. */
	void (*stop)(struct kp_store *store);
	void (*close)(struct kp_store *store);
};

/* First in every kind of store. */
struct kp_store {
	const struct kp_store_ops *ops;
	struct kp_mutex news_mutex;
	struct kp_cond news; /* on news_mutex: newest or is_woken changed */
	uint64_t newest;     /* the newest revision known here */
	bool is_woken;
};

void kp_store_init(struct kp_store *store, const struct kp_store_ops *ops);

/* kp_store_announce tells waiters of a revision. */
void kp_store_announce(struct kp_store *store, uint64_t newest);

#endif
