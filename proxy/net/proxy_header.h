/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PROXY protocol, versions 1 and 2, with which a load balancer in front of
 * us says who the client is. Strict: whatever is not exactly a header is
 * refused. https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
 * @thread any
 */
#ifndef KP_PROXY_NET_PROXY_HEADER_H
#define KP_PROXY_NET_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/error.h"
#include "proxy/net/address.h"

/* Longest header, of version 2 with its TLVs. */
#define KP_PROXY_HEADER_MAX 4096u

enum kp_proxy_result {
	KP_PROXY_NEED_MORE, /* num_missing more bytes, then parse from the start
			     */
	KP_PROXY_DONE,
	KP_PROXY_FAILED, /* err, KP_ERR_PROTOCOL */
};

struct kp_proxy_header {
	size_t used;        /* length of the header */
	size_t num_missing; /* that many more bytes belong to it for sure */
	bool has_source; /* false: LOCAL or UNKNOWN, the socket's peer counts */
	struct kp_address source;
};

/*
 * kp_proxy_header_parse looks at all bytes received so far. Whoever receives no
 * more than num_missing bytes at a time never takes a byte that belongs to what
 * follows the header, such as TLS. Start with an empty in.
 */
enum kp_proxy_result kp_proxy_header_parse(struct kp_proxy_header *out,
    struct kp_bytes in, struct kp_error *err) KP_MUST_CHECK;

#endif
