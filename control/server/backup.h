/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of a store in SQLite. Its file belongs to the server that runs, so a
 * backup is made by that one: it listens for the request on a socket beside the
 * file, which only the same user (or root) can connect to.
 */
#ifndef KP_CONTROL_SERVER_BACKUP_H
#define KP_CONTROL_SERVER_BACKUP_H

#include "control/server/store.h"

struct kp_backups;

/*
 * kp_backups_new listens beside the file of store, which is borrowed, in a
 * thread of its own. @thread main
 */
struct kp_backups *kp_backups_new(
    struct kp_store *store, const char *file, struct kp_error *err);
void kp_backups_free(struct kp_backups *backups);

/*
 * kp_backup_make writes a backup of the store in file to out, which must not be
 * there yet: by the server that runs, or itself where none does. @thread main
 */
bool kp_backup_make(
    const char *file, const char *out, struct kp_error *err) KP_MUST_CHECK;

#endif
