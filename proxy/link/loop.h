/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link thread: the worker's main thread, which does what supervisor and
 * agent say until the worker is drained. Only worker_main.c needs this; others
 * use link.h. @thread control
 */
#ifndef KP_PROXY_LINK_LOOP_H
#define KP_PROXY_LINK_LOOP_H

#include <stdbool.h>

#include "base/error.h"
#include "proxy/link/link.h"

struct kp_worker;

/* kp_link_new takes over supervisor_fd. Returns NULL with err on failure. */
struct kp_link *kp_link_new(int supervisor_fd, struct kp_error *err);
void kp_link_free(struct kp_link *link);

/*
 * kp_link_run serves both channels until worker is drained and returns true
 * then; false if the supervisor is gone or talks nonsense. What the supervisor
 * sent is always handled before the agent's next message, so that sockets are
 * there before the tables that name them.
 */
bool kp_link_run(struct kp_link *link, struct kp_worker *worker,
    struct kp_error *err) KP_MUST_CHECK;

#endif
