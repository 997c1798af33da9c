/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an etcd that is damaged, or somebody else's, may give back: a record, a
 * part, a number, a key. The first byte says which.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "control/server/etcd_keys.h"
#include "control/server/etcd_values.h"
#include "proto/control/unpack.h"

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(
	    struct kp_bytes) = { try_record, try_part, try_number, try_key };

	if (size > 0)
		tries[data[0] % 4]((struct kp_bytes){ data + 1, size - 1 });
	return 0;
}
