/* SPDX-License-Identifier: Apache-2.0 */
/* Records in SQLite. Only they may be used beside the rest of a store. */
#include "control/server/sqlite_priv.h"

static bool
put_record(struct kp_sqlite *sqlite, const struct kp_store_record *record)
{
	bool is_deleted = record->data.data == NULL;
	sqlite3_stmt *s =
	    sqlite->statements[is_deleted ? KP_STATEMENT_DELETE_RECORD
					  : KP_STATEMENT_PUT_RECORD];

	(void)sqlite3_bind_text(s, 1, record->bucket, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(s, 2, record->name, -1, SQLITE_STATIC);
	if (!is_deleted)
		(void)sqlite3_bind_blob(s, 3, record->data.data,
		    (int)record->data.len, SQLITE_STATIC);
	return kp_sqlite_finish(s);
}

static bool
put_all(struct kp_sqlite *sqlite, const struct kp_store_record *records,
    size_t num_records, struct kp_error *err)
{
	if (!kp_sqlite_run(sqlite->db, "BEGIN IMMEDIATE", err))
		return false;
	for (size_t i = 0; i < num_records; i++) {
		if (!put_record(sqlite, &records[i]))
			return kp_sqlite_error(sqlite->db, "store", err);
	}
	return kp_sqlite_run(sqlite->db, "COMMIT", err);
}

enum kp_store_result
kp_sqlite_put_records(struct kp_store *store,
    const struct kp_store_record *records, size_t num_records,
    struct kp_error *err)
{
	struct kp_sqlite *sqlite = (struct kp_sqlite *)store;
	bool is_ok;

	kp_mutex_lock(&sqlite->use);
	is_ok = put_all(sqlite, records, num_records, err);
	if (!is_ok)
		kp_sqlite_roll_back(sqlite->db);
	kp_mutex_unlock(&sqlite->use);
	return is_ok ? KP_STORE_OK : KP_STORE_FAILED;
}

static int
visit_all(sqlite3_stmt *s, const char *bucket, kp_visit_record visit, void *ctx)
{
	int step;

	(void)sqlite3_bind_text(s, 1, bucket, -1, SQLITE_STATIC);
	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		const struct kp_store_record record = {
			.bucket = bucket,
			.name = (const char *)sqlite3_column_text(s, 0),
			.data = kp_sqlite_bytes(s, 1),
		};

		if (record.name == NULL)
			return SQLITE_NOMEM;
		visit(ctx, &record);
	}
	return step;
}

enum kp_store_result
kp_sqlite_each_record(struct kp_store *store, const char *bucket,
    kp_visit_record visit, void *ctx, struct kp_error *err)
{
	struct kp_sqlite *sqlite = (struct kp_sqlite *)store;
	sqlite3_stmt *s = sqlite->statements[KP_STATEMENT_RECORDS];
	bool is_ok;

	kp_mutex_lock(&sqlite->use);
	is_ok = visit_all(s, bucket, visit, ctx) == SQLITE_DONE;
	if (!is_ok)
		(void)kp_sqlite_error(sqlite->db, "store", err);
	(void)sqlite3_reset(s);
	(void)sqlite3_clear_bindings(s);
	kp_mutex_unlock(&sqlite->use);
	return is_ok ? KP_STORE_OK : KP_STORE_FAILED;
}
