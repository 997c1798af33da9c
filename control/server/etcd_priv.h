/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the store in etcd. Only for control/server/etcd*.c. Functions
 * without a word on threads may be called from any.
 */
#ifndef KP_CONTROL_SERVER_ETCD_PRIV_H
#define KP_CONTROL_SERVER_ETCD_PRIV_H

#include <stdatomic.h>

#include "control/server/etcd_client.h"
#include "control/server/etcd_keys.h"
#include "control/server/etcd_values.h"
#include "control/server/store_priv.h"

/* The form of what is stored; another number for each change that older
 * servers must not write to. */
#define KP_ETCD_FORM 1

struct kp_etcd {
	struct kp_store store; /* first */
	struct kp_etcd_client *client;
	char *prefix;
	int64_t timeout_ms, lease_ms;
	size_t max_commit_len, max_state_len, snapshot_len;
	/* As the leader; another one each time it becomes that, so that nothing
	 * of an earlier time is taken for its own. @thread keeper */
	char id[KP_ETCD_ATTEMPT_LEN + 1];

	pthread_t watcher, keeper;
	bool has_threads;
	struct kp_rpc_cancel *watch_cancel, *keep_cancel;
	_Atomic int64_t leads_until_ms; /* 0: does not lead */
	atomic_bool is_cut_off;         /* the watcher found no leader */

	struct kp_mutex lock; /* guards what follows */
	struct kp_cond told;  /* the keeper, of any of it */
	bool is_stopping;
	bool is_poked;               /* there is something to do */
	bool is_leader_changed;      /* somebody else's key, or none */
	bool is_sweep_due;           /* after a compaction; until it is done */
	struct kp_rpc_stream *watch; /* to be cancelled; NULL: none */
};

/* What P state/ says as of one revision of etcd's. */
struct kp_etcd_state {
	uint64_t form, newest, oldest; /* form 0: nothing has been stored */
	char leader[KP_ETCD_ATTEMPT_LEN + 1]; /* "": nobody leads */
	int64_t revision;    /* etcd's, for reading on at the same one */
	int64_t deadline_ms; /* of that */
};

/* kp_etcd_deadline is that of one request from now on. */
int64_t kp_etcd_deadline(const struct kp_etcd *etcd);

/* ---- etcd_ask.c: single requests ---- */

struct kp_etcd_span {
	struct kp_etcd_key from, to; /* to: "" for the one key */
	int64_t limit;               /* keys; 0: all, where they are few */
	int64_t revision;            /* 0: the newest */
	bool is_serializable, is_descending, is_keys_only;
	/* Not later than that of any request; 0: no other. */
	int64_t deadline_ms;
};

/* Free the result with kp_unpacked_free. *out_code may be NULL. */
Etcdserverpb__RangeResponse *kp_etcd_read(struct kp_etcd *etcd,
    const struct kp_etcd_span *span, struct kp_rpc_cancel *cancel,
    enum kp_rpc_code *out_code, struct kp_error *err);

struct kp_bytes kp_etcd_bytes(ProtobufCBinaryData data);

bool kp_etcd_write(struct kp_etcd *etcd, const struct kp_etcd_key *key,
    struct kp_bytes value, struct kp_rpc_cancel *cancel,
    struct kp_error *err) KP_MUST_CHECK;

/* From from on, up to but without to. */
bool kp_etcd_remove(struct kp_etcd *etcd, const struct kp_etcd_key *from,
    const struct kp_etcd_key *to, struct kp_error *err) KP_MUST_CHECK;

/* A transaction in the making; keys and values are borrowed. */
#define KP_ETCD_MAX_OPS 4
struct kp_etcd_txn {
	Etcdserverpb__TxnRequest request;
	Etcdserverpb__Compare compares[KP_ETCD_MAX_OPS];
	Etcdserverpb__Compare *compare_list[KP_ETCD_MAX_OPS];
	Etcdserverpb__PutRequest puts[KP_ETCD_MAX_OPS];
	Etcdserverpb__RequestOp put_ops[KP_ETCD_MAX_OPS];
	Etcdserverpb__RequestOp *put_list[KP_ETCD_MAX_OPS];
	Etcdserverpb__RangeRequest ranges[KP_ETCD_MAX_OPS];
	Etcdserverpb__RequestOp range_ops[KP_ETCD_MAX_OPS];
	Etcdserverpb__RequestOp *range_list[KP_ETCD_MAX_OPS];
};

void kp_etcd_txn_init(struct kp_etcd_txn *txn);
/* If key has that value; NULL: if it is not there. */
void kp_etcd_txn_if(
    struct kp_etcd_txn *txn, const struct kp_etcd_key *key, const char *value);
/* Then key gets value, on that lease unless it is 0. */
void kp_etcd_txn_put(struct kp_etcd_txn *txn, const struct kp_etcd_key *key,
    struct kp_bytes value, int64_t lease);
/* Otherwise key is read. */
void kp_etcd_txn_else_read(
    struct kp_etcd_txn *txn, const struct kp_etcd_key *key);
/* *out_is_unknown may be NULL. Free the result with kp_unpacked_free. */
Etcdserverpb__TxnResponse *kp_etcd_txn_run(struct kp_etcd *etcd,
    const struct kp_etcd_txn *txn, struct kp_rpc_cancel *cancel,
    bool *out_is_unknown, struct kp_error *err);
/* The value that the index-th read of the other case found, data NULL if none.
 */
struct kp_bytes kp_etcd_txn_found(
    const Etcdserverpb__TxnResponse *answer, size_t index);

/* ---- etcd_state.c ---- */

bool kp_etcd_state_read(struct kp_etcd *etcd, bool is_serializable,
    struct kp_rpc_cancel *cancel, struct kp_etcd_state *out,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_etcd_state_at reads a state in which revision number can be read, from one
 * node if it can say so, else from the newest. */
enum kp_store_result kp_etcd_state_at(struct kp_etcd *etcd, uint64_t number,
    uint64_t last, int64_t deadline_ms, struct kp_etcd_state *out,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_etcd_read_failed tells a read that failed from one that was cut off. */
enum kp_store_result kp_etcd_read_failed(
    int64_t deadline_ms, struct kp_error *err);

enum kp_store_result kp_etcd_store_range(struct kp_store *store,
    struct kp_store_range *out, int64_t deadline_ms, struct kp_error *err);

/* ---- etcd_commit.c ---- */

/* kp_etcd_write_parts writes entries under an attempt and fills record. */
bool kp_etcd_write_parts(struct kp_etcd *etcd, enum kp_etcd_family family,
    uint64_t number, const kp_etcd_entry *const *entries,
    kp_etcd_record *record, struct kp_error *err) KP_MUST_CHECK;

/* kp_etcd_drop_parts removes those of an attempt that came to nothing; what is
 * left if that fails is swept, or forgotten, in time. */
bool kp_etcd_drop_parts(struct kp_etcd *etcd, enum kp_etcd_family family,
    uint64_t number, const char *attempt, struct kp_error *err) KP_MUST_CHECK;

enum kp_store_result kp_etcd_store_commit(struct kp_store *store, uint64_t base,
    const struct kp_store_note *note, const struct kp_store_change *changes,
    size_t num_changes, uint64_t *out_number, struct kp_error *err);

/* ---- etcd_read.c ---- */

/* Entries of records, and the messages that hold them. */
struct kp_etcd_set {
	const kp_etcd_entry **entries;
	size_t num, max;
	ProtobufCMessage **held;
	size_t num_held, max_held;
	size_t len, max_len; /* packed bytes */
	bool is_late;        /* failed: etcd has not or no longer that revision
				of its own; to be tried at another one */
};

void kp_etcd_set_init(struct kp_etcd_set *set, size_t max_len);
void kp_etcd_set_fini(struct kp_etcd_set *set);

/* kp_etcd_collect fills set with the resources as of revision at, by kind and
 * name. *out_log_len: of what changed since the snapshot, *out_snapshot_len: of
 * that. */
bool kp_etcd_collect(struct kp_etcd *etcd, const struct kp_etcd_state *state,
    uint64_t at, struct kp_etcd_set *set, struct kp_error *err) KP_MUST_CHECK;

/* Calls visit for records (after, last]; they are whole, and none is missing.
 */
struct kp_etcd_visitor {
	bool (*visit)(void *ctx, uint64_t number, kp_etcd_record **record,
	    struct kp_error *err);
	void *ctx;
	bool *is_late; /* as of a set */
};
bool kp_etcd_records(struct kp_etcd *etcd, const struct kp_etcd_state *state,
    uint64_t after, uint64_t last, const struct kp_etcd_visitor *visitor,
    struct kp_error *err) KP_MUST_CHECK;

/* The newest snapshot up to at; 0 and NULL if there is none. */
bool kp_etcd_snapshot_find(struct kp_etcd *etcd,
    const struct kp_etcd_state *state, uint64_t at, uint64_t *out_number,
    kp_etcd_record **out, bool *out_is_late,
    struct kp_error *err) KP_MUST_CHECK;

enum kp_store_result kp_etcd_store_load(struct kp_store *store, uint64_t at,
    kp_visit_item visit, void *ctx, int64_t deadline_ms, struct kp_error *err);
enum kp_store_result kp_etcd_store_history(struct kp_store *store,
    uint64_t after, uint64_t last, kp_visit_revision visit, void *ctx,
    int64_t deadline_ms, struct kp_error *err);

/* ---- etcd_compact.c ---- */

enum kp_store_result kp_etcd_store_compact(
    struct kp_store *store, uint64_t oldest, struct kp_error *err);

/* ---- etcd_records.c ---- */

enum kp_store_result kp_etcd_store_put_records(struct kp_store *store,
    const struct kp_store_record *records, size_t num_records,
    struct kp_error *err);
enum kp_store_result kp_etcd_store_each_record(struct kp_store *store,
    const char *bucket, kp_visit_record visit, void *ctx, struct kp_error *err);

/* What the leader looks after; the zero state knows nothing yet. */
struct kp_etcd_chores {
	bool has_swept;    /* since it leads */
	uint64_t swept;    /* of all revisions up to it */
	uint64_t counted;  /* up to it, since the snapshot */
	uint64_t snapshot; /* the newest one */
	uint64_t log_len, snapshot_len;
};

/* kp_etcd_snapshot makes one if it is due. @thread keeper */
bool kp_etcd_snapshot(struct kp_etcd *etcd, struct kp_etcd_chores *chores,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_etcd_sweep removes what attempts left that came to nothing. @thread keeper
 */
bool kp_etcd_sweep(struct kp_etcd *etcd, struct kp_etcd_chores *chores,
    struct kp_error *err) KP_MUST_CHECK;

/* ---- etcd_watch.c, etcd_keep.c: the two threads ---- */

void *kp_etcd_watcher_run(void *etcd);
void *kp_etcd_keeper_run(void *etcd);

/* kp_etcd_poke has the keeper look, at who leads as well. */
void kp_etcd_poke(struct kp_etcd *etcd, bool is_leader_changed);

bool kp_etcd_is_stopping(struct kp_etcd *etcd);

#endif
