/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the policy server knows and decides: the newest state of a store, and
 * whether a change may become the next one. It is judged as a whole with the
 * very code that nodes compile with; only a state without any problem is
 * stored, in one transaction. @thread one at a time
 */
#ifndef KP_CONTROL_SERVER_CATALOG_H
#define KP_CONTROL_SERVER_CATALOG_H

#include "control/server/items.h"
#include "rules/diagnostics.h"

struct kp_catalog;

struct kp_catalog_file {
	const char *name; /* stands in front of problems */
	struct kp_bytes text;
};

struct kp_catalog_id {
	const char *kind, *name;
};

/* The resource must still be of that revision; 0: must not be there. */
struct kp_catalog_precondition {
	struct kp_catalog_id id;
	uint64_t revision;
};

/* A change that is about to be made. */
struct kp_catalog_edit {
	struct kp_catalog_id id;
	struct kp_bytes before, after; /* documents; data NULL: not there */
};

/* Who wishes may be limited: may_edit says false with the reason. NULL: all. */
struct kp_catalog_judge {
	bool (*may_edit)(void *ctx, const struct kp_catalog_edit *edit,
	    struct kp_error *err);
	void *ctx;
};

/* Somebody's wish; all of it is borrowed during the call. */
struct kp_catalog_wish {
	const struct kp_catalog_file *files; /* created or configured */
	size_t num_files;
	const struct kp_catalog_id *deletions;
	size_t num_deletions;
	const struct kp_catalog_precondition *preconditions;
	size_t num_preconditions;
	bool is_dry_run;
	bool with_documents; /* in the result */
	struct kp_catalog_judge judge;
	struct kp_store_note note;
};

/* A wish for the state at an old revision. */
struct kp_catalog_return {
	uint64_t to;
	bool is_dry_run;
	struct kp_catalog_judge judge;
	struct kp_store_note note;
};

enum kp_outcome {
	KP_OUTCOME_CREATED,
	KP_OUTCOME_CONFIGURED,
	KP_OUTCOME_UNCHANGED,
	KP_OUTCOME_DELETED,
};

struct kp_catalog_result {
	uint64_t revision; /* the newest one afterwards */
	struct kp_catalog_outcome {
		char *kind, *name;
		enum kp_outcome outcome;
		/* documents where they were wanted and there are some */
		char *before, *after;
	} * outcomes; /* files first, each in its order, then deletions */
	size_t num_outcomes;
	struct kp_diagnostics problems;
};

enum kp_verdict {
	KP_VERDICT_OK,
	KP_VERDICT_INVALID,     /* see problems */
	KP_VERDICT_FORBIDDEN,   /* see the judge */
	KP_VERDICT_CONFLICT,    /* a precondition does not hold */
	KP_VERDICT_NOT_FOUND,   /* to be deleted, but not there */
	KP_VERDICT_COMPACTED,   /* that revision has been forgotten */
	KP_VERDICT_UNAVAILABLE, /* the store fails: see KP_STORE_FAILED */
	KP_VERDICT_LATE, /* the deadline came first: nothing was changed */
	KP_VERDICT_BUSY, /* of the desk only (desk.h) */
};

/* The catalog borrows the store. */
struct kp_catalog *kp_catalog_open(
    struct kp_store *store, struct kp_error *err);
void kp_catalog_close(struct kp_catalog *catalog);

/* Its newest state, borrowed until the next call. */
const struct kp_items *kp_catalog_items(const struct kp_catalog *catalog);

/* When the newest revision was committed; 0 if there is none. */
int64_t kp_catalog_newest_ms(const struct kp_catalog *catalog);

/* kp_catalog_refresh takes over what other servers have committed. */
bool kp_catalog_refresh(
    struct kp_catalog *catalog, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_catalog_apply makes a revision of the wish. Without any change to what is
 * there it makes none. Its time is that of the note, or that of the revision
 * before if that is later: clocks may jump, history does not. Where other
 * servers are faster it is judged again. No commit is begun after deadline_ms
 * (of kp_now_ms), and no pause goes beyond it; what the store was asked before
 * has the store's own time, since what became of a commit has to be known. err
 * says why for all verdicts but OK and INVALID. Ends in any case with
 * kp_catalog_result_fini.
 */
enum kp_verdict kp_catalog_apply(struct kp_catalog *catalog,
    const struct kp_catalog_wish *wish, int64_t deadline_ms,
    struct kp_catalog_result *out, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_catalog_rollback makes a revision with the state of an old one; outcomes
 * are those of the resources that this changes.
 */
enum kp_verdict kp_catalog_rollback(struct kp_catalog *catalog,
    const struct kp_catalog_return *wish, int64_t deadline_ms,
    struct kp_catalog_result *out, struct kp_error *err) KP_MUST_CHECK;

void kp_catalog_result_fini(struct kp_catalog_result *result);

#endif
