/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for nodes: for how many it is done, as a bar where stderr is a
 * terminal. @thread main
 */
#ifndef KP_CLI_PROGRESS_H
#define KP_CLI_PROGRESS_H

#include "cli/fetch.h"

/* For tables of flags. */
#define KP_TIMEOUT_FLAG(the_fallback) \
	{ \
		.name = "timeout", .type = KP_FLAG_TEXT, .value = "DURATION", \
		.fallback = (the_fallback), \
		.help = "How long to wait for nodes: 30s, 5m." \
	}

/* kp_progress_bar adds "[#####     ] 5/10 nodes", width columns of bar. */
void kp_progress_bar(
    struct kp_buf *out, size_t num_done, size_t num, size_t width);

/*
 * kp_progress_wait waits until all nodes that selector (NULL: all) picks run
 * what is declared as of revision, or the --timeout of args has passed. Says
 * which do not and why, and returns KP_EXIT_FAILED, if some do not. Nodes that
 * are cordoned are not waited for.
 */
enum kp_exit kp_progress_wait(struct kp_connection *connection,
    const struct kp_args *args, const char *selector, uint64_t revision);

/* kp_progress_timeout is what --timeout says; if that is nothing, says so. */
bool kp_progress_timeout(
    int64_t *out_ms, const struct kp_args *args) KP_MUST_CHECK;

/* Where a node is on its way to a revision. */
enum kp_progress { KP_PROGRESS_DONE, KP_PROGRESS_REFUSED, KP_PROGRESS_OPEN };
enum kp_progress kp_progress_of(
    const Kproxy__Control__V1__Node *node, uint64_t revision);

#endif
