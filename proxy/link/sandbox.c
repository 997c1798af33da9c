/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/link/sandbox.h"

#include <errno.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

/* Rights over files that each version of Landlock knows, from version 1 on. */
static const uint64_t file_rights[] = { 0x1fff, 0x3fff, 0x7fff, 0x7fff,
	0xffff };

static const int denied_calls[] = {
	/* files */
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat),
	SCMP_SYS(open_by_handle_at), SCMP_SYS(open_tree), SCMP_SYS(mount),
	SCMP_SYS(umount2), SCMP_SYS(move_mount), SCMP_SYS(fsopen),
	SCMP_SYS(fsmount), SCMP_SYS(chroot), SCMP_SYS(pivot_root),
	/* programs and other processes */
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork),
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(kill), SCMP_SYS(pidfd_open),
	SCMP_SYS(pidfd_getfd), SCMP_SYS(pidfd_send_signal),
	/* the kernel's own doors */
	SCMP_SYS(bpf), SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register), SCMP_SYS(keyctl), SCMP_SYS(add_key),
	SCMP_SYS(request_key), SCMP_SYS(userfaultfd), SCMP_SYS(perf_event_open),
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(setns),
	SCMP_SYS(unshare), SCMP_SYS(reboot), SCMP_SYS(personality),
	/* doors for others: listening sockets come from the supervisor */
	SCMP_SYS(listen)
};

/* A ruleset without rules: no file can be reached by any path. */
static bool
deny_files(struct kp_error *err)
{
	struct landlock_ruleset_attr rules = { .handled_access_fs = 0 };
	size_t newest = sizeof(file_rights) / sizeof(file_rights[0]);
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	int set;
	bool is_ok;

	if (version < 1) {
		kp_log(KP_LOG_WARN, "landlock_missing",
		    KP_STR("effect", "only the system call filter is on"));
		return true;
	}
	rules.handled_access_fs =
	    file_rights[(size_t)version > newest ? newest - 1
						 : (size_t)version - 1];
	set =
	    (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	if (set < 0)
		return kp_error_sys(err, "could not make a Landlock ruleset");
	is_ok = syscall(SYS_landlock_restrict_self, set, 0) == 0;
	(void)close(set);
	return is_ok || kp_error_sys(err, "could not enter Landlock");
}

static bool
deny(scmp_filter_ctx filter, int call)
{
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0) == 0;
}

/* Threads are clone with CLONE_THREAD; a new process is one without. */
static bool
deny_processes(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone),
		   1, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)) == 0 &&
	       /* its flags cannot be seen; libc falls back to clone */
	       seccomp_rule_add(
		   filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
}

/* Only the internet: no netlink, no packet sockets, no local services. */
static bool
deny_socket_families(scmp_filter_ctx filter)
{
	bool is_ok =
	    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
		SCMP_A0(SCMP_CMP_GT, AF_INET6)) == 0;

	for (unsigned family = 0; is_ok && family < AF_INET6; family++) {
		if (family != AF_INET)
			is_ok = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM),
				    SCMP_SYS(socket), 1,
				    SCMP_A0(SCMP_CMP_EQ, family)) == 0;
	}
	return is_ok;
}

static bool
filter_calls(struct kp_error *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	bool is_ok = filter != NULL;

	for (size_t i = 0;
	     is_ok && i < sizeof(denied_calls) / sizeof(denied_calls[0]); i++)
		is_ok = deny(filter, denied_calls[i]);
	is_ok = is_ok && deny_processes(filter) &&
		deny_socket_families(filter) && seccomp_load(filter) == 0;
	seccomp_release(filter);
	if (!is_ok)
		return kp_error_set(
		    err, KP_ERR_SYSTEM, "could not load the call filter");
	return true;
}

bool
kp_sandbox_enter(struct kp_error *err)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return kp_error_sys(err, "could not give up privileges");
	if (!deny_files(err) || !filter_calls(err))
		return false;
	kp_log(KP_LOG_INFO, "sandbox_entered", KP_STR("files", "denied"),
	    KP_STR("programs", "denied"));
	return true;
}

bool
kp_sandbox_is_built(void)
{
	return true;
}
