/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/http.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

#define PATIENCE_S 60
#define MAX_LEN (1u << 20)

static int
connect_to(uint16_t port)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	const struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	kp_assert(fd >= 0);
	kp_must(setsockopt(
	    fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)));
	kp_must(
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)));
	return fd;
}

/* All until the other side closes, as a text. */
static char *
read_all(int fd)
{
	char *text = kp_alloc(1, MAX_LEN + 1);
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, text + len, MAX_LEN - len, 0)) > 0)
		len += (size_t)n;
	kp_assert(n == 0 && len < MAX_LEN);
	return text;
}

static void
take(struct kp_test_http *out, const char *text)
{
	static const char version[] = "HTTP/1.";
	const char *length = strstr(text, "\r\nContent-Length: ");
	const char *body = strstr(text, "\r\n\r\n");

	kp_assert(strncmp(text, version, strlen(version)) == 0);
	kp_assert(length != NULL && body != NULL && length < body);
	out->status = (int)strtol(strchr(text, ' ') + 1, NULL, 10);
	out->body = kp_strdup(body + 4);
	kp_assert(
	    strtoul(strchr(length, ':') + 1, NULL, 10) == strlen(out->body));
}

void
kp_test_http_get(struct kp_test_http *out, uint16_t port, const char *path)
{
	char request[256], *text;
	int fd = connect_to(port);
	int len =
	    snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\n\r\n", path);

	*out = (struct kp_test_http){ .status = 0 };
	kp_assert(send(fd, request, (size_t)len, MSG_NOSIGNAL) == len);
	text = read_all(fd);
	if (text[0] != '\0')
		take(out, text);
	free(text);
	(void)close(fd);
}

void
kp_test_http_fini(struct kp_test_http *answer)
{
	free(answer->body);
	*answer = (struct kp_test_http){ .status = 0 };
}
