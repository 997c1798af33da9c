/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/upstream/topology.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/mutex.h"

struct kp_topology {
	atomic_uint refs;
	char *name;
	struct kp_node *bootstrap; /* id -1 */
	size_t num_bootstrap;

	struct kp_mutex nodes_mutex; /* guards what follows */
	struct kp_node *nodes;       /* sorted by id */
	size_t num_nodes, max_nodes;
};

static void
set_host(struct kp_node *node, struct kp_bytes host)
{
	kp_copy(node->host, host.data, host.len);
	node->host[host.len] = '\0';
}

struct kp_topology *
kp_topology_new(const struct kp_tables_cluster *cluster)
{
	struct kp_topology *topology = kp_alloc(1, sizeof(*topology));

	atomic_init(&topology->refs, 1);
	kp_mutex_init(&topology->nodes_mutex, KP_RANK_TOPOLOGY);
	topology->name = kp_strdup(cluster->name);
	topology->bootstrap =
	    kp_alloc(cluster->num_bootstrap, sizeof(*topology->bootstrap));
	for (size_t i = 0; i < cluster->num_bootstrap; i++) {
		struct kp_bytes host = kp_bytes_of(cluster->bootstrap[i].host);

		if (host.len > KP_HOST_MAX)
			continue;
		topology->bootstrap[topology->num_bootstrap].id = -1;
		topology->bootstrap[topology->num_bootstrap].port =
		    cluster->bootstrap[i].port;
		set_host(&topology->bootstrap[topology->num_bootstrap++], host);
	}
	for (size_t i = 0; i < cluster->num_nodes; i++)
		(void)kp_topology_learn(topology, cluster->nodes[i].id,
		    kp_bytes_of(cluster->nodes[i].address.host),
		    cluster->nodes[i].address.port);
	return topology;
}

struct kp_topology *
kp_topology_ref(struct kp_topology *topology)
{
	(void)atomic_fetch_add(&topology->refs, 1);
	return topology;
}

void
kp_topology_unref(struct kp_topology *topology)
{
	if (topology == NULL || atomic_fetch_sub(&topology->refs, 1) != 1)
		return;
	kp_mutex_fini(&topology->nodes_mutex);
	free(topology->name);
	free(topology->bootstrap);
	free(topology->nodes);
	free(topology);
}

bool
kp_topology_is_of(
    const struct kp_topology *topology, const struct kp_tables_cluster *cluster)
{
	if (strcmp(topology->name, cluster->name) != 0 ||
	    topology->num_bootstrap != cluster->num_bootstrap)
		return false;
	for (size_t i = 0; i < cluster->num_bootstrap; i++) {
		const struct kp_node *mine = &topology->bootstrap[i];

		if (mine->port != cluster->bootstrap[i].port ||
		    strcmp(mine->host, cluster->bootstrap[i].host) != 0)
			return false;
	}
	return true;
}

/* Index of the first node whose id is not below id. */
static size_t
place_of_locked(struct kp_topology *topology, int32_t id)
{
	size_t low = 0, high = topology->num_nodes;

	kp_mutex_assert_held(&topology->nodes_mutex);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (topology->nodes[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct kp_node *
insert_locked(struct kp_topology *topology, size_t place)
{
	struct kp_node *nodes;

	kp_mutex_assert_held(&topology->nodes_mutex);
	if (topology->num_nodes >= KP_TOPOLOGY_MAX_NODES)
		return NULL;
	if (topology->num_nodes == topology->max_nodes) {
		size_t max = topology->max_nodes * 2 + 8;

		nodes = kp_try_realloc(topology->nodes, max * sizeof(*nodes));
		if (nodes == NULL)
			return NULL;
		topology->nodes = nodes;
		topology->max_nodes = max;
	}
	nodes = topology->nodes;
	kp_move(&nodes[place + 1], &nodes[place],
	    (topology->num_nodes - place) * sizeof(*nodes));
	topology->num_nodes++;
	nodes[place] = (struct kp_node){ 0 };
	return &nodes[place];
}

static bool
learn_locked(struct kp_topology *topology, int32_t id, struct kp_bytes host,
    uint16_t port)
{
	size_t place = place_of_locked(topology, id);
	struct kp_node *node = NULL;

	if (place < topology->num_nodes && topology->nodes[place].id == id)
		node = &topology->nodes[place];
	if (node != NULL && node->port == port &&
	    kp_bytes_equal(kp_bytes_of(node->host), host))
		return false;
	if (node == NULL)
		node = insert_locked(topology, place);
	if (node == NULL)
		return false;
	node->id = id;
	node->port = port;
	set_host(node, host);
	return true;
}

bool
kp_topology_learn(struct kp_topology *topology, int32_t id,
    struct kp_bytes host, uint16_t port)
{
	bool is_news;

	if (id < 0 || port == 0 || host.len == 0 || host.len > KP_HOST_MAX ||
	    memchr(host.data, '\0', host.len) != NULL)
		return false;
	kp_mutex_lock(&topology->nodes_mutex);
	is_news = learn_locked(topology, id, host, port);
	kp_mutex_unlock(&topology->nodes_mutex);
	return is_news;
}

bool
kp_topology_find(struct kp_topology *topology, int32_t id, struct kp_node *out)
{
	size_t place;
	bool is_found;

	kp_mutex_lock(&topology->nodes_mutex);
	place = place_of_locked(topology, id);
	is_found =
	    place < topology->num_nodes && topology->nodes[place].id == id;
	if (is_found)
		*out = topology->nodes[place];
	kp_mutex_unlock(&topology->nodes_mutex);
	return is_found;
}

void
kp_topology_nodes(struct kp_topology *topology,
    void (*visit)(void *context, const struct kp_node *node), void *context)
{
	kp_mutex_lock(&topology->nodes_mutex);
	for (size_t i = 0; i < topology->num_nodes; i++)
		visit(context, &topology->nodes[i]);
	kp_mutex_unlock(&topology->nodes_mutex);
	for (size_t i = 0; i < topology->num_bootstrap; i++)
		visit(context, &topology->bootstrap[i]);
}
