/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#define MAX_POINT 0x10ffff

static bool
is_character(uint32_t point)
{
	return point <= MAX_POINT && (point < 0xd800 || point > 0xdfff);
}

/* Length as the first byte says it, and the bits that it gives. */
static size_t
head(uint8_t byte, uint32_t *out)
{
	static const uint32_t smallest[] = { 0, 0, 0xc2, 0xe0, 0xf0 };

	for (size_t len = 4; len >= 2; len--)
		if (byte >= smallest[len] && byte <= 0xf4) {
			*out = byte & (0x7fu >> len);
			return len;
		}
	return 0;
}

size_t
kp_utf8_decode(struct kp_bytes bytes, uint32_t *out_point)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t point = 0;
	size_t len = 1;

	if (bytes.len == 0)
		return 0;
	point = bytes.data[0];
	if (point >= 0x80) {
		len = head(bytes.data[0], &point);
		if (len == 0 || len > bytes.len)
			return 0;
		for (size_t i = 1; i < len; i++) {
			if ((bytes.data[i] & 0xc0) != 0x80)
				return 0;
			point = point << 6 | (bytes.data[i] & 0x3fu);
		}
		if (point < smallest[len] || !is_character(point))
			return 0;
	}
	if (out_point != NULL)
		*out_point = point;
	return len;
}

size_t
kp_utf8_encode(uint32_t point, uint8_t out[4])
{
	static const uint8_t marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : 3;

	if (!is_character(point))
		return 0;
	if (point >= 0x10000)
		len = 4;
	for (size_t i = len - 1; i > 0; i--) {
		out[i] = (uint8_t)(0x80 | (point & 0x3f));
		point >>= 6;
	}
	out[0] = (uint8_t)(marks[len] | point);
	return len;
}

size_t
kp_utf8_count(struct kp_bytes bytes)
{
	size_t count = 0, at = 0;

	while (at < bytes.len) {
		size_t len = 1;

		if (bytes.data[at] >= 0x80)
			len = kp_utf8_decode((struct kp_bytes){ bytes.data + at,
						 bytes.len - at },
			    NULL);
		at += len == 0 ? 1 : len;
		count++;
	}
	return count;
}

bool
kp_utf8_is_valid(struct kp_bytes bytes)
{
	size_t at = 0;

	while (at < bytes.len) {
		size_t len = kp_utf8_decode(
		    (struct kp_bytes){ bytes.data + at, bytes.len - at }, NULL);

		if (len == 0)
			return false;
		at += len;
	}
	return true;
}
