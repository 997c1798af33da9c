/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closes the worker down for good before it sees the first byte from outside:
 * it is nobody and may do nothing (identity.c), reaches no file and binds no
 * port (landlock.c), makes only the system calls of a list (calls.c), cannot be
 * traced and leaves no core dump. Builds with sanitizers or coverage have
 * sandbox_off.c instead, since their run-time libraries open files; CMake
 * chooses.
 * @thread main, before there are others
 */
#ifndef KP_PROXY_LINK_SANDBOX_H
#define KP_PROXY_LINK_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct kp_sandbox {
	bool is_log_only; /* calls off the list: logged instead of deadly */
	bool has_user;    /* become uid and gid; false: stay who we are */
	uid_t uid;
	gid_t gid;
};

/*
 * kp_sandbox_enter cannot be undone. A kernel without Landlock is a warning in
 * the log, since the list of calls says the same a second time; anything else
 * that the kernel refuses is a failure, and the process is to end.
 */
bool kp_sandbox_enter(
    const struct kp_sandbox *sandbox, struct kp_error *err) KP_MUST_CHECK;

#endif
