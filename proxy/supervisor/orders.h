/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the supervisor tells its children, one function each. A child that does
 * not take a message in time is dead or stuck: it is killed, so that a new one
 * is started. A child that does not run is told nothing. @thread main
 */
#ifndef KP_PROXY_SUPERVISOR_ORDERS_H
#define KP_PROXY_SUPERVISOR_ORDERS_H

#include "proxy/supervisor/child.h"
#include "proxy/supervisor/sockets.h"

/* To the worker: all listening sockets. */
void kp_order_sockets(
    struct kp_child *worker, const struct kp_sockets *sockets);

/* To both: fd is the child's end of a channel to the other child. */
void kp_order_peer(struct kp_child *child, int fd);

/* To the worker: numbers of enum kp_log_level and enum kp_log_format. */
void kp_order_logging(struct kp_child *worker, uint32_t level, uint32_t format);

void kp_order_drain(struct kp_child *child, int32_t timeout_ms);

/* To the agent. */
void kp_order_reload(struct kp_child *agent);
void kp_order_stop(struct kp_child *agent);
void kp_order_bound(
    struct kp_child *agent, uint64_t bind_id, char **errors, size_t num_errors);

#endif
