/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker's end of the channels to supervisor and agent. One thread reads
 * both and calls kp_worker_*; any thread may tell the agent something. When the
 * agent is gone, messages to it are dropped (it asks again what it needs when
 * it is back) and the worker goes on with what it has.
 */
#ifndef KP_PROXY_LINK_LINK_H
#define KP_PROXY_LINK_LINK_H

#include <stdint.h>

struct kp_link;

/*
 * kp_link_learned tells the agent that cluster's node node_id advertises
 * host:port, for persistence and name resolution. Never blocks. @thread any
 */
void kp_link_learned(struct kp_link *link, const char *cluster, int32_t node_id,
    const char *host, uint16_t port);

/*
 * kp_link_want_host asks the agent to resolve host now; the answer arrives at
 * kp_worker_resolved. Never blocks; may be called again and again. @thread any
 */
void kp_link_want_host(struct kp_link *link, const char *host);

#endif
