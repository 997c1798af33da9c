/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listener with one certificate, a cluster that trusts it, and the contexts
 * made of both. A test changes the configuration and starts it again.
 */
#ifndef KP_TESTS_SUPPORT_TLS_WORLD_H
#define KP_TESTS_SUPPORT_TLS_WORLD_H

#include "proxy/net/tls.h"
#include "tests/support/certs.h"

struct kp_test_world {
	struct kp_test_ca *ca, *other_ca; /* the listener's; of nobody */
	struct kp_key_pair pair, client_pair;
	struct kp_tables_listener listener;
	struct kp_tables_cluster cluster;
	struct kp_tls_tickets *tickets;
	struct kp_tls_server *server;
	struct kp_tls_client *client;
	struct kp_error err;
};

/* For b.example, *.wild.example, 127.0.0.1 and ::1. */
extern const struct kp_test_cert kp_test_broker;

void kp_test_world_init(
    struct kp_test_world *out, const struct kp_test_cert *cert);

/* kp_test_world_start makes the contexts anew; a failure ends the test. */
void kp_test_world_start(struct kp_test_world *world);
void kp_test_world_start_server(struct kp_test_world *world);
void kp_test_world_fini(struct kp_test_world *world);

#endif
