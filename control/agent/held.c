/* SPDX-License-Identifier: Apache-2.0 */
#include "control/agent/held.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "control/agent/held_priv.h"
#include "proto/control/v1/nodes.pb-c.h"

struct kp_held_entry *
kp_held_entry_new(const Kproxy__Control__V1__Resource *resource)
{
	size_t len = strlen(resource->document);
	struct kp_held_entry *entry = kp_alloc(1, sizeof(*entry));

	atomic_init(&entry->refs, 1);
	entry->item.document = kp_try_alloc(len + 1);
	if (entry->item.document == NULL) {
		free(entry);
		return NULL;
	}
	kp_copy(entry->item.document, resource->document, len + 1);
	entry->item.document_len = len;
	entry->item.kind = kp_strdup(resource->kind);
	entry->item.name = kp_strdup(resource->name);
	kp_digest_resource(&entry->item.digest, entry->item.kind,
	    entry->item.name, kp_bytes_of(entry->item.document));
	return entry;
}

/* One document, and the one that the server says it is? */
static const struct kp_resource *
find_itself(const struct kp_resources *set, const struct kp_held_item *item)
{
	const struct kp_resource *resource;

	if (kp_resources_count(set) != 1)
		return NULL;
	resource = kp_resources_at(set, 0);
	if (strcmp(resource->kind->name, item->kind) != 0 ||
	    strcmp(resource->name, item->name) != 0)
		return NULL;
	return resource;
}

void
kp_held_entry_parse(struct kp_held_entry *entry, const char *folder,
    struct kp_diagnostics *diagnostics)
{
	const struct kp_held_item *item = &entry->item;
	struct kp_resources *alone = kp_resources_new();
	size_t before = kp_diagnostics_count(diagnostics);
	struct kp_origin at;
	char *file = NULL;

	kp_assert(
	    asprintf(&file, "%s/%s.%s", folder, item->kind, item->name) >= 0);
	at = (struct kp_origin){ .file = file };
	kp_resources_add_file(
	    alone, file, kp_bytes_of(item->document), diagnostics);
	entry->resource = find_itself(alone, item);
	if (entry->resource != NULL)
		entry->resource = kp_resource_ref(entry->resource);
	else if (kp_diagnostics_count(diagnostics) == before)
		kp_diagnostics_add(diagnostics, &at,
		    "is not the document of %s \"%s\" alone", item->kind,
		    item->name);
	kp_resources_free(alone);
	free(file);
}

void
kp_held_entry_ref(struct kp_held_entry *entry)
{
	(void)atomic_fetch_add(&entry->refs, 1);
}

void
kp_held_entry_unref(struct kp_held_entry *entry)
{
	if (entry == NULL || atomic_fetch_sub(&entry->refs, 1) != 1)
		return;
	free(entry->item.kind);
	free(entry->item.name);
	free(entry->item.document);
	if (entry->resource != NULL)
		kp_resource_unref(entry->resource);
	free(entry);
}

int
kp_held_compare(const struct kp_held_item *a, const struct kp_held_item *b)
{
	int order = strcmp(a->kind, b->kind);

	return order != 0 ? order : strcmp(a->name, b->name);
}

void
kp_held_digest_all(
    struct kp_digest *out, struct kp_held_entry *const *list, size_t num)
{
	struct kp_digest *all = kp_alloc(num, sizeof(*all));

	for (size_t i = 0; i < num; i++)
		all[i] = list[i]->item.digest;
	kp_digest_set(out, all, num);
	free(all);
}

static void
check(struct kp_held *held, struct kp_diagnostics *diagnostics)
{
	struct kp_resources *set = kp_resources_new();

	for (size_t i = 0; i < held->num; i++) {
		if (held->list[i]->resource != NULL)
			kp_resources_add_shared(set, held->list[i]->resource);
	}
	if (kp_resources_check(set, diagnostics) &&
	    kp_diagnostics_count(diagnostics) == 0)
		held->resources = set;
	else
		kp_resources_free(set);
}

struct kp_held *
kp_held_new(uint64_t revision, struct kp_held_entry ***list, size_t num,
    struct kp_diagnostics *diagnostics)
{
	struct kp_held *held = kp_alloc(1, sizeof(*held));

	atomic_init(&held->refs, 1);
	held->revision = revision;
	held->list = *list;
	held->num = num;
	*list = NULL;
	kp_held_digest_all(&held->digest, held->list, num);
	check(held, diagnostics);
	return held;
}

struct kp_held *
kp_held_ref(struct kp_held *held)
{
	(void)atomic_fetch_add(&held->refs, 1);
	return held;
}

void
kp_held_unref(struct kp_held *held)
{
	if (held == NULL || atomic_fetch_sub(&held->refs, 1) != 1)
		return;
	kp_resources_free(held->resources);
	for (size_t i = 0; i < held->num; i++)
		kp_held_entry_unref(held->list[i]);
	free(held->list);
	free(held);
}

uint64_t
kp_held_revision(const struct kp_held *held)
{
	return held->revision;
}

const struct kp_digest *
kp_held_digest(const struct kp_held *held)
{
	return &held->digest;
}

size_t
kp_held_count(const struct kp_held *held)
{
	return held->num;
}

const struct kp_held_item *
kp_held_at(const struct kp_held *held, size_t index)
{
	kp_assert(index < held->num);
	return &held->list[index]->item;
}

const struct kp_resources *
kp_held_resources(const struct kp_held *held)
{
	return held->resources;
}

static void
fill(Kproxy__Control__V1__Resource *out, const struct kp_held_item *item)
{
	kproxy__control__v1__resource__init(out);
	out->kind = item->kind;
	out->name = item->name;
	out->document = item->document;
}

bool
kp_held_pack(const struct kp_held *held, struct kp_buf *out)
{
	Kproxy__Control__V1__Resource *list =
	    kp_alloc(held->num, sizeof(*list));
	Kproxy__Control__V1__Resource **pointers =
	    kp_alloc(held->num, sizeof(*pointers));
	struct kp_digest digest = held->digest;
	Kproxy__Control__V1__Push push;
	uint8_t *to;

	for (size_t i = 0; i < held->num; i++) {
		fill(&list[i], &held->list[i]->item);
		pointers[i] = &list[i];
	}
	kproxy__control__v1__push__init(&push);
	push.revision = held->revision;
	push.changed = pointers;
	push.n_changed = held->num;
	push.is_last = true;
	push.sha256.data = digest.bytes;
	push.sha256.len = sizeof(digest.bytes);
	to = kp_buf_extend(
	    out, kproxy__control__v1__push__get_packed_size(&push));
	if (to != NULL)
		(void)kproxy__control__v1__push__pack(&push, to);
	free(pointers);
	free(list);
	return to != NULL;
}
