/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scalars for yaml_write.c: what may stand without quotes (yaml_plain.c), and
 * how it looks with them. @thread any
 */
#ifndef KP_BASE_YAML_WRITE_PRIV_H
#define KP_BASE_YAML_WRITE_PRIV_H

#include <stdbool.h>

#include "base/bytes.h"

/* kp_yaml_can_be_plain: is text without quotes one scalar in block style? */
bool kp_yaml_can_be_plain(const char *text);

/*
 * kp_yaml_is_ambiguous: would some reader take text, without quotes, for null,
 * a boolean, a number, a time or a merge key?
 */
bool kp_yaml_is_ambiguous(const char *text);

/* kp_yaml_add_quoted adds text in double quotes, as YAML and JSON read it. */
void kp_yaml_add_quoted(struct kp_buf *out, const char *text);

#endif
