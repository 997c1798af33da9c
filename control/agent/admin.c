/* SPDX-License-Identifier: Apache-2.0 */
#include "control/agent/admin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"

#define BACKLOG 64
#define TEXT_TYPE "text/plain; charset=utf-8"
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct kp_admin {
	struct MHD_Daemon *daemon;
	struct kp_status *status;
	const struct kp_metrics *metrics;
};

struct page {
	const char *path;
	const char *type;
	/* Adds the body and returns the status. */
	unsigned (*render)(const struct kp_admin *admin, struct kp_buf *out);
};

static unsigned
metrics_page(const struct kp_admin *admin, struct kp_buf *out)
{
	kp_status_render(admin->status, out);
	kp_metrics_render(admin->metrics, out);
	return MHD_HTTP_OK;
}

/* The agent answers: it lives; the worker counts when its channel is there. */
static unsigned
livez_page(const struct kp_admin *admin, struct kp_buf *out)
{
	struct kp_status_facts facts;

	kp_status_get(admin->status, &facts);
	if (facts.has_worker) {
		kp_buf_add_text(out, "ok\n");
		return MHD_HTTP_OK;
	}
	kp_buf_add_text(out, "worker: not there\n");
	return MHD_HTTP_SERVICE_UNAVAILABLE;
}

static unsigned
readyz_page(const struct kp_admin *admin, struct kp_buf *out)
{
	return kp_status_ready(admin->status, out)
		   ? MHD_HTTP_OK
		   : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static unsigned
not_found_page(const struct kp_admin *admin, struct kp_buf *out)
{
	(void)admin;
	kp_buf_add_text(
	    out, "not found; there are:\n/metrics\n/livez\n/readyz\n");
	return MHD_HTTP_NOT_FOUND;
}

static unsigned
bad_method_page(const struct kp_admin *admin, struct kp_buf *out)
{
	(void)admin;
	kp_buf_add_text(out, "only GET and HEAD\n");
	return MHD_HTTP_METHOD_NOT_ALLOWED;
}

static const struct page pages[] = {
	{ "/metrics", METRICS_TYPE, metrics_page },
	{ "/livez", TEXT_TYPE, livez_page },
	{ "/readyz", TEXT_TYPE, readyz_page },
};

static const struct page not_found = { NULL, TEXT_TYPE, not_found_page };
static const struct page bad_method = { NULL, TEXT_TYPE, bad_method_page };

static const struct page *
find_page(const char *method, const char *path)
{
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return &bad_method;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (strcmp(pages[i].path, path) == 0)
			return &pages[i];
	}
	return &not_found;
}

static enum MHD_Result
answer(const struct kp_admin *admin, struct MHD_Connection *connection,
    const struct page *page)
{
	struct MHD_Response *response;
	enum MHD_Result result;
	struct kp_buf body;
	unsigned status;

	kp_buf_init(&body, KP_ADMIN_MAX_PAGE);
	status = page->render(admin, &body);
	response = body.failed ? NULL
			       : MHD_create_response_from_buffer(body.len,
				     body.data, MHD_RESPMEM_MUST_COPY);
	kp_buf_fini(&body);
	if (response == NULL)
		return MHD_NO;
	result = MHD_add_response_header(
	    response, MHD_HTTP_HEADER_CONTENT_TYPE, page->type);
	if (result == MHD_YES)
		result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

/* The library says how many parameters there are. */
static enum MHD_Result /* NOLINTNEXTLINE(readability-function-size) */
on_request(void *ctx, struct MHD_Connection *connection, const char *path,
    const char *method, const char *version, const char *upload,
    size_t *upload_len, void **seen)
{
	const struct page *page = find_page(method, path);

	(void)version;
	(void)upload;
	/* the first call is for the header alone; an answer to GET then would
	 * close the connection */
	if (*seen == NULL && page != &bad_method) {
		*seen = connection;
		return MHD_YES;
	}
	*upload_len = 0;
	return answer(ctx, connection, page);
}

static int
listen_on(const struct kp_host_port *address, struct kp_error *err)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(address->port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_port = htons(address->port) };
	bool is_v4 = inet_pton(AF_INET, address->host, &v4.sin_addr) == 1;
	int fd, one = 1;

	if (!is_v4 && inet_pton(AF_INET6, address->host, &v6.sin6_addr) != 1) {
		kp_error_set(err, KP_ERR_CONFIG, "\"%s\" is not an address",
		    address->host);
		return -1;
	}
	fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
	    (is_v4 ? bind(fd, (const struct sockaddr *)&v4, sizeof(v4))
		   : bind(fd, (const struct sockaddr *)&v6, sizeof(v6))) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	kp_error_sys(err, "could not listen on %s:%u", address->host,
	    (unsigned)address->port);
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

struct kp_admin *
kp_admin_new(const struct kp_host_port *address, struct kp_status *status,
    const struct kp_metrics *metrics, struct kp_error *err)
{
	struct kp_admin *admin;
	int fd = listen_on(address, err);

	if (fd < 0) {
		kp_error_prefix(err, "admin");
		return NULL;
	}
	admin = kp_alloc(1, sizeof(*admin));
	admin->status = status;
	admin->metrics = metrics;
	admin->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL,
	    NULL, on_request, admin, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)KP_ADMIN_MAX_CONNECTIONS,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)KP_ADMIN_TIMEOUT_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)KP_ADMIN_CONNECTION_MEMORY, MHD_OPTION_END);
	if (admin->daemon == NULL) {
		(void)close(fd);
		free(admin);
		kp_error_set(
		    err, KP_ERR_SYSTEM, "admin: could not start to serve");
		return NULL;
	}
	kp_log(KP_LOG_INFO, "admin_listening", KP_STR("host", address->host),
	    KP_INT("port", address->port));
	return admin;
}

void
kp_admin_free(struct kp_admin *admin)
{
	if (admin == NULL)
		return;
	MHD_stop_daemon(admin->daemon);
	free(admin);
}
