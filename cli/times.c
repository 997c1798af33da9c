/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/times.h"

#include <stdio.h>
#include <time.h>

/* 9999-12-31: later years have no form of four digits. */
#define MAX_SECONDS 253402300799

void
kp_time_format(char out[KP_TIME_SIZE], int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm parts;

	out[0] = '\0';
	if (ms <= 0 || seconds > MAX_SECONDS ||
	    gmtime_r(&seconds, &parts) == NULL)
		return;
	if (strftime(out, KP_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		out[0] = '\0';
}

void
kp_time_ago(char out[KP_TIME_SIZE], int64_t ms, int64_t now_ms)
{
	static const struct {
		int64_t seconds;
		char unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	int64_t ago;
	size_t i = 0;

	out[0] = '\0';
	if (ms <= 0)
		return;
	/* clocks differ a little */
	ago = now_ms > ms ? (now_ms - ms) / 1000 : 0;
	while (i < 3 && ago < 2 * units[i].seconds)
		i++;
	(void)snprintf(out, KP_TIME_SIZE, "%lld%c",
	    (long long)(ago / units[i].seconds), units[i].unit);
}
