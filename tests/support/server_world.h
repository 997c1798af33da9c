/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole policy server in this process, on loopback, over a store in SQLite:
 * all services behind the guard. "ada" is an administrator, "edge-1" is a node.
 * A failure ends the test.
 */
#ifndef KP_TESTS_SUPPORT_SERVER_WORLD_H
#define KP_TESTS_SUPPORT_SERVER_WORLD_H

#include "base/metrics.h"
#include "control/rpc/channel.h"
#include "control/rpc/server.h"
#include "control/server/audit.h"
#include "control/server/desk.h"
#include "control/server/guard.h"
#include "control/server/service.h"
#include "tests/support/certs.h"
#include "tests/support/folder.h"

struct kp_test_server {
	char folder[KP_TEST_PATH_LEN];
	struct kp_store *store;
	struct kp_audit *audit;
	struct kp_metrics *metrics;
	struct kp_services services;
	struct kp_test_ca *ca;
	struct kp_key_pair server_pair, ada_pair, edge_pair;
	struct kp_rpc_server *server;
	char address[64];
	struct kp_rpc_channel *ada, *edge;
};

/* For whatever must come, on a busy machine too. */
#define KP_TEST_SERVER_PATIENCE_MS 60000

/* kp_test_server_call is a call by ada; true if it was answered OK. */
bool kp_test_server_call(struct kp_test_server *world,
    const struct kp_rpc_method *method, const ProtobufCMessage *request,
    struct kp_rpc_result *out);

/* kp_test_server_apply applies a file's text by ada; true if it was. */
bool kp_test_server_apply(struct kp_test_server *world, const char *text);

void kp_test_server_start(struct kp_test_server *out);
void kp_test_server_stop(struct kp_test_server *world);

#endif
