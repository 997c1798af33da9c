/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock's rulesets without rules: all that they handle is denied. */
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proxy/link/sandbox_priv.h"

/* Rights over files that each version of Landlock knows, from version 1 on. */
static const uint64_t file_rights[] = { 0x1fff, 0x3fff, 0x7fff, 0x7fff,
	0xffff };

/* What Debian 12's header does not have yet, with the version that has it. */
#define NET_SINCE 4
#define NET_BIND_TCP UINT64_C(1)
#define SCOPE_SINCE 6
#define SCOPE_ABSTRACT_UNIX_SOCKET UINT64_C(1)
#define SCOPE_SIGNAL UINT64_C(2)

/* As struct landlock_ruleset_attr of version 6; older ones want zeros there. */
struct ruleset {
	uint64_t files, net, scoped;
};

static void
deny_all(struct ruleset *rules, size_t version)
{
	size_t newest = sizeof(file_rights) / sizeof(file_rights[0]);

	rules->files = file_rights[(version > newest ? newest : version) - 1];
	/* connect stays possible: brokers have any address and port */
	rules->net = version >= NET_SINCE ? NET_BIND_TCP : 0;
	rules->scoped = version >= SCOPE_SINCE
			    ? SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL
			    : 0;
}

bool
kp_landlock_enter(int *out_version, struct kp_error *err)
{
	struct ruleset rules;
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	int set;
	bool is_ok;

	*out_version = version > 0 ? (int)version : 0;
	if (version < 1)
		return true;
	deny_all(&rules, (size_t)version);
	set =
	    (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	if (set < 0)
		return kp_error_sys(err, "could not make a Landlock ruleset");
	is_ok = syscall(SYS_landlock_restrict_self, set, 0) == 0;
	if (!is_ok)
		kp_error_sys(err, "could not enter Landlock");
	(void)close(set);
	return is_ok;
}
