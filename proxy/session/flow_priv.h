/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two halves of a flow: flow.c cuts frames out of what is in the window and
 * decides what goes on, flow_io.c reads and writes. @thread connection
 */
#ifndef KP_PROXY_SESSION_FLOW_PRIV_H
#define KP_PROXY_SESSION_FLOW_PRIV_H

#include "proxy/session/flow.h"

/* Bytes in the window that no frame has taken yet. */
size_t kp_flow_available(const struct kp_flow *flow);
/* Where they begin; never NULL, so that adding 0 is defined. */
uint8_t *kp_flow_position(struct kp_flow *flow);

/*
 * kp_flow_unseen is how many of the bytes that come next go on without anybody
 * looking at them; kp_flow_pass_unseen says that so many have gone on.
 */
size_t kp_flow_unseen(const struct kp_flow *flow);
void kp_flow_pass_unseen(struct kp_flow *flow, size_t len);

/*
 * kp_flow_passing is how many of them go on whatever is in them: unseen, or
 * with somebody looking at a copy. kp_flow_show is given that copy.
 */
size_t kp_flow_passing(const struct kp_flow *flow);
bool kp_flow_show(struct kp_flow *flow, uint8_t *copy, size_t len,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_flow_written empties what was to be written. */
void kp_flow_written(struct kp_flow *flow);

/* kp_flow_write writes what there is; KP_FLOW_YIELD when that is all. */
enum kp_flow_status kp_flow_write(struct kp_flow *flow, struct kp_error *err);

/* kp_flow_read gets more bytes, or moves them on unseen; KP_FLOW_YIELD then. */
enum kp_flow_status kp_flow_read(struct kp_flow *flow, struct kp_error *err);

/* Gives memory and pipe back, with what is in them. */
void kp_flow_release(struct kp_flow *flow);

#endif
