/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proxy/link/sandbox_priv.h"

/*
 * What a program started later could have at most. Without CAP_SETPCAP it stays
 * as it is, which loses nothing: no program is started, no new privileges.
 */
static bool
empty_bounding_set(struct kp_error *err)
{
	unsigned long capability = 0;

	while (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0)
		capability++;
	/* EINVAL: the one before was the last that this kernel knows */
	return errno == EINVAL || errno == EPERM ||
	       kp_error_sys(err, "could not give up capabilities");
}

static bool
become(uid_t uid, gid_t gid, struct kp_error *err)
{
	if (setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 &&
	    setresuid(uid, uid, uid) == 0)
		return true;
	return kp_error_sys(err, "could not become user %u with group %u",
	    (unsigned)uid, (unsigned)gid);
}

/* Capabilities of this process, to be read or set. */
struct capabilities {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
};

static bool
empty_capabilities(struct kp_error *err)
{
	struct capabilities none = { .header.version =
					 _LINUX_CAPABILITY_VERSION_3 };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 &&
	    syscall(SYS_capset, &none.header, none.data) == 0)
		return true;
	return kp_error_sys(err, "could not give up capabilities");
}

static bool
has_no_capabilities(void)
{
	static const struct __user_cap_data_struct
	    none[_LINUX_CAPABILITY_U32S_3];
	struct capabilities now = { .header.version =
					_LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &now.header, now.data) == 0 &&
	       memcmp(now.data, none, sizeof(none)) == 0;
}

/* Nor can we become root again. */
static bool
is_nobody_but(uid_t uid, gid_t gid)
{
	uid_t uids[3];
	gid_t gids[3];

	return getresuid(&uids[0], &uids[1], &uids[2]) == 0 &&
	       getresgid(&gids[0], &gids[1], &gids[2]) == 0 && uids[0] == uid &&
	       uids[1] == uid && uids[2] == uid && gids[0] == gid &&
	       gids[1] == gid && gids[2] == gid && getgroups(0, NULL) == 0 &&
	       setresuid(0, 0, 0) != 0;
}

bool
kp_identity_drop(const struct kp_sandbox *sandbox, struct kp_error *err)
{
	if (!empty_bounding_set(err) ||
	    (sandbox->has_user && !become(sandbox->uid, sandbox->gid, err)) ||
	    !empty_capabilities(err))
		return false;
	if (!has_no_capabilities() ||
	    (sandbox->has_user && !is_nobody_but(sandbox->uid, sandbox->gid)))
		return kp_error_set(
		    err, KP_ERR_SYSTEM, "privileges are still there");
	return true;
}
