/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/editor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/files.h"

#define NAME "/kpctl-edit-XXXXXX.yaml"
#define SUFFIX_LEN 5

extern char **environ;

static const char *
folder(void)
{
	const char *said = getenv("TMPDIR");

	return said != NULL && said[0] != '\0' ? said : "/tmp";
}

bool
kp_editor_open(struct kp_editor *out, struct kp_error *err)
{
	int fd;

	kp_assert(asprintf(&out->path, "%s" NAME, folder()) >= 0);
	fd = mkostemps(out->path, SUFFIX_LEN, O_CLOEXEC);
	if (fd >= 0) {
		(void)close(fd);
		return true;
	}
	kp_error_sys(err, "could not make %s", out->path);
	free(out->path);
	out->path = NULL;
	return false;
}

void
kp_editor_close(struct kp_editor *editor, bool is_kept)
{
	if (editor->path != NULL && !is_kept)
		(void)unlink(editor->path);
	free(editor->path);
	editor->path = NULL;
}

static const char *
program(void)
{
	static const char *const names[] = { "KPCTL_EDITOR", "VISUAL",
		"EDITOR" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *said = getenv(names[i]);

		if (said != NULL && said[0] != '\0')
			return said;
	}
	return "vi";
}

/* In place: an editor may hold on to the file that it knows. */
static bool
write_file(const char *path, struct kp_bytes text, struct kp_error *err)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
	size_t done = 0;

	if (fd < 0)
		return kp_error_sys(err, "could not open %s", path);
	while (done < text.len) {
		ssize_t len = write(fd, text.data + done, text.len - done);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0) {
			kp_error_sys(err, "could not write %s", path);
			(void)close(fd);
			return false;
		}
		done += (size_t)len;
	}
	if (close(fd) != 0)
		return kp_error_sys(err, "could not write %s", path);
	return true;
}

/*
 * The editor gets the terminal's signals, we do not. posix_spawn runs no fork
 * handlers: gRPC's threads do not mind.
 */
static bool
run(const char *path, int *out_status, struct kp_error *err)
{
	char *script = NULL;
	char *argv[] = { (char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
		NULL, (char *)(uintptr_t) "kpctl", (char *)(uintptr_t)path,
		NULL };
	posix_spawnattr_t attributes;
	sigset_t defaults;
	pid_t child;
	int failed;

	kp_assert(asprintf(&script, "%s \"$1\"", program()) >= 0);
	argv[2] = script;
	(void)sigemptyset(&defaults);
	(void)sigaddset(&defaults, SIGINT);
	(void)sigaddset(&defaults, SIGQUIT);
	kp_must(posix_spawnattr_init(&attributes));
	kp_must(posix_spawnattr_setsigdefault(&attributes, &defaults));
	kp_must(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF));
	failed =
	    posix_spawn(&child, "/bin/sh", NULL, &attributes, argv, environ);
	kp_must(posix_spawnattr_destroy(&attributes));
	free(script);
	if (failed != 0)
		return kp_error_set(err, KP_ERR_SYSTEM,
		    "could not start the editor: %s", strerrordesc_np(failed));
	while (waitpid(child, out_status, 0) < 0) {
		if (errno != EINTR)
			return kp_error_sys(err, "could not wait");
	}
	return true;
}

static bool
run_deaf(const char *path, int *out_status, struct kp_error *err)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before[2];
	bool is_ok;

	(void)sigaction(SIGINT, &ignore, &before[0]);
	(void)sigaction(SIGQUIT, &ignore, &before[1]);
	is_ok = run(path, out_status, err);
	(void)sigaction(SIGINT, &before[0], NULL);
	(void)sigaction(SIGQUIT, &before[1], NULL);
	return is_ok;
}

bool
kp_editor_edit(
    const struct kp_editor *editor, struct kp_buf *text, struct kp_error *err)
{
	int status = 0;

	if (!write_file(editor->path, kp_buf_bytes(text), err) ||
	    !run_deaf(editor->path, &status, err))
		return false;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return kp_error_set(
		    err, KP_ERR_SYSTEM, "the editor \"%s\" failed", program());
	kp_buf_clear(text);
	return kp_file_read(text, editor->path, err);
}
