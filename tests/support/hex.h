/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes on lines of text, for programs that tests talk to. @thread any */
#ifndef KP_TESTS_SUPPORT_HEX_H
#define KP_TESTS_SUPPORT_HEX_H

#include "base/bytes.h"

/* kp_unhex turns hexadecimal into bytes, in place. */
struct kp_bytes kp_unhex(char *text);

#endif
