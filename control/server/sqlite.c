/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/sqlite.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "control/server/sqlite_priv.h"

static const char *const texts[KP_NUM_STATEMENTS] = {
	[KP_STATEMENT_RANGE] = "SELECT oldest, newest FROM state",
	[KP_STATEMENT_LOAD] =
	    "SELECT kind, name, text, max(revision) FROM changes"
	    " WHERE revision <= ?1 GROUP BY kind, name"
	    " HAVING text IS NOT NULL ORDER BY kind, name",
	[KP_STATEMENT_REVISIONS] =
	    "SELECT number, time_ms, identity, reason FROM revisions"
	    " WHERE number > ?1 AND number <= ?2 ORDER BY number",
	[KP_STATEMENT_CHANGES] = "SELECT kind, name, text, is_new FROM changes"
				 " WHERE revision = ?1 ORDER BY kind, name",
	[KP_STATEMENT_ADD_REVISION] =
	    "INSERT INTO revisions VALUES (?1, ?2, ?3, ?4)",
	[KP_STATEMENT_ADD_CHANGE] =
	    "INSERT INTO changes VALUES (?1, ?2, ?3, ?4, ?5)",
	[KP_STATEMENT_PUT_RECORD] =
	    "INSERT OR REPLACE INTO records VALUES (?1, ?2, ?3)",
	[KP_STATEMENT_DELETE_RECORD] =
	    "DELETE FROM records WHERE bucket = ?1 AND name = ?2",
	[KP_STATEMENT_RECORDS] = "SELECT name, data FROM records"
				 " WHERE bucket = ?1 ORDER BY name",
};

static struct kp_sqlite *
sqlite_of(struct kp_store *store)
{
	return (struct kp_sqlite *)store;
}

static enum kp_store_result
failed(struct kp_sqlite *sqlite, struct kp_error *err)
{
	(void)kp_sqlite_error(sqlite->db, "store", err);
	return KP_STORE_FAILED;
}

struct kp_bytes
kp_sqlite_bytes(sqlite3_stmt *statement, int column)
{
	struct kp_bytes bytes = { .data = (const uint8_t *)"" };

	if (sqlite3_column_type(statement, column) == SQLITE_NULL)
		return (struct kp_bytes){ .data = NULL };
	if (sqlite3_column_bytes(statement, column) > 0)
		bytes = (struct kp_bytes){
			.data = sqlite3_column_blob(statement, column),
			.len = (size_t)sqlite3_column_bytes(statement, column),
		};
	return bytes;
}

/* NULL if there is no memory for it; none of ours is NULL in the database. */
static const char *
column_text(sqlite3_stmt *statement, int column)
{
	return (const char *)sqlite3_column_text(statement, column);
}

static enum kp_store_result
read_range(
    struct kp_store *store, struct kp_store_range *out, struct kp_error *err)
{
	struct kp_sqlite *sqlite = sqlite_of(store);
	sqlite3_stmt *statement = sqlite->statements[KP_STATEMENT_RANGE];
	bool is_ok = sqlite3_step(statement) == SQLITE_ROW;

	if (is_ok)
		*out = (struct kp_store_range){
			.oldest = (uint64_t)sqlite3_column_int64(statement, 0),
			.newest = (uint64_t)sqlite3_column_int64(statement, 1),
		};
	else
		(void)failed(sqlite, err);
	(void)sqlite3_reset(statement);
	return is_ok ? KP_STORE_OK : KP_STORE_FAILED;
}

static enum kp_store_result
forgotten(uint64_t number, struct kp_error *err)
{
	(void)kp_error_set(err, KP_ERR_CONFIG,
	    "revision %llu has been compacted", (unsigned long long)number);
	return KP_STORE_COMPACTED;
}

static enum kp_store_result
not_there(uint64_t number, struct kp_error *err)
{
	(void)kp_error_set(err, KP_ERR_CONFIG, "there is no revision %llu yet",
	    (unsigned long long)number);
	return KP_STORE_INVALID;
}

/* Can the state at that revision be read? */
static enum kp_store_result
check_revision(struct kp_store *store, uint64_t number, struct kp_error *err)
{
	struct kp_store_range range;
	enum kp_store_result result = read_range(store, &range, err);

	if (result != KP_STORE_OK)
		return result;
	if (number < range.oldest)
		return forgotten(number, err);
	if (number > range.newest)
		return not_there(number, err);
	return KP_STORE_OK;
}

static enum kp_store_result
load(struct kp_store *store, uint64_t at, kp_visit_item visit, void *ctx,
    struct kp_error *err)
{
	struct kp_sqlite *sqlite = sqlite_of(store);
	sqlite3_stmt *statement = sqlite->statements[KP_STATEMENT_LOAD];
	enum kp_store_result result = check_revision(store, at, err);
	int step;

	if (result != KP_STORE_OK)
		return result;
	(void)sqlite3_bind_int64(statement, 1, (sqlite3_int64)at);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		struct kp_store_item item = {
			.kind = column_text(statement, 0),
			.name = column_text(statement, 1),
			.text = kp_sqlite_bytes(statement, 2),
			.revision =
			    (uint64_t)sqlite3_column_int64(statement, 3),
		};

		if (item.kind == NULL || item.name == NULL)
			break;
		visit(ctx, &item);
	}
	if (step != SQLITE_DONE)
		result = failed(sqlite, err);
	(void)sqlite3_reset(statement);
	return result;
}

/* What one revision changed, copied out of the database. */
struct changes {
	struct kp_store_change *list;
	size_t num, max;
	bool is_refused; /* there was no memory for all */
};

static void
clear_changes(struct changes *changes)
{
	for (size_t i = 0; i < changes->num; i++) {
		free((char *)(uintptr_t)changes->list[i].kind);
		free((char *)(uintptr_t)changes->list[i].name);
		free((uint8_t *)(uintptr_t)changes->list[i].text.data);
	}
	changes->num = 0;
}

static bool
make_room(struct changes *changes)
{
	size_t max = changes->max == 0 ? 8 : changes->max * 2;
	struct kp_store_change *bigger;

	if (changes->num < changes->max)
		return true;
	bigger = kp_try_realloc(changes->list, max * sizeof(*bigger));
	if (bigger == NULL)
		return false;
	changes->list = bigger;
	changes->max = max;
	return true;
}

/* Any bytes, zeros too. */
static bool
copy_text(struct kp_bytes *out, struct kp_bytes text)
{
	uint8_t *copy;

	*out = text;
	if (text.data == NULL)
		return true;
	copy = kp_try_alloc(text.len + 1);
	if (copy == NULL)
		return false;
	kp_copy(copy, text.data, text.len);
	out->data = copy;
	return true;
}

static bool
add_change(struct changes *changes, sqlite3_stmt *statement)
{
	const char *kind = column_text(statement, 0);
	const char *name = column_text(statement, 1);
	struct kp_bytes text;

	if (kind == NULL || name == NULL || !make_room(changes) ||
	    !copy_text(&text, kp_sqlite_bytes(statement, 2))) {
		changes->is_refused = true;
		return false;
	}
	changes->list[changes->num++] = (struct kp_store_change){
		.kind = kp_strdup(kind),
		.name = kp_strdup(name),
		.text = text,
		.is_new = sqlite3_column_int(statement, 3) != 0,
	};
	return true;
}

static bool
read_changes(struct kp_sqlite *sqlite, uint64_t number, struct changes *out)
{
	sqlite3_stmt *statement = sqlite->statements[KP_STATEMENT_CHANGES];
	int step;

	clear_changes(out);
	(void)sqlite3_bind_int64(statement, 1, (sqlite3_int64)number);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW &&
	       add_change(out, statement))
		continue;
	(void)sqlite3_reset(statement);
	return step == SQLITE_DONE;
}

static bool
visit_revision(struct kp_sqlite *sqlite, sqlite3_stmt *row,
    struct changes *changes, kp_visit_revision visit, void *ctx)
{
	struct kp_store_revision revision = {
		.number = (uint64_t)sqlite3_column_int64(row, 0),
		.note = { .time_ms = sqlite3_column_int64(row, 1),
		    .identity = column_text(row, 2),
		    .reason = column_text(row, 3) },
	};

	if (revision.note.identity == NULL || revision.note.reason == NULL ||
	    !read_changes(sqlite, revision.number, changes))
		return false;
	revision.changes = changes->list;
	revision.num_changes = changes->num;
	visit(ctx, &revision);
	return true;
}

static enum kp_store_result
history(struct kp_store *store, uint64_t after, uint64_t last,
    kp_visit_revision visit, void *ctx, struct kp_error *err)
{
	struct kp_sqlite *sqlite = sqlite_of(store);
	sqlite3_stmt *statement = sqlite->statements[KP_STATEMENT_REVISIONS];
	struct changes changes = { .num = 0 };
	enum kp_store_result result = check_revision(store, after, err);
	bool is_ok = true;
	int step;

	if (result != KP_STORE_OK)
		return result;
	(void)sqlite3_bind_int64(statement, 1, (sqlite3_int64)after);
	(void)sqlite3_bind_int64(statement, 2, (sqlite3_int64)last);
	while (is_ok && (step = sqlite3_step(statement)) != SQLITE_DONE)
		is_ok = step == SQLITE_ROW &&
			visit_revision(sqlite, statement, &changes, visit, ctx);
	if (!is_ok)
		result = failed(sqlite, err);
	if (changes.is_refused)
		(void)kp_error_set(
		    err, KP_ERR_LIMIT, "store: no memory for a revision");
	(void)sqlite3_reset(statement);
	clear_changes(&changes);
	free(changes.list);
	return result;
}

bool
kp_sqlite_finish(sqlite3_stmt *statement)
{
	bool is_done = sqlite3_step(statement) == SQLITE_DONE;

	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	return is_done;
}

static bool
write_revision(
    struct kp_sqlite *sqlite, uint64_t number, const struct kp_store_note *note)
{
	sqlite3_stmt *s = sqlite->statements[KP_STATEMENT_ADD_REVISION];

	(void)sqlite3_bind_int64(s, 1, (sqlite3_int64)number);
	(void)sqlite3_bind_int64(s, 2, note->time_ms);
	(void)sqlite3_bind_text(s, 3, note->identity, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(s, 4, note->reason, -1, SQLITE_STATIC);
	return kp_sqlite_finish(s);
}

static bool
write_change(struct kp_sqlite *sqlite, uint64_t number,
    const struct kp_store_change *change)
{
	sqlite3_stmt *s = sqlite->statements[KP_STATEMENT_ADD_CHANGE];

	(void)sqlite3_bind_text(s, 1, change->kind, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(s, 2, change->name, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(s, 3, (sqlite3_int64)number);
	if (change->text.data != NULL)
		(void)sqlite3_bind_blob(s, 4, change->text.data,
		    (int)change->text.len, SQLITE_STATIC);
	(void)sqlite3_bind_int(s, 5, change->is_new);
	return kp_sqlite_finish(s);
}

static bool
write_all(struct kp_sqlite *sqlite, uint64_t number,
    const struct kp_store_note *note, const struct kp_store_change *changes,
    size_t num_changes, struct kp_error *err)
{
	bool is_ok = write_revision(sqlite, number, note);

	for (size_t i = 0; is_ok && i < num_changes; i++)
		is_ok = write_change(sqlite, number, &changes[i]);
	if (!is_ok)
		return kp_sqlite_error(sqlite->db, "store", err);
	return kp_sqlite_run(
	    sqlite->db, "UPDATE state SET newest = newest + 1", err);
}

void
kp_sqlite_roll_back(sqlite3 *db)
{
	/* some failures have done so already */
	if (sqlite3_get_autocommit(db) == 0)
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

static enum kp_store_result
check_base(struct kp_store *store, uint64_t base, struct kp_error *err)
{
	struct kp_store_range range;
	enum kp_store_result result = read_range(store, &range, err);

	if (result != KP_STORE_OK || base == range.newest)
		return result;
	(void)kp_error_set(err, KP_ERR_CONFIG,
	    "based on revision %llu, but there is %llu already",
	    (unsigned long long)base, (unsigned long long)range.newest);
	return KP_STORE_CONFLICT;
}

static enum kp_store_result
commit(struct kp_store *store, uint64_t base, const struct kp_store_note *note,
    const struct kp_store_change *changes, size_t num_changes,
    uint64_t *out_number, struct kp_error *err)
{
	struct kp_sqlite *sqlite = sqlite_of(store);
	enum kp_store_result result = check_base(store, base, err);

	if (result != KP_STORE_OK)
		return result;
	if (!kp_sqlite_run(sqlite->db, "BEGIN IMMEDIATE", err))
		return KP_STORE_FAILED;
	if (!write_all(sqlite, base + 1, note, changes, num_changes, err) ||
	    !kp_sqlite_run(sqlite->db, "COMMIT", err)) {
		kp_sqlite_roll_back(sqlite->db);
		return KP_STORE_FAILED;
	}
	*out_number = base + 1;
	return KP_STORE_OK;
}

/*
 * Of each name the newest change up to oldest stays, as it is part of the state
 * there; not if it is a deletion.
 */
static const char forget[] =
    "DELETE FROM changes WHERE revision <= (SELECT oldest FROM state)"
    " AND (revision < (SELECT max(c.revision) FROM changes AS c"
    "   WHERE c.kind = changes.kind AND c.name = changes.name"
    "   AND c.revision <= (SELECT oldest FROM state))"
    "  OR text IS NULL);"
    "DELETE FROM revisions WHERE number <= (SELECT oldest FROM state);";

static bool
compact_all(struct kp_sqlite *sqlite, uint64_t oldest, struct kp_error *err)
{
	char move[64];

	(void)snprintf(move, sizeof(move), "UPDATE state SET oldest = %llu",
	    (unsigned long long)oldest);
	return kp_sqlite_run(sqlite->db, move, err) &&
	       kp_sqlite_run(sqlite->db, forget, err) &&
	       kp_sqlite_run(sqlite->db, "COMMIT", err);
}

static enum kp_store_result
compact(struct kp_store *store, uint64_t oldest, struct kp_error *err)
{
	struct kp_sqlite *sqlite = sqlite_of(store);
	enum kp_store_result result = check_revision(store, oldest, err);

	if (result == KP_STORE_COMPACTED)
		return KP_STORE_OK;
	if (result != KP_STORE_OK)
		return result;
	if (!kp_sqlite_run(sqlite->db, "BEGIN IMMEDIATE", err))
		return KP_STORE_FAILED;
	if (!compact_all(sqlite, oldest, err)) {
		kp_sqlite_roll_back(sqlite->db);
		return KP_STORE_FAILED;
	}
	return KP_STORE_OK;
}

static void
close_store(struct kp_store *store)
{
	struct kp_sqlite *sqlite = sqlite_of(store);

	for (int i = 0; i < KP_NUM_STATEMENTS; i++)
		(void)sqlite3_finalize(sqlite->statements[i]);
	(void)sqlite3_close(sqlite->db);
	kp_mutex_fini(&sqlite->use);
	free(sqlite);
}

/* Each of them in its turn: another thread may be at the records. */

static enum kp_store_result
commit_in_turn(struct kp_store *store, uint64_t base,
    const struct kp_store_note *note, const struct kp_store_change *changes,
    size_t num_changes, uint64_t *out_number, struct kp_error *err)
{
	enum kp_store_result result;

	kp_mutex_lock(&sqlite_of(store)->use);
	result =
	    commit(store, base, note, changes, num_changes, out_number, err);
	kp_mutex_unlock(&sqlite_of(store)->use);
	return result;
}

static enum kp_store_result
range_in_turn(struct kp_store *store, struct kp_store_range *out,
    int64_t deadline_ms, struct kp_error *err)
{
	enum kp_store_result result;

	(void)deadline_ms; /* a file keeps nobody waiting */
	kp_mutex_lock(&sqlite_of(store)->use);
	result = read_range(store, out, err);
	kp_mutex_unlock(&sqlite_of(store)->use);
	return result;
}

static enum kp_store_result
load_in_turn(struct kp_store *store, uint64_t at, kp_visit_item visit,
    void *ctx, int64_t deadline_ms, struct kp_error *err)
{
	enum kp_store_result result;

	(void)deadline_ms; /* a file keeps nobody waiting */
	kp_mutex_lock(&sqlite_of(store)->use);
	result = load(store, at, visit, ctx, err);
	kp_mutex_unlock(&sqlite_of(store)->use);
	return result;
}

static enum kp_store_result
history_in_turn(struct kp_store *store, uint64_t after, uint64_t last,
    kp_visit_revision visit, void *ctx, int64_t deadline_ms,
    struct kp_error *err)
{
	enum kp_store_result result;

	(void)deadline_ms; /* a file keeps nobody waiting */
	kp_mutex_lock(&sqlite_of(store)->use);
	result = history(store, after, last, visit, ctx, err);
	kp_mutex_unlock(&sqlite_of(store)->use);
	return result;
}

static enum kp_store_result
compact_in_turn(struct kp_store *store, uint64_t oldest, struct kp_error *err)
{
	enum kp_store_result result;

	kp_mutex_lock(&sqlite_of(store)->use);
	result = compact(store, oldest, err);
	kp_mutex_unlock(&sqlite_of(store)->use);
	return result;
}

static const struct kp_store_ops ops = {
	.commit = commit_in_turn,
	.range = range_in_turn,
	.load = load_in_turn,
	.history = history_in_turn,
	.compact = compact_in_turn,
	.put_records = kp_sqlite_put_records,
	.each_record = kp_sqlite_each_record,
	.close = close_store,
};

static bool
start(struct kp_sqlite *sqlite, struct kp_error *err)
{
	struct kp_store_range range;

	for (int i = 0; i < KP_NUM_STATEMENTS; i++) {
		if (sqlite3_prepare_v3(sqlite->db, texts[i], -1,
			SQLITE_PREPARE_PERSISTENT, &sqlite->statements[i],
			NULL) != SQLITE_OK)
			return kp_sqlite_error(sqlite->db, "store", err);
	}
	if (read_range(&sqlite->store, &range, err) != KP_STORE_OK)
		return false;
	kp_store_announce(&sqlite->store, range.newest);
	return true;
}

struct kp_store *
kp_sqlite_open(const char *path, struct kp_error *err)
{
	sqlite3 *db = kp_sqlite_open_file(path, err);
	struct kp_sqlite *sqlite;

	if (db == NULL)
		return NULL;
	sqlite = kp_alloc(1, sizeof(*sqlite));
	sqlite->db = db;
	kp_mutex_init(&sqlite->use, KP_RANK_STORE_USE);
	kp_store_init(&sqlite->store, &ops);
	if (!start(sqlite, err)) {
		kp_store_close(&sqlite->store);
		return NULL;
	}
	return &sqlite->store;
}
