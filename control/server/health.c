/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/health.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "control/rpc/packet.h"

#define MAX_ANSWER 64
/* How often it is looked whether all were told. */
#define LOOK_MS 10

typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus serving_status;

struct watch {
	struct kp_rpc_call *call; /* with a reference */
	struct watch *prev, *next;
	bool is_known; /* the service that it asks for */
};

struct kp_health {
	struct kp_mutex lock; /* guards what follows */
	struct kp_cond changed;
	bool is_serving;
	struct watch *list;
	size_t num;
};

struct kp_health *
kp_health_new(void)
{
	struct kp_health *health = kp_alloc(1, sizeof(*health));

	kp_mutex_init(&health->lock, KP_RANK_WATCHES);
	kp_cond_init(&health->changed);
	health->is_serving = true;
	return health;
}

void
kp_health_free(struct kp_health *health)
{
	if (health == NULL)
		return;
	kp_assert(health->list == NULL);
	kp_cond_fini(&health->changed);
	kp_mutex_fini(&health->lock);
	free(health);
}

static struct kp_health *
health_of(const struct kp_rpc_call *call)
{
	const struct kp_services *services = kp_rpc_call_owner(call);

	return services->health;
}

static bool
is_known(const char *service)
{
	static const char *const services[] = { "",
		"kproxy.control.v1.Resources", "kproxy.control.v1.Nodes",
		"grpc.health.v1.Health" };

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		if (strcmp(services[i], service) == 0)
			return true;
	}
	return false;
}

static serving_status
status_locked(const struct kp_health *health)
{
	return health->is_serving
		   ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
		   : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
}

static void
check(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Grpc__Health__V1__HealthCheckRequest *request =
	    (const Grpc__Health__V1__HealthCheckRequest *)message;
	struct kp_health *health = health_of(call);
	Grpc__Health__V1__HealthCheckResponse answer;

	if (!is_known(request->service)) {
		kp_rpc_call_end(call, KP_RPC_NOT_FOUND,
		    "there is no service \"%.80s\"", request->service);
		return;
	}
	grpc__health__v1__health_check_response__init(&answer);
	kp_mutex_lock(&health->lock);
	answer.status = status_locked(health);
	kp_mutex_unlock(&health->lock);
	kp_rpc_call_reply(call, &answer.base);
}

/* Under the lock, so that what is told last is what is. */
static void
tell_locked(const struct kp_health *health, const struct watch *watch)
{
	Grpc__Health__V1__HealthCheckResponse answer;
	struct kp_rpc_packet *packet;
	struct kp_error err;

	grpc__health__v1__health_check_response__init(&answer);
	answer.status =
	    watch->is_known
		? status_locked(health)
		: GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN;
	packet = kp_rpc_packet_new(&answer.base, MAX_ANSWER, &err);
	kp_assert(packet != NULL);
	if (!kp_rpc_call_send(watch->call, packet, &err))
		kp_rpc_call_end(
		    watch->call, KP_RPC_RESOURCE_EXHAUSTED, "%s", err.text);
	kp_rpc_packet_unref(packet);
}

static void
watch_message(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Grpc__Health__V1__HealthCheckRequest *request =
	    (const Grpc__Health__V1__HealthCheckRequest *)message;
	struct kp_health *health = health_of(call);
	struct watch *watch;
	bool has_room;

	if (kp_rpc_call_data(call) != NULL) {
		kp_rpc_call_end(
		    call, KP_RPC_INVALID_ARGUMENT, "a watch has one request");
		return;
	}
	watch = kp_alloc(1, sizeof(*watch));
	watch->call = kp_rpc_call_ref(call);
	watch->is_known = is_known(request->service);
	kp_mutex_lock(&health->lock);
	has_room = health->num < KP_HEALTH_MAX_WATCHES;
	if (has_room) {
		watch->next = health->list;
		if (watch->next != NULL)
			watch->next->prev = watch;
		health->list = watch;
		health->num++;
		tell_locked(health, watch);
	}
	kp_mutex_unlock(&health->lock);
	if (has_room) {
		kp_rpc_call_set_data(call, watch);
		return;
	}
	kp_rpc_call_end(call, KP_RPC_RESOURCE_EXHAUSTED, "too many watches");
	kp_rpc_call_unref(call);
	free(watch);
}

static void
watch_closed(struct kp_rpc_call *call)
{
	struct kp_health *health = health_of(call);
	struct watch *watch = kp_rpc_call_data(call);

	if (watch == NULL)
		return;
	kp_mutex_lock(&health->lock);
	if (watch->prev != NULL)
		watch->prev->next = watch->next;
	else
		health->list = watch->next;
	if (watch->next != NULL)
		watch->next->prev = watch->prev;
	health->num--;
	kp_mutex_unlock(&health->lock);
	kp_rpc_call_unref(call);
	free(watch);
}

const struct kp_service_method kp_health_methods[] = {
	{ &kp_api_health_check, KP_ROLE_ANYBODY, { .request = check } },
	{ &kp_api_health_watch, KP_ROLE_ANYBODY,
	    { .message = watch_message, .closed = watch_closed } },
	{ .method = NULL },
};

void
kp_health_set(struct kp_health *health, bool is_serving)
{
	kp_mutex_lock(&health->lock);
	if (health->is_serving != is_serving) {
		health->is_serving = is_serving;
		for (struct watch *w = health->list; w != NULL; w = w->next)
			tell_locked(health, w);
	}
	kp_mutex_unlock(&health->lock);
}

static bool
are_told_locked(const struct kp_health *health)
{
	for (struct watch *w = health->list; w != NULL; w = w->next) {
		if (kp_rpc_call_num_queued(w->call) > 0 &&
		    !kp_rpc_call_is_over(w->call))
			return false;
	}
	return true;
}

void
kp_health_flush(struct kp_health *health, int64_t deadline_ms)
{
	kp_mutex_lock(&health->lock);
	while (!are_told_locked(health) && kp_now_ms() < deadline_ms)
		(void)kp_cond_wait(
		    &health->changed, &health->lock, kp_now_ms() + LOOK_MS);
	kp_mutex_unlock(&health->lock);
}
