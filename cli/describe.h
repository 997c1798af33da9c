/* SPDX-License-Identifier: Apache-2.0 */
/* What kpctl describe says of a resource, for people. @thread any */
#ifndef KP_CLI_DESCRIBE_H
#define KP_CLI_DESCRIBE_H

#include "base/bytes.h"
#include "base/yaml.h"
#include "proto/control/v1/nodes.pb-c.h"
#include "proto/control/v1/resources.pb-c.h"

/* kp_describe_reaches: is the document, which may be NULL, for that node? */
bool kp_describe_reaches(
    const struct kp_yaml *document, const Kproxy__Control__V1__Node *node);

/* kp_describe_nodes adds which of the nodes that it is for have it. */
void kp_describe_nodes(struct kp_buf *out,
    const Kproxy__Control__V1__Resource *resource,
    Kproxy__Control__V1__Node *const *list, size_t num);

/*
 * kp_describe_resource adds the resource and its last change; false if its
 * document cannot be read.
 */
bool kp_describe_resource(struct kp_buf *out,
    const Kproxy__Control__V1__Resource *resource,
    const Kproxy__Control__V1__HistoryResponse *history) KP_MUST_CHECK;

#endif
