/* SPDX-License-Identifier: Apache-2.0 */
#include "control/agent/admin.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "control/host/pages.h"

struct kp_admin {
	struct kp_pages *pages;
	struct kp_status *status;
	const struct kp_metrics *metrics;
};

static bool
metrics_page(void *ctx, struct kp_buf *out)
{
	const struct kp_admin *admin = ctx;

	kp_status_render(admin->status, out);
	kp_metrics_render(admin->metrics, out);
	return true;
}

/* The agent answers: it lives; the worker counts when its channel is there. */
static bool
livez_page(void *ctx, struct kp_buf *out)
{
	const struct kp_admin *admin = ctx;
	struct kp_status_facts facts;

	kp_status_get(admin->status, &facts);
	kp_buf_add_text(out, facts.has_worker ? "ok\n" : "worker: not there\n");
	return facts.has_worker;
}

static bool
readyz_page(void *ctx, struct kp_buf *out)
{
	const struct kp_admin *admin = ctx;

	return kp_status_ready(admin->status, out);
}

static const struct kp_page pages[] = {
	{ "/metrics", true, metrics_page },
	{ "/livez", false, livez_page },
	{ "/readyz", false, readyz_page },
	{ .path = NULL },
};

struct kp_admin *
kp_admin_new(const struct kp_host_port *address, struct kp_status *status,
    const struct kp_metrics *metrics, struct kp_error *err)
{
	struct kp_admin *admin = kp_alloc(1, sizeof(*admin));

	admin->status = status;
	admin->metrics = metrics;
	admin->pages =
	    kp_pages_new(address->host, address->port, pages, admin, err);
	if (admin->pages != NULL)
		return admin;
	free(admin);
	return NULL;
}

void
kp_admin_free(struct kp_admin *admin)
{
	if (admin == NULL)
		return;
	kp_pages_free(admin->pages);
	free(admin);
}
