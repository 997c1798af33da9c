/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closes the worker down for good before it sees the first byte from outside:
 * it opens no file, starts no program, listens on nothing new, cannot be traced
 * and leaves no core dump. Builds with sanitizers or coverage have
 * sandbox_off.c instead, since their run-time libraries open files; CMake
 * chooses.
 * @thread main, before there are others
 */
#ifndef KP_PROXY_LINK_SANDBOX_H
#define KP_PROXY_LINK_SANDBOX_H

#include <stdbool.h>

#include "base/error.h"

/*
 * kp_sandbox_enter cannot be undone. A kernel without Landlock is a warning in
 * the log, since the system call filter says the same a second time; anything
 * else that the kernel refuses is a failure.
 */
bool kp_sandbox_enter(struct kp_error *err) KP_MUST_CHECK;

/* Does this build have a sandbox? */
bool kp_sandbox_is_built(void);

#endif
