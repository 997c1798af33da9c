/* SPDX-License-Identifier: Apache-2.0 */
/* Problems that a server has found, printed as those of kpctl validate.
 * @thread main */
#ifndef KP_CLI_PROBLEMS_H
#define KP_CLI_PROBLEMS_H

#include "base/yaml.h"
#include "cli/command.h"
#include "proto/control/v1/types.pb-c.h"

/* kp_problems_add adds one as "file:line:column: Kind "name": field: text". */
void kp_problems_add(
    struct kp_buf *out, const Kproxy__Control__V1__Problem *problem);

/* kp_problems_count counts those that were left out, too; NULL has none. */
size_t kp_problems_count(const Kproxy__Control__V1__Problems *problems);

/*
 * kp_problems_refuse writes all of them to stderr, and that the change was
 * refused. Returns KP_EXIT_REFUSED.
 */
enum kp_exit kp_problems_refuse(const Kproxy__Control__V1__Problems *problems);

/* kp_problems_tree is the list of problems that kpctl validate -o json has. */
struct kp_yaml *kp_problems_tree(const Kproxy__Control__V1__Problems *problems);

#endif
