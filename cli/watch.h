/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kpctl get --watch: what there is, and then every change of it, until it is
 * interrupted. The server's stream only says that there is a new revision; the
 * list is asked for anew and compared, so that a lost connection or forgotten
 * revisions make no difference. @thread main
 */
#ifndef KP_CLI_WATCH_H
#define KP_CLI_WATCH_H

#include "cli/targets.h"

/* kp_watch_run watches one kind of resources, or all of them. */
enum kp_exit kp_watch_run(
    const struct kp_args *args, const struct kp_targets *targets);

#endif
