/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts are only collected; the last one merges what has changed and what is
 * deleted with the set before, all of them sorted.
 */
#include "control/agent/intake.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "control/agent/held_priv.h"
#include "proto/control/unpack.h"

/* A set as one message, unpacked: its texts and an object for each resource. */
#define MAX_UNPACKED_LEN (2u * KP_HELD_MAX_LEN)

struct name {
	char *kind, *name;
};

struct kp_intake {
	struct kp_held *base; /* NULL: a whole set */
	struct kp_held *held;
	char *folder;
	bool has_begun, is_whole, is_rollback;
	bool is_stale; /* to be refused when it is whole */
	uint64_t revision, based_on;
	struct kp_digest digest; /* of the set, as the last part says */
	size_t len;              /* of all texts so far */
	struct kp_held_entry **changed;
	size_t num_changed;
	struct name *deleted;
	size_t num_deleted;
};

struct kp_intake *
kp_intake_new(struct kp_held *held, const char *folder)
{
	struct kp_intake *intake = kp_alloc(1, sizeof(*intake));

	intake->held = held == NULL ? NULL : kp_held_ref(held);
	intake->folder = kp_strdup(folder);
	return intake;
}

void
kp_intake_free(struct kp_intake *intake)
{
	if (intake == NULL)
		return;
	for (size_t i = 0; i < intake->num_changed; i++)
		kp_held_entry_unref(intake->changed[i]);
	for (size_t i = 0; i < intake->num_deleted; i++) {
		free(intake->deleted[i].kind);
		free(intake->deleted[i].name);
	}
	free(intake->changed);
	free(intake->deleted);
	kp_held_unref(intake->held);
	free(intake->folder);
	free(intake);
}

bool
kp_intake_is_whole(const struct kp_intake *intake)
{
	return intake->is_whole;
}

size_t
kp_intake_len(const struct kp_intake *intake)
{
	return intake->len;
}

static bool
begin(struct kp_intake *intake, const Kproxy__Control__V1__Push *part,
    struct kp_error *err)
{
	uint64_t held =
	    intake->held == NULL ? 0 : kp_held_revision(intake->held);

	if (part->revision == 0)
		return kp_error_set(err, KP_ERR_PROTOCOL, "push of revision 0");
	intake->is_stale = part->revision < held && !part->is_rollback;
	if (!intake->is_stale && part->based_on != 0 && part->based_on != held)
		return kp_error_set(err, KP_ERR_UNAVAILABLE,
		    "push is based on revision %llu, this node holds %llu",
		    (unsigned long long)part->based_on,
		    (unsigned long long)held);
	intake->has_begun = true;
	intake->revision = part->revision;
	intake->based_on = part->based_on;
	intake->is_rollback = part->is_rollback;
	intake->base = part->based_on == 0 ? NULL : intake->held;
	return true;
}

static bool
check_part(const struct kp_intake *intake,
    const Kproxy__Control__V1__Push *part, struct kp_error *err)
{
	if (part->revision != intake->revision ||
	    part->based_on != intake->based_on ||
	    (part->is_rollback != 0) != intake->is_rollback)
		return kp_error_set(err, KP_ERR_PROTOCOL,
		    "a part belongs to another push than those before");
	if (!part->is_last && part->n_changed == 0 && part->n_deleted == 0)
		return kp_error_set(
		    err, KP_ERR_PROTOCOL, "a part has nothing in it");
	if (part->is_last && part->sha256.len != KP_DIGEST_LEN)
		return kp_error_set(
		    err, KP_ERR_PROTOCOL, "the last part has no digest");
	if (part->n_changed > KP_MAX_RESOURCES - intake->num_changed ||
	    part->n_deleted > KP_MAX_RESOURCES - intake->num_deleted)
		return kp_error_set(err, KP_ERR_LIMIT, "more than %d resources",
		    KP_MAX_RESOURCES);
	return true;
}

static bool
check_name(const char *kind, const char *name, struct kp_error *err)
{
	size_t kind_len = strnlen(kind, KP_INTAKE_MAX_NAME_LEN + 1);
	size_t name_len = strnlen(name, KP_INTAKE_MAX_NAME_LEN + 1);

	if (kind_len > 0 && kind_len <= KP_INTAKE_MAX_NAME_LEN &&
	    name_len > 0 && name_len <= KP_INTAKE_MAX_NAME_LEN &&
	    strchr(kind, '/') == NULL && strchr(name, '/') == NULL)
		return true;
	return kp_error_set(err, KP_ERR_PROTOCOL,
	    "\"%.80s\" of kind \"%.80s\" is not a name", name, kind);
}

static bool
count(struct kp_intake *intake, size_t len, struct kp_error *err)
{
	if (len > KP_HELD_MAX_LEN - intake->len)
		return kp_error_set(err, KP_ERR_LIMIT,
		    "resources of more than %u MiB", KP_HELD_MAX_LEN >> 20);
	intake->len += len;
	return true;
}

/* Room for all of a part: how many they are is checked already. */
static bool
make_room(struct kp_intake *intake, const Kproxy__Control__V1__Push *part,
    struct kp_error *err)
{
	struct kp_held_entry **changed = kp_try_realloc(intake->changed,
	    (intake->num_changed + part->n_changed + 1) * sizeof(*changed));
	struct name *deleted = kp_try_realloc(intake->deleted,
	    (intake->num_deleted + part->n_deleted + 1) * sizeof(*deleted));

	if (changed != NULL)
		intake->changed = changed;
	if (deleted != NULL)
		intake->deleted = deleted;
	return (changed != NULL && deleted != NULL) ||
	       kp_error_set(err, KP_ERR_LIMIT, "no memory for a push");
}

static bool
add_changed(struct kp_intake *intake,
    const Kproxy__Control__V1__Resource *resource, struct kp_error *err)
{
	struct kp_held_entry *entry;

	if (!check_name(resource->kind, resource->name, err) ||
	    !count(intake,
		strlen(resource->kind) + strlen(resource->name) +
		    strlen(resource->document),
		err))
		return false;
	entry = kp_held_entry_new(resource);
	if (entry == NULL)
		return kp_error_set(
		    err, KP_ERR_LIMIT, "no memory for a resource");
	intake->changed[intake->num_changed++] = entry;
	return true;
}

static bool
add_deleted(struct kp_intake *intake,
    const Kproxy__Control__V1__ResourceName *name, struct kp_error *err)
{
	if (!check_name(name->kind, name->name, err) ||
	    !count(intake, strlen(name->kind) + strlen(name->name), err))
		return false;
	intake->deleted[intake->num_deleted++] =
	    (struct name){ kp_strdup(name->kind), kp_strdup(name->name) };
	return true;
}

bool
kp_intake_add(struct kp_intake *intake, const Kproxy__Control__V1__Push *part,
    struct kp_error *err)
{
	kp_assert(!intake->is_whole);
	if (!intake->has_begun && !begin(intake, part, err))
		return false;
	if (!check_part(intake, part, err))
		return false;
	intake->is_whole = part->is_last;
	if (intake->is_stale)
		return true;
	if (!make_room(intake, part, err))
		return false;
	for (size_t i = 0; i < part->n_changed; i++) {
		if (!add_changed(intake, part->changed[i], err))
			return false;
	}
	for (size_t i = 0; i < part->n_deleted; i++) {
		if (!add_deleted(intake, part->deleted[i], err))
			return false;
	}
	if (part->is_last)
		kp_copy(intake->digest.bytes, part->sha256.data, KP_DIGEST_LEN);
	return true;
}

static int
compare_entries(const void *a, const void *b)
{
	const struct kp_held_entry *const *left = a, *const *right = b;

	return kp_held_compare(&(*left)->item, &(*right)->item);
}

static int
compare_to_name(const struct kp_held_item *item, const struct name *name)
{
	int order = strcmp(item->kind, name->kind);

	return order != 0 ? order : strcmp(item->name, name->name);
}

static int
compare_names(const void *a, const void *b)
{
	const struct name *left = a, *right = b;
	int order = strcmp(left->kind, right->kind);

	return order != 0 ? order : strcmp(left->name, right->name);
}

/* No name twice among what has changed; deletions may not be there twice
 * either, which merging finds. */
static bool
sort(struct kp_intake *intake, struct kp_error *err)
{
	if (intake->num_changed > 0)
		qsort(intake->changed, intake->num_changed,
		    sizeof(*intake->changed), compare_entries);
	if (intake->num_deleted > 0)
		qsort(intake->deleted, intake->num_deleted,
		    sizeof(*intake->deleted), compare_names);
	for (size_t i = 1; i < intake->num_changed; i++) {
		const struct kp_held_item *item = &intake->changed[i]->item;

		if (kp_held_compare(&intake->changed[i - 1]->item, item) == 0)
			return kp_error_set(err, KP_ERR_PROTOCOL,
			    "%s \"%s\" is in a push twice", item->kind,
			    item->name);
	}
	return true;
}

/* The places in the three lists, and what they make. */
struct merge {
	const struct kp_intake *intake;
	size_t old, changed, deleted;
	struct kp_held_entry **list;
	size_t num;
};

/* The next one of the set before; NULL at its end. */
static struct kp_held_entry *
next_old(const struct merge *m)
{
	const struct kp_held *base = m->intake->base;

	return base == NULL || m->old == base->num ? NULL : base->list[m->old];
}

static struct kp_held_entry *
next_changed(const struct merge *m)
{
	return m->changed == m->intake->num_changed
		   ? NULL
		   : m->intake->changed[m->changed];
}

/* Is the next one of the set before to be deleted? */
static bool
take_deleted(struct merge *m, const struct kp_held_entry *old)
{
	if (m->deleted == m->intake->num_deleted ||
	    compare_to_name(&old->item, &m->intake->deleted[m->deleted]) != 0)
		return false;
	m->deleted++;
	return true;
}

/* One step: the smaller name of both lists, the changed one if it is in both.
 */
static void
step(struct merge *m)
{
	struct kp_held_entry *old = next_old(m), *changed = next_changed(m);
	int order;

	if (old == NULL || changed == NULL)
		order = old == NULL ? 1 : -1;
	else
		order = kp_held_compare(&old->item, &changed->item);
	if (order < 0 && take_deleted(m, old)) {
		m->old++;
		return;
	}
	m->old += order <= 0;
	m->changed += order >= 0;
	m->list[m->num] = order < 0 ? old : changed;
	kp_held_entry_ref(m->list[m->num++]);
}

static void
merge_fini(struct merge *m)
{
	for (size_t i = 0; m->list != NULL && i < m->num; i++)
		kp_held_entry_unref(m->list[i]);
	free(m->list);
}

static size_t
len_of(struct kp_held_entry *const *list, size_t num)
{
	size_t len = 0;

	for (size_t i = 0; i < num; i++)
		len += strlen(list[i]->item.kind) + strlen(list[i]->item.name) +
		       list[i]->item.document_len;
	return len;
}

static bool
check_merged(const struct merge *m, struct kp_error *err)
{
	struct kp_digest digest;

	if (m->deleted != m->intake->num_deleted)
		return kp_error_set(err, KP_ERR_PROTOCOL,
		    "%s \"%s\" is to be deleted and not there",
		    m->intake->deleted[m->deleted].kind,
		    m->intake->deleted[m->deleted].name);
	if (m->num > KP_MAX_RESOURCES)
		return kp_error_set(err, KP_ERR_LIMIT, "more than %d resources",
		    KP_MAX_RESOURCES);
	if (len_of(m->list, m->num) > KP_HELD_MAX_LEN)
		return kp_error_set(err, KP_ERR_LIMIT,
		    "resources of more than %u MiB", KP_HELD_MAX_LEN >> 20);
	kp_held_digest_all(&digest, m->list, m->num);
	if (memcmp(&digest, &m->intake->digest, sizeof(digest)) != 0)
		return kp_error_set(err, KP_ERR_PROTOCOL,
		    "the set of revision %llu has another digest than the "
		    "server says",
		    (unsigned long long)m->intake->revision);
	return true;
}

static void
parse_changed(struct kp_intake *intake, struct kp_diagnostics *diagnostics)
{
	for (size_t i = 0; i < intake->num_changed; i++)
		kp_held_entry_parse(
		    intake->changed[i], intake->folder, diagnostics);
}

struct kp_held *
kp_intake_finish(struct kp_intake *intake, struct kp_diagnostics *diagnostics,
    struct kp_error *err)
{
	struct merge m = { .intake = intake };
	struct kp_held *held = NULL;

	kp_assert(intake->is_whole);
	if (intake->is_stale) {
		(void)kp_error_set(err, KP_ERR_CONFIG,
		    "revision %llu is older than %llu, which this node holds",
		    (unsigned long long)intake->revision,
		    (unsigned long long)kp_held_revision(intake->held));
		return NULL;
	}
	if (!sort(intake, err))
		return NULL;
	m.list = kp_alloc(intake->num_changed +
			      (intake->base == NULL ? 0 : intake->base->num),
	    sizeof(*m.list));
	while (next_old(&m) != NULL || next_changed(&m) != NULL)
		step(&m);
	if (check_merged(&m, err)) {
		parse_changed(intake, diagnostics);
		held =
		    kp_held_new(intake->revision, &m.list, m.num, diagnostics);
	}
	merge_fini(&m);
	return held;
}

static struct kp_held *
finish_kept(struct kp_intake *intake, struct kp_diagnostics *diagnostics,
    struct kp_error *err)
{
	if (kp_intake_is_whole(intake))
		return kp_intake_finish(intake, diagnostics, err);
	(void)kp_error_set(
	    err, KP_ERR_CONFIG, "file of resources is not whole");
	return NULL;
}

struct kp_held *
kp_held_unpack(struct kp_bytes packed, const char *folder,
    struct kp_diagnostics *diagnostics, struct kp_error *err)
{
	ProtobufCMessage *message =
	    kp_unpack(&kproxy__control__v1__push__descriptor, packed,
		MAX_UNPACKED_LEN, err);
	struct kp_intake *intake = kp_intake_new(NULL, folder);
	struct kp_held *held = NULL;

	if (message == NULL && err->kind != KP_ERR_LIMIT)
		(void)kp_error_set(
		    err, KP_ERR_CONFIG, "file of resources is damaged");
	else if (message != NULL &&
		 kp_intake_add(
		     intake, (const Kproxy__Control__V1__Push *)message, err))
		held = finish_kept(intake, diagnostics, err);
	kp_intake_free(intake);
	kp_unpacked_free(message);
	if (held != NULL && kp_held_resources(held) == NULL) {
		kp_held_unref(held);
		held = NULL;
		(void)kp_error_set(err, KP_ERR_CONFIG,
		    "resources that were kept are not valid any more");
	}
	return held;
}
