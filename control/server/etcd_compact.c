/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots, and what is forgotten: compaction says which revisions can be read
 * no more, and then removes all that no state since then rests on. A sweep
 * removes parts of attempts that came to nothing: of a number that is taken,
 * only the attempt whose record is there can ever be read.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "control/server/etcd_priv.h"
#include "proto/control/unpack.h"

/* All keys of a family with numbers from 0 on, up to but without end. */
static bool
remove_until(struct kp_etcd *etcd, enum kp_etcd_family family, uint64_t end,
    struct kp_error *err)
{
	struct kp_etcd_key from = kp_etcd_key_number(etcd->prefix, family, 0);
	struct kp_etcd_key to = kp_etcd_key_number(etcd->prefix, family, end);

	return kp_etcd_remove(etcd, &from, &to, err);
}

/* The newest snapshot that may serve stays, and what came after it. */
static bool
forget(struct kp_etcd *etcd, struct kp_error *err)
{
	struct kp_etcd_state state;
	kp_etcd_record *record;
	uint64_t number;
	bool is_late;

	if (!kp_etcd_state_read(etcd, false, NULL, &state, err) ||
	    !kp_etcd_snapshot_find(
		etcd, &state, state.oldest, &number, &record, &is_late, err))
		return false;
	if (record == NULL)
		return true;
	kp_unpacked_free(&record->base);
	return remove_until(etcd, KP_ETCD_SNAPSHOTS, number, err) &&
	       remove_until(etcd, KP_ETCD_SNAPSHOT_PARTS, number, err) &&
	       remove_until(etcd, KP_ETCD_REVISIONS, number + 1, err) &&
	       remove_until(etcd, KP_ETCD_PARTS, number + 1, err);
}

/* Moves the oldest revision on, unless another server has moved it. */
static bool
move_oldest(struct kp_etcd *etcd, uint64_t from, uint64_t to,
    bool *out_is_moved, struct kp_error *err)
{
	struct kp_etcd_key oldest = kp_etcd_key_state(etcd->prefix, "oldest");
	char before[KP_ETCD_NUMBER_SIZE], after[KP_ETCD_NUMBER_SIZE];
	Etcdserverpb__TxnResponse *answer;
	struct kp_etcd_txn txn;

	kp_etcd_number_format(before, from);
	kp_etcd_number_format(after, to);
	kp_etcd_txn_init(&txn);
	kp_etcd_txn_if(&txn, &oldest, from == 0 ? NULL : before);
	kp_etcd_txn_put(&txn, &oldest, kp_bytes_of(after), 0);
	answer = kp_etcd_txn_run(etcd, &txn, NULL, NULL, err);
	if (answer == NULL)
		return false;
	*out_is_moved = answer->succeeded != 0;
	kp_unpacked_free(&answer->base);
	return true;
}

enum kp_store_result
kp_etcd_store_compact(
    struct kp_store *store, uint64_t oldest, struct kp_error *err)
{
	struct kp_etcd *etcd = (struct kp_etcd *)store;
	bool is_moved = false;

	while (!is_moved) {
		struct kp_etcd_state state;

		if (!kp_etcd_state_read(etcd, false, NULL, &state, err))
			return KP_STORE_FAILED;
		if (oldest > state.newest) {
			(void)kp_error_set(err, KP_ERR_CONFIG,
			    "there is no revision %llu yet",
			    (unsigned long long)oldest);
			return KP_STORE_INVALID;
		}
		if (oldest <= state.oldest)
			break;
		if (!move_oldest(etcd, state.oldest, oldest, &is_moved, err))
			return KP_STORE_FAILED;
	}
	if (!forget(etcd, err))
		return KP_STORE_FAILED;
	kp_mutex_lock(&etcd->lock);
	etcd->is_sweep_due = etcd->is_poked = true;
	kp_cond_broadcast(&etcd->told);
	kp_mutex_unlock(&etcd->lock);
	return KP_STORE_OK;
}

/* Is value the record of that attempt? false if it cannot be read. */
static bool
is_of(
    struct kp_bytes value, const char *attempt, bool *out, struct kp_error *err)
{
	kp_etcd_record *record = kp_etcd_record_decode(value, err);

	*out = false;
	if (record == NULL)
		return false;
	*out = memcmp(record->attempt.data, attempt, KP_ETCD_ATTEMPT_LEN) == 0;
	kp_unpacked_free(&record->base);
	return true;
}

/* Sent again, what is done already fails and finds its own attempt. */
static bool
judge_snapshot(const Etcdserverpb__TxnResponse *answer, const char *attempt,
    bool *out_is_there, struct kp_error *err)
{
	struct kp_bytes value = kp_etcd_txn_found(answer, 0);

	*out_is_there = answer->succeeded != 0;
	if (answer->succeeded || value.data == NULL)
		return true;
	return is_of(value, attempt, out_is_there, err);
}

/* Only the leader's snapshot is made visible, and only one of a number. */
static bool
publish_snapshot(struct kp_etcd *etcd, uint64_t number,
    const kp_etcd_record *record, bool *out_is_there, struct kp_error *err)
{
	struct kp_etcd_key leader = kp_etcd_key_state(etcd->prefix, "leader");
	struct kp_etcd_key key =
	    kp_etcd_key_number(etcd->prefix, KP_ETCD_SNAPSHOTS, number);
	size_t len = kproxy__store__v1__record__get_packed_size(record);
	uint8_t *packed = kp_alloc(1, len + 1);
	Etcdserverpb__TxnResponse *answer;
	struct kp_etcd_txn txn;
	bool is_ok;

	(void)kproxy__store__v1__record__pack(record, packed);
	kp_etcd_txn_init(&txn);
	kp_etcd_txn_if(&txn, &leader, etcd->id);
	kp_etcd_txn_if(&txn, &key, NULL);
	kp_etcd_txn_put(&txn, &key, (struct kp_bytes){ packed, len }, 0);
	kp_etcd_txn_else_read(&txn, &key);
	answer = kp_etcd_txn_run(etcd, &txn, etcd->keep_cancel, NULL, err);
	free(packed);
	if (answer == NULL)
		return false;
	is_ok = judge_snapshot(
	    answer, (const char *)record->attempt.data, out_is_there, err);
	kp_unpacked_free(&answer->base);
	return is_ok;
}

static bool
write_snapshot(struct kp_etcd *etcd, uint64_t number,
    const struct kp_etcd_set *set, uint64_t *out_len, struct kp_error *err)
{
	char attempt[KP_ETCD_ATTEMPT_LEN + 1];
	kp_etcd_record record;
	kp_etcd_part none;
	bool is_written, is_there = false, is_ok;
	struct kp_error ignored;

	kp_etcd_attempt_new(attempt);
	kproxy__store__v1__record__init(&record);
	kproxy__store__v1__part__init(&none);
	record.attempt.data = (uint8_t *)attempt;
	record.attempt.len = KP_ETCD_ATTEMPT_LEN;
	record.num_entries = set->num;
	if (set->num == 0)
		record.inline_part = &none;
	is_written = kp_etcd_write_parts(
	    etcd, KP_ETCD_SNAPSHOT_PARTS, number, set->entries, &record, err);
	is_ok = is_written &&
		publish_snapshot(etcd, number, &record, &is_there, err);
	*out_len = record.parts_len;
	/* unknown: then it may be in use, now or later; the next leader's sweep
	 * knows more. Parts alone are never in use. */
	if (!is_written || (is_ok && !is_there))
		(void)!kp_etcd_drop_parts(
		    etcd, KP_ETCD_SNAPSHOT_PARTS, number, attempt, &ignored);
	return is_ok;
}

static bool
make_snapshot(struct kp_etcd *etcd, const struct kp_etcd_state *state,
    struct kp_etcd_chores *chores, struct kp_error *err)
{
	struct kp_etcd_set set;
	uint64_t len = 0;
	bool is_ok;

	kp_etcd_set_init(&set, etcd->max_state_len);
	is_ok = kp_etcd_collect(etcd, state, state->newest, &set, err) &&
		write_snapshot(etcd, state->newest, &set, &len, err);
	kp_etcd_set_fini(&set);
	if (is_ok) {
		chores->snapshot = state->newest;
		chores->snapshot_len = len;
		chores->log_len = 0;
	}
	return is_ok;
}

static bool
count_record(
    void *ctx, uint64_t number, kp_etcd_record **record, struct kp_error *err)
{
	struct kp_etcd_chores *chores = ctx;

	(void)err;
	chores->counted = number;
	chores->log_len += (*record)->parts_len;
	return true;
}

/* Where the log begins that has to be counted; once. */
static bool
begin_count(struct kp_etcd *etcd, const struct kp_etcd_state *state,
    struct kp_etcd_chores *chores, struct kp_error *err)
{
	kp_etcd_record *record;
	bool is_late;

	if (chores->counted > 0)
		return true;
	if (!kp_etcd_snapshot_find(etcd, state, state->newest,
		&chores->snapshot, &record, &is_late, err))
		return false;
	chores->counted = chores->snapshot;
	chores->snapshot_len = record == NULL ? 0 : record->parts_len;
	if (record != NULL)
		kp_unpacked_free(&record->base);
	return true;
}

bool
kp_etcd_snapshot(
    struct kp_etcd *etcd, struct kp_etcd_chores *chores, struct kp_error *err)
{
	struct kp_etcd_state state;
	bool is_late;
	const struct kp_etcd_visitor visitor = { count_record, chores,
		&is_late };

	if (!kp_etcd_state_read(etcd, false, etcd->keep_cancel, &state, err) ||
	    !begin_count(etcd, &state, chores, err) ||
	    !kp_etcd_records(
		etcd, &state, chores->counted, state.newest, &visitor, err))
		return false;
	if (chores->log_len < etcd->snapshot_len ||
	    chores->log_len < chores->snapshot_len)
		return true;
	return make_snapshot(etcd, &state, chores, err);
}

/* Is attempt the one whose record is there? */
static bool
is_kept(struct kp_etcd *etcd, const struct kp_etcd_state *state,
    enum kp_etcd_family records, uint64_t number, const char *attempt,
    bool *out, struct kp_error *err)
{
	struct kp_etcd_span span = {
		.from = kp_etcd_key_number(etcd->prefix, records, number),
		.revision = state->revision,
		.is_serializable = true,
	};
	Etcdserverpb__RangeResponse *page =
	    kp_etcd_read(etcd, &span, etcd->keep_cancel, NULL, err);
	bool is_ok = page != NULL;

	*out = false;
	if (is_ok && page->n_kvs > 0)
		is_ok = is_of(
		    kp_etcd_bytes(page->kvs[0]->value), attempt, out, err);
	if (page != NULL)
		kp_unpacked_free(&page->base);
	return is_ok;
}

/* Of a family of parts, where their records are, and what is swept. */
struct sweep {
	struct kp_etcd *etcd;
	const struct kp_etcd_state *state;
	enum kp_etcd_family parts, records;
	uint64_t end; /* numbers before it */
};

/* The first attempt from from on; *out_number is 0 if there is none. */
static bool
next_attempt(const struct sweep *sweep, const struct kp_etcd_key *from,
    uint64_t *out_number, char *out_attempt, struct kp_error *err)
{
	const char *prefix = sweep->etcd->prefix;
	struct kp_etcd_span span = {
		.from = *from,
		.to = kp_etcd_key_number(prefix, sweep->parts, sweep->end),
		.limit = 1,
		.revision = sweep->state->revision,
		.is_serializable = true,
		.is_keys_only = true,
	};
	Etcdserverpb__RangeResponse *page = kp_etcd_read(
	    sweep->etcd, &span, sweep->etcd->keep_cancel, NULL, err);
	bool is_ok = page != NULL;

	*out_number = 0;
	if (is_ok && page->n_kvs > 0 &&
	    !kp_etcd_key_parse(prefix, sweep->parts,
		kp_etcd_bytes(page->kvs[0]->key), out_number, out_attempt))
		is_ok = kp_error_set(
		    err, KP_ERR_CONFIG, "damaged: a strange key among parts");
	if (page != NULL)
		kp_unpacked_free(&page->base);
	return is_ok;
}

static bool
sweep_all(const struct sweep *sweep, uint64_t first, struct kp_error *err)
{
	const char *prefix = sweep->etcd->prefix;
	struct kp_etcd_key from =
	    kp_etcd_key_number(prefix, sweep->parts, first);

	for (;;) {
		char attempt[KP_ETCD_ATTEMPT_LEN + 1];
		uint64_t number;
		bool is_ours;

		if (!next_attempt(sweep, &from, &number, attempt, err))
			return false;
		if (number == 0)
			return true;
		if (!is_kept(sweep->etcd, sweep->state, sweep->records, number,
			attempt, &is_ours, err))
			return false;
		if (!is_ours && !kp_etcd_drop_parts(sweep->etcd, sweep->parts,
				    number, attempt, err))
			return false;
		from = kp_etcd_key_parts_end(
		    prefix, sweep->parts, number, attempt);
	}
}

bool
kp_etcd_sweep(
    struct kp_etcd *etcd, struct kp_etcd_chores *chores, struct kp_error *err)
{
	struct kp_etcd_state state;
	struct sweep sweep = {
		.etcd = etcd,
		.state = &state,
		.parts = KP_ETCD_PARTS,
		.records = KP_ETCD_REVISIONS,
	};

	if (!kp_etcd_state_read(etcd, false, etcd->keep_cancel, &state, err))
		return false;
	if (strcmp(state.leader, etcd->id) != 0)
		return true; /* another one's to do by now */
	sweep.end = state.newest + 1;
	if (!sweep_all(&sweep, chores->swept + 1, err))
		return false;
	/* Snapshots of leaders before this one cannot be made visible any more;
	 * one of its own whose outcome is unknown can. */
	sweep.parts = KP_ETCD_SNAPSHOT_PARTS;
	sweep.records = KP_ETCD_SNAPSHOTS;
	if (!chores->has_swept && !sweep_all(&sweep, 0, err))
		return false;
	chores->has_swept = true;
	chores->swept = state.newest;
	return true;
}
