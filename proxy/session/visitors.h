/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several stages look at one message in one walk: each sees what it asked for.
 * @thread connection
 */
#ifndef KP_PROXY_SESSION_VISITORS_H
#define KP_PROXY_SESSION_VISITORS_H

#include "proxy/session/session.h"

/* Of requests that are walked as they come. */
struct kp_visitor kp_visit_request(struct kp_session *session);

/* Of answers: as they come, and as a whole (kp_walk_whole, kp_walk_tail). */
struct kp_visitor kp_visit_answer_pieces(struct kp_session *session);
struct kp_visitor kp_visit_answer(struct kp_session *session);

/*
 * kp_look_at_answer goes through a body before it is rewritten: most answers
 * have nothing that any stage would change, and can go on as they are.
 * *out_is_clean tells; records are accounted for here and not again later.
 */
bool kp_look_at_answer(struct kp_session *session, struct kp_bytes body,
    bool *out_is_clean, struct kp_error *err) KP_MUST_CHECK;

#endif
