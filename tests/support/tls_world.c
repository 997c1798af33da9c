/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/tls_world.h"

static char listener_name[] = "public", cluster_name[] = "prod";

const struct kp_test_cert kp_test_broker = { .common_name = "broker",
	.names = "DNS:b.example,DNS:*.wild.example,IP:127.0.0.1,IP:::1" };

void
kp_test_world_init(struct kp_test_world *out, const struct kp_test_cert *cert)
{
	*out = (struct kp_test_world){ .ca = kp_test_ca_new("Test CA"),
		.other_ca = kp_test_ca_new("Other CA"),
		.tickets = kp_tls_tickets_new() };
	kp_test_issue(&out->pair, out->ca, cert);
	out->listener = (struct kp_tables_listener){ .name = listener_name,
		.has_tls = true,
		.certificates = &out->pair,
		.num_certificates = 1,
		.client_ca_pem = kp_test_ca_pem(out->ca) };
	out->cluster = (struct kp_tables_cluster){ .name = cluster_name,
		.has_tls = true,
		.is_hostname_verified = true,
		.ca_pem = kp_test_ca_pem(out->ca) };
}

void
kp_test_world_start_server(struct kp_test_world *world)
{
	kp_tls_server_unref(world->server);
	world->server =
	    kp_tls_server_new(&world->listener, world->tickets, &world->err);
	kp_assert(world->server != NULL);
}

void
kp_test_world_start(struct kp_test_world *world)
{
	kp_test_world_start_server(world);
	kp_tls_client_unref(world->client);
	world->client = kp_tls_client_new(&world->cluster, &world->err);
	kp_assert(world->client != NULL);
}

void
kp_test_world_fini(struct kp_test_world *world)
{
	kp_tls_server_unref(world->server);
	kp_tls_client_unref(world->client);
	kp_tls_tickets_unref(world->tickets);
	kp_test_key_pair_fini(&world->pair);
	kp_test_key_pair_fini(&world->client_pair);
	kp_test_ca_free(world->ca);
	kp_test_ca_free(world->other_ca);
}
