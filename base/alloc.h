/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two ways to memory. kp_alloc is for small sizes of our own making: it never
 * returns NULL, it aborts. kp_try_alloc is for every size that came from a
 * peer, a file or a key service, always behind a named limit: NULL must be
 * handled. Both are freed with free(). @thread any
 */
#ifndef KP_BASE_ALLOC_H
#define KP_BASE_ALLOC_H

#include <stddef.h>

/* Zeroed memory for count objects of size bytes. */
void *kp_alloc(size_t count, size_t size) __attribute__((malloc));
/* The same for a list of ours that grows; its new part is not initialized. */
void *kp_realloc(void *old, size_t count, size_t size);
char *kp_strdup(const char *text) __attribute__((malloc));
/* kp_strndup copies len bytes and adds a NUL. */
char *kp_strndup(const char *text, size_t len) __attribute__((malloc));

void *kp_try_alloc(size_t size) __attribute__((malloc));
void *kp_try_realloc(void *old, size_t size);

/*
 * kp_alloc_fail_after lets the n-th kp_try_alloc from now on, of any thread,
 * fail once (n = 1: the next one), for tests that walk through every failure; 0
 * switches it off. Returns how far away the one was that was to fail: 0 if it
 * did. @thread any
 */
unsigned kp_alloc_fail_after(unsigned n);

/*
 * kp_alloc_fail_from is the same, and all after it fail as well, until it is
 * switched off: memory that is short stays so. @thread any
 */
unsigned kp_alloc_fail_from(unsigned n);

#endif
