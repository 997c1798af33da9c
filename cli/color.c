/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/color.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
kp_color_is_wanted(int fd)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (no_color != NULL && no_color[0] != '\0')
		return false;
	if (term == NULL || strcmp(term, "dumb") == 0)
		return false;
	return isatty(fd) != 0;
}
