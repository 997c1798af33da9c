/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kpctl get --watch: what there is, and then every change of it, until it is
 * interrupted. The list is asked for once; from its revision on the server's
 * stream says what changes. A stream that is lost goes on after the last
 * revision that came; only where that is not possible is the list asked for
 * anew, and only what differs is shown. @thread main
 */
#ifndef KP_CLI_WATCH_H
#define KP_CLI_WATCH_H

#include "cli/targets.h"

/* kp_watch_run watches one kind of resources, or all of them. */
enum kp_exit kp_watch_run(
    const struct kp_args *args, const struct kp_targets *targets);

#endif
