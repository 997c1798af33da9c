/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nodes of one cluster as its brokers advertise them: learned from every
 * answer that passes, persisted by the agent, shared by all connections to that
 * cluster and by successive rule tables. @thread any @locks takes its own
 */
#ifndef KP_PROXY_UPSTREAM_TOPOLOGY_H
#define KP_PROXY_UPSTREAM_TOPOLOGY_H

#include "base/bytes.h"
#include "rules/tables.h"

/* RFC 1035: a host name has at most 253 characters. */
#define KP_HOST_MAX 253
/* A cluster of more nodes than this is not believed. */
#define KP_TOPOLOGY_MAX_NODES 10000

struct kp_node {
	int32_t id;
	uint16_t port;
	char host[KP_HOST_MAX + 1];
};

struct kp_topology;

/* kp_topology_new starts with the nodes that the tables bring along. */
struct kp_topology *kp_topology_new(const struct kp_tables_cluster *cluster);
struct kp_topology *kp_topology_ref(struct kp_topology *topology);
void kp_topology_unref(struct kp_topology *topology);

/*
 * kp_topology_is_of tells whether it belongs to this definition of a cluster:
 * same name and same bootstrap addresses. If not, what was learned is void.
 */
bool kp_topology_is_of(const struct kp_topology *topology,
    const struct kp_tables_cluster *cluster);

/*
 * kp_topology_learn notes that node id advertises host:port. Returns true if
 * that is news.
 */
bool kp_topology_learn(struct kp_topology *topology, int32_t id,
    struct kp_bytes host, uint16_t port);

/* kp_topology_find copies the node with that id to out; false if unknown. */
bool kp_topology_find(
    struct kp_topology *topology, int32_t id, struct kp_node *out);

/*
 * kp_topology_nodes calls visit for each known node, then for each bootstrap
 * address (with id -1), with the lock held: visit must not call back.
 */
void kp_topology_nodes(struct kp_topology *topology,
    void (*visit)(void *context, const struct kp_node *node), void *context);

#endif
