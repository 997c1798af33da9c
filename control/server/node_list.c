/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes as the hub has them, by name, and as they are shown. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/server/hub_priv.h"
#include "proto/control/unpack.h"

#define NODE_DESCRIPTOR (&kproxy__control__v1__node__descriptor)
/* In memory; what is packed is bounded by the limits of hub_priv.h. */
#define MAX_UNPACKED ((size_t)1 << 20)

/* A node is the foreign one's for so many times lost_after_ms: its server
 * writes a record that often at least. */
#define STALE_TIMES 3

static void
take_labels(struct kp_said *said)
{
	const Kproxy__Control__V1__Node *node = said->node;
	struct kp_label pairs[KP_MAX_LABELS];

	kp_assert(node->n_labels <= KP_MAX_LABELS);
	for (size_t i = 0; i < node->n_labels; i++)
		pairs[i] = (struct kp_label){ node->labels[i]->name,
			node->labels[i]->value };
	kp_labels_init(&said->labels, pairs, node->n_labels);
}

struct kp_said *
kp_said_new(const Kproxy__Control__V1__Node *node)
{
	size_t len = kproxy__control__v1__node__get_packed_size(node);
	uint8_t *packed = kp_alloc(1, len);
	struct kp_said *said = kp_alloc(1, sizeof(*said));
	struct kp_error err;

	(void)kproxy__control__v1__node__pack(node, packed);
	said->node = (Kproxy__Control__V1__Node *)kp_unpack(NODE_DESCRIPTOR,
	    (struct kp_bytes){ packed, len }, MAX_UNPACKED, &err);
	free(packed);
	if (said->node == NULL) {
		free(said);
		return NULL;
	}
	atomic_init(&said->refs, 1);
	take_labels(said);
	return said;
}

struct kp_said *
kp_said_ref(struct kp_said *said)
{
	if (said != NULL)
		(void)atomic_fetch_add(&said->refs, 1);
	return said;
}

void
kp_said_unref(struct kp_said *said)
{
	if (said == NULL || atomic_fetch_sub(&said->refs, 1) != 1)
		return;
	kp_labels_fini(&said->labels);
	kp_unpacked_free(&said->node->base);
	free(said);
}

void
kp_said_take(struct kp_said **at, struct kp_said **said)
{
	kp_said_unref(*at);
	*at = *said;
	*said = NULL;
}

/* The index of the first node whose name is not before that one. */
static size_t
place_of_locked(const struct kp_hub *hub, const char *name)
{
	size_t low = 0, high = hub->num_nodes;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(hub->nodes[middle]->who->node->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct kp_node *
kp_node_find_locked(const struct kp_hub *hub, const char *name)
{
	size_t place = place_of_locked(hub, name);

	if (place == hub->num_nodes ||
	    strcmp(hub->nodes[place]->who->node->name, name) != 0)
		return NULL;
	return hub->nodes[place];
}

size_t
kp_node_after_locked(const struct kp_hub *hub, const char *name)
{
	size_t place = place_of_locked(hub, name);

	return place + (kp_node_find_locked(hub, name) != NULL);
}

static void
grow_locked(struct kp_hub *hub)
{
	if (hub->num_nodes < hub->max_nodes)
		return;
	hub->max_nodes += hub->max_nodes / 2 + 16;
	hub->nodes =
	    kp_realloc(hub->nodes, hub->max_nodes, sizeof(struct kp_node *));
}

struct kp_node *
kp_node_add_locked(struct kp_hub *hub, struct kp_said **who)
{
	struct kp_node *node;
	size_t place;

	if (hub->num_nodes >= KP_HUB_MAX_NODES)
		return NULL;
	grow_locked(hub);
	place = place_of_locked(hub, (*who)->node->name);
	node = kp_alloc(1, sizeof(*node));
	kp_said_take(&node->who, who);
	kp_move(&hub->nodes[place + 1], &hub->nodes[place],
	    (hub->num_nodes - place) * sizeof(struct kp_node *));
	hub->nodes[place] = node;
	hub->num_nodes++;
	return node;
}

void
kp_node_remove_locked(struct kp_hub *hub, struct kp_node *node)
{
	size_t place = place_of_locked(hub, node->who->node->name);

	kp_assert(node->session == NULL);
	hub->num_nodes--;
	kp_move(&hub->nodes[place], &hub->nodes[place + 1],
	    (hub->num_nodes - place) * sizeof(struct kp_node *));
	kp_said_unref(node->who);
	kp_said_unref(node->report);
	kp_said_unref(node->refusal);
	kp_said_unref(node->cordon);
	free(node);
}

bool
kp_node_is_ours_locked(const struct kp_hub *hub, const struct kp_node *node)
{
	return strcmp(node->who->node->server, hub->server_identity) == 0;
}

bool
kp_node_is_lost_locked(const struct kp_hub *hub, const struct kp_node *node)
{
	if (node->session != NULL)
		return false;
	return kp_node_is_ours_locked(hub, node) ||
	       node->recorded_state ==
		   KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_LOST ||
	       kp_wall_ms() - node->seen_ms >
		   STALE_TIMES * hub->config.lost_after_ms;
}

static uint64_t
wanted_locked(const struct kp_hub *hub, const struct kp_node *node)
{
	if (node->cordon != NULL || hub->edition == NULL)
		return node->in_force.revision;
	return hub->edition->items.revision;
}

static bool
is_settled_locked(const struct kp_node *node, uint64_t wanted)
{
	const struct kp_session *session = node->session;

	if (node->in_force.revision != wanted || session->push != NULL)
		return false;
	return node->cordon != NULL ||
	       (session->is_prepared && session->prepared == wanted);
}

static Kproxy__Control__V1__NodeState
state_locked(const struct kp_hub *hub, const struct kp_node *node)
{
	uint64_t wanted = wanted_locked(hub, node);

	if (kp_node_is_lost_locked(hub, node))
		return KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_LOST;
	if (node->session == NULL)
		return node->recorded_state;
	if (node->is_drifted)
		return KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_DRIFTED;
	if (node->refusal != NULL &&
	    node->refusal->node->refused_revision == wanted)
		return KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_REFUSED;
	return is_settled_locked(node, wanted)
		   ? KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_CURRENT
		   : KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_BEHIND;
}

static void
show_saids(struct kp_shown *out, bool is_brief)
{
	Kproxy__Control__V1__Node *node = &out->node;

	if (out->refusal != NULL) {
		node->refused_revision = out->refusal->node->refused_revision;
		node->problems = is_brief ? NULL : out->refusal->node->problems;
	}
	if (out->cordon != NULL) {
		node->is_cordoned = true;
		node->cordon_reason = out->cordon->node->cordon_reason;
	}
	if (out->report != NULL && !is_brief) {
		node->counters = out->report->node->counters;
		node->n_counters = out->report->node->n_counters;
	}
}

void
kp_shown_init_locked(struct kp_shown *out, const struct kp_hub *hub,
    const struct kp_node *node, bool is_brief)
{
	*out = (struct kp_shown){ .node = *node->who->node,
		.who = kp_said_ref(node->who),
		.report = kp_said_ref(node->report),
		.refusal = kp_said_ref(node->refusal),
		.cordon = kp_said_ref(node->cordon) };
	out->node.state = state_locked(hub, node);
	out->node.revision =
	    node->is_drifted ? node->drifted_to : node->in_force.revision;
	out->node.wanted_revision = wanted_locked(hub, node);
	out->node.seen_ms = node->seen_ms;
	out->node.applied_ms = node->applied_ms;
	show_saids(out, is_brief);
}

void
kp_shown_fini(struct kp_shown *shown)
{
	kp_said_unref(shown->who);
	kp_said_unref(shown->report);
	kp_said_unref(shown->refusal);
	kp_said_unref(shown->cordon);
}
