/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text in the operator's editor: KPCTL_EDITOR, VISUAL, EDITOR, or vi, in a
 * file that nobody else can read. @thread main
 */
#ifndef KP_CLI_EDITOR_H
#define KP_CLI_EDITOR_H

#include "base/bytes.h"
#include "base/error.h"

struct kp_editor {
	char *path; /* of the file */
};

/* kp_editor_open makes the file. To be ended with kp_editor_close. */
bool kp_editor_open(struct kp_editor *out, struct kp_error *err) KP_MUST_CHECK;

/* kp_editor_close removes the file, or leaves it where it is. */
void kp_editor_close(struct kp_editor *editor, bool is_kept);

/*
 * kp_editor_edit replaces text by what the operator has made of it. It fails if
 * the editor does, or if more was written than may be.
 */
bool kp_editor_edit(const struct kp_editor *editor, struct kp_buf *text,
    struct kp_error *err) KP_MUST_CHECK;

#endif
