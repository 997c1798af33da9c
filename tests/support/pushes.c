/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/pushes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Enough for the longest list and one more. */
#define MAX_LIST (KP_MAX_RESOURCES + 1)

void
kp_test_push_init(
    struct kp_test_push *out, uint64_t revision, uint64_t based_on)
{
	kproxy__control__v1__push__init(&out->message);
	out->message.revision = revision;
	out->message.based_on = based_on;
	out->message.is_last = true;
	out->message.changed =
	    kp_alloc(MAX_LIST, sizeof(*out->message.changed));
	out->message.deleted =
	    kp_alloc(MAX_LIST, sizeof(*out->message.deleted));
}

void
kp_test_push_fini(struct kp_test_push *push)
{
	for (size_t i = 0; i < push->message.n_changed; i++)
		kproxy__control__v1__resource__free_unpacked(
		    push->message.changed[i], NULL);
	for (size_t i = 0; i < push->message.n_deleted; i++)
		kproxy__control__v1__resource_name__free_unpacked(
		    push->message.deleted[i], NULL);
	free(push->message.changed);
	free(push->message.deleted);
}

void
kp_test_push_add(struct kp_test_push *push, const char *kind, const char *name,
    const char *document)
{
	Kproxy__Control__V1__Resource *resource =
	    kp_alloc(1, sizeof(*resource));

	kp_assert(push->message.n_changed < MAX_LIST);
	kproxy__control__v1__resource__init(resource);
	resource->kind = kp_strdup(kind);
	resource->name = kp_strdup(name);
	resource->document = kp_strdup(document);
	push->message.changed[push->message.n_changed++] = resource;
}

void
kp_test_push_cluster(
    struct kp_test_push *push, const char *name, const char *server)
{
	char document[512];

	(void)snprintf(document, sizeof(document),
	    "apiVersion: kproxy/v1\nkind: Cluster\nmetadata: {name: %s}\n"
	    "spec: {bootstrap: [\"%s\"]}\n",
	    name, server);
	kp_test_push_add(push, "Cluster", name, document);
}

void
kp_test_push_delete(struct kp_test_push *push, const char *name)
{
	Kproxy__Control__V1__ResourceName *deleted =
	    kp_alloc(1, sizeof(*deleted));

	kproxy__control__v1__resource_name__init(deleted);
	deleted->kind = kp_strdup("Cluster");
	deleted->name = kp_strdup(name);
	push->message.deleted[push->message.n_deleted++] = deleted;
}

void
kp_test_push_is(struct kp_test_push *push, const struct kp_digest *digest)
{
	kp_copy(push->digest, digest->bytes, sizeof(push->digest));
	push->message.sha256.data = push->digest;
	push->message.sha256.len = sizeof(push->digest);
}

/* A name with its document's digest, in any order. */
struct named {
	const char *kind, *name;
	struct kp_digest digest;
};

static int
compare(const void *a, const void *b)
{
	const struct named *left = a, *right = b;
	int order = strcmp(left->kind, right->kind);

	return order != 0 ? order : strcmp(left->name, right->name);
}

static bool
is_replaced(const struct kp_test_push *push, const struct kp_held_item *item)
{
	for (size_t i = 0; i < push->message.n_changed; i++) {
		if (strcmp(push->message.changed[i]->kind, item->kind) == 0 &&
		    strcmp(push->message.changed[i]->name, item->name) == 0)
			return true;
	}
	for (size_t i = 0; i < push->message.n_deleted; i++) {
		if (strcmp(push->message.deleted[i]->kind, item->kind) == 0 &&
		    strcmp(push->message.deleted[i]->name, item->name) == 0)
			return true;
	}
	return false;
}

void
kp_test_push_digest(struct kp_test_push *push, const struct kp_held *held)
{
	size_t num_old = held == NULL ? 0 : kp_held_count(held), num = 0;
	size_t num_new = push->message.n_changed;
	struct named *list = kp_alloc(num_old + num_new, sizeof(*list));
	struct kp_digest *all = kp_alloc(num_old + num_new, sizeof(*all));
	struct kp_digest digest;

	for (size_t i = 0; i < num_old; i++) {
		const struct kp_held_item *item = kp_held_at(held, i);

		if (!is_replaced(push, item))
			list[num++] = (struct named){ item->kind, item->name,
				item->digest };
	}
	for (size_t i = 0; i < num_new; i++) {
		const Kproxy__Control__V1__Resource *r =
		    push->message.changed[i];

		list[num] = (struct named){ .kind = r->kind, .name = r->name };
		kp_digest_resource(&list[num++].digest, r->kind, r->name,
		    kp_bytes_of(r->document));
	}
	qsort(list, num, sizeof(*list), compare);
	for (size_t i = 0; i < num; i++)
		all[i] = list[i].digest;
	kp_digest_set(&digest, all, num);
	kp_test_push_is(push, &digest);
	free(all);
	free(list);
}
