/* SPDX-License-Identifier: Apache-2.0 */
/* What a test asks about a whole process: does this abort, what did it write to
 * stderr. @thread main */
#ifndef KP_TESTS_SUPPORT_PROCESS_H
#define KP_TESTS_SUPPORT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

/* kp_aborts calls function in a child process; true if SIGABRT ended it. */
bool kp_aborts(void (*function)(void));

/*
 * kp_stderr_begin sends stderr to a file; kp_stderr_end puts it back and fills
 * out with what was written, NUL-terminated.
 */
void kp_stderr_begin(void);
void kp_stderr_end(char *out, size_t out_size);

#endif
