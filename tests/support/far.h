/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The far end of a connection, a client or a broker, as a test wants it: what
 * it is to send goes out as far as that works, what comes is collected. Nothing
 * blocks. @thread connection
 */
#ifndef KP_TESTS_SUPPORT_FAR_H
#define KP_TESTS_SUPPORT_FAR_H

#include "base/bytes.h"
#include "proxy/net/stream.h"

/* Neither what is sent nor what is received may be longer. */
#define KP_FAR_MAX_LEN ((size_t)16 << 20)

struct kp_far {
	struct kp_stream stream;
	bool is_connected; /* has a stream */
	bool is_greeted;   /* … and its handshake is done */
	bool is_deaf;      /* takes nothing from the socket */
	bool has_ended;    /* nothing comes or goes any more; err */
	struct kp_buf to_send;
	size_t sent_len;
	struct kp_buf received;
	struct kp_error err;
};

void kp_far_init(struct kp_far *far);
void kp_far_fini(struct kp_far *far);
/* kp_far_reset makes it as new, but keeps the memory of its buffers. */
void kp_far_reset(struct kp_far *far);

/* kp_far_connect takes over fd; server or client: TLS, NULL both: plain. */
void kp_far_connect(struct kp_far *far, int fd, struct kp_tls_server *server,
    struct kp_tls_client *client);

/* kp_far_send puts bytes behind what is still to be sent. */
void kp_far_send(struct kp_far *far, struct kp_bytes bytes);

/* kp_far_pump does all that works now; false if that was nothing. */
bool kp_far_pump(struct kp_far *far);

/* kp_far_heard is what was received, from pos on; until more is received. */
struct kp_bytes kp_far_heard(const struct kp_far *far, size_t pos);

/* kp_far_close hangs up; what was received stays. */
void kp_far_close(struct kp_far *far);

#endif
