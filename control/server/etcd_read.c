/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state is the newest snapshot before it and what has changed since; all of
 * it is read as of one revision of etcd's, so that nothing is forgotten
 * meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "control/server/etcd_priv.h"
#include "control/server/items.h"
#include "proto/control/unpack.h"

/* What a page can hold at most stays well below KP_RPC_MAX_MESSAGE. */
#define RECORDS_PER_PAGE 128
#define PARTS_PER_PAGE 32
/* etcd compacts in minutes or hours; a load takes less. */
#define MAX_TRIES 4

void
kp_etcd_set_init(struct kp_etcd_set *set, size_t max_len)
{
	*set = (struct kp_etcd_set){ .max_len = max_len };
}

void
kp_etcd_set_fini(struct kp_etcd_set *set)
{
	for (size_t i = 0; i < set->num_held; i++)
		kp_unpacked_free(set->held[i]);
	free(set->held);
	free(set->entries);
	*set = (struct kp_etcd_set){ .num = 0 };
}

/* Room for one more of size bytes each. */
static bool
grow(void **list, size_t num, size_t *max, size_t more, size_t size,
    struct kp_error *err)
{
	size_t wanted = *max == 0 ? 64 : *max;
	void *larger;

	while (wanted - num < more)
		wanted *= 2;
	if (wanted == *max)
		return true;
	larger = kp_try_realloc(*list, wanted * size);
	if (larger == NULL)
		return kp_error_set(err, KP_ERR_LIMIT, "no memory");
	*list = larger;
	*max = wanted;
	return true;
}

static bool
hold(struct kp_etcd_set *set, ProtobufCMessage *message, struct kp_error *err)
{
	void *list = set->held;
	bool is_ok = grow(
	    &list, set->num_held, &set->max_held, 1, sizeof(*set->held), err);

	set->held = list;
	if (is_ok)
		set->held[set->num_held++] = message;
	else
		kp_unpacked_free(message);
	return is_ok;
}

/* Entries of a revision are of that revision; those of a snapshot say it. */
static bool
add_part(struct kp_etcd_set *set, const kp_etcd_part *part, uint64_t number,
    struct kp_error *err)
{
	void *list = set->entries;
	bool is_ok = grow(&list, set->num, &set->max, part->n_entries,
	    sizeof(*set->entries), err);

	set->entries = list;
	for (size_t i = 0; is_ok && i < part->n_entries; i++) {
		if (number > 0)
			part->entries[i]->revision = number;
		set->entries[set->num++] = part->entries[i];
	}
	return is_ok;
}

static bool
count_len(struct kp_etcd_set *set, size_t len, struct kp_error *err)
{
	if (len > set->max_len - set->len)
		return kp_error_set(err, KP_ERR_LIMIT,
		    "more than %zu bytes of resources", set->max_len);
	set->len += len;
	return true;
}

static bool
missing(const char *what, uint64_t number, struct kp_error *err)
{
	return kp_error_set(err, KP_ERR_CONFIG,
	    "damaged: %s of revision %llu; restore etcd from a backup", what,
	    (unsigned long long)number);
}

static bool
missing_part(
    const struct kp_etcd_key *parts, uint64_t index, struct kp_error *err)
{
	struct kp_etcd_key key = kp_etcd_key_part(parts, index);

	return kp_error_set(err, KP_ERR_CONFIG,
	    "damaged: %s is missing; restore etcd from a backup", key.text);
}

/* Is this a revision of etcd's that the node has forgotten or not reached? */
static bool
is_late(enum kp_rpc_code code)
{
	return code == KP_RPC_OUT_OF_RANGE;
}

static bool
add_value(struct kp_etcd_set *set, const Etcdserverpb__KeyValue *pair,
    uint64_t number, struct kp_error *err)
{
	struct kp_bytes value = kp_etcd_bytes(pair->value);
	kp_etcd_part *part;

	if (!count_len(set, value.len, err))
		return false;
	part = kp_etcd_part_decode(value, err);
	return part != NULL && hold(set, &part->base, err) &&
	       add_part(set, part, number, err);
}

/* Is it the part that has to follow? */
static bool
is_part_of(const Etcdserverpb__KeyValue *pair, const struct kp_etcd_key *parts,
    uint64_t index)
{
	struct kp_etcd_key key = kp_etcd_key_part(parts, index);

	return kp_bytes_equal(kp_etcd_bytes(pair->key), kp_bytes_of(key.text));
}

/* One page of parts from *index on, which it moves on. */
static bool
add_page(struct kp_etcd *etcd, const struct kp_etcd_span *span,
    const struct kp_etcd_key *parts, uint64_t *index, uint64_t number,
    struct kp_etcd_set *set, struct kp_error *err)
{
	enum kp_rpc_code code;
	Etcdserverpb__RangeResponse *page =
	    kp_etcd_read(etcd, span, NULL, &code, err);
	bool is_ok = page != NULL;

	if (!is_ok) {
		set->is_late = is_late(code);
		return false;
	}
	if (page->n_kvs == 0)
		is_ok = missing_part(parts, *index, err);
	for (size_t i = 0; is_ok && i < page->n_kvs; i++, (*index)++) {
		is_ok = is_part_of(page->kvs[i], parts, *index)
			    ? add_value(set, page->kvs[i], number, err)
			    : missing_part(parts, *index, err);
	}
	kp_unpacked_free(&page->base);
	return is_ok;
}

static bool
add_parts(struct kp_etcd *etcd, const struct kp_etcd_state *state,
    enum kp_etcd_family family, uint64_t number, const kp_etcd_record *record,
    struct kp_etcd_set *set, struct kp_error *err)
{
	char attempt[KP_ETCD_ATTEMPT_LEN + 1] = "";
	struct kp_etcd_key parts;
	uint64_t of = family == KP_ETCD_PARTS ? number : 0;
	uint64_t index = 0;

	kp_copy(attempt, record->attempt.data, KP_ETCD_ATTEMPT_LEN);
	if (strlen(attempt) != KP_ETCD_ATTEMPT_LEN)
		return missing("the writer", number, err);
	parts = kp_etcd_key_parts(etcd->prefix, family, number, attempt);
	while (index < record->num_parts) {
		struct kp_etcd_span span = {
			.from = kp_etcd_key_part(&parts, index),
			.to = kp_etcd_key_part(&parts, record->num_parts),
			.limit = PARTS_PER_PAGE,
			.revision = state->revision,
			.deadline_ms = state->deadline_ms,
			.is_serializable = true,
		};

		if (!add_page(etcd, &span, &parts, &index, of, set, err))
			return false;
	}
	return true;
}

/* All entries of a record, which becomes the set's. */
static bool
add_record(struct kp_etcd *etcd, const struct kp_etcd_state *state,
    enum kp_etcd_family family, uint64_t number, kp_etcd_record **record,
    struct kp_etcd_set *set, struct kp_error *err)
{
	kp_etcd_record *taken = *record;
	size_t before = set->num;
	bool is_ok;

	*record = NULL;
	if (!hold(set, &taken->base, err))
		return false;
	if (taken->inline_part != NULL)
		is_ok = count_len(set, (size_t)taken->parts_len, err) &&
			add_part(set, taken->inline_part,
			    family == KP_ETCD_PARTS ? number : 0, err);
	else
		is_ok = add_parts(etcd, state, family, number, taken, set, err);
	if (is_ok && set->num - before != taken->num_entries)
		return missing("entries", number, err);
	return is_ok;
}

bool
kp_etcd_snapshot_find(struct kp_etcd *etcd, const struct kp_etcd_state *state,
    uint64_t at, uint64_t *out_number, kp_etcd_record **out, bool *out_is_late,
    struct kp_error *err)
{
	struct kp_etcd_span span = {
		.from = kp_etcd_key_number(etcd->prefix, KP_ETCD_SNAPSHOTS, 0),
		.to =
		    kp_etcd_key_number(etcd->prefix, KP_ETCD_SNAPSHOTS, at + 1),
		.limit = 1,
		.revision = state->revision,
		.deadline_ms = state->deadline_ms,
		.is_serializable = true,
		.is_descending = true,
	};
	enum kp_rpc_code code;
	Etcdserverpb__RangeResponse *page =
	    kp_etcd_read(etcd, &span, NULL, &code, err);
	bool is_ok = page != NULL;

	*out_number = 0;
	*out = NULL;
	*out_is_late = !is_ok && is_late(code);
	if (is_ok && page->n_kvs > 0) {
		const Etcdserverpb__KeyValue *pair = page->kvs[0];

		is_ok =
		    kp_etcd_key_number_parse(etcd->prefix, KP_ETCD_SNAPSHOTS,
			kp_etcd_bytes(pair->key), out_number) &&
		    *out_number <= at;
		if (!is_ok)
			(void)missing("a snapshot", at, err);
		else
			*out = kp_etcd_record_decode(
			    kp_etcd_bytes(pair->value), err);
		is_ok = *out != NULL;
	}
	if (page != NULL)
		kp_unpacked_free(&page->base);
	return is_ok;
}

/* The record of one key, which must be that of number. */
static bool
visit_pair(struct kp_etcd *etcd, const Etcdserverpb__KeyValue *pair,
    uint64_t number, const struct kp_etcd_visitor *visitor,
    struct kp_error *err)
{
	struct kp_etcd_key key =
	    kp_etcd_key_number(etcd->prefix, KP_ETCD_REVISIONS, number);
	kp_etcd_record *record;
	bool is_ok;

	if (!kp_bytes_equal(kp_etcd_bytes(pair->key), kp_bytes_of(key.text)))
		return missing("the record", number, err);
	record = kp_etcd_record_decode(kp_etcd_bytes(pair->value), err);
	if (record == NULL)
		return false;
	is_ok = visitor->visit(visitor->ctx, number, &record, err);
	if (record != NULL)
		kp_unpacked_free(&record->base);
	return is_ok;
}

bool
kp_etcd_records(struct kp_etcd *etcd, const struct kp_etcd_state *state,
    uint64_t after, uint64_t last, const struct kp_etcd_visitor *visitor,
    struct kp_error *err)
{
	uint64_t number = after + 1;
	bool is_ok = true;

	*visitor->is_late = false;
	while (is_ok && number <= last) {
		struct kp_etcd_span span = {
			.from = kp_etcd_key_number(
			    etcd->prefix, KP_ETCD_REVISIONS, number),
			.to = kp_etcd_key_number(
			    etcd->prefix, KP_ETCD_REVISIONS, last + 1),
			.limit = RECORDS_PER_PAGE,
			.revision = state->revision,
			.deadline_ms = state->deadline_ms,
			.is_serializable = true,
		};
		enum kp_rpc_code code;
		Etcdserverpb__RangeResponse *page =
		    kp_etcd_read(etcd, &span, NULL, &code, err);

		if (page == NULL) {
			*visitor->is_late = is_late(code);
			return false;
		}
		if (page->n_kvs == 0)
			is_ok = missing("the record", number, err);
		for (size_t i = 0; is_ok && i < page->n_kvs; i++, number++)
			is_ok = visit_pair(
			    etcd, page->kvs[i], number, visitor, err);
		kp_unpacked_free(&page->base);
	}
	return is_ok;
}

/* What a walk over records works with. */
struct walk {
	struct kp_etcd *etcd;
	const struct kp_etcd_state *state;
	struct kp_etcd_set *set;
	kp_visit_revision visit; /* of a history */
	void *ctx;
	uint64_t done; /* the last one visited */
	bool is_late;
};

static bool
add_walked(
    void *ctx, uint64_t number, kp_etcd_record **record, struct kp_error *err)
{
	struct walk *walk = ctx;

	return add_record(walk->etcd, walk->state, KP_ETCD_PARTS, number,
	    record, walk->set, err);
}

/* By kind and name, the oldest first. */
static int
compare(const void *a, const void *b)
{
	const kp_etcd_entry *left = *(const kp_etcd_entry *const *)a;
	const kp_etcd_entry *right = *(const kp_etcd_entry *const *)b;
	int order =
	    kp_items_compare(left->kind, left->name, right->kind, right->name);

	if (order != 0)
		return order;
	return left->revision < right->revision
		   ? -1
		   : left->revision > right->revision;
}

static bool
is_same(const kp_etcd_entry *left, const kp_etcd_entry *right)
{
	return kp_items_compare(
		   left->kind, left->name, right->kind, right->name) == 0;
}

/* Of each resource its last change stays, unless it was removed. */
static void
settle(struct kp_etcd_set *set)
{
	size_t num = 0;

	if (set->num > 0)
		qsort(set->entries, set->num, sizeof(*set->entries), compare);
	for (size_t i = 0; i < set->num; i++) {
		const kp_etcd_entry *entry = set->entries[i];

		if (i + 1 < set->num && is_same(entry, set->entries[i + 1]))
			continue;
		if (!entry->is_removed)
			set->entries[num++] = entry;
	}
	set->num = num;
}

bool
kp_etcd_collect(struct kp_etcd *etcd, const struct kp_etcd_state *state,
    uint64_t at, struct kp_etcd_set *set, struct kp_error *err)
{
	struct walk walk = { .etcd = etcd, .state = state, .set = set };
	const struct kp_etcd_visitor visitor = { add_walked, &walk,
		&set->is_late };
	kp_etcd_record *snapshot;
	uint64_t since;

	if (!kp_etcd_snapshot_find(
		etcd, state, at, &since, &snapshot, &set->is_late, err))
		return false;
	if (snapshot != NULL && !add_record(etcd, state, KP_ETCD_SNAPSHOT_PARTS,
				    since, &snapshot, set, err))
		return false;
	if (!kp_etcd_records(etcd, state, since, at, &visitor, err))
		return false;
	settle(set);
	return true;
}

enum kp_store_result
kp_etcd_store_load(struct kp_store *store, uint64_t at, kp_visit_item visit,
    void *ctx, int64_t deadline_ms, struct kp_error *err)
{
	struct kp_etcd *etcd = (struct kp_etcd *)store;
	struct kp_etcd_set set = { .is_late = true };
	bool is_ok = false;

	for (int i = 0; i < MAX_TRIES && !is_ok && set.is_late; i++) {
		struct kp_etcd_state state;
		enum kp_store_result result =
		    kp_etcd_state_at(etcd, at, at, deadline_ms, &state, err);

		if (result != KP_STORE_OK)
			return result;
		kp_etcd_set_fini(&set);
		kp_etcd_set_init(&set, etcd->max_state_len);
		is_ok = kp_etcd_collect(etcd, &state, at, &set, err);
	}
	for (size_t i = 0; is_ok && i < set.num; i++) {
		struct kp_store_change change =
		    kp_etcd_change_of(set.entries[i]);
		const struct kp_store_item item = { change.kind, change.name,
			change.text, set.entries[i]->revision };

		visit(ctx, &item);
	}
	kp_etcd_set_fini(&set);
	return is_ok ? KP_STORE_OK : kp_etcd_read_failed(deadline_ms, err);
}

static void
show(const struct walk *walk, uint64_t number, const kp_etcd_record *record)
{
	struct kp_store_change *changes =
	    kp_alloc(walk->set->num + 1, sizeof(*changes));
	const struct kp_store_revision revision = {
		.number = number,
		.note = { record->identity, record->reason, record->time_ms },
		.changes = changes,
		.num_changes = walk->set->num,
	};

	for (size_t i = 0; i < walk->set->num; i++)
		changes[i] = kp_etcd_change_of(walk->set->entries[i]);
	walk->visit(walk->ctx, &revision);
	free(changes);
}

static bool
show_walked(
    void *ctx, uint64_t number, kp_etcd_record **record, struct kp_error *err)
{
	struct walk *walk = ctx;
	const kp_etcd_record *shown = *record;
	struct kp_etcd_set set;
	bool is_ok;

	kp_etcd_set_init(&set, walk->etcd->max_state_len);
	walk->set = &set;
	is_ok = add_record(
	    walk->etcd, walk->state, KP_ETCD_PARTS, number, record, &set, err);
	if (is_ok)
		show(walk, number, shown);
	if (is_ok)
		walk->done = number;
	walk->is_late = set.is_late;
	walk->set = NULL;
	kp_etcd_set_fini(&set);
	return is_ok;
}

enum kp_store_result
kp_etcd_store_history(struct kp_store *store, uint64_t after, uint64_t last,
    kp_visit_revision visit, void *ctx, int64_t deadline_ms,
    struct kp_error *err)
{
	struct kp_etcd *etcd = (struct kp_etcd *)store;
	struct walk walk = {
		.etcd = etcd, .visit = visit, .ctx = ctx, .done = after
	};
	const struct kp_etcd_visitor visitor = { show_walked, &walk,
		&walk.is_late };
	bool is_ok = false;

	walk.is_late = true;
	for (int i = 0; i < MAX_TRIES && !is_ok && walk.is_late; i++) {
		struct kp_etcd_state state;
		enum kp_store_result result = kp_etcd_state_at(
		    etcd, walk.done, last, deadline_ms, &state, err);

		if (result != KP_STORE_OK)
			return walk.done == after || result == KP_STORE_LATE
				   ? result
				   : KP_STORE_FAILED;
		walk.state = &state;
		is_ok = kp_etcd_records(etcd, &state, walk.done,
		    last < state.newest ? last : state.newest, &visitor, err);
	}
	return is_ok ? KP_STORE_OK : kp_etcd_read_failed(deadline_ms, err);
}
