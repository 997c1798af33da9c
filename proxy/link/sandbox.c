/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/link/sandbox.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "proxy/link/sandbox_priv.h"

/*
 * Becoming another user has made the kernel forget whose death is ours, and may
 * have made us dumpable for root: both only now.
 */
static bool
shut(pid_t parent, struct kp_error *err)
{
	static const struct rlimit no_core = { 0, 0 };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
	    setrlimit(RLIMIT_CORE, &no_core) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return kp_error_sys(err, "could not give up privileges");
	if (getppid() != parent)
		return kp_error_set(
		    err, KP_ERR_CLOSED, "the supervisor has gone");
	return true;
}

static void
report(const struct kp_sandbox *sandbox, uid_t uid, int landlock_version)
{
	if (landlock_version == 0)
		kp_log(KP_LOG_WARN, "landlock_missing",
		    KP_STR("effect", "only the system call filter is on"));
	if (uid == 0)
		kp_log(KP_LOG_WARN, "worker_is_root",
		    KP_STR("effect", "without capabilities, but files of root "
				     "would be its own"));
	if (sandbox->is_log_only)
		kp_log(KP_LOG_WARN, "sandbox_only_logs",
		    KP_STR("effect", "system calls that it forbids are let "
				     "through: not for production"));
	kp_log(KP_LOG_INFO, "sandbox_entered",
	    KP_STR("mode", sandbox->is_log_only ? "log" : "on"),
	    KP_INT("uid", uid), KP_INT("landlock", landlock_version));
}

bool
kp_sandbox_enter(const struct kp_sandbox *sandbox, struct kp_error *err)
{
	pid_t parent = getppid();
	uid_t uid;
	int landlock_version;

	kp_warm_up();
	if (!kp_identity_drop(sandbox, err) || !shut(parent, err) ||
	    !kp_landlock_enter(&landlock_version, err))
		return false;
	uid = geteuid();
	if (!kp_calls_restrict(sandbox->is_log_only, err))
		return false;
	report(sandbox, uid, landlock_version);
	return true;
}
