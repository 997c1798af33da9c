/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting between one look at a server and the next. @thread any */
#ifndef KP_CLI_PAUSE_H
#define KP_CLI_PAUSE_H

#include <stdint.h>

void kp_pause(int64_t ms);

#endif
