/* SPDX-License-Identifier: Apache-2.0 */
/* Revisions of a server as -o asks for them, and for people. @thread main */
#ifndef KP_CLI_HISTORY_VIEW_H
#define KP_CLI_HISTORY_VIEW_H

#include "cli/connection.h"
#include "cli/view.h"

struct kp_history_query {
	const char *kind, *name; /* NULL: of all */
	uint64_t before;         /* 0: from the newest on */
	uint32_t limit;          /* 0: as many as the server likes */
	bool has_documents;
};

/* kp_history_fetch asks for revisions; *out is for kp_unpacked_free. */
enum kp_exit kp_history_fetch(struct kp_connection *connection,
    Kproxy__Control__V1__HistoryResponse **out,
    const struct kp_history_query *query);

/* kp_outcome is an outcome in a word: "created". */
const char *kp_outcome(Kproxy__Control__V1__Outcome outcome);

/* kp_history_what adds "cluster/orders created" and so on, in one line. */
void kp_history_what(
    struct kp_buf *out, const Kproxy__Control__V1__Revision *revision);

/* kp_history_describe adds who did it, when, and why, a line each. */
void kp_history_describe(
    struct kp_buf *out, const Kproxy__Control__V1__Revision *revision);

/* kp_history_add adds a list of revisions as -o asks. */
void kp_history_add(struct kp_buf *out, const struct kp_view *view,
    Kproxy__Control__V1__Revision *const *list, size_t num);

/* kp_difference_add adds a unified diff of one resource, by two names. */
void kp_difference_add(struct kp_buf *out,
    const Kproxy__Control__V1__Difference *difference, const char *before,
    const char *after);

#endif
