/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store in one SQLite file, for one server. The file belongs to the process
 * that has it open: a second one is refused. It is a write-ahead log database
 * (a commit is on the disk before it is acknowledged, and a torn one is not
 * there after a crash).
 */
#ifndef KP_CONTROL_SERVER_SQLITE_H
#define KP_CONTROL_SERVER_SQLITE_H

#include "control/server/store.h"

/*
 * kp_sqlite_open makes the file if there is none, for the owner only, and
 * checks the whole of one that is there. Returns NULL if another process has
 * it, if it is damaged, of a newer version or of another program.
 */
struct kp_store *kp_sqlite_open(const char *path, struct kp_error *err);

/*
 * kp_sqlite_backup writes the newest state and all history to a file that must
 * not be there yet. It is whole and on the disk, or not there. @thread as the
 * store
 */
bool kp_sqlite_backup(struct kp_store *store, const char *path,
    struct kp_error *err) KP_MUST_CHECK;

#endif
