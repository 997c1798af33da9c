/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS half of a stream, called by stream.c when there is TLS. */
#ifndef KP_PROXY_NET_STREAM_PRIV_H
#define KP_PROXY_NET_STREAM_PRIV_H

#include "proxy/net/stream.h"

enum kp_io kp_stream_tls_handshake(
    struct kp_stream *s, struct kp_error *err) KP_MUST_CHECK;
enum kp_io kp_stream_tls_read(struct kp_stream *s, void *buf, size_t len,
    size_t *out_n, struct kp_error *err) KP_MUST_CHECK;
enum kp_io kp_stream_tls_writev(struct kp_stream *s, const struct iovec *iov,
    size_t num_iov, size_t *out_n, struct kp_error *err) KP_MUST_CHECK;
void kp_stream_tls_fini(struct kp_stream *s);

/* kp_stream_io_error describes errno of a socket: reset and broken are closed.
 */
enum kp_io kp_stream_io_error(struct kp_error *err, int reason);

#endif
