/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/session/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto/control/node_metrics.h"

/*
 * What is made of parts of the tables that did not change is taken over.
 * Endpoints are looked for from `at` on, where they are if little has changed:
 * thousands are not searched thousands of times.
 */
struct builder {
	const struct kp_snapshot *before;      /* NULL: there is none */
	size_t at;                             /* in the endpoints of before */
	const struct kp_endpoint **of_cluster; /* the last one; NULL: none */
	struct kp_tls_tickets *tickets;
};

static const char *
listener_of(const struct kp_endpoint *endpoint)
{
	return endpoint->listener->name;
}

static const char *
cluster_of(const struct kp_endpoint *endpoint)
{
	return endpoint->cluster->name;
}

/* The endpoint of before that name_of calls so; NULL if there is none. */
static const struct kp_endpoint *
find(const struct builder *builder,
    const char *(*name_of)(const struct kp_endpoint *endpoint),
    const char *name)
{
	const struct kp_snapshot *before = builder->before;
	size_t num = before != NULL ? before->num_endpoints : 0;

	for (size_t step = 0; step < num; step++) {
		const struct kp_endpoint *endpoint =
		    &before->endpoints[(builder->at + step) % num];

		if (strcmp(name_of(endpoint), name) == 0)
			return endpoint;
	}
	return NULL;
}

static bool
build_server(
    struct kp_endpoint *endpoint, struct builder *builder, struct kp_error *err)
{
	const struct kp_tables_listener *listener = endpoint->listener;
	const struct kp_endpoint *old =
	    find(builder, listener_of, listener->name);

	if (old != NULL)
		builder->at = (size_t)(old - builder->before->endpoints) + 1;
	if (!listener->has_tls)
		return true;
	if (old != NULL && old->tls_server != NULL &&
	    kp_tls_server_is_same(old->listener, listener))
		endpoint->tls_server = kp_tls_server_ref(old->tls_server);
	else
		endpoint->tls_server =
		    kp_tls_server_new(listener, builder->tickets, err);
	return endpoint->tls_server != NULL;
}

static bool
build_client(struct kp_endpoint *endpoint, const struct kp_endpoint *old,
    struct kp_error *err)
{
	const struct kp_tables_cluster *cluster = endpoint->cluster;

	if (!cluster->has_tls)
		return true;
	if (old != NULL && old->tls_client != NULL &&
	    kp_tls_client_is_same(old->cluster, cluster))
		endpoint->tls_client = kp_tls_client_ref(old->tls_client);
	else
		endpoint->tls_client = kp_tls_client_new(cluster, err);
	return endpoint->tls_client != NULL;
}

/* Clusters are shared: by endpoints that were built just now, or by old ones.
 */
static bool
build_cluster(
    struct kp_endpoint *endpoint, struct builder *builder, struct kp_error *err)
{
	const struct kp_tables_cluster *cluster = endpoint->cluster;
	const struct kp_endpoint **known =
	    &builder->of_cluster[endpoint->virtual_cluster->cluster];

	if (*known == NULL)
		*known = find(builder, cluster_of, cluster->name);
	if (!build_client(endpoint, *known, err))
		return false;
	if (*known != NULL && kp_topology_is_of((*known)->topology, cluster))
		endpoint->topology = kp_topology_ref((*known)->topology);
	else
		endpoint->topology = kp_topology_new(cluster);
	*known = endpoint;
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
	struct builder builder = { .before = before, .tickets = tickets };
	bool is_ok = true;

	builder.of_cluster =
	    kp_alloc(tables->num_clusters, sizeof(*builder.of_cluster));
	for (size_t i = 0; i < tables->num_virtual_clusters && is_ok; i++) {
		const struct kp_tables_virtual_cluster *vc =
		    &tables->virtual_clusters[i];
		struct kp_endpoint *endpoint = &snapshot->endpoints[i];

		*endpoint = (struct kp_endpoint){
			.virtual_cluster = vc,
			.listener = &tables->listeners[vc->listener],
			.cluster = &tables->clusters[vc->cluster],
		};
		snapshot->num_endpoints++;
		/* first what looks from the place of the endpoint before on */
		is_ok = build_cluster(endpoint, &builder, err) &&
			build_server(endpoint, &builder, err);
	}
	free(builder.of_cluster);
	return is_ok && build_policies(snapshot, before, err);
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
