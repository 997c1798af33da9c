/* SPDX-License-Identifier: Apache-2.0 */
/* Diagnostics of rules/ as the message Problems, and in the log. @thread any */
#ifndef KP_CONTROL_API_PROBLEMS_H
#define KP_CONTROL_API_PROBLEMS_H

#include "proto/control/v1/types.pb-c.h"
#include "rules/diagnostics.h"

/* Owns its own lists; their texts are borrowed from the diagnostics. */
struct kp_api_problems {
	Kproxy__Control__V1__Problems message;
	Kproxy__Control__V1__Problem *list;
};

/*
 * kp_api_problems_init says as many problems as fit into max_len packed bytes,
 * in their order, and how many are left out.
 */
void kp_api_problems_init(struct kp_api_problems *out,
    const struct kp_diagnostics *diagnostics, size_t max_len);
void kp_api_problems_fini(struct kp_api_problems *problems);

/* kp_api_problems_log logs each as an error, and how many there are more. */
void kp_api_problems_log(
    const struct kp_diagnostics *diagnostics, const char *event);

#endif
