/* SPDX-License-Identifier: Apache-2.0 */
/* Get, List, Diff, History: nothing here waits for a change. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "control/server/page_token.h"
#include "control/server/resources_priv.h"
#include "rules/labels.h"

/* Of one answer; a page ends with the resource that goes beyond its bytes. */
#define DEFAULT_PAGE 500
#define MAX_PAGE 5000
#define MAX_PAGE_LEN (8u << 20)
#define DEFAULT_REVISIONS 50
#define MAX_REVISIONS 500
/* Revisions that are read from the store at once. */
#define BATCH 32

/* The state that was asked for; false: the call has ended. */
static bool
take_state(struct kp_rpc_call *call, uint64_t revision, struct kp_items *out)
{
	struct kp_desk *desk = kp_resources_desk(call);
	enum kp_store_result result;
	struct kp_error err;

	if (revision == 0) {
		kp_desk_items(desk, out);
		return true;
	}
	result = kp_desk_items_at(
	    desk, revision, out, kp_rpc_call_deadline_ms(call), &err);
	if (result != KP_STORE_OK)
		kp_resources_end(call, result, &err);
	return result == KP_STORE_OK;
}

/* Nothing that others see of an item changes when it is parsed. NULL if there
 * is no memory for that. */
static const struct kp_labels *
labels_of(const struct kp_item *item)
{
	static const struct kp_labels none = { .num = 0 };
	bool is_refused;
	const struct kp_resource *resource =
	    kp_item_resource((struct kp_item *)(uintptr_t)item, &is_refused);

	if (is_refused)
		return NULL;
	return resource == NULL ? &none : kp_resource_labels(resource);
}

/* A resource as a message; its texts are the item's. */
static void
fill_resource(Kproxy__Control__V1__Resource *out, const struct kp_item *item,
    const struct kp_labels *labels, bool is_name_only)
{
	Kproxy__Control__V1__Label *list = kp_alloc(labels->num, sizeof(*list));

	kproxy__control__v1__resource__init(out);
	out->kind = item->kind;
	out->name = item->name;
	out->resource_version = item->revision;
	if (!is_name_only)
		out->document = (char *)item->text.data;
	out->labels = kp_alloc(labels->num, sizeof(*out->labels));
	out->n_labels = labels->num;
	for (size_t i = 0; i < labels->num; i++) {
		kproxy__control__v1__label__init(&list[i]);
		list[i].name = kp_resources_text(labels->list[i].name);
		list[i].value = kp_resources_text(labels->list[i].value);
		out->labels[i] = &list[i];
	}
	if (labels->num == 0)
		free(list);
}

static void
resource_fini(Kproxy__Control__V1__Resource *resource)
{
	if (resource->n_labels > 0)
		free(resource->labels[0]);
	free(resource->labels);
}

static void
answer_get(struct kp_rpc_call *call, const struct kp_item *item)
{
	const struct kp_labels *labels = labels_of(item);
	Kproxy__Control__V1__GetResponse answer;
	Kproxy__Control__V1__Resource resource;

	if (labels == NULL) {
		kp_rpc_call_end(call, KP_RPC_RESOURCE_EXHAUSTED,
		    "no memory for a resource");
		return;
	}
	kproxy__control__v1__get_response__init(&answer);
	fill_resource(&resource, item, labels, false);
	answer.resource = &resource;
	kp_rpc_call_reply(call, &answer.base);
	resource_fini(&resource);
}

void
kp_resources_get(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__GetRequest *request =
	    (const Kproxy__Control__V1__GetRequest *)message;
	struct kp_items items = { .num = 0 };
	const struct kp_item *item;

	if (request->kind[0] == '\0' || request->name[0] == '\0') {
		kp_rpc_call_end(
		    call, KP_RPC_INVALID_ARGUMENT, "kind and name are needed");
		return;
	}
	if (!take_state(call, request->revision, &items))
		return;
	item = kp_items_find(&items, request->kind, request->name);
	if (item != NULL)
		answer_get(call, item);
	else
		kp_rpc_call_end(call, KP_RPC_NOT_FOUND,
		    "there is no %.80s \"%.80s\"", request->kind,
		    request->name);
	kp_items_fini(&items);
}

/* One page being made. */
struct page {
	const Kproxy__Control__V1__ListRequest *request;
	const struct kp_selector *selector;
	struct kp_page_token token; /* begins after it, ends with it */
	size_t max, num, len;
	Kproxy__Control__V1__Resource *list;
	bool has_more, is_refused;
};

static bool
has_name_of_page(const struct page *page, const struct kp_item *item)
{
	const char *kind = page->request->kind;

	return (kind[0] == '\0' || strcmp(kind, item->kind) == 0) &&
	       kp_items_compare(item->kind, item->name, page->token.kind,
		   page->token.name) > 0;
}

static void
fill_page(struct page *page, const struct kp_items *items)
{
	struct kp_page_token last = page->token;

	for (size_t i = 0; i < items->num; i++) {
		const struct kp_item *item = items->list[i];
		const struct kp_labels *labels;

		if (!has_name_of_page(page, item))
			continue;
		labels = labels_of(item);
		page->is_refused |= labels == NULL;
		if (labels == NULL)
			break;
		if (!kp_selector_matches(page->selector, labels))
			continue;
		if (page->num == page->max || page->len > MAX_PAGE_LEN) {
			page->has_more = true;
			break;
		}
		fill_resource(&page->list[page->num++], item, labels,
		    page->request->names_only);
		if (!page->request->names_only)
			page->len += item->text.len;
		(void)snprintf(last.kind, sizeof(last.kind), "%s", item->kind);
		(void)snprintf(last.name, sizeof(last.name), "%s", item->name);
	}
	last.revision = items->revision;
	page->token = last;
}

static void
answer_list(
    struct kp_rpc_call *call, const struct page *page, const char *question)
{
	Kproxy__Control__V1__Resource **resources =
	    kp_alloc(page->num, sizeof(struct kp_resource *));
	Kproxy__Control__V1__ListResponse answer;
	char next[KP_PAGE_TOKEN_SIZE] = "";

	kproxy__control__v1__list_response__init(&answer);
	for (size_t i = 0; i < page->num; i++)
		resources[i] = &page->list[i];
	answer.resources = resources;
	answer.n_resources = page->num;
	answer.revision = page->token.revision;
	if (page->has_more)
		kp_page_token_write(&page->token, question, next);
	answer.next_page_token = next;
	kp_rpc_call_reply(call, &answer.base);
	free(resources);
}

static void
list_page(struct kp_rpc_call *call, struct page *page, const char *question)
{
	uint64_t revision = page->request->revision;
	struct kp_items items = { .num = 0 };

	if (page->token.kind[0] != '\0')
		revision = page->token.revision;
	if (!take_state(call, revision, &items))
		return;
	page->list = kp_alloc(page->max, sizeof(*page->list));
	fill_page(page, &items);
	if (page->is_refused)
		kp_rpc_call_end(
		    call, KP_RPC_RESOURCE_EXHAUSTED, "no memory for a list");
	else
		answer_list(call, page, question);
	for (size_t i = 0; i < page->num; i++)
		resource_fini(&page->list[i]);
	free(page->list);
	kp_items_fini(&items);
}

/* All that a page token is bound to besides its own content. */
static void
put_question(
    const Kproxy__Control__V1__ListRequest *request, struct kp_buf *out)
{
	kp_buf_init(out, KP_SELECTOR_MAX_LEN + KP_STORE_MAX_NAME_LEN + 64);
	kp_buf_printf(out, "%s\n%s\n%llu", request->kind, request->selector,
	    (unsigned long long)request->revision);
	kp_buf_add(out, "", 1);
}

static bool
check_kind(struct kp_rpc_call *call, const char *kind)
{
	if (kind[0] == '\0' || kp_resource_kind_find(kind) != NULL)
		return true;
	kp_rpc_call_end(
	    call, KP_RPC_INVALID_ARGUMENT, "there is no kind \"%.80s\"", kind);
	return false;
}

static bool
read_token(struct page *page, const char *question, struct kp_error *err)
{
	const char *text = page->request->page_token;

	return text[0] == '\0' ||
	       kp_page_token_read(&page->token, text, question, err);
}

static size_t
page_size(uint32_t wanted)
{
	if (wanted == 0)
		return DEFAULT_PAGE;
	return wanted < MAX_PAGE ? wanted : MAX_PAGE;
}

void
kp_resources_list(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	struct page page = {
		.request = (const Kproxy__Control__V1__ListRequest *)message,
	};
	struct kp_selector *selector;
	struct kp_buf question;
	struct kp_error err;

	if (!check_kind(call, page.request->kind))
		return;
	page.max = page_size(page.request->page_size);
	selector = kp_selector_parse(page.request->selector, &err);
	page.selector = selector;
	put_question(page.request, &question);
	if (question.is_refused)
		kp_rpc_call_end(
		    call, KP_RPC_RESOURCE_EXHAUSTED, "no memory for a list");
	else if (selector == NULL ||
		 !read_token(&page, (const char *)question.data, &err))
		kp_rpc_call_end(call, KP_RPC_INVALID_ARGUMENT, "%s", err.text);
	else
		list_page(call, &page, (const char *)question.data);
	kp_buf_fini(&question);
	kp_selector_free(selector);
}

/* Differences being collected; texts are those of the items. */
struct differences {
	Kproxy__Control__V1__Difference *list, **pointers;
	size_t num;
};

static void
add_difference(struct differences *out, const struct kp_item *before,
    const struct kp_item *after)
{
	const struct kp_item *any = before != NULL ? before : after;
	Kproxy__Control__V1__Difference *difference = &out->list[out->num];

	kp_assert(any != NULL);
	kproxy__control__v1__difference__init(difference);
	difference->kind = any->kind;
	difference->name = any->name;
	if (before != NULL)
		difference->before = (char *)before->text.data;
	if (after != NULL)
		difference->after = (char *)after->text.data;
	out->pointers[out->num++] = difference;
}

static void
compare(struct differences *out, const struct kp_items *from,
    const struct kp_items *to)
{
	size_t i = 0, k = 0;

	while (i < from->num || k < to->num) {
		const struct kp_item *a = i < from->num ? from->list[i] : NULL;
		const struct kp_item *b = k < to->num ? to->list[k] : NULL;
		int order = a == NULL   ? 1
			    : b == NULL ? -1
					: kp_items_compare(a->kind, a->name,
					      b->kind, b->name);

		if (order < 0)
			add_difference(out, a, NULL);
		else if (order > 0)
			add_difference(out, NULL, b);
		else if (memcmp(&a->digest, &b->digest, sizeof(a->digest)) != 0)
			add_difference(out, a, b);
		i += order <= 0;
		k += order >= 0;
	}
}

static void
answer_diff(struct kp_rpc_call *call, const struct kp_items *from,
    const struct kp_items *to)
{
	size_t max = from->num + to->num;
	struct differences found = {
		.list = kp_alloc(max, sizeof(*found.list)),
		.pointers = kp_alloc(max, sizeof(*found.pointers)),
	};
	Kproxy__Control__V1__DiffResponse answer;

	compare(&found, from, to);
	kproxy__control__v1__diff_response__init(&answer);
	answer.differences = found.pointers;
	answer.n_differences = found.num;
	answer.from = from->revision;
	answer.to = to->revision;
	kp_rpc_call_reply(call, &answer.base);
	free(found.list);
	free(found.pointers);
}

void
kp_resources_diff(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__DiffRequest *request =
	    (const Kproxy__Control__V1__DiffRequest *)message;
	struct kp_items from = { .num = 0 }, to = { .num = 0 };
	enum kp_store_result result;
	struct kp_error err;

	/* 0 is a revision here: that without any resource */
	result = kp_desk_items_at(kp_resources_desk(call), request->from, &from,
	    kp_rpc_call_deadline_ms(call), &err);
	if (result != KP_STORE_OK) {
		kp_resources_end(call, result, &err);
		return;
	}
	if (take_state(call, request->to, &to))
		answer_diff(call, &from, &to);
	kp_items_fini(&from);
	kp_items_fini(&to);
}

/* History being collected, newest first. */
struct history {
	struct kp_revision_filter filter;
	Kproxy__Control__V1__Revision **list;
	size_t max, num, len;
	/* of one batch, which comes oldest first */
	Kproxy__Control__V1__Revision *batch[BATCH];
	size_t num_batch;
};

static void
take_revision(void *ctx, const struct kp_store_revision *revision)
{
	struct history *history = ctx;
	Kproxy__Control__V1__Revision *made =
	    kp_revision_new(revision, &history->filter);

	if (made != NULL)
		history->batch[history->num_batch++] = made;
}

static bool
is_full(const struct history *history)
{
	return history->num == history->max || history->len > MAX_PAGE_LEN;
}

static void
take_batch(struct history *history)
{
	while (history->num_batch > 0) {
		Kproxy__Control__V1__Revision *last =
		    history->batch[--history->num_batch];

		if (is_full(history)) {
			kp_revision_free(last);
			continue;
		}
		history->len +=
		    kproxy__control__v1__revision__get_packed_size(last);
		history->list[history->num++] = last;
	}
}

static enum kp_store_result
collect(struct kp_rpc_call *call, struct history *history, uint64_t last,
    const struct kp_store_range *range, struct kp_error *err)
{
	enum kp_store_result result = KP_STORE_OK;

	while (result == KP_STORE_OK && last > range->oldest &&
	       !is_full(history) && !kp_rpc_call_is_over(call)) {
		uint64_t after =
		    last - range->oldest > BATCH ? last - BATCH : range->oldest;

		result = kp_desk_history(kp_resources_desk(call), after, last,
		    take_revision, history, kp_rpc_call_deadline_ms(call), err);
		take_batch(history);
		last = after;
	}
	/* forgotten while we were at it: those before are all there are */
	return result == KP_STORE_COMPACTED ? KP_STORE_OK : result;
}

static void
answer_history(
    struct kp_rpc_call *call, struct history *history, uint64_t before)
{
	Kproxy__Control__V1__HistoryResponse answer;
	enum kp_store_result result;
	struct kp_store_range range;
	struct kp_error err;
	uint64_t last;

	result = kp_desk_range(kp_resources_desk(call), &range,
	    kp_rpc_call_deadline_ms(call), &err);
	last = before == 0 || before > range.newest ? range.newest : before - 1;
	if (result == KP_STORE_OK)
		result = collect(call, history, last, &range, &err);
	if (result != KP_STORE_OK) {
		kp_resources_end(call, result, &err);
		return;
	}
	kproxy__control__v1__history_response__init(&answer);
	answer.revisions = history->list;
	answer.n_revisions = history->num;
	answer.oldest = range.oldest;
	kp_rpc_call_reply(call, &answer.base);
}

void
kp_resources_history(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__HistoryRequest *request =
	    (const Kproxy__Control__V1__HistoryRequest *)message;
	struct history history = {
		.filter = { .kind = request->kind,
		    .name = request->name,
		    .with_documents = request->with_documents },
		.max = request->limit == 0              ? DEFAULT_REVISIONS
		       : request->limit < MAX_REVISIONS ? request->limit
							: MAX_REVISIONS,
	};

	if (request->name[0] != '\0' && request->kind[0] == '\0') {
		kp_rpc_call_end(
		    call, KP_RPC_INVALID_ARGUMENT, "a name needs its kind");
		return;
	}
	history.list = kp_alloc(history.max, sizeof(*history.list));
	answer_history(call, &history, request->before);
	for (size_t i = 0; i < history.num; i++)
		kp_revision_free(history.list[i]);
	free(history.list);
}
