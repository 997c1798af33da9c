/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the policy server keeps resources, and every revision of them. A commit
 * is one transaction on top of the newest revision: who was slower is told so
 * (KP_STORE_CONFLICT), reads again and decides again. The store knows nothing
 * of kinds: to it a resource is two names and a text. Old revisions are
 * forgotten by compaction, the state at any kept revision can be read. @thread
 * any; a visitor must not come back to the store
 */
#ifndef KP_CONTROL_SERVER_STORE_H
#define KP_CONTROL_SERVER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

/* Limits of one commit; a name is of a kind or of a resource. */
#define KP_STORE_MAX_NAME_LEN 253
#define KP_STORE_MAX_TEXT_LEN (1u << 20)
#define KP_STORE_MAX_NOTE_LEN 1024 /* identity, reason */
#define KP_STORE_MAX_CHANGES 10000

/* Limits of records. */
#define KP_STORE_MAX_RECORD_LEN (64u << 10)
#define KP_STORE_MAX_RECORDS 1000 /* put at once */

struct kp_store;

enum kp_store_result {
	KP_STORE_OK,
	KP_STORE_CONFLICT,  /* base is not the newest revision any more */
	KP_STORE_COMPACTED, /* that revision has been forgotten */
	KP_STORE_INVALID,   /* beyond a limit above, or not there yet */
	/*
	 * Disk, file, peer. Nothing was changed, unless err is of the kind
	 * KP_ERR_TIMEOUT: then it may have been.
	 */
	KP_STORE_FAILED,
	/* What was to be read was not there by the deadline that was given. */
	KP_STORE_LATE,
};

/* A resource as of some revision; borrowed during a visit. */
struct kp_store_item {
	const char *kind, *name;
	struct kp_bytes text;
	uint64_t revision; /* of its last change */
};

struct kp_store_change {
	const char *kind, *name;
	struct kp_bytes text; /* data is NULL: it is deleted */
	bool is_new;          /* kept as it is said: there was none before */
};

/* identity: who did it. reason: why, for people; may be empty. */
struct kp_store_note {
	const char *identity, *reason;
	int64_t time_ms; /* since 1970-01-01 UTC */
};

struct kp_store_revision {
	uint64_t number;
	struct kp_store_note note;
	const struct kp_store_change *changes; /* by kind and name */
	size_t num_changes;
};

/* The revisions that are there: 0 and 0 in an empty store. */
struct kp_store_range {
	uint64_t oldest; /* whose state can be read */
	uint64_t newest;
};

/* A small value beside the revisions, part of none of them. */
struct kp_store_record {
	const char *bucket, *name;
	struct kp_bytes data; /* data is NULL: it is deleted */
};

typedef void (*kp_visit_record)(
    void *ctx, const struct kp_store_record *record);
typedef void (*kp_visit_item)(void *ctx, const struct kp_store_item *item);
typedef void (*kp_visit_revision)(
    void *ctx, const struct kp_store_revision *revision);

/*
 * kp_store_commit adds a revision on top of base, which must be the newest one,
 * and tells its number. Names are not repeated within changes. When it returns
 * KP_STORE_OK the revision survives the death of this process and of the
 * machine.
 */
enum kp_store_result kp_store_commit(struct kp_store *store, uint64_t base,
    const struct kp_store_note *note, const struct kp_store_change *changes,
    size_t num_changes, uint64_t *out_number,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_store_range and the next two wait for another process's answer until
 * deadline_ms (kp_now_ms), or for as long as the store would itself.
 */
enum kp_store_result kp_store_range(struct kp_store *store,
    struct kp_store_range *out, int64_t deadline_ms,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_store_load visits all resources as of revision at, by kind and name. */
enum kp_store_result kp_store_load(struct kp_store *store, uint64_t at,
    kp_visit_item visit, void *ctx, int64_t deadline_ms,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_store_history visits the revisions after and up to last, oldest first.
 * KP_STORE_COMPACTED if some of them are forgotten: then nothing is visited.
 */
enum kp_store_result kp_store_history(struct kp_store *store, uint64_t after,
    uint64_t last, kp_visit_revision visit, void *ctx, int64_t deadline_ms,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_store_compact forgets what is older than oldest: of the revisions before
 * it neither note nor state can be read any more.
 */
enum kp_store_result kp_store_compact(struct kp_store *store, uint64_t oldest,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_store_put_records replaces records whole, or deletes them; in one
 * transaction where the store can: after a failure some may be written. Those
 * of KP_STORE_OK are as safe as a commit. @thread any
 */
enum kp_store_result kp_store_put_records(struct kp_store *store,
    const struct kp_store_record *records, size_t num_records,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_store_each_record visits the records of a bucket by name; visit must not
 * use the store. @thread any
 */
enum kp_store_result kp_store_each_record(struct kp_store *store,
    const char *bucket, kp_visit_record visit, void *ctx,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_store_wait waits until there is a revision after that one. Returns the
 * newest one known, which is not later if deadline_ms (kp_now_ms) has passed or
 * kp_store_wake was called.
 */
uint64_t kp_store_wait(
    struct kp_store *store, uint64_t after, int64_t deadline_ms);

/*
 * kp_store_leads: of all servers with this store, is this the one for what only
 * one should do, as compaction? It may change at any time; two that both do it
 * do no harm. @thread any
 */
bool kp_store_leads(struct kp_store *store);

/* kp_store_wake ends all waits, now and later: before closing. */
void kp_store_wake(struct kp_store *store);

/* After all threads have left it. */
void kp_store_close(struct kp_store *store);

#endif
