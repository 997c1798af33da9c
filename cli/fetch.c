/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cli/output.h"
#include "proto/control/unpack.h"

/* gRPC and protobuf-c take texts that they do not change without const. */
static char *
text_of(const char *text)
{
	return (char *)(uintptr_t)(text == NULL ? "" : text);
}

/* How one list is asked for, page by page. */
struct pager {
	struct kp_connection *connection;
	int64_t deadline_ms;
	size_t used_len, max_items, num_items;
	ProtobufCMessage ***pages;
	size_t *num_pages;
	struct kp_rpc_status *why; /* a call that fails is told here, unless
				      NULL: then it is said */
};

static struct pager
pager_of(struct kp_connection *connection, const struct kp_rpc_method *method,
    size_t max_items)
{
	int64_t least_ms = kp_now_ms() + KP_FETCH_TIMEOUT_MS;
	struct pager pager = { .connection = connection,
		.deadline_ms = kp_connection_deadline(connection, method),
		.max_items = max_items };

	if (connection->settings.timeout_ms == 0)
		pager.deadline_ms = least_ms;
	return pager;
}

static enum kp_exit
fail(struct pager *pager, const struct kp_rpc_status *status)
{
	if (pager->why == NULL)
		return kp_connection_complain(pager->connection, status);
	kp_rpc_status_copy(pager->why, status);
	return KP_EXIT_OK;
}

/* Asks for one page and keeps it; without one *out stays NULL. */
static enum kp_exit
ask_page(struct pager *pager, const struct kp_rpc_method *method,
    ProtobufCMessage **out, const ProtobufCMessage *request)
{
	size_t num = *pager->num_pages;
	struct kp_rpc_result result;

	if (!kp_connection_ask(pager->connection, method, &result, request,
		pager->deadline_ms)) {
		enum kp_exit code = fail(pager, &result.status);

		kp_rpc_result_fini(&result);
		return code;
	}
	*out = result.answer;
	result.answer = NULL;
	kp_rpc_result_fini(&result);
	*pager->pages =
	    kp_realloc(*pager->pages, num + 1, sizeof(**pager->pages));
	(*pager->pages)[(*pager->num_pages)++] = *out;
	pager->used_len += protobuf_c_message_get_packed_size(*out);
	return KP_EXIT_OK;
}

/* A page has num items; may there be another one? */
static bool
is_within_bounds(struct pager *pager, size_t num, bool is_last)
{
	const char *address = pager->connection->address;

	pager->num_items += num;
	if (num == 0 && !is_last) {
		kp_output_problem("%s: a page of its list is empty, and not "
				  "the last one",
		    address);
		return false;
	}
	if (pager->num_items <= pager->max_items &&
	    pager->used_len <= KP_FETCH_MAX_LEN)
		return true;
	kp_output_problem("%s lists more than %zu items or %u MiB: that is too "
			  "much",
	    address, pager->max_items, KP_FETCH_MAX_LEN >> 20);
	return false;
}

static void
take_resources(
    struct kp_listed *out, const Kproxy__Control__V1__ListResponse *page)
{
	out->list = kp_realloc(
	    out->list, out->num + page->n_resources + 1, sizeof(*out->list));
	for (size_t i = 0; i < page->n_resources; i++)
		out->list[out->num++] = page->resources[i];
}

enum kp_exit
kp_fetch_resources_why(struct kp_connection *connection, struct kp_listed *out,
    const struct kp_query *query, struct kp_rpc_status *why)
{
	struct pager pager =
	    pager_of(connection, &kp_api_list, KP_FETCH_MAX_RESOURCES);
	Kproxy__Control__V1__ListRequest request;
	Kproxy__Control__V1__ListResponse *page;
	bool is_last = false;

	*out = (struct kp_listed){ 0 };
	pager.pages = &out->pages;
	pager.num_pages = &out->num_pages;
	pager.why = why;
	kproxy__control__v1__list_request__init(&request);
	request.kind = text_of(query->kind);
	request.selector = text_of(query->selector);
	request.revision = query->revision;
	request.names_only = query->is_names_only;
	while (!is_last) {
		ProtobufCMessage *answer = NULL;
		enum kp_exit code =
		    ask_page(&pager, &kp_api_list, &answer, &request.base);

		if (answer == NULL)
			return code;
		page = (Kproxy__Control__V1__ListResponse *)answer;
		is_last = page->next_page_token[0] == '\0';
		if (!is_within_bounds(&pager, page->n_resources, is_last))
			return KP_EXIT_FAILED;
		take_resources(out, page);
		out->revision = page->revision;
		request.page_token = page->next_page_token;
	}
	return KP_EXIT_OK;
}

enum kp_exit
kp_fetch_resources(struct kp_connection *connection, struct kp_listed *out,
    const struct kp_query *query)
{
	return kp_fetch_resources_why(connection, out, query, NULL);
}

static void
fini(ProtobufCMessage **pages, size_t num_pages)
{
	for (size_t i = 0; i < num_pages; i++)
		kp_unpacked_free(pages[i]);
	free(pages);
}

void
kp_listed_fini(struct kp_listed *listed)
{
	fini(listed->pages, listed->num_pages);
	free(listed->list);
	*listed = (struct kp_listed){ 0 };
}

static void
take_nodes(struct kp_listed_nodes *out,
    const Kproxy__Control__V1__ListNodesResponse *page)
{
	out->list = kp_realloc(
	    out->list, out->num + page->n_nodes + 1, sizeof(*out->list));
	for (size_t i = 0; i < page->n_nodes; i++)
		out->list[out->num++] = page->nodes[i];
}

enum kp_exit
kp_fetch_nodes(struct kp_connection *connection, struct kp_listed_nodes *out,
    const char *selector, bool is_brief)
{
	struct pager pager =
	    pager_of(connection, &kp_api_list_nodes, KP_FETCH_MAX_NODES);
	Kproxy__Control__V1__ListNodesRequest request;
	Kproxy__Control__V1__ListNodesResponse *page;
	bool is_last = false;

	*out = (struct kp_listed_nodes){ 0 };
	pager.pages = &out->pages;
	pager.num_pages = &out->num_pages;
	kproxy__control__v1__list_nodes_request__init(&request);
	request.selector = text_of(selector);
	request.is_brief = is_brief;
	while (!is_last) {
		ProtobufCMessage *answer = NULL;
		enum kp_exit code = ask_page(
		    &pager, &kp_api_list_nodes, &answer, &request.base);

		if (answer == NULL)
			return code;
		page = (Kproxy__Control__V1__ListNodesResponse *)answer;
		is_last = page->next_page_token[0] == '\0';
		if (!is_within_bounds(&pager, page->n_nodes, is_last))
			return KP_EXIT_FAILED;
		take_nodes(out, page);
		out->revision = page->revision;
		out->version = page->version;
		request.page_token = page->next_page_token;
	}
	return KP_EXIT_OK;
}

void
kp_listed_nodes_fini(struct kp_listed_nodes *listed)
{
	fini(listed->pages, listed->num_pages);
	free(listed->list);
	*listed = (struct kp_listed_nodes){ 0 };
}

enum kp_exit
kp_fetch_resource(struct kp_connection *connection,
    Kproxy__Control__V1__GetResponse **out, const char *kind, const char *name,
    uint64_t revision)
{
	Kproxy__Control__V1__GetRequest request;
	ProtobufCMessage *answer;
	enum kp_exit result;

	kproxy__control__v1__get_request__init(&request);
	request.kind = text_of(kind);
	request.name = text_of(name);
	request.revision = revision;
	result =
	    kp_connection_call(connection, &kp_api_get, &answer, &request.base);
	*out = (Kproxy__Control__V1__GetResponse *)answer;
	if (result == KP_EXIT_OK && (*out)->resource == NULL) {
		kp_output_problem("%s gave no answer", connection->address);
		kp_unpacked_free(answer);
		*out = NULL;
		return KP_EXIT_FAILED;
	}
	return result;
}

enum kp_exit
kp_fetch_node(struct kp_connection *connection,
    Kproxy__Control__V1__GetNodeResponse **out, const char *name)
{
	Kproxy__Control__V1__GetNodeRequest request;
	ProtobufCMessage *answer;
	enum kp_exit result;

	kproxy__control__v1__get_node_request__init(&request);
	request.name = text_of(name);
	result = kp_connection_call(
	    connection, &kp_api_get_node, &answer, &request.base);
	*out = (Kproxy__Control__V1__GetNodeResponse *)answer;
	if (result == KP_EXIT_OK && (*out)->node == NULL) {
		kp_output_problem("%s gave no answer", connection->address);
		kp_unpacked_free(answer);
		*out = NULL;
		return KP_EXIT_FAILED;
	}
	return result;
}
