/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <limits.h>
#include <time.h>

static int64_t
read_clock(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t
kp_now_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t
kp_now_ms(void)
{
	return read_clock(CLOCK_MONOTONIC) / 1000000;
}

int64_t
kp_wall_ms(void)
{
	return read_clock(CLOCK_REALTIME) / 1000000;
}

int
kp_ms_left(int64_t deadline_ms)
{
	int64_t left;

	if (deadline_ms == KP_NEVER)
		return -1;
	left = deadline_ms - kp_now_ms();
	if (left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}
