/* SPDX-License-Identifier: Apache-2.0 */
#include "base/glob.h"

/*
 * The shortest text for each "*" is enough: whatever a later one could still
 * match, it can match after that as well. So only the last "*" is tried again.
 */
bool
kp_glob_matches(const char *pattern, struct kp_bytes name)
{
	const char *after_star = NULL;
	size_t at = 0, retry_at = 0;

	while (at < name.len || *pattern == '*') {
		if (*pattern == '*') {
			after_star = ++pattern;
			retry_at = at;
		} else if (*pattern != '\0' &&
			   (uint8_t)*pattern == name.data[at]) {
			pattern++;
			at++;
		} else if (after_star != NULL) {
			pattern = after_star;
			at = ++retry_at;
		} else {
			return false;
		}
	}
	return *pattern == '\0';
}
