/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/mutex.h"
#include "control/server/audit_text.h"

struct kp_audit {
	char *path;
	struct kp_mutex lock; /* guards what follows, and the file's end */
	int fd;
	unsigned num_reserved;   /* lines that room was taken for */
	bool is_torn;            /* the last line is not whole */
	struct kp_error problem; /* kind NONE: the last attempt went well */
	struct kp_audit_counts counts;
};

static int
open_file(const char *path, struct kp_error *err)
{
	int fd =
	    open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		S_IRUSR | S_IWUSR);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		(void)kp_error_sys(err, "audit file %s", path);
	} else if (!S_ISREG(st.st_mode)) {
		(void)kp_error_set(err, KP_ERR_CONFIG,
		    "audit file %s: not a regular file", path);
	} else {
		return fd;
	}
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* A server that was cut off may have left half a line. */
static bool
ends_in_line(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char last = '\n';
	off_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);

	if (end > 0 && pread(fd, &last, 1, end - 1) != 1)
		last = '\0';
	if (fd >= 0)
		(void)close(fd);
	return last == '\n';
}

struct kp_audit *
kp_audit_open(const char *path, struct kp_error *err)
{
	struct kp_audit *audit;
	int fd = open_file(path, err);

	if (fd < 0)
		return NULL;
	audit = kp_alloc(1, sizeof(*audit));
	audit->path = kp_strdup(path);
	audit->fd = fd;
	audit->is_torn = !ends_in_line(path);
	kp_mutex_init(&audit->lock, KP_RANK_AUDIT);
	return audit;
}

void
kp_audit_close(struct kp_audit *audit)
{
	if (audit == NULL)
		return;
	(void)close(audit->fd);
	kp_mutex_fini(&audit->lock);
	free(audit->path);
	free(audit);
}

bool
kp_audit_reopen(struct kp_audit *audit, struct kp_error *err)
{
	int fd = open_file(audit->path, err), old;
	bool is_whole = ends_in_line(audit->path);

	if (fd < 0)
		return false;
	kp_mutex_lock(&audit->lock);
	old = audit->fd;
	audit->fd = fd;
	audit->is_torn = !is_whole;
	kp_mutex_unlock(&audit->lock);
	(void)close(old);
	return true;
}

/*
 * Takes blocks behind the end for len more bytes; the end stays where it is.
 * File systems that cannot do so show a full disk at the write before.
 */
static bool
take_room_locked(struct kp_audit *audit, size_t len)
{
	struct rlimit limit;
	struct stat st;

	if (fstat(audit->fd, &st) != 0 || getrlimit(RLIMIT_FSIZE, &limit) != 0)
		return kp_error_sys(
		    &audit->problem, "audit file %s", audit->path);
	len += (size_t)audit->num_reserved * KP_AUDIT_MAX_LINE;
	errno = EFBIG;
	if ((limit.rlim_cur == RLIM_INFINITY ||
		(rlim_t)st.st_size + len <= limit.rlim_cur) &&
	    fallocate(audit->fd, FALLOC_FL_KEEP_SIZE, st.st_size, (off_t)len) ==
		0)
		return true;
	if (errno == EOPNOTSUPP)
		return audit->problem.kind == KP_ERR_NONE;
	return kp_error_sys(&audit->problem, "audit file %s", audit->path);
}

bool
kp_audit_reserve(struct kp_audit *audit, struct kp_error *err)
{
	bool is_ok;

	kp_mutex_lock(&audit->lock);
	is_ok = take_room_locked(audit, KP_AUDIT_MAX_LINE);
	if (is_ok) {
		audit->num_reserved++;
		audit->problem.kind = KP_ERR_NONE;
	}
	*err = audit->problem;
	kp_mutex_unlock(&audit->lock);
	return is_ok;
}

void
kp_audit_release(struct kp_audit *audit)
{
	kp_mutex_lock(&audit->lock);
	kp_assert(audit->num_reserved > 0);
	audit->num_reserved--;
	kp_mutex_unlock(&audit->lock);
}

/* All or nothing: what was written of a line is cut off again. */
static bool
append_locked(struct kp_audit *audit, struct kp_bytes line)
{
	off_t end = lseek(audit->fd, 0, SEEK_END);
	size_t done = 0;

	while (done < line.len) {
		ssize_t n = write(audit->fd, line.data + done, line.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		done += (size_t)n;
	}
	if (done == line.len)
		return true;
	(void)kp_error_sys(&audit->problem, "audit file %s", audit->path);
	if (done > 0 && ftruncate(audit->fd, end) != 0)
		audit->is_torn = true;
	return false;
}

static bool
write_locked(struct kp_audit *audit, struct kp_bytes line, bool is_synced)
{
	/* nobody takes the room that a change was promised */
	if (!is_synced && audit->num_reserved > 0 &&
	    !take_room_locked(audit, line.len))
		return false;
	if (audit->is_torn && !append_locked(audit, kp_bytes_of("\n")))
		return false;
	audit->is_torn = false;
	if (!append_locked(audit, line))
		return false;
	if (is_synced && fdatasync(audit->fd) != 0) {
		(void)kp_error_sys(
		    &audit->problem, "audit file %s", audit->path);
		return false;
	}
	return true;
}

static void
log_lost(const struct kp_error *problem, struct kp_bytes line)
{
	static struct kp_log_limiter limiter;
	uint64_t suppressed;

	if (kp_log_admit(&limiter, &suppressed))
		kp_log(KP_LOG_ERROR, "audit_line_lost",
		    KP_STR("reason", problem->text), KP_BYTES("line", line),
		    KP_INT("suppressed", suppressed));
}

void
kp_audit_write(
    struct kp_audit *audit, const struct kp_audit_line *line, bool is_synced)
{
	struct kp_error problem = { .kind = KP_ERR_NONE };
	struct kp_buf text;

	/* that of a change must not be lost */
	kp_buf_init_small(&text, KP_AUDIT_MAX_LINE);
	kp_audit_text(&text, line);
	kp_assert(!text.failed);
	kp_mutex_lock(&audit->lock);
	if (write_locked(audit, kp_buf_bytes(&text), is_synced)) {
		audit->problem.kind = KP_ERR_NONE;
		audit->counts.written++;
	} else {
		problem = audit->problem;
		audit->counts.lost++;
	}
	kp_mutex_unlock(&audit->lock);
	if (problem.kind != KP_ERR_NONE)
		log_lost(&problem, kp_buf_bytes(&text));
	kp_buf_fini(&text);
}

bool
kp_audit_is_well(struct kp_audit *audit, struct kp_error *err)
{
	kp_mutex_lock(&audit->lock);
	/* is there room for a change? Nobody may have called since. */
	if (take_room_locked(audit, KP_AUDIT_MAX_LINE))
		audit->problem.kind = KP_ERR_NONE;
	*err = audit->problem;
	kp_mutex_unlock(&audit->lock);
	return err->kind == KP_ERR_NONE;
}

void
kp_audit_count(struct kp_audit *audit, struct kp_audit_counts *out)
{
	kp_mutex_lock(&audit->lock);
	*out = audit->counts;
	kp_mutex_unlock(&audit->lock);
}
