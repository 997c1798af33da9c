/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/pause.h"

#include <time.h>

void
kp_pause(int64_t ms)
{
	const struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&pause, NULL);
}
