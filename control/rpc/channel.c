/* SPDX-License-Identifier: Apache-2.0 */
#include "control/rpc/channel.h"

#include <stdlib.h>

#include <grpc/grpc_security.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/rpc/channel_priv.h"

#define KEEPALIVE_MS 30000
#define KEEPALIVE_TIMEOUT_MS 20000
#define MAX_METADATA_LEN (16u << 10)
/* Bytes that a peer may send on one stream before we read: what one message
 * holds beyond that is asked for by itself. */
#define WINDOW_LEN (1u << 20)

static void
fill_args(struct kp_rpc_args *args, const struct kp_rpc_channel *channel)
{
	kp_rpc_args_common(args);
	if (channel->server_name != NULL)
		kp_rpc_args_text(args, GRPC_SSL_TARGET_NAME_OVERRIDE_ARG,
		    channel->server_name);
	kp_rpc_args_int(
	    args, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, KP_RPC_MAX_MESSAGE);
	kp_rpc_args_int(args, GRPC_ARG_MAX_METADATA_SIZE, MAX_METADATA_LEN);
	/* by itself gRPC lets the peer send more the faster it does, and keeps
	 * as much memory until it hears from it again */
	kp_rpc_args_int(args, GRPC_ARG_HTTP2_BDP_PROBE, 0);
	kp_rpc_args_int(
	    args, GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, WINDOW_LEN);
	kp_rpc_args_int(
	    args, GRPC_ARG_KEEPALIVE_TIME_MS, channel->keepalive_ms);
	kp_rpc_args_int(
	    args, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, channel->keepalive_timeout_ms);
	/* as many pings as it takes while a stream has nothing to say */
	kp_rpc_args_int(args, GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
}

static grpc_channel_credentials *
make_credentials(const struct kp_rpc_channel *channel)
{
	grpc_ssl_pem_key_cert_pair pair = { channel->pem.key,
		channel->pem.certificate };

	if (channel->is_in_the_clear)
		return grpc_insecure_credentials_create();
	return grpc_ssl_credentials_create_ex(
	    channel->pem.ca, &pair, NULL, NULL);
}

void
kp_rpc_channel_renew_locked(struct kp_rpc_channel *channel)
{
	grpc_channel_credentials *credentials = make_credentials(channel);
	struct kp_rpc_args args = { .num = 0 };
	grpc_channel_args list;

	fill_args(&args, channel);
	list = (grpc_channel_args){ args.num, args.list };
	if (channel->channel != NULL)
		grpc_channel_destroy(channel->channel);
	channel->channel = grpc_channel_create(
	    channel->addresses[channel->current], credentials, &list);
	grpc_channel_credentials_release(credentials);
}

struct kp_rpc_channel *
kp_rpc_channel_new(
    const struct kp_rpc_channel_config *config, struct kp_error *err)
{
	struct kp_rpc_channel *channel;

	kp_assert(config->num_addresses > 0 &&
		  config->num_addresses <= KP_RPC_MAX_ADDRESSES);
	if (!config->is_insecure_in_the_clear &&
	    !kp_rpc_identity_check(&config->identity, err))
		return NULL;
	kp_rpc_core_acquire();
	channel = kp_alloc(1, sizeof(*channel));
	channel->is_in_the_clear = config->is_insecure_in_the_clear;
	channel->num_addresses = config->num_addresses;
	for (size_t i = 0; i < config->num_addresses; i++)
		channel->addresses[i] = kp_strdup(config->addresses[i]);
	if (config->server_name != NULL && !channel->is_in_the_clear)
		channel->server_name = kp_strdup(config->server_name);
	channel->keepalive_ms =
	    config->keepalive_ms > 0 ? config->keepalive_ms : KEEPALIVE_MS;
	channel->keepalive_timeout_ms = config->keepalive_timeout_ms > 0
					    ? config->keepalive_timeout_ms
					    : KEEPALIVE_TIMEOUT_MS;
	kp_rpc_pem_init(&channel->pem, &config->identity);
	kp_mutex_init(&channel->lock, KP_RANK_RPC_SERVER);
	kp_mutex_lock(&channel->lock);
	kp_rpc_channel_renew_locked(channel);
	kp_mutex_unlock(&channel->lock);
	return channel;
}

void
kp_rpc_channel_free(struct kp_rpc_channel *channel)
{
	if (channel == NULL)
		return;
	grpc_channel_destroy(channel->channel);
	kp_mutex_fini(&channel->lock);
	kp_rpc_pem_fini(&channel->pem);
	for (size_t i = 0; i < channel->num_addresses; i++)
		free(channel->addresses[i]);
	free(channel->server_name);
	free(channel);
	kp_rpc_core_release();
}

const char *
kp_rpc_channel_address(struct kp_rpc_channel *channel)
{
	size_t current;

	kp_mutex_lock(&channel->lock);
	current = channel->current;
	kp_mutex_unlock(&channel->lock);
	return channel->addresses[current];
}

bool
kp_rpc_channel_reload(struct kp_rpc_channel *channel,
    const struct kp_rpc_identity *identity, struct kp_error *err)
{
	struct kp_rpc_pem pem, old;

	kp_assert(!channel->is_in_the_clear);
	if (!kp_rpc_identity_check(identity, err))
		return false;
	kp_rpc_pem_init(&pem, identity);
	kp_mutex_lock(&channel->lock);
	old = channel->pem;
	channel->pem = pem;
	kp_rpc_channel_renew_locked(channel);
	kp_mutex_unlock(&channel->lock);
	kp_rpc_pem_fini(&old);
	return true;
}

grpc_call *
kp_rpc_channel_begin(struct kp_rpc_channel *channel,
    const struct kp_rpc_method *method, grpc_completion_queue *queue,
    int64_t deadline_ms)
{
	grpc_slice name = grpc_slice_from_static_string(method->name);
	grpc_call *call;

	kp_mutex_lock(&channel->lock);
	call = grpc_channel_create_call(channel->channel, NULL,
	    GRPC_PROPAGATE_DEFAULTS, queue, name, NULL,
	    kp_rpc_core_time(deadline_ms), NULL);
	kp_mutex_unlock(&channel->lock);
	return call;
}
