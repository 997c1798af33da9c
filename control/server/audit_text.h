/* SPDX-License-Identifier: Apache-2.0 */
/* One line of the audit file as JSON. @thread any */
#ifndef KP_CONTROL_SERVER_AUDIT_TEXT_H
#define KP_CONTROL_SERVER_AUDIT_TEXT_H

#include "control/server/audit.h"

/*
 * kp_audit_text adds a line of at most KP_AUDIT_MAX_LINE bytes with its end:
 * texts are cut, and what is no UTF-8 becomes U+FFFD.
 */
void kp_audit_text(struct kp_buf *out, const struct kp_audit_line *line);

#endif
