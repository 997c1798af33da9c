/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/link/sandbox.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/log.h"
#include "proxy/link/sandbox_priv.h"

static bool
shut(struct kp_error *err)
{
	static const struct rlimit no_core = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &no_core) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return kp_error_sys(err, "could not give up privileges");
	return true;
}

static void
report(const struct kp_sandbox *sandbox, int landlock_version)
{
	if (landlock_version == 0)
		kp_log(KP_LOG_WARN, "landlock_missing",
		    KP_STR("effect", "only the system call filter is on"));
	if (sandbox->is_log_only)
		kp_log(KP_LOG_WARN, "sandbox_only_logs",
		    KP_STR("effect", "system calls that it forbids are let "
				     "through: not for production"));
	kp_log(KP_LOG_INFO, "sandbox_entered",
	    KP_STR("mode", sandbox->is_log_only ? "log" : "on"),
	    KP_INT("landlock", landlock_version));
}

bool
kp_sandbox_enter(const struct kp_sandbox *sandbox, struct kp_error *err)
{
	int landlock_version;

	kp_warm_up();
	if (!shut(err) || !kp_landlock_enter(&landlock_version, err) ||
	    !kp_calls_restrict(sandbox->is_log_only, err))
		return false;
	report(sandbox, landlock_version);
	return true;
}
