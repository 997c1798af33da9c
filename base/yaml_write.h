/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of yaml.h as text, YAML in block style or JSON. What was written parses
 * to the same tree (kp_yaml_is_same), here and with any other reader of YAML
 * 1.1, 1.2 or JSON: a string is quoted when, and only when, one of them would
 * take it for something else. Bytes that are no UTF-8 become U+FFFD. A buffer
 * that is too small has failed afterwards. @thread any
 */
#ifndef KP_BASE_YAML_WRITE_H
#define KP_BASE_YAML_WRITE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/yaml.h"

/* kp_yaml_write adds root as one document, without "---", to the line's end. */
void kp_yaml_write(struct kp_buf *out, const struct kp_yaml *root);

/*
 * kp_yaml_write_json adds root as JSON, indented by two, to the line's end. Our
 * own parser does not read keys of more than 1,000 bytes in it.
 */
void kp_yaml_write_json(struct kp_buf *out, const struct kp_yaml *root);

/* kp_yaml_is_json_word: is text true, false, or a number of JSON? */
bool kp_yaml_is_json_word(const char *text);

#endif
