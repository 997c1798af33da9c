/* SPDX-License-Identifier: Apache-2.0 */
/* The file itself: whose it is, what form it has, whether it is whole. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "control/server/sqlite.h"
#include "control/server/sqlite_priv.h"

/* "kpxs": files of other programs have another number. */
#define APPLICATION_ID 0x6b707873
#define FORM 1

/* Who has the file open keeps it; we do not wait for it. */
static const char settings[] = "PRAGMA locking_mode = EXCLUSIVE;"
			       "PRAGMA journal_mode = WAL;"
			       "PRAGMA synchronous = FULL;"
			       "PRAGMA foreign_keys = ON;"
			       "PRAGMA trusted_schema = OFF;";

static const char take_it[] = "BEGIN EXCLUSIVE; COMMIT;";

/*
 * state has one row: the oldest revision whose state can be read, and the
 * newest one. changes has all texts of all kept revisions, text NULL where a
 * resource was deleted; the state at a revision is the newest row of each name
 * up to it.
 */
static const char schema[] =
    "BEGIN EXCLUSIVE;"
    "CREATE TABLE state ("
    " one INTEGER PRIMARY KEY CHECK (one = 1),"
    " oldest INTEGER NOT NULL, newest INTEGER NOT NULL) STRICT;"
    "CREATE TABLE revisions ("
    " number INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL,"
    " identity TEXT NOT NULL, reason TEXT NOT NULL) STRICT;"
    "CREATE TABLE changes ("
    " kind TEXT NOT NULL, name TEXT NOT NULL, revision INTEGER NOT NULL,"
    " text BLOB, is_new INTEGER NOT NULL,"
    " PRIMARY KEY (kind, name, revision)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX changes_of_revision ON changes (revision, kind, name);"
    "CREATE TABLE records ("
    " bucket TEXT NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL,"
    " PRIMARY KEY (bucket, name)) STRICT, WITHOUT ROWID;"
    "INSERT INTO state VALUES (1, 0, 0);"
    "PRAGMA application_id = 1802532979;"
    "PRAGMA user_version = 1;"
    "COMMIT;";

bool
kp_sqlite_error(sqlite3 *db, const char *what, struct kp_error *err)
{
	int code = sqlite3_errcode(db) & 0xff; /* without details */

	if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		return kp_error_set(err, KP_ERR_UNAVAILABLE,
		    "%s: another process has it open", what);
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		return kp_error_set(err, KP_ERR_CONFIG,
		    "%s: %s; restore it from a backup", what,
		    sqlite3_errmsg(db));
	return kp_error_set(
	    err, KP_ERR_UNAVAILABLE, "%s: %s", what, sqlite3_errmsg(db));
}

bool
kp_sqlite_run(sqlite3 *db, const char *sql, struct kp_error *err)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return kp_sqlite_error(db, "store", err);
	return true;
}

static bool
first_column(
    sqlite3 *db, const char *sql, sqlite3_stmt **out, struct kp_error *err)
{
	*out = NULL;
	if (sqlite3_prepare_v2(db, sql, -1, out, NULL) == SQLITE_OK &&
	    sqlite3_step(*out) == SQLITE_ROW)
		return true;
	(void)kp_sqlite_error(db, "store", err);
	(void)sqlite3_finalize(*out);
	return false;
}

bool
kp_sqlite_number(
    sqlite3 *db, const char *sql, int64_t *out, struct kp_error *err)
{
	sqlite3_stmt *statement;

	if (!first_column(db, sql, &statement, err))
		return false;
	*out = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	return true;
}

static bool
is_whole(sqlite3 *db, struct kp_error *err)
{
	const char *verdict;
	sqlite3_stmt *statement;
	bool is_ok;

	if (!first_column(db, "PRAGMA integrity_check(1)", &statement, err))
		return false;
	verdict = (const char *)sqlite3_column_text(statement, 0);
	is_ok = verdict != NULL && strcmp(verdict, "ok") == 0;
	if (!is_ok)
		(void)kp_error_set(err, KP_ERR_CONFIG,
		    "damaged: %s; restore it from a backup",
		    verdict == NULL ? "no verdict" : verdict);
	(void)sqlite3_finalize(statement);
	return is_ok;
}

/* A file without tables is a new one. */
static bool
make_form(sqlite3 *db, struct kp_error *err)
{
	int64_t num_tables;

	if (!kp_sqlite_number(
		db, "SELECT count(*) FROM sqlite_schema", &num_tables, err))
		return false;
	if (num_tables == 0)
		return kp_sqlite_run(db, schema, err);
	return true;
}

static bool
check_form(sqlite3 *db, struct kp_error *err)
{
	int64_t application, form;

	if (!kp_sqlite_number(db, "PRAGMA application_id", &application, err) ||
	    !kp_sqlite_number(db, "PRAGMA user_version", &form, err))
		return false;
	if (application != APPLICATION_ID)
		return kp_error_set(err, KP_ERR_CONFIG,
		    "a database of another program; name another file");
	if (form > FORM)
		return kp_error_set(err, KP_ERR_CONFIG,
		    "written by a newer version of kpserver (form %lld, this "
		    "one reads %d); upgrade, or restore a backup",
		    (long long)form, FORM);
	return true;
}

static bool
prepare(sqlite3 *db, struct kp_error *err)
{
	return kp_sqlite_run(db, settings, err) &&
	       kp_sqlite_run(db, take_it, err) && make_form(db, err) &&
	       check_form(db, err) && is_whole(db, err);
}

/* SQLite itself would let others read it. */
static bool
make_file(const char *path, int flags, struct kp_error *err)
{
	int fd =
	    open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, S_IRUSR | S_IWUSR);

	if (fd < 0)
		return kp_error_sys(err, "%s", path);
	(void)close(fd);
	return true;
}

sqlite3 *
kp_sqlite_open_file(const char *path, struct kp_error *err)
{
	sqlite3 *db = NULL;

	if (!make_file(path, 0, err))
		return NULL;
	if (sqlite3_open_v2(path, &db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_EXRESCODE,
		NULL) == SQLITE_OK &&
	    prepare(db, err))
		return db;
	if (db == NULL)
		(void)kp_error_set(err, KP_ERR_LIMIT, "no memory");
	(void)kp_error_prefix(err, "%s", path);
	(void)sqlite3_close(db);
	return NULL;
}

static bool
sync_path(const char *path, struct kp_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is_ok = fd >= 0 && fsync(fd) == 0;

	if (!is_ok)
		(void)kp_error_sys(err, "%s", path);
	if (fd >= 0)
		(void)close(fd);
	return is_ok;
}

static bool
sync_folder_of(const char *path, struct kp_error *err)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL
			   ? kp_strdup(".")
			   : kp_strndup(path, (size_t)(slash - path) + 1);
	bool is_ok = sync_path(folder, err);

	free(folder);
	return is_ok;
}

static bool
copy_into(sqlite3 *db, const char *path, struct kp_error *err)
{
	sqlite3_stmt *statement = NULL;
	bool is_ok = sqlite3_prepare_v2(db, "VACUUM INTO ?", -1, &statement,
			 NULL) == SQLITE_OK &&
		     sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC) ==
			 SQLITE_OK &&
		     sqlite3_step(statement) == SQLITE_DONE;

	if (!is_ok)
		(void)kp_sqlite_error(db, path, err);
	(void)sqlite3_finalize(statement);
	return is_ok;
}

/* The name itself appears last, when all is on the disk. */
static bool
write_backup(
    sqlite3 *db, const char *part, const char *path, struct kp_error *err)
{
	if (!copy_into(db, part, err) || !sync_path(part, err))
		return false;
	if (link(part, path) != 0)
		return kp_error_sys(err, "%s", path);
	return true;
}

bool
kp_sqlite_backup(struct kp_store *store, const char *path, struct kp_error *err)
{
	struct kp_sqlite *sqlite = (struct kp_sqlite *)store;
	size_t size = strlen(path) + sizeof(".part");
	char *part = kp_alloc(1, size);
	bool is_ok;

	(void)snprintf(part, size, "%s.part", path);
	/* what a backup that was cut short has left; the store is ours alone */
	(void)unlink(part);
	is_ok = make_file(part, O_EXCL, err);
	if (is_ok) {
		kp_mutex_lock(&sqlite->use);
		is_ok = write_backup(sqlite->db, part, path, err);
		kp_mutex_unlock(&sqlite->use);
		(void)unlink(part);
		is_ok = is_ok && sync_folder_of(path, err);
	}
	free(part);
	return is_ok;
}
