/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/net/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

bool
kp_address_parse(struct kp_address *out, const char *literal, uint16_t port)
{
	*out = (struct kp_address){ 0 };
	if (inet_pton(AF_INET, literal, &out->sa.v4.sin_addr) == 1) {
		out->sa.v4.sin_family = AF_INET;
		out->sa.v4.sin_port = htons(port);
		out->len = sizeof(out->sa.v4);
		return true;
	}
	if (inet_pton(AF_INET6, literal, &out->sa.v6.sin6_addr) == 1) {
		out->sa.v6.sin6_family = AF_INET6;
		out->sa.v6.sin6_port = htons(port);
		out->len = sizeof(out->sa.v6);
		return true;
	}
	return false;
}

void
kp_address_format_host(
    const struct kp_address *address, char out[KP_ADDRESS_TEXT_LEN])
{
	const void *bytes = &address->sa.v4.sin_addr;

	if (address->len > 0 && address->sa.any.sa_family == AF_INET6)
		bytes = &address->sa.v6.sin6_addr;
	if (address->len == 0 || inet_ntop(address->sa.any.sa_family, bytes,
				     out, KP_ADDRESS_TEXT_LEN) == NULL)
		(void)snprintf(out, KP_ADDRESS_TEXT_LEN, "?");
}

void
kp_address_format(
    const struct kp_address *address, char out[KP_ADDRESS_TEXT_LEN])
{
	char host[KP_ADDRESS_TEXT_LEN];
	bool is_v6 = address->len > 0 && address->sa.any.sa_family == AF_INET6;

	kp_address_format_host(address, host);
	if (host[0] == '?') {
		(void)snprintf(out, KP_ADDRESS_TEXT_LEN, "?");
		return;
	}
	/* 46 bytes is the longest text of inet_ntop with its NUL */
	(void)snprintf(out, KP_ADDRESS_TEXT_LEN,
	    is_v6 ? "[%.45s]:%u" : "%.45s:%u", host,
	    (unsigned)kp_address_port(address));
}

uint16_t
kp_address_port(const struct kp_address *address)
{
	if (address->len == 0)
		return 0;
	if (address->sa.any.sa_family == AF_INET6)
		return ntohs(address->sa.v6.sin6_port);
	return ntohs(address->sa.v4.sin_port);
}

void
kp_address_unmap(struct kp_address *address)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	const struct sockaddr_in6 *v6 = &address->sa.v6;

	if (v6->sin6_family != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		return;
	v4.sin_port = v6->sin6_port;
	kp_copy(&v4.sin_addr, v6->sin6_addr.s6_addr + 12, 4);
	*address = (struct kp_address){ .sa.v4 = v4, .len = sizeof(v4) };
}

typedef int address_of_fn(int fd, struct sockaddr *sa, socklen_t *len);

static bool
address_of(struct kp_address *out, int fd, address_of_fn *ask)
{
	socklen_t len = sizeof(out->sa);

	*out = (struct kp_address){ 0 };
	if (ask(fd, &out->sa.any, &len) != 0)
		return false;
	if (out->sa.any.sa_family == AF_INET)
		out->len = sizeof(out->sa.v4);
	if (out->sa.any.sa_family == AF_INET6)
		out->len = sizeof(out->sa.v6);
	kp_address_unmap(out);
	return true;
}

bool
kp_address_of_peer(struct kp_address *out, int fd, struct kp_error *err)
{
	if (address_of(out, fd, getpeername))
		return true;
	return kp_error_sys(err, "could not tell the address of the peer");
}

bool
kp_address_of_local(struct kp_address *out, int fd, struct kp_error *err)
{
	if (address_of(out, fd, getsockname))
		return true;
	return kp_error_sys(err, "could not tell the address of a socket");
}
