/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of all calls: a file that lines of JSON are added to, one for each
 * call. Room for the line of a change is taken from the disk before the change
 * is made (kp_audit_reserve), so that a full disk stops changes, never their
 * record. @thread any
 */
#ifndef KP_CONTROL_SERVER_AUDIT_H
#define KP_CONTROL_SERVER_AUDIT_H

#include "base/bytes.h"
#include "base/error.h"
#include "control/rpc/status.h"

/* A line; names of resources beyond it are counted. */
#define KP_AUDIT_MAX_LINE 8192
/* What resources of one change take of it. */
#define KP_AUDIT_MAX_NAMES_LEN 3072

struct kp_audit;

/* One resource of a change. */
struct kp_audit_name {
	const char *kind, *name, *outcome;
};

/* What a line says; texts may be hostile, NULL: is left out. */
struct kp_audit_line {
	const char *identity, *address, *method;
	const char *event; /* of a stream: "opened", "ended" */
	enum kp_rpc_code code;
	const char *message; /* of a refusal */
	uint64_t revision;   /* 0: none */
	const char *reason;
	bool is_dry_run;
	const struct kp_audit_name *names;
	size_t num_names;
	uint64_t num_suppressed; /* lines like it that were left out before */
	int64_t took_ms;
};

/* kp_audit_open makes the file, for the owner only, or goes on at its end. */
struct kp_audit *kp_audit_open(const char *path, struct kp_error *err);
void kp_audit_close(struct kp_audit *audit);

/*
 * kp_audit_reopen goes on in a new file at the same path, for those who rotate:
 * on failure in the old one.
 */
bool kp_audit_reopen(struct kp_audit *audit, struct kp_error *err);

/*
 * kp_audit_reserve takes the room for one line; false: no change may be made
 * now. kp_audit_release gives it back, whether the line was written or not.
 */
bool kp_audit_reserve(
    struct kp_audit *audit, struct kp_error *err) KP_MUST_CHECK;
void kp_audit_release(struct kp_audit *audit);

/*
 * kp_audit_write adds a line; is_synced, for one that room was reserved for: it
 * is on the disk afterwards. A line that could not be written is counted, and
 * told to the log.
 */
void kp_audit_write(
    struct kp_audit *audit, const struct kp_audit_line *line, bool is_synced);

/* kp_audit_is_well is false, with the reason, while lines cannot be written. */
bool kp_audit_is_well(struct kp_audit *audit, struct kp_error *err);

struct kp_audit_counts {
	uint64_t written, lost;
};
void kp_audit_count(struct kp_audit *audit, struct kp_audit_counts *out);

#endif
