/* SPDX-License-Identifier: Apache-2.0 */
/* The worker process from its first to its last line. @thread main */
#ifndef KP_PROXY_LINK_WORKER_MAIN_H
#define KP_PROXY_LINK_WORKER_MAIN_H

#include "proxy/link/sandbox.h"

/*
 * kp_worker_main takes over both descriptors and returns the exit code: 0 once
 * the worker is drained.
 */
int kp_worker_main(
    int supervisor_fd, int metrics_fd, const struct kp_sandbox *sandbox);

#endif
