/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/hex.h"

#include <stdlib.h>
#include <string.h>

struct kp_bytes
kp_unhex(char *text)
{
	size_t len = strlen(text) / 2;

	for (size_t i = 0; i < len; i++) {
		char digits[3] = { text[2 * i], text[2 * i + 1], '\0' };

		text[i] = (char)strtoul(digits, NULL, 16);
	}
	return (struct kp_bytes){ (const uint8_t *)text, len };
}
