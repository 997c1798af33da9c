/* SPDX-License-Identifier: Apache-2.0 */
#include "control/rpc/backoff.h"

#include <stdlib.h>

int64_t
kp_rpc_backoff_next(struct kp_rpc_backoff *backoff)
{
	int64_t whole = backoff->current_ms * 2;

	if (backoff->current_ms == 0)
		whole = backoff->first_ms;
	if (whole > backoff->max_ms)
		whole = backoff->max_ms;
	backoff->current_ms = whole;
	return whole - arc4random_uniform((uint32_t)(whole / 2 + 1));
}

void
kp_rpc_backoff_reset(struct kp_rpc_backoff *backoff)
{
	backoff->current_ms = 0;
}
