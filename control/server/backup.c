/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "control/server/sqlite.h"

/* One line each way: a path and its end; "ok", or why not. */
#define MAX_LINE (PATH_MAX + 1)
/* For the peer to say what it wants. */
#define ASK_MS 5000
/* For the server to make a copy. */
#define ANSWER_MS 600000
#define OK "ok\n"

struct kp_backups {
	struct kp_store *store;
	char *file;
	int listener, stop; /* stop: an eventfd */
	pthread_t thread;
};

/* The socket's address by way of its folder, whose path may be longer than an
 * address. dir_fd must stay open while it is used. */
static bool
find_address(const char *file, struct sockaddr_un *out, int *dir_fd,
    struct kp_error *err)
{
	char *folder = kp_strdup(file), *name = kp_strdup(file);
	int len = -1;

	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*dir_fd = open(dirname(folder), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*dir_fd >= 0)
		len = snprintf(out->sun_path, sizeof(out->sun_path),
		    "/proc/self/fd/%d/%s.sock", *dir_fd, basename(name));
	if (*dir_fd < 0)
		(void)kp_error_sys(err, "%s", file);
	else if (len < 0 || (size_t)len >= sizeof(out->sun_path))
		(void)kp_error_set(err, KP_ERR_LIMIT,
		    "%s: the name is too long for a socket", file);
	free(folder);
	free(name);
	return len > 0 && (size_t)len < sizeof(out->sun_path);
}

/* Whoever listened there before is gone: the store is ours. */
static int
listen_beside(const char *file, struct kp_error *err)
{
	struct sockaddr_un address;
	int dir_fd = -1, fd = -1;
	bool is_ok = find_address(file, &address, &dir_fd, err);

	if (is_ok) {
		(void)unlink(address.sun_path);
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		is_ok = fd >= 0 && fchmod(fd, S_IRUSR | S_IWUSR) == 0 &&
			bind(fd, (const struct sockaddr *)&address,
			    sizeof(address)) == 0 &&
			listen(fd, 8) == 0;
		if (!is_ok)
			(void)kp_error_sys(
			    err, "could not listen on %s.sock", file);
	}
	if (!is_ok && fd >= 0)
		(void)close(fd);
	if (dir_fd >= 0)
		(void)close(dir_fd);
	return is_ok ? fd : -1;
}

/* Reads up to the end of a line, which is cut off; false if none came. */
static bool
read_line(int fd, char line[MAX_LINE], int64_t deadline_ms)
{
	size_t len = 0;

	while (len < MAX_LINE - 1) {
		struct pollfd item = { .fd = fd, .events = POLLIN };
		ssize_t n = 0;

		if (poll(&item, 1, kp_ms_left(deadline_ms)) > 0)
			n = read(fd, line + len, MAX_LINE - 1 - len);
		if (n <= 0)
			return false;
		len += (size_t)n;
		line[len] = '\0';
		if (line[len - 1] == '\n') {
			line[len - 1] = '\0';
			return true;
		}
	}
	return false;
}

/* A line fits into the socket's buffer. */
static bool
write_line(int fd, const char *text)
{
	size_t len = strlen(text);

	return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool
is_trusted(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

static void
serve(struct kp_backups *backups, int fd)
{
	char line[MAX_LINE], answer[sizeof(((struct kp_error *)0)->text) + 2];
	struct kp_error err;

	if (!is_trusted(fd) || !read_line(fd, line, kp_now_ms() + ASK_MS))
		return;
	if (kp_sqlite_backup(backups->store, line, &err)) {
		kp_log(KP_LOG_INFO, "backup_made", KP_STR("file", line));
		(void)write_line(fd, OK);
		return;
	}
	kp_log(KP_LOG_WARN, "backup_failed", KP_STR("reason", err.text));
	(void)snprintf(answer, sizeof(answer), "%s\n", err.text);
	(void)write_line(fd, answer);
}

static void *
serve_all(void *arg)
{
	struct kp_backups *backups = arg;

	for (;;) {
		struct pollfd items[] = {
			{ .fd = backups->stop, .events = POLLIN },
			{ .fd = backups->listener, .events = POLLIN },
		};
		int fd;

		if (poll(items, 2, -1) < 0)
			continue;
		if (items[0].revents != 0)
			return NULL;
		fd = accept4(backups->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		serve(backups, fd);
		(void)close(fd);
	}
}

struct kp_backups *
kp_backups_new(struct kp_store *store, const char *file, struct kp_error *err)
{
	struct kp_backups *backups;
	sigset_t all, before;
	int listener = listen_beside(file, err);

	if (listener < 0)
		return NULL;
	backups = kp_alloc(1, sizeof(*backups));
	backups->store = store;
	backups->file = kp_strdup(file);
	backups->listener = listener;
	backups->stop = eventfd(0, EFD_CLOEXEC);
	kp_assert(backups->stop >= 0);
	(void)sigfillset(&all);
	kp_must(pthread_sigmask(SIG_SETMASK, &all, &before));
	kp_must(pthread_create(&backups->thread, NULL, serve_all, backups));
	kp_must(pthread_sigmask(SIG_SETMASK, &before, NULL));
	return backups;
}

void
kp_backups_free(struct kp_backups *backups)
{
	struct sockaddr_un address;
	struct kp_error err;
	int dir_fd = -1;

	if (backups == NULL)
		return;
	kp_assert(eventfd_write(backups->stop, 1) == 0);
	kp_must(pthread_join(backups->thread, NULL));
	if (find_address(backups->file, &address, &dir_fd, &err))
		(void)unlink(address.sun_path);
	if (dir_fd >= 0)
		(void)close(dir_fd);
	(void)close(backups->listener);
	(void)close(backups->stop);
	free(backups->file);
	free(backups);
}

/* The socket of the server that runs, -1 if none does. */
static int
connect_beside(const char *file)
{
	struct sockaddr_un address;
	int dir_fd = -1, fd = -1;
	struct kp_error err;

	if (find_address(file, &address, &dir_fd, &err))
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address,
			   sizeof(address)) != 0) {
		(void)close(fd);
		fd = -1;
	}
	if (dir_fd >= 0)
		(void)close(dir_fd);
	return fd;
}

static bool
ask(int fd, const char *path, struct kp_error *err)
{
	char line[MAX_LINE];

	(void)snprintf(line, sizeof(line), "%s\n", path);
	if (!write_line(fd, line) ||
	    !read_line(fd, line, kp_now_ms() + ANSWER_MS))
		return kp_error_set(err, KP_ERR_UNAVAILABLE,
		    "the server that runs gave no answer");
	return strcmp(line, "ok") == 0 ||
	       kp_error_set(err, KP_ERR_SYSTEM, "%s", line);
}

/* The server may have another working directory. */
static bool
make_absolute(const char *path, char out[PATH_MAX], struct kp_error *err)
{
	char folder[PATH_MAX];
	int len;

	if (strchr(path, '\n') != NULL)
		return kp_error_set(
		    err, KP_ERR_CONFIG, "a path with a line's end in it");
	if (path[0] == '/')
		len = snprintf(out, PATH_MAX, "%s", path);
	else if (getcwd(folder, sizeof(folder)) == NULL)
		return kp_error_sys(err, "%s", path);
	else
		len = snprintf(out, PATH_MAX, "%s/%s", folder, path);
	return (len > 0 && len < PATH_MAX) ||
	       kp_error_set(err, KP_ERR_LIMIT, "the path is too long");
}

static bool
copy_unused(const char *file, const char *out, struct kp_error *err)
{
	struct kp_store *store;
	bool is_ok;

	if (access(file, F_OK) != 0)
		return kp_error_sys(err, "%s", file);
	store = kp_sqlite_open(file, err);
	if (store == NULL)
		return false;
	is_ok = kp_sqlite_backup(store, out, err);
	kp_store_close(store);
	return is_ok;
}

bool
kp_backup_make(const char *file, const char *out, struct kp_error *err)
{
	char path[PATH_MAX];
	bool is_ok;
	int fd;

	if (!make_absolute(out, path, err))
		return false;
	fd = connect_beside(file);
	if (fd < 0)
		return copy_unused(file, path, err);
	is_ok = ask(fd, path, err);
	(void)close(fd);
	return is_ok;
}
