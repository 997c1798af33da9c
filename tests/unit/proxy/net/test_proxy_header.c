/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/net/proxy_header.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

/* A literal with NUL bytes inside. */
#define BYTES(literal) \
	{ \
		(const uint8_t *)(literal), sizeof(literal) - 1 \
	}

struct good {
	struct kp_bytes header;
	const char *source; /* NULL: the socket's peer counts */
};

static const struct good good[] = {
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 5123 9092\r\n"),
	    "10.0.0.1:5123" },
	{ BYTES("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0:0" },
	{ BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
	    "255.255.255.255:65535" },
	{ BYTES("PROXY TCP6 2001:db8::1 ::1 1 2\r\n"), "[2001:db8::1]:1" },
	{ BYTES("PROXY TCP6 :: :: 0 0\r\n"), "[::]:0" },
	{ BYTES("PROXY TCP6 ::ffff:1.2.3.4 ::1 1 2\r\n"), "1.2.3.4:1" },
	{ BYTES("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
	{ BYTES("PROXY UNKNOWN\r\n"), NULL },
	{ BYTES("PROXY UNKNOWN whatever they  like\t\x80\r\n"), NULL },
	/* 107 bytes, the longest line */
	{ BYTES("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	    NULL },
	/* version 2: TCP4, TCP6, UNSPEC, LOCAL without and with addresses */
	{ BYTES(SIGNATURE "\x21\x11\0\x0c"
			  "\x0a\0\0\x01\x0a\0\0\x02\x14\x03\x23\x84"),
	    "10.0.0.1:5123" },
	{ BYTES(SIGNATURE
	      "\x21\x21\0\x24"
	      "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
	      "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x14\x03\x23\x84"),
	    "[2001:db8::1]:5123" },
	{ BYTES(SIGNATURE
	      "\x21\x21\0\x24"
	      "\0\0\0\0\0\0\0\0\0\0\xff\xff\x01\x02\x03\x04"
	      "\0\0\0\0\0\0\0\0\0\0\xff\xff\x01\x02\x03\x05\0\x01\0\x02"),
	    "1.2.3.4:1" },
	{ BYTES(SIGNATURE "\x21\x00\0\0"), NULL },
	{ BYTES(SIGNATURE "\x21\x00\0\x03"
			  "abc"),
	    NULL },
	{ BYTES(SIGNATURE "\x20\x00\0\0"), NULL },
	{ BYTES(SIGNATURE "\x20\x11\0\x0c"
			  "\x0a\0\0\x01\x0a\0\0\x02\x14\x03\x23\x84"),
	    NULL },
	/* with extensions: one of 2 bytes, an empty one */
	{ BYTES(SIGNATURE "\x21\x11\0\x14"
			  "\x0a\0\0\x01\x0a\0\0\x02\x14\x03\x23\x84"
			  "\xea\0\x02xy\x04\0\0"),
	    "10.0.0.1:5123" },
};

#define NUM_GOOD (sizeof(good) / sizeof(good[0]))

static void
expect_source(const struct kp_proxy_header *header, const char *source)
{
	char text[KP_ADDRESS_TEXT_LEN];

	cr_assert_eq(header->has_source, source != NULL);
	if (source == NULL)
		return;
	kp_address_format(&header->source, text);
	cr_assert_str_eq(text, source);
}

/* Exactly len bytes in memory of their own, so that a sanitizer sees more. */
static enum kp_proxy_result
parse_copy(
    struct kp_proxy_header *out, struct kp_bytes in, struct kp_error *err)
{
	uint8_t *copy = kp_alloc(1, in.len + 1);
	enum kp_proxy_result result;

	kp_copy(copy + 1, in.data, in.len);
	result = kp_proxy_header_parse(
	    out, (struct kp_bytes){ copy + 1, in.len }, err);
	free(copy);
	return result;
}

Test(proxy_header, says_who_the_client_is)
{
	for (size_t i = 0; i < NUM_GOOD; i++) {
		struct kp_proxy_header header;
		struct kp_error err;

		cr_assert_eq(parse_copy(&header, good[i].header, &err),
		    KP_PROXY_DONE, "%zu", i);
		cr_assert_eq(header.used, good[i].header.len);
		expect_source(&header, good[i].source);
	}
}

Test(proxy_header, every_strict_prefix_asks_for_more_but_not_too_much)
{
	for (size_t i = 0; i < NUM_GOOD; i++) {
		for (size_t len = 0; len < good[i].header.len; len++) {
			struct kp_bytes in = { good[i].header.data, len };
			struct kp_proxy_header header;
			struct kp_error err;

			cr_assert_eq(parse_copy(&header, in, &err),
			    KP_PROXY_NEED_MORE, "%zu: %zu", i, len);
			cr_assert(header.num_missing > 0);
			cr_assert(
			    len + header.num_missing <= good[i].header.len);
		}
	}
}

Test(proxy_header, asking_for_what_is_missing_stops_at_its_end)
{
	for (size_t i = 0; i < NUM_GOOD; i++) {
		struct kp_bytes in = { good[i].header.data, 0 };
		struct kp_proxy_header header;
		unsigned num_reads = 0;
		struct kp_error err;

		while (parse_copy(&header, in, &err) == KP_PROXY_NEED_MORE) {
			in.len += header.num_missing;
			cr_assert(++num_reads < 60);
		}
		cr_assert_eq(in.len, good[i].header.len);
		expect_source(&header, good[i].source);
	}
}

Test(proxy_header, what_follows_is_not_looked_at)
{
	static const uint8_t tails[][3] = { "\r\n", "\n\n", { 0x16, 3, 1 },
		{ 0, 0, 0 } };

	for (size_t i = 0; i < NUM_GOOD; i++) {
		for (size_t t = 0; t < sizeof(tails) / sizeof(tails[0]); t++) {
			struct kp_proxy_header header;
			struct kp_error err;
			struct kp_buf buf;

			kp_buf_init(&buf, 1024);
			kp_buf_add(
			    &buf, good[i].header.data, good[i].header.len);
			kp_buf_add(&buf, tails[t], sizeof(tails[t]));
			cr_assert_eq(kp_proxy_header_parse(
					 &header, kp_buf_bytes(&buf), &err),
			    KP_PROXY_DONE);
			cr_assert_eq(header.used, good[i].header.len);
			expect_source(&header, good[i].source);
			kp_buf_fini(&buf);
		}
	}
}

static const struct kp_bytes bad[] = {
	BYTES("G"),
	BYTES("\0"),
	BYTES("\x16\x03\x01"),
	BYTES("\0\0\0\x1f\0\x12\0\x03"),
	BYTES("\n"),
	BYTES("\r\r"),
	BYTES("\r\n\r\n\0\r\nQUIX"),
	BYTES("proxy TCP4 1.1.1.1 1.1.1.1 1 1\r\n"),
	BYTES("PROXY\tTCP4 1.1.1.1 1.1.1.1 1 1\r\n"),
	BYTES("PROXY\r\n"),
	BYTES("PROXY \r\n"),
	BYTES("PROXY  TCP4 1.1.1.1 1.1.1.1 1 1\r\n"),
	BYTES("PROXY tcp4 1.1.1.1 1.1.1.1 1 1\r\n"),
	BYTES("PROXY UDP4 1.1.1.1 1.1.1.1 1 1\r\n"),
	BYTES("PROXY UNKNOWNX\r\n"),
	BYTES("PROXY TCP4\r\n"),
	BYTES("PROXY TCP4 \r\n"),
	BYTES("PROXY TCP4 1.1.1.1\r\n"),
	BYTES("PROXY TCP4 1.1.1.1 1.1.1.1\r\n"),
	BYTES("PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n"),
	BYTES("PROXY TCP4 1.1.1.1 1.1.1.1 1 \r\n"),
	BYTES("PROXY TCP4 1.1.1.1 1.1.1.1 1 1 \r\n"),
	BYTES("PROXY TCP4 1.1.1.1 1.1.1.1 1 1 1\r\n"),
	BYTES("PROXY TCP4  1.1.1.1 1.1.1.1 1 1\r\n"),
	BYTES("PROXY TCP4 1.1.1.1 1.1.1.1 1 1\n"),
	BYTES("PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\r\n"),
	BYTES("PROXY TCP4 1.1.1.1 1.1.1.1 1 65536\r\n"),
	BYTES("PROXY TCP4 1.1.1.1 1.1.1.1 65536 1\r\n"),
	BYTES("PROXY TCP4 1.1.1.1 1.1.1.1 4294967297 1\r\n"),
	BYTES("PROXY TCP4 1.1.1.1 1.1.1.1 01 1\r\n"),
	BYTES("PROXY TCP4 1.1.1.1 1.1.1.1 +1 1\r\n"),
	BYTES("PROXY TCP4 1.1.1.1 1.1.1.1 -1 1\r\n"),
	BYTES("PROXY TCP4 1.1.1.1 1.1.1.1 1x 1\r\n"),
	BYTES("PROXY TCP4 1.1.1.256 1.1.1.1 1 1\r\n"),
	BYTES("PROXY TCP4 1.1.1 1.1.1.1 1 1\r\n"),
	BYTES("PROXY TCP4 01.1.1.1 1.1.1.1 1 1\r\n"),
	BYTES("PROXY TCP4 host 1.1.1.1 1 1\r\n"),
	BYTES("PROXY TCP4 ::1 ::1 1 1\r\n"),
	BYTES("PROXY TCP4 1.1.1.1 ::1 1 1\r\n"),
	BYTES("PROXY TCP6 1.1.1.1 1.1.1.1 1 1\r\n"),
	BYTES("PROXY TCP6 ::1%lo ::1 1 1\r\n"),
	BYTES("PROXY TCP4 1.1.1.1\0 1.1.1.1 1 1\r\n"),
	BYTES("PROXY UNKNOWN \0\r\n"),
	/* 108 bytes, one too many */
	BYTES("PROXY UNKNOWN fffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	/* version 2: version 1, unknown command, UDP, unix, unknown family */
	BYTES(SIGNATURE "\x11\x11\0\0"),
	BYTES(SIGNATURE "\x22\x11\0\0"),
	BYTES(SIGNATURE "\x2f\x11\0\0"),
	BYTES(SIGNATURE "\x21\x12\0\0"),
	BYTES(SIGNATURE "\x21\x31\0\0"),
	BYTES(SIGNATURE "\x21\xff\0\0"),
	BYTES(SIGNATURE "\x21\x10\0\0"),
	/* longer than we take */
	BYTES(SIGNATURE "\x21\x11\x0f\xf1"),
	BYTES(SIGNATURE "\x20\x00\xff\xff"),
	/* addresses cut short, extensions that do not fit */
	BYTES(SIGNATURE "\x21\x11\0\x0b"
			"12345678901"),
	BYTES(SIGNATURE "\x21\x21\0\x0c"
			"123456789012"),
	BYTES(SIGNATURE "\x21\x11\0\x0d"
			"123456789012\x04"),
	BYTES(SIGNATURE "\x21\x11\0\x0f"
			"123456789012\x04\0\x01"),
	BYTES(SIGNATURE "\x21\x11\0\x11"
			"123456789012\x04\0\0xy"),
};

Test(proxy_header, what_is_not_exactly_one_is_refused)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct kp_proxy_header header;
		struct kp_error err = { 0 };

		cr_assert_eq(parse_copy(&header, bad[i], &err), KP_PROXY_FAILED,
		    "%zu", i);
		cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
		cr_assert(strncmp(err.text, "PROXY header: ", 14) == 0);
	}
}

/* Whatever byte of a good header is changed: a header, or refused, or more. */
Test(proxy_header, one_wrong_byte_never_reads_too_far)
{
	for (size_t i = 0; i < NUM_GOOD; i++) {
		for (size_t at = 0; at < good[i].header.len * 256; at++) {
			struct kp_proxy_header header;
			uint8_t copy[128];
			struct kp_bytes in = { copy, good[i].header.len };
			struct kp_error err;

			kp_copy(copy, good[i].header.data, in.len);
			copy[at / 256] = (uint8_t)at;
			if (kp_proxy_header_parse(&header, in, &err) ==
			    KP_PROXY_DONE)
				cr_assert(header.used <= in.len);
		}
	}
}
