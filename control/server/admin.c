/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/admin.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "control/host/pages.h"
#include "control/server/hub.h"

struct kp_server_admin {
	struct kp_pages *pages;
};

static bool
say(struct kp_buf *out, const char *what, bool is_well,
    const struct kp_error *err)
{
	kp_buf_printf(out, "%s: %s\n", what, is_well ? "ok" : err->text);
	return is_well;
}

bool
kp_server_ready(struct kp_server_facts *facts, struct kp_buf *out)
{
	struct kp_error store, audit;
	bool is_draining = atomic_load(&facts->is_draining);
	bool is_stored = kp_desk_is_well(facts->desk, &store);
	bool is_audited = kp_audit_is_well(facts->audit, &audit);
	bool is_ready = is_stored && is_audited && !is_draining;

	kp_buf_add_text(out, is_ready ? "ok\n" : "not ready\n");
	(void)say(out, "store", is_stored, &store);
	if (!say(out, "audit", is_audited, &audit))
		kp_buf_add_text(out, "changes: refused\n");
	if (is_draining)
		kp_buf_add_text(out, "server: draining\n");
	kp_buf_printf(out, "revision: %llu\n",
	    (unsigned long long)kp_desk_revision(facts->desk));
	return is_ready;
}

static void
number(struct kp_buf *out, const char *name, const char *type, const char *help,
    double value)
{
	kp_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.15g\n", name, help,
	    name, type, name, value);
}

static void
render_store(struct kp_server_facts *facts, struct kp_buf *out)
{
	struct kp_items items = { .num = 0 };
	struct kp_store_range range = { 0, 0 };
	struct kp_error err;

	kp_desk_items(facts->desk, &items);
	number(out, "kproxy_server_revision", "gauge",
	    "The newest revision of resources.", (double)items.revision);
	number(out, "kproxy_server_resources", "gauge", "Resources.",
	    (double)items.num);
	kp_items_fini(&items);
	if (kp_desk_range_seen(facts->desk, &range))
		number(out, "kproxy_server_oldest_revision", "gauge",
		    "The oldest revision whose state can be read.",
		    (double)range.oldest);
	number(out, "kproxy_server_store_up", "gauge",
	    "Whether the store worked when it was used last.",
	    kp_desk_is_well(facts->desk, &err));
}

static void
render_audit(struct kp_server_facts *facts, struct kp_buf *out)
{
	struct kp_audit_counts counts;
	struct kp_error err;

	kp_audit_count(facts->audit, &counts);
	number(out, "kproxy_server_audit_lines_total", "counter",
	    "Calls that were recorded.", (double)counts.written);
	number(out, "kproxy_server_audit_lines_lost_total", "counter",
	    "Calls that could not be recorded.", (double)counts.lost);
	number(out, "kproxy_server_audit_up", "gauge",
	    "Whether calls can be recorded; changes are refused otherwise.",
	    kp_audit_is_well(facts->audit, &err));
}

void
kp_server_render(struct kp_server_facts *facts, struct kp_buf *out)
{
	kp_buf_printf(out,
	    "# HELP kproxy_server_build_info Version of the program.\n"
	    "# TYPE kproxy_server_build_info gauge\n"
	    "kproxy_server_build_info{version=\"%s\"} 1\n",
	    KP_VERSION);
	number(out, "kproxy_server_start_time_seconds", "gauge",
	    "When the server started.", (double)facts->started_ms / 1000);
	render_store(facts, out);
	render_audit(facts, out);
	kp_hub_render(facts->hub, out);
	kp_metrics_render(facts->metrics, out);
}

static bool
metrics_page(void *ctx, struct kp_buf *out)
{
	kp_server_render(ctx, out);
	return true;
}

static bool
livez_page(void *ctx, struct kp_buf *out)
{
	(void)ctx;
	kp_buf_add_text(out, "ok\n");
	return true;
}

static bool
readyz_page(void *ctx, struct kp_buf *out)
{
	return kp_server_ready(ctx, out);
}

static const struct kp_page pages[] = {
	{ "/metrics", true, metrics_page },
	{ "/livez", false, livez_page },
	{ "/readyz", false, readyz_page },
	{ .path = NULL },
};

struct kp_server_admin *
kp_server_admin_new(const struct kp_host_port *address,
    struct kp_server_facts *facts, struct kp_error *err)
{
	struct kp_pages *made =
	    kp_pages_new(address->host, address->port, pages, facts, err);
	struct kp_server_admin *admin;

	if (made == NULL)
		return NULL;
	admin = kp_alloc(1, sizeof(*admin));
	admin->pages = made;
	return admin;
}

void
kp_server_admin_free(struct kp_server_admin *admin)
{
	if (admin == NULL)
		return;
	kp_pages_free(admin->pages);
	free(admin);
}
