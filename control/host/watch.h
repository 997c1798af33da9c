/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches folders for files that are written, renamed or replaced; folders and
 * not files, since editors, kubelet (..data) and certificate managers replace
 * files instead of writing them. Says that something changed, never what.
 * @thread main
 */
#ifndef KP_CONTROL_AGENT_WATCH_H
#define KP_CONTROL_AGENT_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define KP_WATCH_MAX_FOLDERS 1024
/* Several files that change together are one change. */
#define KP_WATCH_DEBOUNCE_MS 20
#define KP_WATCH_MAX_DEBOUNCE_MS 60
/* How often a folder that is not there is looked for. */
#define KP_WATCH_RETRY_MS 1000

struct kp_watch;

struct kp_watch *kp_watch_new(struct kp_error *err);
void kp_watch_free(struct kp_watch *watch);

/* Readable when kp_watch_read has something to do. */
int kp_watch_fd(const struct kp_watch *watch);

/*
 * What is to be watched is said anew each time: begin, then every file and
 * folder, then end. kp_watch_file also follows a symbolic link to the folder
 * where the file really is.
 */
void kp_watch_begin(struct kp_watch *watch);
void kp_watch_folder(struct kp_watch *watch, const char *path);
void kp_watch_file(struct kp_watch *watch, const char *path);
void kp_watch_end(struct kp_watch *watch);

/* kp_watch_read takes in what happened at now_ms (of kp_now_ms). */
void kp_watch_read(struct kp_watch *watch, int64_t now_ms);

/*
 * kp_watch_due_ms is when to look again: kp_watch_take then tells whether there
 * was a change that has settled. KP_NEVER: only when the fd is readable.
 */
int64_t kp_watch_due_ms(const struct kp_watch *watch);
bool kp_watch_take(struct kp_watch *watch, int64_t now_ms);

#endif
