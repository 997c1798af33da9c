/* SPDX-License-Identifier: Apache-2.0 */
/* The file of contexts: its folder, its lock, and how it is replaced. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/files.h"
#include "base/yaml_write.h"
#include "cli/contexts.h"
#include "rules/value.h"

/* Others need milliseconds. */
#define LOCK_TRIES 500
#define LOCK_PAUSE_NS (10 * 1000 * 1000)

/* Makes every folder of path that is missing. */
static bool
make_folders(const char *path, struct kp_error *err)
{
	char *begun = kp_strdup(path);
	bool is_ok = true;

	for (char *at = begun + 1; is_ok && *at != '\0'; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		is_ok = mkdir(begun, 0700) == 0 || errno == EEXIST ||
			kp_error_sys(err, "could not make %s", begun);
		*at = '/';
	}
	free(begun);
	return is_ok;
}

/* What a link leads to is replaced, not the link. */
static char *
follow(const char *path)
{
	char *target = realpath(path, NULL);

	return target != NULL ? target : kp_strdup(path);
}

static bool
wait_for_lock(int fd, struct kp_error *err)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK)
			return kp_error_sys(err, "could not lock");
		(void)nanosleep(&pause, NULL);
	}
	return kp_error_set(err, KP_ERR_TIMEOUT,
	    "another program has been changing it for five seconds");
}

bool
kp_contexts_lock(int *out, const char *path, struct kp_error *err)
{
	char *file, *folder;
	bool is_ok = false;

	if (!make_folders(path, err))
		return false;
	file = follow(path);
	folder = dirname(file);
	*out = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*out < 0)
		kp_error_sys(err, "could not open %s", folder);
	else
		is_ok = wait_for_lock(*out, err);
	if (*out >= 0 && !is_ok)
		(void)close(*out);
	free(file);
	return is_ok;
}

void
kp_contexts_unlock(int lock)
{
	(void)close(lock);
}

static bool
can_be_read(struct kp_bytes text, struct kp_error *err)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_yaml_stream stream;
	struct kp_value *value;
	bool is_ok;

	if (!kp_yaml_parse(&stream, text, err))
		return false;
	value = kp_value_parse(
	    &kp_contexts_setting, stream.documents[0], "", "", &diagnostics);
	is_ok = value != NULL || kp_error_set(err, KP_ERR_CONFIG, "%s: %s",
				     diagnostics.problems[0].path,
				     diagnostics.problems[0].message);
	kp_value_free(value);
	kp_diagnostics_fini(&diagnostics);
	kp_yaml_stream_fini(&stream);
	return is_ok;
}

bool
kp_contexts_save(
    const struct kp_contexts *contexts, int lock, struct kp_error *err)
{
	struct kp_yaml *tree = kp_contexts_tree(contexts);
	char *file = follow(contexts->path);
	struct kp_buf text;
	bool is_ok;

	kp_buf_init(&text, KP_YAML_MAX_BYTES);
	kp_yaml_write(&text, tree);
	kp_yaml_free(tree);
	if (text.failed)
		is_ok = kp_buf_error(&text, err, "too many contexts");
	else
		is_ok = can_be_read(kp_buf_bytes(&text), err) &&
			kp_file_replace(
			    lock, basename(file), kp_buf_bytes(&text), err);
	kp_buf_fini(&text);
	free(file);
	return is_ok;
}
