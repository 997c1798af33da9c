/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy server as kpctl talks to it: the addresses in turn until one is
 * reached, calls with a deadline, and what goes wrong in words for people, on
 * stderr, with the exit code that belongs to it. @thread main
 */
#ifndef KP_CLI_CONNECTION_H
#define KP_CLI_CONNECTION_H

#include "cli/settings.h"
#include "control/api/methods.h"
#include "control/rpc/channel.h"
#include "control/rpc/stream.h"

/* The zero state is not connected. */
struct kp_connection {
	struct kp_settings settings;
	struct kp_buf ca_pem, certificate_pem, key_pem;
	struct kp_rpc_channel *channel;
	const char *address; /* of the server that was reached, borrowed */
};

/*
 * kp_connection_open reaches a server; says on stderr if none could be:
 * KP_EXIT_NO_SERVER. To be ended with kp_connection_close either way.
 */
enum kp_exit kp_connection_open(
    struct kp_connection *out, const struct kp_args *args);
void kp_connection_close(struct kp_connection *connection);

/* kp_connection_open_until has no other deadline than that (kp_now_ms). */
enum kp_exit kp_connection_open_until(
    struct kp_connection *out, const struct kp_args *args, int64_t deadline_ms);

/* kp_connection_leave hangs up; kp_connection_again comes back. */
void kp_connection_leave(struct kp_connection *connection);

/* kp_connection_again reaches a server once more, where one has been lost. */
bool kp_connection_again(struct kp_connection *connection) KP_MUST_CHECK;

/* kp_connection_deadline is that of a request that begins now. */
int64_t kp_connection_deadline(
    const struct kp_connection *connection, const struct kp_rpc_method *method);

/*
 * kp_connection_ask makes a call. out is to be ended with kp_rpc_result_fini
 * either way; its status is for kp_connection_complain.
 */
bool kp_connection_ask(struct kp_connection *connection,
    const struct kp_rpc_method *method, struct kp_rpc_result *out,
    const ProtobufCMessage *request, int64_t deadline_ms) KP_MUST_CHECK;

/* kp_connection_complain says why a call failed and what can be done. */
enum kp_exit kp_connection_complain(
    const struct kp_connection *connection, const struct kp_rpc_status *status);

/*
 * kp_connection_call is ask and complain, with the deadline of the method.
 * *out is the answer, for kp_unpacked_free, or NULL on failure.
 */
enum kp_exit kp_connection_call(struct kp_connection *connection,
    const struct kp_rpc_method *method, ProtobufCMessage **out,
    const ProtobufCMessage *request);

/*
 * kp_connection_reason turns what control/rpc says about a connection that
 * could not be made into words for people. Borrowed from text, or static.
 */
const char *kp_connection_reason(const char *text);

#endif
