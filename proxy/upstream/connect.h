/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting to a broker of a cluster. @thread connection */
#ifndef KP_PROXY_UPSTREAM_CONNECT_H
#define KP_PROXY_UPSTREAM_CONNECT_H

#include "proxy/upstream/names.h"
#include "proxy/upstream/topology.h"

/*
 * kp_upstream_connect connects to node id; to a bootstrap server if id is
 * negative or nothing is known of that node yet. Waits until deadline_ms at
 * most, and gives up when watch_fd hangs up. Returns the socket, and in
 * *out_node whom it is connected to (for the TLS server name and the log); -1
 * on failure.
 */
int kp_upstream_connect(struct kp_topology *topology, struct kp_names *names,
    int32_t id, int64_t deadline_ms, int watch_fd, struct kp_node *out_node,
    struct kp_error *err);

#endif
