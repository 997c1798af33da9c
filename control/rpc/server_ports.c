/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, certificates and settings of a server. */
#include <stdlib.h>

#include "base/alloc.h"
#include "control/rpc/call_priv.h"

void
kp_rpc_limits_default(struct kp_rpc_limits *out)
{
	*out = (struct kp_rpc_limits){
		.calls = 8192,
		.calls_per_connection = 128,
		.metadata_len = 16u << 10,
		.memory = 512u << 20,
		.queued = 64,
		.queued_len = 8u << 20,
		.threads = 8,
		.timeout_ms = 30000,
		.linger_ms = 10000,
		.handshake_timeout_ms = 10000,
		.idle_timeout_ms = 300000,
		.keepalive_ms = 30000,
		.keepalive_timeout_ms = 20000,
		.client_keepalive_ms = 5000,
	};
}

/* gRPC's own limit is the same for all methods; each one's is checked when the
 * message is there. */
static size_t
longest_request(const struct kp_rpc_server *server)
{
	size_t longest = 0;

	for (size_t i = 0; i < server->num_endpoints; i++) {
		size_t len = server->endpoints[i].method->max_request_len;

		longest = len > longest ? len : longest;
	}
	return longest;
}

void
kp_rpc_server_args(struct kp_rpc_args *out, const struct kp_rpc_server *server)
{
	const struct kp_rpc_limits *limits = &server->limits;

	kp_rpc_args_common(out);
	kp_rpc_args_int(out, GRPC_ARG_MAX_CONCURRENT_STREAMS,
	    (int64_t)limits->calls_per_connection);
	kp_rpc_args_int(out, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
	    (int64_t)longest_request(server));
	kp_rpc_args_int(
	    out, GRPC_ARG_MAX_METADATA_SIZE, (int64_t)limits->metadata_len);
	kp_rpc_args_int(out, GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
	    limits->handshake_timeout_ms);
	kp_rpc_args_int(
	    out, GRPC_ARG_MAX_CONNECTION_IDLE_MS, limits->idle_timeout_ms);
	kp_rpc_args_int(out, GRPC_ARG_KEEPALIVE_TIME_MS, limits->keepalive_ms);
	kp_rpc_args_int(
	    out, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, limits->keepalive_timeout_ms);
	kp_rpc_args_int(out, GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
	kp_rpc_args_int(out, GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
	/* else a client that keeps itself alive is sent away */
	kp_rpc_args_int(out,
	    GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
	    limits->client_keepalive_ms);
	/* a second server on the port would share it in silence */
	kp_rpc_args_int(out, GRPC_ARG_ALLOW_REUSEPORT, 0);
}

/* gRPC calls it at the start and before each handshake. */
static grpc_ssl_certificate_config_reload_status
fetch(void *object, grpc_ssl_server_certificate_config **out)
{
	struct kp_rpc_port *port = object;
	struct kp_rpc_server *server = port->server;
	grpc_ssl_pem_key_cert_pair pair;
	bool is_new;

	kp_mutex_lock(&server->lock);
	is_new = atomic_exchange(&port->generation, server->generation) !=
		 server->generation;
	if (is_new) {
		pair.private_key = server->pem.key;
		pair.cert_chain = server->pem.certificate;
		*out = grpc_ssl_server_certificate_config_create(
		    server->pem.ca, &pair, 1);
	}
	kp_mutex_unlock(&server->lock);
	return is_new ? GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW
		      : GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
}

static bool
add_port(struct kp_rpc_port *port, const char *address, struct kp_error *err)
{
	grpc_server_credentials *credentials =
	    grpc_ssl_server_credentials_create_with_options(
		grpc_ssl_server_credentials_create_options_using_config_fetcher(
		    GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY,
		    fetch, port));

	kp_rpc_core_listen_reason();
	port->number = grpc_server_add_http2_port(
	    port->server->server, address, credentials);
	grpc_server_credentials_release(credentials);
	if (port->number == 0)
		return kp_error_set(err, KP_ERR_SYSTEM,
		    "could not listen on \"%s\": %s", address,
		    kp_rpc_core_reason());
	(void)kp_rpc_core_reason();
	return true;
}

bool
kp_rpc_server_add_ports(struct kp_rpc_server *server,
    const char *const *addresses, struct kp_error *err)
{
	for (size_t i = 0; i < server->num_ports; i++) {
		server->ports[i].server = server;
		if (!add_port(&server->ports[i], addresses[i], err))
			return false;
	}
	return true;
}

int
kp_rpc_server_port(const struct kp_rpc_server *server, size_t index)
{
	kp_assert(index < server->num_ports);
	return server->ports[index].number;
}

bool
kp_rpc_server_reload(struct kp_rpc_server *server,
    const struct kp_rpc_identity *identity, struct kp_error *err)
{
	struct kp_rpc_pem pem, old;

	if (!kp_rpc_identity_check(identity, err))
		return false;
	kp_rpc_pem_init(&pem, identity);
	kp_mutex_lock(&server->lock);
	old = server->pem;
	server->pem = pem;
	server->generation++;
	kp_mutex_unlock(&server->lock);
	kp_rpc_pem_fini(&old);
	return true;
}
