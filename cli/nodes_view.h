/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes of a server as -o asks for them, and for people. @thread main */
#ifndef KP_CLI_NODES_VIEW_H
#define KP_CLI_NODES_VIEW_H

#include "cli/view.h"
#include "proto/control/v1/nodes.pb-c.h"

/* What a node is at, in a word: "current". */
const char *kp_node_state(const Kproxy__Control__V1__Node *node);

/* Does it run what it is to run, or is it kept from that by an operator? */
bool kp_node_is_settled(const Kproxy__Control__V1__Node *node);

/* kp_node_reason adds why the node is not current, "" if nobody knows. */
void kp_node_reason(struct kp_buf *out, const Kproxy__Control__V1__Node *node);

/* kp_nodes_add adds num nodes as -o asks; revision is the newest one. */
void kp_nodes_add(struct kp_buf *out, const struct kp_view *view,
    Kproxy__Control__V1__Node *const *list, size_t num);

/* kp_nodes_summary adds "3 nodes: 2 current, 1 refused; revision 17". */
void kp_nodes_summary(struct kp_buf *out,
    Kproxy__Control__V1__Node *const *list, size_t num, uint64_t revision);

/* kp_node_describe adds all that is known of a node, for people. */
void kp_node_describe(
    struct kp_buf *out, const Kproxy__Control__V1__Node *node);

#endif
