/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of names, in which "*" is any text. @thread any */
#ifndef KP_BASE_GLOB_H
#define KP_BASE_GLOB_H

#include <stdbool.h>

#include "base/bytes.h"

/*
 * kp_glob_matches compares all of name, byte by byte, in time that is linear in
 * name for each "*" of the pattern.
 */
bool kp_glob_matches(const char *pattern, struct kp_bytes name);

#endif
