/* SPDX-License-Identifier: Apache-2.0 */
/* What all manual pages have. */
#ifndef KP_CLI_MAN_PRIV_H
#define KP_CLI_MAN_PRIV_H

#include "base/bytes.h"

/* kp_man_add_text adds text so that roff shows it as it is. */
void kp_man_add_text(struct kp_buf *out, const char *text);

/* kp_man_add_title begins a page. */
void kp_man_add_title(
    struct kp_buf *out, const char *name, int section, const char *about);

#endif
