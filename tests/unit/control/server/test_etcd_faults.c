/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each allocation of what the policy server does with a real etcd is refused in
 * turn. What cannot be read for want of memory is not taken for damage, and
 * half of it is not shown; what is not written leaves the store as it was. An
 * answer that there was no memory for is asked for again.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/server/etcd.h"
#include "control/server/etcd_values.h"
#include "tests/support/etcd.h"
#include "tests/support/store.h"

/* Nothing here needs as many. */
#define MANY 1000
#define MAX_ROUNDS 50
#define PATIENCE_MS 60000
/* So long that it does not fit into the record of its revision. */
#define LONG_LEN (KP_ETCD_MAX_INLINE_LEN + 1000u)

struct fixture {
	struct kp_test_etcd etcd;
	struct kp_store *store;
	char *text; /* of LONG_LEN */
	uint64_t newest;
	unsigned num_refused; /* of the last loop */
};

static void
set_up(struct fixture *f)
{
	const char *endpoint = f->etcd.endpoint;
	const struct kp_etcd_config config = { .endpoints = &endpoint,
		.num_endpoints = 1,
		.timeout_ms = PATIENCE_MS };
	struct kp_error err = { 0 };

	*f = (struct fixture){ .newest = 0 };
	kp_test_etcd_start(&f->etcd);
	f->store = kp_etcd_open(&config, &err);
	cr_assert_not_null(f->store, "%s", err.text);
	f->text = kp_alloc(LONG_LEN + 1, 1);
	(void)memset(f->text, 'x', LONG_LEN);
	f->newest = kp_test_commit(f->store, 0, kp_test_put("a", "1"));
	f->newest = kp_test_commit(f->store, 1, kp_test_put("b", f->text));
	f->newest = kp_test_commit(f->store, 2, kp_test_put("a", "3"));
}

static void
tear_down(struct fixture *f)
{
	free(f->text);
	kp_store_close(f->store);
	kp_test_etcd_stop(&f->etcd);
}

/* One operation, whose result must be whole if it is OK. */
typedef enum kp_store_result (*operation)(
    struct fixture *f, struct kp_error *err);

/* Through all failures of an operation; how many allocations it makes. */
static unsigned
go_through(struct fixture *f, operation run)
{
	unsigned n = 0, left = 0;

	f->num_refused = 0;
	while (left == 0) {
		enum kp_store_result result;
		struct kp_error err = { 0 };

		cr_assert(++n < MANY);
		kp_alloc_fail_after(n);
		result = run(f, &err);
		left = kp_alloc_fail_after(0);
		if (result == KP_STORE_OK)
			continue;
		f->num_refused++;
		cr_assert_eq(left, 0);
		cr_assert_eq(result, KP_STORE_FAILED, "%u: %s", n, err.text);
		cr_assert_eq(err.kind, KP_ERR_LIMIT, "%u: %s", n, err.text);
		cr_assert_not_null(
		    strstr(err.text, "memory"), "%u: %s", n, err.text);
		cr_assert_eq(kp_test_range(f->store).newest, f->newest);
		cr_assert_eq(run(f, &err), KP_STORE_OK, "%s", err.text);
	}
	return n;
}

static enum kp_store_result
read_range(struct fixture *f, struct kp_error *err)
{
	struct kp_store_range range;
	enum kp_store_result result =
	    kp_store_range(f->store, &range, KP_NEVER, err);

	cr_assert(result != KP_STORE_OK || range.newest == f->newest);
	return result;
}

static void
count_item(void *ctx, const struct kp_store_item *item)
{
	cr_assert_eq(item->text.len, item->name[0] == 'b' ? LONG_LEN : 1);
	++*(unsigned *)ctx;
}

static enum kp_store_result
load(struct fixture *f, struct kp_error *err)
{
	unsigned num = 0;
	enum kp_store_result result =
	    kp_store_load(f->store, 3, count_item, &num, KP_NEVER, err);

	cr_assert_eq(num, result == KP_STORE_OK ? 2 : 0);
	return result;
}

static void
count_revision(void *ctx, const struct kp_store_revision *revision)
{
	cr_assert_eq(revision->number, ++*(unsigned *)ctx);
	cr_assert_eq(revision->num_changes, 1);
	cr_assert_str_eq(revision->note.identity, "ada");
}

static enum kp_store_result
read_history(struct fixture *f, struct kp_error *err)
{
	unsigned num = 0;
	enum kp_store_result result = kp_store_history(
	    f->store, 0, 3, count_revision, &num, KP_NEVER, err);

	cr_assert(result == KP_STORE_OK ? num == 3 : num < 3);
	return result;
}

static void
count_record(void *ctx, const struct kp_store_record *record)
{
	cr_assert_eq(record->data.len, 3);
	++*(unsigned *)ctx;
}

static enum kp_store_result
read_records(struct fixture *f, struct kp_error *err)
{
	unsigned num = 0;
	enum kp_store_result result =
	    kp_store_each_record(f->store, "nodes", count_record, &num, err);

	cr_assert_eq(num, result == KP_STORE_OK ? 2 : 0);
	return result;
}

static enum kp_store_result
write_records(struct fixture *f, struct kp_error *err)
{
	const struct kp_store_record records[] = {
		{ "nodes", "a", kp_bytes_of("one") },
		{ "nodes", "b", kp_bytes_of("two") },
	};

	return kp_store_put_records(f->store, records, 2, err);
}

Test(etcd_faults, what_is_read_is_whole_or_refused)
{
	struct fixture f;

	set_up(&f);
	cr_assert(go_through(&f, read_range) > 10);
	cr_assert(go_through(&f, load) > 30);
	cr_assert(f.num_refused > 10, "%u", f.num_refused);
	cr_assert(go_through(&f, read_history) > 30);
	cr_assert(f.num_refused > 10, "%u", f.num_refused);
	cr_assert(go_through(&f, write_records) > 5);
	cr_assert(go_through(&f, read_records) > 5);
	tear_down(&f);
}

static enum kp_store_result
commit(struct fixture *f, const char *text, struct kp_error *err)
{
	const struct kp_store_change change = kp_test_put("c", text);
	uint64_t number = 0;
	enum kp_store_result result = kp_store_commit(
	    f->store, f->newest, &kp_test_note, &change, 1, &number, err);

	if (result != KP_STORE_OK)
		return result;
	cr_assert_eq(number, ++f->newest);
	return KP_STORE_OK;
}

static enum kp_store_result
commit_short(struct fixture *f, struct kp_error *err)
{
	return commit(f, "short", err);
}

static enum kp_store_result
commit_long(struct fixture *f, struct kp_error *err)
{
	return commit(f, f->text, err);
}

static enum kp_store_result
compact(struct fixture *f, struct kp_error *err)
{
	return kp_store_compact(f->store, f->newest - 1, err);
}

Test(etcd_faults, what_is_written_is_there_or_not)
{
	unsigned num_rounds = 0;
	struct fixture f;

	set_up(&f);
	cr_assert(go_through(&f, commit_short) > 3);
	/* the store's threads allocate as well, and not always the same */
	while (f.num_refused == 0) {
		cr_assert(++num_rounds < MAX_ROUNDS);
		cr_assert(go_through(&f, commit_long) > 15);
	}
	cr_assert(go_through(&f, compact) > 5);
	tear_down(&f);
}

/* The watch of a store may end for want of memory: it begins anew. */
Test(etcd_faults, what_another_server_commits_is_heard_of)
{
	struct fixture f;
	const char *endpoint = f.etcd.endpoint;
	const struct kp_etcd_config config = { .endpoints = &endpoint,
		.num_endpoints = 1,
		.timeout_ms = PATIENCE_MS };
	struct kp_error err = { 0 };
	struct kp_store *other;
	unsigned n = 0, left = 0;

	set_up(&f);
	other = kp_etcd_open(&config, &err);
	cr_assert_not_null(other, "%s", err.text);
	while (left == 0) {
		const struct kp_store_change change = kp_test_put("c", "x");
		uint64_t number, known = f.newest;

		cr_assert(++n < MANY);
		kp_alloc_fail_after(n);
		cr_assert_eq(kp_store_commit(other, known, &kp_test_note,
				 &change, 1, &number, &err),
		    KP_STORE_OK, "%u: %s", n, err.text);
		cr_assert_eq(
		    kp_store_wait(f.store, known, kp_now_ms() + PATIENCE_MS),
		    number, "%u", n);
		left = kp_alloc_fail_after(0);
		f.newest = number;
	}
	cr_assert(n > 20, "%u", n);
	kp_store_close(other);
	tear_down(&f);
}

Test(etcd_faults, a_store_is_opened)
{
	struct fixture f;
	const struct kp_etcd_config config = {
		.endpoints = (const char *[]){ f.etcd.endpoint },
		.num_endpoints = 1,
		.timeout_ms = PATIENCE_MS
	};
	unsigned n = 0, left = 0;

	set_up(&f);
	while (left == 0) {
		struct kp_error err = { 0 };

		cr_assert(++n < MANY);
		kp_store_close(f.store);
		kp_alloc_fail_after(n);
		f.store = kp_etcd_open(&config, &err);
		left = kp_alloc_fail_after(0);
		/* answers without memory are asked for again */
		cr_assert_not_null(f.store, "%u: %s", n, err.text);
		cr_assert_eq(kp_test_range(f.store).newest, f.newest);
	}
	cr_assert(n > 10, "%u", n);
	tear_down(&f);
}
