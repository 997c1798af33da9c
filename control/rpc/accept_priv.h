/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gRPC closes a listening socket for good when accept4 fails for want of
 * descriptors: whoever opens enough connections, without any certificate, would
 * have ended the server. accept.c defines accept4 in front of the C library's:
 * connections that would use up the last descriptors are closed at once, so
 * that it never fails so, and the program keeps some for its own files.
 */
#ifndef KP_CONTROL_RPC_ACCEPT_PRIV_H
#define KP_CONTROL_RPC_ACCEPT_PRIV_H

/* Descriptors that connections do not get: an eighth of all, 64 at most. */
#define KP_RPC_MAX_RESERVE 64

/*
 * kp_rpc_accept_guard raises the soft limit of descriptors to the hard one and
 * puts the guard in place. @thread any
 */
void kp_rpc_accept_guard(void);

#endif
