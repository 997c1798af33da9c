/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/link/sandbox.h"

#include "base/log.h"

bool
kp_sandbox_enter(const struct kp_sandbox *sandbox, struct kp_error *err)
{
	(void)sandbox;
	(void)err;
	kp_log(KP_LOG_WARN, "sandbox_off",
	    KP_STR("reason", "built without it, for tests and profilers"));
	return true;
}
