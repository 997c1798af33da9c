/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the parts of a push to a set: bounded, and only if it is what the server
 * says it is. The server is not trusted to be right: what it says may be stale,
 * too much, or nonsense. @thread any, one at a time
 */
#ifndef KP_CONTROL_AGENT_INTAKE_H
#define KP_CONTROL_AGENT_INTAKE_H

#include "control/agent/held.h"
#include "proto/control/v1/nodes.pb-c.h"

/* Of a kind, and of a name. */
#define KP_INTAKE_MAX_NAME_LEN 63

struct kp_intake;

/*
 * kp_intake_new begins with a push that is made for held, which may be NULL.
 * Paths in resources are relative to folder.
 */
struct kp_intake *kp_intake_new(struct kp_held *held, const char *folder);
void kp_intake_free(struct kp_intake *intake);

/*
 * kp_intake_add takes the next part. False if the push is of no use:
 * KP_ERR_LIMIT, KP_ERR_PROTOCOL, or KP_ERR_UNAVAILABLE if it is based on
 * another set than held. Nothing more may be added then, nor after the last
 * part.
 */
bool kp_intake_add(struct kp_intake *intake,
    const Kproxy__Control__V1__Push *part, struct kp_error *err) KP_MUST_CHECK;

/* Was that the last part? */
bool kp_intake_is_whole(const struct kp_intake *intake);

/* How much the parts so far have in them, in bytes. */
size_t kp_intake_len(const struct kp_intake *intake);

/*
 * kp_intake_finish returns the set of a whole push. Its resources are NULL if
 * there is anything in diagnostics, which begin empty. NULL with KP_ERR_CONFIG
 * if it is older than what is held and no rollback, with KP_ERR_PROTOCOL or
 * KP_ERR_LIMIT if the parts do not make the set that the server meant.
 */
struct kp_held *kp_intake_finish(struct kp_intake *intake,
    struct kp_diagnostics *diagnostics, struct kp_error *err);

/*
 * kp_held_unpack reads what kp_held_pack wrote; NULL if it is damaged or, with
 * diagnostics, not valid any more.
 */
struct kp_held *kp_held_unpack(struct kp_bytes packed, const char *folder,
    struct kp_diagnostics *diagnostics, struct kp_error *err);

#endif
