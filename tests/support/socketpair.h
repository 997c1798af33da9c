/* SPDX-License-Identifier: Apache-2.0 */
/* Connected sockets for tests. A failure ends the test. */
#ifndef KP_TESTS_SUPPORT_SOCKETPAIR_H
#define KP_TESTS_SUPPORT_SOCKETPAIR_H

#include "proxy/net/address.h"

/* Two ends of a local stream. */
void kp_test_socketpair(int out[2]);

/* Two ends of a TCP connection over loopback; buffers of buffer_len, 0: usual.
 */
void kp_test_tcp_pair(int out[2], int buffer_len);

/* A listening socket on a free port of 127.0.0.1, and where it is. */
int kp_test_listen(struct kp_address *out);

/* An address of 127.0.0.1 at which nobody listens, for good: it stays taken. */
void kp_test_dead_address(struct kp_address *out);

#endif
