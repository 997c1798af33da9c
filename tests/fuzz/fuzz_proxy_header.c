/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes: parsing whole and parsing only as much as was asked for must
 * agree, and a header never claims bytes that are not there.
 */
#include <stddef.h>
#include <stdint.h>

#include "proxy/net/proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
parse_stepwise(const struct kp_proxy_header *whole,
    enum kp_proxy_result expected, struct kp_bytes in)
{
	struct kp_proxy_header header;
	enum kp_proxy_result result;
	struct kp_bytes seen = { in.data, 0 };
	struct kp_error err;

	while ((result = kp_proxy_header_parse(&header, seen, &err)) ==
	       KP_PROXY_NEED_MORE) {
		kp_assert(header.num_missing > 0);
		if (header.num_missing > in.len - seen.len)
			break;
		seen.len += header.num_missing;
	}
	kp_assert(result == expected);
	if (result != KP_PROXY_DONE)
		return;
	kp_assert(header.used == seen.len);
	kp_assert(header.used == whole->used);
	kp_assert(header.has_source == whole->has_source);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kp_bytes in = { data, size };
	struct kp_proxy_header header;
	char text[KP_ADDRESS_TEXT_LEN];
	enum kp_proxy_result result;
	struct kp_error err;

	result = kp_proxy_header_parse(&header, in, &err);
	if (result == KP_PROXY_DONE) {
		kp_assert(header.used <= size);
		kp_assert(header.used <= KP_PROXY_HEADER_MAX);
		kp_assert(header.has_source == (header.source.len > 0));
		kp_address_format(&header.source, text);
	}
	/* what fails as a whole may still lack bytes when cut off before */
	if (result != KP_PROXY_FAILED)
		parse_stepwise(&header, result, in);
	return 0;
}
