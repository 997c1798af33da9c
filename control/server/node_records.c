/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store has of nodes: one record for each, without its counters, and
 * one for each cordon. A node's record is written by the server that has its
 * stream; who had it before learns from it that the node is elsewhere. A record
 * that is gone was forgotten by another server.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "control/server/hub_priv.h"
#include "proto/control/unpack.h"

#define NODES "nodes"
#define CORDONS "cordons"
#define MAX_UNPACKED ((size_t)1 << 20)

/* Messages of a bucket, by name. */
struct read {
	const ProtobufCMessageDescriptor *kind;
	struct entry {
		char *name;
		ProtobufCMessage *message; /* NULL: cannot be read */
	} * list;
	size_t num, max;
};

/* One that cannot be read, if only for want of memory, is there all the same:
 * nothing may be forgotten, and no cordon be lifted, for that. */
static void
add_read(void *ctx, const struct kp_store_record *record)
{
	struct read *read = ctx;
	struct kp_error err;
	ProtobufCMessage *message =
	    kp_unpack(read->kind, record->data, MAX_UNPACKED, &err);

	if (read->num == read->max) {
		read->max += read->max / 2 + 16;
		read->list =
		    kp_realloc(read->list, read->max, sizeof(*read->list));
	}
	read->list[read->num++] =
	    (struct entry){ kp_strdup(record->name), message };
}

static void
read_fini(struct read *read)
{
	for (size_t i = 0; i < read->num; i++) {
		free(read->list[i].name);
		kp_unpacked_free(read->list[i].message);
	}
	free(read->list);
}

static int
compare_entry(const void *key, const void *entry)
{
	return strcmp(key, ((const struct entry *)entry)->name);
}

static const struct entry *
find_read(const struct read *read, const char *name)
{
	if (read->num == 0)
		return NULL;
	return bsearch(
	    name, read->list, read->num, sizeof(*read->list), compare_entry);
}

/* Of a record, the fields that a said has. */
static struct kp_said *
who_in(const Kproxy__Control__V1__Node *record)
{
	Kproxy__Control__V1__Node who;

	kproxy__control__v1__node__init(&who);
	who.name = record->name;
	who.labels = record->labels;
	who.n_labels = record->n_labels;
	who.version = record->version;
	who.address = record->address;
	who.server = record->server;
	who.connected_ms = record->connected_ms;
	return record->n_labels > KP_MAX_LABELS ? NULL : kp_said_new(&who);
}

static struct kp_said *
refusal_in(const Kproxy__Control__V1__Node *record)
{
	Kproxy__Control__V1__Node refusal;

	if (record->refused_revision == 0)
		return NULL;
	kproxy__control__v1__node__init(&refusal);
	refusal.refused_revision = record->refused_revision;
	refusal.problems = record->problems;
	return kp_said_new(&refusal);
}

static void
fill_locked(struct kp_node *node, const Kproxy__Control__V1__Node *record)
{
	struct kp_said *refusal = refusal_in(record);

	kp_said_take(&node->refusal, &refusal);
	node->in_force = (struct kp_held){ .revision = record->revision };
	node->seen_ms = record->seen_ms;
	node->applied_ms = record->applied_ms;
	node->recorded_state = record->state;
	node->recorded_ms = record->seen_ms;
}

/* A node without a stream here is as its record says. */
static void
take_over_locked(struct kp_hub *hub, const Kproxy__Control__V1__Node *record)
{
	struct kp_node *node = kp_node_find_locked(hub, record->name);
	struct kp_said *who = who_in(record);

	if (who == NULL)
		return;
	if (node == NULL)
		node = kp_node_add_locked(hub, &who);
	else
		kp_said_take(&node->who, &who);
	kp_said_unref(who);
	if (node != NULL)
		fill_locked(node, record);
}

/*
 * Another server says that it has the node. If its stream is the newer one,
 * ours is to end, and is returned with a reference; else ours is to be told.
 */
static struct kp_session *
contend_locked(struct kp_node *node, const Kproxy__Control__V1__Node *record)
{
	struct kp_session *session = node->session;

	if (record->state == KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_LOST ||
	    record->connected_ms <= node->who->node->connected_ms) {
		node->is_dirty = true;
		return NULL;
	}
	(void)kp_session_ref(session);
	kp_session_detach_locked(session);
	return session;
}

static struct kp_session *
merge_locked(struct kp_hub *hub, const Kproxy__Control__V1__Node *record)
{
	struct kp_node *node = kp_node_find_locked(hub, record->name);
	struct kp_session *older = NULL;

	if (node != NULL && node->session != NULL) {
		if (strcmp(record->server, hub->server_identity) != 0)
			older = contend_locked(node, record);
		if (older == NULL)
			return NULL;
	}
	if (node == NULL || !node->is_dirty || older != NULL)
		take_over_locked(hub, record);
	if (older != NULL)
		node->is_dirty = false; /* the other one's word counts */
	return older;
}

static void
end_moved(struct kp_session *session)
{
	kp_log(KP_LOG_WARN, "node_came_twice",
	    KP_STR("node", session->who->node->name),
	    KP_STR("older", session->who->node->address));
	kp_rpc_call_end(session->call, KP_RPC_ALREADY_EXISTS,
	    "node \"%s\" has a newer stream at another server; two nodes must "
	    "not have one name",
	    session->who->node->name);
	kp_session_unref(session);
}

static void
merge_all(struct kp_hub *hub, const struct read *nodes)
{
	for (size_t i = 0; i < nodes->num; i++) {
		struct kp_session *older;

		if (nodes->list[i].message == NULL)
			continue;
		kp_mutex_lock(&hub->lock);
		older = merge_locked(hub,
		    (const Kproxy__Control__V1__Node *)nodes->list[i].message);
		kp_mutex_unlock(&hub->lock);
		if (older != NULL)
			end_moved(older);
	}
}

static bool
is_forgotten_locked(const struct kp_hub *hub, const struct kp_node *node,
    const struct read *nodes)
{
	if (node->session != NULL || node->is_dirty)
		return false;
	return find_read(nodes, node->who->node->name) == NULL ||
	       (node->cordon == NULL && kp_node_is_lost_locked(hub, node) &&
		   kp_wall_ms() - node->seen_ms > hub->config.forget_after_ms);
}

/* The next node to be forgotten, taken out: its name, to be freed. */
static char *
forget_one(struct kp_hub *hub, const struct read *nodes)
{
	char *name = NULL;

	kp_mutex_lock(&hub->lock);
	for (size_t i = 0; name == NULL && i < hub->num_nodes; i++) {
		struct kp_node *node = hub->nodes[i];

		if (!is_forgotten_locked(hub, node, nodes))
			continue;
		name = kp_strdup(node->who->node->name);
		kp_node_remove_locked(hub, node);
	}
	kp_mutex_unlock(&hub->lock);
	return name;
}

static bool
note_result(
    struct kp_hub *hub, enum kp_store_result result, const struct kp_error *err)
{
	static struct kp_log_limiter limiter;
	uint64_t suppressed;

	if (result == KP_STORE_OK)
		return true;
	kp_hub_count(hub->metrics, KP_HUB_RECORD_FAILURES, 1);
	if (kp_log_admit(&limiter, &suppressed))
		kp_log(KP_LOG_ERROR, "node_records_failed",
		    KP_STR("reason", err->text),
		    KP_INT("suppressed", suppressed));
	return false;
}

static void
forget(struct kp_hub *hub, const struct read *nodes)
{
	char *name;

	while ((name = forget_one(hub, nodes)) != NULL) {
		const struct kp_store_record record = { NODES, name, { 0 } };
		struct kp_error err = { 0 };

		kp_log(KP_LOG_INFO, "node_forgotten", KP_STR("node", name));
		(void)note_result(hub,
		    kp_store_put_records(hub->config.store, &record, 1, &err),
		    &err);
		free(name);
	}
}

static struct kp_said *
cordon_of(const Kproxy__Control__V1__CordonRequest *request)
{
	Kproxy__Control__V1__Node node;

	kproxy__control__v1__node__init(&node);
	node.cordon_reason = request->reason;
	return kp_said_new(&node);
}

/* Takes cordon, NULL for none. The node's session with a reference, if it has
 * something to get now. */
static struct kp_session *
set_cordon_locked(struct kp_node *node, struct kp_said *cordon)
{
	bool was_cordoned = node->cordon != NULL;
	bool is_cordoned = cordon != NULL;

	kp_said_take(&node->cordon, &cordon);
	if (was_cordoned == is_cordoned)
		return NULL;
	node->is_dirty |= node->session != NULL;
	if (is_cordoned || node->session == NULL)
		return NULL;
	return kp_session_ref(node->session);
}

static void
push_to(struct kp_session *session)
{
	if (session == NULL)
		return;
	kp_session_push(session);
	kp_session_unref(session);
}

/* The cordon of a node is as the store says; where that cannot be read it stays
 * as it is. */
static struct kp_session *
merge_cordon_locked(struct kp_node *node, const struct read *cordons)
{
	const struct entry *found = find_read(cordons, node->who->node->name);
	struct kp_said *cordon = NULL;

	if (found != NULL && found->message != NULL)
		cordon = cordon_of(
		    (const Kproxy__Control__V1__CordonRequest *)found->message);
	if (found != NULL && cordon == NULL)
		return NULL;
	return set_cordon_locked(node, cordon);
}

/* What is no longer there is none. */
static void
merge_cordons(struct kp_hub *hub, const struct read *cordons)
{
	size_t num = 1;

	for (size_t i = 0; i < num; i++) {
		struct kp_session *session = NULL;

		kp_mutex_lock(&hub->lock);
		num = hub->num_nodes;
		if (i < num)
			session = merge_cordon_locked(hub->nodes[i], cordons);
		kp_mutex_unlock(&hub->lock);
		push_to(session);
	}
}

static bool
read_bucket(struct kp_hub *hub, const char *bucket, struct read *out,
    struct kp_error *err)
{
	return kp_store_each_record(hub->config.store, bucket, add_read, out,
		   err) == KP_STORE_OK;
}

static bool
read_all(struct kp_hub *hub, struct read *nodes, struct read *cordons,
    struct kp_error *err)
{
	*nodes =
	    (struct read){ .kind = &kproxy__control__v1__node__descriptor };
	*cordons = (struct read){
		.kind = &kproxy__control__v1__cordon_request__descriptor
	};
	return read_bucket(hub, NODES, nodes, err) &&
	       read_bucket(hub, CORDONS, cordons, err);
}

bool
kp_hub_load(struct kp_hub *hub, struct kp_error *err)
{
	struct read nodes, cordons;
	bool is_ok = read_all(hub, &nodes, &cordons, err);

	if (is_ok) {
		merge_all(hub, &nodes);
		merge_cordons(hub, &cordons);
	}
	read_fini(&nodes);
	read_fini(&cordons);
	return is_ok;
}

/* What is to be written, packed. */
struct batch {
	struct kp_store_record records[KP_STORE_MAX_RECORDS];
	size_t num;
};

static void
add_to_batch_locked(
    struct batch *batch, struct kp_hub *hub, struct kp_node *node)
{
	struct kp_shown shown;
	size_t len;
	uint8_t *data;

	kp_shown_init_locked(&shown, hub, node, false);
	shown.node.n_counters = 0;
	shown.node.is_cordoned = false;
	len = kproxy__control__v1__node__get_packed_size(&shown.node);
	data = kp_alloc(1, len);
	(void)kproxy__control__v1__node__pack(&shown.node, data);
	batch->records[batch->num++] = (struct kp_store_record){ NODES,
		kp_strdup(shown.node.name), { data, len } };
	node->recorded_state = shown.node.state;
	node->recorded_ms = node->seen_ms;
	node->is_dirty = false;
	kp_shown_fini(&shown);
}

static void
fill_batch(struct batch *batch, struct kp_hub *hub)
{
	kp_mutex_lock(&hub->lock);
	for (size_t i = 0; i < hub->num_nodes; i++) {
		if (batch->num == KP_STORE_MAX_RECORDS)
			break;
		if (hub->nodes[i]->is_dirty)
			add_to_batch_locked(batch, hub, hub->nodes[i]);
	}
	kp_mutex_unlock(&hub->lock);
}

/* They are to be written again. */
static void
keep_dirty(struct kp_hub *hub, const struct batch *batch)
{
	kp_mutex_lock(&hub->lock);
	for (size_t i = 0; i < batch->num; i++) {
		struct kp_node *node =
		    kp_node_find_locked(hub, batch->records[i].name);

		if (node != NULL)
			node->is_dirty = true;
	}
	kp_mutex_unlock(&hub->lock);
}

static void
batch_free(struct batch *batch)
{
	for (size_t i = 0; i < batch->num; i++) {
		free((char *)(uintptr_t)batch->records[i].name);
		free((uint8_t *)(uintptr_t)batch->records[i].data.data);
	}
	free(batch);
}

/* Writes up to a batch; false if the store failed or nothing is left. */
static bool
write_some(struct kp_hub *hub, bool *out_is_ok)
{
	struct batch *batch = kp_alloc(1, sizeof(*batch));
	struct kp_error err = { 0 };
	bool is_full;

	fill_batch(batch, hub);
	is_full = batch->num == KP_STORE_MAX_RECORDS;
	*out_is_ok =
	    batch->num == 0 || note_result(hub,
				   kp_store_put_records(hub->config.store,
				       batch->records, batch->num, &err),
				   &err);
	if (!*out_is_ok)
		keep_dirty(hub, batch);
	batch_free(batch);
	return is_full && *out_is_ok;
}

static void
read_others(struct kp_hub *hub)
{
	struct read nodes, cordons;
	struct kp_error err = { 0 };

	if (note_result(hub,
		read_all(hub, &nodes, &cordons, &err) ? KP_STORE_OK
						      : KP_STORE_FAILED,
		&err)) {
		merge_all(hub, &nodes);
		forget(hub, &nodes);
		merge_cordons(hub, &cordons);
	}
	read_fini(&nodes);
	read_fini(&cordons);
}

void
kp_hub_share(struct kp_hub *hub, bool with_reading)
{
	bool is_ok;

	kp_mutex_lock(&hub->store_lock);
	while (write_some(hub, &is_ok))
		;
	if (is_ok && with_reading)
		read_others(hub);
	kp_mutex_unlock(&hub->store_lock);
}

static bool
has_node(struct kp_hub *hub, const char *name)
{
	bool is_there;

	kp_mutex_lock(&hub->lock);
	is_there = kp_node_find_locked(hub, name) != NULL;
	kp_mutex_unlock(&hub->lock);
	return is_there;
}

static bool
write_cordon(struct kp_hub *hub,
    const Kproxy__Control__V1__CordonRequest *request, struct kp_error *err)
{
	size_t len =
	    kproxy__control__v1__cordon_request__get_packed_size(request);
	uint8_t *data = kp_alloc(1, len);
	struct kp_store_record record = { CORDONS, request->name, { 0 } };
	bool is_ok;

	(void)kproxy__control__v1__cordon_request__pack(request, data);
	if (request->is_cordoned)
		record.data = (struct kp_bytes){ data, len };
	is_ok = note_result(
	    hub, kp_store_put_records(hub->config.store, &record, 1, err), err);
	free(data);
	return is_ok;
}

/* The store first: what is answered survives the server. Takes cordon. */
static struct kp_session *
cordon_in_turn(struct kp_hub *hub,
    const Kproxy__Control__V1__CordonRequest *request, struct kp_said *cordon,
    struct kp_rpc_status *status)
{
	struct kp_session *session = NULL;
	struct kp_error err = { 0 };
	struct kp_node *node;

	if (!has_node(hub, request->name)) {
		kp_rpc_status_set(status, KP_RPC_NOT_FOUND,
		    "there is no node \"%s\"", request->name);
		kp_said_unref(cordon);
		return NULL;
	}
	if (!write_cordon(hub, request, &err)) {
		kp_rpc_status_set(status, KP_RPC_UNAVAILABLE, "%s", err.text);
		kp_said_unref(cordon);
		return NULL;
	}
	kp_mutex_lock(&hub->lock);
	/* nodes are forgotten in our turn only */
	node = kp_node_find_locked(hub, request->name);
	session = set_cordon_locked(node, cordon);
	kp_mutex_unlock(&hub->lock);
	return session;
}

bool
kp_hub_cordon(struct kp_hub *hub,
    const Kproxy__Control__V1__CordonRequest *request,
    struct kp_rpc_status *status)
{
	struct kp_said *cordon = NULL;
	struct kp_session *session;

	if (request->is_cordoned) {
		cordon = cordon_of(request);
		if (cordon == NULL) {
			kp_rpc_status_set(status, KP_RPC_RESOURCE_EXHAUSTED,
			    "no memory for a cordon");
			return false;
		}
	}
	kp_mutex_lock(&hub->store_lock);
	session = cordon_in_turn(hub, request, cordon, status);
	kp_mutex_unlock(&hub->store_lock);
	push_to(session);
	return status->code == KP_RPC_OK;
}
