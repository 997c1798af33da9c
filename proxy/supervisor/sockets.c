/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/supervisor/sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/text.h"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t
parse(const char *text, union address *out)
{
	char host[INET6_ADDRSTRLEN];
	uint16_t port;

	*out = (union address){ .v6 = { 0 } };
	if (!kp_parse_host_port(text, host, sizeof(host), &port))
		return 0;
	if (inet_pton(AF_INET, host, &out->v4.sin_addr) == 1) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(port);
		return sizeof(out->v4);
	}
	if (inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1) {
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons(port);
		return sizeof(out->v6);
	}
	return 0;
}

static int
listen_on(const char *text, struct kp_error *err)
{
	union address address;
	socklen_t len = parse(text, &address);
	int one = 1, fd;

	if (len == 0) {
		kp_error_set(err, KP_ERR_CONFIG,
		    "\"%s\" is not an address with a port", text);
		return -1;
	}
	fd = socket(address.any.sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
	    bind(fd, &address.any, len) == 0 &&
	    listen(fd, KP_SOCKETS_BACKLOG) == 0)
		return fd;
	kp_error_sys(err, "could not listen on %s", text);
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static struct kp_socket *
find(const struct kp_sockets *sockets, const char *address)
{
	for (size_t i = 0; i < sockets->num_items; i++) {
		if (strcmp(sockets->items[i].address, address) == 0)
			return &sockets->items[i];
	}
	return NULL;
}

/* Adds address to next: the socket that is there already, or a new one. */
static bool
add(struct kp_sockets *next, const struct kp_sockets *old, const char *address,
    struct kp_error *err)
{
	const struct kp_socket *known = find(old, address);
	int fd;

	if (find(next, address) != NULL)
		return true;
	fd = known != NULL ? known->fd : listen_on(address, err);
	if (fd < 0)
		return false;
	next->items[next->num_items++] = (struct kp_socket){
		.address = kp_strdup(address),
		.fd = fd,
	};
	return true;
}

/* Frees the list and closes those of its sockets that other does not have. */
static void
close_except(struct kp_sockets *sockets, const struct kp_sockets *other)
{
	for (size_t i = 0; i < sockets->num_items; i++) {
		struct kp_socket *item = &sockets->items[i];

		if (find(other, item->address) == NULL)
			(void)close(item->fd);
		free(item->address);
	}
	free(sockets->items);
	*sockets = (struct kp_sockets){ 0 };
}

static size_t
build(struct kp_sockets *next, const struct kp_sockets *old,
    char *const *addresses, size_t num_addresses, char **errors)
{
	struct kp_error err;
	size_t num_errors = 0;

	next->items = kp_alloc(num_addresses, sizeof(*next->items));
	for (size_t i = 0; i < num_addresses; i++) {
		if (!add(next, old, addresses[i], &err))
			errors[num_errors++] = kp_strdup(err.text);
	}
	return num_errors;
}

bool
kp_sockets_update(struct kp_sockets *sockets, char *const *addresses,
    size_t num_addresses, char ***out_errors, size_t *out_num)
{
	struct kp_sockets next = { 0 };

	*out_errors = kp_alloc(num_addresses + 1, sizeof(**out_errors));
	*out_num = 0;
	if (num_addresses > KP_SOCKETS_MAX) {
		(*out_errors)[(*out_num)++] =
		    kp_strdup("more ports than a node may listen on");
		return false;
	}
	*out_num = build(&next, sockets, addresses, num_addresses, *out_errors);
	if (*out_num > 0) {
		close_except(&next, sockets);
		return false;
	}
	close_except(sockets, &next);
	*sockets = next;
	return true;
}

void
kp_sockets_errors_free(char **errors, size_t num_errors)
{
	for (size_t i = 0; i < num_errors; i++)
		free(errors[i]);
	free(errors);
}

void
kp_sockets_fini(struct kp_sockets *sockets)
{
	static const struct kp_sockets none;

	close_except(sockets, &none);
}
