/* SPDX-License-Identifier: Apache-2.0 */
#include "control/agent/nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto/control/node.pb-c.h"

/* RFC 1035 */
#define MAX_HOST 253

/* Messages of node.proto, grown in place, are all that is needed here. */
struct kp_nodes {
	Kp__Node__KnownNodes *known;
};

struct kp_nodes *
kp_nodes_new(void)
{
	struct kp_nodes *nodes = kp_alloc(1, sizeof(*nodes));

	nodes->known = kp_alloc(1, sizeof(*nodes->known));
	kp__node__known_nodes__init(nodes->known);
	return nodes;
}

void
kp_nodes_free(struct kp_nodes *nodes)
{
	if (nodes == NULL)
		return;
	kp__node__known_nodes__free_unpacked(nodes->known, NULL);
	free(nodes);
}

bool
kp_is_host_name(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._:";
	size_t len = strnlen(text, MAX_HOST + 1);

	return len > 0 && len <= MAX_HOST && strspn(text, allowed) == len;
}

/* "a:9092,b:9092": tells whether a cluster is still the same. One that was cut
 * would be another cluster, whose nodes nobody knows. */
static char *
bootstrap_of(const struct kp_tables_cluster *cluster)
{
	size_t size = 1, len = 0;
	char *text;

	for (size_t i = 0; i < cluster->num_bootstrap; i++)
		size += strlen(cluster->bootstrap[i].host) + sizeof(",:65535");
	text = kp_alloc(size, 1);
	for (size_t i = 0; i < cluster->num_bootstrap; i++)
		len += (size_t)snprintf(text + len, size - len, "%s%s:%u",
		    i > 0 ? "," : "", cluster->bootstrap[i].host,
		    (unsigned)cluster->bootstrap[i].port);
	return text;
}

/* Is text what bootstrap_of makes of the cluster? */
static bool
is_bootstrap_of(const char *text, const struct kp_tables_cluster *cluster)
{
	for (size_t i = 0; i < cluster->num_bootstrap; i++) {
		const struct kp_host_port *server = &cluster->bootstrap[i];
		size_t len = strlen(server->host);
		char *end;

		if (i > 0 && *text++ != ',')
			return false;
		if (strncmp(text, server->host, len) != 0 || text[len] != ':' ||
		    strtoul(text + len + 1, &end, 10) != server->port)
			return false;
		text = end;
	}
	return *text == '\0';
}

static Kp__Node__KnownCluster *
find(const struct kp_nodes *nodes, const char *name)
{
	for (size_t i = 0; i < nodes->known->n_clusters; i++) {
		if (strcmp(nodes->known->clusters[i]->name, name) == 0)
			return nodes->known->clusters[i];
	}
	return NULL;
}

/*
 * Takes the cluster out of the list, or makes a new one without nodes. It is
 * looked for from place on, where it is if little has changed: thousands of
 * clusters are not searched thousands of times.
 */
static Kp__Node__KnownCluster *
take(struct kp_nodes *nodes, const struct kp_tables_cluster *wanted,
    size_t place)
{
	size_t num = nodes->known->n_clusters;
	Kp__Node__KnownCluster *cluster;

	for (size_t step = 0; step < num; step++) {
		size_t i = (place + step) % num;

		cluster = nodes->known->clusters[i];
		if (cluster == NULL ||
		    strcmp(cluster->name, wanted->name) != 0 ||
		    !is_bootstrap_of(cluster->bootstrap, wanted))
			continue;
		nodes->known->clusters[i] = NULL;
		return cluster;
	}
	cluster = kp_alloc(1, sizeof(*cluster));
	kp__node__known_cluster__init(cluster);
	cluster->name = kp_strdup(wanted->name);
	cluster->bootstrap = bootstrap_of(wanted);
	return cluster;
}

static void
fill(const Kp__Node__KnownCluster *from, struct kp_tables_cluster *to)
{
	for (size_t i = 0; i < to->num_nodes; i++)
		free(to->nodes[i].address.host);
	free(to->nodes);
	to->num_nodes = from->n_nodes;
	to->nodes = kp_alloc(from->n_nodes, sizeof(*to->nodes));
	for (size_t i = 0; i < from->n_nodes; i++) {
		to->nodes[i].id = from->nodes[i]->id;
		to->nodes[i].address.host = kp_strdup(from->nodes[i]->host);
		to->nodes[i].address.port = (uint16_t)from->nodes[i]->port;
	}
}

void
kp_nodes_adopt(struct kp_nodes *nodes, struct kp_tables *tables)
{
	Kp__Node__KnownCluster **kept =
	    kp_alloc(tables->num_clusters, sizeof(*kept));

	for (size_t i = 0; i < tables->num_clusters; i++) {
		kept[i] = take(nodes, &tables->clusters[i], i);
		fill(kept[i], &tables->clusters[i]);
	}
	for (size_t i = 0; i < nodes->known->n_clusters; i++)
		kp__node__known_cluster__free_unpacked(
		    nodes->known->clusters[i], NULL);
	free(nodes->known->clusters);
	nodes->known->clusters = kept;
	nodes->known->n_clusters = tables->num_clusters;
}

static Kp__Node__KnownNode *
add_node(Kp__Node__KnownCluster *cluster, int32_t id)
{
	size_t size = (cluster->n_nodes + 1) * sizeof(*cluster->nodes);
	Kp__Node__KnownNode **grown, *node;

	if (cluster->n_nodes == KP_NODES_MAX)
		return NULL;
	grown = kp_try_realloc(cluster->nodes, size);
	if (grown == NULL)
		return NULL;
	node = kp_alloc(1, sizeof(*node));
	kp__node__known_node__init(node);
	node->id = id;
	node->host = kp_strdup("");
	cluster->nodes = grown;
	cluster->nodes[cluster->n_nodes++] = node;
	return node;
}

static Kp__Node__KnownNode *
find_node(const Kp__Node__KnownCluster *cluster, int32_t id)
{
	for (size_t i = 0; i < cluster->n_nodes; i++) {
		if (cluster->nodes[i]->id == id)
			return cluster->nodes[i];
	}
	return NULL;
}

bool
kp_nodes_learn(struct kp_nodes *nodes, const char *cluster_name, int32_t id,
    const char *host, uint32_t port)
{
	Kp__Node__KnownCluster *cluster = find(nodes, cluster_name);
	Kp__Node__KnownNode *node;

	if (cluster == NULL || id < 0 || port == 0 || port > UINT16_MAX ||
	    !kp_is_host_name(host))
		return false;
	node = find_node(cluster, id);
	if (node != NULL && node->port == port && strcmp(node->host, host) == 0)
		return false;
	if (node == NULL)
		node = add_node(cluster, id);
	if (node == NULL)
		return false;
	free(node->host);
	node->host = kp_strdup(host);
	node->port = port;
	return true;
}

bool
kp_nodes_pack(const struct kp_nodes *nodes, struct kp_buf *out)
{
	size_t len = kp__node__known_nodes__get_packed_size(nodes->known);
	uint8_t *to = kp_buf_extend(out, len);

	if (to == NULL)
		return false;
	(void)kp__node__known_nodes__pack(nodes->known, to);
	return true;
}

/* Our own file, but it may have been damaged. */
static bool
is_sound(const Kp__Node__KnownNodes *known)
{
	for (size_t i = 0; i < known->n_clusters; i++) {
		const Kp__Node__KnownCluster *cluster = known->clusters[i];

		if (cluster->n_nodes > KP_NODES_MAX)
			return false;
		for (size_t j = 0; j < cluster->n_nodes; j++) {
			const Kp__Node__KnownNode *node = cluster->nodes[j];

			if (node->id < 0 || node->port == 0 ||
			    node->port > UINT16_MAX ||
			    !kp_is_host_name(node->host))
				return false;
		}
	}
	return true;
}

bool
kp_nodes_unpack(
    struct kp_nodes *nodes, struct kp_bytes packed, struct kp_error *err)
{
	Kp__Node__KnownNodes *known =
	    kp__node__known_nodes__unpack(NULL, packed.len, packed.data);

	if (known == NULL || !is_sound(known)) {
		kp__node__known_nodes__free_unpacked(known, NULL);
		return kp_error_set(
		    err, KP_ERR_CONFIG, "file of known nodes is damaged");
	}
	kp__node__known_nodes__free_unpacked(nodes->known, NULL);
	nodes->known = known;
	return true;
}
