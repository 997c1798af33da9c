/* SPDX-License-Identifier: Apache-2.0 */
/* Two streams that talk to each other within one thread. */
#ifndef KP_TESTS_SUPPORT_STREAMS_H
#define KP_TESTS_SUPPORT_STREAMS_H

#include "base/bytes.h"
#include "proxy/net/stream.h"
#include "proxy/net/tls.h"

struct kp_test_streams {
	struct kp_stream client, server;
	struct kp_error client_err, server_err;
};

/*
 * kp_test_plain and kp_test_tls connect both ends, kp_test_tls_on uses sockets
 * that are connected; nothing is sent yet.
 */
void kp_test_plain(struct kp_test_streams *out);
void kp_test_tls_on(struct kp_test_streams *out, const int fds[2],
    struct kp_tls_server *server, struct kp_tls_client *client);
void kp_test_tls(struct kp_test_streams *out, struct kp_tls_server *server,
    struct kp_tls_client *client, const char *server_name);
void kp_test_streams_fini(struct kp_test_streams *streams);

/*
 * kp_test_handshake goes on until both ends are done, or one of them fails and
 * the other has heard of it. True if both are done.
 */
bool kp_test_handshake(struct kp_test_streams *streams);

/* Sends text from one end and expects it, to the byte, at the other. */
bool kp_test_say(
    struct kp_stream *from, struct kp_stream *to, const char *text);

#endif
