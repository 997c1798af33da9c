/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/etcd_keys.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "control/server/etcd_values.h"
#include "proto/control/unpack.h"

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

/* A record with one entry in it, packed. */
static struct kp_buf
sample_record(void)
{
	uint8_t attempt[KP_ETCD_ATTEMPT_LEN] = { 0 };
	char kind[] = "Cluster", name[] = "a", who[] = "ada";
	kp_etcd_entry entry, *entries[] = { &entry };
	kp_etcd_record record;
	kp_etcd_part part;
	struct kp_buf packed;

	kproxy__store__v1__entry__init(&entry);
	entry.kind = kind;
	entry.name = name;
	kproxy__store__v1__part__init(&part);
	part.n_entries = 1;
	part.entries = entries;
	kproxy__store__v1__record__init(&record);
	record.attempt.data = attempt;
	record.attempt.len = sizeof(attempt);
	record.identity = who;
	record.inline_part = &part;
	kp_buf_init(&packed, 1000);
	(void)kproxy__store__v1__record__pack(
	    &record, kp_buf_extend(&packed,
			 kproxy__store__v1__record__get_packed_size(&record)));
	return packed;
}

/* An operator told that etcd is damaged would put an old backup back. */
Test(etcd_values, what_there_is_no_memory_for_is_not_called_damaged)
{
	struct kp_buf packed = sample_record();
	kp_etcd_record *record = NULL;
	struct kp_error err;
	unsigned n = 0;

	while (record == NULL) {
		err = (struct kp_error){ 0 };
		cr_assert(++n < 100);
		kp_alloc_fail_after(n);
		record = kp_etcd_record_decode(kp_buf_bytes(&packed), &err);
		kp_alloc_fail_after(0);
		cr_assert(record != NULL || err.kind == KP_ERR_LIMIT, "%u: %s",
		    n, err.text);
	}
	cr_assert(n > 3);
	kp_unpacked_free(&record->base);
	packed.len--;
	cr_assert_null(kp_etcd_record_decode(kp_buf_bytes(&packed), &err));
	cr_assert_eq(err.kind, KP_ERR_CONFIG);
	cr_assert_not_null(strstr(err.text, "damaged"));
	kp_buf_fini(&packed);
}
