/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/sync_world.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/api/methods.h"
#include "proto/control/node_metrics.h"
#include "proto/control/unpack.h"

#define PATIENCE_MS 60000

static void
welcome(struct kp_test_sync *world)
{
	Kproxy__Control__V1__SyncResponse response;
	Kproxy__Control__V1__Welcome body;
	char version[] = "1.2.3";

	kproxy__control__v1__sync_response__init(&response);
	kproxy__control__v1__welcome__init(&body);
	response.body_case = KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_WELCOME;
	response.welcome = &body;
	body.version = version;
	body.heartbeat_ms = atomic_load(&world->heartbeat_ms);
	body.answers_heartbeats = atomic_load(&world->answers);
	/* the stream may have ended */
	(void)kp_test_sync_say(world, &response.base);
}

static void
answer(struct kp_test_sync *world)
{
	Kproxy__Control__V1__SyncResponse response;
	Kproxy__Control__V1__Alive body;

	kproxy__control__v1__sync_response__init(&response);
	kproxy__control__v1__alive__init(&body);
	response.body_case = KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_ALIVE;
	response.alive = &body;
	/* the stream may have ended */
	(void)kp_test_sync_say(world, &response.base);
}

static void
opened(struct kp_rpc_call *call)
{
	struct kp_test_sync *world = kp_rpc_call_owner(call);

	kp_mutex_lock(&world->lock);
	if (world->stream != NULL)
		kp_rpc_call_unref(world->stream);
	world->stream = kp_rpc_call_ref(call);
	world->num_streams++;
	kp_mutex_unlock(&world->lock);
}

static void
heard(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	struct kp_test_sync *world = kp_rpc_call_owner(call);
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *packed = kp_alloc(len, 1);
	Kproxy__Control__V1__SyncRequest *copy;

	(void)protobuf_c_message_pack(message, packed);
	copy = kproxy__control__v1__sync_request__unpack(NULL, len, packed);
	free(packed);
	kp_mutex_lock(&world->lock);
	kp_assert(world->num_heard < KP_TEST_MAX_HEARD);
	world->heard[world->num_heard++] = copy;
	kp_mutex_unlock(&world->lock);
	if (copy->body_case == KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_HELLO &&
	    !atomic_load(&world->is_silent))
		welcome(world);
	if (copy->body_case ==
		KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_HEARTBEAT &&
	    atomic_load(&world->answers) && !atomic_load(&world->is_hung))
		answer(world);
}

static void
half_closed(struct kp_rpc_call *call)
{
	kp_rpc_call_end(call, KP_RPC_OK, "%s", "");
}

static void
closed(struct kp_rpc_call *call)
{
	struct kp_test_sync *world = kp_rpc_call_owner(call);
	bool is_ours;

	kp_mutex_lock(&world->lock);
	is_ours = world->stream == call;
	if (is_ours)
		world->stream = NULL;
	kp_mutex_unlock(&world->lock);
	if (is_ours)
		kp_rpc_call_unref(call);
}

static const struct kp_rpc_endpoint endpoints[] = {
	{ &kp_api_sync, { .opened = opened,
			    .message = heard,
			    .half_closed = half_closed,
			    .closed = closed } },
};

void
kp_test_sync_init(struct kp_test_sync *out)
{
	struct kp_error err;
	int fd = kp_metrics_new_segment(&kp_node_metrics, &err);

	*out = (struct kp_test_sync){ .heartbeat_ms = 60000 };
	kp_mutex_init(&out->lock, KP_RANK_CHANNEL);
	kp_test_rpc_init(&out->rpc);
	out->rpc.config.endpoints = endpoints;
	out->rpc.config.num_endpoints = 1;
	out->rpc.config.owner = out;
	kp_test_rpc_start(&out->rpc);
	kp_assert(fd >= 0);
	out->metrics = kp_metrics_map(&kp_node_metrics, fd, &err);
	(void)close(fd);
	out->addresses[0] = out->rpc.address;
	out->node = (struct kp_node_config){ .node = kp_strdup("edge-1"),
		.server = { .addresses = out->addresses, .num_addresses = 1 } };
	kp_labels_init(&out->node.labels,
	    (const struct kp_label[]){ { "tier", "prod" }, { "site", "fra" } },
	    2);
}

void
kp_test_sync_fini(struct kp_test_sync *world)
{
	kp_link_grpc.close(world->link);
	/* the world of the RPC has its own owner */
	kp_test_rpc_fini(&world->rpc);
	kp_assert(world->stream == NULL);
	for (size_t i = 0; i < world->num_heard; i++)
		kproxy__control__v1__sync_request__free_unpacked(
		    world->heard[i], NULL);
	kp_metrics_free(world->metrics);
	kp_labels_fini(&world->node.labels);
	free(world->node.node);
	kp_mutex_fini(&world->lock);
}

void
kp_test_sync_open(struct kp_test_sync *world, struct kp_held *held)
{
	const struct kp_rpc_identity identity =
	    kp_test_identity(world->rpc.ca, &world->rpc.client_pair);
	const struct kp_link_config config = {
		.node = &world->node,
		.folder = "/etc/kproxy",
		.identity = { .ca_pem = identity.ca_pem,
		    .certificate_pem = identity.certificate_pem,
		    .key_pem = identity.key_pem },
		.metrics = world->metrics,
	};
	struct kp_error err;

	world->link = kp_link_grpc.open(&config, &err);
	kp_assert(world->link != NULL);
	kp_link_grpc.settle(world->link, held, NULL);
}

static void
pause_shortly(void)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	(void)nanosleep(&pause, NULL);
}

const Kproxy__Control__V1__SyncRequest *
kp_test_sync_heard(struct kp_test_sync *world, size_t index)
{
	const Kproxy__Control__V1__SyncRequest *request = NULL;
	int64_t deadline_ms = kp_test_in(PATIENCE_MS);

	while (request == NULL) {
		kp_mutex_lock(&world->lock);
		if (index < world->num_heard)
			request = world->heard[index];
		kp_mutex_unlock(&world->lock);
		kp_assert(kp_now_ms() < deadline_ms);
		pause_shortly();
	}
	return request;
}

/* The stream with a reference of the caller's own; NULL without. */
static struct kp_rpc_call *
stream_of(struct kp_test_sync *world)
{
	struct kp_rpc_call *call;

	kp_mutex_lock(&world->lock);
	call = world->stream;
	if (call != NULL)
		call = kp_rpc_call_ref(call);
	kp_mutex_unlock(&world->lock);
	return call;
}

bool
kp_test_sync_say(struct kp_test_sync *world, const ProtobufCMessage *message)
{
	struct kp_rpc_call *call = stream_of(world);
	struct kp_rpc_packet *packet;
	struct kp_error err;
	bool is_sent;

	if (call == NULL)
		return false;
	packet = kp_rpc_packet_new(message, KP_API_MAX_PUSH, &err);
	kp_assert(packet != NULL);
	is_sent = kp_rpc_call_send(call, packet, &err);
	kp_rpc_packet_unref(packet);
	kp_rpc_call_unref(call);
	return is_sent;
}

void
kp_test_sync_push(struct kp_test_sync *world, struct kp_test_push *push)
{
	Kproxy__Control__V1__SyncResponse response;

	kproxy__control__v1__sync_response__init(&response);
	response.body_case = KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_PUSH;
	response.push = &push->message;
	kp_assert(kp_test_sync_say(world, &response.base));
}

size_t
kp_test_sync_num_queued(struct kp_test_sync *world)
{
	struct kp_rpc_call *call = stream_of(world);
	size_t num = 0;

	if (call != NULL) {
		num = kp_rpc_call_num_queued(call);
		kp_rpc_call_unref(call);
	}
	return num;
}

void
kp_test_sync_end(struct kp_test_sync *world, enum kp_rpc_code code)
{
	struct kp_rpc_call *call = stream_of(world);

	kp_assert(call != NULL);
	kp_rpc_call_end(call, code, "the test says so");
	kp_rpc_call_unref(call);
}

void
kp_test_sync_offer(struct kp_test_sync *world, struct kp_link_offer *out)
{
	struct pollfd item = { .fd = kp_link_grpc.fd(world->link),
		.events = POLLIN };
	int64_t deadline_ms = kp_test_in(PATIENCE_MS);

	while (!kp_link_grpc.take(world->link, out)) {
		kp_assert(kp_now_ms() < deadline_ms);
		(void)poll(&item, 1, 100);
	}
}

struct kp_held *
kp_test_sync_accept(struct kp_test_sync *world)
{
	struct kp_link_offer offer;
	struct kp_held *held;

	kp_test_sync_offer(world, &offer);
	kp_assert(offer.held != NULL);
	held = kp_held_ref(offer.held);
	kp_link_grpc.settle(world->link, held, NULL);
	kp_link_offer_fini(&offer);
	return held;
}

void
kp_test_sync_connected(struct kp_test_sync *world, bool is_connected)
{
	int64_t deadline_ms = kp_test_in(PATIENCE_MS);
	struct kp_link_state state = { .is_connected = !is_connected };

	while (state.is_connected != is_connected) {
		kp_assert(kp_now_ms() < deadline_ms);
		kp_link_grpc.state(world->link, &state);
		pause_shortly();
	}
}
