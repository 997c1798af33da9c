/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/etcd_values.h"

#include <string.h>

#include "control/server/etcd_keys.h"
#include "proto/control/unpack.h"

/* A part of the smallest entries takes less in memory. */
#define MAX_UNFOLDED_LEN (64u << 20)
#define MAX_RECORD_LEN \
	(KP_ETCD_MAX_INLINE_LEN + 2 * KP_STORE_MAX_NOTE_LEN + 4096)
#define ENTRY_OVERHEAD 8 /* tag and length of an entry in a part */

/* What there was no memory for may be whole. */
static void *
refuse(ProtobufCMessage *message, const char *what, struct kp_error *err)
{
	if (message == NULL && err->kind == KP_ERR_LIMIT)
		return NULL;
	kp_unpacked_free(message);
	(void)kp_error_set(err, KP_ERR_CONFIG,
	    "damaged: %s; restore etcd from a backup", what);
	return NULL;
}

static bool
is_name(const char *name)
{
	size_t len = strnlen(name, KP_STORE_MAX_NAME_LEN + 1);

	return len > 0 && len <= KP_STORE_MAX_NAME_LEN;
}

static bool
is_part(const kp_etcd_part *part)
{
	for (size_t i = 0; i < part->n_entries; i++) {
		const kp_etcd_entry *entry = part->entries[i];

		if (!is_name(entry->kind) || !is_name(entry->name) ||
		    entry->text.len > KP_STORE_MAX_TEXT_LEN ||
		    (entry->is_removed && entry->text.len > 0))
			return false;
	}
	return true;
}

static bool
is_record(const kp_etcd_record *record)
{
	return record->attempt.len == KP_ETCD_ATTEMPT_LEN &&
	       strlen(record->identity) <= KP_STORE_MAX_NOTE_LEN &&
	       strlen(record->reason) <= KP_STORE_MAX_NOTE_LEN &&
	       (record->inline_part == NULL) == (record->num_parts > 0) &&
	       (record->inline_part == NULL || is_part(record->inline_part));
}

kp_etcd_record *
kp_etcd_record_decode(struct kp_bytes value, struct kp_error *err)
{
	ProtobufCMessage *message = NULL;

	err->kind = KP_ERR_NONE;
	if (value.len <= MAX_RECORD_LEN)
		message = kp_unpack(&kproxy__store__v1__record__descriptor,
		    value, MAX_UNFOLDED_LEN, err);
	if (message == NULL || !is_record((kp_etcd_record *)message))
		return refuse(message, "no record of a revision", err);
	return (kp_etcd_record *)message;
}

kp_etcd_part *
kp_etcd_part_decode(struct kp_bytes value, struct kp_error *err)
{
	ProtobufCMessage *message = NULL;

	err->kind = KP_ERR_NONE;
	if (value.len <= KP_ETCD_MAX_PART_LEN)
		message = kp_unpack(&kproxy__store__v1__part__descriptor, value,
		    MAX_UNFOLDED_LEN, err);
	if (message == NULL || !is_part((kp_etcd_part *)message))
		return refuse(message, "no part of a revision", err);
	return (kp_etcd_part *)message;
}

void
kp_etcd_entry_of(
    kp_etcd_entry *out, const struct kp_store_change *change, uint64_t revision)
{
	kproxy__store__v1__entry__init(out);
	out->kind = (char *)(uintptr_t)change->kind;
	out->name = (char *)(uintptr_t)change->name;
	out->text.data = (uint8_t *)(uintptr_t)change->text.data;
	out->text.len = change->text.len;
	out->is_removed = change->text.data == NULL;
	out->is_new = change->is_new;
	out->revision = revision;
}

struct kp_store_change
kp_etcd_change_of(const kp_etcd_entry *entry)
{
	struct kp_store_change change = {
		.kind = entry->kind,
		.name = entry->name,
		.text = { entry->text.data, entry->text.len },
		.is_new = entry->is_new,
	};

	if (!entry->is_removed && change.text.len == 0)
		change.text.data = (const uint8_t *)"";
	if (entry->is_removed)
		change.text.data = NULL;
	return change;
}

size_t
kp_etcd_entry_len(const kp_etcd_entry *entry)
{
	return kproxy__store__v1__entry__get_packed_size(entry) +
	       ENTRY_OVERHEAD;
}

size_t
kp_etcd_next_part(
    const kp_etcd_entry *const *entries, size_t num, size_t *out_len)
{
	size_t i;

	*out_len = 0;
	for (i = 0; i < num; i++) {
		size_t len = kp_etcd_entry_len(entries[i]);

		if (i > 0 && *out_len + len > KP_ETCD_MAX_PART_LEN)
			break;
		*out_len += len;
	}
	return i;
}
