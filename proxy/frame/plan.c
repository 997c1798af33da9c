/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/frame/plan.h"

#include <stddef.h>

#include "base/error.h"

static enum kp_need
need_of(const struct kp_message *message, int16_t version, uint64_t wanted)
{
	uint64_t entities = kp_message_entities(message, version);

	if ((entities & wanted) == 0)
		return KP_NEED_NOTHING;
	if ((entities & KP_ENTITY_BIT(KP_E_RECORDS)) != 0)
		return KP_NEED_PIECES;
	return KP_NEED_WHOLE;
}

static void
fill(uint8_t *row, const struct kp_message *message, uint64_t wanted)
{
	kp_assert(message->max_version < KP_PLAN_VERSIONS);
	for (int16_t v = message->min_version; v <= message->max_version; v++)
		row[v] = (uint8_t)need_of(message, v, wanted);
}

void
kp_plan_make(struct kp_plan *plan, uint64_t of_requests, uint64_t of_answers)
{
	*plan = (struct kp_plan){ 0 };
	for (int16_t key = 0; key <= KP_MAX_API_KEY; key++) {
		const struct kp_api *api = kp_api_find(key);

		if (api == NULL)
			continue;
		fill(plan->request[key], api->request, of_requests);
		fill(plan->answer[key], api->response, of_answers);
	}
}

enum kp_need
kp_plan_request(const struct kp_plan *plan, int16_t key, int16_t version)
{
	kp_assert(kp_api_has(key, version));
	return (enum kp_need)plan->request[key][version];
}

enum kp_need
kp_plan_answer(const struct kp_plan *plan, int16_t key, int16_t version)
{
	kp_assert(kp_api_has(key, version));
	return (enum kp_need)plan->answer[key][version];
}
