/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/session/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto/control/node_metrics.h"

static struct kp_topology *
topology_of(const struct kp_snapshot *before,
    const struct kp_snapshot *building, const struct kp_tables_cluster *cluster)
{
	const struct kp_snapshot *const places[] = { building, before };

	for (size_t p = 0; p < 2; p++) {
		if (places[p] == NULL)
			continue;
		for (size_t i = 0; i < places[p]->num_endpoints; i++) {
			struct kp_topology *topology =
			    places[p]->endpoints[i].topology;

			if (topology != NULL &&
			    kp_topology_is_of(topology, cluster))
				return kp_topology_ref(topology);
		}
	}
	return kp_topology_new(cluster);
}

static bool
build_endpoint(struct kp_endpoint *endpoint, const struct kp_snapshot *before,
    const struct kp_snapshot *building, struct kp_tls_tickets *tickets,
    struct kp_error *err)
{
	const struct kp_tables_listener *listener = endpoint->listener;
	const struct kp_tables_cluster *cluster = endpoint->cluster;

	if (listener->has_tls) {
		endpoint->tls_server =
		    kp_tls_server_new(listener, tickets, err);
		if (endpoint->tls_server == NULL)
			return kp_error_prefix(
			    err, "listener \"%s\"", listener->name);
	}
	if (cluster->has_tls) {
		endpoint->tls_client = kp_tls_client_new(cluster, err);
		if (endpoint->tls_client == NULL)
			return kp_error_prefix(
			    err, "cluster \"%s\"", cluster->name);
	}
	endpoint->topology = topology_of(before, building, cluster);
	return true;
}

/* Those that did not change are shared. */
static bool
build_policies(struct kp_snapshot *snapshot, const struct kp_snapshot *before,
    struct kp_error *err)
{
	const struct kp_tables *tables = snapshot->tables;

	if (tables->num_policies == 0)
		return true;
	if (before != NULL && before->policies != NULL &&
	    kp_policies_are_of(
		before->policies, tables->policies, tables->num_policies))
		snapshot->policies = kp_policies_ref(before->policies);
	else
		snapshot->policies = kp_policies_new(
		    tables->policies, tables->num_policies, err);
	return snapshot->policies != NULL;
}

static bool
build(struct kp_snapshot *snapshot, const struct kp_snapshot *before,
    struct kp_tls_tickets *tickets, struct kp_error *err)
{
	const struct kp_tables *tables = snapshot->tables;

	for (size_t i = 0; i < tables->num_virtual_clusters; i++) {
		const struct kp_tables_virtual_cluster *vc =
		    &tables->virtual_clusters[i];
		struct kp_endpoint *endpoint = &snapshot->endpoints[i];

		*endpoint = (struct kp_endpoint){
			.virtual_cluster = vc,
			.listener = &tables->listeners[vc->listener],
			.cluster = &tables->clusters[vc->cluster],
		};
		snapshot->num_endpoints++;
		if (!build_endpoint(endpoint, before, snapshot, tickets, err))
			return false;
	}
	return build_policies(snapshot, before, err);
}

static void
count_alive(struct kp_metrics *metrics, int change)
{
	if (metrics != NULL)
		kp_metrics_add(metrics, 0, KP_M_SNAPSHOTS_ALIVE, 0, change);
}

struct kp_snapshot *
kp_snapshot_new(struct kp_tables **tables, const struct kp_snapshot *before,
    struct kp_tls_tickets *tickets, struct kp_metrics *metrics,
    struct kp_error *err)
{
	struct kp_snapshot *snapshot = kp_alloc(1, sizeof(*snapshot));

	atomic_init(&snapshot->refs, 1);
	snapshot->tables = *tables;
	*tables = NULL;
	snapshot->metrics = metrics;
	snapshot->endpoints =
	    kp_alloc(snapshot->tables->num_virtual_clusters + 1,
		sizeof(*snapshot->endpoints));
	count_alive(metrics, 1);
	if (!build(snapshot, before, tickets, err)) {
		kp_snapshot_unref(snapshot);
		return NULL;
	}
	return snapshot;
}

struct kp_snapshot *
kp_snapshot_ref(struct kp_snapshot *snapshot)
{
	(void)atomic_fetch_add(&snapshot->refs, 1);
	return snapshot;
}

void
kp_snapshot_unref(struct kp_snapshot *snapshot)
{
	if (snapshot == NULL || atomic_fetch_sub(&snapshot->refs, 1) != 1)
		return;
	for (size_t i = 0; i < snapshot->num_endpoints; i++) {
		kp_tls_server_unref(snapshot->endpoints[i].tls_server);
		kp_tls_client_unref(snapshot->endpoints[i].tls_client);
		kp_topology_unref(snapshot->endpoints[i].topology);
	}
	kp_policies_unref(snapshot->policies);
	count_alive(snapshot->metrics, -1);
	free(snapshot->endpoints);
	kp_tables_free(snapshot->tables);
	free(snapshot);
}

const struct kp_endpoint *
kp_snapshot_find(
    const struct kp_snapshot *snapshot, const char *virtual_cluster)
{
	for (size_t i = 0; i < snapshot->num_endpoints; i++) {
		const struct kp_endpoint *endpoint = &snapshot->endpoints[i];

		if (strcmp(endpoint->virtual_cluster->name, virtual_cluster) ==
		    0)
			return endpoint;
	}
	return NULL;
}

void
kp_snapshot_store_init(struct kp_snapshot_store *store)
{
	atomic_init(&store->generation, 0);
	kp_mutex_init(&store->current_mutex, KP_RANK_SNAPSHOT);
	store->current = NULL;
}

void
kp_snapshot_store_fini(struct kp_snapshot_store *store)
{
	kp_snapshot_unref(store->current);
	store->current = NULL;
	kp_mutex_fini(&store->current_mutex);
}

void
kp_snapshot_publish(
    struct kp_snapshot_store *store, struct kp_snapshot **snapshot)
{
	struct kp_snapshot *old;

	kp_mutex_lock(&store->current_mutex);
	old = store->current;
	store->current = *snapshot;
	atomic_store_explicit(&store->generation,
	    (*snapshot)->tables->generation, memory_order_release);
	kp_mutex_unlock(&store->current_mutex);
	*snapshot = NULL;
	kp_snapshot_unref(old);
}

struct kp_snapshot *
kp_snapshot_acquire(struct kp_snapshot_store *store)
{
	struct kp_snapshot *snapshot;

	kp_mutex_lock(&store->current_mutex);
	snapshot = store->current;
	if (snapshot != NULL)
		kp_snapshot_ref(snapshot);
	kp_mutex_unlock(&store->current_mutex);
	return snapshot;
}

bool
kp_snapshot_is_current(
    struct kp_snapshot_store *store, const struct kp_snapshot *held)
{
	return held->tables->generation ==
	       atomic_load_explicit(&store->generation, memory_order_acquire);
}
