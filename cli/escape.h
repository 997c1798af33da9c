/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of strangers for a terminal: control characters, those of C1 too, and
 * bytes that are no UTF-8 are shown as \xNN. @thread any
 */
#ifndef KP_CLI_ESCAPE_H
#define KP_CLI_ESCAPE_H

#include "base/bytes.h"

/* kp_escape_add adds text as one line: its line ends are escaped, too. */
void kp_escape_add(struct kp_buf *out, const char *text);

/* kp_escape_dup returns the same, to be freed. */
char *kp_escape_dup(const char *text);

#endif
