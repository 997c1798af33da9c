/* SPDX-License-Identifier: Apache-2.0 */
/* Steps counted; see struct kp_regex_meter. */
#ifndef KP_RULES_REGEX_METER_H
#define KP_RULES_REGEX_METER_H

#include "rules/regex/regex.h"

/* kp_regex_spend is false once the meter is spent; NULL never is. */
static inline bool
kp_regex_spend(struct kp_regex_meter *meter, uint64_t steps)
{
	if (meter == NULL)
		return true;
	if (__builtin_add_overflow(meter->used, steps, &meter->used))
		meter->used = UINT64_MAX;
	return meter->used <= meter->max;
}

#endif
