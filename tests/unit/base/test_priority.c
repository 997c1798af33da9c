/* SPDX-License-Identifier: Apache-2.0 */
#include "base/priority.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

/* As sched_getattr(2) has it; the kernel's header and libc's exclude each
 * other. */
struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};

static bool
has_slices(void)
{
	struct utsname system;
	int major = 0, minor = 0;

	cr_assert_eq(uname(&system), 0);
	cr_assert_eq(sscanf(system.release, "%d.%d", &major, &minor), 2);
	return major > 6 || (major == 6 && minor >= 12);
}

Test(priority, others_go_first)
{
	int before = getpriority(PRIO_PROCESS, 0);
	struct attr attr = { .size = sizeof(attr) };

	kp_priority_yield();
	cr_assert_eq(syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0), 0);
	cr_assert_eq(attr.policy, SCHED_OTHER);
	cr_assert_eq(
	    attr.nice, before > KP_PRIORITY_NICE ? before : KP_PRIORITY_NICE);
	if (has_slices())
		cr_assert_eq(attr.runtime_ns, KP_PRIORITY_SLICE_NS);

	/* who is more polite stays so */
	cr_assert_eq(setpriority(PRIO_PROCESS, 0, attr.nice + 1), 0);
	kp_priority_yield();
	cr_assert_eq(getpriority(PRIO_PROCESS, 0), attr.nice + 1);
}
