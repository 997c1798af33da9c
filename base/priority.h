/* SPDX-License-Identifier: Apache-2.0 */
/* How a process stands towards others that want the same processor. */
#ifndef KP_BASE_PRIORITY_H
#define KP_BASE_PRIORITY_H

#define KP_PRIORITY_NICE 5
#define KP_PRIORITY_SLICE_NS (100L * 1000 * 1000)

/*
 * kp_priority_yield makes the process give way to all that are not so polite: a
 * thread that wakes up takes the processor at once, on Linux 6.12 and newer;
 * before that, after a moment. For what clients do not wait for. Where it is
 * not allowed everything stays as it is.
 * @thread the main one, before there are others; they inherit it
 */
void kp_priority_yield(void);

#endif
