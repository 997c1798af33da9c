/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an etcd that is damaged, or somebody else's, may give back: a record, a
 * part, a number, a key, or keys and values of a whole store, which is read in
 * all ways. The first byte says which.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/server/etcd_priv.h"
#include "control/server/items.h"
#include "proto/control/unpack.h"
#include "tests/fuzz/etcd_shelf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken is within the limits of a store, and goes back in. */
static void
check_part(const kp_etcd_part *part)
{
	const kp_etcd_entry *const *entries =
	    (const kp_etcd_entry *const *)part->entries;
	size_t done = 0, len;

	for (size_t i = 0; i < part->n_entries; i++) {
		struct kp_store_change change = kp_etcd_change_of(entries[i]);

		kp_assert(change.kind[0] != '\0' && change.name[0] != '\0');
		kp_assert(strlen(change.kind) <= KP_STORE_MAX_NAME_LEN);
		kp_assert(strlen(change.name) <= KP_STORE_MAX_NAME_LEN);
		kp_assert(change.text.len <= KP_STORE_MAX_TEXT_LEN);
		kp_assert((change.text.data == NULL) ==
			  (entries[i]->is_removed != 0));
	}
	while (done < part->n_entries) {
		size_t step = kp_etcd_next_part(
		    entries + done, part->n_entries - done, &len);

		kp_assert(step > 0);
		done += step;
	}
}

static void
try_part(struct kp_bytes value)
{
	struct kp_error err = { .kind = KP_ERR_NONE };
	kp_etcd_part *part = kp_etcd_part_decode(value, &err);

	kp_assert((part == NULL) == (err.kind == KP_ERR_CONFIG));
	if (part == NULL)
		return;
	check_part(part);
	kp_unpacked_free(&part->base);
}

static void
try_record(struct kp_bytes value)
{
	struct kp_error err = { .kind = KP_ERR_NONE };
	kp_etcd_record *record = kp_etcd_record_decode(value, &err);

	kp_assert((record == NULL) == (err.kind == KP_ERR_CONFIG));
	if (record == NULL)
		return;
	kp_assert(record->attempt.len == KP_ETCD_ATTEMPT_LEN);
	kp_assert((record->inline_part == NULL) == (record->num_parts > 0));
	if (record->inline_part != NULL)
		check_part(record->inline_part);
	kp_unpacked_free(&record->base);
}

/* A number that is read is written the same. */
static void
try_number(struct kp_bytes value)
{
	char text[KP_ETCD_NUMBER_SIZE];
	uint64_t number;

	if (!kp_etcd_number_parse(value, &number))
		return;
	kp_etcd_number_format(text, number);
	kp_assert(kp_bytes_equal(kp_bytes_of(text), value));
}

/* And so is the start of a key. */
static void
try_key(struct kp_bytes value)
{
	char attempt[KP_ETCD_ATTEMPT_LEN + 1];
	struct kp_etcd_key key;
	uint64_t number;

	if (kp_etcd_key_parse("/k/", KP_ETCD_PARTS, value, &number, attempt)) {
		key = kp_etcd_key_parts("/k/", KP_ETCD_PARTS, number, attempt);
		kp_assert(strlen(key.text) <= value.len);
		kp_assert(memcmp(key.text, value.data, strlen(key.text)) == 0);
	}
	if (!kp_etcd_key_number_parse("/k/", KP_ETCD_SNAPSHOTS, value, &number))
		return;
	key = kp_etcd_key_number("/k/", KP_ETCD_SNAPSHOTS, number);
	kp_assert(kp_bytes_equal(kp_bytes_of(key.text), value));
}

/* What a load has visited last, and how often. */
struct seen {
	char kind[KP_STORE_MAX_NAME_LEN + 1], name[KP_STORE_MAX_NAME_LEN + 1];
	uint64_t next, last; /* of a history */
};

/* Each resource once, in order. */
static void
see_item(void *ctx, const struct kp_store_item *item)
{
	struct seen *seen = ctx;

	kp_assert(item->text.data != NULL);
	kp_assert(kp_items_compare(
		      seen->kind, seen->name, item->kind, item->name) < 0);
	(void)snprintf(seen->kind, sizeof(seen->kind), "%s", item->kind);
	(void)snprintf(seen->name, sizeof(seen->name), "%s", item->name);
}

/* Each revision that was asked for, and no other one. */
static void
see_revision(void *ctx, const struct kp_store_revision *revision)
{
	struct seen *seen = ctx;

	kp_assert(revision->number == seen->next++);
	kp_assert(revision->number <= seen->last);
	for (size_t i = 0; i < revision->num_changes; i++)
		kp_assert(revision->changes[i].kind[0] != '\0' &&
			  revision->changes[i].name[0] != '\0');
}

static void
see_record(void *ctx, const struct kp_store_record *record)
{
	(void)ctx;
	kp_assert(record->name[0] != '\0');
	kp_assert(record->data.data != NULL);
}

/* After a failure there is a reason. */
static void
check_result(enum kp_store_result result, const struct kp_error *err)
{
	kp_assert(result == KP_STORE_OK || err->kind != KP_ERR_NONE);
}

static void
read_store(struct kp_etcd *etcd, uint64_t at, uint64_t after, uint64_t last)
{
	struct seen seen = { .next = after + 1, .last = last };
	struct kp_error err = { .kind = KP_ERR_NONE };
	enum kp_store_result result = kp_etcd_store_load(
	    &etcd->store, at, see_item, &seen, KP_NEVER, &err);

	check_result(result, &err);
	err.kind = KP_ERR_NONE;
	result = kp_etcd_store_history(
	    &etcd->store, after, last, see_revision, &seen, KP_NEVER, &err);
	check_result(result, &err);
	err.kind = KP_ERR_NONE;
	result = kp_etcd_store_each_record(
	    &etcd->store, "nodes", see_record, NULL, &err);
	check_result(result, &err);
}

static void
try_store(struct kp_bytes value)
{
	struct kp_etcd etcd = { .max_state_len = 65536 };
	char prefix[] = KP_FUZZ_ETCD_PREFIX;
	uint8_t how, range;

	if (value.len < 2)
		return;
	how = value.data[0];
	range = value.data[1];
	etcd.prefix = prefix;
	kp_fuzz_shelf_put((struct kp_bytes){ value.data + 2, value.len - 2 },
	    (how & 1) == 0, (how & 2) != 0);
	read_store(
	    &etcd, how >> 4, range & 15, (uint64_t)(range & 15) + (range >> 4));
	kp_fuzz_shelf_clear();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(struct kp_bytes) = { try_record, try_part,
		try_number, try_key, try_store };

	if (size > 0)
		tries[data[0] % 5]((struct kp_bytes){ data + 1, size - 1 });
	return 0;
}
