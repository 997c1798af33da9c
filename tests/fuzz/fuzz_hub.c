/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two streams of agents at one hub: any messages in any order, with commits,
 * cordons and deadlines between them. The input is a script, one byte for a
 * step and what it needs behind it. The hub runs without its thread, and what
 * it asks of its streams is done here, which sees to it that an agent is
 * welcomed first and once, and never gets a push on top of what it does not
 * hold, or before it has answered the one before.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/log.h"
#include "control/rpc/packet_priv.h"
#include "control/server/hub_priv.h"
#include "control/server/nodes_service.h"
#include "control/server/store_priv.h"
#include "proto/control/unpack.h"

#define NUM_CALLS 2
#define MAX_UNPACKED ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The other end of a stream; control/rpc/call.h as far as a hub sees it. */
struct kp_rpc_call {
	struct kp_services *services;
	void *data;
	unsigned refs;
	bool is_over, is_welcomed;
	bool is_open_push;     /* parts of it are to come */
	bool is_unanswered;    /* all of it is here */
	uint64_t pushed, held; /* revisions */
};

static struct kp_rpc_peer peer;

const struct kp_rpc_peer *
kp_rpc_call_peer(const struct kp_rpc_call *call)
{
	(void)call;
	return &peer;
}

void *
kp_rpc_call_owner(const struct kp_rpc_call *call)
{
	return call->services;
}

/* What a guard asks for, without which there is none here. */
const struct kp_rpc_method *
kp_rpc_call_method(const struct kp_rpc_call *call)
{
	(void)call;
	return &kp_api_sync;
}

int64_t
kp_rpc_call_begun_ms(const struct kp_rpc_call *call)
{
	(void)call;
	return 0;
}

enum kp_rpc_code
kp_rpc_call_code(struct kp_rpc_call *call, char *out_sentence)
{
	(void)call;
	(void)out_sentence;
	return KP_RPC_OK;
}

void
kp_rpc_call_mark(struct kp_rpc_call *call)
{
	(void)call;
}

bool
kp_rpc_call_is_marked(const struct kp_rpc_call *call)
{
	(void)call;
	return false;
}

void
kp_rpc_call_set_data(struct kp_rpc_call *call, void *data)
{
	call->data = data;
}

void *
kp_rpc_call_data(const struct kp_rpc_call *call)
{
	return call->data;
}

struct kp_rpc_call *
kp_rpc_call_ref(struct kp_rpc_call *call)
{
	call->refs++;
	return call;
}

void
kp_rpc_call_unref(struct kp_rpc_call *call)
{
	kp_assert(call->refs > 0);
	call->refs--;
}

void
kp_rpc_call_reply(struct kp_rpc_call *call, const ProtobufCMessage *answer)
{
	call->is_over = true;
	kp_assert(protobuf_c_message_get_packed_size(answer) <=
		  kp_api_list_nodes.max_response_len);
}

void
kp_rpc_call_finish(struct kp_rpc_call *call, const struct kp_rpc_status *status)
{
	(void)status;
	call->is_over = true;
}

void
kp_rpc_call_end(
    struct kp_rpc_call *call, enum kp_rpc_code code, const char *fmt, ...)
{
	(void)code;
	(void)fmt;
	call->is_over = true;
}

void
kp_rpc_call_abort(struct kp_rpc_call *call)
{
	call->is_over = true;
}

static void
check_push(struct kp_rpc_call *call, const Kproxy__Control__V1__Push *push)
{
	kp_assert(call->is_welcomed && !call->is_unanswered);
	kp_assert(!call->is_open_push || call->pushed == push->revision);
	kp_assert(push->based_on == 0 || push->based_on == call->held);
	call->pushed = push->revision;
	call->is_open_push = !push->is_last;
	call->is_unanswered = push->is_last != 0;
}

/* A welcome is the first, and the only one. */
static void
check_response(
    struct kp_rpc_call *call, const Kproxy__Control__V1__SyncResponse *response)
{
	bool is_welcome = response->body_case ==
			  KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_WELCOME;

	kp_assert(is_welcome != call->is_welcomed);
	call->is_welcomed = true;
	if (response->body_case ==
	    KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_PUSH)
		check_push(call, response->push);
}

bool
kp_rpc_call_send(struct kp_rpc_call *call, struct kp_rpc_packet *packet,
    struct kp_error *err)
{
	grpc_byte_buffer *buffer = kp_rpc_packet_buffer(packet);
	Kproxy__Control__V1__SyncResponse *response;

	if (call->is_over) {
		grpc_byte_buffer_destroy(buffer);
		return kp_error_set(err, KP_ERR_CLOSED, "it is over");
	}
	response = (Kproxy__Control__V1__SyncResponse *)kp_rpc_decode(
	    buffer, kp_api_sync.response, KP_API_MAX_PUSH, err);
	kp_assert(response != NULL);
	check_response(call, response);
	kp_unpacked_free(&response->base);
	grpc_byte_buffer_destroy(buffer);
	return true;
}

static enum kp_store_result
put_records(struct kp_store *store, const struct kp_store_record *records,
    size_t num_records, struct kp_error *err)
{
	(void)store;
	(void)records;
	(void)num_records;
	(void)err;
	return KP_STORE_OK;
}

static enum kp_store_result
each_record(struct kp_store *store, const char *bucket, kp_visit_record visit,
    void *ctx, struct kp_error *err)
{
	(void)store;
	(void)bucket;
	(void)visit;
	(void)ctx;
	(void)err;
	return KP_STORE_OK;
}

static const struct kp_store_ops ops = { .put_records = put_records,
	.each_record = each_record };

struct world {
	const uint8_t *data;
	size_t size;
	struct kp_store store;
	struct kp_hub *hub;
	struct kp_services services;
	struct kp_items items;
	struct kp_rpc_call calls[NUM_CALLS];
};

/* The next byte of the script, 0 at its end. */
static uint8_t
next(struct world *world)
{
	if (world->size == 0)
		return 0;
	world->size--;
	return *world->data++;
}

/* What the message means for the agent that says it. */
static void
note(struct kp_rpc_call *call, const Kproxy__Control__V1__SyncRequest *request)
{
	bool is_ack =
	    request->body_case == KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_ACK;
	bool is_nack =
	    request->body_case == KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_NACK;
	uint64_t revision = 0;

	if (request->body_case ==
		KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_HELLO &&
	    !call->is_welcomed)
		call->held = request->hello->revision;
	if (is_ack)
		revision = request->ack->revision;
	if (is_nack)
		revision = request->nack->revision;
	if (!call->is_unanswered || revision != call->pushed ||
	    (!is_ack && !is_nack))
		return;
	call->is_unanswered = false;
	if (is_ack)
		call->held = call->pushed;
}

static void
say(struct kp_rpc_call *call, const Kproxy__Control__V1__SyncRequest *request)
{
	if (call->is_over)
		return;
	note(call, request);
	kp_node_message(call, &request->base);
}

static void
say_bytes(struct world *world, struct kp_rpc_call *call)
{
	size_t len = next(world);
	ProtobufCMessage *message;
	struct kp_error err;

	if (len > world->size)
		len = world->size;
	message = kp_unpack(kp_api_sync.request,
	    (struct kp_bytes){ world->data, len }, MAX_UNPACKED, &err);
	world->data += len;
	world->size -= len;
	if (message != NULL)
		say(call, (const Kproxy__Control__V1__SyncRequest *)message);
	kp_unpacked_free(message);
}

static void
say_ack(struct kp_rpc_call *call)
{
	Kproxy__Control__V1__SyncRequest request;
	Kproxy__Control__V1__Ack ack;

	kproxy__control__v1__sync_request__init(&request);
	kproxy__control__v1__ack__init(&ack);
	request.body_case = KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_ACK;
	request.ack = &ack;
	ack.revision = call->pushed;
	say(call, &request);
}

static void
visit_all(struct world *world, void (*visit)(struct kp_session *session))
{
	struct kp_sessions sessions;

	kp_hub_pick(world->hub, &sessions);
	for (size_t i = 0; i < sessions.num; i++)
		visit(sessions.list[i]);
	kp_sessions_fini(&sessions);
}

static void
commit(struct world *world)
{
	uint8_t what = next(world);
	char name[] = "a", text[512];
	struct kp_store_change change = { .kind = "Cluster", .name = name };
	struct kp_items after = { .num = 0 };
	struct kp_error err;

	name[0] = (char)('a' + what % 3);
	(void)snprintf(text, sizeof(text),
	    "apiVersion: kproxy/v1\nkind: Cluster\nmetadata: {name: %s}\n"
	    "spec: {bootstrap: ['a:%d'], nodes: {site: '%d'}}\n",
	    name, what + 1, what % 2);
	if (what % 5 != 0)
		change.text = kp_bytes_of(text);
	kp_assert(kp_items_next(&after, &world->items,
	    world->items.revision + 1, &change, 1, &err));
	kp_items_take(&world->items, &after);
	kp_hub_changed(world->hub, &world->items, 0);
	visit_all(world, kp_session_push);
}

static void
cordon(struct world *world)
{
	Kproxy__Control__V1__CordonRequest request;
	struct kp_rpc_status status = { .code = KP_RPC_OK };
	char name[] = "edge-1";

	kproxy__control__v1__cordon_request__init(&request);
	request.name = name;
	request.is_cordoned = next(world) % 2;
	(void)!kp_hub_cordon(world->hub, &request, &status);
	kp_rpc_status_fini(&status);
}

static void
list(struct world *world)
{
	struct kp_rpc_call call = { .services = &world->services };
	Kproxy__Control__V1__ListNodesRequest request;

	kproxy__control__v1__list_nodes_request__init(&request);
	for (size_t i = 0; kp_nodes_methods[i].method != NULL; i++) {
		if (kp_nodes_methods[i].method == &kp_api_list_nodes)
			kp_nodes_methods[i].handlers.request(
			    &call, &request.base);
	}
	kp_assert(call.is_over);
}

static void
open_call(struct world *world, struct kp_rpc_call *call)
{
	*call = (struct kp_rpc_call){ .services = &world->services };
	kp_node_opened(call);
}

static void
close_call(struct kp_rpc_call *call)
{
	call->is_over = true;
	kp_node_closed(call);
	kp_assert(call->refs == 0);
}

static void
reopen(struct world *world, struct kp_rpc_call *call)
{
	close_call(call);
	open_call(world, call);
}

static void
expire(struct world *world)
{
	world->hub->config.lost_after_ms = next(world) % 2 == 0 ? -1 : 30000;
	visit_all(world, kp_session_expire);
	world->hub->config.lost_after_ms = 30000;
	kp_hub_share(world->hub, false);
}

static void
step(struct world *world)
{
	uint8_t what = next(world);
	struct kp_rpc_call *call = &world->calls[what / 16 % NUM_CALLS];

	switch (what % 16) {
	case 0:
		commit(world);
		return;
	case 1:
		say_ack(call);
		return;
	case 2:
		kp_node_sent(call);
		return;
	case 3:
		cordon(world);
		return;
	case 4:
		list(world);
		return;
	case 5:
		reopen(world, call);
		return;
	case 6:
		expire(world);
		return;
	case 7:
		world->hub->config.is_restored ^= true;
		return;
	default:
		say_bytes(world, call);
		return;
	}
}

static void
start(struct world *world)
{
	static char name[] = "edge-1", other[] = "DNS:edge-2", address[] = "a";
	struct kp_hub_config config;
	struct kp_error err;

	peer = (struct kp_rpc_peer){ .address = address,
		.common_name = name,
		.names = { other },
		.num_names = 1 };
	kp_log_init("fuzz", KP_LOG_JSON, KP_LOG_ERROR);
	kp_store_init(&world->store, &ops);
	kp_hub_config_default(&config);
	config.store = &world->store;
	config.server_identity = "server-1";
	config.version = "1";
	config.catch_up_ms = 0;
	world->hub = kp_hub_prepare(&config, &err);
	kp_assert(world->hub != NULL);
	world->services.hub = world->hub;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = { .data = data, .size = size };

	start(&world);
	for (size_t i = 0; i < NUM_CALLS; i++)
		open_call(&world, &world.calls[i]);
	while (world.size > 0)
		step(&world);
	for (size_t i = 0; i < NUM_CALLS; i++)
		close_call(&world.calls[i]);
	kp_hub_dispose(world.hub);
	kp_items_fini(&world.items);
	kp_cond_fini(&world.store.news);
	kp_mutex_fini(&world.store.news_mutex);
	return 0;
}
