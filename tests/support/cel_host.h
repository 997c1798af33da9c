/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions of CEL in tests, for a host that each test defines. @thread main
 */
#ifndef KP_TESTS_SUPPORT_CEL_HOST_H
#define KP_TESTS_SUPPORT_CEL_HOST_H

#include "rules/cel/program.h"

/* The host: what its expressions can name, and the values of that. */
extern const struct kp_cel_env kp_host_env;
struct kp_cel_value kp_host_get(
    const struct kp_cel_input *input, size_t variable);

/* Of the newest run. */
extern struct kp_cel_scratch kp_host_scratch;

/* kp_host_run evaluates; what is returned borrows from static memory alone. */
bool kp_host_run(const char *source, uint64_t max_steps, size_t max_len,
    struct kp_cel_value *out, struct kp_cel_fault *fault);

/* kp_host_true fails the test if source is not true. */
void kp_host_true(const char *source);
void kp_host_all_true(const char *const *sources, size_t num);
#define KP_HOST_ALL_TRUE(list) \
	kp_host_all_true(list, sizeof(list) / sizeof(*(list)))

/* kp_host_fault fails the test if source has a value. */
struct kp_cel_fault kp_host_fault(const char *source);
void kp_host_all_wrong(const char *const *sources, size_t num);
#define KP_HOST_ALL_WRONG(list) \
	kp_host_all_wrong(list, sizeof(list) / sizeof(*(list)))

#endif
