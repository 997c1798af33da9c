/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How requests that policies are asked about, and answers to them, go through a
 * connection. What is decided, and how, is in proxy/govern/. @thread connection
 */
#ifndef KP_PROXY_SESSION_GOVERN_H
#define KP_PROXY_SESSION_GOVERN_H

#include "proxy/session/session.h"

/* kp_session_governs: are there policies for such requests of this client? */
bool kp_session_governs(const struct kp_session *session, int16_t api_key);

/*
 * kp_session_can_judge: is the request, of an API that is governed, of a
 * version that policies can be asked about? The others are not for clients.
 */
bool kp_session_can_judge(const struct kp_request_header *header);

/* kp_session_must_judge: is the newest request one that waits for that? */
bool kp_session_must_judge(struct kp_session *session);

/*
 * kp_session_judge gets a whole request, whose entry in flight is a
 * KP_PENDING_JUDGED, and adds to flow what of it goes on. False: the connection
 * ends.
 */
bool kp_session_judge(struct kp_session *session, struct kp_flow *flow,
    struct kp_bytes frame, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_session_merge puts session->refused into the answer's *body, which flow
 * then keeps until it is written; of topics to create it tells policies' words
 * instead.
 */
bool kp_session_merge(struct kp_session *session, struct kp_flow *flow,
    struct kp_bytes *body, struct kp_error *err) KP_MUST_CHECK;

#endif
