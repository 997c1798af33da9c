/* SPDX-License-Identifier: Apache-2.0 */
/* What a change did to each resource: "cluster/orders configured". @thread main
 */
#ifndef KP_CLI_RESULTS_H
#define KP_CLI_RESULTS_H

#include "base/bytes.h"
#include "cli/args.h"
#include "proto/control/v1/types.pb-c.h"

/* For tables of flags: as -o name, text or json. */
extern const char *const kp_results_words[];

/*
 * kp_results_add adds num results as -o asks; revision is the newest one
 * afterwards. A dry run says so.
 */
void kp_results_add(struct kp_buf *out, const struct kp_args *args,
    Kproxy__Control__V1__Applied *const *list, size_t num, uint64_t revision);

/* kp_results_is_any: has anything changed, or would it? */
bool kp_results_is_any(Kproxy__Control__V1__Applied *const *list, size_t num);

#endif
