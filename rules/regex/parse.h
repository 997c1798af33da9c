/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KP_RULES_REGEX_PARSE_H
#define KP_RULES_REGEX_PARSE_H

#include "rules/regex/code.h"

/* kp_regex_parse adds the code of a pattern; false and the code's fault if it
 * is none. */
bool kp_regex_parse(
    struct kp_bytes pattern, struct kp_regex_code *code) KP_MUST_CHECK;

#endif
