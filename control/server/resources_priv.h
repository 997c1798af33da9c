/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers of Resources, and what they share. Only for
 * control/server/resources*.c and watches.c. */
#ifndef KP_CONTROL_SERVER_RESOURCES_PRIV_H
#define KP_CONTROL_SERVER_RESOURCES_PRIV_H

#include "control/server/desk.h"
#include "control/server/resources.h"

void kp_resources_apply(
    struct kp_rpc_call *call, const ProtobufCMessage *message);
void kp_resources_validate(
    struct kp_rpc_call *call, const ProtobufCMessage *message);
void kp_resources_delete(
    struct kp_rpc_call *call, const ProtobufCMessage *message);
void kp_resources_rollback(
    struct kp_rpc_call *call, const ProtobufCMessage *message);
void kp_resources_get(
    struct kp_rpc_call *call, const ProtobufCMessage *message);
void kp_resources_list(
    struct kp_rpc_call *call, const ProtobufCMessage *message);
void kp_resources_diff(
    struct kp_rpc_call *call, const ProtobufCMessage *message);
void kp_resources_history(
    struct kp_rpc_call *call, const ProtobufCMessage *message);

struct kp_desk *kp_resources_desk(const struct kp_rpc_call *call);

/* Texts of messages are not const, though nobody writes to what is packed. */
char *kp_resources_text(const char *text);

/* kp_resources_end ends a call that the store has no good answer for. */
void kp_resources_end(struct kp_rpc_call *call, enum kp_store_result result,
    const struct kp_error *err);

/*
 * kp_revision_new makes a message of a revision with copies of all its texts,
 * for kp_revision_free. NULL if it changes nothing of kind (""; all) and name
 * ("": all). Of kind alone, other changes are left out if is_only_kind.
 */
struct kp_revision_filter {
	const char *kind, *name;
	bool is_only_kind;
	bool with_documents;
};
Kproxy__Control__V1__Revision *kp_revision_new(
    const struct kp_store_revision *revision,
    const struct kp_revision_filter *filter);
void kp_revision_free(Kproxy__Control__V1__Revision *revision);

Kproxy__Control__V1__Outcome kp_outcome_of(enum kp_outcome outcome);

#endif
