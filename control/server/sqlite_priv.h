/* SPDX-License-Identifier: Apache-2.0 */
/* One SQLite database with errors as ours. Only for control/server/sqlite*.c.
 */
#ifndef KP_CONTROL_SERVER_SQLITE_PRIV_H
#define KP_CONTROL_SERVER_SQLITE_PRIV_H

#include <sqlite3.h>

#include "control/server/store_priv.h"

/* The statements that are used again and again. */
enum kp_statement {
	KP_STATEMENT_RANGE,
	KP_STATEMENT_LOAD,
	KP_STATEMENT_REVISIONS,
	KP_STATEMENT_CHANGES,
	KP_STATEMENT_ADD_REVISION,
	KP_STATEMENT_ADD_CHANGE,
	KP_STATEMENT_PUT_RECORD,
	KP_STATEMENT_DELETE_RECORD,
	KP_STATEMENT_RECORDS,
	KP_NUM_STATEMENTS,
};

struct kp_sqlite {
	struct kp_store store; /* first */
	struct kp_mutex use;   /* guards db: one transaction at a time */
	sqlite3 *db;
	sqlite3_stmt *statements[KP_NUM_STATEMENTS];
};

/* Fills err from the last failure of db, "what: reason"; returns false. */
bool kp_sqlite_error(sqlite3 *db, const char *what, struct kp_error *err);

/* Runs SQL that returns no rows we want. */
bool kp_sqlite_run(
    sqlite3 *db, const char *sql, struct kp_error *err) KP_MUST_CHECK;

/* The one number that a query returns. */
bool kp_sqlite_number(sqlite3 *db, const char *sql, int64_t *out,
    struct kp_error *err) KP_MUST_CHECK;

/* Ends a statement that returns no rows: true if it was done. */
bool kp_sqlite_finish(sqlite3_stmt *statement) KP_MUST_CHECK;

/* Bytes of a column, borrowed until the next step; data is NULL for null. */
struct kp_bytes kp_sqlite_bytes(sqlite3_stmt *statement, int column);

/* Gives up the transaction that is open, if there is one. */
void kp_sqlite_roll_back(sqlite3 *db);

/* Records, as of kp_store_ops: sqlite_records.c. They take their turn. */
enum kp_store_result kp_sqlite_put_records(struct kp_store *store,
    const struct kp_store_record *records, size_t num_records,
    struct kp_error *err) KP_MUST_CHECK;
enum kp_store_result kp_sqlite_each_record(struct kp_store *store,
    const char *bucket, kp_visit_record visit, void *ctx,
    struct kp_error *err) KP_MUST_CHECK;

/* Opens the file and brings it to our form: sqlite_file.c. */
sqlite3 *kp_sqlite_open_file(const char *path, struct kp_error *err);

#endif
