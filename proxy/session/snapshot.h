/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule tables in force, with what is built from them: TLS contexts, policies
 * and the link to each cluster's topology. Immutable once published, counted,
 * replaced whole. A connection holds one and refreshes it between frames, which
 * costs one atomic load. An idle connection may pin an old one until its idle
 * timeout: a gauge counts those alive.
 */
#ifndef KP_PROXY_SESSION_SNAPSHOT_H
#define KP_PROXY_SESSION_SNAPSHOT_H

#include <stdatomic.h>

#include "base/metrics.h"
#include "base/mutex.h"
#include "proxy/net/tls.h"
#include "proxy/upstream/topology.h"
#include "rules/govern/policy.h"
#include "rules/tables.h"

/* A virtual cluster with what a connection to it needs; borrowed from tables.
 */
struct kp_endpoint {
	const struct kp_tables_virtual_cluster *virtual_cluster;
	const struct kp_tables_listener *listener;
	const struct kp_tables_cluster *cluster;
	struct kp_tls_server *tls_server; /* NULL: plain */
	struct kp_tls_client *tls_client; /* NULL: plain */
	struct kp_topology *topology;
};

struct kp_snapshot {
	atomic_uint refs;
	struct kp_tables *tables;
	struct kp_endpoint *endpoints; /* one for each virtual cluster */
	size_t num_endpoints;
	struct kp_policies *policies; /* NULL: none */
	struct kp_metrics *metrics;   /* borrowed; may be NULL */
};

/*
 * kp_snapshot_new builds a snapshot from tables and takes them over. Topologies
 * of clusters that did not change and TLS contexts of the same settings and
 * certificates come from before (may be NULL). NULL with
 * KP_ERR_CONFIG if a certificate or key is not usable; *tables is then freed.
 * @thread control
 */
struct kp_snapshot *kp_snapshot_new(struct kp_tables **tables,
    const struct kp_snapshot *before, struct kp_tls_tickets *tickets,
    struct kp_metrics *metrics, struct kp_error *err);
struct kp_snapshot *kp_snapshot_ref(struct kp_snapshot *snapshot);
void kp_snapshot_unref(struct kp_snapshot *snapshot); /* NULL is fine */

/* kp_snapshot_find returns the endpoint with that name, NULL if it is gone. */
const struct kp_endpoint *kp_snapshot_find(
    const struct kp_snapshot *snapshot, const char *virtual_cluster);

/* Where the snapshot in force is kept. */
struct kp_snapshot_store {
	atomic_uint_fast64_t generation;
	struct kp_mutex current_mutex; /* guards current */
	struct kp_snapshot *current;   /* NULL before the first */
};

void kp_snapshot_store_init(struct kp_snapshot_store *store);
void kp_snapshot_store_fini(struct kp_snapshot_store *store);

/* kp_snapshot_publish replaces the current one and takes over *snapshot. */
void kp_snapshot_publish(
    struct kp_snapshot_store *store, struct kp_snapshot **snapshot);

/* kp_snapshot_acquire returns a share of the current one; NULL if none. */
struct kp_snapshot *kp_snapshot_acquire(struct kp_snapshot_store *store);

/*
 * kp_snapshot_is_current tells whether held is the one in force: one atomic
 * load.
 * @thread any
 */
bool kp_snapshot_is_current(
    struct kp_snapshot_store *store, const struct kp_snapshot *held);

#endif
