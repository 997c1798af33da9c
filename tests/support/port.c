/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/port.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

#define FIRST_PORT 12000
#define NUM_PORTS 20000
#define MAX_TRIES 1000

static bool
is_free(uint16_t port)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_free;

	kp_assert(fd >= 0);
	is_free =
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
	(void)close(fd);
	return is_free;
}

uint16_t
kp_test_port(void)
{
	uint16_t port;
	unsigned num_tries = 0;

	do {
		kp_assert(num_tries++ < MAX_TRIES);
		port = (uint16_t)(FIRST_PORT + arc4random_uniform(NUM_PORTS));
	} while (!is_free(port));
	return port;
}
