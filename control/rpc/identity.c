/* SPDX-License-Identifier: Apache-2.0 */
#include "control/rpc/identity.h"

#include <stdlib.h>

#include <grpc/grpc_security.h>

#include "base/alloc.h"
#include "control/rpc/core_priv.h"

/* Where the port of a check is bound; nobody can connect before it is gone. */
#define SCRATCH_ADDRESS "127.0.0.1:0"

static char *
text_of(struct kp_bytes pem)
{
	return kp_strndup(
	    pem.data == NULL ? "" : (const char *)pem.data, pem.len);
}

void
kp_rpc_pem_init(struct kp_rpc_pem *out, const struct kp_rpc_identity *identity)
{
	out->ca = text_of(identity->ca_pem);
	out->certificate = text_of(identity->certificate_pem);
	out->key = text_of(identity->key_pem);
}

void
kp_rpc_pem_fini(struct kp_rpc_pem *pem)
{
	if (pem->key != NULL)
		explicit_bzero(pem->key, strlen(pem->key));
	free(pem->ca);
	free(pem->certificate);
	free(pem->key);
	*pem = (struct kp_rpc_pem){ NULL, NULL, NULL };
}

/* Without a CA gRPC would trust whom the machine trusts. */
static bool
has_all(const struct kp_rpc_pem *pem, struct kp_error *err)
{
	if (pem->ca[0] == '\0')
		return kp_error_set(err, KP_ERR_TLS, "CA is missing");
	if (pem->certificate[0] == '\0' || pem->key[0] == '\0')
		return kp_error_set(
		    err, KP_ERR_TLS, "certificate or key is missing");
	return true;
}

/* A server is made, and is gone before it has started. */
static bool
can_serve(const struct kp_rpc_pem *pem, struct kp_error *err)
{
	grpc_ssl_pem_key_cert_pair pair = { pem->key, pem->certificate };
	grpc_completion_queue *queue =
	    grpc_completion_queue_create_for_pluck(NULL);
	grpc_server *server = grpc_server_create(NULL, NULL);
	grpc_server_credentials *credentials =
	    grpc_ssl_server_credentials_create_ex(pem->ca, &pair, 1,
		GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY,
		NULL);
	int port;

	grpc_server_register_completion_queue(server, queue, NULL);
	kp_rpc_core_listen_reason();
	port = grpc_server_add_http2_port(server, SCRATCH_ADDRESS, credentials);
	if (port == 0)
		(void)kp_error_set(err, KP_ERR_TLS,
		    "CA, certificate and key do not fit: %s",
		    kp_rpc_core_reason());
	(void)kp_rpc_core_reason();
	grpc_server_credentials_release(credentials);
	grpc_server_shutdown_and_notify(server, queue, NULL);
	(void)grpc_completion_queue_pluck(
	    queue, NULL, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	grpc_server_destroy(server);
	grpc_completion_queue_shutdown(queue);
	(void)grpc_completion_queue_pluck(
	    queue, NULL, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	grpc_completion_queue_destroy(queue);
	return port != 0;
}

bool
kp_rpc_identity_check(
    const struct kp_rpc_identity *identity, struct kp_error *err)
{
	struct kp_rpc_pem pem;
	bool is_good;

	kp_rpc_pem_init(&pem, identity);
	is_good = has_all(&pem, err);
	if (is_good) {
		kp_rpc_core_acquire();
		is_good = can_serve(&pem, err);
		kp_rpc_core_release();
	}
	kp_rpc_pem_fini(&pem);
	return is_good;
}
