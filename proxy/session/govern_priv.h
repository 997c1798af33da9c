/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between govern.c, through which all requests that are judged go, and
 * creation.c, for those that may create topics by naming them. @thread
 * connection
 */
#ifndef KP_PROXY_SESSION_GOVERN_PRIV_H
#define KP_PROXY_SESSION_GOVERN_PRIV_H

#include "proxy/govern/govern.h"
#include "proxy/session/session.h"

/* kp_session_facts are those of the frame that flow is at; borrowed. */
struct kp_facts kp_session_facts(const struct kp_session *session,
    const struct kp_flow *flow, struct kp_bytes client_id);

/* kp_session_log_finding writes one line, as far as the log takes them. */
void kp_session_log_finding(const struct kp_session *session,
    struct kp_bytes item, const struct kp_finding *finding,
    const struct kp_facts *facts);

/*
 * kp_session_keep gives pending that kind and *answer, which is accounted for
 * until the answer goes out. False, with KP_ERR_LIMIT: there is no memory.
 */
bool kp_session_keep(struct kp_session *session, struct kp_pending *pending,
    enum kp_pending_kind kind, struct kp_buf *answer,
    struct kp_error *err) KP_MUST_CHECK;

/* As kp_session_judge, for Metadata. */
bool kp_session_judge_creation(struct kp_session *session, struct kp_flow *flow,
    struct kp_bytes frame, const struct kp_facts *facts,
    struct kp_error *err) KP_MUST_CHECK;

/* As kp_session_merge, but session->reason is not set. */
bool kp_session_tell_creation(struct kp_session *session, struct kp_flow *flow,
    struct kp_bytes *body, struct kp_error *err) KP_MUST_CHECK;

#endif
