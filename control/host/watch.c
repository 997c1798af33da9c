/* SPDX-License-Identifier: Apache-2.0 */
#include "control/host/watch.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"

#define EVENTS \
	(IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | \
	    IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

struct folder {
	char *path;
	int wd;         /* -1: not there now */
	bool is_wanted; /* named since kp_watch_begin */
};

struct kp_watch {
	int fd;
	struct folder folders[KP_WATCH_MAX_FOLDERS];
	size_t num_folders;
	int64_t first_ms, last_ms; /* of changes not taken yet; 0: none */
	int64_t retry_at_ms;       /* KP_NEVER: all folders are there */
};

struct kp_watch *
kp_watch_new(struct kp_error *err)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct kp_watch *watch;

	if (fd < 0) {
		kp_error_sys(err, "could not watch files");
		return NULL;
	}
	watch = kp_alloc(1, sizeof(*watch));
	watch->fd = fd;
	watch->retry_at_ms = KP_NEVER;
	return watch;
}

void
kp_watch_free(struct kp_watch *watch)
{
	if (watch == NULL)
		return;
	for (size_t i = 0; i < watch->num_folders; i++)
		free(watch->folders[i].path);
	(void)close(watch->fd);
	free(watch);
}

int
kp_watch_fd(const struct kp_watch *watch)
{
	return watch->fd;
}

void
kp_watch_begin(struct kp_watch *watch)
{
	for (size_t i = 0; i < watch->num_folders; i++)
		watch->folders[i].is_wanted = false;
}

static struct folder *
find(struct kp_watch *watch, const char *path)
{
	for (size_t i = 0; i < watch->num_folders; i++) {
		if (strcmp(watch->folders[i].path, path) == 0)
			return &watch->folders[i];
	}
	return NULL;
}

void
kp_watch_folder(struct kp_watch *watch, const char *path)
{
	struct folder *folder = find(watch, path);

	if (folder == NULL) {
		if (watch->num_folders == KP_WATCH_MAX_FOLDERS) {
			kp_log(KP_LOG_WARN, "watch_limit",
			    KP_STR("not_watched", path));
			return;
		}
		folder = &watch->folders[watch->num_folders++];
		*folder = (struct folder){ .path = kp_strdup(path), .wd = -1 };
	}
	folder->is_wanted = true;
}

static void
watch_parent(struct kp_watch *watch, const char *path)
{
	char *copy = kp_strdup(path);

	kp_watch_folder(watch, dirname(copy));
	free(copy);
}

void
kp_watch_file(struct kp_watch *watch, const char *path)
{
	char real[PATH_MAX];

	watch_parent(watch, path);
	if (realpath(path, real) != NULL && strcmp(real, path) != 0)
		watch_parent(watch, real);
}

static void
add_missing(struct kp_watch *watch)
{
	watch->retry_at_ms = KP_NEVER;
	for (size_t i = 0; i < watch->num_folders; i++) {
		struct folder *folder = &watch->folders[i];

		if (folder->wd < 0)
			folder->wd =
			    inotify_add_watch(watch->fd, folder->path, EVENTS);
		if (folder->wd < 0)
			watch->retry_at_ms = kp_now_ms() + KP_WATCH_RETRY_MS;
	}
}

/* Two paths to one folder have one watch: it goes with the last of them. */
static bool
is_shared(const struct kp_watch *watch, const struct folder *folder)
{
	for (size_t i = 0; i < watch->num_folders; i++) {
		if (&watch->folders[i] != folder &&
		    watch->folders[i].wd == folder->wd)
			return true;
	}
	return false;
}

void
kp_watch_end(struct kp_watch *watch)
{
	size_t i = 0;

	while (i < watch->num_folders) {
		struct folder *folder = &watch->folders[i];

		if (folder->is_wanted) {
			i++;
			continue;
		}
		if (folder->wd >= 0 && !is_shared(watch, folder))
			(void)inotify_rm_watch(watch->fd, folder->wd);
		free(folder->path);
		*folder = watch->folders[--watch->num_folders];
	}
	add_missing(watch);
}

/*
 * A plain file that was just made is empty still; its IN_CLOSE_WRITE follows.
 * Links are complete when they are made.
 */
static bool
is_complete(struct kp_watch *watch, const struct inotify_event *event)
{
	char path[PATH_MAX];
	struct stat st;

	for (size_t i = 0; i < watch->num_folders; i++) {
		if (watch->folders[i].wd != event->wd)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s",
		    watch->folders[i].path, event->len > 0 ? event->name : "");
		return lstat(path, &st) == 0 &&
		       (S_ISLNK(st.st_mode) ||
			   (S_ISREG(st.st_mode) && st.st_nlink > 1));
	}
	return false;
}

/* The kernel dropped a watch: its folder was removed or renamed. */
static void
forget(struct kp_watch *watch, int wd)
{
	for (size_t i = 0; i < watch->num_folders; i++) {
		if (watch->folders[i].wd == wd)
			watch->folders[i].wd = -1;
	}
	watch->retry_at_ms = kp_now_ms() + KP_WATCH_RETRY_MS;
}

static void
on_event(
    struct kp_watch *watch, const struct inotify_event *event, int64_t now_ms)
{
	if ((event->mask & IN_MOVE_SELF) != 0)
		(void)inotify_rm_watch(watch->fd, event->wd);
	if ((event->mask & IN_IGNORED) != 0) {
		forget(watch, event->wd);
		return;
	}
	if ((event->mask & IN_CREATE) != 0 && !is_complete(watch, event))
		return;
	if (watch->first_ms == 0)
		watch->first_ms = now_ms;
	watch->last_ms = now_ms;
}

void
kp_watch_read(struct kp_watch *watch, int64_t now_ms)
{
	_Alignas(struct inotify_event) char buf[4096];
	ssize_t len;

	while ((len = read(watch->fd, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < len;) {
			const struct inotify_event *event =
			    (const void *)(buf + at);

			on_event(watch, event, now_ms);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
}

static int64_t
settled_ms(const struct kp_watch *watch)
{
	int64_t quiet_ms = watch->last_ms + KP_WATCH_DEBOUNCE_MS;
	int64_t latest_ms = watch->first_ms + KP_WATCH_MAX_DEBOUNCE_MS;

	return quiet_ms < latest_ms ? quiet_ms : latest_ms;
}

int64_t
kp_watch_due_ms(const struct kp_watch *watch)
{
	int64_t due_ms = watch->retry_at_ms;

	if (watch->first_ms != 0 && settled_ms(watch) < due_ms)
		due_ms = settled_ms(watch);
	return due_ms;
}

bool
kp_watch_take(struct kp_watch *watch, int64_t now_ms)
{
	size_t num_missing = 0, num_still = 0;

	if (watch->retry_at_ms <= now_ms) {
		for (size_t i = 0; i < watch->num_folders; i++)
			num_missing += watch->folders[i].wd < 0;
		add_missing(watch);
		for (size_t i = 0; i < watch->num_folders; i++)
			num_still += watch->folders[i].wd < 0;
		/* a folder that came back may hold anything */
		if (num_still < num_missing)
			watch->first_ms = watch->last_ms =
			    now_ms - KP_WATCH_DEBOUNCE_MS;
	}
	if (watch->first_ms == 0 || settled_ms(watch) > now_ms)
		return false;
	watch->first_ms = 0;
	return true;
}
