/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of each message has to be looked at. Each stage says which entities
 * it wants to see; where no stage wants anything of a message, its body is
 * passed on as it comes. Computed once per set of stages, read by all.
 * @thread any, read only
 */
#ifndef KP_PROXY_FRAME_PLAN_H
#define KP_PROXY_FRAME_PLAN_H

#include <stdint.h>

#include "proto/kafka/schema.h"

enum kp_need {
	KP_NEED_NOTHING, /* the header was enough: cut-through */
	KP_NEED_PIECES,  /* walked as it comes; may carry records */
	KP_NEED_WHOLE,   /* collected, walked, rewritten */
};

#define KP_PLAN_VERSIONS 20

struct kp_plan {
	uint8_t request[KP_MAX_API_KEY + 1][KP_PLAN_VERSIONS];
	uint8_t answer[KP_MAX_API_KEY + 1][KP_PLAN_VERSIONS];
};

/*
 * kp_plan_make fills plan for stages that want these entities of requests and
 * of answers. Messages with records among their fields are never collected
 * whole.
 */
void kp_plan_make(
    struct kp_plan *plan, uint64_t of_requests, uint64_t of_answers);

enum kp_need kp_plan_request(
    const struct kp_plan *plan, int16_t key, int16_t version);
enum kp_need kp_plan_answer(
    const struct kp_plan *plan, int16_t key, int16_t version);

#endif
