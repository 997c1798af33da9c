/* SPDX-License-Identifier: Apache-2.0 */
/* What every kind of store promises. */
#include "control/server/store.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "tests/support/store.h"

Test(store, a_new_store_is_empty)
{
	struct kp_test_store f;

	kp_test_store_set_up(&f);
	cr_assert_eq(kp_test_range(f.store).newest, 0);
	kp_test_expect_state(f.store, 0, "");
	kp_test_expect_history(f.store, 0, 0, "");
	kp_test_store_tear_down(&f);
}

Test(store, every_state_can_be_read)
{
	struct kp_test_store f;
	struct kp_store_change both[] = { kp_test_put("b", "B2"),
		kp_test_removal("a") };
	struct kp_error err = { 0 };
	uint64_t number;

	kp_test_store_set_up(&f);
	(void)kp_test_commit(f.store, 0, kp_test_put("a", "A"));
	(void)kp_test_commit(f.store, 1, kp_test_put("b", ""));
	cr_assert_eq(
	    kp_store_commit(f.store, 2, &kp_test_note, both, 2, &number, &err),
	    KP_STORE_OK);
	kp_test_store_open_again(&f);
	cr_assert_eq(kp_test_range(f.store).newest, 3);
	kp_test_expect_state(f.store, 0, "");
	kp_test_expect_state(f.store, 1, "Cluster/a@1=A ");
	kp_test_expect_state(f.store, 2, "Cluster/a@1=A Cluster/b@2= ");
	kp_test_expect_state(f.store, 3, "Cluster/b@3=B2 ");
	kp_test_expect_history(f.store, 1, 3,
	    "2 ada because 1234: Cluster/b=\n"
	    "3 ada because 1234: Cluster/a=gone Cluster/b=B2\n");
	kp_test_expect_history(f.store, 3, 3, "");
	cr_assert_eq(
	    kp_store_load(f.store, 4, kp_test_no_item, NULL, KP_NEVER, &err),
	    KP_STORE_INVALID);
	cr_assert_str_eq(err.text, "there is no revision 4 yet");
	kp_test_store_tear_down(&f);
}

Test(store, who_was_slower_is_told)
{
	struct kp_test_store f;
	struct kp_store_change change = kp_test_put("a", "mine");
	struct kp_error err = { 0 };
	uint64_t number = 77;

	kp_test_store_set_up(&f);
	(void)kp_test_commit(f.store, 0, kp_test_put("a", "theirs"));
	cr_assert_eq(kp_store_commit(
			 f.store, 0, &kp_test_note, &change, 1, &number, &err),
	    KP_STORE_CONFLICT);
	cr_assert_str_eq(
	    err.text, "based on revision 0, but there is 1 already");
	cr_assert_eq(number, 77);
	cr_assert_eq(kp_store_commit(
			 f.store, 2, &kp_test_note, &change, 1, &number, &err),
	    KP_STORE_CONFLICT);
	kp_test_expect_state(f.store, 1, "Cluster/a@1=theirs ");
	kp_test_store_tear_down(&f);
}

Test(store, a_commit_is_whole_or_not_there)
{
	struct kp_test_store f;
	struct kp_store_change twice[] = { kp_test_put("a", "1"),
		kp_test_put("a", "2") };
	struct kp_error err = { 0 };
	uint64_t number;

	kp_test_store_set_up(&f);
	cr_assert_eq(
	    kp_store_commit(f.store, 0, &kp_test_note, twice, 2, &number, &err),
	    KP_STORE_FAILED);
	cr_assert_eq(kp_test_range(f.store).newest, 0);
	kp_test_expect_state(f.store, 0, "");
	(void)kp_test_commit(f.store, 0, kp_test_put("a", "3"));
	kp_test_store_tear_down(&f);
}

Test(store, limits_of_a_commit)
{
	static char name[KP_STORE_MAX_NAME_LEN + 2];
	static uint8_t text[KP_STORE_MAX_TEXT_LEN + 1];
	struct kp_test_store f;
	struct kp_error err = { 0 };
	struct kp_store_change changes[] = { kp_test_put(name, ""),
		kp_test_put("", ""),
		{ "Cluster", "a", { text, sizeof(text) }, true } };
	struct kp_store_change fits = { "Cluster", "a",
		{ text, sizeof(text) - 1 }, true };
	uint64_t number;

	kp_test_store_set_up(&f);
	(void)memset(name, 'n', sizeof(name) - 1);
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(kp_store_commit(f.store, 0, &kp_test_note,
				 &changes[i], 1, &number, &err),
		    KP_STORE_INVALID, "change %zu", i);
	cr_assert_eq(kp_store_commit(f.store, 0, &kp_test_note, changes,
			 KP_STORE_MAX_CHANGES + 1, &number, &err),
	    KP_STORE_INVALID);
	(void)kp_test_commit(f.store, 0, fits);
	name[KP_STORE_MAX_NAME_LEN] = '\0';
	(void)kp_test_commit(f.store, 1, kp_test_put(name, ""));
	kp_test_store_tear_down(&f);
}

Test(store, compaction_forgets_what_was_before)
{
	struct kp_test_store f;
	struct kp_error err = { 0 };

	kp_test_store_set_up(&f);
	(void)kp_test_commit(f.store, 0, kp_test_put("a", "A1"));
	(void)kp_test_commit(f.store, 1, kp_test_put("b", "B2"));
	(void)kp_test_commit(f.store, 2, kp_test_put("a", "A3"));
	(void)kp_test_commit(f.store, 3, kp_test_removal("b"));
	(void)kp_test_commit(f.store, 4, kp_test_put("c", "C5"));
	cr_assert_eq(kp_store_compact(f.store, 6, &err), KP_STORE_INVALID);
	cr_assert_eq(kp_store_compact(f.store, 3, &err), KP_STORE_OK);
	cr_assert_eq(kp_test_range(f.store).oldest, 3);
	kp_test_expect_state(f.store, 3, "Cluster/a@3=A3 Cluster/b@2=B2 ");
	kp_test_expect_state(f.store, 5, "Cluster/a@3=A3 Cluster/c@5=C5 ");
	kp_test_expect_history(
	    f.store, 3, 4, "4 ada because 1234: Cluster/b=gone\n");
	cr_assert_eq(
	    kp_store_load(f.store, 2, kp_test_no_item, NULL, KP_NEVER, &err),
	    KP_STORE_COMPACTED);
	cr_assert_str_eq(err.text, "revision 2 has been compacted");
	cr_assert_eq(kp_store_history(f.store, 2, 5, kp_test_no_revision, NULL,
			 KP_NEVER, &err),
	    KP_STORE_COMPACTED);
	/* again, and to a deletion, which leaves nothing behind */
	cr_assert_eq(kp_store_compact(f.store, 1, &err), KP_STORE_OK);
	cr_assert_eq(kp_store_compact(f.store, 5, &err), KP_STORE_OK);
	kp_test_store_open_again(&f);
	kp_test_expect_state(f.store, 5, "Cluster/a@3=A3 Cluster/c@5=C5 ");
	(void)kp_test_commit(f.store, 5, kp_test_put("b", "B6"));
	kp_test_expect_state(
	    f.store, 6, "Cluster/a@3=A3 Cluster/b@6=B6 Cluster/c@5=C5 ");
	kp_test_store_tear_down(&f);
}

Test(store, waiters_learn_of_a_commit)
{
	struct kp_test_store f;

	kp_test_store_set_up(&f);
	cr_assert_eq(kp_store_wait(f.store, 0, kp_now_ms()), 0);
	(void)kp_test_commit(f.store, 0, kp_test_put("a", "A"));
	cr_assert_eq(kp_store_wait(f.store, 0, KP_NEVER), 1);
	kp_store_wake(f.store);
	cr_assert_eq(kp_store_wait(f.store, 1, KP_NEVER), 1);
	kp_test_store_open_again(&f);
	cr_assert_eq(kp_store_wait(f.store, 0, KP_NEVER), 1);
	kp_test_store_tear_down(&f);
}

/* What a large commit is made of and looked at with. */
struct many {
	struct kp_store_change *changes;
	char (*names)[16];
	uint8_t *text;
	size_t num, text_len, num_seen;
	bool is_good;
};

static void
many_init(struct many *out, size_t num, size_t text_len)
{
	*out = (struct many){
		.changes = kp_alloc(num, sizeof(struct kp_store_change)),
		.names = kp_alloc(num, sizeof(*out->names)),
		.text = kp_alloc(1, text_len),
		.num = num,
		.text_len = text_len,
		.is_good = true,
	};
	for (size_t i = 0; i < text_len; i++)
		out->text[i] = (uint8_t)(i * 7);
	/* not in the order that they are kept in */
	for (size_t i = 0; i < num; i++) {
		(void)snprintf(out->names[i], sizeof(out->names[i]), "n%05zu",
		    num - 1 - i);
		out->changes[i] =
		    (struct kp_store_change){ "Cluster", out->names[i],
			    { out->text, text_len - i % 100 }, true };
	}
}

static void
many_fini(struct many *many)
{
	free(many->changes);
	free(many->names);
	free(many->text);
}

static void
see(struct many *many, const char *name, struct kp_bytes text)
{
	size_t i = many->num - 1 - many->num_seen;

	many->is_good = many->is_good && many->num_seen < many->num &&
			strcmp(name, many->names[i]) == 0 &&
			kp_bytes_equal(text, many->changes[i].text);
	many->num_seen++;
}

static void
see_item(void *ctx, const struct kp_store_item *item)
{
	see(ctx, item->name, item->text);
}

static void
see_revision(void *ctx, const struct kp_store_revision *revision)
{
	for (size_t i = 0; i < revision->num_changes; i++)
		see(ctx, revision->changes[i].name, revision->changes[i].text);
}

Test(store, a_commit_may_be_large)
{
	struct kp_test_store f;
	struct many many;
	struct kp_error err = { 0 };
	uint64_t number;

	kp_test_store_set_up(&f);
	many_init(&many, KP_STORE_MAX_CHANGES, 3000);
	cr_assert_eq(kp_store_commit(f.store, 0, &kp_test_note, many.changes,
			 many.num, &number, &err),
	    KP_STORE_OK, "%s", err.text);
	cr_assert_eq(kp_store_load(f.store, 1, see_item, &many, KP_NEVER, &err),
	    KP_STORE_OK, "%s", err.text);
	cr_assert(many.is_good && many.num_seen == many.num);
	many.num_seen = 0;
	cr_assert_eq(kp_store_history(
			 f.store, 0, 1, see_revision, &many, KP_NEVER, &err),
	    KP_STORE_OK, "%s", err.text);
	cr_assert(many.is_good && many.num_seen == many.num);
	many_fini(&many);
	kp_test_store_tear_down(&f);
}

Test(store, texts_of_the_largest_size_fit_beside_each_other)
{
	struct kp_test_store f;
	struct many many;
	struct kp_error err = { 0 };
	uint64_t number;

	kp_test_store_set_up(&f);
	many_init(&many, 5, KP_STORE_MAX_TEXT_LEN);
	cr_assert_eq(kp_store_commit(f.store, 0, &kp_test_note, many.changes,
			 many.num, &number, &err),
	    KP_STORE_OK, "%s", err.text);
	cr_assert_eq(kp_store_load(f.store, 1, see_item, &many, KP_NEVER, &err),
	    KP_STORE_OK);
	cr_assert(many.is_good && many.num_seen == many.num);
	many_fini(&many);
	kp_test_store_tear_down(&f);
}

Test(store, a_text_may_have_any_bytes)
{
	struct kp_test_store f;
	struct many many;
	struct kp_error err = { 0 };
	uint64_t number;

	kp_test_store_set_up(&f);
	many_init(&many, 3, 300); /* the first byte is a zero */
	cr_assert_eq(kp_store_commit(f.store, 0, &kp_test_note, many.changes,
			 many.num, &number, &err),
	    KP_STORE_OK, "%s", err.text);
	cr_assert_eq(kp_store_history(
			 f.store, 0, 1, see_revision, &many, KP_NEVER, &err),
	    KP_STORE_OK, "%s", err.text);
	cr_assert(many.is_good && many.num_seen == many.num);
	many_fini(&many);
	kp_test_store_tear_down(&f);
}

static void
show_whether_new(void *ctx, const struct kp_store_revision *revision)
{
	for (size_t i = 0; i < revision->num_changes; i++)
		kp_buf_printf(ctx, "%s%c ", revision->changes[i].name,
		    revision->changes[i].is_new ? '+' : '-');
}

Test(store, what_is_new_stays_so_in_history)
{
	struct kp_store_change changes[] = { kp_test_put("a", "1"),
		kp_test_put("b", "1") };
	struct kp_error err = { 0 };
	struct kp_test_store f;
	struct kp_buf shown;
	uint64_t number;

	changes[1].is_new = false;
	kp_buf_init(&shown, 1000);
	kp_test_store_set_up(&f);
	cr_assert_eq(kp_store_commit(
			 f.store, 0, &kp_test_note, changes, 2, &number, &err),
	    KP_STORE_OK);
	kp_test_store_open_again(&f);
	cr_assert_eq(kp_store_history(f.store, 0, 1, show_whether_new, &shown,
			 KP_NEVER, &err),
	    KP_STORE_OK);
	kp_buf_add(&shown, "", 1);
	cr_assert_str_eq((const char *)shown.data, "a+ b- ");
	kp_buf_fini(&shown);
	kp_test_store_tear_down(&f);
}

Test(store, a_revision_may_change_nothing)
{
	struct kp_test_store f;
	struct kp_error err = { 0 };
	uint64_t number;

	kp_test_store_set_up(&f);
	cr_assert_eq(
	    kp_store_commit(f.store, 0, &kp_test_note, NULL, 0, &number, &err),
	    KP_STORE_OK, "%s", err.text);
	kp_test_expect_state(f.store, 1, "");
	kp_test_expect_history(f.store, 0, 1, "1 ada because 1234:\n");
	kp_test_store_tear_down(&f);
}

Test(store, a_store_alone_leads)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int64_t deadline_ms = kp_now_ms() + 60000;
	struct kp_test_store f;

	kp_test_store_set_up(&f);
	while (!kp_store_leads(f.store)) {
		cr_assert(kp_now_ms() < deadline_ms);
		(void)nanosleep(&pause, NULL);
	}
	kp_test_store_tear_down(&f);
}

static void
put_record(struct kp_test_store *f, const char *bucket, const char *name,
    struct kp_bytes data)
{
	const struct kp_store_record record = { bucket, name, data };
	struct kp_error err = { 0 };

	cr_assert_eq(kp_store_put_records(f->store, &record, 1, &err),
	    KP_STORE_OK, "%s", err.text);
}

static void
print_record(void *ctx, const struct kp_store_record *record)
{
	kp_buf_printf(ctx, "%s/%s=%.*s ", record->bucket, record->name,
	    (int)record->data.len, (const char *)record->data.data);
}

static void
expect_records(struct kp_test_store *f, const char *bucket, const char *wanted)
{
	struct kp_error err = { 0 };
	struct kp_buf found;

	kp_buf_init(&found, 1 << 16);
	cr_assert_eq(
	    kp_store_each_record(f->store, bucket, print_record, &found, &err),
	    KP_STORE_OK, "%s", err.text);
	kp_buf_add(&found, "", 1);
	cr_assert_str_eq((const char *)found.data, wanted);
	kp_buf_fini(&found);
}

Test(store, records_are_beside_the_revisions)
{
	const struct kp_bytes gone = { 0 };
	struct kp_test_store f;

	kp_test_store_set_up(&f);
	expect_records(&f, "nodes", "");
	put_record(&f, "nodes", "b", kp_bytes_of("1"));
	put_record(&f, "nodes", "a", kp_bytes_of(""));
	put_record(&f, "cordons", "b", kp_bytes_of("why"));
	put_record(&f, "nodes", "b", kp_bytes_of("2"));
	put_record(&f, "nodes", "never", gone);
	cr_assert_eq(kp_test_range(f.store).newest, 0);
	kp_test_store_open_again(&f);
	expect_records(&f, "nodes", "nodes/a= nodes/b=2 ");
	put_record(&f, "nodes", "b", gone);
	expect_records(&f, "nodes", "nodes/a= ");
	expect_records(&f, "cordons", "cordons/b=why ");
	kp_test_store_tear_down(&f);
}

Test(store, limits_of_records)
{
	static char name[KP_STORE_MAX_NAME_LEN + 2];
	static uint8_t data[KP_STORE_MAX_RECORD_LEN + 1];
	const struct kp_store_record records[] = {
		{ "nodes", name, kp_bytes_of("") },
		{ "", "a", kp_bytes_of("") },
		{ "nodes", "a", { data, sizeof(data) } },
	};
	struct kp_error err = { 0 };
	struct kp_test_store f;

	kp_test_store_set_up(&f);
	(void)memset(name, 'n', sizeof(name) - 1);
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(
		    kp_store_put_records(f.store, &records[i], 1, &err),
		    KP_STORE_INVALID, "record %zu", i);
	cr_assert_eq(kp_store_put_records(
			 f.store, records, KP_STORE_MAX_RECORDS + 1, &err),
	    KP_STORE_INVALID);
	expect_records(&f, "nodes", "");
	put_record(
	    &f, "nodes", "a", (struct kp_bytes){ data, sizeof(data) - 1 });
	kp_test_store_tear_down(&f);
}

#define NUM_TURNS 200

static void *
put_many(void *arg)
{
	for (int i = 0; i < NUM_TURNS; i++)
		put_record(arg, "nodes", "a", kp_bytes_of("1"));
	return NULL;
}

Test(store, records_are_put_while_another_thread_commits)
{
	struct kp_test_store f;
	pthread_t thread;

	kp_test_store_set_up(&f);
	cr_assert_eq(pthread_create(&thread, NULL, put_many, &f), 0);
	for (uint64_t i = 0; i < NUM_TURNS; i++)
		(void)kp_test_commit(f.store, i, kp_test_put("a", "A"));
	cr_assert_eq(pthread_join(thread, NULL), 0);
	cr_assert_eq(kp_test_range(f.store).newest, NUM_TURNS);
	expect_records(&f, "nodes", "nodes/a=1 ");
	kp_test_store_tear_down(&f);
}

/* More than one transaction takes, and more than one answer. */
Test(store, records_may_be_many)
{
	static char names[KP_STORE_MAX_RECORDS][16], wanted[1 << 16];
	struct kp_store_record records[KP_STORE_MAX_RECORDS];
	struct kp_error err = { 0 };
	struct kp_test_store f;
	size_t len = 0;

	kp_test_store_set_up(&f);
	for (int i = 0; i < KP_STORE_MAX_RECORDS; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "n%04d", i);
		records[i] = (struct kp_store_record){ "nodes", names[i],
			kp_bytes_of("1") };
		len += (size_t)snprintf(wanted + len, sizeof(wanted) - len,
		    "nodes/%s=1 ", names[i]);
	}
	cr_assert_eq(
	    kp_store_put_records(f.store, records, KP_STORE_MAX_RECORDS, &err),
	    KP_STORE_OK, "%s", err.text);
	expect_records(&f, "nodes", wanted);
	/* the last one counts */
	records[1] = records[0];
	records[1].data = kp_bytes_of("2");
	cr_assert_eq(
	    kp_store_put_records(f.store, records, 2, &err), KP_STORE_OK);
	wanted[12] = '2';
	expect_records(&f, "nodes", wanted);
	kp_test_store_tear_down(&f);
}
