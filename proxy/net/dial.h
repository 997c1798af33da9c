/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting to one of several addresses. @thread connection */
#ifndef KP_PROXY_NET_DIAL_H
#define KP_PROXY_NET_DIAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "proxy/net/address.h"

/*
 * kp_dial tries the addresses in order until one connects or deadline_ms (of
 * kp_now_ms) passes; an address that does not answer gets its share of the time
 * that is left. It waits, and gives up with KP_ERR_CLOSED when watch_fd, the
 * socket of whom we connect for, hangs up meanwhile (-1: nobody).
 *
 * Returns a connected non-blocking socket with TCP_NODELAY and keepalive; -1
 * with KP_ERR_UNAVAILABLE, KP_ERR_TIMEOUT, KP_ERR_CLOSED or KP_ERR_SYSTEM.
 * out_index, if not NULL, tells which address it was.
 */
int kp_dial(size_t *out_index, const struct kp_address *addresses,
    size_t num_addresses, int64_t deadline_ms, int watch_fd,
    struct kp_error *err) KP_MUST_CHECK;

#endif
