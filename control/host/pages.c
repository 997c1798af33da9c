/* SPDX-License-Identifier: Apache-2.0 */
#include "control/host/pages.h"

#include <arpa/inet.h>
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

struct kp_pages {
	struct MHD_Daemon *daemon;
	const struct kp_page *list;
	void *ctx;
};

static bool
is_read(const char *method)
{
	return strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
	       strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
}

static const struct kp_page *
find_page(const struct kp_pages *pages, const char *path)
{
	const struct kp_page *page = pages->list;

	while (page->path != NULL && strcmp(page->path, path) != 0)
		page++;
	return page->path == NULL ? NULL : page;
}

static unsigned
render_not_found(const struct kp_pages *pages, struct kp_buf *out)
{
	kp_buf_add_text(out, "not found; there are:\n");
	for (const struct kp_page *page = pages->list; page->path != NULL;
	     page++)
		kp_buf_printf(out, "%s\n", page->path);
	return MHD_HTTP_NOT_FOUND;
}

static unsigned
render(const struct kp_pages *pages, const struct kp_page *page,
    const char *method, struct kp_buf *out)
{
	if (!is_read(method)) {
		kp_buf_add_text(out, "only GET and HEAD\n");
		return MHD_HTTP_METHOD_NOT_ALLOWED;
	}
	if (page == NULL)
		return render_not_found(pages, out);
	return page->render(pages->ctx, out) ? MHD_HTTP_OK
					     : MHD_HTTP_SERVICE_UNAVAILABLE;
}

/* The page, or why there is none: half of one is not shown. */
static struct MHD_Response *
response_of(const struct kp_buf *body, unsigned *status)
{
	const char *why = body->is_refused ? "no memory\n" : "too long\n";

	if (!body->failed)
		return MHD_create_response_from_buffer(
		    body->len, body->data, MHD_RESPMEM_MUST_COPY);
	*status = MHD_HTTP_SERVICE_UNAVAILABLE;
	return MHD_create_response_from_buffer(
	    strlen(why), (void *)(uintptr_t)why, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result
answer(const struct kp_pages *pages, struct MHD_Connection *connection,
    const char *path, const char *method)
{
	const struct kp_page *page = find_page(pages, path);
	struct MHD_Response *response;
	enum MHD_Result result;
	struct kp_buf body;
	unsigned status;

	kp_buf_init(&body, KP_PAGES_MAX_LEN);
	status = render(pages, page, method, &body);
	response = response_of(&body, &status);
	kp_buf_fini(&body);
	if (response == NULL)
		return MHD_NO;
	result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
	    page != NULL && page->is_metrics ? METRICS_TYPE : TEXT_TYPE);
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
	(void)version;
	(void)upload;
	/* the first call is for the header alone; an answer to GET then would
	 * close the connection */
	if (*seen == NULL && is_read(method)) {
		*seen = connection;
		return MHD_YES;
	}
	*upload_len = 0;
	return answer(ctx, connection, path, method);
}

static int
listen_on(const char *host, uint16_t port, struct kp_error *err)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	bool is_v4 = inet_pton(AF_INET, host, &v4.sin_addr) == 1;
	int fd, one = 1;

	if (!is_v4 && inet_pton(AF_INET6, host, &v6.sin6_addr) != 1) {
		kp_error_set(
		    err, KP_ERR_CONFIG, "\"%s\" is not an address", host);
		return -1;
	}
	fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
	    (is_v4 ? bind(fd, (const struct sockaddr *)&v4, sizeof(v4))
		   : bind(fd, (const struct sockaddr *)&v6, sizeof(v6))) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	kp_error_sys(err, "could not listen on %s:%u", host, (unsigned)port);
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

struct kp_pages *
kp_pages_new(const char *host, uint16_t port, const struct kp_page *list,
    void *ctx, struct kp_error *err)
{
	struct kp_pages *pages;
	int fd = listen_on(host, port, err);

	if (fd < 0) {
		kp_error_prefix(err, "admin");
		return NULL;
	}
	pages = kp_alloc(1, sizeof(*pages));
	pages->list = list;
	pages->ctx = ctx;
	pages->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL,
	    NULL, on_request, pages, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)KP_PAGES_MAX_CONNECTIONS,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)KP_PAGES_TIMEOUT_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)KP_PAGES_CONNECTION_MEMORY, MHD_OPTION_END);
	if (pages->daemon == NULL) {
		(void)close(fd);
		free(pages);
		kp_error_set(
		    err, KP_ERR_SYSTEM, "admin: could not start to serve");
		return NULL;
	}
	kp_log(KP_LOG_INFO, "admin_listening", KP_STR("host", host),
	    KP_INT("port", port));
	return pages;
}

void
kp_pages_free(struct kp_pages *pages)
{
	if (pages == NULL)
		return;
	MHD_stop_daemon(pages->daemon);
	free(pages);
}
