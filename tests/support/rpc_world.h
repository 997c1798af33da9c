/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server of control/rpc on loopback with the service of rpc_test.proto, and
 * channels to it. A test changes the configuration and starts it. A failure
 * ends the test.
 */
#ifndef KP_TESTS_SUPPORT_RPC_WORLD_H
#define KP_TESTS_SUPPORT_RPC_WORLD_H

#include <stdatomic.h>

#include "base/mutex.h"
#include "control/rpc/channel.h"
#include "control/rpc/server.h"
#include "control/rpc/stream.h"
#include "tests/support/certs.h"
#include "tests/support/rpc_test.pb-c.h"

/* The longest request and answer of all methods but KP_TEST_ECHO_SHORT. */
#define KP_TEST_MAX_MESSAGE (1u << 20)
#define KP_TEST_SHORT_MESSAGE 1000
/* How long something that must happen may take: machines are shared. */
#define KP_TEST_PATIENCE_MS 60000

/*
 * Echo answers with what the request says. Wait does so once the gate is open,
 * or ends when nobody waits for it any more. Chat answers each message with the
 * same text and a number that counts from 0; "end" ends it with OK.
 */
extern const struct kp_rpc_method kp_test_echo, kp_test_wait, kp_test_chat;
/* Of the server, like Echo, with short messages and a deadline of its own. */
extern const struct kp_rpc_method kp_test_short, kp_test_hasty;
/* Of no server. */
extern const struct kp_rpc_method kp_test_unknown;

struct kp_test_rpc {
	struct kp_test_ca *ca, *other_ca; /* the server's; of nobody */
	struct kp_key_pair server_pair, client_pair;
	struct kp_rpc_server_config config;
	struct kp_rpc_server *server;
	char address[64]; /* once started */
	struct kp_error err;

	atomic_bool is_gate_open;
	atomic_int num_waiting, num_given_up;                         /* Wait */
	atomic_int num_opened, num_half_closed, num_closed, num_sent; /* Chat */
	atomic_int num_messages;
	struct kp_mutex lock;       /* guards stream */
	struct kp_rpc_call *stream; /* the last one, NULL once closed */
};

void kp_test_rpc_init(struct kp_test_rpc *out);
void kp_test_rpc_start(struct kp_test_rpc *world);
void kp_test_rpc_stop(struct kp_test_rpc *world, int64_t grace_ms);
void kp_test_rpc_fini(struct kp_test_rpc *world);

/* Borrowed from pair and ca. */
struct kp_rpc_identity kp_test_identity(
    const struct kp_test_ca *ca, const struct kp_key_pair *pair);

/* kp_test_rpc_channel is a channel to the server as the client of the world. */
struct kp_rpc_channel *kp_test_rpc_channel(struct kp_test_rpc *world);
/* The same as somebody else. */
struct kp_rpc_channel *kp_test_rpc_channel_as(
    struct kp_test_rpc *world, const struct kp_rpc_identity *identity);

/* One call of Echo or the like with that text and a deadline of ten seconds. */
bool kp_test_rpc_ask(struct kp_rpc_channel *channel,
    const struct kp_rpc_method *method, struct kp_rpc_result *out,
    const char *text);

/* kp_test_rpc_stream is the server's end of the last stream, with a reference
 * of the caller's own; NULL if it was closed. */
struct kp_rpc_call *kp_test_rpc_stream(struct kp_test_rpc *world);

/* Waits until counter is at least wanted; false after ten seconds. */
bool kp_test_reaches(atomic_int *counter, int wanted) KP_MUST_CHECK;

/* In ms from now, as a deadline. */
int64_t kp_test_in(int64_t ms);

#endif
