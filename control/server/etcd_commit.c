/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A commit: entries that are too many for one request are written first, under
 * the name of the attempt, where nobody looks. Then one transaction makes the
 * revision visible, if base is still the newest. It may be sent any number of
 * times: once it is done, it fails and finds its own attempt.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "control/server/etcd_priv.h"
#include "control/server/items.h"
#include "proto/control/unpack.h"

/* Changes as sorted entries. */
struct sorted {
	kp_etcd_entry *entries;
	const kp_etcd_entry **list;
	size_t num, len;
};

static int
compare(const void *a, const void *b)
{
	const kp_etcd_entry *left = *(const kp_etcd_entry *const *)a;
	const kp_etcd_entry *right = *(const kp_etcd_entry *const *)b;

	return kp_items_compare(
	    left->kind, left->name, right->kind, right->name);
}

static void
sorted_fini(struct sorted *sorted)
{
	free(sorted->entries);
	free(sorted->list);
}

static void
sort_changes(
    struct sorted *out, const struct kp_store_change *changes, size_t num)
{
	*out = (struct sorted){
		.entries = kp_alloc(num + 1, sizeof(*out->entries)),
		.list = kp_alloc(num + 1, sizeof(kp_etcd_entry *)),
		.num = num,
	};
	for (size_t i = 0; i < num; i++) {
		kp_etcd_entry_of(&out->entries[i], &changes[i], 0);
		out->list[i] = &out->entries[i];
		out->len += kp_etcd_entry_len(&out->entries[i]);
	}
	qsort(out->list, num, sizeof(kp_etcd_entry *), compare);
}

static enum kp_store_result
check_sorted(
    struct kp_etcd *etcd, const struct sorted *sorted, struct kp_error *err)
{
	if (sorted->len > etcd->max_commit_len) {
		(void)kp_error_set(err, KP_ERR_LIMIT,
		    "changes of %zu bytes, at most %zu are allowed at once",
		    sorted->len, etcd->max_commit_len);
		return KP_STORE_INVALID;
	}
	for (size_t i = 1; i < sorted->num; i++) {
		if (compare(&sorted->list[i - 1], &sorted->list[i]) != 0)
			continue;
		(void)kp_error_set(err, KP_ERR_CONFIG, "%s/%s is changed twice",
		    sorted->list[i]->kind, sorted->list[i]->name);
		return KP_STORE_FAILED;
	}
	return KP_STORE_OK;
}

static kp_etcd_part
part_of(const kp_etcd_entry *const *entries, size_t num)
{
	kp_etcd_part part;

	kproxy__store__v1__part__init(&part);
	part.entries = (kp_etcd_entry **)(uintptr_t)entries;
	part.n_entries = num;
	return part;
}

static bool
write_part(struct kp_etcd *etcd, const struct kp_etcd_key *key,
    const kp_etcd_part *part, size_t *out_len, struct kp_error *err)
{
	size_t len = kproxy__store__v1__part__get_packed_size(part);
	uint8_t *packed = kp_try_alloc(len + 1);
	bool is_ok = packed != NULL;

	if (!is_ok)
		return kp_error_set(err, KP_ERR_LIMIT, "no memory");
	(void)kproxy__store__v1__part__pack(part, packed);
	*out_len = len;
	is_ok = kp_etcd_write(
	    etcd, key, (struct kp_bytes){ packed, len }, NULL, err);
	free(packed);
	return is_ok;
}

bool
kp_etcd_write_parts(struct kp_etcd *etcd, enum kp_etcd_family family,
    uint64_t number, const kp_etcd_entry *const *entries,
    kp_etcd_record *record, struct kp_error *err)
{
	struct kp_etcd_key parts = kp_etcd_key_parts(
	    etcd->prefix, family, number, (const char *)record->attempt.data);
	size_t done = 0, num = (size_t)record->num_entries;

	while (done < num) {
		size_t len,
		    step = kp_etcd_next_part(entries + done, num - done, &len);
		struct kp_etcd_key key =
		    kp_etcd_key_part(&parts, record->num_parts);
		kp_etcd_part part = part_of(entries + done, step);

		if (!write_part(etcd, &key, &part, &len, err))
			return false;
		record->parts_len += len;
		record->num_parts++;
		done += step;
	}
	return true;
}

bool
kp_etcd_drop_parts(struct kp_etcd *etcd, enum kp_etcd_family family,
    uint64_t number, const char *attempt, struct kp_error *err)
{
	struct kp_etcd_key from =
	    kp_etcd_key_parts(etcd->prefix, family, number, attempt);
	struct kp_etcd_key to =
	    kp_etcd_key_parts_end(etcd->prefix, family, number, attempt);

	return kp_etcd_remove(etcd, &from, &to, err);
}

/* One commit under way. */
struct attempt {
	struct kp_etcd *etcd;
	uint64_t base;
	char name[KP_ETCD_ATTEMPT_LEN + 1];
	kp_etcd_record record;
	kp_etcd_part part; /* if it is inline */
};

static void
attempt_init(struct attempt *out, struct kp_etcd *etcd, uint64_t base,
    const struct kp_store_note *note, size_t num_changes)
{
	kp_etcd_record *record = &out->record;

	*out = (struct attempt){ .etcd = etcd, .base = base };
	kp_etcd_attempt_new(out->name);
	kproxy__store__v1__record__init(record);
	record->attempt.data = (uint8_t *)out->name;
	record->attempt.len = KP_ETCD_ATTEMPT_LEN;
	record->identity = (char *)(uintptr_t)note->identity;
	record->reason = (char *)(uintptr_t)note->reason;
	record->time_ms = note->time_ms;
	record->num_entries = num_changes;
}

static enum kp_store_result
conflict(uint64_t base, uint64_t newest, struct kp_error *err)
{
	(void)kp_error_set(err, KP_ERR_CONFIG,
	    "based on revision %llu, but there is %llu already",
	    (unsigned long long)base, (unsigned long long)newest);
	return KP_STORE_CONFLICT;
}

/* Before much is written for nothing. */
static enum kp_store_result
check_base(struct kp_etcd *etcd, uint64_t base, struct kp_error *err)
{
	struct kp_etcd_state state;

	if (!kp_etcd_state_read(etcd, false, NULL, &state, err))
		return KP_STORE_FAILED;
	if (state.newest != base)
		return conflict(base, state.newest, err);
	return KP_STORE_OK;
}

static enum kp_store_result
write_changes(
    struct attempt *attempt, const struct sorted *sorted, struct kp_error *err)
{
	kp_etcd_record *record = &attempt->record;
	enum kp_store_result result;

	if (sorted->len <= KP_ETCD_MAX_INLINE_LEN) {
		attempt->part = part_of(sorted->list, sorted->num);
		record->inline_part = &attempt->part;
		record->parts_len =
		    kproxy__store__v1__part__get_packed_size(&attempt->part);
		return KP_STORE_OK;
	}
	result = check_base(attempt->etcd, attempt->base, err);
	if (result != KP_STORE_OK)
		return result;
	if (kp_etcd_write_parts(attempt->etcd, KP_ETCD_PARTS, attempt->base + 1,
		sorted->list, record, err))
		return KP_STORE_OK;
	/* of parts alone nobody knows: nothing has been done */
	if (err->kind != KP_ERR_LIMIT)
		err->kind = KP_ERR_UNAVAILABLE;
	return KP_STORE_FAILED;
}

/* Whose is the revision that is there instead of ours? */
static enum kp_store_result
judge_record(const struct attempt *attempt, struct kp_bytes value,
    uint64_t newest, bool *is_unknown, struct kp_error *err)
{
	kp_etcd_record *record = NULL;
	bool is_ours;

	if (value.data != NULL)
		record = kp_etcd_record_decode(value, err);
	if (record == NULL && newest > attempt->base && *is_unknown) {
		(void)kp_error_set(err, KP_ERR_TIMEOUT,
		    "revision %llu cannot be read any more; it may be this one",
		    (unsigned long long)attempt->base + 1);
		return KP_STORE_FAILED;
	}
	*is_unknown = false;
	is_ours = record != NULL && memcmp(record->attempt.data, attempt->name,
					KP_ETCD_ATTEMPT_LEN) == 0;
	if (record != NULL)
		kp_unpacked_free(&record->base);
	return is_ours ? KP_STORE_OK : conflict(attempt->base, newest, err);
}

static enum kp_store_result
judge(const struct attempt *attempt, const Etcdserverpb__TxnResponse *answer,
    bool *is_unknown, struct kp_error *err)
{
	struct kp_bytes text = kp_etcd_txn_found(answer, 1);
	struct kp_bytes form = kp_etcd_txn_found(answer, 2);
	uint64_t newest = 0, number;

	if (form.data != NULL &&
	    (!kp_etcd_number_parse(form, &number) || number != KP_ETCD_FORM)) {
		(void)kp_error_set(err, KP_ERR_CONFIG,
		    "etcd has been taken over by a newer version of kpserver; "
		    "upgrade");
		return KP_STORE_FAILED;
	}
	if (text.data != NULL && !kp_etcd_number_parse(text, &newest)) {
		(void)kp_error_set(err, KP_ERR_CONFIG,
		    "damaged: state/newest; restore etcd from a backup");
		return KP_STORE_FAILED;
	}
	return judge_record(
	    attempt, kp_etcd_txn_found(answer, 0), newest, is_unknown, err);
}

static Etcdserverpb__TxnResponse *
run_txn(const struct attempt *attempt, struct kp_bytes record,
    bool *out_is_unknown, struct kp_error *err)
{
	const char *prefix = attempt->etcd->prefix;
	struct kp_etcd_key newest = kp_etcd_key_state(prefix, "newest");
	struct kp_etcd_key form = kp_etcd_key_state(prefix, "form");
	struct kp_etcd_key revision =
	    kp_etcd_key_number(prefix, KP_ETCD_REVISIONS, attempt->base + 1);
	char before[KP_ETCD_NUMBER_SIZE], after[KP_ETCD_NUMBER_SIZE];
	char our_form[KP_ETCD_NUMBER_SIZE];
	bool is_first = attempt->base == 0;
	struct kp_etcd_txn txn;

	kp_etcd_number_format(before, attempt->base);
	kp_etcd_number_format(after, attempt->base + 1);
	kp_etcd_number_format(our_form, KP_ETCD_FORM);
	kp_etcd_txn_init(&txn);
	kp_etcd_txn_if(&txn, &newest, is_first ? NULL : before);
	kp_etcd_txn_if(&txn, &form, is_first ? NULL : our_form);
	kp_etcd_txn_put(&txn, &newest, kp_bytes_of(after), 0);
	kp_etcd_txn_put(&txn, &revision, record, 0);
	if (is_first)
		kp_etcd_txn_put(&txn, &form, kp_bytes_of(our_form), 0);
	kp_etcd_txn_else_read(&txn, &revision);
	kp_etcd_txn_else_read(&txn, &newest);
	kp_etcd_txn_else_read(&txn, &form);
	return kp_etcd_txn_run(attempt->etcd, &txn, NULL, out_is_unknown, err);
}

static enum kp_store_result
publish(
    const struct attempt *attempt, bool *out_is_unknown, struct kp_error *err)
{
	size_t len =
	    kproxy__store__v1__record__get_packed_size(&attempt->record);
	uint8_t *packed = kp_alloc(1, len + 1);
	Etcdserverpb__TxnResponse *answer;
	enum kp_store_result result = KP_STORE_FAILED;

	(void)kproxy__store__v1__record__pack(&attempt->record, packed);
	answer = run_txn(
	    attempt, (struct kp_bytes){ packed, len }, out_is_unknown, err);
	if (answer != NULL) {
		result = answer->succeeded
			     ? KP_STORE_OK
			     : judge(attempt, answer, out_is_unknown, err);
		kp_unpacked_free(&answer->base);
	}
	free(packed);
	return result;
}

static enum kp_store_result
try_commit(
    struct attempt *attempt, const struct sorted *sorted, struct kp_error *err)
{
	enum kp_store_result result = write_changes(attempt, sorted, err);
	bool is_unknown = false;
	struct kp_error ignored;

	if (result == KP_STORE_OK)
		result = publish(attempt, &is_unknown, err);
	/* what may have become a revision is not to be taken from it */
	if (result != KP_STORE_OK && !is_unknown &&
	    attempt->record.num_parts > 0)
		(void)!kp_etcd_drop_parts(attempt->etcd, KP_ETCD_PARTS,
		    attempt->base + 1, attempt->name, &ignored);
	return result;
}

enum kp_store_result
kp_etcd_store_commit(struct kp_store *store, uint64_t base,
    const struct kp_store_note *note, const struct kp_store_change *changes,
    size_t num_changes, uint64_t *out_number, struct kp_error *err)
{
	struct kp_etcd *etcd = (struct kp_etcd *)store;
	struct sorted sorted;
	struct attempt attempt;
	enum kp_store_result result;

	sort_changes(&sorted, changes, num_changes);
	attempt_init(&attempt, etcd, base, note, num_changes);
	result = check_sorted(etcd, &sorted, err);
	if (result == KP_STORE_OK)
		result = try_commit(&attempt, &sorted, err);
	if (result == KP_STORE_OK)
		*out_number = base + 1;
	sorted_fini(&sorted);
	return result;
}
