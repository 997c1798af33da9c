/* SPDX-License-Identifier: Apache-2.0 */
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
read_all(struct kp_buf *out, int fd, size_t len, struct kp_error *err)
{
	uint8_t *to = kp_buf_extend(out, len);
	size_t done = 0;

	if (to == NULL)
		return kp_buf_error(out, err, "%zu bytes are too many", len);
	while (done < len) {
		ssize_t n = read(fd, to + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kp_error_sys(err, "could not read");
		if (n == 0)
			break;
		done += (size_t)n;
	}
	/* it may have become shorter since its size was asked for */
	out->len -= len - done;
	return true;
}

bool
kp_file_read(struct kp_buf *out, const char *path, struct kp_error *err)
{
	/* a named pipe must not make us wait */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	bool is_ok = false;

	if (fd < 0)
		return kp_error_sys(err, "%s", path);
	if (fstat(fd, &st) != 0)
		kp_error_sys(err, "%s", path);
	else if (!S_ISREG(st.st_mode))
		kp_error_set(err, KP_ERR_CONFIG, "%s: not a file", path);
	else
		is_ok = read_all(out, fd, (size_t)st.st_size, err) ||
			kp_error_prefix(err, "%s", path);
	(void)close(fd);
	return is_ok;
}

const char *
kp_file_reason(const struct kp_error *err, const char *path)
{
	size_t len = strlen(path);

	if (strncmp(err->text, path, len) != 0 ||
	    strncmp(err->text + len, ": ", 2) != 0)
		return err->text;
	return err->text + len + 2;
}

/* Reads what is there now, at most a page; *out_is_end tells the end. */
static bool
read_some(struct kp_buf *out, int fd, bool *out_is_end, struct kp_error *err)
{
	uint8_t page[4096];
	ssize_t n;

	do
		n = read(fd, page, sizeof(page));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return kp_error_sys(err, "could not read");
	*out_is_end = n == 0;
	kp_buf_add(out, page, (size_t)n);
	if (out->failed)
		return kp_buf_error(
		    out, err, "more than %zu bytes are too many", out->max_len);
	return true;
}

bool
kp_file_read_stream(struct kp_buf *out, int fd, struct kp_error *err)
{
	bool is_end = false;

	while (!is_end) {
		if (!read_some(out, fd, &is_end, err))
			return false;
	}
	return true;
}

static bool
write_all(int fd, struct kp_bytes bytes)
{
	size_t done = 0;

	while (done < bytes.len) {
		ssize_t n = write(fd, bytes.data + done, bytes.len - done);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			done += (size_t)n;
	}
	return true;
}

bool
kp_file_write(
    int dir_fd, const char *name, struct kp_bytes bytes, struct kp_error *err)
{
	int fd = openat(dir_fd, name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool is_ok;

	if (fd < 0)
		return kp_error_sys(err, "could not write %s", name);
	is_ok = write_all(fd, bytes) ||
		kp_error_sys(err, "could not write %s", name);
	(void)close(fd);
	return is_ok;
}

static bool
sync_file(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool is_ok;

	if (fd < 0)
		return false;
	is_ok = fsync(fd) == 0;
	(void)close(fd);
	return is_ok;
}

bool
kp_file_promote(
    int dir_fd, const char *from, const char *name, struct kp_error *err)
{
	if (!sync_file(dir_fd, from))
		return kp_error_sys(err, "could not write %s", from);
	if (renameat(dir_fd, from, dir_fd, name) != 0 || fsync(dir_fd) != 0)
		return kp_error_sys(err, "could not replace %s", name);
	return true;
}

bool
kp_file_replace(
    int dir_fd, const char *name, struct kp_bytes bytes, struct kp_error *err)
{
	char temporary[NAME_MAX + 1];

	/* cut off, it could be the file itself */
	if (snprintf(temporary, sizeof(temporary), "%s.new", name) > NAME_MAX)
		return kp_error_set(
		    err, KP_ERR_LIMIT, "%.64s...: the name is too long", name);
	return kp_file_write(dir_fd, temporary, bytes, err) &&
	       kp_file_promote(dir_fd, temporary, name, err);
}
