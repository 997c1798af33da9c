/* SPDX-License-Identifier: Apache-2.0 */
/* Start and end of a server, and the threads that poll. */
#include "control/rpc/server.h"

#include <signal.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "control/rpc/accept_priv.h"
#include "control/rpc/call_priv.h"
#include "proto/control/unpack.h"

/* How often an end that takes long is told to the log. */
#define PATIENCE_MS 5000

static void
on_down(void *object, bool is_good)
{
	struct kp_rpc_server *server = object;

	(void)is_good;
	kp_mutex_lock(&server->lock);
	server->is_down = true;
	kp_cond_broadcast(&server->changed);
	kp_mutex_unlock(&server->lock);
}

static void *
poll_queue(void *arg)
{
	struct kp_rpc_server *server = arg;
	int64_t tick_ms = kp_now_ms() + KP_RPC_TICK_MS;

	for (;;) {
		grpc_event event = grpc_completion_queue_next(
		    server->queue, kp_rpc_core_time(tick_ms), NULL);

		if (event.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		if (event.type == GRPC_OP_COMPLETE) {
			struct kp_rpc_tag *tag = event.tag;

			kp_rpc_tag_came(tag);
			tag->run(tag->object, event.success != 0);
		}
		if (kp_now_ms() < tick_ms)
			continue;
		kp_rpc_server_expire(server);
		tick_ms = kp_now_ms() + KP_RPC_TICK_MS;
	}
}

static void
check_endpoint(const struct kp_rpc_endpoint *endpoint)
{
	const struct kp_rpc_method *method = endpoint->method;

	kp_assert(method->max_request_len <= KP_RPC_MAX_MESSAGE);
	kp_assert(method->max_response_len <= KP_RPC_MAX_MESSAGE);
	kp_assert(kp_is_depth_bounded(method->request));
	if (method->kind == KP_RPC_UNARY)
		kp_assert(endpoint->handlers.request != NULL);
	else
		kp_assert(endpoint->handlers.message != NULL);
}

static struct kp_rpc_server *
server_new(const struct kp_rpc_server_config *config)
{
	struct kp_rpc_server *server = kp_alloc(1, sizeof(*server));

	kp_assert(config->num_addresses > 0 && config->num_endpoints > 0);
	for (size_t i = 0; i < config->num_endpoints; i++)
		check_endpoint(&config->endpoints[i]);
	server->limits = config->limits;
	server->endpoints = config->endpoints;
	server->num_endpoints = config->num_endpoints;
	server->refused = config->refused;
	server->owner = config->owner;
	server->num_ports = config->num_addresses;
	server->ports = kp_alloc(server->num_ports, sizeof(*server->ports));
	server->registered =
	    kp_alloc(server->num_endpoints, sizeof(*server->registered));
	server->generation = 1;
	kp_rpc_pem_init(&server->pem, &config->identity);
	kp_mutex_init(&server->lock, KP_RANK_RPC_SERVER);
	kp_cond_init(&server->changed);
	return server;
}

static void
make_server(struct kp_rpc_server *server)
{
	struct kp_rpc_args args = { .num = 0 };
	grpc_resource_quota *quota = grpc_resource_quota_create("kp_rpc");
	grpc_arg *arg = &args.list[args.num++];
	char key[] = GRPC_ARG_RESOURCE_QUOTA;
	grpc_channel_args list;

	grpc_resource_quota_resize(quota, server->limits.memory);
	arg->type = GRPC_ARG_POINTER;
	arg->key = key;
	arg->value.pointer.p = quota;
	arg->value.pointer.vtable = grpc_resource_quota_arg_vtable();
	kp_rpc_server_args(&args, server);
	list = (grpc_channel_args){ args.num, args.list };
	server->server = grpc_server_create(&list, NULL);
	grpc_resource_quota_unref(quota);
	server->queue = grpc_completion_queue_create_for_next(NULL);
	grpc_server_register_completion_queue(
	    server->server, server->queue, NULL);
	for (size_t i = 0; i < server->num_endpoints; i++)
		server->registered[i] = grpc_server_register_method(
		    server->server, server->endpoints[i].method->name, NULL,
		    GRPC_SRM_PAYLOAD_NONE, 0);
	for (size_t i = 0; i < server->num_endpoints; i++)
		kp_assert(server->registered[i] != NULL); /* names are unique */
}

static void
start_pollers(struct kp_rpc_server *server)
{
	sigset_t all, before;

	(void)sigfillset(&all);
	kp_must(pthread_sigmask(SIG_SETMASK, &all, &before));
	for (unsigned i = 0; i < KP_RPC_NUM_POLLERS; i++)
		kp_must(pthread_create(
		    &server->pollers[i], NULL, poll_queue, server));
	kp_must(pthread_sigmask(SIG_SETMASK, &before, NULL));
}

struct kp_rpc_server *
kp_rpc_server_new(
    const struct kp_rpc_server_config *config, struct kp_error *err)
{
	struct kp_rpc_server *server;

	if (!kp_rpc_identity_check(&config->identity, err))
		return NULL;
	kp_rpc_accept_guard();
	kp_rpc_core_acquire();
	server = server_new(config);
	make_server(server);
	server->handlers = kp_rpc_pool_new(server->limits.threads);
	server->writer = kp_rpc_pool_new(1);
	start_pollers(server);
	if (!kp_rpc_server_add_ports(server, config->addresses, err)) {
		kp_rpc_server_free(server, 0);
		return NULL;
	}
	grpc_server_start(server->server);
	kp_rpc_call_arm(server, NULL);
	for (size_t i = 0; i < server->num_endpoints; i++)
		kp_rpc_call_arm(server, &server->endpoints[i]);
	return server;
}

/* Unary calls may go on for a while. */
static void
wait_for_calls(struct kp_rpc_server *server, int64_t grace_ms)
{
	int64_t deadline_ms = kp_now_ms() + grace_ms;

	kp_mutex_lock(&server->lock);
	while (server->num_calls > 0 && kp_now_ms() < deadline_ms)
		(void)kp_cond_wait(
		    &server->changed, &server->lock, deadline_ms);
	kp_mutex_unlock(&server->lock);
}

static bool
is_empty_locked(const struct kp_rpc_server *server)
{
	return server->num_objects == 0 && server->is_down;
}

static void
wait_for_objects(struct kp_rpc_server *server)
{
	size_t left = 1;

	while (left > 0) {
		int64_t deadline_ms = kp_now_ms() + PATIENCE_MS;

		kp_mutex_lock(&server->lock);
		while (!is_empty_locked(server) && kp_now_ms() < deadline_ms)
			(void)kp_cond_wait(
			    &server->changed, &server->lock, deadline_ms);
		left = server->num_objects + !server->is_down;
		kp_mutex_unlock(&server->lock);
		if (left > 0)
			kp_log(KP_LOG_WARN, "rpc_stop_takes_long",
			    KP_INT("left", left));
	}
}

static void
server_free(struct kp_rpc_server *server)
{
	kp_rpc_pool_free(server->writer);
	kp_rpc_pool_free(server->handlers);
	kp_cond_fini(&server->changed);
	kp_mutex_fini(&server->lock);
	kp_rpc_pem_fini(&server->pem);
	free(server->ports);
	free(server->registered);
	free(server);
}

/*
 * gRPC ends the server, not its streams: those are finished by us, and what
 * does not end in time is cut off. Its queue may go when nothing can come any
 * more.
 */
void
kp_rpc_server_free(struct kp_rpc_server *server, int64_t grace_ms)
{
	struct kp_rpc_tag down = { on_down, server };

	if (server == NULL)
		return;
	kp_mutex_lock(&server->lock);
	server->is_stopping = true;
	kp_mutex_unlock(&server->lock);
	kp_rpc_tag_sent(&down);
	grpc_server_shutdown_and_notify(server->server, server->queue, &down);
	kp_rpc_server_end_streams(server);
	wait_for_calls(server, grace_ms);
	grpc_server_cancel_all_calls(server->server);
	wait_for_objects(server);
	grpc_completion_queue_shutdown(server->queue);
	for (unsigned i = 0; i < KP_RPC_NUM_POLLERS; i++)
		kp_must(pthread_join(server->pollers[i], NULL));
	grpc_server_destroy(server->server);
	grpc_completion_queue_destroy(server->queue);
	server_free(server);
	kp_rpc_core_release();
}
