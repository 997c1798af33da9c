/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/nodes_service.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "control/server/guard.h"
#include "control/server/hub_priv.h"

/* Nodes of one page; with counters and problems each may have 64 KiB. */
#define MAX_PAGE 200
#define MAX_BRIEF_PAGE 1000

static struct kp_hub *
hub_of(const struct kp_rpc_call *call)
{
	const struct kp_services *services = kp_rpc_call_owner(call);

	return services->hub;
}

static bool
is_chosen_locked(const struct kp_node *node, const struct kp_selector *selector)
{
	return kp_selector_matches(selector, &node->who->labels);
}

/* What one page has. */
struct page {
	struct kp_shown *list;
	size_t num, max;
	bool is_full; /* and there are more */
	uint64_t revision;
};

static void
fill_page(struct page *page, struct kp_hub *hub,
    const Kproxy__Control__V1__ListNodesRequest *request,
    const struct kp_selector *selector)
{
	kp_mutex_lock(&hub->lock);
	page->revision =
	    hub->edition == NULL ? 0 : hub->edition->items.revision;
	for (size_t i = kp_node_after_locked(hub, request->page_token);
	     i < hub->num_nodes && !page->is_full; i++) {
		if (!is_chosen_locked(hub->nodes[i], selector))
			continue;
		page->is_full = page->num == page->max;
		if (!page->is_full)
			kp_shown_init_locked(&page->list[page->num++], hub,
			    hub->nodes[i], request->is_brief != 0);
	}
	kp_mutex_unlock(&hub->lock);
}

static void
reply_page(struct kp_rpc_call *call, struct page *page)
{
	Kproxy__Control__V1__ListNodesResponse response;

	kproxy__control__v1__list_nodes_response__init(&response);
	response.nodes = kp_alloc(page->num, sizeof(*response.nodes));
	for (size_t i = 0; i < page->num; i++)
		response.nodes[response.n_nodes++] = &page->list[i].node;
	if (page->is_full)
		response.next_page_token = page->list[page->num - 1].node.name;
	response.revision = page->revision;
	response.version = (char *)(uintptr_t)KP_VERSION;
	kp_rpc_call_reply(call, &response.base);
	free(response.nodes);
}

static void
list_nodes(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__ListNodesRequest *request =
	    (const Kproxy__Control__V1__ListNodesRequest *)message;
	struct page page = { .max = request->is_brief ? MAX_BRIEF_PAGE
						      : MAX_PAGE };
	struct kp_selector *selector;
	struct kp_error err = { 0 };

	selector = kp_selector_parse(request->selector, &err);
	if (selector == NULL) {
		kp_rpc_call_end(
		    call, KP_RPC_INVALID_ARGUMENT, "selector: %s", err.text);
		return;
	}
	if (request->page_size != 0 && request->page_size < page.max)
		page.max = request->page_size;
	page.list = kp_alloc(page.max, sizeof(*page.list));
	fill_page(&page, hub_of(call), request, selector);
	reply_page(call, &page);
	for (size_t i = 0; i < page.num; i++)
		kp_shown_fini(&page.list[i]);
	free(page.list);
	kp_selector_free(selector);
}

static bool
show(struct kp_hub *hub, const char *name, struct kp_shown *out)
{
	struct kp_node *node;

	kp_mutex_lock(&hub->lock);
	node = kp_node_find_locked(hub, name);
	if (node != NULL)
		kp_shown_init_locked(out, hub, node, false);
	kp_mutex_unlock(&hub->lock);
	return node != NULL;
}

static void
end_not_found(struct kp_rpc_call *call, const char *name)
{
	kp_rpc_call_end(
	    call, KP_RPC_NOT_FOUND, "there is no node \"%s\"", name);
}

static void
get_node(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const char *name =
	    ((const Kproxy__Control__V1__GetNodeRequest *)message)->name;
	Kproxy__Control__V1__GetNodeResponse response;
	struct kp_shown shown;

	if (!show(hub_of(call), name, &shown)) {
		end_not_found(call, name);
		return;
	}
	kproxy__control__v1__get_node_response__init(&response);
	response.node = &shown.node;
	kp_rpc_call_reply(call, &response.base);
	kp_shown_fini(&shown);
}

static void
reply_cordon(struct kp_rpc_call *call, const char *name)
{
	Kproxy__Control__V1__CordonResponse response;
	struct kp_shown shown;

	if (!show(hub_of(call), name, &shown)) {
		end_not_found(call, name);
		return;
	}
	kproxy__control__v1__cordon_response__init(&response);
	response.node = &shown.node;
	kp_rpc_call_reply(call, &response.base);
	kp_shown_fini(&shown);
}

/* Before it is answered, as every change. A server without a guard is a test's.
 */
static void
record_cordon(
    struct kp_rpc_call *call, const Kproxy__Control__V1__CordonRequest *request)
{
	const struct kp_services *services = kp_rpc_call_owner(call);
	const struct kp_audit_name name = { "Node", request->name,
		request->is_cordoned ? "cordoned" : "uncordoned" };
	const struct kp_guard_change change = {
		.reason = request->reason, .names = &name, .num_names = 1
	};

	if (services->guard != NULL)
		kp_guard_changed(call, &change);
}

static void
cordon(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__CordonRequest *request =
	    (const Kproxy__Control__V1__CordonRequest *)message;
	struct kp_rpc_status status = { .code = KP_RPC_OK };

	if (!kp_node_is_text(request->reason, KP_NODE_MAX_REASON_LEN)) {
		kp_rpc_call_end(call, KP_RPC_INVALID_ARGUMENT,
		    "the reason has more than %d bytes or is not in UTF-8",
		    KP_NODE_MAX_REASON_LEN);
		return;
	}
	if (!kp_hub_cordon(hub_of(call), request, &status)) {
		kp_rpc_call_finish(call, &status);
		kp_rpc_status_fini(&status);
		return;
	}
	kp_log(KP_LOG_INFO, "node_cordoned", KP_STR("node", request->name),
	    KP_STR("cordoned", request->is_cordoned ? "yes" : "no"),
	    KP_STR("reason", request->reason));
	record_cordon(call, request);
	reply_cordon(call, request->name);
}

const struct kp_service_method kp_nodes_methods[] = {
	{ &kp_api_sync, KP_ROLE_NODE,
	    { .opened = kp_node_opened,
		.message = kp_node_message,
		.half_closed = kp_node_half_closed,
		.sent = kp_node_sent,
		.closed = kp_node_closed } },
	{ &kp_api_list_nodes, KP_ROLE_VIEWER, { .request = list_nodes } },
	{ &kp_api_get_node, KP_ROLE_VIEWER, { .request = get_node } },
	{ &kp_api_cordon, KP_ROLE_ADMIN, { .request = cordon } },
	{ NULL, KP_ROLE_ANYBODY, { 0 } },
};
