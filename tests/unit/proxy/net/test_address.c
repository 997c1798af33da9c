/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/net/address.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/support/socketpair.h"

Test(address, literals_come_out_as_they_went_in)
{
	static const struct {
		const char *literal;
		uint16_t port;
		const char *text, *host;
	} cases[] = {
		{ "1.2.3.4", 0, "1.2.3.4:0", "1.2.3.4" },
		{ "255.255.255.255", 65535, "255.255.255.255:65535",
		    "255.255.255.255" },
		{ "::1", 9092, "[::1]:9092", "::1" },
		{ "2001:DB8:0:0:0:0:0:1", 1, "[2001:db8::1]:1", "2001:db8::1" },
		{ "1111:2222:3333:4444:5555:6666:7777:8888", 65535,
		    "[1111:2222:3333:4444:5555:6666:7777:8888]:65535",
		    "1111:2222:3333:4444:5555:6666:7777:8888" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_address address;
		char text[KP_ADDRESS_TEXT_LEN];

		cr_assert(kp_address_parse(
		    &address, cases[i].literal, cases[i].port));
		kp_address_format(&address, text);
		cr_assert_str_eq(text, cases[i].text);
		kp_address_format_host(&address, text);
		cr_assert_str_eq(text, cases[i].host);
		cr_assert_eq(kp_address_port(&address), cases[i].port);
	}
}

Test(address, what_is_not_a_literal_is_refused)
{
	static const char *const cases[] = { "", " ", "localhost", "1.2.3",
		"1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "[::1]",
		"::1%lo", ":::", "12345::", "1.2.3.4:80" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_address address;

		cr_assert(
		    !kp_address_parse(&address, cases[i], 1), "%s", cases[i]);
		cr_assert_eq(address.len, 0);
	}
}

Test(address, none_is_a_question_mark)
{
	struct kp_address address = { 0 };
	char text[KP_ADDRESS_TEXT_LEN];

	kp_address_format(&address, text);
	cr_assert_str_eq(text, "?");
	cr_assert_eq(kp_address_port(&address), 0);
}

Test(address, mapped_v4_is_v4)
{
	struct kp_address address;
	char text[KP_ADDRESS_TEXT_LEN];

	cr_assert(kp_address_parse(&address, "::ffff:10.1.2.3", 77));
	kp_address_unmap(&address);
	kp_address_format(&address, text);
	cr_assert_str_eq(text, "10.1.2.3:77");
}

Test(address, both_ends_of_a_connection_agree)
{
	struct kp_address peer, local;
	char a[KP_ADDRESS_TEXT_LEN], b[KP_ADDRESS_TEXT_LEN];
	struct kp_error err;
	int fds[2];

	kp_test_tcp_pair(fds, 0);
	cr_assert(kp_address_of_peer(&peer, fds[0], &err));
	cr_assert(kp_address_of_local(&local, fds[1], &err));
	kp_address_format(&peer, a);
	kp_address_format(&local, b);
	cr_assert_str_eq(a, b);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

Test(address, a_socket_that_is_not_ip_has_none)
{
	char text[KP_ADDRESS_TEXT_LEN];
	struct kp_address peer;
	struct kp_error err;
	int fds[2];

	kp_test_socketpair(fds);
	cr_assert(kp_address_of_peer(&peer, fds[0], &err));
	kp_address_format(&peer, text);
	cr_assert_str_eq(text, "?");
	(void)close(fds[0]);
	(void)close(fds[1]);
	cr_assert(!kp_address_of_peer(&peer, fds[0], &err));
	cr_assert_eq(err.kind, KP_ERR_SYSTEM);
}
