/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources.Watch: streams that are told of every revision. One thread reads
 * revisions from the store and sends them; a stream is sent the next ones when
 * it has taken those before, so that its client's pace costs no memory here.
 * One that takes nothing for too long is ended. @thread any
 */
#ifndef KP_CONTROL_SERVER_WATCHES_H
#define KP_CONTROL_SERVER_WATCHES_H

#include "control/server/desk.h"
#include "control/server/service.h"

struct kp_watches;

/* kp_watches_new borrows the desk, which must live longer. */
struct kp_watches *kp_watches_new(
    struct kp_desk *desk, size_t max_watches, int64_t timeout_ms);

/* kp_watches_free: all streams have been closed. */
void kp_watches_free(struct kp_watches *watches);

/* kp_watches_changed tells that there is a new revision; it does not wait. */
void kp_watches_changed(struct kp_watches *watches, uint64_t newest);

/* Handlers of Watch; watches are those of struct kp_services. */
void kp_watches_message(
    struct kp_rpc_call *call, const ProtobufCMessage *message);
void kp_watches_sent(struct kp_rpc_call *call);
void kp_watches_closed(struct kp_rpc_call *call);

#endif
