/* SPDX-License-Identifier: Apache-2.0 */
/* Time: monotonic for deadlines and durations, wall clock for logs. @thread any
 */
#ifndef KP_BASE_CLOCK_H
#define KP_BASE_CLOCK_H

#include <stdint.h>

/* Monotonic; only differences mean something. */
int64_t kp_now_ns(void);
int64_t kp_now_ms(void);

/* Milliseconds since 1970-01-01 UTC. */
int64_t kp_wall_ms(void);

/*
 * A deadline is a point of kp_now_ms; KP_NEVER never passes. kp_ms_left is what
 * poll(2) wants: 0 when it has passed, -1 for KP_NEVER.
 */
#define KP_NEVER INT64_MAX
int kp_ms_left(int64_t deadline_ms);

#endif
