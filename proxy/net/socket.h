/* SPDX-License-Identifier: Apache-2.0 */
/* What every connected socket of ours is set to. @thread any */
#ifndef KP_PROXY_NET_SOCKET_H
#define KP_PROXY_NET_SOCKET_H

#include "base/error.h"

/*
 * kp_socket_tune makes fd non-blocking and, if it is TCP, sends small writes at
 * once and notices a peer that vanished within about two minutes.
 */
bool kp_socket_tune(int fd, struct kp_error *err) KP_MUST_CHECK;

#endif
