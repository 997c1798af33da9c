/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process that the supervisor starts, watches and starts again. A child
 * gets its channel as descriptor 3 and the metrics segment as descriptor 4,
 * nothing else, no blocked signals, and dies with its parent. @thread main
 */
#ifndef KP_PROXY_SUPERVISOR_CHILD_H
#define KP_PROXY_SUPERVISOR_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "proto/control/channel.h"

#define KP_CHILD_CHANNEL_FD 3
#define KP_CHILD_METRICS_FD 4
/* Exit code of a child whose program could not be started. */
#define KP_CHILD_NOT_STARTED 127

/* One that lived shorter than this is started again later and later. */
#define KP_CHILD_QUICK_DEATH_MS 1000
#define KP_CHILD_FIRST_BACKOFF_MS 100
#define KP_CHILD_MAX_BACKOFF_MS 5000

struct kp_child {
	const char *name;        /* for the log */
	const char *const *argv; /* argv[0] is the program; ends with NULL */
	pid_t pid;               /* 0 while it does not run */
	int64_t started_ms;
	int64_t start_at_ms; /* KP_NEVER: it runs, or shall not */
	unsigned num_quick_deaths;
	struct kp_channel channel; /* open while it runs */
};

/* kp_child_start starts the process; argv[0] without slash is found in PATH. */
bool kp_child_start(
    struct kp_child *child, int metrics_fd, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_child_ended notes that the process ended with status (of waitpid), closes
 * its channel and sets start_at_ms.
 */
void kp_child_ended(struct kp_child *child, int status);

/* How long to wait after that many quick deaths in a row. */
int64_t kp_child_backoff_ms(unsigned num_quick_deaths);

/* kp_child_kill ends it at once; kp_child_ended is still to come. */
void kp_child_kill(const struct kp_child *child);

#endif
