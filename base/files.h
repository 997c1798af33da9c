/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files: read with a bound, replaced in one step. @thread any */
#ifndef KP_BASE_FILES_H
#define KP_BASE_FILES_H

#include "base/bytes.h"
#include "base/error.h"

/*
 * kp_file_read adds the content of path to out. Larger than out's room is
 * KP_ERR_LIMIT; anything but a regular file is refused.
 */
bool kp_file_read(
    struct kp_buf *out, const char *path, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_file_reason is what err of kp_file_read says apart from path, for those
 * who put the path in front anyway. Borrowed from err.
 */
const char *kp_file_reason(const struct kp_error *err, const char *path);

/*
 * kp_file_read_stream adds all that fd has until its end to out: a pipe or a
 * terminal, which no size is known of. More than out's room is KP_ERR_LIMIT.
 */
bool kp_file_read_stream(
    struct kp_buf *out, int fd, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_file_replace writes bytes to name in the folder dir_fd: to a temporary
 * file that is synced and renamed, so that a crash leaves the old or the new
 * one. Readable by the owner only.
 */
bool kp_file_replace(int dir_fd, const char *name, struct kp_bytes bytes,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * The same in two steps: kp_file_write leaves a file that a crash of the system
 * may damage, and takes no longer than writing it; kp_file_promote makes it
 * last and gives it its name.
 */
bool kp_file_write(int dir_fd, const char *name, struct kp_bytes bytes,
    struct kp_error *err) KP_MUST_CHECK;
bool kp_file_promote(int dir_fd, const char *from, const char *name,
    struct kp_error *err) KP_MUST_CHECK;

#endif
