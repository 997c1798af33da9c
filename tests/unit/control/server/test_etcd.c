/* SPDX-License-Identifier: Apache-2.0 */
/* What is etcd's own: several servers, a lease, snapshots, nodes that fail. */
#include "control/server/etcd.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/server/catalog.h"
#include "control/server/etcd_priv.h"
#include "tests/support/etcd.h"
#include "tests/support/store.h"

#define PATIENCE_MS 60000
/* Where etcd does not answer; all else has the time of a machine that is
 * shared.
 */
#define TIMEOUT_MS 5000
#define MAX_SERVERS 3

struct fixture {
	struct kp_test_etcd etcd;
	struct kp_etcd_config config;
	const char *endpoint;
	struct kp_store *servers[MAX_SERVERS];
};

static void
open_one(struct fixture *f, size_t i)
{
	struct kp_error err = { 0 };

	f->servers[i] = kp_etcd_open(&f->config, &err);
	cr_assert_not_null(f->servers[i], "%s", err.text);
}

static void
set_up(struct fixture *f, size_t num)
{
	*f = (struct fixture){ .endpoint = NULL };
	kp_test_etcd_start(&f->etcd);
	f->endpoint = f->etcd.endpoint;
	f->config = (struct kp_etcd_config){ .endpoints = &f->endpoint,
		.num_endpoints = 1,
		.timeout_ms = PATIENCE_MS,
		.lease_ms = 2000,
		.snapshot_len = 1000 };
	for (size_t i = 0; i < num; i++)
		open_one(f, i);
}

static void
close_one(struct fixture *f, size_t i)
{
	if (f->servers[i] != NULL)
		kp_store_close(f->servers[i]);
	f->servers[i] = NULL;
}

static void
tear_down(struct fixture *f)
{
	for (size_t i = 0; i < MAX_SERVERS; i++)
		close_one(f, i);
	kp_test_etcd_stop(&f->etcd);
}

static struct kp_etcd *
inside(struct fixture *f, size_t i)
{
	return (struct kp_etcd *)f->servers[i];
}

/* Who leads; waits until somebody does, and asserts that nobody else does. */
static size_t
leader_of(struct fixture *f)
{
	int64_t deadline_ms = kp_now_ms() + PATIENCE_MS;
	size_t leader = MAX_SERVERS;

	while (leader == MAX_SERVERS) {
		for (size_t i = 0; i < MAX_SERVERS; i++) {
			if (f->servers[i] == NULL ||
			    !kp_store_leads(f->servers[i]))
				continue;
			cr_assert_eq(leader, MAX_SERVERS, "two leaders");
			leader = i;
		}
		kp_test_etcd_pause(deadline_ms);
	}
	return leader;
}

static enum kp_store_result
try_commit(struct kp_store *store, uint64_t base, const char *text,
    struct kp_error *err)
{
	struct kp_store_change change = kp_test_put("a", text);
	uint64_t number;

	return kp_store_commit(
	    store, base, &kp_test_note, &change, 1, &number, err);
}

Test(etcd, each_server_hears_of_the_others_commits)
{
	struct fixture f;
	unsigned num_late = 0;

	set_up(&f, 2);
	for (uint64_t i = 0; i < 50; i++) {
		size_t from = i % 2, to = 1 - from;
		int64_t began_ms;

		(void)kp_test_commit(f.servers[from], i, kp_test_put("a", "A"));
		began_ms = kp_now_ms();
		cr_assert_eq(
		    kp_store_wait(f.servers[to], i, began_ms + PATIENCE_MS),
		    i + 1);
		num_late += kp_now_ms() - began_ms >= 1000;
	}
	/* 100 ms at worst on a machine of one's own; another one may be slow
	 * for seconds */
	cr_assert(num_late <= 5, "%u", num_late);
	cr_assert_eq(kp_test_range(f.servers[0]).newest, 50);
	cr_assert_eq(try_commit(f.servers[0], 49, "B", &(struct kp_error){ 0 }),
	    KP_STORE_CONFLICT);
	tear_down(&f);
}

#define NUM_COMMITS 60

/* A server that commits on top of whatever is the newest. */
struct writer {
	struct kp_store *store;
	pthread_barrier_t *first; /* both are about to commit the first one */
	uint64_t numbers[NUM_COMMITS];
	unsigned num_conflicts;
	bool is_good;
};

static void *
write_all(void *arg)
{
	struct writer *writer = arg;
	struct kp_store_range range;
	struct kp_error err = { 0 };
	size_t num = 0;

	writer->is_good = kp_store_range(writer->store, &range, KP_NEVER,
			      &err) == KP_STORE_OK;
	(void)pthread_barrier_wait(writer->first);
	while (num < NUM_COMMITS && writer->is_good) {
		enum kp_store_result result =
		    try_commit(writer->store, range.newest, "x", &err);

		if (result == KP_STORE_OK)
			writer->numbers[num++] = range.newest + 1;
		else if (result == KP_STORE_CONFLICT)
			writer->num_conflicts++;
		else
			writer->is_good = false;
		if (kp_store_range(writer->store, &range, KP_NEVER, &err) !=
		    KP_STORE_OK)
			writer->is_good = false;
	}
	return NULL;
}

Test(etcd, servers_that_commit_at_once_take_turns)
{
	struct fixture f;
	struct writer writers[2];
	pthread_t threads[2];
	pthread_barrier_t first;
	size_t taken[2 * NUM_COMMITS + 1] = { 0 };

	set_up(&f, 2);
	kp_must(pthread_barrier_init(&first, NULL, 2));
	for (size_t i = 0; i < 2; i++) {
		writers[i] =
		    (struct writer){ .store = f.servers[i], .first = &first };
		kp_must(
		    pthread_create(&threads[i], NULL, write_all, &writers[i]));
	}
	for (size_t i = 0; i < 2; i++) {
		kp_must(pthread_join(threads[i], NULL));
		cr_assert(writers[i].is_good);
		for (size_t j = 0; j < NUM_COMMITS; j++)
			taken[writers[i].numbers[j]]++;
	}
	for (size_t i = 1; i <= 2 * NUM_COMMITS; i++)
		cr_assert_eq(taken[i], 1, "revision %zu", i);
	cr_assert_eq(kp_test_range(f.servers[0]).newest, 2 * NUM_COMMITS);
	cr_assert(writers[0].num_conflicts + writers[1].num_conflicts > 0);
	kp_must(pthread_barrier_destroy(&first));
	tear_down(&f);
}

Test(etcd, one_server_leads_and_another_takes_over)
{
	struct fixture f;
	size_t first, second;
	int64_t began_ms;

	set_up(&f, 0);
	f.config.lease_ms = PATIENCE_MS / 2;
	for (size_t i = 0; i < MAX_SERVERS; i++)
		open_one(&f, i);
	first = leader_of(&f);
	began_ms = kp_now_ms();
	close_one(&f, first);
	second = leader_of(&f);
	cr_assert_neq(first, second);
	/* it gave the lease back: nobody had to wait for its end */
	cr_assert(kp_now_ms() - began_ms < f.config.lease_ms);
	tear_down(&f);
}

Test(etcd, who_cannot_reach_etcd_does_not_lead)
{
	struct fixture f;
	int64_t began_ms;

	set_up(&f, 1);
	(void)leader_of(&f);
	kp_test_etcd_freeze(&f.etcd);
	began_ms = kp_now_ms();
	/* from before it is asked: it may have to wait for a processor */
	for (int64_t asked_ms = began_ms; kp_store_leads(f.servers[0]);
	     asked_ms = kp_now_ms()) {
		cr_assert(asked_ms < began_ms + f.config.lease_ms);
		kp_test_etcd_pause(began_ms + PATIENCE_MS);
	}
	kp_test_etcd_thaw(&f.etcd);
	(void)leader_of(&f);
	tear_down(&f);
}

/* Waits until the leader has made as many snapshots. */
static void
wait_for_snapshots(struct fixture *f, size_t i, size_t wanted)
{
	int64_t deadline_ms = kp_now_ms() + PATIENCE_MS;

	while (kp_test_etcd_count(inside(f, i), KP_ETCD_SNAPSHOTS) < wanted)
		kp_test_etcd_pause(deadline_ms);
}

static void
expect_at(struct fixture *f, uint64_t at)
{
	char wanted[64];

	(void)snprintf(wanted, sizeof(wanted), "Cluster/a@%llu=%llu ",
	    (unsigned long long)at, (unsigned long long)at);
	kp_test_expect_state(f->servers[0], at, wanted);
}

Test(etcd, snapshots_are_made_and_what_is_before_them_is_forgotten)
{
	struct fixture f;
	struct kp_error err = { 0 };

	set_up(&f, 1);
	(void)leader_of(&f);
	for (uint64_t i = 0; i < 300; i++) {
		char text[24];

		(void)snprintf(
		    text, sizeof(text), "%llu", (unsigned long long)i + 1);
		(void)kp_test_commit(f.servers[0], i, kp_test_put("a", text));
		if (i == 150)
			wait_for_snapshots(&f, 0, 1);
		if (i == 250) /* the second one is of 101 at least */
			wait_for_snapshots(&f, 0, 2);
	}
	wait_for_snapshots(&f, 0, 2);
	for (uint64_t at = 1; at <= 300; at += 13)
		expect_at(&f, at);
	cr_assert_eq(kp_store_compact(f.servers[0], 280, &err), KP_STORE_OK,
	    "%s", err.text);
	cr_assert(kp_test_etcd_count(inside(&f, 0), KP_ETCD_REVISIONS) < 200);
	for (uint64_t at = 280; at <= 300; at++)
		expect_at(&f, at);
	cr_assert_eq(kp_store_load(f.servers[0], 279, kp_test_no_item, NULL,
			 KP_NEVER, &err),
	    KP_STORE_COMPACTED);
	kp_test_expect_history(f.servers[0], 298, 300,
	    "299 ada because 1234: Cluster/a=299\n"
	    "300 ada because 1234: Cluster/a=300\n");
	tear_down(&f);
}

Test(etcd, what_died_before_its_commit_is_swept)
{
	struct fixture f;
	struct kp_etcd_key parts, key;
	struct kp_error err = { 0 };
	int64_t deadline_ms;
	char dead[KP_ETCD_ATTEMPT_LEN + 1];

	set_up(&f, 1);
	(void)leader_of(&f);
	kp_etcd_attempt_new(dead);
	parts =
	    kp_etcd_key_parts(inside(&f, 0)->prefix, KP_ETCD_PARTS, 1, dead);
	for (uint64_t i = 0; i < 3; i++) {
		key = kp_etcd_key_part(&parts, i);
		cr_assert(kp_etcd_write(
		    inside(&f, 0), &key, kp_bytes_of("left"), NULL, &err));
	}
	/* an attempt on top of what is the newest may be alive */
	cr_assert_eq(kp_store_compact(f.servers[0], 0, &err), KP_STORE_OK);
	(void)kp_test_commit(f.servers[0], 0, kp_test_put("a", "A"));
	cr_assert_eq(kp_store_compact(f.servers[0], 0, &err), KP_STORE_OK);
	deadline_ms = kp_now_ms() + PATIENCE_MS;
	while (kp_test_etcd_count(inside(&f, 0), KP_ETCD_PARTS) > 0)
		kp_test_etcd_pause(deadline_ms);
	kp_test_expect_state(f.servers[0], 1, "Cluster/a@1=A ");
	tear_down(&f);
}

/* A large commit on a base that is old leaves nothing behind. */
Test(etcd, who_was_slower_takes_its_parts_away)
{
	static uint8_t text[KP_ETCD_MAX_INLINE_LEN];
	const struct kp_store_change change = { "Cluster", "b",
		{ text, sizeof(text) }, true };
	struct fixture f;
	struct kp_error err = { 0 };
	uint64_t number;

	set_up(&f, 1);
	(void)kp_test_commit(f.servers[0], 0, change);
	cr_assert_eq(kp_test_etcd_count(inside(&f, 0), KP_ETCD_PARTS), 1);
	cr_assert_eq(kp_store_commit(f.servers[0], 0, &kp_test_note, &change, 1,
			 &number, &err),
	    KP_STORE_CONFLICT);
	cr_assert_eq(kp_test_etcd_count(inside(&f, 0), KP_ETCD_PARTS), 1);
	tear_down(&f);
}

Test(etcd, a_store_lives_through_a_restart_of_etcd)
{
	struct fixture f;
	struct kp_error err = { 0 };
	int64_t began_ms;

	set_up(&f, 0);
	f.config.timeout_ms = TIMEOUT_MS;
	open_one(&f, 0);
	open_one(&f, 1);
	(void)kp_test_commit(f.servers[0], 0, kp_test_put("a", "A"));
	kp_test_etcd_kill(&f.etcd);
	/* it may have gone into the connection that was there */
	cr_assert_eq(try_commit(f.servers[0], 1, "B", &err), KP_STORE_FAILED);
	began_ms = kp_now_ms();
	cr_assert_eq(try_commit(f.servers[0], 1, "B", &err), KP_STORE_FAILED);
	cr_assert(kp_now_ms() - began_ms < TIMEOUT_MS + PATIENCE_MS / 2);
	cr_assert_not_null(strstr(err.text, "127.0.0.1:"), "%s", err.text);
	cr_assert_eq(err.kind, KP_ERR_UNAVAILABLE, "%s", err.text);
	cr_assert_eq(kp_store_load(f.servers[0], 1, kp_test_no_item, NULL,
			 KP_NEVER, &err),
	    KP_STORE_FAILED);
	kp_test_etcd_again(&f.etcd);
	(void)kp_test_commit(f.servers[0], 1, kp_test_put("a", "B"));
	cr_assert_eq(
	    kp_store_wait(f.servers[1], 1, kp_now_ms() + PATIENCE_MS), 2);
	kp_test_expect_state(f.servers[1], 2, "Cluster/a@2=B ");
	tear_down(&f);
}

/* etcd takes the request and does not answer: nobody knows. */
/* Far from the store's own patience, with room for a slow machine. */
#define SHORT_MS 300

static void
expect_late(enum kp_store_result result, const struct kp_error *err,
    int64_t deadline_ms)
{
	cr_assert_eq(result, KP_STORE_LATE, "%d: %s", (int)result, err->text);
	cr_assert_eq(err->kind, KP_ERR_TIMEOUT);
	cr_assert(kp_now_ms() >= deadline_ms);
	cr_assert(kp_now_ms() < deadline_ms + PATIENCE_MS / 2);
}

Test(etcd, reads_end_at_their_callers_deadline)
{
	struct kp_store_range range;
	struct kp_error err = { 0 };
	struct fixture f;
	int64_t until_ms;

	set_up(&f, 0);
	f.config.timeout_ms = 2 * PATIENCE_MS;
	open_one(&f, 0);
	(void)kp_test_commit(f.servers[0], 0, kp_test_put("a", "A"));
	kp_test_etcd_freeze(&f.etcd);
	until_ms = kp_now_ms() + SHORT_MS;
	expect_late(kp_store_range(f.servers[0], &range, until_ms, &err), &err,
	    until_ms);
	until_ms = kp_now_ms() + SHORT_MS;
	expect_late(kp_store_load(
			f.servers[0], 1, kp_test_no_item, NULL, until_ms, &err),
	    &err, until_ms);
	until_ms = kp_now_ms() + SHORT_MS;
	expect_late(kp_store_history(f.servers[0], 0, 1, kp_test_no_revision,
			NULL, until_ms, &err),
	    &err, until_ms);
	kp_test_etcd_thaw(&f.etcd);
	cr_assert_eq(kp_store_range(
			 f.servers[0], &range, kp_now_ms() + PATIENCE_MS, &err),
	    KP_STORE_OK, "%s", err.text);
	tear_down(&f);
}

Test(etcd, an_outcome_that_is_unknown_is_told_as_that)
{
	struct fixture f;
	struct kp_error err = { 0 };
	enum kp_store_result result;
	uint64_t newest;

	set_up(&f, 0);
	f.config.timeout_ms = TIMEOUT_MS;
	open_one(&f, 0);
	(void)kp_test_commit(f.servers[0], 0, kp_test_put("a", "A"));
	kp_test_etcd_freeze(&f.etcd);
	cr_assert_eq(try_commit(f.servers[0], 1, "B", &err), KP_STORE_FAILED);
	cr_assert_eq(err.kind, KP_ERR_TIMEOUT, "%s", err.text);
	cr_assert_not_null(
	    strstr(err.text, "may have been done"), "%s", err.text);
	kp_test_etcd_thaw(&f.etcd);
	newest = kp_test_range(f.servers[0]).newest;
	cr_assert(newest == 1 || newest == 2);
	result = try_commit(f.servers[0], newest, "C", &err);
	/* etcd may have come to what it was sent only now */
	if (newest == 1 && result == KP_STORE_CONFLICT)
		result = try_commit(f.servers[0], 2, "C", &err);
	cr_assert_eq(result, KP_STORE_OK, "%s", err.text);
	tear_down(&f);
}

static void
put_raw(struct fixture *f, const char *name, const char *value)
{
	struct kp_etcd_key key = kp_etcd_key_state(inside(f, 0)->prefix, name);
	struct kp_error err = { 0 };

	cr_assert(
	    kp_etcd_write(inside(f, 0), &key, kp_bytes_of(value), NULL, &err),
	    "%s", err.text);
}

Test(etcd, a_newer_form_is_not_touched)
{
	struct fixture f;
	struct kp_error err = { 0 };

	set_up(&f, 1);
	(void)kp_test_commit(f.servers[0], 0, kp_test_put("a", "A"));
	put_raw(&f, "form", "2");
	cr_assert_eq(try_commit(f.servers[0], 1, "B", &err), KP_STORE_FAILED);
	cr_assert_not_null(strstr(err.text, "newer version"), "%s", err.text);
	cr_assert_null(kp_etcd_open(&f.config, &err));
	cr_assert_not_null(strstr(err.text, "newer version"), "%s", err.text);
	tear_down(&f);
}

/* What replaces a stored value, and what is said then. */
Test(etcd, what_is_damaged_is_told)
{
	static const struct {
		const char *name;
		const char *value, *why;
	} cases[] = {
		{ "state/newest", "two", "damaged: state/newest" },
		{ "state/newest", "3", "damaged: the record of revision 3" },
		{ "state/oldest", "9", "damaged: state/newest" },
		{ "state/form", "0", "damaged: state/newest" },
		{ "revisions/00000000000000000002", "\x0a\x7f",
		    "damaged: no record of a revision" },
		{ "revisions/00000000000000000002", "",
		    "damaged: no record of a revision" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		struct kp_etcd_key key;
		struct kp_error err = { 0 };
		uint64_t at = 2 + (cases[i].value[0] == '3');

		set_up(&f, 1);
		(void)kp_test_commit(f.servers[0], 0, kp_test_put("a", "A"));
		(void)kp_test_commit(f.servers[0], 1, kp_test_put("a", "B"));
		(void)snprintf(
		    key.text, sizeof(key.text), "/kproxy/%s", cases[i].name);
		cr_assert(kp_etcd_write(inside(&f, 0), &key,
		    kp_bytes_of(cases[i].value), NULL, &err));
		cr_assert_eq(kp_store_load(f.servers[0], at, kp_test_no_item,
				 NULL, KP_NEVER, &err),
		    KP_STORE_FAILED, "case %zu", i);
		cr_assert_eq(err.kind, KP_ERR_CONFIG, "%s", err.text);
		cr_assert_not_null(
		    strstr(err.text, cases[i].why), "%s", err.text);
		tear_down(&f);
	}
}

Test(etcd, prefixes_are_stores_of_their_own)
{
	struct fixture f;

	set_up(&f, 1);
	f.config.prefix = "/other/";
	open_one(&f, 1);
	(void)kp_test_commit(f.servers[0], 0, kp_test_put("a", "A"));
	cr_assert_eq(kp_test_range(f.servers[1]).newest, 0);
	(void)kp_test_commit(f.servers[1], 0, kp_test_put("b", "B"));
	kp_test_expect_state(f.servers[0], 1, "Cluster/a@1=A ");
	tear_down(&f);
}

static void
expect_refused(const struct kp_etcd_config *config, enum kp_error_kind kind,
    const char *why)
{
	struct kp_error err = { 0 };

	cr_assert_null(kp_etcd_open(config, &err));
	cr_assert_eq(err.kind, kind, "%s", err.text);
	cr_assert_not_null(strstr(err.text, why), "%s", err.text);
}

Test(etcd, a_configuration_that_cannot_be_is_refused)
{
	static const char *const bad[] = { "127.0.0.1:2379", "ftp://a:1",
		"https://a", "http://a:99999" };
	static const char *const mixed[] = { "http://127.0.0.1:1",
		"https://127.0.0.1:1" };
	struct kp_etcd_config config = { .num_endpoints = 0 };

	expect_refused(&config, KP_ERR_CONFIG, "0 etcd endpoints");
	config.endpoints = mixed;
	config.num_endpoints = 2;
	expect_refused(&config, KP_ERR_CONFIG, "all http or all https");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		config.endpoints = &bad[i];
		config.num_endpoints = 1;
		expect_refused(&config, KP_ERR_CONFIG, bad[i]);
	}
	config.endpoints = mixed;
	config.prefix = "/kproxy";
	expect_refused(&config, KP_ERR_CONFIG, "does not end with /");
	config.prefix = NULL;
	config.user = "ada";
	expect_refused(&config, KP_ERR_CONFIG, "a user and a password");
	config.user = NULL;
	config.endpoints = &mixed[1];
	expect_refused(&config, KP_ERR_TLS, "CA is missing");
	config.endpoints = mixed;
	config.timeout_ms = 500;
	expect_refused(&config, KP_ERR_UNAVAILABLE, "127.0.0.1:1");
}

#define CLUSTER(name_, broker_) \
	"apiVersion: kproxy/v1\nkind: Cluster\nmetadata: {name: " name_ "}\n" \
	"spec: {bootstrap: [\"" broker_ ":9092\"]}\n"

static enum kp_verdict
apply(
    struct kp_catalog *catalog, const char *text, struct kp_catalog_result *out)
{
	const struct kp_catalog_file file = { "f.yaml", kp_bytes_of(text) };
	const struct kp_catalog_wish wish = {
		.files = &file, .num_files = 1, .note = kp_test_note
	};
	struct kp_error err;

	return kp_catalog_apply(catalog, &wish, KP_NEVER, out, &err);
}

/* One of two catalogs that both want the next revision. */
struct rival {
	struct kp_catalog *catalog;
	const char *const *texts;
	bool is_good;
};

#define NUM_WISHES 20

static void *
wish_all(void *arg)
{
	struct rival *rival = arg;

	rival->is_good = true;
	for (size_t i = 0; i < NUM_WISHES; i++) {
		struct kp_catalog_result result;

		if (apply(rival->catalog, rival->texts[i % 2], &result) !=
			KP_VERDICT_OK ||
		    result.num_outcomes != 1)
			rival->is_good = false;
		kp_catalog_result_fini(&result);
	}
	return NULL;
}

/* Each changes a resource of its own back and forth: every wish is a revision,
 * and one that comes too late is judged again. */
Test(etcd, catalogs_that_are_too_late_judge_again)
{
	static const char *const texts[2][2] = {
		{ CLUSTER("a", "one"), CLUSTER("a", "two") },
		{ CLUSTER("b", "one"), CLUSTER("b", "two") },
	};
	struct fixture f;
	struct rival rivals[2];
	pthread_t threads[2];
	struct kp_error err = { 0 };

	set_up(&f, 2);
	for (size_t i = 0; i < 2; i++) {
		rivals[i] = (struct rival){ .texts = texts[i],
			.catalog = kp_catalog_open(f.servers[i], &err) };
		cr_assert_not_null(rivals[i].catalog, "%s", err.text);
		kp_must(
		    pthread_create(&threads[i], NULL, wish_all, &rivals[i]));
	}
	for (size_t i = 0; i < 2; i++)
		kp_must(pthread_join(threads[i], NULL));
	for (size_t i = 0; i < 2; i++) {
		cr_assert(rivals[i].is_good);
		cr_assert(kp_catalog_refresh(rivals[i].catalog, &err));
		cr_assert_eq(kp_catalog_items(rivals[i].catalog)->num, 2);
		kp_catalog_close(rivals[i].catalog);
	}
	cr_assert_eq(kp_test_range(f.servers[0]).newest, 2 * NUM_WISHES);
	tear_down(&f);
}
