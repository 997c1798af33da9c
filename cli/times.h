/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time, for people and programs. @thread any */
#ifndef KP_CLI_TIMES_H
#define KP_CLI_TIMES_H

#include <stdint.h>

#define KP_TIME_SIZE 32

/* kp_time_format writes "2026-03-01T12:00:00Z", or "" for 0 and for what no
 * calendar knows. */
void kp_time_format(char out[KP_TIME_SIZE], int64_t ms);

/* kp_time_ago writes how long before now_ms that was: "5s", "3m", "4h", "12d";
 * "" for 0. */
void kp_time_ago(char out[KP_TIME_SIZE], int64_t ms, int64_t now_ms);

#endif
