/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/etcd_keys.h"

#include <criterion/criterion.h>
#include <string.h>

Test(etcd_keys, names_sort_as_numbers_do)
{
	static const uint64_t numbers[] = { 0, 9, 10, 99, 100, 1ull << 62 };

	for (size_t i = 1; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct kp_etcd_key a = kp_etcd_key_number(
		    "/kproxy/", KP_ETCD_REVISIONS, numbers[i - 1]);
		struct kp_etcd_key b = kp_etcd_key_number(
		    "/kproxy/", KP_ETCD_REVISIONS, numbers[i]);

		cr_assert(strcmp(a.text, b.text) < 0, "%s", b.text);
	}
}

Test(etcd_keys, what_was_made_is_read)
{
	char attempt[KP_ETCD_ATTEMPT_LEN + 1], found[KP_ETCD_ATTEMPT_LEN + 1];
	struct kp_etcd_key parts, part, record;
	uint64_t number;

	kp_etcd_attempt_new(attempt);
	parts = kp_etcd_key_parts("/p/", KP_ETCD_PARTS, 42, attempt);
	part = kp_etcd_key_part(&parts, 7);
	cr_assert(kp_etcd_key_parse(
	    "/p/", KP_ETCD_PARTS, kp_bytes_of(part.text), &number, found));
	cr_assert_eq(number, 42);
	cr_assert_str_eq(found, attempt);
	cr_assert(!kp_etcd_key_parse("/p/", KP_ETCD_SNAPSHOT_PARTS,
	    kp_bytes_of(part.text), &number, found));
	for (size_t len = 0; len < strlen(parts.text); len++)
		cr_assert(!kp_etcd_key_parse("/p/", KP_ETCD_PARTS,
		    (struct kp_bytes){ (const uint8_t *)part.text, len },
		    &number, found));
	record = kp_etcd_key_number("/p/", KP_ETCD_SNAPSHOTS, 43);
	cr_assert(kp_etcd_key_number_parse(
	    "/p/", KP_ETCD_SNAPSHOTS, kp_bytes_of(record.text), &number));
	cr_assert_eq(number, 43);
	cr_assert(!kp_etcd_key_number_parse(
	    "/p/", KP_ETCD_REVISIONS, kp_bytes_of(record.text), &number));
}

Test(etcd_keys, a_number_is_digits_and_nothing_else)
{
	static const struct {
		const char *text;
		bool is_good;
		uint64_t number;
	} cases[] = {
		{ "0", true, 0 },
		{ "17", true, 17 },
		{ "999999999999999999", true, 999999999999999999 },
		{ "", false, 0 },
		{ "01", false, 0 },
		{ "-1", false, 0 },
		{ "1 ", false, 0 },
		{ "9999999999999999999", false, 0 },
		{ "99999999999999999999", false, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t number = 0;

		cr_assert_eq(
		    kp_etcd_number_parse(kp_bytes_of(cases[i].text), &number),
		    cases[i].is_good, "\"%s\"", cases[i].text);
		if (cases[i].is_good)
			cr_assert_eq(number, cases[i].number);
	}
}
