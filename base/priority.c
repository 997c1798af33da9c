/* SPDX-License-Identifier: Apache-2.0 */
#include "base/priority.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

void
kp_priority_yield(void)
{
	int nice_now = getpriority(PRIO_PROCESS, 0);
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = SCHED_NORMAL,
		.sched_nice =
		    nice_now > KP_PRIORITY_NICE ? nice_now : KP_PRIORITY_NICE,
		/* Who asks for less at a time goes first. A niceness alone only
		 * says who gets more in the long run: the other one runs to the
		 * end of its slice, which is milliseconds. */
		.sched_runtime = KP_PRIORITY_SLICE_NS,
	};

	(void)syscall(SYS_sched_setattr, 0, &attr, 0);
}
