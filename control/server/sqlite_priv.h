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
	KP_NUM_STATEMENTS,
};

struct kp_sqlite {
	struct kp_store store; /* first */
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

/* Opens the file and brings it to our form: sqlite_file.c. */
sqlite3 *kp_sqlite_open_file(const char *path, struct kp_error *err);

#endif
