/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the sandbox in the order in which they are entered; none can be
 * undone. @thread main, before there are others
 */
#ifndef KP_PROXY_LINK_SANDBOX_PRIV_H
#define KP_PROXY_LINK_SANDBOX_PRIV_H

#include "proxy/link/sandbox.h"

/*
 * kp_warm_up makes the C library read the files that it reads only once: later
 * it could not, and trying would end the process.
 */
void kp_warm_up(void);

/*
 * kp_identity_drop becomes the user and group of sandbox, without further
 * groups, and gives up every capability; it has looked that it is so.
 */
bool kp_identity_drop(
    const struct kp_sandbox *sandbox, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_landlock_enter shuts files, and as far as this kernel can: binding of TCP
 * ports, abstract unix sockets and signals to others. *out_version is the
 * kernel's version of Landlock, 0 if it has none, which is no failure. Needs
 * PR_SET_NO_NEW_PRIVS.
 */
bool kp_landlock_enter(int *out_version, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_calls_restrict lets through the system calls of its list. Any other ends
 * the process by SIGSYS, or is only logged by the kernel if is_log_only.
 */
bool kp_calls_restrict(bool is_log_only, struct kp_error *err) KP_MUST_CHECK;

#endif
