/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/upstream/connect.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "proxy/net/dial.h"

/* More bootstrap servers are not tried in one attempt. */
#define MAX_SERVERS 16

struct servers {
	struct kp_node nodes[MAX_SERVERS];
	size_t num;
};

static void
add_bootstrap(void *context, const struct kp_node *node)
{
	struct servers *servers = context;

	if (node->id < 0 && servers->num < MAX_SERVERS)
		servers->nodes[servers->num++] = *node;
}

static int
dial(struct kp_names *names, const struct kp_node *node, int64_t deadline_ms,
    int watch_fd, struct kp_error *err)
{
	struct kp_address addresses[KP_NAMES_MAX_ADDRESSES];
	size_t num = kp_names_get(
	    names, node->host, node->port, deadline_ms, addresses, err);

	if (num == 0)
		return -1;
	return kp_dial(NULL, addresses, num, deadline_ms, watch_fd, err);
}

/* An equal share of the time that is left for each server still to try. */
static int64_t
share_of(int64_t deadline_ms, size_t num_left)
{
	int64_t now_ms = kp_now_ms();

	return deadline_ms <= now_ms
		   ? deadline_ms
		   : now_ms + (deadline_ms - now_ms) / (int64_t)num_left;
}

static int
dial_bootstrap(struct kp_topology *topology, struct kp_names *names,
    int64_t deadline_ms, int watch_fd, struct kp_node *out_node,
    struct kp_error *err)
{
	/* not on the stack: an idle connection would keep the pages */
	struct servers *servers = kp_alloc(1, sizeof(*servers));
	int fd = -1;

	kp_topology_nodes(topology, add_bootstrap, servers);
	kp_error_set(err, KP_ERR_UNAVAILABLE, "no bootstrap server");
	for (size_t i = 0; i < servers->num && fd < 0; i++) {
		*out_node = servers->nodes[i];
		fd = dial(names, out_node,
		    share_of(deadline_ms, servers->num - i), watch_fd, err);
		if (fd < 0 && err->kind == KP_ERR_CLOSED)
			break;
	}
	free(servers);
	return fd;
}

int
kp_upstream_connect(struct kp_topology *topology, struct kp_names *names,
    int32_t id, int64_t deadline_ms, int watch_fd, struct kp_node *out_node,
    struct kp_error *err)
{
	int fd;

	if (id < 0 || !kp_topology_find(topology, id, out_node))
		return dial_bootstrap(
		    topology, names, deadline_ms, watch_fd, out_node, err);
	fd = dial(names, out_node, deadline_ms, watch_fd, err);
	if (fd < 0)
		kp_error_prefix(err, "node %d at %.*s:%u", id, 120,
		    out_node->host, out_node->port);
	return fd;
}
