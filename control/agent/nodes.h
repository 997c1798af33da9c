/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nodes that the worker has learned, for each cluster of the tables, so
 * that a node that starts again knows them before any metadata has passed. What
 * is known of a cluster is forgotten when its bootstrap addresses change: it
 * may have become another cluster. @thread main
 */
#ifndef KP_CONTROL_AGENT_NODES_H
#define KP_CONTROL_AGENT_NODES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "rules/tables.h"

/* Nodes of one cluster; more are not believed. */
#define KP_NODES_MAX 10000

struct kp_nodes;

struct kp_nodes *kp_nodes_new(void);
void kp_nodes_free(struct kp_nodes *nodes);

/*
 * kp_nodes_adopt keeps the clusters of tables and no others, and puts what is
 * known of them into tables.
 */
void kp_nodes_adopt(struct kp_nodes *nodes, struct kp_tables *tables);

/*
 * kp_nodes_learn notes that node id of cluster is host:port. Returns true if
 * that is news; unknown clusters and impossible addresses are none.
 */
bool kp_nodes_learn(struct kp_nodes *nodes, const char *cluster, int32_t id,
    const char *host, uint32_t port);

/* To and from nodes.pb. Loading replaces everything. */
bool kp_nodes_pack(
    const struct kp_nodes *nodes, struct kp_buf *out) KP_MUST_CHECK;
bool kp_nodes_unpack(struct kp_nodes *nodes, struct kp_bytes packed,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_is_host_name: letters, digits, '-', '.', '_', ':' and at most 253. */
bool kp_is_host_name(const char *text);

#endif
