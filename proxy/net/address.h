/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses: IPv4 and IPv6 with a port. Names are not resolved here.
 * @thread any */
#ifndef KP_PROXY_NET_ADDRESS_H
#define KP_PROXY_NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"

/* The zero state is no address. */
struct kp_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} sa;
	socklen_t len;
};

/* "[ffff:...:ffff]:65535" and a NUL. */
#define KP_ADDRESS_TEXT_LEN 56

/* kp_address_parse reads a literal such as "10.0.0.1" or "::1"; no brackets. */
bool kp_address_parse(
    struct kp_address *out, const char *literal, uint16_t port) KP_MUST_CHECK;

/* kp_address_format writes "10.0.0.1:9092" or "[::1]:9092"; "?" if none. */
void kp_address_format(
    const struct kp_address *address, char out[KP_ADDRESS_TEXT_LEN]);

/* The same without the port and brackets, for limits per address. */
void kp_address_format_host(
    const struct kp_address *address, char out[KP_ADDRESS_TEXT_LEN]);

uint16_t kp_address_port(const struct kp_address *address);

/*
 * kp_address_unmap turns ::ffff:10.0.0.1, as a socket that listens on both
 * families shows it, into 10.0.0.1, so that one client has one address.
 */
void kp_address_unmap(struct kp_address *address);

/* Unmapped. */
bool kp_address_of_peer(
    struct kp_address *out, int fd, struct kp_error *err) KP_MUST_CHECK;
bool kp_address_of_local(
    struct kp_address *out, int fd, struct kp_error *err) KP_MUST_CHECK;

#endif
